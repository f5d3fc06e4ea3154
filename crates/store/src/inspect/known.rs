//! Which fields rows have.

use super::What;

const PAGES: &[&str] = &[
    "url",
    "host",
    "status",
    "verdict",
    "depth",
    "label",
    "n",
    "fetched_ms",
    "elapsed_ms",
    "timing",
    "remote",
    "protocol",
    "etag",
    "last_modified",
    "cached",
    "attempts",
    "content_type",
    "bytes",
    "title",
    "n_links",
    "n_items",
    "truncated",
    "redirect",
    "chain",
    "referrer",
    "error",
    "body",
    "body_lost",
    "file",
    "n_files",
    "digest",
    "has_extras",
    "checked_ms",
    "changed_ms",
    "confirmed_ms",
    "interval_ms",
];
const ERRORS: &[&str] = &["n", "verdict", "status", "attempts", "url", "host", "error", "referrer"];
const MEDIA: &[&str] = &[
    "n",
    "verdict",
    "kind",
    "path",
    "type",
    "bytes",
    "width",
    "height",
    "sha256",
    "status",
    "fetched_ms",
    "attempts",
    "url",
    "host",
    "redirect",
    "referrer",
    "lost",
    "error",
];
const URLS: &[&str] = &["url", "host", "verdict", "state", "depth", "n", "referrer"];
const LINKS: &[&str] =
    &["way", "verdict", "depth", "url", "host", "to", "text", "rel", "nofollow", "kind"];
const HOSTS: &[&str] = &["host", "pages", "settled", "queued", "filtered", "items", "bytes"];
const TIMELINE: &[&str] = &[
    "from_ms",
    "seconds",
    "settled",
    "pages",
    "pages_per_second",
    "items",
    "bytes",
    "mean_elapsed_ms",
];
const ROBOTS: &[&str] = &["fetched_ms", "says", "bytes", "text", "cause", "origin"];
const FIELDS: &[&str] = &["kind", "field", "items", "filled", "rate", "rate_before", "drifts"];

/// The fields that rows of `what` have, each perhaps only in some of them; `None` if they may have
/// any, as items do. Conditions on a timeline are on [`What::Pages`], not on its own rows.
#[must_use]
pub fn fields(what: What) -> Option<&'static [&'static str]> {
    match what {
        What::Pages => Some(PAGES),
        What::Errors => Some(ERRORS),
        What::Media => Some(MEDIA),
        What::Urls => Some(URLS),
        What::Links => Some(LINKS),
        What::Hosts => Some(HOSTS),
        What::Timeline => Some(TIMELINE),
        What::Robots => Some(ROBOTS),
        What::Fields => Some(FIELDS),
        What::Stats | What::Items | What::Cookies | What::Body | What::Headers | What::Why => None,
    }
}

#[cfg(test)]
mod tests {
    use crawl_model::{CanonicalUrl, PageRecord, Verdict};
    use serde_json::{Value, json};

    use super::*;

    /// A record in which nothing is left out.
    fn full() -> Value {
        let url = CanonicalUrl::parse("http://h/").unwrap();
        let mut record = serde_json::to_value(PageRecord::new(url, Verdict::Ok)).unwrap();
        for name in PAGES.iter().filter(|name| **name != "host") {
            if record.get(name).is_none() {
                record[*name] = match *name {
                    "status" => json!(200),
                    "checked_ms" | "changed_ms" | "confirmed_ms" | "interval_ms" => json!(1),
                    "timing" => json!({"body_us": 1}),
                    "remote" => json!("127.0.0.1"),
                    "cached" => json!("offline"),
                    "truncated" => json!("length"),
                    "redirect" | "referrer" => json!("http://h/"),
                    "chain" => json!(["http://h/"]),
                    "body" => json!({"file": "f", "offset": 1, "len": 1}),
                    "has_extras" => json!(true),
                    "n_files" => json!(1),
                    "file" => json!({
                        "path": "f", "sha256": "0", "media_type": "image/png",
                        "width": 1, "height": 1,
                    }),
                    _ => json!("x"),
                };
            }
        }
        record
    }

    #[test]
    fn the_fields_of_pages_are_those_of_their_records() {
        let record: PageRecord = serde_json::from_value(full()).unwrap();
        let row = serde_json::to_value(&record).unwrap();
        let mut names: Vec<&str> = row.as_object().unwrap().keys().map(String::as_str).collect();
        names.push("host");
        names.sort_unstable();
        let mut known = PAGES.to_vec();
        known.sort_unstable();
        assert_eq!(names, known);
    }
}
