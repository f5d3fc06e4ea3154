//! The page: a shop's product list, the same in every run.

use std::fmt::Write;

/// Links on it.
pub(crate) const LINKS: usize = 81;
/// Product cards on it, each with two links.
pub(crate) const CARDS: usize = 15;

/// Makes the page, of some 24 KB.
pub(crate) fn product_list() -> String {
    let mut html = String::from(HEAD);
    html.push_str("<nav class=\"side\"><ul class=\"categories\">\n");
    for n in 0..40 {
        let _ = writeln!(
            html,
            "  <li class=\"category level-{}\"><a href=\"../category/books/travel-and-places_{n}/index.html\" title=\"All of shelf {n}\">Travel &amp; places {n}</a> <span class=\"count\">({})</span></li>",
            n % 3,
            n * 7 % 90,
        );
    }
    html.push_str("</ul></nav>\n<section class=\"list\"><ol class=\"row\">\n");
    for n in 0..CARDS {
        card(&mut html, n);
    }
    html.push_str("</ol><ul class=\"pager\">");
    for n in 0..(LINKS - 40 - 2 * CARDS) {
        let _ = write!(html, "<li class=\"page\"><a href=\"page-{n}.html\">{n}</a></li>");
    }
    html.push_str("</ul></section>\n");
    html.push_str(FOOT);
    html
}

fn card(html: &mut String, n: usize) {
    let _ = write!(
        html,
        r#"<li class="col-xs-6 col-sm-4 col-md-3 col-lg-3">
  <article class="product_pod" data-id="{n}">
    <div class="image_container">
      <a href="the-long-way-to-a-small-library_{n}/index.html"><img src="../media/cache/2c/da/2cdad67c44b002e7ead0cc35693c0e{n}8b.jpg" alt="The long way to a small library {n}" class="thumbnail" loading="lazy" width="120" height="180"></a>
    </div>
    <p class="star-rating Three"><i class="icon-star"></i><i class="icon-star"></i><i class="icon-star"></i><i class="icon-star"></i><i class="icon-star"></i></p>
    <h3><a href="the-long-way-to-a-small-library_{n}/index.html" title="The long way to a small, angry library, volume {n}">The long way to a small ...</a></h3>
    <div class="product_price">
      <p class="price_color">&pound;{}.{:02}</p>
      <p class="instock availability"><i class="icon-ok"></i> In stock ({} left)</p>
      <p class="blurb">A story of shelves, ladders and the people who climb them; told by one who fell off &mdash; twice.</p>
      <form action="/basket/add" method="post"><input type="hidden" name="csrf" value="a9f31c0b7e{n}"><button type="submit" class="btn btn-primary btn-block" data-loading-text="Adding...">Add to basket</button></form>
    </div>
  </article>
</li>
"#,
        10 + n * 3,
        n * 17 % 100,
        n % 9 + 1,
    );
}

const HEAD: &str = r#"<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>All products | Books to crawl</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="description" content="A thousand books that nobody wrote, with prices that nobody pays.">
<meta name="robots" content="index, follow">
<link rel="canonical" href="/catalogue/index.html">
<link rel="stylesheet" href="/static/site.css">
<link rel="icon" href="/favicon.ico">
<script>window.dataLayer = window.dataLayer || []; function gtag() { dataLayer.push(arguments); } if (1 < 2 && "</a>" != "<a>") { gtag("js", new Date()); }</script>
<style>body { font: 16px/1.5 sans-serif; color: #333 } .product_pod > h3 { margin: 0 } .price_color { color: #690 } @media (min-width: 40em) { .row { display: grid } }</style>
</head>
<body class="default" id="default">
<!-- the header: logo, search and basket -->
<header class="header container-fluid"><div class="page_inner"><div class="row"><div class="col-sm-8 h1">Books to crawl <small>We love being read!</small></div></div></div></header>
"#;

const FOOT: &str = r#"<footer class="footer container-fluid"><p>Prices include tax. Delivery takes <em>three to five</em> working days &amp; one night.</p><script src="/static/jquery.min.js"></script></footer>
</body>
</html>
"#;
