//! What is shown of one row: its record, its page's items, links and headers, the text of the body.

use std::ops::ControlFlow;

use crawl::parser::plumbing;
use crawl::store::Provenance;
use crawl::store::inspect::{Query, What};
use serde_json::Value;

use crate::cli::failure::Failure;
use crate::cli::inspect::sheet::body_of;
use crate::cli::inspect::source::Crawl;

/// Most lines of each part.
const MOST_LINES: usize = 500;

type Tell<'a> = &'a mut dyn FnMut(Vec<String>) -> ControlFlow<()>;

/// Tells of a row part by part, what is quickly found first.
pub(super) fn of(crawl: &Crawl, row: &Value, tell: Tell<'_>) -> Result<(), Failure> {
    if let Some(item) = row.get("item") {
        let _ = tell(part("item", pretty(item)));
        let known = Provenance::FIELDS.iter().filter_map(|name| Some((*name, row.get(*name)?)));
        let known = known.map(|(name, value)| (name.to_owned(), value.clone())).collect();
        let _ = tell(part("of the item", fields(&Value::Object(known))));
    }
    let Some(url) = row["url"].as_str() else {
        let _ = tell(pretty(row));
        return Ok(());
    };
    let ask = |what: What| {
        let query = Query {
            what,
            url: Some(url.to_owned()),
            limit: Some(MOST_LINES as u64),
            ..Query::default()
        };
        let mut rows = Vec::new();
        crawl.ask(&query, &mut |row| {
            rows.push(row);
            ControlFlow::Continue(())
        })?;
        Ok::<_, Failure>(rows)
    };
    for record in ask(What::Pages)? {
        let is_archived = record.get("body").is_some();
        if tell(part("page", fields(&record))).is_break() {
            return Ok(());
        }
        if is_archived {
            for answer in ask(What::Body)? {
                let _ = tell(part("headers", headers(&answer)));
                let _ = tell(part("body", text(&answer)));
            }
        }
    }
    let items = ask(What::Items)?;
    if !items.is_empty() && row.get("item").is_none() {
        let lines = items.iter().flat_map(|row| pretty(&row["item"]));
        let _ = tell(part("items", lines.collect()));
    }
    let links = ask(What::Links)?;
    let line = |row: &Value| format!("{:<4}{}", word(&row["way"]), word(&row["url"]));
    let _ = tell(part("links (first ones)", links.iter().map(line).collect()));
    Ok(())
}

fn part(title: &str, lines: Vec<String>) -> Vec<String> {
    let n_more = lines.len().saturating_sub(MOST_LINES);
    let more = (n_more > 0).then(|| format!("… {n_more} lines more"));
    let lines = lines.into_iter().take(MOST_LINES).chain(more);
    std::iter::once(format!("── {title} ")).chain(lines).chain([String::new()]).collect()
}

fn pretty(value: &Value) -> Vec<String> {
    let text = serde_json::to_string_pretty(value).unwrap_or_default();
    text.lines().map(str::to_owned).collect()
}

fn fields(record: &Value) -> Vec<String> {
    let fields = record.as_object().into_iter().flatten();
    fields.map(|(name, value)| format!("{name:<14}{}", word(value))).collect()
}

fn headers(answer: &Value) -> Vec<String> {
    let fields = answer["headers"].as_array().into_iter().flatten();
    fields.map(|field| format!("{}: {}", word(&field[0]), word(&field[1]))).collect()
}

/// The body as a browser would read it, blank lines left out.
fn text(answer: &Value) -> Vec<String> {
    let content_type = answer["headers"].as_array().into_iter().flatten();
    let content_type = content_type
        .filter(|field| field[0].as_str().is_some_and(|n| n.eq_ignore_ascii_case("content-type")))
        .find_map(|field| field[1].as_str());
    let body = body_of(answer).unwrap_or_default();
    let decoded = plumbing::decode(&body, content_type);
    let text = serde_json::to_value(decoded).unwrap_or_default();
    let lines = text["text"].as_str().unwrap_or_default().lines();
    lines.filter(|line| !line.trim().is_empty()).map(str::to_owned).collect()
}

/// A text without quotes, anything else as JSON.
fn word(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
