//! The command line: one module per command, around what they share.

pub(crate) mod args;
pub(crate) mod failure;

mod archive;
mod bench;
mod config;
mod control;
mod diff;
mod export;
mod inspect;
mod plugin;
mod plumbing;
mod reload;
mod replay;
mod run;
mod scaffold;
mod testsite;
mod verify;
mod why;

mod progress;
mod signals;
mod summary;
mod table;
mod waiting;

use args::{Cli, Command};
use failure::{Exit, Failure};

/// Does what the command line says.
pub(crate) async fn dispatch(cli: Cli) -> Result<Exit, Failure> {
    match cli.command {
        Command::Run(args) => return run::run(args).await,
        Command::New(args) => scaffold::new(args).await?,
        Command::Record(args) => return scaffold::record(args).await,
        Command::Check(args) => return scaffold::check(&args),
        Command::Plugin(args) => plugin::plugin(&args)?,
        Command::Cdxj(args) => archive::cdxj(&args)?,
        Command::Import(args) => archive::import(&args)?,
        Command::Gc(args) => archive::gc(&args)?,
        Command::Compact(args) => archive::compact(&args)?,
        Command::Inspect(args) => inspect::inspect(args)?,
        Command::Why(args) => why::run(&args)?,
        Command::Diff(args) => return diff::run(&args),
        Command::Replay(args) => replay::run(args).await?,
        Command::Verify(args) => return verify::run(args),
        Command::Export(args) => export::export(*args).await?,
        Command::Control(args) => control::control(args)?,
        Command::Config(args) => config::config(&args)?,
        Command::Bench(args) => bench::bench(&args)?,
        Command::Testsite(args) => testsite::testsite(args).await?,
        Command::Select(args) => plumbing::select(*args).await?,
        Command::Fetch(args) => plumbing::fetch(args).await?,
        Command::Links(args) => plumbing::links(&args)?,
        Command::Sitemap(args) => plumbing::sitemap(&args)?,
        Command::Decode(args) => plumbing::decode(&args)?,
        Command::Robots(args) => plumbing::robots(&args)?,
        Command::Url(args) => plumbing::url(&args)?,
    }
    Ok(Exit::Done)
}
