//! Plugins in the binary and in programs: real shared libraries.

use std::fs;
use std::path::Path;

use crawl::Crawl;
use crawl_testsite::{Builder, TestSite};

use crate::built::built;
use crate::support::{Scratch, crawl, inspect, run, run_ok, stderr};

fn library(name: &str) -> String {
    built(name).into_os_string().into_string().unwrap()
}

/// Four pages that link to each other.
fn site() -> TestSite {
    let page = |builder: Builder, path: &str| {
        let links = "<a href=/a>a</a> <a href=/b>b</a> <a href=/bad>bad</a>";
        builder.page(path, format!("<title>{path}</title>{links}"))
    };
    TestSite::spawn_thread(["/", "/a", "/b", "/bad"].into_iter().fold(TestSite::builder(), page))
}

/// A config for the site, with a plugin.
fn config(scratch: &Scratch, site: &TestSite, spider: &str) -> String {
    let text = format!(
        "seeds = ['http://site.test/']\n\
         store.path = '{}'\n\
         fetch.resolve = {{ 'site.test' = '{}' }}\n\
         fetch.allow-private-addresses = true\n\
         politeness.delay = '0s'\n\
         [spider]\n{spider}\n",
        scratch.path("store").display(),
        site.addr,
    );
    scratch.write("crawl.toml", &text)
}

#[test]
fn a_plugin_crawls_and_is_dropped_at_the_end() {
    let (scratch, site) = (Scratch::new(), site());
    let spider =
        format!("plugin = '{}'\n[spider.args]\nhow = 'panic'\non = '/bad'\n", library("bad"));
    let config = config(&scratch, &site, &spider);
    run_ok(&["run", &config]);
    let store = scratch.path("store");
    let ends: Vec<_> = inspect(&store, &["pages"])
        .iter()
        .map(|row| format!("{} {}", row["verdict"].as_str().unwrap(), row["url"].as_str().unwrap()))
        .collect();
    assert_eq!(ends.iter().filter(|end| end.starts_with("ok ")).count(), 3, "{ends:?}");
    assert!(ends.contains(&"spider-panic http://site.test/bad".to_owned()), "{ends:?}");
    let error = inspect(&store, &["pages", "--verdict", "spider-panic"]);
    assert!(error[0].to_string().contains("bad in parse"), "{error:?}");
    let items = inspect(&store, &["items"]);
    assert_eq!(items.len(), 3, "{items:?}");

    // Arguments of the command line win, and a spider's end is its drop.
    let output =
        run_ok(&["run", &config, "--fresh", "-a", "how=print", "-a", "when=drop", "-a", "on="]);
    assert_eq!(inspect(&store, &["items"]).len(), 4);
    assert!(stderr(&output).contains("told in drop"), "{}", stderr(&output));
}

#[test]
fn arguments_that_are_wrong_and_plugins_that_are_none_are_exit_2() {
    let (scratch, site) = (Scratch::new(), site());
    let none = scratch.write("none.so", "no library");
    for (spider, args, expected) in [
        (format!("plugin = '{none}'"), &[][..], "is not a shared library"),
        (format!("plugin = '{}'", library("bad")), &["-a", "x=1"], "unknown field `x`"),
        (format!("plugin = '{}'", library("bad")), &["-a", "x"], "`-a x` is no argument"),
        (format!("plugin = '{}'\nfollow = []", library("bad")), &[], "beside `spider.plugin`"),
        (format!("plugin = '{}'\n[[spider.items]]", library("bad")), &[], "`spider.items`"),
        ("plugin = 'no/such/folder'".to_owned(), &[], "there is no no/such/folder"),
        ("plugin = ''".to_owned(), &[], "`spider.plugin` is empty"),
    ] {
        let config = config(&scratch, &site, &spider);
        let mut all = vec!["run", &*config];
        all.extend(args);
        let output = run(&all);
        let text = stderr(&output);
        assert_eq!(output.status.code(), Some(2), "{spider}: {text}");
        assert!(text.contains(expected) && text.contains("hint: "), "{spider}: {text}");
        assert!(!scratch.path("store").exists(), "{spider}: the store was made");
    }
}

#[test]
fn a_check_says_what_a_plugin_is_or_what_is_wrong() {
    let output = run_ok(&["plugin", "check", &library("good")]);
    let text = String::from_utf8(output.stdout).unwrap();
    for line in [
        "plugin    good 0.0.1",
        "spider    good",
        "wants     article, .product_pod, tr: 3 fields",
        "uses      here: XPath expression `//a[1]`",
        "step      items go through `good items`",
        "statuses  200 to 299, 404",
    ] {
        assert!(text.contains(line), "{line}: {text}");
    }
    let built =
        format!("built     with crawl-spider {}, plugin ABI 1, rustc ", env!("CARGO_PKG_VERSION"));
    assert!(text.contains(&built), "{text}");

    let output = run(&["plugin", "check", &library("bad"), "-a", "how=panic", "-a", "when=args"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stdout).contains("plugin    bad"), "told all the same");
    assert!(stderr(&output).contains("panicked in `create`: bad in args"), "{}", stderr(&output));

    let output = run(&["plugin", "check", "/proc/self/exe"]);
    assert_eq!(output.status.code(), Some(2));
    let text = stderr(&output);
    assert!(text.contains("error: ") && text.contains("hint: "), "{text}");
}

#[tokio::test]
async fn a_program_loads_a_plugin_and_hands_it_to_its_crawl() {
    let (scratch, site) = (Scratch::new(), site());
    let spider = crawl::plugin::load(Path::new(&library("bad")), &crawl::spider::Args::default());
    let builder = Crawl::builder().seed("http://site.test/").folder(scratch.path("store"));
    let crawl = builder.spider(spider.unwrap()).configure(|config| {
        config.fetch.resolve.insert("site.test".into(), site.addr.to_string());
        config.fetch.allow_private_addresses = true;
        config.frontier.politeness.delay = std::time::Duration::ZERO;
    });
    let report = crawl.build().unwrap().launch().await.unwrap().finish().await.unwrap();
    assert_eq!(report.spider_stats["pages"], 4, "{report:?}");
}

#[test]
fn a_relative_path_is_relative_to_the_current_folder() {
    let scratch = Scratch::new();
    fs::copy(library("bad"), scratch.path("libbad.so")).unwrap();
    let check_in = |folder: &Path| {
        let mut command = crawl(&["plugin", "check", "libbad.so"]);
        command.current_dir(folder).output().unwrap().status.code()
    };
    assert_eq!(check_in(scratch.path("libbad.so").parent().unwrap()), Some(0));
    assert_eq!(check_in(Path::new("/")), Some(2));
}
