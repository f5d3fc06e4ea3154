//! Makes inputs: honest documents, taken apart and put together wrong.

/// Documents to begin with.
const HTML: &[&str] = &[
    "<!DOCTYPE html><html lang=en><head><meta charset=utf-8><title>T &amp; t</title><base href=/b/>\
     <meta name=robots content='index,nofollow'><meta http-equiv=refresh content='0; url=x'></head>\
     <body><p>one<p>two <a href='a?x=1&amp;y=2#f' rel='nofollow ugc'>t<b>e</b>xt</a></body></html>",
    "<table><caption>c</caption><tr><th>a<td>b<tr><td colspan=2><a href=//o.test/>x</a></table>after",
    "<ul><li>1<li>2<ul><li>3</ul></ul><dl><dt>a<dd>b</dl><select><option>1<option selected>2</select>",
    "<svg><title>t</title><a href=x>y</a><foreignObject><p>z</p></foreignObject></svg><math><mi>x</mi></math>",
    "<script>if (a < b) '<\\/script>' <!-- <script> </script> --></script><style>a{}</style><textarea>\n<a></textarea>",
    "<template><a href=no>x</a></template><noscript><a href=yes>x</a></noscript><iframe><a></iframe>",
    "<b><i>x</b>y</i><a>1<a>2</a><p><b>1<p>2</b><form><input name=a value=b><form></form>",
    "<article itemscope itemtype=http://s.test/T><h1 itemprop=name>N</h1></article>\
     <script type=application/ld+json>{\"@type\":\"T\",\"a\":[1,{}]}</script>",
];
const XML: &[&str] = &[
    "<?xml version=\"1.0\" encoding=\"UTF-8\"?><urlset xmlns=\"http://www.sitemaps.org/schemas/sitemap/0.9\">\
     <url><loc>http://h.test/a?b&amp;c</loc><lastmod>2020-01-02</lastmod><priority>0.5</priority></url></urlset>",
    "<rss version=\"2.0\"><channel><link>http://h.test/</link><item><title>x</title><link>/1</link>\
     <pubDate>Sat, 07 Sep 2002 00:00:01 GMT</pubDate></item></channel></rss>",
    "<feed xmlns=\"http://www.w3.org/2005/Atom\" xml:base=\"/b/\"><entry><link href=\"1\"/>\
     <updated>2003-12-13T18:30:02Z</updated></entry></feed>",
    "<!DOCTYPE x [<!ENTITY a \"b\"><!ENTITY c \"&a;&a;&a;\">]><sitemapindex><sitemap><loc>&c;</loc></sitemap></sitemapindex>",
    "http://h.test/1\nhttp://h.test/2\r\n\n# no\n/3\n",
];
const XPATHS: &[&str] = &[
    "//a[@href]/@href", "count(//p[position()=last()])", "//li[2]/following-sibling::*[1]",
    "string(//h1 | //h2)", "//*[contains(concat(' ', @class, ' '), ' x ')]", "sum(//td) div 2 * -3",
    "//p[not(.//b) and normalize-space()]", "re:test('a', 'b')", "//a[has-class('x')]/ancestor::*",
    "substring('12345', 0 div 0, 3)", "//a/preceding::text()[1]", "*[*[*]]//*", "translate('a','b','c')",
];
const SELECTORS: &[&str] = &[
    "a[href^='http' i]", "ul > li:nth-child(2n+1 of .x)", ":is(a, b):not(:has(> i))", "p ~ p + p::text",
    "table td:nth-last-of-type(2)", "*::attr(href)", "a:contains('x')", ":scope > *", "#id.cl:where(p)",
    "[a|=b], [c~=d], [e$=f]", "li:first-child:last-child", "svg|a", "*|*",
];
const TYPES: &[&str] = &[
    "text/html; charset=utf-8", "text/html;charset=\"shift_jis\"", "application/xml", "text/plain",
    "text/html; charset=utf-16", "image/png", "application/json", ";;=\"\\", "text/html; charset=iso-2022-jp",
];
const URLS: &[&str] = &[
    "http://u:p@h.test:80/a/./b/../c?d=e&f#g", "///h.test/p", "http:\\\\h\\p", "//[::1]:8/", "?%zz%41", "x/../../..",
    "https://\u{fc}\u{df}.test/\u{e9}?\u{e9}", "http://0x7f.1/", "ht\ttp://h/\n", "%2e%2E/%2f", "http://h:99999/", "mailto:a@b",
];
/// Paths to ask a robots.txt about.
const PATHS: &[&str] = &[
    "a/b.html?c=d", "%7Ejoe/\u{e9}", "shop/item-1?x=*&y=$", "aaaaaaaaaaaaaaaaaaaaaaaa", "robots.txt", "%2F%2f/%zz%",
];
const ROBOTS: &[&str] = &[
    "User-agent: *\nDisallow: /shop/*?x=\nAllow: /shop/item\nDisallow: /*.html$\nCrawl-delay: 2.5\n",
    "\u{feff}useragent ExampleBot/1.0\r\nUSER AGENT: a\rCrawl-delay: 1\nDissallow : /%7ejoe # x\nAllow: /\u{e9}$\n",
    "User-agent: a\nDisallow: /a*a*a*a*a*a*a*b\nAllow: /%2A%24*$\nDisallow:\n\nUser-agent: *\nDisallow: /\n",
    "Sitemap: http://h.test/s.xml\nsite-map /t.xml\nSitemap: http://h.test/s.xml\nHost: h.test\n\n",
    "Disallow: /early\nUser-agent: b\nUser-agent: *\nNoindex: /\nAllow: *\nDisallow: $\nDisallow: /$$\n",
];
/// Pieces that are awkward wherever they stand.
const PIECES: &[&str] = &[
    "<", ">", "&", "\"", "'", "/", "=", "!", "-", "--", "<!--", "-->", "<!", "<?", "</", "]]>", "<![CDATA[", "\0", "\r\n",
    "<a href=", "<a>", "</a>", "<b>", "</b>", "<p>", "</p>", "<div>", "</div>", "<table>", "<td>", "</table>", "<li>",
    "<svg>", "</svg>", "<math>", "<template>", "</template>", "<select>", "<script>", "</script>", "<plaintext>", "<frameset>",
    "&#x0;", "&#1114112;", "&notit;", "&amp", "\u{feff}", "\u{10ffff}", "charset=", "<meta charset=", "<base href=", "()", "[", "]",
    "((((((((", "]]]]]]]]", "//", "::", ":not(", "@", "*", "|", ",", "1e999", "-1", "{\"a\":", "[[[[", "\\", "%", "#",
];

/// A small generator of random numbers (splitmix64).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Below `n`, or 0.
    fn below(&mut self, n: usize) -> usize {
        (self.next() % n.max(1) as u64) as usize
    }

    fn of<'a>(&mut self, list: &[&'a str]) -> &'a str {
        list[self.below(list.len())]
    }
}

/// The input of a target for a seed.
pub(crate) fn input(target: &str, seed: u64) -> Vec<u8> {
    let mut random = Random(seed);
    let mut out = match target {
        "xpath" => line(&mut random, XPATHS),
        "select" => line(&mut random, SELECTORS),
        "decode" | "sniff" => line(&mut random, TYPES),
        "url" => line(&mut random, URLS),
        "robots" => line(&mut random, PATHS),
        _ => Vec::new(),
    };
    let sources = match target {
        "sitemap" => XML,
        "url" => URLS,
        "robots" => ROBOTS,
        _ if random.below(8) == 0 => XML,
        _ => HTML,
    };
    out.extend(document(&mut random, sources));
    out
}

/// One of `list`, spoilt now and then, and a line feed.
fn line(random: &mut Random, list: &[&str]) -> Vec<u8> {
    let mut text = random.of(list).as_bytes().to_vec();
    if random.below(3) > 0 {
        let n = 1 + random.below(4);
        spoil(random, &mut text, list, n);
    }
    text.retain(|&byte| byte != b'\n');
    text.push(b'\n');
    text
}

fn document(random: &mut Random, sources: &[&str]) -> Vec<u8> {
    let mut out = random.of(sources).as_bytes().to_vec();
    let n = random.below(24);
    spoil(random, &mut out, sources, n);
    // Now and then one piece is repeated until it would show if anything grew with its square.
    if random.below(40) == 0 {
        let piece = random.of(PIECES).repeat(1 + random.below(3));
        let at = random.below(out.len());
        let many = piece.as_bytes().repeat(1 + random.below(20_000) / piece.len().max(1));
        out.splice(at..at, many);
    }
    out
}

/// Spoils a document in `n` places.
fn spoil(random: &mut Random, out: &mut Vec<u8>, sources: &[&str], n: usize) {
    for _ in 0..n {
        let (from, len) = (random.below(out.len()), random.below(40));
        let to = (from + len).min(out.len());
        match random.below(8) {
            0 => drop(out.drain(from..to)),
            1 | 2 => drop(out.splice(from..from, random.of(PIECES).bytes())),
            3 => {
                let piece = out[from..to].to_vec();
                let at = random.below(out.len());
                out.splice(at..at, piece);
            }
            4 => drop(out.splice(from..to, random.of(sources).bytes())),
            5 if !out.is_empty() => out[from] = random.next() as u8,
            6 => out.truncate(to),
            _ => {
                let piece = random.of(PIECES).repeat(1 + random.below(6));
                out.splice(from..to, piece.bytes());
            }
        }
        out.truncate(1 << 16);
    }
}
