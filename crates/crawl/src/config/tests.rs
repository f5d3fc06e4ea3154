//! The shipped configs hold what they say, and mistakes are shown where they were made.

use crawl_feeds::FeedFormat;
use crawl_fetcher::AuthConfig;
use crawl_parser::{FieldSpec, Isolation, ItemConfig, RuleConfig};
use crawl_pipeline::ConditionSpec;

use super::*;

const DEFAULTS: &str = include_str!("../../../../config/default.toml");

#[track_caller]
fn refused(text: &str, arguments: &[&str], expected: &str) {
    let arguments: Vec<String> = arguments.iter().map(ToString::to_string).collect();
    let error = Config::parse("c.toml", text, &arguments).unwrap_err();
    let hint = error.hint().map_or(String::new(), |hint| format!("\nhint: {hint}"));
    assert_eq!(format!("{error}{hint}"), expected);
}

#[test]
fn default_toml_is_the_default() {
    assert_eq!(Config::parse("default.toml", DEFAULTS, &[]).unwrap(), Config::default());
}

/// The keys that are written in the file, those of the absent tables (`# key = ..`) included.
fn written(text: &str) -> Vec<String> {
    let mut keys = Vec::new();
    let mut table = String::new();
    for line in text.lines().map(|line| line.trim_start_matches("# ").trim()) {
        if let Some(name) = line.strip_prefix('[').and_then(|rest| rest.split(']').next()) {
            table = format!("{}.", name.trim_matches('['));
            keys.push(table.trim_end_matches('.').to_owned());
        } else if let Some((key, _)) = line.split_once(" = ") {
            keys.push(format!("{table}{key}"));
        }
    }
    keys
}

/// All keys of a table, those of inner tables and of tables in lists included.
fn keys_of(table: &toml::Table, above: &str, keys: &mut Vec<String>) {
    for (key, value) in table {
        let key = format!("{above}{key}");
        let first = value.as_array().and_then(|list| list.first());
        if let Some(inner) = first.unwrap_or(value).as_table() {
            keys_of(inner, &format!("{key}."), keys);
        }
        keys.push(key);
    }
}

/// Every key of the ready spiders.
fn ready() -> SpiderConfig {
    let urls = ["http://h/"];
    let rules = [serde_json::json!({"url": "x", "label": "x"})];
    let tables = serde_json::json!({
        "kind": "csv",
        "sitemap": {"urls": urls, "rules": rules, "follow": ["x"], "since": "2024"},
        "feed": {"urls": urls, "follow": "x", "since": "2024"},
        "xml": {"urls": urls, "tag": "x", "namespaces": {"x": "x"}},
        "csv": {"urls": urls, "delimiter": ";", "quote": "'", "headers": ["x"]},
    });
    serde_json::from_value(tables).unwrap()
}

/// Every key of a step.
fn step() -> StepConfig {
    let step = serde_json::json!({
        "name": "x", "only": ["x"], "when": {"x": 1}, "validate": "x", "require": ["x"],
        "types": {"x": "text"}, "rename": {"x": "x"}, "drop-fields": ["x"], "keep-fields": ["x"],
        "set": {"x": 1}, "compute": {"x": "x"}, "drop-if": {"x": 1}, "keep-if": {"x": 1},
        "dedup": ["x"],
    });
    serde_json::from_value(step).unwrap()
}

#[test]
fn default_toml_lists_every_key() {
    let text = || Some("x".to_owned());
    let rule = RuleConfig { css: text(), url: text(), label: text(), priority: 1 };
    let fields = Default::default();
    let item = ItemConfig { label: text(), url: text(), select: text(), fields };
    let secret = || Some("x".into());
    let auth = AuthConfig {
        origin: "http://h".into(),
        user: text(),
        password: secret(),
        password_env: text(),
        bearer: secret(),
        bearer_env: text(),
    };
    let config = Config {
        fetch: FetchConfig { auth: vec![auth], ..FetchConfig::default() },
        spider: Some(SpiderConfig {
            plugin: Some("x".into()),
            isolation: Isolation::Process,
            memory_mib: Some(1),
            args: serde_json::from_value(serde_json::json!({"x": "x"})).unwrap(),
            follow: Some(Vec::new()),
            rules: vec![rule],
            items: vec![item],
            ..ready()
        }),
        pipeline: vec![step()],
        testsite: Some(TestsiteConfig::default()),
        host: vec![HostConfig { hosts: vec!["x".into()], ..HostConfig::default() }],
        feed: vec![FeedConfig { format: Some(FeedFormat::Jsonl), ..FeedConfig::default() }],
        ..Config::default()
    };
    let mut keys = Vec::new();
    keys_of(&toml::Table::try_from(&config).unwrap(), "", &mut keys);
    let written = written(DEFAULTS);
    // What a spider is told has names of its own.
    let is_own = |key: &str| {
        let is_named = ["spider.args.", "spider.xml.namespaces."];
        let is_field = key.starts_with("pipeline.") && key.matches('.').count() > 1;
        is_field || is_named.iter().any(|table| key.starts_with(table))
    };
    keys.retain(|key| !is_own(key));
    let missing: Vec<_> = keys.iter().filter(|key| !written.contains(key)).collect();
    assert!(missing.is_empty(), "{missing:?}");
    // Those of a condition and of a field's long form stand within a line.
    let condition = serde_json::json!({
        "equals": 1, "not": 1, "one-of": [1], "matches": "x", "less": 1, "greater": 1,
        "missing": true,
    });
    let condition: ConditionSpec = serde_json::from_value(condition).unwrap();
    for key in toml::Table::try_from(&condition).unwrap().keys() {
        assert!(DEFAULTS.contains(&format!("{key} = ")), "`{key}` is missing");
    }
    let field = FieldSpec {
        css: "x".into(),
        attr: text(),
        html: true,
        regex: text(),
        number: true,
        link: true,
        all: true,
        default: Some(1.into()),
        required: true,
    };
    for key in toml::Table::try_from(&field).unwrap().keys() {
        assert!(DEFAULTS.contains(&format!("{key} = ")), "`{key}` is missing");
    }
}

#[test]
fn the_shipped_configs_are_valid() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("config");
    let mut n_configs = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        Config::load(&path, &[]).unwrap_or_else(|error| panic!("{error}"));
        n_configs += 1;
    }
    assert!(n_configs >= 4);
}

#[test]
fn what_is_in_force_can_be_read_back() {
    let text = "seeds = ['https://h.example/']\n[scope]\nmax-depth = 3\n[testsite]\n\
                [[spider.items]]\nfields = { title = 'h1' }\n[[feed]]\npath = 'i.jsonl'\n\
                [[pipeline]]\nset = { a = 1, b = 'x' }\nwhen = { c = { less = 3 }, d = 'y' }\n\
                [[pipeline]]\nvalidate = { type = 'object', properties.a.type = 'integer' }\n";
    let text = text.replace("h.example", "bookshop.test");
    let config = Config::parse("c.toml", &text, &["fetch.max-redirects=3".into()]).unwrap();
    assert_eq!(Config::parse("c.toml", &config.to_toml(), &[]).unwrap(), config);
}

#[test]
fn what_is_shown_hides_credentials() {
    let text = "seeds = ['https://joe:pw@h.example/']\n\
                [fetch.headers]\nAuthorization = 'Bearer x'\nAccept = 'text/html'\n\
                [[fetch.auth]]\norigin = 'http://a.example'\nuser = 'u'\npassword = 'hunter2'\n\
                [[fetch.auth]]\norigin = 'http://b.example'\nbearer = 'hunter3'\n\
                [fetch.proxies]\np = 'http://joe:hunter4@127.0.0.1:1'\n";
    let shown = Config::parse("c.toml", text, &[]).unwrap().to_toml();
    assert!(!shown.contains("pw@") && !shown.contains("Bearer"), "{shown}");
    assert!(!shown.contains("hunter") && shown.contains("http://b.example"), "{shown}");
    assert!(shown.contains("text/html"), "{shown}");
}

#[test]
fn a_mistake_in_credentials_is_shown_without_them() {
    for (text, place) in [
        ("[[fetch.auth]]\norigin = 'http://a.example/x'\nbearer = 'hunter2'\n", "c.toml:2:10"),
        ("[fetch]\nauth = [{ origin = 'a', password = 'hunter2' }]\n", "c.toml:2:20"),
        ("[fetch]\nauth = { password = 'hunter2' }\n", "c.toml:2"),
        ("[fetch.proxies]\np = 'ftp://joe:hunter2@127.0.0.1:1'\n", "c.toml:2:5"),
        ("[fetch]\nproxy = 7\nproxies = { a = 'http://joe:hunter2@h:1' }\n", "c.toml:2:9"),
        ("[fetch]\nproxy = 'b'\nproxies = { a = 'http://joe:hunter2@h:1' }\n", "c.toml:2:9"),
        ("[fetch]\nauth = 'http://joe:hunter2@a'\n", "c.toml:2"),
        ("[[fetch.auth]]\norigin = 'http://a.example'\npassword = 'hunter2\n", "c.toml:3"),
    ] {
        let error = Config::parse("c.toml", text, &[]).unwrap_err();
        let shown = format!("{error} {:?}", error.hint());
        assert!(shown.contains(place) && !shown.contains("hunter"), "{shown}");
    }
}

#[test]
fn a_seed_that_is_no_url_is_shown_with_its_place() {
    refused(
        "seeds = [\n    \"https://a.example/\",\n    \"example.org\",\n]\n",
        &[],
        "`seeds[1]` = `example.org` cannot be crawled: not a URL: relative URL without a base\n \
         --> c.toml:3:5\n  |\n3 |     \"example.org\",\n  |     ^^^^^^^^^^^^^\n\
         hint: did you mean `https://example.org/`?",
    );
    refused(
        "",
        &["seeds=['ftp://a.example/']"],
        "`seeds[0]` = `ftp://a.example/` cannot be crawled: scheme `ftp` is not http or https\n \
         --> -s seeds=['ftp://a.example/']\n |\n | seeds = ['ftp://a.example/']\n \
         |          ^^^^^^^^^^^^^^^^^^\n\
         hint: a seed is a whole URL, such as `https://example.org/`",
    );
}

#[test]
fn a_pattern_that_is_none_is_shown_with_its_place() {
    let error = Config::parse("c.toml", "[scope]\nexclude = ['a', '(']\n", &[]).unwrap_err();
    let shown = error.to_string();
    assert!(shown.contains("scope.exclude: `(` is not a regular expression"), "{shown}");
    assert!(shown.ends_with("2 | exclude = ['a', '(']\n  |                 ^^^"), "{shown}");
}

#[test]
fn a_limit_that_cannot_be_is_shown_with_its_place() {
    let error = Config::parse("c.toml", "[fetch]\nheader-timeout = '0s'\n", &[]).unwrap_err();
    let shown = error.to_string();
    assert!(shown.contains("`fetch.header-timeout` must be longer than zero"), "{shown}");
    assert!(shown.contains("--> c.toml:2:18"), "{shown}");
}

#[test]
fn an_argument_that_cannot_be_is_shown_rather_than_the_file() {
    let text = "[fetch.resolve]\n'a.test' = '127.0.0.1'\n";
    let argument = "fetch.resolve.'a.test'=b".to_owned();
    let shown = Config::parse("c.toml", text, &[argument]).unwrap_err().to_string();
    assert!(shown.contains("--> -s fetch.resolve.'a.test'=b"), "{shown}");
}

#[test]
fn a_selector_that_is_none_is_shown_with_its_place() {
    let error = Config::parse("c.toml", "[spider]\nfollow = ['a', 'b[']\n", &[]).unwrap_err();
    let shown = error.to_string();
    assert!(shown.contains("spider.follow[1]") && shown.contains("c.toml:2:16"), "{shown}");
}

#[test]
fn the_local_sites_relaxations_cannot_reach_other_hosts() {
    let seeds = "seeds = ['http://bookshop.test/', 'https://shop.example/']\n[testsite]\n";
    let error = Config::parse("c.toml", seeds, &[]).unwrap_err();
    assert!(error.to_string().contains("`shop.example`, which is no site"), "{error}");
    assert!(error.hint().unwrap().contains("`bookshop.test`, `quotes.test`, "), "{error}");
    let domains = "[scope]\nallowed-domains = ['notbookshop.test']\n[testsite]\n";
    assert!(Config::parse("c.toml", domains, &[]).is_err());
}

#[tokio::test]
async fn the_local_site_is_served_and_mapped() {
    let text = "seeds = ['http://bookshop.test/']\n[testsite]\nbooks = 3\n";
    let mut config = Config::parse("c.toml", text, &[]).unwrap();
    let site = config.serve_testsite().await.unwrap().unwrap();
    assert_eq!(config.fetch.resolve["bookshop.test"], site.addr.to_string());
    assert!(config.fetch.allow_private_addresses && config.politeness.delay.is_zero());
    assert_eq!(config.fetch.resolve["*.many.test"], site.addr.to_string());
    assert_eq!(config.scope.allowed_domains, ["bookshop.test"]);
    let mut without = Config::default();
    assert!(without.serve_testsite().await.unwrap().is_none());
    assert_eq!(without, Config::default());
}

#[test]
fn a_header_with_a_credential_is_told_by_its_name() {
    assert!(is_secret("Cookie") && is_secret("X-Api-Key") && !is_secret("Accept-Language"));
}

#[test]
fn a_hosts_table_is_laid_over_the_crawls() {
    let text = "[politeness]\ndelay = '2s'\nper-host = 3\n[fetch.headers]\nA = '1'\nB = '1'\n\
                [[host]]\nmatch = ['Shop.example', '*.cdn.example']\npoliteness.delay = '5s'\n\
                fetch.headers.B = '2'\nfetch.user-agent = 'other/2'\n\
                [[host]]\nmatch = ['x.cdn.example']\n";
    let config = Config::parse("c.toml", text, &[]).unwrap();
    assert_eq!(Config::parse("c.toml", &config.to_toml(), &[]).unwrap(), config);
    let rules = config.host_rules().unwrap();
    assert_eq!(rules[0].patterns[0].to_string(), "shop.example");
    assert_eq!(rules[0].politeness.delay, Duration::from_secs(5));
    assert_eq!(rules[0].politeness.per_host.get(), 3);
    assert_eq!(rules[0].fetch.user_agent, "other/2");
    let headers: Vec<_> = rules[0].fetch.headers.values().map(String::as_str).collect();
    assert_eq!(headers, ["1", "2"]);
    assert_eq!((&rules[1].politeness, &rules[1].fetch), (&config.politeness, &config.fetch));
}

#[test]
fn mistakes_in_a_hosts_table_are_shown_where_they_were_made() {
    let table = "[[host]]\nmatch = ['a.example']\n";
    refused(
        &format!("{table}politeness.dela = '5s'\n"),
        &[],
        "unknown key `host[0].politeness.dela`\n --> c.toml:3:19\n  |\n\
         3 | politeness.dela = '5s'\n  |                   ^^^^\nhint: did you mean `delay`?",
    );
    refused(
        &format!("{table}fetch.total-timeout = 5\n"),
        &[],
        "`host[0].fetch.total-timeout` cannot be integer `5`; expected a time with its unit, such \
         as \"500ms\", \"10s\" or \"1m 30s\"\n --> c.toml:3:23\n  |\n\
         3 | fetch.total-timeout = 5\n  |                       ^",
    );
    refused(
        &format!("{table}fetch.connections = 5\n"),
        &[],
        "`host[0].fetch.connections` is for the whole crawl\n --> c.toml:3:21\n  |\n\
         3 | fetch.connections = 5\n  |                     ^\nhint: set it in the table `[fetch]`",
    );
    refused(
        &format!("{table}fetch.header-timeout = '0s'\n"),
        &[],
        "`fetch.header-timeout` must be longer than zero\n --> c.toml:3:24\n  |\n\
         3 | fetch.header-timeout = '0s'\n  |                        ^^^^",
    );
    refused(
        "[[host]]\nmatch = ['a.example', 'http://b.example/']\n",
        &[],
        "`host[0].match[1]` = `http://b.example/`: write a host name like `shop.test`, or `*.test` \
         for a domain and all below it\n --> c.toml:2:23\n  |\n\
         2 | match = ['a.example', 'http://b.example/']\n  |                       ^^^^^^^^^^^^^^^^^^^",
    );
    refused(
        &format!("{table}[[host]]\nmatch = ['A.example']\n"),
        &[],
        "`a.example` stands in two [[host]] tables\n --> c.toml:4:10\n  |\n\
         4 | match = ['A.example']\n  |          ^^^^^^^^^^^\nhint: put its keys into one of them",
    );
    refused(
        "[[host]]\npoliteness.delay = '1s'\n",
        &[],
        "`host[0]` names no host\n --> c.toml:1:1\n  |\n1 | [[host]]\n  | ^^^^^^^^\n\
         hint: say which hosts are meant: match = [\"shop.example\", \"*.cdn.example\"]",
    );
}

#[test]
fn a_hosts_credentials_are_hidden() {
    let text = "[[host]]\nmatch = ['a.example']\nfetch.headers.Cookie = 'secret'\n";
    let shown = Config::parse("c.toml", text, &[]).unwrap().to_toml();
    assert!(!shown.contains("secret") && shown.contains("***"), "{shown}");
}

#[test]
fn a_mistake_in_a_step_shows_its_line() {
    refused(
        "[[pipeline]]\ncompute = { a = '= {p} *' }\n",
        &[],
        "`pipeline[0].compute.a`: `= {p} *`: something is missing at the end (character 6 after `= \
         `)\n --> c.toml:2:17\n  |\n2 | compute = { a = '= {p} *' }\n  |                 ^^^^^^^^^",
    );
    refused(
        "[[pipeline]]\nset = {}\n\n[[pipeline]]\nname = 'x'\n",
        &[],
        "`pipeline[1]`: says nothing to do; write one of validate, require, types, rename, \
         drop-fields, keep-fields, set, compute, drop-if, keep-if and dedup\n --> c.toml:4:1\n  \
         |\n4 | [[pipeline]]\n  | ^^^^^^^^^^^^",
    );
    refused(
        "[[pipeline]]\ndrop-if = { n = { lesss = 3 } }\n",
        &[],
        "unknown key `pipeline[0].drop-if.n.lesss`\n --> c.toml:2:19\n  |\n\
         2 | drop-if = { n = { lesss = 3 } }\n  |                   ^^^^^\n\
         hint: did you mean `less`?",
    );
}
