//! The newspaper's sitemaps and feeds lead to its articles.

use super::*;

fn get(path: &str) -> String {
    let reply = News.respond(&SiteRequest::get(News::HOST, path));
    assert_eq!(reply.status, 200, "{path}");
    String::from_utf8_lossy(&reply.body).into_owned()
}

fn between<'a>(text: &'a str, before: &str, after: &str) -> Vec<&'a str> {
    text.split(before).skip(1).map(|part| part.split(after).next().unwrap_or_default()).collect()
}

#[test]
fn the_sitemaps_have_each_article_once() {
    let index = get("/sitemap.xml");
    let mut found = Vec::new();
    for map in between(&index, "<loc>http://news.test", "<") {
        let text = get(map);
        let pages = between(&text, "<loc>http://news.test", "<");
        found.extend(pages.into_iter().map(str::to_owned));
    }
    let mut told: Vec<_> = News::articles().iter().map(Article::path).collect();
    told.push("/about.html".to_owned());
    assert_eq!(found, told);
    for article in News::articles() {
        let html = get(&article.path());
        assert!(html.contains(&format!("<h1>{}</h1>", escaped(&article.title))));
    }
    assert_eq!(News.respond(&SiteRequest::get(News::HOST, "/town/61.html")).status, 404);
}

#[test]
fn the_feeds_have_the_newest_articles() {
    let newest = News::newest();
    assert_eq!((newest.len(), newest[0].id), (IN_FEED, 60));
    let titles: Vec<_> = newest.iter().map(|article| escaped(&article.title)).collect();
    for feed in ["/feed.rss", "/feed.atom"] {
        assert_eq!(between(&get(feed), "<title>", "<")[1..], titles, "{feed}");
    }
}

#[test]
fn dates_are_those_of_the_calendar() {
    let dates: Vec<_> = [1, 29, 57].map(|id| Article::new(id).published_rfc822()).into();
    assert_eq!(dates[0], "Mon, 01 Jan 2024 08:00:00 GMT");
    assert_eq!(dates[1], "Thu, 01 Feb 2024 08:00:00 GMT");
    assert_eq!(dates[2], "Fri, 01 Mar 2024 08:00:00 GMT");
    assert_eq!(Article::new(57).published, "2024-03-01T08:00:00Z");
}
