//! A spider that asks a page everything there is to ask, for the comparison of the same source
//! linked in and loaded.

#![forbid(unsafe_code)]

use std::time::Duration;

use crawl_spider::prelude::*;
use crawl_spider::{
    CsvDialect, Dropped, Expression, FieldQuery, ItemQuery, ItemStep, Language, PageInfo, Refusal,
    RequestStep, Rules, SpiderError, XPathValue,
};

pub struct Good {
    queries: Vec<ItemQuery>,
}

impl FromArgs for Good {
    fn from_args(args: &Args) -> Result<Self, SpiderError> {
        if let Some(name) = args.as_map().keys().next() {
            return Err(SpiderError::other(format!("no argument is called `{name}`")));
        }
        Ok(Self {
            queries: vec![
                ItemQuery::each("article, .product_pod, tr")
                    .field(FieldQuery::text("h3 a, td").all())
                    .field(FieldQuery::attr("a", "href"))
                    .field(FieldQuery::html("b")),
                ItemQuery::links("li.next, nav"),
                ItemQuery::each("div:has(> p)").field(FieldQuery::text("p")),
            ],
        })
    }
}

#[spider]
impl Spider for Good {
    fn name(&self) -> &str {
        "good"
    }

    fn wants(&self) -> Vec<ItemQuery> {
        self.queries.clone()
    }

    fn rules(&self) -> Rules {
        Rules::new()
            .rule(Rule::css("nav, li.next").label("ruled"))
            .rule(Rule::url(r"/[a-d]$").label("short"))
    }

    fn expressions(&self) -> Vec<Expression> {
        vec![Expression::new(Language::XPath, "//a[1]", "here")]
    }

    fn item_step(&self) -> Option<&dyn ItemStep> {
        Some(self)
    }

    fn request_step(&self) -> Option<&dyn RequestStep> {
        Some(self)
    }

    fn wants_status(&self, status: u16) -> bool {
        status == 404 || (200..300).contains(&status)
    }

    fn start(&self, out: &mut Harvest) -> Result<(), SpiderError> {
        out.get("http://start.test/")?.label("begin").meta(&json!({"n": 1.25}))?;
        out.log(LogLevel::Debug, "started");
        Ok(())
    }

    fn parse(&self, page: &Page<'_>, out: &mut Harvest) -> Result<(), SpiderError> {
        head(page, out)?;
        elements(page, out)?;
        self.rows(page, out)?;
        tree_rows(page, out)?;
        data(page, out)?;
        views(page, out)?;
        forms(page, out)?;
        follow(page, out)?;
        out.stat("pages", 1);
        out.log(LogLevel::Warn, format!("read {page:?}"));
        match page.url().path() {
            "/fails" => Err(SpiderError::Other("it was to fail".to_owned())),
            "/panics" => panic!("it was to panic on {}", page.url()),
            _ => Ok(()),
        }
    }

    fn error(&self, failed: &FailedRequest<'_>, out: &mut Harvest) -> Result<(), SpiderError> {
        let meta: Option<Value> = failed.meta()?;
        out.item(&json!({
            "url": failed.url(), "label": failed.label(), "verdict": failed.verdict(),
            "status": failed.status(), "detail": failed.detail(), "meta": meta,
        }))?;
        out.request(failed.request().clone()).priority(-1);
        Ok(())
    }

    fn closed(&self, closed: &Closed<'_>, out: &mut Harvest) -> Result<(), SpiderError> {
        out.log(LogLevel::Info, format!("{closed:?}"));
        out.stat("pages of the run", closed.n_pages as i64);
        Ok(())
    }
}

impl ItemStep for Good {
    fn name(&self) -> &str {
        "good items"
    }

    fn process(&self, mut item: Value, page: &PageInfo<'_>) -> Result<Value, Dropped> {
        if item["n"] == 0 {
            return Err(Dropped::new("zero").because(page.url()));
        }
        assert!(item["n"] != 1, "it was to panic on one");
        item["of"] = json!([page.label(), page.depth(), page.status(), page.meta::<Value>().ok()]);
        Ok(item)
    }
}

impl RequestStep for Good {
    fn name(&self) -> &str {
        "good requests"
    }

    fn process(&self, request: &mut Request) -> Result<(), Refusal> {
        if request.label.is_empty() {
            return Err(Refusal::new("it has no label"));
        }
        request.priority += 1;
        request.headers.push(("X".into(), "y".into()));
        Ok(())
    }
}

/// Errors as items: both sides must say the same.
fn said<T: std::fmt::Debug>(out: &mut Harvest, what: &str, result: Result<T, SpiderError>) {
    let said = match result {
        Ok(value) => json!({ "ok": format!("{value:?}") }),
        Err(error) => json!({ "error": error.chain(), "kind": format!("{error:?}") }),
    };
    out.item(&json!({ what: said })).expect("a JSON value is JSON");
}

fn head(page: &Page<'_>, out: &mut Harvest) -> Result<(), SpiderError> {
    let headers: Vec<_> = page.headers().map(|(name, value)| json!([name, value])).collect();
    out.item(&json!({
        "url": page.url(), "status": page.status(), "headers": headers,
        "type": page.media_type(), "header": page.header("Content-Type"),
        "body": page.body(), "truncated": page.truncated(), "text": page.text(),
        "label": page.label(), "depth": page.depth(), "title": page.title(),
        "request": page.request(),
    }))?;
    said(out, "meta", page.meta::<Value>());
    said(out, "typed meta", page.meta::<Vec<u8>>());
    said(out, "json", page.json::<Value>());
    Ok(())
}

fn elements(page: &Page<'_>, out: &mut Harvest) -> Result<(), SpiderError> {
    for node in page.css("*")?.iter().take(200) {
        let around = [node.parent(), node.next(), node.prev(), node.children().next()];
        out.item(&json!({
            "tag": node.tag(), "attrs": node.attrs(), "text": node.text_content(),
            "html": node.html(), "href": node.attr("HREF"), "id": node.id().0,
            "around": around.map(|node| node.map(|node| node.id().0)),
            "ancestors": node.ancestors().count(), "behind": node.next_all().count(),
            "inner": node.css(":scope > *")?.len(), "markdown": node.markdown(),
            "table": node.table(), "form": node.form().map(|form| form.parts().name.clone()),
        }))?;
        said(out, "resolved", node.href());
        said(out, "found", node.re(r"(\w+)-(\d+)"));
        said(out, "found first", node.re_first(r"[a-z]{3,}"));
    }
    said(out, "wrong selector", page.css("a[").map(|nodes| nodes.len()));
    said(out, "texts", page.xpath("//a/@href | //p/text()").map(|nodes| nodes.texts()));
    said(out, "wrong XPath", page.xpath("//a[").map(|nodes| nodes.len()));
    said(out, "no nodes", page.xpath("count(//a)").map(|nodes| nodes.len()));
    for expr in ["count(//*)", "string(//title)", "//a = 'x'", "//a", "1 div 0", "-0.5 + 0.2"] {
        said(
            out,
            expr,
            page.evaluate(expr).map(|value| match value {
                XPathValue::Nodes(nodes) => nodes.texts().join("|"),
                other => format!("{other:?} {other}"),
            }),
        );
    }
    for css in ["body", "title", "a::text", "a::attr(href)", "a, nav", "nothing", "a[", ""] {
        said(out, "first", page.first(css).map(|node| node.map(|node| node.id())));
        said(out, "its text", page.text_of(css));
        said(out, "its attribute", page.attr_of(css, "HREF"));
        said(out, "none of it", page.attr_of(css, "nothing"));
    }
    if let Some(list) = page.first("ul, ol, table")? {
        said(out, "below", list.xpath(".//a").map(|nodes| nodes.len()));
        said(out, "text of", list.text_of("a"));
        said(out, "attr of", list.attr_of("a", "href"));
        said(out, "wrong pattern", list.re("("));
        said(out, "all found", list.css("a")?.re(r"\d+"));
    }
    Ok(())
}

impl Good {
    fn rows(&self, page: &Page<'_>, out: &mut Harvest) -> Result<(), SpiderError> {
        let unwanted = ItemQuery::each("a, body")
            .field(FieldQuery::text(""))
            .field(FieldQuery::text(":scope > *"))
            .field(FieldQuery::html("a, p"))
            .field(FieldQuery::attr("a", "href").all());
        for query in self.queries.iter().chain([&unwanted]) {
            for row in page.rows(query)?.iter() {
                let firsts: Result<Vec<_>, _> = (0..5).map(|field| row.first(field)).collect();
                let all: Result<Vec<_>, _> = (0..4).map(|field| row.all(field)).collect();
                out.item(&json!({ "first": firsts?, "all": all? }))?;
            }
        }
        out.follow_rows(page, &self.queries[1], |url| url.path().len() % 2 == 0)?.label("rows");
        Ok(())
    }
}

/// Rows of queries that no host is told of beforehand, read in the ways that spiders do.
fn tree_rows(page: &Page<'_>, out: &mut Harvest) -> Result<(), SpiderError> {
    let fields = |query: ItemQuery| {
        query
            .field(FieldQuery::text("a, p"))
            .field(FieldQuery::attr("a", "TITLE"))
            .field(FieldQuery::attr("", "class"))
            .field(FieldQuery::text(""))
            .field(FieldQuery::html("b"))
            .field(FieldQuery::attr("a", "href").all())
            .field(FieldQuery::text("nothing"))
            .field(FieldQuery::attr("b", ""))
            .field(FieldQuery::text("wrong["))
            .field(FieldQuery::attr("wrong[", "a").all())
    };
    for query in [fields(ItemQuery::page()), fields(ItemQuery::each("*"))] {
        // Twice, of which one ends early; then backwards and with gaps.
        for (most, step) in [(3, 1), (usize::MAX, 1), (40, 3)] {
            let rows = page.rows(&query)?;
            let mut all: Vec<_> = rows.iter().take(most).collect();
            if step > 1 {
                all.reverse();
            }
            for row in all.into_iter().step_by(step) {
                let shortened =
                    |text: &str| (text.len(), text.chars().take(99).collect::<String>());
                for field in 0..11 {
                    let first = row.first(field);
                    said(out, "first", first.map(|text| text.map(|text| shortened(&text))));
                }
                for field in [0, 1, 2, 5, 6, 7, 8, 9, 10] {
                    said(out, "all", row.all(field));
                }
            }
        }
    }
    said(out, "wrong rows", page.rows(&ItemQuery::each("wrong[")).map(|rows| rows.len()));
    said(out, "no rows", page.rows(&ItemQuery::each("nothing")).map(|rows| rows.len()));
    for n in 0..20 {
        let query = ItemQuery::each("a").field(FieldQuery::attr(format!(":scope, .c{n}"), "href"));
        for row in page.rows(&query)?.iter().take(2) {
            said(out, "of many queries", row.first(0));
        }
    }
    Ok(())
}

fn data(page: &Page<'_>, out: &mut Harvest) -> Result<(), SpiderError> {
    for path in ["$..price", "$.items[*]", "$.items[*]", "$[", "$.none"] {
        said(out, path, page.json_path(path));
    }
    let rows: Vec<_> = page.csv().take(1500).map(|row| row.map_err(|e| e.chain())).collect();
    let last = page.csv().last().and_then(Result::ok);
    let dialect = CsvDialect { delimiter: Some(';'), quote: Some('\''), headers: None };
    let named = CsvDialect { headers: Some(vec!["ü".into(), "b".into()]), ..dialect.clone() };
    let count = |dialect| page.csv_as(dialect).take(5).filter_map(Result::ok).collect::<Vec<_>>();
    out.item(&json!({ "as": count(&dialect), "named": count(&named) }))?;
    out.item(
        &json!({ "entries": page.entries(), "fetched": page.fetched_at() > std::time::UNIX_EPOCH }),
    )?;
    out.item(&json!({
        "rows": rows.iter().map(|row| row.as_ref().ok()).collect::<Vec<_>>(),
        "errors": rows.iter().filter_map(|row| row.as_ref().err()).collect::<Vec<_>>(),
        "last": last,
    }))
}

fn views(page: &Page<'_>, out: &mut Harvest) -> Result<(), SpiderError> {
    out.item(&json!({
        "metadata": page.metadata(), "structured": page.structured(),
        "tags": page.meta_tags(), "markdown": page.markdown(), "article": page.main_text(),
        "tables": page.tables("table")?,
    }))
}

fn forms(page: &Page<'_>, out: &mut Harvest) -> Result<(), SpiderError> {
    for mut form in page.forms() {
        out.item(&json!({ "form": format!("{:?}", form.parts()), "entries": form.entries() }))?;
        form.force("größe", "für alle — €");
        said(out, "sent", form.submit());
        if let Ok(request) = form.submit() {
            out.request(request).label("form");
        }
        said(out, "pressed", form.submit_with("go"));
    }
    Ok(())
}

fn follow(page: &Page<'_>, out: &mut Harvest) -> Result<(), SpiderError> {
    // Before and after the links are read.
    out.follow_links(page).priority(1);
    let last = out.follows().last().cloned();
    said(out, "followed last", Ok(last));
    for link in page.links() {
        out.item(&json!({
            "to": link.url, "text": link.text, "rel": link.rel, "nofollow": link.nofollow,
            "kind": format!("{:?}", link.kind),
        }))?;
    }
    out.follow_links(page).label("link").header("A", "b");
    out.follow_links(page).label("run").priority(2);
    out.follow_links(page).meta(&1)?;
    out.follow_where(page, |link| link.text.len() > 2).priority(3).timeout(Duration::from_secs(9));
    out.follow_css(page, "a, nav")?.dont_filter().accept([404, 500]);
    for href in ["../x?y=1#z", "http://other.test:81/%7Ea", "//joe:pw@h/", "/own"] {
        out.follow(page, href)?.jar("j").meta(&[1, 2])?;
    }
    for href in ["mailto:a@b", "http://[", &"x".repeat(3000)] {
        said(out, "joined", page.join(href));
    }
    out.get("https://own.test/?q=ü")?.json(&json!({"a": 1}))?;
    out.get_url(page.url().clone()).errback("gone").form(&[("a", "b")]);
    if let Some(link) = page.links().last() {
        out.get_url(link.url.clone());
        out.get_url(page.links()[0].url.clone());
    }
    Ok(())
}
