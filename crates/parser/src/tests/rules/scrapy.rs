//! Option by option what Scrapy's `LinkExtractor` gives: `link_extractor.json` is what version
//! 2.19.0 found in that page. Where ours differs on purpose, `ours` is what is right and `why` says
//! why.

use crawl_spider::{
    CanonicalUrl, Harvest, LinkExtractor, Page, Rule, Rules, Spider, SpiderError, Value,
};

use crate::page_from_html;

fn texts(value: &Value) -> Vec<String> {
    match value {
        Value::String(text) => vec![text.clone()],
        Value::Array(list) => list.iter().map(|text| text.as_str().unwrap().to_owned()).collect(),
        other => panic!("{other}"),
    }
}

fn go_to_page(value: &str) -> Option<String> {
    let (_, rest) = value.split_once("goToPage('")?;
    Some(rest.split_once('\'')?.0.to_owned())
}

fn build(options: &Value) -> LinkExtractor {
    let mut links = LinkExtractor::new();
    for (name, value) in options.as_object().unwrap() {
        links = match &**name {
            "allow" => links.allow(texts(value)),
            "deny" => links.deny(texts(value)),
            "allow_domains" => links.allow_domains(texts(value)),
            "deny_domains" => links.deny_domains(texts(value)),
            "deny_extensions" if value == "default" => {
                links.deny_extensions(LinkExtractor::SKIPPED_EXTENSIONS)
            }
            "deny_extensions" => links.deny_extensions(texts(value)),
            "restrict_css" => links.restrict_css(texts(value)),
            "restrict_xpaths" => links.restrict_xpaths(texts(value)),
            "restrict_text" => links.restrict_text(texts(value)),
            "tags" => links.tags(texts(value)),
            "attrs" => links.attrs(texts(value)),
            "canonicalize" => links.canonicalize(value.as_bool().unwrap()),
            "unique" => links.unique(value.as_bool().unwrap()),
            "strip" => links.strip(value.as_bool().unwrap()),
            "process_value" => match value.as_str().unwrap() {
                "goToPage" => links.process_value(go_to_page),
                "none" => links.process_value(|_| None),
                "only-absolute" => {
                    links.process_value(|value| value.starts_with('/').then(|| value.to_owned()))
                }
                other => panic!("{other}"),
            },
            other => panic!("{other}"),
        };
    }
    links
}

#[test]
fn each_option_gives_what_it_gives_in_scrapy() {
    let data: Value = serde_json::from_str(include_str!("link_extractor.json")).unwrap();
    let lines = texts(&data["html"]).join("\n");
    let url = data["url"].as_str().unwrap();
    let cases = data["cases"].as_array().unwrap();
    assert!(cases.len() >= 60);
    let mut wrong = Vec::new();
    for case in cases {
        let links = build(&case["options"]);
        let selected = page_from_html(url, &lines).unwrap();
        // The same with what it wants matched while the page streams by.
        let rules = Rules::new().rule(Rule::new(links.clone()));
        let streamed = page_from_html(url, &lines).unwrap().with_spider(&Wants(rules));
        for page in [selected, streamed] {
            let found = links.links(&page.page()).unwrap();
            let found: Vec<_> = found.iter().map(|link| link.url.as_str().to_owned()).collect();
            let expected = texts(case.get("ours").unwrap_or(&case["links"]));
            let expected: Vec<_> = expected.iter().map(|url| shown(url)).collect();
            if found != expected {
                wrong.push(format!("{}:\n  ours   {found:?}\n  not    {expected:?}", case["case"]));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Scrapy leaves a host as it was written; for us that is no difference.
fn shown(url: &str) -> String {
    CanonicalUrl::parse(url).map_or_else(|_| url.to_owned(), |url| url.to_string())
}

struct Wants(Rules);

impl Spider for Wants {
    fn rules(&self) -> Rules {
        self.0.clone()
    }

    fn parse(&self, _: &Page<'_>, _: &mut Harvest) -> Result<(), SpiderError> {
        Ok(())
    }
}
