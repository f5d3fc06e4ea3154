//! Soups of tags, and pages as careless hands change them: by the thousand, the same ones each time.

use super::agrees;
use crate::markup::outline::Ambiguous;

/// Numbers without end, the same ones each time.
pub(super) struct Random(pub(super) u64);

impl Random {
    pub(super) fn next(&mut self, below: usize) -> usize {
        // xorshift64* (Vigna 2016).
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) as usize % below
    }

    pub(super) fn pick<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.next(of.len())]
    }
}

pub(super) const TAGS: &[&str] = &[
    "a",
    "a",
    "a",
    "b",
    "i",
    "em",
    "font",
    "nobr",
    "code",
    "p",
    "p",
    "div",
    "div",
    "span",
    "ul",
    "ol",
    "li",
    "li",
    "dl",
    "dt",
    "dd",
    "table",
    "table",
    "tbody",
    "thead",
    "tfoot",
    "tr",
    "tr",
    "td",
    "td",
    "th",
    "caption",
    "colgroup",
    "col",
    "h1",
    "h2",
    "form",
    "button",
    "select",
    "option",
    "optgroup",
    "input",
    "textarea",
    "pre",
    "listing",
    "script",
    "style",
    "title",
    "noscript",
    "iframe",
    "template",
    "svg",
    "math",
    "desc",
    "foreignObject",
    "mi",
    "mtext",
    "annotation-xml",
    "g",
    "path",
    "br",
    "img",
    "hr",
    "image",
    "area",
    "meta",
    "link",
    "base",
    "head",
    "body",
    "html",
    "ruby",
    "rt",
    "rp",
    "rb",
    "rtc",
    "object",
    "applet",
    "marquee",
    "address",
    "section",
    "search",
    "blockquote",
    "x-y",
    "plaintext",
    "xmp",
    "noembed",
    "noframes",
    "frameset",
    "center",
    "dialog",
    "main",
    "keygen",
    "wbr",
    "param",
    "source",
    "mglyph",
    "malignmark",
    "isindex",
    "unknown",
    "small",
];

const ATTRS: &[&str] = &[
    "",
    "",
    "",
    "",
    " href=x",
    " href='?a=1&amp;b'",
    " HREF=\"y\"",
    "/",
    " /",
    " a=/",
    " type=hidden",
    " color=red",
    " encoding='text/html'",
    " xlink:href=z",
    " viewBox='0 0'",
    " class='a b' id=c",
    " class=a",
    " CLASS=\"b\ta\"",
    " class=x&#32;a",
    " class=B",
    " a a=2",
    " =x",
    " b='\r\n'",
];

const TEXTS: &[&str] = &[
    "x",
    " ",
    "\n",
    "\r\n",
    "a &amp; b",
    "&#32;",
    "&nbsp;",
    "&#10;",
    "y\rz",
    "<",
    "< ",
    "</",
    "&lt;p>",
    "\t\u{c}",
    "é",
    "&copy",
    "<!-- c -->",
    "<!--",
    "-->",
    "<![CDATA[ d ]]>",
    "<![CDATA[",
    "]]>",
    "<?pi?>",
    "<!doctype html>",
    "</>",
    "</ >",
];

pub(super) fn soup(random: &mut Random, tags: &[&str], n: usize) -> String {
    let mut html = String::new();
    if random.next(2) == 0 {
        html.push_str("<!DOCTYPE html>");
    }
    for _ in 0..n {
        match random.next(10) {
            0..=4 => {
                html.push('<');
                html.push_str(random.pick(tags));
                html.push_str(random.pick(ATTRS));
                html.push('>');
            }
            5..=7 => {
                html.push_str("</");
                html.push_str(random.pick(tags));
                html.push('>');
            }
            _ => html.push_str(random.pick(TEXTS)),
        }
    }
    html
}

/// How many cases a test runs: few by default, for it is fast then.
pub(super) fn n_cases(default: usize) -> usize {
    let asked = std::env::var("CRAWL_CASES").ok();
    asked.map_or(default, |n| n.parse().expect("CRAWL_CASES is a number"))
}

#[test]
fn any_soup_of_tags_agrees() {
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    let (mut told, n) = (0, n_cases(2000));
    for case in 0..n {
        // A few names at a time, so that they meet.
        let len = 3 + random.next(8);
        let tags: Vec<_> = (0..len).map(|_| random.pick(TAGS)).collect();
        let html = soup(&mut random, &tags, 4 + case % 30);
        told += usize::from(agrees(&html).is_ok());
    }
    assert!(told > n / 4, "only {told} of {n} were told");
    println!("{told} of {n} told");
}

/// Pages as people write them.
pub(super) const PAGES: [&str; 5] = [
    "<!DOCTYPE html>\n<html lang=en>\n<head>\n<meta charset=utf-8>\n<title>Tea &amp; cakes</title>\n\
     <base href='/shop/'>\n<link rel=canonical href=x><link rel='alternate' hreflang=de href=/de>\n\
     <style>a{background:url(x.png)}</style><script>if (a < b) document.write('<a href=no>')</script>\n\
     </head>\n<body class=\"a b\">\n<header><a href=\"/\">Home</a></header>\n<ul>\n<li><a href=1>One</a>\n\
     <li><a href='2?a=1&amp;b=2'>Two <b>bold</b></a></li>\n</ul>\n<p>First<p>Second <i>i</i>\n\
     <div><a href=3 rel=nofollow><img src=i.png srcset='i1.png 1x, i2.png 2x'>Three</a></div>\n</body>\n</html>\n",
    "<html><head><title>T</title></head><body bgcolor=white><center><table border=0><tr><td><a href=1>\
     <font color=red size=2>One</font></a><td><a href=2>Two</a><tr><th colspan=2>Head<tr><td>&nbsp;</table>\
     </center><hr><dl><dt>Term<dd>Text <a name=x>anchor</a><dt>Term<dd><form action=/go><input name=q>\
     <input type=submit formaction=/x><select name=s><option>1<option selected>2</select></form></dl>\
     <map name=m><area href=3 rel=x><area href=#f></map><pre>\n  code &lt;b>\n</pre></body></html>",
    "<!doctype html><body><article><h1>Title</h1><p>Text with <em>em <strong>strong</strong></em>, \
     <code>code</code> and <a href=n>a link</a>.</p><blockquote>Quote<cite>who</cite></blockquote>\
     <figure><img src=f.png><figcaption>Caption</figcaption></figure><ruby>x<rp>(<rt>y<rp>)</ruby>\
     <svg viewBox='0 0 1 1'><title>Tip</title><a xlink:href=s><text>svg</text></a><path d='M0'/>\
     <foreignObject><p>html <a href=fo>in svg</a></p></foreignObject></svg>\
     <math><mi>x</mi><mo>+</mo><annotation-xml encoding='text/html'><b>b</b></annotation-xml></math>\
     <noscript><a href=ns>no script</a></noscript><template><li><a href=t>template</a></template></article>",
    "<?xml version='1.0'?><!DOCTYPE html PUBLIC '-//W3C//DTD XHTML 1.0 Transitional//EN' 'x'>\r\n\
     <html xmlns='http://www.w3.org/1999/xhtml'>\r\n<head><meta http-equiv='refresh' content='5; url=/next' />\r\n\
     <meta name='robots' content='noindex' /></head>\r\n<body>\r\n<!-- comment --><p align='left'>Text<br />\r\n\
     <table>\r\n<caption>C</caption><colgroup><col /><col /></colgroup><thead><tr><th>H</th></tr></thead>\r\n\
     <tbody><tr><td><a href='1'>1</a></td></tr></tbody></table>\r\n<iframe src='f.html'>x</iframe>\
     <object data='o'><param name='a' /><a href='2'>2</a></object><textarea>\r\n<a href=no></textarea>\
     <button type=submit>B</button></body></html>\r\n",
    "<div><a href=1>unclosed <div>block</div><ul><li>x</a><li>y<b>bold<li>z</ul>text</div><p>p<table><tr><td>x\
     </table><nav><a href=2>2<a href=3>3</nav><address>a<p>b</address><details><summary>s</summary>d</details>",
];

/// Changes a page a little, as careless hands do: cuts, doubles, moves, adds.
pub(super) fn mutate(page: &str, random: &mut Random) -> String {
    let mut parts: Vec<String> = Vec::new();
    for piece in page.split_inclusive('>') {
        let (text, tag) = piece.split_at(piece.find('<').unwrap_or(piece.len()));
        parts.extend([text, tag].map(str::to_owned));
    }
    for _ in 0..1 + random.next(4) {
        let (at, other) = (random.next(parts.len()), random.next(parts.len()));
        match random.next(7) {
            0 | 1 => parts[at].clear(),
            2 => parts[at] = parts[other].clone(),
            3 => parts.swap(at, other),
            4 => parts[at] = soup(random, TAGS, 1).replace("<!DOCTYPE html>", ""),
            5 => {
                // Any character may be lost.
                let end = random.next(parts[at].len() + 1);
                let keep = parts[at].char_indices().filter(|(place, _)| *place != end);
                parts[at] = keep.map(|(_, c)| c).collect();
            }
            _ if random.next(20) == 0 => parts.truncate(at + 1),
            _ => parts[at].push_str(random.pick(TEXTS)),
        }
    }
    parts.concat()
}

#[test]
fn mutated_pages_agree() {
    let mut random = Random(0x5851_f42d_4c95_7f2d);
    let (mut told, n) = (0, n_cases(500));
    for page in PAGES {
        assert_eq!(agrees(page).err(), page.starts_with("<div>").then_some(Ambiguous::Misnested));
    }
    for case in 0..n {
        told += usize::from(agrees(&mutate(PAGES[case % PAGES.len()], &mut random)).is_ok());
    }
    println!("{told} of {n} told");
    assert!(told > n / 3, "only {told} of {n} were told");
}
