//! All that is said of an entry.

use crawl_spider::{EntryKind, Value, json};

use crate::page_from_body;

#[track_caller]
fn check(content_type: &str, body: impl AsRef<[u8]>, expected: Value) {
    let page = page_from_body("http://h/d/list", content_type, body).unwrap();
    assert_eq!(json!(page.page().entries()), expected);
}

#[test]
fn a_sitemap_says_all_of_its_pages() {
    let xml = "<urlset><url><loc>a</loc><lastmod>2024-05-01</lastmod><changefreq>daily</changefreq>\
               <priority>0.5</priority><xhtml:link rel='alternate' hreflang='de' href='/de'/>\
               <xhtml:link rel='alternate' href='mailto:x'/></url></urlset>";
    let alternates = json!([{"url": "http://h/de", "language": "de"}]);
    check(
        "text/xml",
        xml,
        json!([{"url": "http://h/d/a", "kind": "page", "lastmod": "2024-05-01",
            "changefreq": "daily", "priority": 0.5, "alternates": alternates}]),
    );
    let index = "<sitemapindex><sitemap><loc>/s</loc></sitemap></sitemapindex>";
    check("text/xml", index, json!([{"url": "http://h/s", "kind": "sitemap"}]));
}

#[test]
fn rss_says_all_of_its_items() {
    let xml = "<rss xmlns:dc='http://purl.org/dc/elements/1.1/' \
        xmlns:content='http://purl.org/rss/1.0/modules/content/' xmlns:media='urn:m'><channel>\
        <title>no</title><description>no</description><item><title>A &amp; B</title>\
        <link>/1</link><guid>http://h/1</guid><description><![CDATA[<p>short</p>]]></description>\
        <content:encoded>&lt;p&gt;long&lt;/p&gt;</content:encoded><dc:creator>Jo</dc:creator>\
        <author>jo@h (Jo)</author><category>x</category><category>y</category>\
        <pubDate>Sat, 06 Jan 2024 10:00:00 +0100</pubDate><media:title>no</media:title>\
        <enclosure url='/a.mp3' type='audio/mpeg' length='12'/></item></channel></rss>";
    check(
        "text/xml",
        xml,
        json!([{"url": "http://h/1", "kind": "news", "lastmod": "2024-01-06T10:00:00+01:00",
            "id": "http://h/1", "title": "A & B", "summary": "<p>short</p>",
            "content": "<p>long</p>", "author": "Jo",
            "published": "2024-01-06T10:00:00+01:00", "categories": ["x", "y"],
            "enclosures": [{"url": "http://h/a.mp3", "type": "audio/mpeg", "length": 12}]}]),
    );
}

#[test]
fn atom_says_all_of_its_entries() {
    let xml = "<feed xmlns='http://www.w3.org/2005/Atom'><title>no</title><entry><title>T</title>\
        <id>urn:1</id><link href='/1'/><link rel='enclosure' href='/a.ogg' type='audio/ogg'/>\
        <author><name> Jo </name><email>no</email></author><author><name>Al</name></author>\
        <updated>2024-02-01T00:00:00Z</updated><published>2024-01-01T00:00:00Z</published>\
        <summary>s</summary><content type='html'>&lt;b&gt;</content><category term='x'/>\
        <category term=''/></entry><entry><title>bare</title></entry></feed>";
    check(
        "application/atom+xml",
        xml,
        json!([{"url": "http://h/1", "kind": "news", "lastmod": "2024-02-01T00:00:00Z",
            "id": "urn:1", "title": "T", "summary": "s", "content": "<b>", "author": "Jo",
            "published": "2024-01-01T00:00:00Z", "categories": ["x"],
            "enclosures": [{"url": "http://h/a.ogg", "type": "audio/ogg"}]},
            {"kind": "news", "title": "bare"}]),
    );
}

#[test]
fn what_is_no_list_has_no_entries() {
    for (content_type, body) in [
        ("text/html", "<p>http://h/</p>"),
        ("text/plain", "hello\nhttp://h/1\n"),
        ("text/xml", "<note><url><loc>/a</loc></url></note>"),
        ("text/plain", ""),
        ("image/png", "http://h/1"),
    ] {
        check(content_type, body, json!([]));
    }
    check(
        "text/plain",
        "http://h/1\nb\n",
        json!([
            {"url": "http://h/1", "kind": "page"},
            {"url": "http://h/d/b", "kind": "page"}
        ]),
    );
}

#[test]
fn what_is_kept_is_in_proportion_to_the_document() {
    let base = "x".repeat(2000);
    let xml = format!(
        "<urlset xml:base='http://h/{base}/'>{}</urlset>",
        "<url><loc>a</loc></url>".repeat(20_000)
    );
    let page = page_from_body("http://h/", "text/xml", &xml).unwrap();
    let entries = page.page().entries();
    let n_bytes: usize = entries.iter().map(|e| e.url.as_ref().unwrap().as_str().len()).sum();
    assert!(n_bytes <= 1024 * 1024 + 4 * xml.len() && entries.len() > 1000);
    assert!(entries.iter().all(|entry| entry.kind == EntryKind::Page));
}
