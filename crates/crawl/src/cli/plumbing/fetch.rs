//! `crawl fetch`: one URL as a crawl would fetch it, and all that can be said of it.
//!
//! Asked for the body, standard output is the body and nothing else, and the rest goes to standard
//! error; so it can be piped whatever else is asked for.

use std::io::{self, Write};
use std::time::Duration;

use clap::Args;
use crawl::CanonicalUrl;
use crawl::engine::Looked;
use crawl::parser::plumbing;
use serde_json::{Map, Value, json};

use super::output::Lines;
use super::visit::{self, SettingsArgs};
use crate::cli::failure::{Exit, Failure, unless_closed};

pub(crate) const FETCH: &str = "\
Prints a line per redirect and one for the end: status, verdict, URL, protocol, size, address.
robots.txt is asked first and obeyed, hosts rest between two requests, addresses and limits are
checked as in a crawl; scope is not.

Exit codes:
    0  a response came, whatever its status
    1  none came, robots.txt disallows it, a redirect leads nowhere, or output failed
    2  wrong usage or config";

#[derive(Debug, Args)]
pub(crate) struct FetchArgs {
    /// What to fetch.
    pub(crate) url: String,
    /// Print the head's fields too.
    #[arg(long)]
    pub(crate) headers: bool,
    /// Print the body, content codings undone, and nothing else; the rest goes to stderr. With
    /// `--json`: as text in `body`, its encoding in `encoding`.
    #[arg(long)]
    pub(crate) body: bool,
    /// Print how long each phase took.
    #[arg(long)]
    pub(crate) timing: bool,
    /// Print one JSON object with all there is, times in microseconds.
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) settings: SettingsArgs,
}

/// Fetches and prints; fails if no response came.
pub(crate) async fn fetch(args: FetchArgs) -> Result<(), Failure> {
    let url = CanonicalUrl::parse(&args.url)
        .map_err(|error| Failure::new(Exit::Usage, format!("{}: {error}", args.url)))?;
    let looked = visit::look(url, &args.settings).await?;
    if args.json {
        let mut out = Lines::new();
        let line = as_json(&looked, args.body);
        unless_closed(out.push(&line).and_then(|()| out.flush()))?;
    } else {
        unless_closed(print(&looked, &args))?;
    }
    visit::failure(&looked).map_or(Ok(()), Err)
}

fn print(looked: &Looked, args: &FetchArgs) -> io::Result<()> {
    let mut about = Vec::new();
    describe(looked, args, &mut about)?;
    if args.body {
        io::stderr().lock().write_all(&about)?;
        let mut out = io::stdout().lock();
        out.write_all(looked.response.as_ref().map_or(&[][..], |response| &response.body))?;
        return out.flush();
    }
    let mut out = io::stdout().lock();
    out.write_all(&about)?;
    out.flush()
}

/// A line per hop, then one for the end, then what else was asked for.
fn describe(looked: &Looked, args: &FetchArgs, out: &mut Vec<u8>) -> io::Result<()> {
    for hop in &looked.chain {
        writeln!(out, "{} redirected {}", hop.status, hop.url)?;
    }
    let Some(response) = &looked.response else {
        return writeln!(out, "- {} {}", looked.end.name(), looked.url);
    };
    let (status, end, n_bytes) = (response.status, looked.end.name(), response.body.len());
    write!(out, "{status} {end} {} {} {n_bytes} bytes", looked.url, response.version)?;
    match response.remote {
        Some(remote) => writeln!(out, " from {remote}")?,
        None => writeln!(out)?,
    }
    if args.headers {
        for (name, value) in &response.headers {
            writeln!(out, "{name}: {}", printable(value))?;
        }
    }
    if args.timing {
        for (phase, time) in phases(looked) {
            writeln!(out, "{phase}: {:.3} ms", time.as_secs_f64() * 1e3)?;
        }
    }
    Ok(())
}

/// A value without what could steer a terminal.
fn printable(value: &[u8]) -> String {
    let mut text = String::with_capacity(value.len());
    for c in String::from_utf8_lossy(value).chars() {
        if c.is_control() && c != '\t' {
            text.extend(c.escape_default());
        } else {
            text.push(c);
        }
    }
    text
}

/// The phases that happened, and the whole.
fn phases(looked: &Looked) -> Vec<(&'static str, Duration)> {
    let timing = &looked.timing;
    [
        ("dns", timing.dns),
        ("connect", timing.connect),
        ("tls", timing.tls),
        ("first byte", timing.first_byte),
        ("body", timing.body),
        ("total", Some(looked.elapsed)),
    ]
    .into_iter()
    .filter_map(|(phase, time)| Some((phase, time?)))
    .collect()
}

fn as_json(looked: &Looked, with_body: bool) -> Value {
    let mut timing = serde_json::to_value(looked.timing).unwrap_or_default();
    timing["total_us"] = json!(u64::try_from(looked.elapsed.as_micros()).unwrap_or(u64::MAX));
    let hop = |hop: &crawl::engine::Followed| json!({ "url": hop.url.without_credentials().as_str(), "status": hop.status });
    let chain: Vec<Value> = looked.chain.iter().map(hop).collect();
    let response = looked.response.as_ref();
    let header =
        |(name, value): &(Box<str>, bytes::Bytes)| json!([name, String::from_utf8_lossy(value)]);
    let headers: Vec<Value> =
        response.into_iter().flat_map(|r| r.headers.iter().map(header)).collect();
    let mut line = Map::new();
    for (key, value) in [
        ("url", json!(looked.url.without_credentials().as_str())),
        ("status", json!(response.map(|response| response.status))),
        ("verdict", json!(looked.end.name())),
        ("error", json!(detail(looked))),
        ("protocol", json!(response.map(|response| response.version))),
        ("remote", json!(response.and_then(|response| response.remote))),
        ("headers", Value::Array(headers)),
        ("timing", timing),
        ("chain", Value::Array(chain)),
        ("n_bytes", json!(response.map(|response| response.body.len()))),
        ("truncated", json!(response.and_then(|response| response.truncated))),
    ] {
        line.insert(key.to_owned(), value);
    }
    if with_body && let Some(response) = response {
        let decoded = plumbing::decode(&response.body, response.header("content-type"));
        line.insert("encoding".to_owned(), json!(decoded.encoding));
        line.insert("body".to_owned(), json!(decoded.text));
    }
    Value::Object(line)
}

fn detail(looked: &Looked) -> Option<String> {
    use crawl::engine::LookEnd::{Came, Disallowed, Failed};
    match &looked.end {
        Came(_) => None,
        Disallowed => Some(format!("robots.txt of {} disallows it", looked.url.origin())),
        Failed { detail, .. } => Some(detail.clone()),
    }
}
