//! What is known of items, from the spider to the command line, over two crawls of a site that
//! changes.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use crawl::prelude::*;
use crawl_feeds::{FeedConfig, PageField};
use crawl_store::RecrawlConfig;
use crawl_testsite::{Reply, SiteRequest, TestSite};
use serde_json::Value;

use crate::support::{BOOKS, Scratch, Server, inspect, local_config, run, run_ok, stderr};

#[derive(Item)]
#[item(select = "li", version = 2, crate = crawl::spider)]
struct Offer {
    #[item(css = "b", key)]
    sku: String,
    #[item(css = "i", number)]
    price: f64,
}

struct Shop;

impl Spider for Shop {
    fn name(&self) -> &str {
        "shop"
    }

    fn parse(&self, page: &Page<'_>, out: &mut Harvest) -> Result<(), SpiderError> {
        out.extract::<Offer>(page)?;
        out.follow_links(page);
        Ok(())
    }
}

/// Two pages of offers. Later one has moved to the other page, one costs more, one is gone.
async fn site(state: Arc<AtomicU32>) -> TestSite {
    let page = |offers: &[(&str, u32)]| {
        let item = |(sku, price): &(&str, u32)| format!("<li><b>{sku}</b><i>{price}</i>");
        offers.iter().map(item).collect::<String>()
    };
    let answer = move |request: &SiteRequest<'_>| {
        let is_later = state.load(Ordering::Relaxed) > 0;
        Reply::html(match (request.path(), is_later) {
            ("/", false) => page(&[("a1", 1), ("b2", 2), ("c3", 3)]) + "<a href=/more>",
            ("/", true) => page(&[("a1", 1)]) + "<a href=/more>",
            ("/more", false) => page(&[("d4", 4)]),
            ("/more", true) => page(&[("d4", 44), ("b2", 2)]),
            _ => return Reply::not_found(),
        })
    };
    TestSite::builder().site("*", Arc::new(answer)).start().await
}

async fn crawl_shop(site: &TestSite, folder: &Path) {
    let feed = FeedConfig {
        with: vec![PageField::Kind, PageField::Changes],
        ..FeedConfig::to(folder.with_extension("jsonl"))
    };
    let crawl = Crawl::builder()
        .seed("http://shop.test/")
        .folder(folder)
        .spider(Shop)
        .configure(|config| {
            config.fetch.resolve.insert("*.test".into(), site.addr.to_string());
            config.fetch.allow_private_addresses = true;
            config.frontier.politeness.delay = Duration::ZERO;
            let after = Duration::from_millis(1);
            config.recrawl = RecrawlConfig { after, ..RecrawlConfig::default() };
            config.feeds.push(feed);
        })
        .build()
        .unwrap();
    crawl.launch().await.unwrap().finish().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn items_are_known_again_by_their_key_and_their_history_can_be_asked_for() {
    let scratch = Scratch::new();
    let (store, state) = (scratch.path("store"), Arc::new(AtomicU32::new(0)));
    let site = site(state.clone()).await;
    crawl_shop(&site, &store).await;
    state.store(1, Ordering::Relaxed);
    crate::recrawl::wait_until_free(&store);
    crawl_shop(&site, &store).await;
    crate::recrawl::wait_until_free(&store);

    let skus = |args: &[&str]| {
        let rows = inspect(&store, &[&["items"], args].concat());
        let sku = |row: &Value| row["item"]["sku"].as_str().unwrap().to_owned();
        rows.iter().map(sku).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(skus(&["--sort=sku"]), "a1 b2 d4");
    assert_eq!(skus(&["-w", "changed"]), "d4");
    assert_eq!(skus(&["--gone"]), "c3");
    assert_eq!(skus(&["--key", "b2"]), "b2");
    assert_eq!(skus(&["--key", "c3"]), "c3", "one that is gone is found, too");
    assert_eq!(skus(&["--key", "none"]), "");
    let all = "kind=Offer and version=2 and spider=shop and changes=0";
    assert_eq!(skus(&["-w", all, "--sort=-sku"]), "b2 a1");
    let moved = &inspect(&store, &["items", "--key", "b2"])[0];
    assert!(moved["url"].as_str().unwrap().ends_with("/more"), "{moved}");
    let first = |sku: &str| {
        let row = &inspect(&store, &["items", "--key", sku])[0];
        (row["first_seen"].clone(), row["last_seen"].clone())
    };
    assert_eq!(first("b2").0, first("c3").0, "they were on one page, the first time");
    assert!(first("b2").1.as_str() > first("c3").1.as_str());
    let columns = inspect(&store, &["items", "-w", "changed", "--columns", "sku,changes,kind"]);
    assert_eq!(columns, [serde_json::json!({"sku": "d4", "changes": 1, "kind": "Offer"})]);
    let fields = inspect(&store, &["fields", "-w", "field=sku"]);
    assert_eq!((&fields[0]["kind"], fields.len()), (&"Offer".into(), 1));

    // Feeds and exports have it if they ask for it.
    let fed = std::fs::read_to_string(store.with_extension("jsonl")).unwrap();
    let last: Value = serde_json::from_str(fed.lines().last().unwrap()).unwrap();
    assert!(fed.lines().count() >= 7 && last["kind"] == "Offer", "{fed}");
    let folder = store.to_str().unwrap();
    let args = ["export", folder, "--format", "csv", "--fields", "sku,page.changes=n"];
    let csv = String::from_utf8(run_ok(&args).stdout).unwrap();
    assert!(csv.starts_with("sku,n\n") && csv.contains("d4,1\n"), "{csv}");
    // And all of it is as it should be.
    run_ok(&["verify", folder]);
    let wrong = run(&["inspect", folder, "items", "--key", "a", "--key", "b"]);
    assert!(stderr(&wrong).contains("`sku`"), "{}", stderr(&wrong));
    assert_eq!(wrong.status.code(), Some(2));
}

#[test]
fn a_table_of_items_has_a_name_a_version_and_a_key() {
    let scratch = Scratch::new();
    let server = Server::start(&scratch, 20, "0s");
    let store = scratch.path("store");
    let keyed =
        BOOKS.replace("select =", "name = 'book'\nversion = 7\nkey = ['title', 'price']\nselect =");
    let config = scratch.write("crawl.toml", &local_config(server.addr, &store, &keyed));
    run_ok(&["run", &config]);
    let one = &inspect(&store, &["items", "-n", "1"])[0];
    assert_eq!((&one["kind"], &one["version"]), (&"book".into(), &"7".into()));
    let title = one["item"]["title"].as_str().unwrap();
    let price = one["item"]["price"].to_string();
    let found = inspect(&store, &["items", "--key", title, "--key", &price]);
    assert_eq!(found, std::slice::from_ref(one));

    // A key that no item can have is an error before anything is fetched.
    let wrong = BOOKS.replace("select =", "key = ['isbn']\nselect =");
    let text = local_config(server.addr, &scratch.path("none"), &wrong);
    let output = run(&["run", &scratch.write("wrong.toml", &text)]);
    assert_eq!(output.status.code(), Some(2));
    let said = stderr(&output);
    assert!(said.contains("spider.items[0].key[0]") && said.contains("`isbn`"), "{said}");
}
