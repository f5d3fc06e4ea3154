//! The HTML of the quotes.

use std::fmt::Write;

use super::{AUTHORS, Author, PER_PAGE, Quote, all, as_json, shown};
use crate::html::{document, escaped};

/// A page of a list of quotes.
pub(super) struct List<'a> {
    quotes: &'a [Quote],
    page: usize,
    n_pages: usize,
    /// Path before `/page/N/`.
    path: &'a str,
}

impl<'a> List<'a> {
    pub(super) fn new(quotes: &'a [Quote], page: usize, path: &'a str) -> Self {
        Self { quotes: shown(quotes, page), page, n_pages: quotes.len().div_ceil(PER_PAGE), path }
    }

    /// As markup, which is how most tutorials have it.
    pub(super) fn html(&self, tag: Option<&str>, member: bool) -> String {
        let mut html = header(member);
        if let Some(tag) = tag {
            let _ = writeln!(html, "<h3>Viewing tag: <a href=\"{}/\">{tag}</a></h3>", self.path);
        }
        for quote in self.quotes {
            self::quote(&mut html, quote, member);
        }
        if self.quotes.is_empty() {
            html += "No quotes found!\n";
        }
        self.pager(&mut html);
        document("Quotes to Scrape", &html)
    }

    /// As data in a script.
    pub(super) fn script(&self) -> String {
        let data: Vec<_> = self.quotes.iter().map(as_json).collect();
        // `<` could end the script.
        let data = serde_json::Value::from(data).to_string().replace('<', "\\u003c");
        let mut html = header(false);
        let _ = writeln!(
            html,
            "<script>\n    var data = {data};\n    for (var i in data) {{\n        \
             document.write(\"<div class='quote'>\" + data[i].text + \"</div>\");\n    }}\n</script>"
        );
        self.pager(&mut html);
        document("Quotes to Scrape", &html)
    }

    /// As a table that was made for looks.
    pub(super) fn table(&self) -> String {
        let mut html = header(false);
        html += "<table>\n<tbody>\n<tr><td><h2>Quotes</h2></td><td rowspan=\"99\"></td></tr>\n";
        for quote in self.quotes {
            let _ = write!(
                html,
                "<tr style=\"border-bottom: 0px;\"><td style=\"padding-top: 2em;\">{} \
                 Author: {}</td></tr>\n<tr><td style=\"padding-bottom: 2em;\">Tags:",
                escaped(&quote.text),
                escaped(quote.author)
            );
            for tag in &quote.tags {
                let _ = write!(html, " <a href=\"/tag/{tag}/page/1/\">{tag}</a>");
            }
            html += "</td></tr>\n";
        }
        html += "<tr><td>";
        if self.page > 1 && self.page <= self.n_pages {
            let _ = write!(html, "<a href=\"/tableful/page/{}/\">Previous</a> ", self.page - 1);
        }
        if self.page < self.n_pages {
            let _ = write!(html, "<a href=\"/tableful/page/{}/\">Next</a>", self.page + 1);
        }
        html += "</td></tr>\n</tbody>\n</table>\n";
        document("Quotes to Scrape", &html)
    }

    fn pager(&self, html: &mut String) {
        let (path, page) = (self.path, self.page);
        *html += "<nav>\n<ul class=\"pager\">\n";
        if page > 1 && page <= self.n_pages {
            let href = format!("{path}/page/{}/", page - 1);
            let _ = writeln!(
                html,
                "<li class=\"previous\"><a href=\"{href}\">\
                 <span aria-hidden=\"true\">&larr;</span> Previous</a></li>"
            );
        }
        if page < self.n_pages {
            let href = format!("{path}/page/{}/", page + 1);
            let _ = writeln!(
                html,
                "<li class=\"next\"><a href=\"{href}\">\
                 Next <span aria-hidden=\"true\">&rarr;</span></a></li>"
            );
        }
        *html += "</ul>\n</nav>\n";
    }
}

fn header(member: bool) -> String {
    let link =
        if member { "<a href=\"/logout\">Logout</a>" } else { "<a href=\"/login\">Login</a>" };
    format!(
        "<div class=\"header-box\">\n<h1><a href=\"/\">Quotes to Scrape</a></h1>\n<p>{link}</p>\n</div>\n"
    )
}

fn quote(html: &mut String, quote: &Quote, member: bool) {
    let author = quote.author();
    let _ = write!(
        html,
        "<div class=\"quote\" itemscope itemtype=\"http://schema.org/CreativeWork\">\n\
         <span class=\"text\" itemprop=\"text\">{}</span>\n\
         <span>by <small class=\"author\" itemprop=\"author\">{}</small>\n\
         <a href=\"/author/{}\">(about)</a>\n",
        escaped(&quote.text),
        escaped(author.name),
        author.slug
    );
    if member {
        let _ = writeln!(html, "<a href=\"{}\">(Reading room)</a>", room_of(author));
    }
    let _ = write!(
        html,
        "</span>\n<div class=\"tags\">\n    Tags:\n\
         <meta class=\"keywords\" itemprop=\"keywords\" content=\"{}\">\n",
        quote.tags.join(",")
    );
    for tag in &quote.tags {
        let _ = writeln!(html, "<a class=\"tag\" href=\"/tag/{tag}/page/1/\">{tag}</a>");
    }
    *html += "</div>\n</div>\n";
}

/// What only members see of an author.
pub(super) fn room_of(author: &Author) -> String {
    format!("https://readingroom.example/{}", author.slug)
}

pub(super) fn author(author: &Author, member: bool) -> String {
    let body = format!(
        "{}<div class=\"author-details\">\n<h3 class=\"author-title\">{}</h3>\n\
         <p><strong>Born:</strong> <span class=\"author-born-date\">{}</span> \
         <span class=\"author-born-location\">{}</span></p>\n\
         <p><strong>Description:</strong></p>\n<div class=\"author-description\">\n    {}\n</div>\n</div>\n",
        header(member),
        escaped(author.name),
        author.born,
        escaped(author.born_in),
        escaped(author.description)
    );
    document(&format!("Author: {}", author.name), &body)
}

/// A page without quotes, and the script that brings them.
pub(super) fn scroll() -> String {
    let script = "<div class=\"quotes\"></div>\n<h5 id=\"loading\">Loading...</h5>\n<script>\n    \
                  var page = 1, busy = false, end = false;\n    function more() {\n        \
                  if (busy || end) return;\n        busy = true;\n        \
                  fetch('/api/quotes?page=' + page).then(r => r.json()).then(d => {\n            \
                  page = d.page + 1; end = !d.has_next; busy = false;\n        });\n    }\n    \
                  window.onscroll = more;\n    more();\n</script>\n";
    document("Quotes to Scrape", &(header(false) + script))
}

/// All authors as data; a country is written once for all of its authors.
pub(super) fn authors() -> String {
    let mut html = header(false);
    html += "<table id=\"authors\" class=\"data\">\n<caption>Authors by country</caption>\n<thead>\n\
             <tr><th rowspan=\"2\">Country</th><th colspan=\"3\">Author</th></tr>\n\
             <tr><th>Name</th><th>Born</th><th>Quotes</th></tr>\n</thead>\n<tbody>\n";
    for (country, authors) in by_country() {
        for (i, author) in authors.iter().enumerate() {
            html += "<tr>";
            if i == 0 {
                let n = authors.len();
                let _ = write!(html, "<th scope=\"rowgroup\" rowspan=\"{n}\">{country}</th>");
            }
            let n_quotes = all().iter().filter(|quote| quote.author == author.name).count();
            let (name, born) = (escaped(author.name), author.born);
            let _ = writeln!(html, "<td>{name}</td><td>{born}</td><td>{n_quotes}</td></tr>");
        }
    }
    html += "</tbody>\n</table>\n";
    document("Authors", &html)
}

/// Countries in the order of the alphabet, each with its authors.
fn by_country() -> std::collections::BTreeMap<&'static str, Vec<&'static Author>> {
    let mut countries = std::collections::BTreeMap::<_, Vec<_>>::new();
    for author in AUTHORS {
        countries.entry(author.country).or_default().push(author);
    }
    countries
}
