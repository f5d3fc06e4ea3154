//! From the table `[spider]` to a spider: one without Rust, a plugin in this process, or a plugin
//! in child processes.
//!
//! A child is this very program, started again with one word on its command line; so a program
//! that reads configs calls [`plugin_child`] first in its `main`. The `crawl` binary does.

use std::io;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crawl_parser::{
    Isolation, LinkSpider, PageOpener, ParseConfig, SpiderConfig, check_spider, configured,
};
use crawl_plugin::process::{Guest, Isolated, Launch, Sent, serve};
use crawl_spider::{Args, Harvest, Spider, SpiderError, prepare};
use serde::{Deserialize, Serialize};
use tokio::signal::unix::{SignalKind, signal};

use crate::config::{Config, ConfigError, Mistake};

/// The word by which a program knows that it was started as a child.
const WORD: &str = "plugin-child";

/// Memory of a child if the config does not say.
const MEMORY_MIB: u64 = 1024;

/// Whether this program answers to [`WORD`].
static IS_PARENT: AtomicBool = AtomicBool::new(false);

/// Serves a plugin, if this process was started as a child for one; `None` if it was not, and is
/// a program of its own. To be called first in `main` by programs whose configs may say
/// `isolation = "process"`, before there are threads.
pub fn plugin_child() -> Option<io::Result<()>> {
    let mut args = std::env::args_os().skip(1);
    if args.next().is_some_and(|word| word == WORD) && args.next().is_none() {
        return Some(serve_plugin());
    }
    IS_PARENT.store(true, Ordering::Relaxed);
    None
}

/// What a child is told to load.
#[derive(Debug, Serialize, Deserialize)]
struct Setup {
    library: std::path::PathBuf,
    args: Args,
    parse: ParseConfig,
}

/// How the spider of a config is made, now and whenever the crawl is told to take a new build.
pub(crate) struct Recipe {
    /// `None`: it follows every link.
    spider: Option<SpiderConfig>,
    parse: ParseConfig,
}

impl Recipe {
    /// That of a config.
    pub(crate) fn of(config: &Config) -> Self {
        Self { spider: config.spider.clone(), parse: config.parse.clone() }
    }

    /// Whether it is a plugin, which may be built anew.
    pub(crate) fn is_plugin(&self) -> bool {
        self.spider.as_ref().is_some_and(|spider| spider.plugin.is_some())
    }

    /// Makes the spider; of the plugin at `path` if one is given. Blocks, for as long as a build
    /// takes.
    pub(crate) fn make(&self, path: Option<&Path>) -> Result<Arc<dyn Spider>, ConfigError> {
        let Some(config) = &self.spider else { return Ok(Arc::new(LinkSpider)) };
        let Some(path) = path.or(config.plugin.as_deref()) else {
            let spider = configured(config.clone());
            return spider.map_err(|error| Mistake::new(error.to_string()).into());
        };
        let library = crawl_plugin::find(path)?;
        match config.isolation {
            Isolation::None => Ok(Arc::new(crawl_plugin::load(&library, &config.args)?)),
            Isolation::Process => Ok(Arc::new(self.isolated(config, &library)?)),
        }
    }

    fn isolated(&self, config: &SpiderConfig, library: &Path) -> Result<Isolated, ConfigError> {
        if !IS_PARENT.load(Ordering::Relaxed) {
            let message = "`spider.isolation`: this program cannot be started as a child";
            let mistake = Mistake::new(message);
            return Err(mistake.hint("it has to call `crawl::plugin_child` first").into());
        }
        let library = std::path::absolute(library)
            .map_err(|source| ConfigError::Read { path: library.to_owned(), source })?;
        let (args, parse) = (config.args.clone(), self.parse.clone());
        let setup = Setup { library, args, parse };
        let setup = serde_json::to_string(&setup)
            .map_err(|error| Mistake::new(format!("`spider.args`: {error}")))?;
        let max_time = Some(self.parse.max_time).filter(|limit| !limit.is_zero());
        let memory = config.memory_mib.unwrap_or(MEMORY_MIB);
        let memory_bytes = (memory > 0).then(|| memory.saturating_mul(1 << 20));
        Ok(Isolated::new(Launch { command: Box::new(child), setup, max_time, memory_bytes })?)
    }
}

/// This program again.
fn child() -> Command {
    // The file may have been replaced since we started; this names the one that runs.
    let link = Path::new("/proc/self/exe");
    let mut command = match std::env::current_exe() {
        Ok(path) if !link.exists() => Command::new(path),
        _ => Command::new(link),
    };
    // What the binary's allocator has reserved before the limit is set would be free of it: let it
    // count when it is taken.
    command.env("MIMALLOC_ARENA_EAGER_COMMIT", "0");
    command.arg(WORD);
    command
}

/// A plugin, and what opens pages for it.
struct Loaded {
    spider: Arc<dyn Spider>,
    opener: PageOpener,
}

impl Loaded {
    fn load(setup: &str) -> Result<Self, String> {
        let setup: Setup = serde_json::from_str(setup).map_err(|error| error.to_string())?;
        let spider = crawl_plugin::load_in_child(&setup.library, &setup.args)
            .map_err(|error| crate::config::chain(&error))?;
        let spider = prepare(Arc::new(spider));
        check_spider(&*spider).map_err(|error| error.chain())?;
        let opener = PageOpener::new(&setup.parse, &*spider);
        Ok(Self { spider, opener })
    }
}

impl Guest for Loaded {
    fn spider(&self) -> &dyn Spider {
        &*self.spider
    }

    fn parse(&self, page: &Sent, out: &mut Harvest) -> Result<(), SpiderError> {
        let Sent { request, response, fetched_ms } = page;
        self.opener.open(request, response, *fetched_ms, |page| self.spider.parse(page, out))
    }
}

fn serve_plugin() -> io::Result<()> {
    // Ctrl-C goes to all processes of a terminal, and a service's end to all of the service. The
    // parent decides what becomes of its children: they hear signals and do nothing.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build()?;
    let _inside = runtime.enter();
    let _heard = [signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?];
    serve(Loaded::load)
}
