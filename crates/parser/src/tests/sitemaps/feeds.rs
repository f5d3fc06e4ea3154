//! RSS and Atom: their entries are those of a sitemap.

use super::check;

/// Checks what is in the one item of an RSS feed.
#[track_caller]
fn item(inner: &str, expected: &[&str]) {
    check(
        &format!(
            "<rss version='2.0' xmlns:atom='http://www.w3.org/2005/Atom'><channel><link>http://h/home</link><item>{inner}</item></channel></rss>"
        ),
        expected,
    );
}

/// Checks what is in the one entry of an Atom feed.
#[track_caller]
fn entry(inner: &str, expected: &[&str]) {
    check(
        &format!(
            "<feed xmlns='http://www.w3.org/2005/Atom'><link href='/home'/><updated>1999</updated><entry>{inner}</entry></feed>"
        ),
        expected,
    );
}

#[test]
fn rss_items_have_links_and_dates() {
    item(
        "<title>t</title><link>http://h/a</link><pubDate>Sat, 17 May 2003 19:00:00 GMT</pubDate>",
        &["/a 2003-05-17T19:00:00+00:00"],
    );
    item(
        "<link>a&amp;b</link><pubDate>17 May 03 9:00 EST</pubDate>",
        &["/d/a&b 2003-05-17T09:00:00-05:00"],
    );
    item("<link><![CDATA[\n/a\n]]></link><pubDate>yesterday</pubDate>", &["/a"]);
    item("<atom:link href='/no'/><link>/a</link><atom:updated>2005</atom:updated>", &["/a"]);
    item("<link xmlns='http://www.w3.org/2005/Atom' href='/no'/><link>/a</link>", &["/a"]);
    item("<guid>http://h/guid</guid><link>/a</link>", &["/a"]);
    item("<guid>http://h/guid</guid>", &["/guid"]);
    item("<guid isPermaLink='true'>http://h/guid</guid><link/>", &["/guid"]);
    item("<guid isPermaLink='false'>http://h/guid</guid>", &[]);
    item("<guid>tag:h,2005:1</guid>", &[]);
    item("<guid>12345</guid>", &[]);
    item("<link>mailto:a@b</link><guid>http://h/guid</guid>", &["/guid"]);
    item(
        "<enclosure url='http://h/e.mp3'/><comments>http://h/c</comments><source url='http://h/s'>s</source>",
        &[],
    );
    item(
        "<link>/a</link><dc:date xmlns:dc='http://purl.org/dc/elements/1.1/'>2005-01-01T10:00Z</dc:date>",
        &["/a 2005-01-01T10:00Z"],
    );
    item(
        "<link>/a</link><dc:date>2005</dc:date><pubDate>1 Jan 2006 00:00 GMT</pubDate>",
        &["/a 2006-01-01T00:00:00+00:00"],
    );
    item("<description>a<br>b & c <p>&nbsp;<link>/no</link></description><link>/a</link>", &["/a"]);
    item("<media:group xmlns:media='m'><link>/no</link></media:group><link>/a</link>", &["/a"]);
}

#[test]
fn rss_of_all_versions_is_read() {
    check(
        "<rdf:RDF xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#' xmlns='http://purl.org/rss/1.0/' xmlns:dc='http://purl.org/dc/elements/1.1/'>
         <channel rdf:about='http://h/c'><link>http://h/home</link><items><rdf:Seq><rdf:li resource='http://h/a'/></rdf:Seq></items></channel>
         <image><link>http://h/image</link></image>
         <item rdf:about='http://h/about'><link>http://h/a</link><dc:date>2005-01-01</dc:date></item>
         <item rdf:about='http://h/b'><title>t</title></item><textinput><link>http://h/t</link></textinput></rdf:RDF>",
        &["/a 2005-01-01", "/b"],
    );
    check(
        "<rdf:RDF xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#' xmlns='http://my.netscape.com/rdf/simple/0.9/'>\
         <channel><link>/c</link></channel><item><title>t</title><link>/a</link></item></rdf:RDF>",
        &["/a"],
    );
    check(
        "<r:RDF xmlns:r='http://www.w3.org/1999/02/22-rdf-syntax-ns#' xmlns:s='http://purl.org/rss/1.0/'><s:item><s:link>/a</s:link></s:item></r:RDF>",
        &["/a"],
    );
    check(
        "<rss version='0.91'><channel><item><link>/a</link></item><item><link>/b</link></item></channel></rss>",
        &["/a", "/b"],
    );
    check(
        "<rss xmlns='http://backend.userland.com/rss2'><channel><item><link>/a</link></item></channel></rss>",
        &["/a"],
    );
    check("<channel><item><link>/a</link></item></channel>", &["/a"]);
}

#[test]
fn atom_entries_have_alternates_and_dates() {
    entry(
        "<link href='/a'/><updated>2003-12-13T18:30:02.25+01:00</updated>",
        &["/a 2003-12-13T18:30:02.25+01:00"],
    );
    entry(
        "<link rel='self' href='/s'/><link rel='alternate' href='/a'/><link rel='edit' href='/e'/>",
        &["/a"],
    );
    entry("<link rel='enclosure' href='/e.mp3'/><id>http://h/id</id>", &[]);
    entry(
        "<link rel='alternate' type='text/plain' href='/t'/><link rel='alternate' type='text/html' href='/a'/>",
        &["/a"],
    );
    entry("<link type='application/pdf' href='/p'/>", &["/p"]);
    entry("<link type='application/xhtml+xml' href='/a'/><link href='/b'/>", &["/a"]);
    entry("<link rel='http://www.iana.org/assignments/relation/alternate' href='/a'/>", &["/a"]);
    entry("<link href=' a?b&amp;c '/>", &["/d/a?b&c"]);
    entry("<link/><link href=''/><link href='ftp://h/'/><link href='/a'/>", &["/a"]);
    entry("<link href='/a'/><published>2005</published>", &["/a 2005"]);
    entry("<link href='/a'/><published>2005</published><updated>2006</updated>", &["/a 2006"]);
    entry("<link href='/a'/><updated>no</updated><published>2005</published>", &["/a 2005"]);
    entry("<source><link href='/s'/><updated>1999</updated></source><link href='/a'/>", &["/a"]);
    entry(
        "<content type='xhtml'><div xmlns='http://www.w3.org/1999/xhtml'><link href='/no'/></div></content><link href='/a'/>",
        &["/a"],
    );
    entry("<x:link xmlns:x='y' href='/no'/><link href='/a'/>", &["/a"]);
    check(
        "<a:feed xmlns:a='http://www.w3.org/2005/Atom'><a:entry><a:link href='/a'/></a:entry></a:feed>",
        &["/a"],
    );
    check("<entry xmlns='http://www.w3.org/2005/Atom'><link href='/a'/></entry>", &["/a"]);
    check(
        "<feed version='0.3' xmlns='http://purl.org/atom/ns#'><entry><link rel='alternate' type='text/html' href='/a'/>\
         <issued>2003</issued><modified>2004</modified><created>2002</created></entry></feed>",
        &["/a 2004"],
    );
}

#[test]
fn bases_in_the_document_hold_for_what_is_in_them() {
    check(
        "<feed xml:base='http://x/f/'><entry><link href='a'/></entry><entry xml:base='e/'><link href='b'/></entry>\
         <entry><link xml:base='/l/' href='c'/></entry><entry xml:base='mailto:x'><link href='d'/></entry></feed>",
        &["http://x/f/a", "http://x/f/e/b", "http://x/l/c", "http://x/f/d"],
    );
    check(
        "<rss><channel xml:base='/c/'><item><link xml:base='i/'>a</link></item></channel></rss>",
        &["/c/i/a"],
    );
}
