//! The command line as it is written.

use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::path::PathBuf;
use std::time::Duration;

use super::archive::args::{self as upkeep, CdxjArgs, CompactArgs, GcArgs, ImportArgs};
use super::bench::BenchArgs;
use super::diff::DiffArgs;
use super::export::ExportArgs;
use super::inspect::args::{INSPECT, InspectArgs};
use super::plumbing::{self, BasedFileArgs, FetchArgs, FileArgs, RobotsArgs, SelectArgs, UrlArgs};
use super::replay::ReplayArgs;
use super::scaffold::args::{self as scaffold, CheckArgs, NewArgs, RecordArgs};
use super::verify::VerifyArgs;
use super::why::WhyArgs;
use clap::{Args, Parser, Subcommand};

const EXIT_CODES: &str = "Exit codes:
    0  done
    1  the crawl broke: store, disk, input or output
    2  wrong usage or config
    3  another process works in the crawl's folder
    4  `run.fail-on-drift`: fields are filled less than half as often as in the run before
    5  the disk is full; with room on it, the same command goes on and nothing is lost
  130  interrupted; what was settled is saved, and the same command goes on

Results go to stdout, everything else to stderr.";

const TESTSITE: &str = "\
The first line of stdout is the address. Whatever name it is asked by, it is the bookshop, but for:
    quotes.test     quotes, tags and authors; /login, /scroll, /api/quotes, /tableful/, /search.aspx
    news.test       articles by /sitemap.xml, /feed.rss and /feed.atom
    api.test        /v1/products, JSON by cursor
    directory.test  events at attic.test, harbour.test, lighthouse.test and orchard.test
    many.test       thirty hosts, h0.many.test and so on

A config reaches it by fetch.resolve = { \"quotes.test\" = \"127.0.0.1:PORT\" } and
fetch.allow-private-addresses = true. The table [testsite] does all of that by itself.";

const CONTROL: &str = "\
Each order is answered when it has taken effect. A pause, and what `set` changes, last till the end
of the run: what is to last longer goes into the config. A block lasts till `unblock` or `--fresh`.

Exit codes:
    0  done
    1  no crawl runs in this folder, or output failed
    2  wrong usage, or the crawl refused it

Results go to stdout, everything else to stderr.";

/// Crawls web sites: fast, polite, and able to go on after any crash.
#[derive(Debug, Parser)]
#[command(name = "crawl", version, after_help = EXIT_CODES, disable_help_subcommand = true)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Crawl as CONFIG says; go on where an earlier run stopped.
    #[command(after_help = EXIT_CODES)]
    Run(RunArgs),
    /// Look into the folder of a crawl, finished or running.
    #[command(after_help = INSPECT)]
    Inspect(InspectArgs),
    /// Say all of one URL: who found it, what each rule says, every attempt, when it is due.
    #[command(after_help = super::why::HELP)]
    Why(WhyArgs),
    /// Compare two crawls, or a crawl and its replay: pages and items, field by field.
    #[command(after_help = super::diff::HELP)]
    Diff(DiffArgs),
    /// Run a spider over the pages of a stored crawl, without network, into a new folder.
    #[command(after_help = super::replay::HELP)]
    Replay(ReplayArgs),
    /// Check that the folder of a crawl holds what it promises.
    #[command(after_help = super::verify::HELP)]
    Verify(VerifyArgs),
    /// Write the items of a crawl, finished or running, into a file, a table or an object store.
    #[command(after_help = EXIT_CODES)]
    Export(Box<ExportArgs>),
    /// Tell a running crawl what to do: pause, resume, stop, add, block, set.
    #[command(after_help = CONTROL)]
    Control(ControlArgs),
    /// Check CONFIG and print all that is in force, defaults included.
    Config(ConfigArgs),
    /// Measure this crawler on sites made for it, beside wget2.
    #[command(after_help = super::bench::HELP)]
    Bench(BenchArgs),
    /// Serve the bundled bookshop, and the sites of tutorials, on a local port until Ctrl-C.
    #[command(after_help = TESTSITE)]
    Testsite(TestsiteArgs),
    /// Fetch one URL as a crawl would, and say what came.
    #[command(after_help = plumbing::FETCH)]
    Fetch(FetchArgs),
    /// Find elements of a page by CSS selector or XPath.
    #[command(after_help = plumbing::HELP)]
    Select(Box<SelectArgs>),
    /// List the links of a page.
    #[command(after_help = plumbing::HELP)]
    Links(BasedFileArgs),
    /// List the entries of a sitemap or feed.
    #[command(after_help = plumbing::HELP)]
    Sitemap(BasedFileArgs),
    /// Turn bytes into text, as a browser does.
    #[command(after_help = plumbing::HELP)]
    Decode(FileArgs),
    /// Ask a robots.txt what it allows, or for its sitemaps.
    #[command(after_help = plumbing::HELP)]
    Robots(RobotsArgs),
    /// Write URLs as the crawler does.
    #[command(after_help = plumbing::HELP)]
    Url(UrlArgs),
    /// Look at plugins: spiders that are shared libraries.
    Plugin(PluginArgs),
    /// Write the index of archives that pywb and its kin use.
    #[command(after_help = upkeep::CDXJ)]
    Cdxj(CdxjArgs),
    /// Take the pages of another crawler's archives (WARC) into a crawl's folder.
    #[command(after_help = upkeep::IMPORT)]
    Import(ImportArgs),
    /// Remove archived bodies that have become old.
    #[command(after_help = upkeep::GC)]
    Gc(GcArgs),
    /// Make a crawl's archive smaller: what no page points to goes.
    #[command(after_help = upkeep::COMPACT)]
    Compact(CompactArgs),
    /// Make a spider to begin with: a crate, a TOML, or a proposal for a page.
    #[command(after_help = scaffold::NEW)]
    New(NewArgs),
    /// Keep some pages of a crawl as fixtures for tests of its spider.
    #[command(after_help = scaffold::RECORD)]
    Record(RecordArgs),
    /// Run a spider over fixtures, without network, and compare what it gives with snapshots.
    #[command(after_help = scaffold::CHECK)]
    Check(CheckArgs),
}

#[derive(Debug, Args)]
pub(crate) struct RunArgs {
    /// The crawl's TOML file; config/default.toml explains every key.
    pub(crate) config: PathBuf,
    /// Throw away what an earlier run left in the folder, and begin anew.
    #[arg(long)]
    pub(crate) fresh: bool,
    /// Set a key of the config, such as `-s scope.max-pages=100`.
    #[arg(short, long = "set", value_name = "KEY=VALUE")]
    pub(crate) set: Vec<String>,
    /// Tell the spider something, such as `-a tag=love`; wins over `[spider.args]`.
    #[arg(short, long = "arg", value_name = "NAME=VALUE")]
    pub(crate) args: Vec<String>,
    /// Also write the items to this file (format by its extension), table or object: as `path` of a
    /// `[[feed]]`.
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: Vec<PathBuf>,
    /// Print the report as one line of JSON.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct PluginArgs {
    #[command(subcommand)]
    pub(crate) command: PluginCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum PluginCommand {
    /// Build it if it is a folder, load it, make its spider, and say what it is.
    Check(PluginCheckArgs),
    /// Let a running crawl go on with a new build of its plugin.
    #[command(after_help = EXIT_CODES)]
    Reload(ReloadArgs),
}

#[derive(Debug, Args)]
pub(crate) struct PluginCheckArgs {
    /// The folder of a plugin's crate, or a shared library.
    pub(crate) path: PathBuf,
    /// Tell the spider something, such as `-a tag=love`.
    #[arg(short, long = "arg", value_name = "NAME=VALUE")]
    pub(crate) args: Vec<String>,
}

#[derive(Debug, Args)]
pub(crate) struct ControlArgs {
    /// The crawl's folder (the key `store.path`).
    pub(crate) store: PathBuf,
    #[command(subcommand)]
    pub(crate) command: ControlCommand,
    /// Say what was done as JSON lines.
    #[arg(long, global = true)]
    pub(crate) json: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ControlCommand {
    /// Send nothing more until `resume`; what is in flight settles. The crawl does not end meanwhile.
    Pause,
    /// End a pause.
    Resume,
    /// Close the crawl as Ctrl-C does; the same `crawl run` goes on later.
    Stop,
    /// Show what is in force.
    Status,
    /// Add seeds. Without `scope.allowed-domains` their hosts come into the scope with them.
    Add {
        /// Whole URLs; `-`: one a line from standard input.
        #[arg(value_name = "URL", required = true)]
        urls: Vec<String>,
    },
    /// Fetch nothing more from a host and its subdomains, in later runs too. What is queued there
    /// ends as `blocked`.
    Block {
        /// Hosts or domains.
        #[arg(value_name = "HOST", required = true)]
        hosts: Vec<String>,
    },
    /// Take blocks back. What they ended is admitted when it is found again, and by the next run.
    Unblock {
        /// Hosts or domains.
        #[arg(value_name = "HOST", required = true)]
        hosts: Vec<String>,
    },
    /// Change settings for the rest of this run: politeness.delay, politeness.per-host,
    /// politeness.max-rate, scope.max-pages, scope.max-pages-per-host. The tables may be left away.
    Set {
        /// What is to be, such as `delay=2s`.
        #[arg(value_name = "KEY=VALUE", required = true)]
        settings: Vec<String>,
        /// For this host only, not for its subdomains: delay and per-host. Without it, for all
        /// hosts, those of `[[host]]` tables included.
        #[arg(long, value_name = "HOST")]
        host: Option<String>,
    },
}

#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct ConfigArgs {
    #[command(subcommand)]
    pub(crate) command: Option<ConfigCommand>,
    /// The TOML file; without it, the defaults.
    pub(crate) config: Option<PathBuf>,
    /// Set a key of the config, such as `-s scope.max-pages=100`.
    #[arg(short, long = "set", value_name = "KEY=VALUE")]
    pub(crate) set: Vec<String>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ConfigCommand {
    /// Print the JSON Schema of all configs, for editors: keys, meanings, defaults.
    Schema,
}

#[derive(Debug, Args)]
pub(crate) struct ReloadArgs {
    /// The crawl's folder (the key `store.path`).
    pub(crate) store: PathBuf,
    /// The plugin to take: the folder of its crate, or a shared library. Default: the one that
    /// the crawl began with.
    pub(crate) path: Option<PathBuf>,
    /// Say what was done as one line of JSON.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct TestsiteArgs {
    /// Number of books of the bookshop.
    #[arg(long, default_value = "1000")]
    pub(crate) books: NonZeroU32,
    /// Time the sites take to answer, such as `20ms`.
    #[arg(long, default_value = "0ms", value_parser = duration)]
    pub(crate) latency: Duration,
    /// Address and port; port 0 takes a free one.
    #[arg(long, default_value = "127.0.0.1:0")]
    pub(crate) listen: SocketAddr,
    /// Write each request to this file, as JSON lines.
    #[arg(long, value_name = "FILE")]
    pub(crate) log: Option<PathBuf>,
}

pub(super) fn duration(text: &str) -> Result<Duration, String> {
    text.parse::<humantime_serde::re::humantime::Duration>()
        .map(Into::into)
        .map_err(|_| "write a time with its unit, such as 20ms or 1s".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn config_takes_a_file_or_the_word_schema() {
        let read = |args: &[&str]| {
            let Command::Config(config) = Cli::try_parse_from(args).unwrap().command else {
                panic!("not a config")
            };
            (config.config, config.command.is_some(), config.set.len())
        };
        assert_eq!(read(&["crawl", "config"]), (None, false, 0));
        assert_eq!(
            read(&["crawl", "config", "c.toml", "-s", "a=1"]),
            (Some("c.toml".into()), false, 1)
        );
        assert_eq!(read(&["crawl", "config", "schema"]), (None, true, 0));
        // Behind an option it is a file of that name.
        let schema = Some("schema".into());
        assert_eq!(read(&["crawl", "config", "-s", "a=1", "schema"]), (schema, false, 1));
    }

    #[test]
    fn settings_and_outputs_may_be_repeated() {
        let cli = Cli::try_parse_from([
            "crawl", "run", "c.toml", "-s", "a.b=1", "-s", "c=x y", "-o", "i.jsonl",
        ]);
        let Command::Run(run) = cli.unwrap().command else { panic!("not a run") };
        assert_eq!(run.set, ["a.b=1", "c=x y"]);
        assert_eq!(run.output.len(), 1);
    }
}
