//! The spiders that tutorials teach, each run as a whole crawl against the page it is made for:
//! what comes out is what the site knows of itself.

use std::path::Path;

use crawl::spider::{Args, FromArgs};
use crawl::{Config, Crawl, Spider};
use crawl_testsite::{Bookshop, Directory, News, Products, Quotes};
use example_login::Login;
use serde_json::{Value, json};

use crate::support::{Scratch, crawl, finish, inspect, stderr};

#[path = "../../examples/feed.rs"]
#[allow(dead_code, reason = "its `main` is the example's")]
mod feed;
#[path = "../../examples/form_post.rs"]
#[allow(dead_code, reason = "its `main` is the example's")]
mod form_post;
#[path = "../../examples/json_api.rs"]
#[allow(dead_code, reason = "its `main` is the example's")]
mod json_api;
#[path = "../../examples/tables.rs"]
#[allow(dead_code, reason = "its `main` is the example's")]
mod tables;

/// The items of a spider that is linked in, in an order of their own.
async fn items_of(spider: impl Spider, seeds: &[&str]) -> Vec<Value> {
    let scratch = Scratch::new();
    let text = format!("seeds = {seeds:?}\n[testsite]");
    let mut config = Config::parse("test", &text, &[]).unwrap();
    let _site = config.serve_testsite().await.unwrap();
    let crawl = Crawl::builder().config(config.into_crawl_config(false).unwrap());
    let crawl = crawl.folder(scratch.path("store")).spider(spider).build().unwrap();
    let mut pages = crawl.start().await.unwrap();
    let mut items = Vec::new();
    while let Some(page) = pages.next().await {
        let page = page.unwrap();
        assert_eq!(page.record.error, "", "{}", page.url());
        items.extend(page.items);
    }
    sorted(items)
}

/// The items of a spider of `examples/declarative`.
#[track_caller]
fn items_of_file(name: &str) -> Vec<Value> {
    let scratch = Scratch::new();
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/declarative").join(name);
    let store = scratch.path("store");
    let path = format!("store.path={}", store.display());
    let mut command = crawl(&["run", file.to_str().unwrap(), "-s", &path]);
    let output = finish(command.env("QUOTES_PASSWORD", Quotes::PASSWORD).spawn().unwrap());
    assert!(output.status.success(), "{}", stderr(&output));
    let stats = &inspect(&store, &["stats"])[0];
    assert_eq!(stats["conserved"], true, "{stats}");
    sorted(inspect(&store, &["items"]).into_iter().map(|mut row| row["item"].take()))
}

/// Whatever order the pages came in.
fn sorted(items: impl IntoIterator<Item = Value>) -> Vec<Value> {
    let mut items: Vec<Value> = items.into_iter().collect();
    items.sort_by_cached_key(Value::to_string);
    items
}

/// Only the fields of these names, for items that have the URL of their page as well.
#[track_caller]
fn check(items: Vec<Value>, names: &[&str], truth: impl IntoIterator<Item = Value>) {
    let chosen = |item: Value| {
        let fields = names.iter().map(|name| ((*name).to_owned(), item[*name].clone()));
        Value::Object(fields.collect())
    };
    let (items, truth) = (sorted(items.into_iter().map(chosen)), sorted(truth));
    for (item, told) in items.iter().zip(&truth) {
        assert_eq!(item, told);
    }
    assert_eq!(items.len(), truth.len());
}

fn quotes() -> impl Iterator<Item = Value> {
    let as_item = |quote: &crawl_testsite::Quote| json!({ "text": quote.text, "author": quote.author, "tags": quote.tags });
    Quotes::quotes().iter().map(as_item).collect::<Vec<_>>().into_iter()
}

/// What only members see.
fn rooms() -> impl Iterator<Item = Value> {
    let quotes = Quotes::quotes().into_iter();
    quotes.map(|quote| json!({ "text": quote.text, "room": Quotes::members_link(quote.author()) }))
}

#[test]
fn quotes_with_pagination() {
    check(items_of_file("quotes.toml"), &["text", "author", "tags"], quotes());
}

#[test]
fn books_with_their_covers() {
    let shop = Bookshop { books: 60, ..Bookshop::default() };
    let truth = shop.catalogue().map(|book| {
        let cover = format!("http://bookshop.test{}", book.cover_path());
        json!({ "title": book.title, "cover": cover })
    });
    let items = items_of_file("covers.toml");
    let stored = |item: &Value| item["files"][0]["verdict"] == "stored";
    assert!(items.iter().all(stored), "{:?}", items.iter().find(|item| !stored(item)));
    check(items, &["title", "cover"], truth);
}

#[test]
fn a_sitemap_of_sitemaps() {
    let truth = News::articles().into_iter().map(|article| {
        json!({ "title": article.title, "author": article.author, "published": article.published })
    });
    check(items_of_file("sitemap.toml"), &["title", "author", "published"], truth);
}

#[test]
fn infinite_scroll_through_its_api() {
    check(items_of_file("scroll.toml"), &["text", "author", "tags"], quotes());
}

#[test]
fn books_with_detail_pages() {
    let shop = Bookshop { books: 60, ..Bookshop::default() };
    let truth = shop.catalogue().map(|book| {
        let price = f64::from(book.price_pence) / 100.0;
        json!({ "title": book.title, "price": price, "category": book.category,
                "stock": book.stock, "upc": book.upc })
    });
    check(items_of_file("books.toml"), &["title", "price", "category", "stock", "upc"], truth);
}

#[test]
fn a_directory_with_items_on_other_domains() {
    let truth = Directory::events().into_iter().map(|event| {
        json!({ "title": event.title, "day": event.day, "price": event.price, "url": event.url() })
    });
    check(items_of_file("multi_domain.toml"), &["title", "day", "price", "url"], truth);
}

#[test]
fn a_login_that_a_config_describes() {
    let truth = Quotes::quotes()
        .into_iter()
        .map(|quote| json!({ "text": quote.text, "room": Quotes::members_link(quote.author()) }));
    check(items_of_file("login.toml"), &["text", "room"], truth);
}

#[tokio::test(flavor = "multi_thread")]
async fn tables_of_data_and_for_looks() {
    let items = items_of(tables::Tables, &[]).await;
    let (data, looks): (Vec<_>, Vec<_>) =
        items.into_iter().partition(|item| item.get("text").is_none());
    check(looks, &["text", "author", "tags"], quotes());
    let authors = Quotes::authors().iter().map(|author| {
        let n = Quotes::quotes().iter().filter(|quote| quote.author == author.name).count();
        json!({ "Country": author.country, "Author Name": author.name,
                "Author Born": author.born, "Author Quotes": n.to_string() })
    });
    check(data, &["Country", "Author Name", "Author Born", "Author Quotes"], authors);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_form_whose_second_field_depends_on_the_first() {
    let items = items_of(form_post::Search, &["http://quotes.test/search.aspx"]).await;
    let truth = Quotes::quotes().into_iter().flat_map(|quote| {
        let as_found = |tag| json!({ "text": quote.text, "author": quote.author, "tag": tag });
        quote.tags.iter().map(as_found).collect::<Vec<_>>()
    });
    check(items, &["text", "author", "tag"], truth);
}

#[tokio::test(flavor = "multi_thread")]
async fn feeds_of_both_kinds() {
    for feed in ["http://news.test/feed.rss", "http://news.test/feed.atom"] {
        let truth = News::newest().into_iter().map(|article| {
            let url = format!("http://news.test{}", article.path());
            json!({ "url": url, "title": article.title, "author": article.author,
                    "categories": [article.section] })
        });
        let items = items_of(feed::Feed, &[feed]).await;
        let newest = items.iter().filter_map(|item| item["lastmod"].as_str()).max();
        assert!(newest.is_some_and(|date| date.starts_with("2024-03-04T08:00:00")), "{newest:?}");
        check(items, &["url", "title", "author", "categories"], truth);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn authors_each_once() {
    let items = items_of(example_authors::Authors, &["http://quotes.test/"]).await;
    let truth = Quotes::authors()
        .iter()
        .map(|author| json!({ "name": author.name, "born": author.born, "place": author.born_in.trim_start_matches("in ") }));
    check(items, &["name", "born", "place"], truth);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_login_with_a_form() {
    let mut args = Args::default();
    args.set("user", Quotes::USER);
    args.set("password", Quotes::PASSWORD);
    let items = items_of(Login::from_args(&args).unwrap(), &[]).await;
    check(items, &["text", "room"], rooms());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_api_with_a_cursor() {
    let items = items_of(json_api::Api, &[]).await;
    let truth = Products::products().into_iter().filter(|product| product.in_stock);
    let truth = truth
        .map(|product| json!({ "id": product.id, "name": product.name, "maker": product.maker }));
    check(items, &["id", "name", "maker"], truth);
}
