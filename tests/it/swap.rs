//! A running crawl goes on with another spider, and with its frontier.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use crawl::engine::{ControlError, Order, order};
use crawl::prelude::*;
use crawl::{Crawl, CrawlBuilder, CrawlError, Running};
use crawl_testsite::{TestSite, Tree};

use crate::support::{Scratch, inspect, tally};

const PAGES: u32 = 300;

/// Gives one item for each page, with its own name.
struct Named(&'static str);

impl Spider for Named {
    fn name(&self) -> &str {
        self.0
    }

    fn start(&self, _: &mut Harvest) -> Result<(), SpiderError> {
        assert!(self.0 == "old", "a spider that comes later does not start the crawl again");
        Ok(())
    }

    fn parse(&self, page: &Page<'_>, out: &mut Harvest) -> Result<(), SpiderError> {
        out.item(&json!({ "by": self.0 }))?;
        out.follow_links(page);
        Ok(())
    }
}

fn crawl(site: &TestSite, folder: &Path) -> CrawlBuilder {
    Crawl::builder().seed("http://tree.test/").folder(folder).spider(Named("old")).configure(
        |config| {
            config.fetch.resolve.insert("tree.test".into(), site.addr.to_string());
            config.fetch.allow_private_addresses = true;
            config.frontier.politeness.delay = Duration::from_millis(2);
        },
    )
}

async fn site() -> TestSite {
    let tree = Tree { pages: PAGES - 1, links_per_page: 20, bytes: 2_000 };
    TestSite::builder().site("*", Arc::new(tree)).start().await
}

async fn until(running: &Running, n_pages: u64) {
    while running.handle().stats().pages < n_pages {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

/// All pages have one item, and so many of them at least are by `name`.
#[track_caller]
fn assert_all_pages_once(folder: &Path, names: &[&str]) {
    let items = inspect(folder, &["items"]);
    assert_eq!(items.len(), PAGES as usize);
    let by: Vec<_> = items.iter().map(|row| row.get("item").unwrap_or(row).clone()).collect();
    let tally = tally(&by, "by");
    assert!(names.iter().all(|name| tally.get(name).is_some_and(|&n| n > 5)), "{tally:?}");
    assert_eq!(inspect(folder, &["stats"])[0]["conserved"], true);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_exchanges_the_spider_of_its_crawl() {
    let (site, scratch) = (site().await, Scratch::new());
    let folder = scratch.path("store");
    let mut running = crawl(&site, &folder).build().unwrap().launch().await.unwrap();
    until(&running, 20).await;
    let handle = running.handle();
    handle.replace_spider(Arc::new(Named("new"))).unwrap();
    running.finish().await.unwrap();
    assert_all_pages_once(&folder, &["old", "new"]);
    drop(running);
    let late = handle.replace_spider(Arc::new(Named("late")));
    assert!(matches!(late, Err(CrawlError::Ended)), "{late:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_brings_a_new_build_and_a_failed_one_leaves_the_old() {
    let (site, scratch) = (site().await, Scratch::new());
    let folder = scratch.path("store");
    let reload = |path: Option<&Path>| match path {
        Some(path) if path.ends_with("good") => Ok(Arc::new(Named("new")) as Arc<dyn Spider>),
        Some(path) => Err(format!("{} does not build", path.display()).into()),
        None => panic!("by a bug"),
    };
    let crawl = crawl(&site, &folder).reload(Arc::new(reload)).build().unwrap();
    let mut running = crawl.launch().await.unwrap();
    until(&running, 10).await;
    let tell = |path: Option<&str>| {
        let (folder, path) = (folder.clone(), path.map(Into::into));
        tokio::task::spawn_blocking(move || order(&folder, &Order::ReloadPlugin { path }))
    };
    let refused = tell(Some("/bad")).await.unwrap().unwrap_err();
    let ControlError::Refused(text) = refused else { panic!("{refused:?}") };
    assert_eq!(text, "/bad does not build");
    assert!(tell(None).await.unwrap().is_err(), "a panic is an error");
    let done = tell(Some("/good")).await.unwrap().unwrap();
    assert_eq!(done, json!({ "order": "reload-plugin", "spider": "new" }));
    running.finish().await.unwrap();
    assert_all_pages_once(&folder, &["old", "new"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_spider_that_is_no_plugin_cannot_be_reloaded() {
    let (site, scratch) = (site().await, Scratch::new());
    let folder = scratch.path("store");
    let running = crawl(&site, &folder).build().unwrap().launch().await.unwrap();
    let told = folder.clone();
    let order = move || order(&told, &Order::ReloadPlugin { path: None });
    let refused = tokio::task::spawn_blocking(order).await.unwrap().unwrap_err();
    assert!(refused.to_string().contains("its spider is no plugin"), "{refused}");
    let output = crate::support::run(&["plugin", "reload", folder.to_str().unwrap()]);
    let said = crate::support::stderr(&output);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("no plugin") && said.contains("hint: "), "{said}");
    drop(running);
}
