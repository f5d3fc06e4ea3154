//! `crawl why`: all that is known of one URL, and what each rule says of it.

mod rules;

use std::fmt::Write as _;
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use clap::Args;
use crawl::CanonicalUrl;
use crawl::feeds::stdout;
use crawl::store::inspect::{Query, What};
use humantime_serde::re::humantime;
use serde_json::{Value, json};

use super::failure::{Exit, Failure, unless_closed};
use super::inspect::Crawl;
use super::table::printable;
use rules::{Rule, due_ms, host_table, rules};

pub(super) const HELP: &str = "\
Works on a finished crawl and on a running one. Rules are those of the crawl's last run; of a URL that
was never found they say which would refuse it, as a link on a seed's page. What budgets and traps have
counted is known to a running crawl alone.

Exit codes:
    0  done, whatever became of the URL
    1  the store or output failed
    2  wrong usage, or no crawl in this folder
    3  the process that has the folder does not answer";

/// Which URL of which crawl.
#[derive(Debug, Args)]
pub(crate) struct WhyArgs {
    /// The crawl's folder (the key `store.path`).
    store: PathBuf,
    /// The whole URL.
    url: String,
    /// Print one JSON object with all there is.
    #[arg(long)]
    json: bool,
}

/// Asks, judges, says.
pub(super) fn run(args: &WhyArgs) -> Result<(), Failure> {
    let url = CanonicalUrl::parse(&args.url).map_err(|error| {
        let what = format!("`{}` is no URL that can be crawled: {error}", args.url);
        Failure::new(Exit::Usage, what).hint("write it whole, such as https://example.org/a")
    })?;
    let query = Query { what: What::Why, url: Some(args.url.clone()), ..Query::default() };
    let mut facts = Value::Null;
    Crawl::open(&args.store)?.ask(&query, &mut |row| {
        facts = row;
        ControlFlow::Break(())
    })?;
    let rules = rules(&url, &facts)?;
    let due_ms = due_ms(&facts);
    let text = match args.json {
        true => {
            facts["rules"] = rules.iter().map(Rule::json).collect();
            facts["due_ms"] = json!(due_ms);
            // What was needed to judge, and is asked for elsewhere.
            if let Some(facts) = facts.as_object_mut() {
                facts.shift_remove("config");
                facts.shift_remove("seed_hosts");
            }
            format!("{facts}\n")
        }
        false => story(&facts, &rules, due_ms),
    };
    unless_closed(stdout::write(text.as_bytes()))
}

fn at(ms: &Value) -> String {
    let ms = ms.as_u64().unwrap_or(0);
    humantime::format_rfc3339_millis(UNIX_EPOCH + Duration::from_millis(ms)).to_string()
}

/// All of it, for people.
fn story(facts: &Value, rules: &[Rule], due_ms: Option<u64>) -> String {
    let mut text = String::new();
    let url = facts["url"].as_str().unwrap_or_default();
    let mut line = |name: &str, what: &str| {
        // A string takes all that is written to it.
        let _ = writeln!(text, "{name:<10}{}", printable(what));
    };
    line("url", url);
    line("stands", &standing(facts));
    if let first @ Value::Object(_) = &facts["first"] {
        line("found", &found(first));
        let admitted = &facts["admitted"];
        if admitted.is_object() && admitted != first {
            line("let in", &found(admitted));
        }
        let more = facts["n_found"].as_u64().unwrap_or(0).saturating_sub(1);
        if more > 0 {
            line("", &format!("and found {more} times more"));
        }
    }
    if let Some(n) = facts["n_variants"].as_u64().filter(|n| *n > 0) {
        line("", &format!("{n} other requests to it (method, body or number)"));
    }
    for (nth, attempt) in facts["attempts"].as_array().into_iter().flatten().enumerate() {
        let name = if nth == 0 { "tried" } else { "" };
        let outcome = attempt["outcome"].as_str().unwrap_or_default();
        let more = match attempt["attempt"].as_u64() {
            Some(n) => format!(" after attempt {n}"),
            None => String::new(),
        };
        line(name, &format!("{}  {outcome}{more}", at(&attempt["at_ms"])));
    }
    let error = facts["record"]["error"].as_str().unwrap_or_default();
    if !error.is_empty() {
        line("error", error);
    }
    if let Some(n) = facts["deaths"].as_u64().filter(|n| *n > 0) {
        line("deaths", &format!("{n} processes died with it in hand"));
    }
    for (nth, rule) in rules.iter().enumerate() {
        let name = if nth == 0 { "rules" } else { "" };
        line(name, &format!("{:<8} {:<15} {}", rule.says(), rule.name, rule.why));
    }
    if let queue @ Value::Object(_) = &facts["queue"] {
        let host = facts["host"]["host"].as_str().unwrap_or_default();
        let (ahead, all) = (&queue["ahead"], &queue["of_host"]);
        let order = queue["order"].as_str().unwrap_or_default();
        line(
            "queue",
            &format!("{ahead} of the {all} that wait at {host} stand before it ({order})"),
        );
    }
    if let Some(ms) = due_ms {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let is_past = u128::from(ms) <= now.as_millis();
        let since = if is_past { " (past: as soon as the crawl gets to it)" } else { "" };
        line("host due", &format!("{}{since}", at(&json!(ms))));
    }
    if let Some((names, _)) = host_table(facts) {
        line("host", &format!("the [[host]] table of {names} holds for it"));
    }
    text
}

fn standing(facts: &Value) -> String {
    let record = &facts["record"];
    match facts["state"].as_str().unwrap_or_default() {
        "settled" => {
            let verdict = record["verdict"].as_str().unwrap_or_default();
            let status = record["status"].as_u64().map(|n| format!(", status {n}"));
            format!("settled as {verdict}{} (settle {})", status.unwrap_or_default(), record["n"])
        }
        "filtered" => {
            format!("not fetched: {}", facts["reason"].as_str().unwrap_or_default())
        }
        "queued" if record.is_object() => {
            format!("waits to be asked again; settled before (settle {})", record["n"])
        }
        "queued" => "waits in its host's queue".to_owned(),
        "in-hand" => "in hand: it is being fetched, or was when the process died".to_owned(),
        _ => "never found by this crawl".to_owned(),
    }
}

fn found(line: &Value) -> String {
    let mut text = match line["referrer"].as_str() {
        Some(referrer) => format!("on {referrer}"),
        None => "as a seed, or without a referrer".to_owned(),
    };
    let _ = write!(text, " at link distance {}", line["depth"]);
    if let Some(label) = line["label"].as_str().filter(|label| !label.is_empty()) {
        let _ = write!(text, ", label `{label}`");
    }
    if let Some(reason) = line["filtered"].as_str() {
        let _ = write!(text, "; refused: {reason}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    pub(super) fn facts() -> Value {
        json!({
            "url": "http://h/private", "state": "queued",
            "first": {"referrer": "http://h/", "depth": 2, "label": "book", "filtered": null},
            "admitted": {"referrer": "http://h/", "depth": 2, "label": "book", "filtered": null},
            "n_found": 1, "n_variants": 0,
            "attempts": [{"at_ms": 1_700_000_000_000_u64, "outcome": "retry", "attempt": 1}],
            "queue": {"ahead": 3, "of_host": 9, "order": "depth-first"},
            "host": {"host": "h", "last_ms": 1_700_000_000_000_u64, "rest_until_ms": 0},
            "seed_hosts": ["h"], "blocked": [],
            "robots": {"kind": "rules", "text": "User-agent: *\nCrawl-delay: 5\nDisallow: /private"},
            "config": {"scope": {"max-depth": 1}, "fetch": {"user-agent": "bot/1.0 (+http://b/)"}},
        })
    }

    #[test]
    fn each_rule_says_what_it_would_do() {
        let url = CanonicalUrl::parse("http://h/private").unwrap();
        let rules = rules(&url, &facts()).unwrap();
        let refusing: Vec<_> =
            rules.iter().filter(|rule| rule.refuses == Some(true)).map(|rule| rule.name).collect();
        assert_eq!(refusing, ["too-deep", "robots"]);
        assert_eq!(due_ms(&facts()), Some(1_700_000_005_000));
        let text = story(&facts(), &rules, due_ms(&facts()));
        for line in [
            "stands    waits in its host's queue\n",
            "found     on http://h/ at link distance 2, label `book`\n",
            "tried     2023-11-14T22:13:20.000Z  retry after attempt 1\n",
            "          refuses  too-deep        link distance 2, scope.max-depth = 1\n",
            "queue     3 of the 9 that wait at h stand before it (depth-first)\n",
            "host due  2023-11-14T22:13:25.000Z (past",
        ] {
            assert!(text.contains(line), "`{line}` is not in:\n{text}");
        }
    }

    #[test]
    fn of_a_url_never_found_the_rules_are_told() {
        let url = CanonicalUrl::parse("http://other/a.jpg").unwrap();
        let mut facts = facts();
        for gone in ["first", "admitted", "queue", "robots"] {
            facts[gone] = Value::Null;
        }
        (facts["state"], facts["attempts"]) = ("never-found".into(), json!([]));
        let rules = rules(&url, &facts).unwrap();
        let says = |name: &str| rules.iter().find(|rule| rule.name == name).unwrap().says();
        assert_eq!(
            (says("off-domain"), says("too-deep"), says("robots")),
            ("refuses", "passes", "unknown")
        );
        assert!(story(&facts, &rules, None).contains("never found by this crawl"));
    }
}
