//! Markdown and the main text.

use crate::page_from_html;

#[track_caller]
fn check(html: &str, expected: &str) {
    let test = page_from_html("http://h/d/p", html).unwrap();
    assert_eq!(test.page().markdown(), expected, "{html}");
}

#[test]
fn paragraphs_headings_and_breaks() {
    check("<p>a\n  b</p><p> c", "a b\n\nc");
    check("a<div>b</div>c", "a\n\nb\n\nc");
    check("<h1>A <em>b</em></h1><h3>C<br>d</h3>x", "# A *b*\n\n### C d\n\nx");
    check("<h2><div>A</div><div>B</div></h2>", "## A B");
    check("<h2></h2><h2>C #</h2>", "## C \\#");
    check("a<br>b<br/> c", "a  \nb  \nc");
    check("a<br><br>b<br> <br><br>c<br>", "a\n\nb\n\nc");
    check("a<hr>b", "a\n\n---\n\nb");
    check("<title>T</title><style>s</style><script>x</script>y<template>t</template>", "y");
    check("<p hidden>a<p style='color:red;DISPLAY : none'>b<p>c", "c");
    check("<p>a<noscript><img src=x></noscript><noscript>words</noscript>", "awords");
    check("a &nbsp;b", "a \u{a0}b");
    check("", "");
}

#[test]
fn emphasis_sticks_to_its_words() {
    check("a<b> b </b>c", "a **b** c");
    check("<b>a</b><b>b</b> <strong>c<b>d</b></strong>", "**ab** **cd**");
    check("<i><b>a</b> b</i>", "***a** b*");
    check("a<i></i><b> </b>b", "a b");
    check("foo<b>bar</b>baz", "foo**bar**baz");
    check("foo<b>(bar)</b>baz", "foo<strong>(bar)</strong>baz");
    check("<b>a.</b>b", "<strong>a.</strong>b");
    check("<b>a.</b> b", "**a.** b");
    check("<s>a</s> H<sub>2</sub>O x<sup>2</sup>", "~~a~~ H<sub>2</sub>O x<sup>2</sup>");
    check("<b>a<p>b</p>c</b>", "**a**\n\n**b**\n\n**c**");
    check("<i>a</i><b>b</b>", "*a*<strong>b</strong>");
    check("<b>a <i>b</i></b><b>c</b>", "**a *b***<strong>c</strong>");
    check("<i>a.<b>(b</b>c</i>", "*a.<strong>(b</strong>c*");
    check("a<i><s>b</s></i>", "a<em>~~b~~</em>");
    check("<q>a <b>b</b></q>", "\"a **b**\"");
}

#[test]
fn text_stays_text() {
    check("1 * 2 _a_ b_c `x` [y] \\ ~", "1 \\* 2 \\_a\\_ b_c \\`x\\` \\[y\\] \\\\ \\~");
    check(
        "&lt;b> a < b &amp;lt; a & b AT&T; &amp;#38;",
        "\\<b> a < b \\&lt; a & b AT\\&T; \\&#38;",
    );
    check(
        "<p># a<p>1. b<p>- c<p>+ d<p>> e<p>--- <p>1.5<p>#f",
        "\\# a\n\n1\\. b\n\n\\- c\n\n\\+ d\n\n\\> e\n\n\\---\n\n1.5\n\n#f",
    );
    check("a<br>===<br>- b", "a  \n\\===  \n\\- b");
    check("wow!<a href=x>y</a>", "wow\\![y](http://h/d/x)");
    check("a\0b", "ab");
}

#[test]
fn links_and_images_are_absolute() {
    check("<a href=x>y</a>", "[y](http://h/d/x)");
    check(
        "<base href=http://b/><a href='?q#f' title='T \"u\"'>y</a>",
        "[y](http://b/?q#f \"T \\\"u\\\"\")",
    );
    check("<a href=#f>y</a><a href=x></a><a name=n>z</a>", "[y](http://h/d/p#f)z");
    check("<a href=mailto:a@b>m</a> <a href='javascript:x()'>j</a>", "[m](mailto:a@b) j");
    check("<a href='a b(c)'>y</a>", "[y](<http://h/d/a%20b(c)>)");
    check("<a href=x><h3>T</h3><p>d</p></a>", "### [T](http://h/d/x)\n\n[d](http://h/d/x)");
    check("<a href=x> y </a>z", "[y](http://h/d/x) z");
    check("<h2>T<a href=#t>¶</a></h2>", "## T");
    check("<b><a href=#t>#</a></b>x", "x");
    check("<img src=i.png alt='a [b]' title=t>", "![a \\[b\\]](http://h/d/i.png \"t\")");
    check(
        "<img src=data:x data-src=i.png><img alt=x><img src=d width=1 height=1>",
        "![](http://h/d/i.png)",
    );
    check("<img srcset='i.png 2x, j.png'>", "![](http://h/d/i.png)");
    check("<a href=x><img src=i alt=a></a>", "[![a](http://h/d/i)](http://h/d/x)");
}

#[test]
fn lists_nest() {
    check("<ul><li>a<li>b</ul>c", "- a\n- b\n\nc");
    check("<ol start=9><li>a<li>b<li value=3>c</ol>", "9. a\n10. b\n3. c");
    check("<ul><li>a<ul><li>b<ol><li>c</ol></ul><li>d</ul>", "- a\n  - b\n    1. c\n- d");
    check("<ul><li><p>a</p></li><li><p>b</p></li></ul>", "- a\n- b");
    check("<ul><li><p>a</p><p>b</p></li><li>c</li></ul>", "- a\n\n  b\n\n- c");
    check("<ul><li></li><li> <li>c</ul>", "- c");
    check("<ul><li><ul><li>a</ul></ul>", "- - a");
    check("<ul><li>a</ul><ul><li>b</ul><ol><li>c</ol><ol><li>d</ol>", "- a\n\n* b\n\n1. c\n\n1) d");
    check("<ul><li>a<br>b<pre>c\nd</pre></ul>", "- a  \n  b\n\n  ```\n  c\n  d\n  ```");
    check(
        "<ul><li><input type=checkbox checked> a<li><input type=checkbox>b</ul>",
        "- [x] a\n- [ ] b",
    );
    check("<ul><li>a<ol start=5><li>b</ol></ul>", "- a\n\n  5. b");
    check("x<ol><li><li>b</ol>", "x\n\n2. b");
    check("<li>a</li>b", "- a\n\nb");
    check("<dl><dt>a<dd>b<dt>c <b>d</b><dd>e</dl>", "**a**\n\nb\n\n**c d**\n\ne");
}

#[test]
fn quotes_and_code() {
    check("<blockquote><p>a<p>b</blockquote>c", "> a\n>\n> b\n\nc");
    check(
        "<blockquote>a<blockquote>b</blockquote></blockquote><blockquote>c</blockquote>",
        "> a\n>\n> > b\n\n> c",
    );
    check("<blockquote><ul><li>a<li>b</ul></blockquote>", "> - a\n> - b");
    check("<pre>a\n <b>b</b>*</pre>", "```\na\n b*\n```");
    check(
        "<pre><code class='x language-rust'>fn a() {}\n\n</code></pre>",
        "```rust\nfn a() {}\n```",
    );
    check("<div class=highlight-python3><pre>a</pre></div>", "```python3\na\n```");
    check("<pre>a<br>b<div>c</div>d</pre>", "```\na\nb\nc\nd\n```");
    check("<pre>```</pre>", "````\n```\n````");
    check("a <code>b*c</code> <kbd>`</kbd>", "a `b*c` `` ` ``");
    check("<code>a</code><code>b_</code>c", "`a`<code>b\\_</code>c");
    check("x<code> a  b </code>y", "x `a b` y");
    check("<a href=x><code>f()</code></a>", "[`f()`](http://h/d/x)");
}

#[test]
fn tables_of_data_are_tables_and_layouts_are_not() {
    check(
        "<table><tr><th>a<th>b|c<tr><td>1<td>x<br>y<tr><td>2</table>",
        "| a | b\\|c |\n| --- | --- |\n| 1 | x<br>y |\n| 2 | |",
    );
    check(
        "<table><tr><td>1<td>2<tr><td>3<td><a href=x>4</a></table>",
        "| | |\n| --- | --- |\n| 1 | 2 |\n| 3 | [4](http://h/d/x) |",
    );
    check("<table><tr><th colspan=2>a<tr><td>1<td>2</table>", "| a | |\n| --- | --- |\n| 1 | 2 |");
    check(
        "<table><caption>C</caption><tr><th>a<th>b<tr><td>1<td>2</table>z",
        "C\n\n| a | b |\n| --- | --- |\n| 1 | 2 |\n\nz",
    );
    check("<table><tr><td><p>a</p><td>b<td><h2>c</h2></table>", "a\n\nb\n\n## c");
    check(
        "<table><tr><td>a<table><tr><th>x<th>y<tr><td>1<td>2</table></table>",
        "a\n\n| x | y |\n| --- | --- |\n| 1 | 2 |",
    );
    check("<table role=presentation><tr><td>a<td>b<tr><td>c<td>d</table>", "a\n\nb\n\nc\n\nd");
    check(
        "<ul><li>a<table><tr><th>x<th>y<tr><td>1<td>`</table></ul>",
        "- a\n\n  | x | y |\n  | --- | --- |\n  | 1 | \\` |",
    );
    check(
        "<table><tr><th>a<th>b<tr><td><ul><li>x<li>y</ul><td><code>p|q</code></table>",
        "| a | b |\n| --- | --- |\n| x<br>y | `p\\|q` |",
    );
}

#[test]
fn a_node_alone_can_be_asked() {
    let test = page_from_html("http://h/", "<ul><li>a <b>b</b><li>c</ul><p>d").unwrap();
    let page = test.page();
    assert_eq!(page.first("b").unwrap().unwrap().markdown(), "**b**");
    assert_eq!(page.first("li").unwrap().unwrap().markdown(), "- a **b**");
    assert_eq!(page.first("ul").unwrap().unwrap().markdown(), "- a **b**\n- c");
}

/// A page with an article between navigation and footer.
pub(super) fn article_page() -> String {
    let paragraph = "Tea is an aromatic beverage, made by pouring hot water over leaves, and, after \
        water itself, it is the drink that people like best. <a href='/leaf'>Leaves</a> differ, of course. ";
    format!(
        "<html lang=en><head><title>On tea and what else one may drink - The Shop</title><meta name=author content='Ann Leaf'>\
         <meta property=article:published_time content=2024-05-06><meta property=og:site_name content='The Shop'></head>\
         <body><nav><ul><li><a href=/1>Home</a><li><a href=/2>Tea</a></ul></nav>\
         <article><h1>On tea</h1>{}<h2>Pots</h2>{}<img src=pot.png alt=Pot></article>\
         <aside class=sidebar><a href=/3>Buy now</a></aside><footer>Imprint</footer></body></html>",
        format!("<p>{paragraph}</p>").repeat(4),
        format!("<p>{paragraph}</p>").repeat(3),
    )
}

#[test]
fn the_main_text_is_found() {
    let test = page_from_html("http://h/d/p", &article_page()).unwrap();
    let article = test.page().main_text().unwrap();
    assert_eq!(article.title, "On tea and what else one may drink");
    assert_eq!(article.byline.as_deref(), Some("Ann Leaf"));
    assert_eq!(article.site_name.as_deref(), Some("The Shop"));
    assert_eq!(article.published.as_deref(), Some("2024-05-06"));
    assert_eq!(article.language.as_deref(), Some("en"));
    assert!(article.markdown.contains("[Leaves](http://h/leaf)"), "{}", article.markdown);
    assert!(
        article.markdown.contains("## Pots")
            && article.markdown.contains("![Pot](http://h/d/pot.png)")
    );
    assert!(article.html.contains("http://h/leaf"));
    assert_eq!(article.text.split("\n\n").count(), 8, "{}", article.text);
    for noise in ["Buy now", "Home", "Imprint"] {
        assert!(!article.text.contains(noise), "{noise}");
    }
}

#[test]
fn pages_without_a_text_have_none() {
    for html in ["", "<p></p>", "<script>x</script>"] {
        let test = page_from_html("http://h/", html).unwrap();
        assert_eq!(test.page().main_text(), None, "{html}");
    }
}
