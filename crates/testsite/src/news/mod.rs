//! A small newspaper whose articles are found by its sitemaps and feeds; its front page shows but
//! the newest.

mod article;

use std::fmt::Write;

pub use article::Article;

use crate::graph::canonical_number;
use crate::html::{document, escaped};
use crate::{Reply, Site, SiteRequest, gzip};

/// The newspaper, and the truth about it.
///
/// | Path | What |
/// |---|---|
/// | `/` | links to the newest ten articles and to the pages below |
/// | `/SECTION/ID.html` | an article |
/// | `/about.html`, `/archive/` | no articles; the archive is forbidden by `/robots.txt` |
/// | `/sitemap.xml` | an index of the next three; named by `/robots.txt` |
/// | `/sitemap-old.xml.gz`, `/sitemap-new.xml` | the articles, older and newer half, the first zipped |
/// | `/sitemap-pages.xml` | what is no article |
/// | `/feed.rss`, `/feed.atom` | the newest twenty, newest first |
#[derive(Debug, Clone, Copy, Default)]
pub struct News;

/// Articles on the front page, and in the feeds.
const ON_FRONT: usize = 10;
const IN_FEED: usize = 20;

impl News {
    /// The host that it is served on.
    pub const HOST: &str = "news.test";

    /// Number of articles.
    const N_ARTICLES: u32 = 60;

    /// All articles, oldest first: what the sitemaps lead to.
    #[must_use]
    pub fn articles() -> Vec<Article> {
        (1..=Self::N_ARTICLES).map(Article::new).collect()
    }

    /// The articles of the feeds, newest first.
    #[must_use]
    pub fn newest() -> Vec<Article> {
        Self::articles().into_iter().rev().take(IN_FEED).collect()
    }
}

impl Site for News {
    fn respond(&self, request: &SiteRequest<'_>) -> Reply {
        let base = format!("http://{}", request.authority);
        let (older, newer) =
            (1..=Self::N_ARTICLES / 2, Self::N_ARTICLES / 2 + 1..=Self::N_ARTICLES);
        let xml = |text: String| Reply::new("application/xml", text);
        match request.path() {
            "/" => Reply::html(front()),
            "/robots.txt" => Reply::text(format!(
                "User-agent: *\nDisallow: /archive/\n\nSitemap: {base}/sitemap.xml\n"
            )),
            "/about.html" => plain("About us", "A paper for the harbour, since 1911."),
            "/archive/" => plain("Archive", "For people only."),
            "/sitemap.xml" => xml(sitemap_index(&base)),
            "/sitemap-new.xml" => xml(sitemap(newer.map(Article::new), &base)),
            "/sitemap-old.xml.gz" => {
                let text = sitemap(older.map(Article::new), &base);
                Reply::new("application/gzip", gzip::stored(text.as_bytes()))
            }
            "/sitemap-pages.xml" => {
                xml(urlset(&format!("<url><loc>{base}/about.html</loc></url>\n")))
            }
            "/feed.rss" => Reply::new("application/rss+xml", rss(&base)),
            "/feed.atom" => Reply::new("application/atom+xml", atom(&base)),
            path => page(path).unwrap_or_else(Reply::not_found),
        }
    }
}

fn page(path: &str) -> Option<Reply> {
    let (_, file) = path.strip_prefix('/')?.split_once('/')?;
    let id = canonical_number(file.strip_suffix(".html")?)?;
    let article = (1..=News::N_ARTICLES).contains(&id).then(|| Article::new(id))?;
    if article.path() != path {
        return None;
    }
    let title = escaped(&article.title);
    let body = format!(
        "<p><a href=\"/\">Front page</a></p>\n<article class=\"story\">\n<h1>{title}</h1>\n\
         <p class=\"byline\">By <span class=\"author\">{}</span>, \
         <time datetime=\"{}\">{}</time></p>\n<p class=\"summary\">{}</p>\n\
         <p>More is not known at this hour.</p>\n</article>\n",
        escaped(article.author),
        article.published,
        &article.published[..10],
        escaped(&article.summary)
    );
    Some(Reply::html(document(&article.title, &body)))
}

fn front() -> String {
    let mut html = String::from(
        "<h1>The Harbour News</h1>\n<p><a href=\"/about.html\">About</a> \
         <a href=\"/archive/\">Archive</a> <a href=\"/feed.rss\">RSS</a> \
         <a href=\"/feed.atom\">Atom</a></p>\n<ul class=\"headlines\">\n",
    );
    for article in News::newest().iter().take(ON_FRONT) {
        let title = escaped(&article.title);
        let _ = writeln!(html, "<li><a href=\"{}\">{title}</a></li>", article.path());
    }
    html += "</ul>\n";
    document("The Harbour News", &html)
}

fn plain(title: &str, text: &str) -> Reply {
    Reply::html(document(title, &format!("<h1>{title}</h1>\n<p>{text}</p>\n")))
}

/// Of all three kinds of sitemaps.
const SITEMAP_NS: &str = "http://www.sitemaps.org/schemas/sitemap/0.9";

fn sitemap_index(base: &str) -> String {
    let mut xml = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<sitemapindex xmlns=\"{SITEMAP_NS}\">\n"
    );
    for name in ["sitemap-old.xml.gz", "sitemap-new.xml", "sitemap-pages.xml"] {
        let _ = writeln!(xml, "<sitemap><loc>{base}/{name}</loc></sitemap>");
    }
    xml += "</sitemapindex>\n";
    xml
}

fn sitemap(articles: impl Iterator<Item = Article>, base: &str) -> String {
    let url = |article: Article| {
        let (path, published) = (article.path(), &article.published);
        format!("<url><loc>{base}{path}</loc><lastmod>{published}</lastmod></url>\n")
    };
    urlset(&articles.map(url).collect::<String>())
}

fn urlset(urls: &str) -> String {
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<urlset xmlns=\"{SITEMAP_NS}\">\n{urls}</urlset>\n"
    )
}

/// RSS 2.0.
fn rss(base: &str) -> String {
    let mut xml = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
         <rss version=\"2.0\" xmlns:dc=\"http://purl.org/dc/elements/1.1/\">\n<channel>\n\
         <title>The Harbour News</title>\n<link>{base}/</link>\n\
         <description>Newest first</description>\n"
    );
    for article in News::newest() {
        let link = format!("{base}{}", article.path());
        let _ = write!(
            xml,
            "<item>\n<title>{}</title>\n<link>{link}</link>\n<guid>{link}</guid>\n\
             <dc:creator>{}</dc:creator>\n<category>{}</category>\n<pubDate>{}</pubDate>\n\
             <description><![CDATA[<p>{}</p>]]></description>\n</item>\n",
            escaped(&article.title),
            escaped(article.author),
            article.section,
            article.published_rfc822(),
            escaped(&article.summary)
        );
    }
    xml += "</channel>\n</rss>\n";
    xml
}

/// RFC 4287.
fn atom(base: &str) -> String {
    let newest = News::newest();
    let updated = newest.first().map_or("", |article| &article.published);
    let mut xml = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<feed xmlns=\"http://www.w3.org/2005/Atom\">\n\
         <title>The Harbour News</title>\n<id>{base}/</id>\n<updated>{updated}</updated>\n\
         <link rel=\"self\" href=\"{base}/feed.atom\"/>\n"
    );
    for article in &newest {
        let _ = write!(
            xml,
            "<entry>\n<title>{}</title>\n<link href=\"{}\"/>\n<id>{base}{}</id>\n\
             <updated>{}</updated>\n<author><name>{}</name></author>\n\
             <category term=\"{}\"/>\n<summary>{}</summary>\n</entry>\n",
            escaped(&article.title),
            article.path(),
            article.path(),
            article.published,
            escaped(article.author),
            article.section,
            escaped(&article.summary)
        );
    }
    xml += "</feed>\n";
    xml
}

#[cfg(test)]
mod tests;
