//! The arguments of these commands.

use std::num::NonZeroU32;
use std::path::PathBuf;

use clap::{Args, ValueEnum};

use crate::cli::plumbing::visit::SettingsArgs;

pub(crate) const NEW: &str = "\
What it makes builds, crawls a bundled test site and passes its own test at once.

  crawl new books                          a spider in Rust: a crate, its config, a test
  crawl new books --template declarative   a spider in one TOML file
  crawl new tea --from https://shop.example/tea   proposes the selectors for a page

Exit codes:
    0  done
    1  the page cannot be had or shows no list of items, or a file cannot be written
    2  wrong usage: there is something of that name already, or the name is no crate's name";

pub(crate) const RECORD: &str = "\
Crawls as CONFIG says, one request at a time and with its delays, until N pages came, and writes
each page that a callback saw to a file of its own: request as `# key: value` lines, then the
answer. Credentials and cookies are left out. Recorded again, a page keeps its file's name.

Exit codes:
    0  done
    1  the crawl broke, or a file cannot be written
    2  wrong usage or config
  130  interrupted; nothing was written";

pub(crate) const CHECK: &str = "\
Runs the spider's callbacks over the recorded pages, without network and with their time, and
compares items, requests, warnings and counts with the snapshot beside each page. Without any
snapshots it shows what each callback gives.

Exit codes:
    0  all as in the snapshots, or nothing to compare with
    1  something differs or has no snapshot, or a page's file cannot be read
    2  wrong usage or config, or the spider cannot be built";

#[derive(Debug, Args)]
pub(crate) struct NewArgs {
    /// The spider's name, and the folder or file that is made.
    pub(crate) name: String,
    /// What kind of spider.
    #[arg(long, value_enum, default_value = "basic", conflicts_with = "from")]
    pub(crate) template: Template,
    /// A page with a list of items: a URL, which is fetched as a crawl would, or a file. Its
    /// selectors are proposed, as a declarative spider NAME.toml.
    #[arg(long, value_name = "URL|FILE")]
    pub(crate) from: Option<String>,
    /// The repository of the crawler, whose crates/spider the spider is built with. Default:
    /// where this binary was built.
    #[arg(long, value_name = "PATH", conflicts_with = "from")]
    pub(crate) sdk: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) settings: SettingsArgs,
}

/// What `crawl new` can make.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Template {
    /// In Rust: items from a list, page by page.
    Basic,
    /// In Rust: rules say which links lead to what.
    Rules,
    /// In Rust: pages that a sitemap lists.
    Sitemap,
    /// In Rust: logs in by a form first.
    Login,
    /// In TOML, without Rust.
    Declarative,
}

#[derive(Debug, Args)]
pub(crate) struct RecordArgs {
    /// The crawl's TOML file.
    pub(crate) config: PathBuf,
    /// How many pages.
    #[arg(long, default_value = "10", value_name = "N")]
    pub(crate) pages: NonZeroU32,
    /// The folder for them. Default: tests/NAME beside NAME.toml.
    #[arg(long, value_name = "DIR")]
    pub(crate) into: Option<PathBuf>,
    /// Set a key of the config, such as `-s fetch.user-agent=...`.
    #[arg(short, long = "set", value_name = "KEY=VALUE")]
    pub(crate) set: Vec<String>,
}

#[derive(Debug, Args)]
pub(crate) struct CheckArgs {
    /// The crawl's TOML file.
    pub(crate) config: PathBuf,
    /// The folder with the recorded pages. Default: tests/NAME beside NAME.toml.
    #[arg(long, value_name = "DIR")]
    pub(crate) fixtures: Option<PathBuf>,
    /// Write what the callbacks give now into the snapshots.
    #[arg(long)]
    pub(crate) update: bool,
    /// Print what each callback gives, as one JSON object a line.
    #[arg(long)]
    pub(crate) json: bool,
    /// Set a key of the config, such as `-s spider.args.tag=love`.
    #[arg(short, long = "set", value_name = "KEY=VALUE")]
    pub(crate) set: Vec<String>,
}
