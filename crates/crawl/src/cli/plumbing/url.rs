//! `crawl url normalize`: URLs as the crawler writes them, and the keys by which it tells them.

use clap::{Args, Subcommand};
use crawl::parser::plumbing::{self, UrlLine};
use serde::Deserialize;

use super::HELP;
use super::output::Lines;
use super::source::each_line;
use crate::cli::failure::{Failure, unless_closed};

#[derive(Debug, Args)]
pub(crate) struct UrlArgs {
    #[command(subcommand)]
    pub(crate) command: UrlCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum UrlCommand {
    /// Parse, resolve and serialise URLs as the URL Standard says.
    #[command(after_help = HELP)]
    Normalize(NormalizeArgs),
}

#[derive(Debug, Args)]
pub(crate) struct NormalizeArgs {
    /// The URLs; none or `-`: one a line from standard input.
    #[arg(value_name = "URL")]
    pub(crate) urls: Vec<String>,
    /// What relative URLs are resolved against.
    #[arg(long, value_name = "URL")]
    pub(crate) base: Option<String>,
    /// Each line of standard input is an object: `{"url": "..", "base": ".." or null}`.
    #[arg(long)]
    pub(crate) json: bool,
}

/// Does what the subcommand says.
pub(crate) fn url(args: &UrlArgs) -> Result<(), Failure> {
    match &args.command {
        UrlCommand::Normalize(args) => normalize(args),
    }
}

/// A line of standard input with `--json`.
#[derive(Deserialize)]
struct Asked {
    url: String,
    #[serde(default)]
    base: Option<String>,
}

/// Prints a line per URL, in order.
fn normalize(args: &NormalizeArgs) -> Result<(), Failure> {
    let base = args.base.as_deref();
    let mut out = Lines::new();
    let from_stdin = ["-".to_owned()];
    let inputs = if args.urls.is_empty() { &from_stdin[..] } else { &args.urls };
    for input in inputs {
        if input == "-" {
            each_line(|line| {
                let answer =
                    if args.json { asked(line, base) } else { plumbing::normalize(line, base) };
                unless_closed(out.push(&answer))
            })?;
        } else {
            unless_closed(out.push(&plumbing::normalize(input, base)))?;
        }
    }
    unless_closed(out.flush())
}

/// Answers a line of JSON. One that is none is an invalid item like others.
fn asked(line: &str, base: Option<&str>) -> UrlLine {
    match serde_json::from_str::<Asked>(line) {
        Ok(asked) => plumbing::normalize(&asked.url, asked.base.as_deref().or(base)),
        Err(error) => UrlLine {
            input: line.to_owned(),
            url: None,
            key: None,
            error: Some(format!("not a JSON object with `url`: {error}")),
        },
    }
}
