//! `crawl why`: all that is known of one URL, and what each rule says of it.

use std::fmt::Write as _;
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use clap::Args;
use crawl::feeds::stdout;
use crawl::frontier::{Domain, PolitenessConfig, ScopeConfig, ScopeRules, TrapsConfig};
use crawl::store::inspect::{Query, What};
use crawl::{CanonicalUrl, Host};
use crawl_model::{FilterReason, Request};
use crawl_robots::{Robots, product_token};
use humantime_serde::re::humantime;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::failure::{Exit, Failure, unless_closed};
use super::inspect::Crawl;
use super::table::printable;

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

/// What one rule says.
#[derive(Debug, PartialEq, Eq)]
struct Rule {
    name: &'static str,
    /// `None`: it cannot be told.
    refuses: Option<bool>,
    why: String,
}

impl Rule {
    fn says(&self) -> &'static str {
        match self.refuses {
            Some(true) => "refuses",
            Some(false) => "passes",
            None => "unknown",
        }
    }

    fn json(&self) -> Value {
        json!({ "rule": self.name, "says": self.says(), "why": self.why })
    }
}

/// A table of the stored limits; of one that cannot be read, the defaults.
fn table<T: DeserializeOwned + Default>(facts: &Value, name: &str) -> T {
    serde_json::from_value(facts["config"][name].clone()).unwrap_or_default()
}

fn texts(value: &Value) -> Vec<&str> {
    value.as_array().into_iter().flatten().filter_map(Value::as_str).collect()
}

fn rules(url: &CanonicalUrl, facts: &Value) -> Result<Vec<Rule>, Failure> {
    let scope: ScopeConfig = table(facts, "scope");
    let hosts: Vec<Host> = texts(&facts["seed_hosts"]).into_iter().map(Host::new).collect();
    let blocked = texts(&facts["blocked"]).into_iter().map(Domain::parse);
    let blocked = blocked.collect::<Result<Vec<_>, _>>()?;
    let traps: TrapsConfig = table(facts, "traps");
    let depth = depth(facts);
    let judge = ScopeRules::new(&scope, &traps, &hosts, blocked)?;
    let is_later_seed = facts["host"]["is_later_seed"] == true && scope.allowed_domains.is_empty();
    let mut rules: Vec<Rule> = Vec::new();
    // Of what an item asks for, whatever selects pages says nothing.
    let is_file = facts["first"]["label"].as_str().and_then(Request::file_kind_of).is_some();
    let of_files = [FilterReason::Blocked, FilterReason::Excluded];
    let each = judge.each(url, depth).into_iter();
    for (reason, refuses) in each.filter(|(reason, _)| !is_file || of_files.contains(reason)) {
        let name = reason.name();
        let refuses = refuses && !(name == "off-domain" && is_later_seed);
        rules.push(Rule { name, refuses: Some(refuses), why: reason_of(name, &scope, depth) });
    }
    rules.push(robots(url, facts));
    if scope.max_pages_per_host > 0 {
        let why = format!("scope.max-pages-per-host = {}", scope.max_pages_per_host);
        rules.push(Rule { name: "host-budget", refuses: None, why });
    }
    Ok(rules)
}

/// Link distance by which it is judged.
fn depth(facts: &Value) -> u32 {
    let of = |line: &str| facts[line]["depth"].as_u64().and_then(|n| u32::try_from(n).ok());
    of("admitted").or_else(|| of("first")).unwrap_or(1)
}

fn reason_of(name: &str, scope: &ScopeConfig, depth: u32) -> String {
    match name {
        "off-domain" if scope.allowed_domains.is_empty() => "hosts of seeds are allowed".to_owned(),
        "off-domain" => format!("scope.allowed-domains = {:?}", scope.allowed_domains),
        "blocked" => "`crawl control STORE block`".to_owned(),
        "excluded" => format!("scope.exclude = {:?}", scope.exclude),
        "not-included" => format!("scope.include = {:?}", scope.include),
        "extension" => "scope.skip-extensions".to_owned(),
        "too-deep" => format!("link distance {depth}, scope.max-depth = {}", scope.max_depth),
        _ => "[traps]".to_owned(),
    }
}

fn robots(url: &CanonicalUrl, facts: &Value) -> Rule {
    let rule = |refuses: Option<bool>, why: String| Rule { name: "robots", refuses, why };
    let politeness: PolitenessConfig = table(facts, "politeness");
    if !politeness.robots {
        return rule(Some(false), "politeness.robots = false".to_owned());
    }
    let told = &facts["robots"];
    let text = told["text"].as_str().unwrap_or_default();
    let origin = url.origin();
    match told["kind"].as_str() {
        Some("rules") => {
            let agent = agent(facts);
            let allows = Robots::parse(text.as_bytes()).rules(&agent).allows(url.path_and_query());
            rule(Some(!allows), format!("robots.txt of {origin} for `{agent}`"))
        }
        Some("allow-all") => rule(Some(false), format!("{origin} has no robots.txt")),
        Some("unreachable") => {
            rule(Some(true), format!("robots.txt of {origin} could not be had: {text}"))
        }
        _ => rule(None, format!("robots.txt of {origin} was not asked for yet")),
    }
}

fn agent(facts: &Value) -> String {
    let agent = facts["config"]["fetch"]["user-agent"].as_str().unwrap_or("crawl");
    product_token(agent).to_owned()
}

/// When its host may be asked again; `None` if nothing keeps it waiting, or it does not wait.
fn due_ms(facts: &Value) -> Option<u64> {
    let waits = matches!(facts["state"].as_str(), Some("queued" | "never-found"));
    let last_ms = facts["host"]["last_ms"].as_u64().filter(|ms| *ms > 0 && waits)?;
    let politeness: PolitenessConfig = table(facts, "politeness");
    let mut delay = politeness.delay;
    if politeness.robots && facts["robots"]["kind"] == "rules" {
        let text = facts["robots"]["text"].as_str().unwrap_or_default();
        let told = Robots::parse(text.as_bytes()).rules(&agent(facts)).crawl_delay();
        let told = told.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
        delay = delay.max(told.unwrap_or_default().min(politeness.max_crawl_delay));
    }
    let delay_ms = u64::try_from(delay.as_millis()).unwrap_or(u64::MAX);
    let rest_ms = facts["host"]["rest_until_ms"].as_u64().unwrap_or(0);
    Some(last_ms.saturating_add(delay_ms).max(rest_ms))
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
        line("queue", &format!("{ahead} of the {all} that wait at {host} stand before it"));
    }
    if let Some(ms) = due_ms {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let is_past = u128::from(ms) <= now.as_millis();
        let since = if is_past { " (past: as soon as the crawl gets to it)" } else { "" };
        line("host due", &format!("{}{since}", at(&json!(ms))));
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

    fn facts() -> Value {
        json!({
            "url": "http://h/private", "state": "queued",
            "first": {"referrer": "http://h/", "depth": 2, "label": "book", "filtered": null},
            "admitted": {"referrer": "http://h/", "depth": 2, "label": "book", "filtered": null},
            "n_found": 1, "n_variants": 0,
            "attempts": [{"at_ms": 1_700_000_000_000_u64, "outcome": "retry", "attempt": 1}],
            "queue": {"ahead": 3, "of_host": 9},
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
            "queue     3 of the 9 that wait at h stand before it\n",
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
