//! Imports point down only, and each library has one home.

use std::collections::BTreeMap;
use std::process::Command;

/// Which of our crates each may import. `crawl` is the root package.
const MAY_IMPORT: &[(&str, &[&str])] = &[
    ("model", &[]),
    ("robots", &[]),
    ("query", &[]),
    ("spider-derive", &["query"]),
    ("spider", &["model", "spider-derive"]),
    ("store", &["model"]),
    ("feeds", &["model", "store"]),
    ("frontier", &["model", "robots", "store"]),
    ("fetcher", &["model", "store"]),
    ("pipeline", &["model", "spider"]),
    ("parser", &["pipeline", "model", "query", "spider"]),
    ("plugin", &["model", "spider"]),
    ("spidertest", &["model", "spider", "parser"]),
    ("testsite", &["model"]),
    (
        "engine",
        &[
            "pipeline", "model", "robots", "spider", "store", "feeds", "frontier", "fetcher",
            "parser",
        ],
    ),
    (
        "crawl",
        &[
            "pipeline",
            "model",
            "robots",
            "spider",
            "store",
            "feeds",
            "frontier",
            "fetcher",
            "parser",
            "plugin",
            "engine",
            "testsite",
            "spidertest",
        ],
    ),
];

/// Libraries that only these crates may know.
const HOMES: &[(&str, &[&str])] = &[
    ("hyper", &["fetcher", "testsite"]),
    ("hyper-util", &["fetcher", "testsite"]),
    ("rustls", &["fetcher", "feeds"]),
    ("rusqlite", &["feeds"]),
    ("parquet", &["feeds"]),
    ("arrow-array", &["feeds"]),
    ("postgres", &["feeds"]),
    ("object_store", &["feeds"]),
    ("hickory-resolver", &["fetcher"]),
    ("boon", &["pipeline"]),
    ("sled", &["store"]),
    ("scraper", &["parser"]),
    ("libloading", &["plugin"]),
    ("object", &["plugin"]),
    ("cssparser", &["query"]),
    ("html5ever", &["parser"]),
    ("governor", &["frontier", "fetcher"]),
    ("clap", &["crawl"]),
    ("toml", &["crawl"]),
];

/// Package name without prefix, and its dependencies by name, those of tests left out.
fn packages() -> BTreeMap<String, Vec<String>> {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--no-deps", "--offline", "--format-version", "1"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
    let packages = metadata["packages"].as_array().unwrap().iter().map(|package| {
        let dependencies = package["dependencies"].as_array().unwrap().iter();
        let names = dependencies.filter(|d| text(&d["kind"]) != "dev").map(|d| text(&d["name"]));
        let name = text(&package["name"]);
        (name.strip_prefix("crawl-").unwrap_or(&name).to_owned(), names.collect())
    });
    packages.collect()
}

#[test]
fn imports_point_down_only() {
    let allowed: BTreeMap<&str, &[&str]> = MAY_IMPORT.iter().copied().collect();
    for (package, dependencies) in packages() {
        let may = allowed.get(&*package).unwrap_or_else(|| panic!("{package} is not in the plan"));
        for dependency in dependencies.iter().filter_map(|name| name.strip_prefix("crawl-")) {
            assert!(may.contains(&dependency), "{package} must not import {dependency}");
        }
    }
}

#[test]
fn each_library_has_one_home() {
    for (package, dependencies) in packages() {
        for (library, homes) in HOMES {
            let uses = dependencies.iter().any(|name| name == library);
            assert!(!uses || homes.contains(&&*package), "{library} has no place in {package}");
        }
    }
}
