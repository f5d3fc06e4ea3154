//! `crawl replay`: a spider over stored pages, without network.

use std::path::PathBuf;

use clap::Args;
use crawl::Config;
use crawl::engine::Replayed;
use crawl::feeds::stdout;
use serde_json::json;

use super::failure::{Exit, Failure, unless_closed};
use super::progress::grouped;
use super::run::{feed_to, keep_stdout};

pub(super) const HELP: &str = "\
The spider, [parse] and [[pipeline]] are CONFIG's; its seeds, scope, feeds and folder do not count.
Pages come as they were answered then: status, header fields, body, label and metadata, in the order
in which they settled. What has no body in the archive (`store.bodies`), or a lost one, cannot be read and is counted.
The new folder is a crawl's: `crawl inspect`, `crawl diff`. A replay that was killed begins anew with
--fresh.

Exit codes:
    0  done
    1  it broke: store, disk, output
    2  wrong usage or config, or FOLDER holds a crawl
    3  a crawl runs in one of the folders";

/// What is replayed, by what, into where.
#[derive(Debug, Args)]
pub(crate) struct ReplayArgs {
    /// The folder of the stored crawl, which must not be running.
    store: PathBuf,
    /// The TOML file with the spider.
    config: PathBuf,
    /// The new folder.
    #[arg(long, value_name = "FOLDER")]
    into: PathBuf,
    /// Throw away what is in the new folder.
    #[arg(long)]
    fresh: bool,
    /// Set a key of the config, such as `-s parse.max-time=5s`.
    #[arg(short, long = "set", value_name = "KEY=VALUE")]
    set: Vec<String>,
    /// Tell the spider something, such as `-a tag=love`; wins over `[spider.args]`.
    #[arg(short, long = "arg", value_name = "NAME=VALUE")]
    args: Vec<String>,
    /// Also write the items to this file, format by its extension.
    #[arg(short, long, value_name = "FILE")]
    output: Vec<PathBuf>,
    /// Print the report as one line of JSON.
    #[arg(long)]
    json: bool,
}

/// Replays, and says what it came to.
pub(super) async fn run(args: ReplayArgs) -> Result<(), Failure> {
    let mut config = Config::load(&args.config, &args.set)?;
    config.set_spider_args(&args.args)?;
    config.feed = args.output.iter().map(|path| feed_to(path)).collect::<Result<_, _>>()?;
    if real(&args.into) == real(&args.store) {
        let what = "`--into` is the stored crawl's own folder";
        return Err(Failure::new(Exit::Usage, what).hint("name a new folder"));
    }
    config.store.path.clone_from(&args.into);
    keep_stdout(&config)?;
    // A plugin may have to be built.
    let made = tokio::task::spawn_blocking(move || config.into_crawl(args.fresh)).await;
    let crawl = made.map_err(|error| Failure::new(Exit::Broken, error))??;
    let replayed = crawl.replay(&args.store).await?;
    if args.json {
        unless_closed(stdout::write(format!("{}\n", json!(replayed)).as_bytes()))?;
    }
    eprint!("{}", summary(&replayed, &args.into.display().to_string()));
    Ok(())
}

/// A folder that is not there has no other names.
fn real(path: &std::path::Path) -> PathBuf {
    path.canonicalize().unwrap_or_else(|_| path.to_owned())
}

fn summary(replayed: &Replayed, into: &str) -> String {
    let Replayed { pages, items, dropped, not_archived, lost, not_sent, elapsed_ms, .. } = replayed;
    let mut text = format!(
        "replayed {} pages in {}.{:03} s: {} items in {into}\n",
        grouped(*pages),
        elapsed_ms / 1000,
        elapsed_ms % 1000,
        grouped(*items)
    );
    let mut line = |n: u64, what: &str| {
        if n > 0 {
            text.push_str(&format!("{} {what}\n", grouped(n)));
        }
    };
    line(*dropped, "items dropped (`crawl inspect FOLDER items --dropped`)");
    line(*not_archived, "pages left out: their bodies are not archived (`store.bodies`)");
    line(*lost, "pages left out: their bodies were lost to damage (`body_lost` in their records)");
    line(*not_sent, "URLs left out: they had never been sent");
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_could_not_be_read_is_said() {
        let replayed = Replayed { pages: 1234, items: 7, elapsed_ms: 1005, ..Replayed::default() };
        assert_eq!(summary(&replayed, "new"), "replayed 1,234 pages in 1.005 s: 7 items in new\n");
        let text = summary(&Replayed { not_archived: 3, ..replayed }, "new");
        assert!(text.contains("\n3 pages left out"), "{text}");
    }
}
