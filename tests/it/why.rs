//! `crawl why`: of settled, waiting, refused and unknown URLs, in a folder and in a running crawl.

use serde_json::Value;

use crate::support::{LIMIT, Scratch, Server, crawl, local_config, run, run_ok, stderr};

fn why(store: &str, url: &str) -> Value {
    let output = run(&["why", store, url, "--json"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    serde_json::from_slice(&output.stdout).unwrap()
}

fn says(row: &Value, rule: &str) -> String {
    let rules = row["rules"].as_array().unwrap();
    let rule = rules.iter().find(|row| row["rule"] == rule).unwrap();
    rule["says"].as_str().unwrap().to_owned()
}

#[test]
fn every_kind_of_url_has_its_story() {
    let scratch = Scratch::new();
    let server = Server::start(&scratch, 60, "0ms");
    let store = scratch.path("store");
    let more = "[scope]\nmax-pages = 5\nexclude = [\"travel\"]\n";
    let config = scratch.write("crawl.toml", &local_config(server.addr, &store, more));
    run_ok(&["run", &config]);
    let rows = crate::support::inspect(&store, &["urls"]);
    let url_of = |verdict: &str| {
        let row = rows.iter().rfind(|row| row["verdict"] == verdict);
        row.unwrap_or_else(|| panic!("no {verdict} in {rows:?}"))["url"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    let store = store.to_str().unwrap();

    let seed = why(store, "http://bookshop.test/");
    assert_eq!((&seed["state"], &seed["first"]["depth"]), (&"settled".into(), &0.into()));
    assert_eq!(seed["attempts"][0]["outcome"], "ok");
    assert_eq!(seed["record"]["status"], 200);

    let waiting = why(store, &url_of("queued"));
    assert_eq!(
        (waiting["state"].as_str(), says(&waiting, "off-domain")),
        (Some("queued"), "passes".into())
    );
    assert!(waiting["first"]["referrer"].as_str().unwrap().starts_with("http://bookshop.test/"));
    let (ahead, all) = (&waiting["queue"]["ahead"], &waiting["queue"]["of_host"]);
    assert!(ahead.as_u64().unwrap() + 1 == all.as_u64().unwrap(), "the last one found: {waiting}");
    assert!(waiting["due_ms"].as_u64().is_some());

    let refused = why(store, &url_of("excluded"));
    assert_eq!(
        (refused["state"].as_str(), refused["reason"].as_str()),
        (Some("filtered"), Some("excluded"))
    );
    assert_eq!(says(&refused, "excluded"), "refuses");

    let never = why(store, "http://elsewhere.test/x.zip");
    assert_eq!(never["state"], "never-found");
    assert_eq!(
        (says(&never, "off-domain"), says(&never, "extension")),
        ("refuses".into(), "refuses".into())
    );
    assert_eq!(says(&never, "robots"), "unknown");

    let output = run(&["why", store, "http://bookshop.test/"]);
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(text.contains("stands    settled as ok, status 200"), "{text}");
    assert!(text.contains("rules     passes   off-domain"), "{text}");
    assert_eq!(run(&["why", store, "no url"]).status.code(), Some(2));
}

#[test]
fn a_running_crawl_is_asked() {
    let scratch = Scratch::new();
    let server = Server::start(&scratch, 60, "100ms");
    let store = scratch.path("store");
    let config = scratch.write("crawl.toml", &local_config(server.addr, &store, ""));
    let mut running = crawl(&["run", &config]).spawn().unwrap();
    let begun = std::time::Instant::now();
    while server.served().len() < 3 {
        assert!(begun.elapsed() < LIMIT, "nothing was fetched");
        std::thread::yield_now();
    }
    let seed = why(store.to_str().unwrap(), "http://bookshop.test/");
    assert_eq!(seed["n_found"], 1, "{seed}");
    let _ = running.kill();
    running.wait().unwrap();
}
