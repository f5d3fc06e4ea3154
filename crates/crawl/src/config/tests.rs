//! The shipped configs hold what they say, and mistakes are shown where they were made.

use serde_json::Value;

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

/// All keys that a schema allows, those of inner tables and of tables in lists included.
fn keys_of_schema(schema: &Value, root: &Value, above: &str, keys: &mut Vec<String>) {
    if !schema.is_object() || above.matches('.').count() > 6 {
        return; // no schema, or one that holds itself
    }
    let named = schema["$ref"].as_str().and_then(|name| root.pointer(&name[1..]));
    let schema = named.unwrap_or(schema);
    let inner = schema["anyOf"].as_array().into_iter().flatten().chain([&schema["items"]]);
    inner.for_each(|schema| keys_of_schema(schema, root, above, keys));
    let by_any_name = &schema["additionalProperties"];
    keys_of_schema(by_any_name, root, &format!("{above}*."), keys);
    for (key, property) in schema["properties"].as_object().into_iter().flatten() {
        keys.push(format!("{above}{key}"));
        keys_of_schema(property, root, &format!("{above}{key}."), keys);
    }
}

#[test]
fn default_toml_lists_every_key() {
    let mut keys = Vec::new();
    let schema = Config::schema();
    keys_of_schema(&schema, &schema, "", &mut keys);
    assert!(keys.len() > 200 && keys.contains(&"spider.items.fields.*.type".to_owned()));
    let written = written(DEFAULTS);
    let missing: Vec<_> = keys
        .iter()
        // What a host's tables may have is what the crawl's have.
        .filter(|key| !key.starts_with("host.politeness") && !key.starts_with("host.fetch"))
        .filter(|key| !key.contains(".detail.detail"))
        .filter(|key| {
            let name = key.rsplit('.').next().unwrap();
            // Those of fields and of tables within a line stand within a line.
            let is_within = ["spider.", "pipeline."].iter().any(|table| key.starts_with(table))
                && [" ", "{ "].iter().any(|s| DEFAULTS.contains(&format!("{s}{name} = ")));
            !written.contains(key) && !is_within
        })
        .collect();
    assert!(missing.is_empty(), "{missing:?}");
}

/// The commented tables of `[spider]`, as somebody has them who takes the first `#` away. (What
/// stands behind a second one are alternatives.)
fn spider_example() -> String {
    let start = DEFAULTS.find("# [spider] ").unwrap();
    // The tables of other kinds of spiders come last.
    let end = start + DEFAULTS[start..].find("# [spider.sitemap] ").unwrap();
    let lines = DEFAULTS[start..end].lines().map(|line| line.get(2..).unwrap_or_default());
    let is_toml = |line: &&str| line.contains(" = ") || line.starts_with(['[', ']', ' ', '#']);
    // A plugin says by itself what the tables say.
    let lines = lines.filter(is_toml).filter(|line| !line.starts_with("plugin = "));
    lines.collect::<Vec<_>>().join("\n")
}

#[test]
fn what_default_toml_says_of_spiders_is_a_spider() {
    let text = spider_example();
    let config =
        Config::parse("default.toml", &text, &[]).unwrap_or_else(|e| panic!("{e}\n{text}"));
    let spider = config.spider.as_ref().unwrap();
    assert_eq!((spider.start.len(), spider.rules.len(), spider.pages.len()), (1, 1, 1));
    assert!(spider.login.is_some() && spider.stop.is_some() && spider.items[0].detail.is_some());
    assert_eq!(Config::parse("again.toml", &config.to_toml(), &[]).unwrap(), config);
    assert!(is_valid(&toml::from_str(&text).unwrap()), "{text}");
}

fn is_valid(config: &Value) -> bool {
    let mut schemas = boon::Schemas::new();
    let mut compiler = boon::Compiler::new();
    compiler.add_resource("config.json", Config::schema()).unwrap();
    let index = compiler.compile("config.json", &mut schemas).unwrap();
    match schemas.validate(config, index) {
        Ok(()) => true,
        Err(error) => {
            eprintln!("{error:#}");
            false
        }
    }
}

#[test]
fn shipped_configs_fit_the_schema_and_misspelt_ones_do_not() {
    for path in shipped() {
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(is_valid(&toml::from_str(&text).unwrap()), "{}", path.display());
    }
    let all: Value = toml::from_str(&Config::default().to_toml()).unwrap();
    assert!(is_valid(&all));
    for text in [
        "sedes = []",
        "[scope]\nmax-dept = 3",
        "[politeness]\ndelay = '1'",
        "[politeness]\ndelay = 1",
        "[fetch]\ncookies = 'of'",
        "[fetch]\nconnections = 0",
        "[fetch]\nproxy = 3",
        "[[host]]\nmatch = ['a']\nfetch.connections = 3",
        "[[host]]\nmatch = ['a']\npoliteness.dela = '3s'",
        "[[spider.items]]\nselct = 'a'",
        "[[spider.items]]\nfields.x = { cs = 'a' }",
        "[[spider.items]]\nfields.x = { css = 'a', type = 'numbr' }",
        "[[spider.items]]\nfields.x = { css = 'a', fields.y = { atr = 'b' } }",
        "[spider.items]\nfields.x = 'a'",
        "[[spider.items]]\ndetail = { label = 'x' }",
        "[spider.stop]\nitem = 3",
    ] {
        assert!(!is_valid(&toml::from_str(text).unwrap()), "{text}");
    }
    for text in ["[[host]]\nmatch = ['a']\npoliteness.delay = '3s'", "[fetch]\nproxy = ['a', 'b']"]
    {
        assert!(is_valid(&toml::from_str(text).unwrap()), "{text}");
    }
}

#[test]
fn the_schema_tells_what_keys_mean_and_are_by_default() {
    let schema = Config::schema();
    let fetch = &schema["$defs"]["FetchConfig"]["properties"];
    assert_eq!(fetch["dns-timeout"]["default"], "5s");
    assert_eq!(fetch["connections"]["default"], 128);
    assert!(fetch["dns-timeout"]["description"].as_str().unwrap().contains("name lookup"));
    let mut bare = Vec::new();
    for (table, schema) in schema["$defs"].as_object().unwrap() {
        for (key, property) in schema["properties"].as_object().into_iter().flatten() {
            if property["description"].as_str().is_none_or(str::is_empty) {
                bare.push(format!("{table}.{key}"));
            }
        }
    }
    assert!(bare.is_empty(), "{bare:?}");
    let text = schema.to_string();
    assert!(!text.contains("\"null\"") && !text.contains(":null"), "TOML has no null");
}

/// All configs that come with the crawler.
fn shipped() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut paths = Vec::new();
    let mut folders = vec![root.join("config"), root.join("examples")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            if path.is_dir() && name != "target" {
                folders.push(path);
            } else if name.ends_with(".toml") && name != "Cargo.toml" {
                paths.push(path);
            }
        }
    }
    paths
}

#[test]
fn the_shipped_configs_are_valid() {
    let paths = shipped();
    for path in &paths {
        Config::load(path, &[]).unwrap_or_else(|error| panic!("{error}"));
    }
    assert!(paths.len() >= 4);
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

#[test]
fn a_file_of_seeds_is_a_beginning_but_not_behind_a_login() {
    let file = "seeds-file = 'seeds.txt'\n";
    let config = Config::parse("c.toml", file, &[]).unwrap();
    assert!(config.has_beginning());
    let crawl = config.into_crawl_config(false).unwrap();
    assert_eq!(crawl.seeds_file, Some("seeds.txt".into()));
    let login = "[spider.login]\nurl = 'http://h/login'\nfields = { user = 'u' }\n";
    for (text, part) in [
        (format!("{file}{login}"), "`seeds-file` does not go together with `spider.login`"),
        ("seeds-file = ''\n".to_owned(), "`seeds-file` is empty"),
    ] {
        let mistake = Config::parse("c.toml", &text, &[]).unwrap_err().to_string();
        assert!(mistake.contains(part), "{mistake}");
    }
}
