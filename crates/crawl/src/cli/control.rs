//! `crawl control`: tells a running crawl what to do, through its socket.
//!
//! Each order is answered when it has taken effect, so a script may go on at once. What cannot be
//! is refused here where it can be, before anything is told.

use std::io::{self, BufRead};
use std::path::Path;

use crawl::CanonicalUrl;
use crawl::engine::{ControlError, Order, order};
use crawl::feeds::stdout;
use crawl::frontier::{Domain, FrontierError, Setting};
use serde_json::{Value, json};

use super::args::{ControlArgs, ControlCommand};
use super::failure::{Exit, Failure, unless_closed};
use super::progress::grouped;

/// URLs in one order, and their bytes: a line to the socket has its limit.
const URLS: usize = 500;
const URL_BYTES: usize = 32 * 1024;

/// Gives the orders, waits until they are done, and says so.
pub(super) fn control(args: ControlArgs) -> Result<(), Failure> {
    let ControlArgs { store, command, json } = args;
    let tell = |order: &Order| tell(&store, order);
    let rows = match command {
        ControlCommand::Pause => vec![tell(&Order::Pause)?],
        ControlCommand::Resume => vec![tell(&Order::Resume)?],
        ControlCommand::Stop => vec![tell(&Order::Stop)?],
        ControlCommand::Status => vec![tell(&Order::Status)?],
        ControlCommand::Add { urls } => vec![add(urls, tell)?],
        ControlCommand::Block { hosts } => each(&hosts, |host| tell(&Order::Block { host }))?,
        ControlCommand::Unblock { hosts } => each(&hosts, |host| tell(&Order::Unblock { host }))?,
        ControlCommand::Set { settings, host } => set(&settings, host.as_deref(), tell)?,
    };
    for row in rows {
        let text = if json { format!("{row}\n") } else { said(&row) };
        unless_closed(stdout::write(text.as_bytes()))?;
    }
    Ok(())
}

fn tell(store: &Path, what: &Order) -> Result<Value, Failure> {
    order(store, what).map_err(|error| match error {
        ControlError::Io { .. } => {
            let hint = "is this the folder (store.path) of a crawl that runs? If none runs, start \
                        it: `crawl run CONFIG`. What lasts longer than a run goes into CONFIG";
            Failure::new(Exit::Broken, error).hint(hint)
        }
        _ => Failure::new(Exit::Usage, error),
    })
}

/// An order for each of some hosts, all of which must be hosts.
fn each(
    hosts: &[String],
    tell: impl Fn(String) -> Result<Value, Failure>,
) -> Result<Vec<Value>, Failure> {
    let domains = hosts.iter().map(|host| Domain::parse(host)).collect::<Result<Vec<_>, _>>()?;
    domains.iter().map(|domain| tell(domain.as_str().to_owned())).collect()
}

fn set(
    settings: &[String],
    host: Option<&str>,
    tell: impl Fn(&Order) -> Result<Value, Failure>,
) -> Result<Vec<Value>, Failure> {
    let host = host.map(Domain::parse).transpose()?.map(|host| host.as_str().to_owned());
    let named = host.as_deref().map(crawl::Host::new);
    let read = |text: &String| {
        let (key, value) = text.split_once('=').ok_or_else(|| {
            Failure::new(Exit::Usage, format!("`{text}` sets nothing"))
                .hint("write KEY=VALUE, such as politeness.delay=2s")
        })?;
        let setting = Setting::parse(key.trim(), value)?;
        setting.check(named.as_ref())?;
        Ok(Order::Set { setting, host: host.clone() })
    };
    let orders = settings.iter().map(read).collect::<Result<Vec<_>, Failure>>()?;
    orders.iter().map(tell).collect()
}

/// Adds URLs in as many orders as they need; one row for all.
fn add(
    urls: Vec<String>,
    tell: impl Fn(&Order) -> Result<Value, Failure>,
) -> Result<Value, Failure> {
    let urls = if urls == ["-"] { from_stdin()? } else { urls };
    for url in &urls {
        CanonicalUrl::parse(url).map_err(|error| {
            Failure::new(Exit::Usage, format!("`{url}` cannot be crawled: {error}"))
                .hint("nothing was added; a seed is a whole URL, such as https://example.org/")
        })?;
    }
    let names = ["admitted", "known", "filtered"];
    let mut sums = [0; 3];
    for urls in chunks(urls) {
        let row = tell(&Order::Add { urls })?;
        for (sum, name) in sums.iter_mut().zip(names) {
            *sum += row[name].as_u64().unwrap_or_default();
        }
    }
    let [admitted, known, filtered] = sums;
    Ok(json!({ "order": "add", "admitted": admitted, "known": known, "filtered": filtered }))
}

fn from_stdin() -> Result<Vec<String>, Failure> {
    let lines = io::stdin().lock().lines().collect::<io::Result<Vec<_>>>();
    let lines = lines.map_err(|e| Failure::new(Exit::Broken, e).hint("stdin cannot be read"))?;
    let texts = lines.iter().map(|line| line.trim());
    Ok(texts.filter(|t| !t.is_empty() && !t.starts_with('#')).map(str::to_owned).collect())
}

fn chunks(urls: Vec<String>) -> Vec<Vec<String>> {
    let mut chunks: Vec<Vec<String>> = Vec::new();
    let mut room = 0;
    for url in urls {
        match chunks.last_mut() {
            Some(chunk) if chunk.len() < URLS && url.len() <= room => {
                room -= url.len();
                chunk.push(url);
            }
            _ => {
                room = URL_BYTES.saturating_sub(url.len());
                chunks.push(vec![url]);
            }
        }
    }
    chunks
}

/// What an order came to, for people.
fn said(row: &Value) -> String {
    let text = |name: &str| match &row[name] {
        Value::String(text) => text.clone(),
        Value::Number(n) => n.as_u64().map_or_else(|| n.to_string(), grouped),
        other => other.to_string(),
    };
    let was = row["was"].as_str().unwrap_or_default();
    let line = match (row["order"].as_str().unwrap_or_default(), was) {
        ("pause", "paused") => "it was paused already".to_owned(),
        ("pause", _) => format!(
            "paused: nothing more is sent till `resume`; {} in flight settle",
            text("in_flight")
        ),
        ("resume", "running") => "it was not paused".to_owned(),
        ("resume", _) => "it goes on".to_owned(),
        ("stop", _) => format!(
            "closing: {} in flight settle; the same `crawl run` goes on later",
            text("in_flight")
        ),
        ("add", _) => format!(
            "{} admitted, {} known, {} filtered",
            text("admitted"),
            text("known"),
            text("filtered")
        ),
        ("block", "blocked") => format!("{} was blocked already", text("host")),
        ("block", _) => format!(
            "{} is blocked, in later runs too; {} queued URLs ended as `blocked`",
            text("host"),
            text("urls")
        ),
        ("unblock", "free") => format!("{} was not blocked", text("host")),
        ("unblock", _) => format!(
            "{} is free; what was refused is admitted when it is found again, and by the next run",
            text("host")
        ),
        ("set", _) => {
            let of = row["host"].as_str().map(|host| format!(" of {host}")).unwrap_or_default();
            format!("{}{of}: {} -> {}, for this run", text("key"), text("was"), text("is"))
        }
        _ => return status(row),
    };
    line + "\n"
}

/// What is in force, a line each.
fn status(row: &Value) -> String {
    let mut lines = String::new();
    let mut line = |name: &str, value: String| lines.push_str(&format!("{name:<26} {value}\n"));
    let count = |name: &str| grouped(row[name].as_u64().unwrap_or_default());
    let limit = |name: &str| match row[name].as_u64() {
        None | Some(0) => "no limit".to_owned(),
        Some(n) => grouped(n),
    };
    let pace = |row: &Value| {
        let (delay, places) = (row["delay"].as_str().unwrap_or_default(), &row["per-host"]);
        format!("{delay}, {places} at a time")
    };
    let is_paused = row["paused"].as_bool().unwrap_or_default();
    line("crawl", if is_paused { "paused" } else { "running" }.to_owned());
    line("queued", count("queued"));
    line("in flight", count("in_flight"));
    if row["reading-seeds"] == true {
        line("seeds-file", "is being read".to_owned());
    }
    line("delay", pace(row));
    for (host, own) in row["hosts"].as_object().into_iter().flatten() {
        line(&format!("delay of {host}"), pace(own));
    }
    line("politeness.max-rate", limit("max-rate"));
    line("scope.max-pages", limit("max-pages"));
    line("scope.max-pages-per-host", limit("max-pages-per-host"));
    for domain in row["blocked"].as_array().into_iter().flatten() {
        line("blocked", domain.as_str().unwrap_or_default().to_owned());
    }
    lines
}

impl From<FrontierError> for Failure {
    fn from(error: FrontierError) -> Self {
        Self::new(Exit::Usage, error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_says_what_was_and_what_is() {
        for (row, text) in [
            (
                json!({ "order": "pause", "was": "running", "is": "paused", "in_flight": 3 }),
                "paused: nothing more is sent till `resume`; 3 in flight settle\n",
            ),
            (json!({ "order": "resume", "was": "running" }), "it was not paused\n"),
            (
                json!({ "order": "set", "key": "politeness.delay", "host": "h", "was": "1s", "is": "2s" }),
                "politeness.delay of h: 1s -> 2s, for this run\n",
            ),
            (
                json!({ "order": "block", "host": "h", "was": "free", "urls": 1234 }),
                "h is blocked, in later runs too; 1,234 queued URLs ended as `blocked`\n",
            ),
        ] {
            assert_eq!(said(&row), text);
        }
    }

    #[test]
    fn a_status_stands_one_to_a_line() {
        let row = json!({
            "order": "status", "paused": true, "queued": 1200, "in_flight": 0, "reading-seeds": false,
            "delay": "1s", "per-host": 1, "max-rate": 0, "max-pages": 5, "max-pages-per-host": 0,
            "hosts": { "h": { "delay": "2s", "per-host": 4 } }, "blocked": ["a.test"],
        });
        let expected = "\
crawl                      paused
queued                     1,200
in flight                  0
delay                      1s, 1 at a time
delay of h                 2s, 4 at a time
politeness.max-rate        no limit
scope.max-pages            5
scope.max-pages-per-host   no limit
blocked                    a.test
";
        assert_eq!(said(&row), expected);
    }

    #[test]
    fn urls_are_told_in_lines_that_fit() {
        let urls: Vec<String> =
            (0..1200).map(|n| format!("http://h/{n}/{}", "x".repeat(100))).collect();
        let chunks = chunks(urls.clone());
        assert_eq!(chunks.concat(), urls);
        for chunk in &chunks {
            let line = serde_json::to_string(&Order::Add { urls: chunk.clone() }).unwrap();
            assert!(line.len() < 60_000, "{}", line.len());
        }
    }
}
