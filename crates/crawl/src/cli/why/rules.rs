//! What each rule of a crawl says of a URL, by the limits that its last run kept.

use std::time::Duration;

use crawl::frontier::{Domain, PolitenessConfig, ScopeConfig, ScopeRules, TrapsConfig};
use crawl::{CanonicalUrl, Host};
use crawl_model::{FilterReason, HostPattern, HostTable, Request};
use crawl_robots::{Robots, product_token};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::cli::failure::Failure;

/// What one rule says.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Rule {
    pub(super) name: &'static str,
    /// `None`: it cannot be told.
    pub(super) refuses: Option<bool>,
    pub(super) why: String,
}

impl Rule {
    pub(super) fn says(&self) -> &'static str {
        match self.refuses {
            Some(true) => "refuses",
            Some(false) => "passes",
            None => "unknown",
        }
    }

    pub(super) fn json(&self) -> Value {
        json!({ "rule": self.name, "says": self.says(), "why": self.why })
    }
}

/// A table of the stored limits as it holds for the URL's host; of one that cannot be read, the
/// defaults.
fn table<T: DeserializeOwned + Default>(facts: &Value, name: &str) -> T {
    let mut table = facts["config"][name].clone();
    let of_host = host_table(facts).and_then(|(_, keys)| keys.as_object());
    for (key, value) in of_host.into_iter().flatten() {
        let key = key.split_once('.').filter(|(of, _)| *of == name).map(|(_, key)| key);
        if let (Some(key), Some(table)) = (key, table.as_object_mut()) {
            table.insert(key.to_owned(), value.clone());
        }
    }
    serde_json::from_value(table).unwrap_or_default()
}

/// The `[[host]]` table that holds for the URL's host, and the names that stand in it. The limits
/// have it as `host[a.test *.b.test]`, with keys like `politeness.delay`.
pub(super) fn host_table(facts: &Value) -> Option<(&str, &Value)> {
    let config = facts["config"].as_object()?;
    let mut tables = HostTable::default();
    for (name, keys) in config {
        let Some(names) = name.strip_prefix("host[").and_then(|name| name.strip_suffix(']')) else {
            continue;
        };
        let patterns: Vec<HostPattern> = names.split(' ').filter_map(|p| p.parse().ok()).collect();
        // No host stands in two: the config was checked.
        let _ = tables.insert(patterns, (names, keys));
    }
    tables.get(facts["host"]["host"].as_str()?).copied()
}

fn texts(value: &Value) -> Vec<&str> {
    value.as_array().into_iter().flatten().filter_map(Value::as_str).collect()
}

/// What each rule says of a URL.
pub(super) fn rules(url: &CanonicalUrl, facts: &Value) -> Result<Vec<Rule>, Failure> {
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
    let of_host = host_table(facts).and_then(|(_, keys)| keys["fetch.user-agent"].as_str());
    let of_all = || facts["config"]["fetch"]["user-agent"].as_str();
    product_token(of_host.or_else(of_all).unwrap_or("crawl")).to_owned()
}

/// When its host may be asked again; `None` if nothing keeps it waiting, or it does not wait.
pub(super) fn due_ms(facts: &Value) -> Option<u64> {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hosts_own_table_is_judged_by() {
        let url = CanonicalUrl::parse("http://h/private").unwrap();
        let mut facts = json!({
            "state": "queued", "seed_hosts": ["h"], "blocked": [],
            "host": {"host": "h", "last_ms": 1_700_000_000_000_u64, "rest_until_ms": 0},
            "robots": {"kind": "rules"}, "config": {"fetch": {"user-agent": "bot/1.0"}},
        });
        facts["config"]["politeness"] = json!({"delay": "1s", "max-crawl-delay": "1m"});
        facts["config"]["host[*.h g]"] = json!({
            "politeness.delay": "9s", "politeness.robots": true, "fetch.user-agent": "other/2",
        });
        facts["robots"]["text"] =
            "User-agent: other\nAllow: /private\n\nUser-agent: *\nDisallow: /".into();
        assert_eq!(due_ms(&facts), Some(1_700_000_009_000));
        let told = rules(&url, &facts).unwrap().pop().unwrap();
        assert_eq!((told.refuses, &*told.why), (Some(false), "robots.txt of http://h for `other`"));
        assert_eq!(host_table(&facts).map(|(names, _)| names), Some("*.h g"));
        // A name wins over a pattern; what it leaves out is the crawl's.
        facts["config"]["host[h]"] = json!({"politeness.robots": false});
        assert_eq!(due_ms(&facts), Some(1_700_000_001_000));
        let told = rules(&url, &facts).unwrap().pop().unwrap();
        assert_eq!(&*told.why, "politeness.robots = false");
    }
}
