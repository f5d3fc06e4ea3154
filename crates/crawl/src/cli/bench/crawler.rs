//! One crawl by this binary, in a process of its own, checked to the last page.

use std::fmt::Write as _;
use std::fs;
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use clap::ValueEnum;
use serde_json::Value;

use super::lane::{Place, Plan};
use super::process::{self, Cost};
use super::workload::Workload;
use crate::cli::failure::{Exit, Failure};

/// What takes the items.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Spider {
    /// None: every link is followed, nothing is taken.
    Links,
    /// A declarative spider takes title and price of each product.
    Toml,
    /// A plugin whose item is derived does.
    Derived,
    /// A plugin that selects in the document's tree does.
    Dom,
}

impl Spider {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Links => "links",
            Self::Toml => "toml",
            Self::Derived => "derived",
            Self::Dom => "dom",
        }
    }

    fn source(self) -> Option<&'static str> {
        match self {
            Self::Links | Self::Toml => None,
            Self::Derived => Some(include_str!("spiders/derived.rs")),
            Self::Dom => Some(include_str!("spiders/dom.rs")),
        }
    }
}

/// A crawl that came to its end, and what it left on the disk.
pub(crate) struct Crawled {
    pub(crate) cost: Cost,
    pub(crate) pages: u64,
    /// Bytes of its folder, feed included.
    pub(crate) disk: u64,
}

/// What a round of this crawler needs.
pub(crate) struct Crawler {
    config: PathBuf,
    store: PathBuf,
    workload: Workload,
    expected_pages: u64,
    expected_items: u64,
}

impl Crawler {
    /// Writes the config, and builds the plugin where there is one.
    pub(crate) fn prepare(plan: &Plan<'_>, place: &Place, spider: Spider) -> Result<Self, Failure> {
        let Place { workload, variant, .. } = *place;
        let market = workload.market(variant.pages);
        let (pages, cores) = (market.pages, variant.cores);
        let name = workload.name().to_lowercase();
        let name = format!("{name}-{}-{pages}-pages-{cores}-cores", spider.name());
        let store = plan.folder.join(&name);
        if let Some(source) = spider.source() {
            build(&plan.folder.join(spider.name()), spider, source, plan.sdk)?;
        }
        let config = plan.folder.join(format!("{name}.toml"));
        let bodies = if plan.bodies { "html" } else { "none" };
        let text = config_text(workload, spider, place.site.addr, &store, bodies);
        fs::write(&config, text).map_err(broken)?;
        let hosts = u64::from(workload.hosts());
        Ok(Self {
            config,
            store,
            workload,
            expected_pages: u64::from(market.pages) * hosts,
            expected_items: if spider == Spider::Links { 0 } else { market.cards() * hosts },
        })
    }

    /// Crawls anew on these cores.
    pub(crate) fn crawl(&self, cores: &[usize]) -> Result<Crawled, Failure> {
        self.crawl_by(this_binary()?, cores)
    }

    /// The same by a command that begins with another program.
    pub(crate) fn crawl_by(
        &self,
        mut command: Command,
        cores: &[usize],
    ) -> Result<Crawled, Failure> {
        let told = self.file("json");
        command.arg("run").arg(&self.config).args(["--fresh", "--json"]);
        let out = fs::File::create(&told).map_err(broken)?;
        let err = fs::File::create(self.file("log")).map_err(broken)?;
        command.stdin(Stdio::null()).stdout(out).stderr(err);
        let start = Instant::now();
        let child = process::spawn_on(cores, &mut command).map_err(broken)?;
        let cost = process::cost_of(child, start).map_err(broken)?;
        let report = fs::read_to_string(&told).map_err(broken)?;
        let report = serde_json::from_str(&report).unwrap_or(Value::Null);
        self.check(&cost, &report)?;
        Ok(Crawled {
            cost,
            pages: self.expected_pages,
            disk: size_of(&self.store).map_err(broken)?,
        })
    }

    /// A file beside the crawl's folder.
    pub(crate) fn file(&self, extension: &str) -> PathBuf {
        self.store.with_extension(extension)
    }

    /// Every page once, every item, and all that was discovered accounted for.
    fn check(&self, cost: &Cost, report: &Value) -> Result<(), Failure> {
        let number = |pointer: &str| report.pointer(pointer).and_then(Value::as_u64).unwrap_or(0);
        let ok = number("/counts/settled/ok");
        let items = number("/counts/items");
        let is_conserved = report["conserved"] == true;
        let is_whole = ok == self.expected_pages && items == self.expected_items;
        if cost.is_success && is_conserved && is_whole {
            return Ok(());
        }
        let what = format!(
            "the crawl of {} went wrong: {ok} of {} pages, {items} of {} items, conserved: {}",
            self.workload.name(),
            self.expected_pages,
            self.expected_items,
            report["conserved"],
        );
        let log = self.file("log");
        Err(Failure::new(Exit::Broken, what).hint(format!("see {}", log.display())))
    }
}

/// This binary, as a command.
pub(crate) fn this_binary() -> Result<Command, Failure> {
    std::env::current_exe().map(Command::new).map_err(broken)
}

pub(crate) fn broken(error: io::Error) -> Failure {
    Failure::new(Exit::Broken, error)
}

fn config_text(
    workload: Workload,
    spider: Spider,
    site: SocketAddr,
    store: &Path,
    bodies: &str,
) -> String {
    let quoted = |text: &str| Value::from(text).to_string();
    let seeds: Vec<_> = workload
        .addresses()
        .map(|address| quoted(&format!("http://{address}:{}/", site.port())))
        .collect();
    let mut text = format!(
        "seeds = [{}]\n[politeness]\ndelay = \"0s\"\nper-host = {}\n[fetch]\nconnections = {}\n\
         allow-private-addresses = true\n[store]\nbodies = \"{bodies}\"\npath = {}\n",
        seeds.join(", "),
        workload.per_host(),
        workload.connections(),
        quoted(&store.to_string_lossy()),
    );
    let feed = store.join("items.jsonl");
    if spider != Spider::Links {
        let _ = write!(text, "[[feed]]\npath = {}\n", quoted(&feed.to_string_lossy()));
    }
    match spider {
        Spider::Links => {}
        Spider::Toml => text.push_str(
            "[[spider.items]]\nselect = \"article.product_pod\"\n[spider.items.fields]\n\
             title = \"h3 a @title\"\nprice = { css = \".price_color\", type = \"number\" }\n",
        ),
        Spider::Derived | Spider::Dom => {
            let plugin = store.with_file_name(spider.name());
            let _ = write!(text, "[spider]\nplugin = {}\n", quoted(&plugin.to_string_lossy()));
        }
    }
    text
}

/// Builds a plugin beforehand, so that no round pays for it.
fn build(folder: &Path, spider: Spider, source: &str, sdk: Option<&Path>) -> Result<(), Failure> {
    let sdk = crate::cli::scaffold::find_sdk(sdk)?;
    let manifest = format!(
        "[package]\nname = \"bench-{}\"\nversion = \"0.1.0\"\nedition = \"2024\"\npublish = false\n\
         [workspace]\n[lib]\ncrate-type = [\"cdylib\"]\n[dependencies]\ncrawl-spider = {{ path = {} }}\n",
        spider.name(),
        Value::from(sdk.join("crates/spider").to_string_lossy()),
    );
    fs::create_dir_all(folder.join("src")).map_err(broken)?;
    fs::write(folder.join("Cargo.toml"), manifest).map_err(broken)?;
    fs::write(folder.join("src/lib.rs"), source).map_err(broken)?;
    if let Ok(lock) = fs::read(sdk.join("Cargo.lock")) {
        fs::write(folder.join("Cargo.lock"), lock).map_err(broken)?;
    }
    let mut check = this_binary()?;
    let built = check.args(["plugin", "check"]).arg(folder).stdout(Stdio::null()).status();
    match built.map_err(broken)?.success() {
        true => Ok(()),
        false => Err(Failure::new(Exit::Usage, "the benchmark's plugin cannot be built")),
    }
}

/// Bytes of all files in `folder`, as the disk has them: blocks in use.
fn size_of(folder: &Path) -> io::Result<u64> {
    use std::os::unix::fs::MetadataExt as _;
    let mut sum = 0;
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let meta = entry.metadata()?;
        sum += if meta.is_dir() { size_of(&entry.path())? } else { meta.blocks() * 512 };
    }
    Ok(sum)
}
