//! `crawl new --from`: a declarative spider for a page, from what repeats on it.

use std::fmt::Write as _;
use std::path::Path;

use crawl::CanonicalUrl;
use crawl::parser::{FieldDraft, NoItems, Proposal, page_from_body, propose};
use serde_json::Value;

use super::template::Names;
use crate::cli::failure::{Exit, Failure};
use crate::cli::plumbing::visit::SettingsArgs;
use crate::cli::plumbing::{source, visit};
use crate::cli::table::{Table, printable};

/// What stands for the URL of a file.
const PLACEHOLDER: &str = "https://example.org/";
/// Items that are shown.
const SHOWN: usize = 5;
/// Letters of a sample value.
const SAMPLE_CHARS: usize = 60;

/// The text of the spider for the page at `source`; its items are shown on standard error.
pub(super) async fn from(
    source: &str,
    names: &Names,
    settings: &SettingsArgs,
) -> Result<String, Failure> {
    let is_web = ["http://", "https://"]
        .iter()
        .any(|scheme| source.get(..scheme.len()).is_some_and(|s| s.eq_ignore_ascii_case(scheme)));
    let (url, content_type, body) = if is_web {
        let url = CanonicalUrl::parse(source)
            .map_err(|error| Failure::new(Exit::Usage, format!("{source}: {error}")))?;
        let page = visit::visit(url, settings).await?;
        (page.url, page.content_type, page.body.to_vec())
    } else {
        let url = CanonicalUrl::parse(PLACEHOLDER).expect("the placeholder is a URL");
        (url, None, source::read(Path::new(source))?)
    };
    let content_type = content_type.unwrap_or_else(|| "text/html".to_owned());
    let page = page_from_body(url.as_str(), &content_type, body)
        .map_err(|error| Failure::new(Exit::Usage, format!("{url}: {error}")))?;
    let proposal = propose(page).map_err(|none| no_items(source, &none))?;
    show(&proposal);
    Ok(toml(&proposal, &url, is_web, names))
}

fn no_items(source: &str, none: &NoItems) -> Failure {
    let mut what = format!("{source}: {none}");
    if !none.structured.is_empty() {
        let _ = write!(what, "; it has {}", none.structured.join(", "));
    }
    let hint = "try a page that lists several things of one kind; for a page about one thing, \
                begin with `crawl new NAME --template declarative` and try selectors with \
                `crawl select`";
    Failure::new(Exit::Broken, what).hint(hint)
}

/// Shows some of the items as a table.
fn show(proposal: &Proposal) {
    let n = proposal.items.len();
    eprintln!("{n} items by `{}`:", proposal.select);
    let fields: Vec<&str> = proposal.fields.iter().map(|field| field.name.as_str()).collect();
    let mut table = Table::new(std::io::stderr().lock(), &fields);
    let rows = proposal.items.iter().filter_map(|item| item.as_object().cloned()).take(SHOWN);
    for row in rows {
        // A closed standard error is nothing to stop for.
        let _ = table.push(row);
    }
    let _ = table.finish();
    match &proposal.next {
        Some(next) => eprintln!("the next page is at `{next}`"),
        None => eprintln!("no link to a next page was found"),
    }
}

fn toml(proposal: &Proposal, url: &CanonicalUrl, is_web: bool, names: &Names) -> String {
    let mut text = String::new();
    let mut line = |line: String| {
        text.push_str(&line);
        text.push('\n');
    };
    let shown = url.without_credentials();
    line(format!(
        "# Proposed from {}: {} items on it.",
        one_line(shown.as_str()),
        proposal.items.len()
    ));
    line(format!("#   crawl run {}.toml -s scope.max-pages=5    tries it", names.kebab));
    line("#   crawl inspect crawl-data/NAME items".replace("NAME", &names.kebab));
    for structured in &proposal.structured {
        line(format!("# The page also has {structured}."));
    }
    line(String::new());
    if !is_web {
        line("# The page came from a file: put in its URL.".to_owned());
    }
    line(format!("seeds = [{}]", quoted(shown.as_str())));
    line(String::new());
    line("[spider]".to_owned());
    match &proposal.next {
        Some(next) => line(format!("follow = [{}]", quoted(next))),
        None => line("follow = []                  # no link to a next page was found".to_owned()),
    }
    line(String::new());
    line("[[spider.items]]".to_owned());
    line(format!("select = {}", quoted(&proposal.select)));
    line(String::new());
    line("[spider.items.fields]".to_owned());
    for field in &proposal.fields {
        let samples = samples(&proposal.items, &field.name);
        line(format!("# {samples}"));
        line(format!("{} = {}", key(&field.name), value(field)));
    }
    line(String::new());
    line("[store]".to_owned());
    line(format!("path = {}", quoted(&format!("crawl-data/{}", names.kebab))));
    text
}

/// A key as TOML has it.
fn key(name: &str) -> String {
    let is_bare = !name.is_empty()
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'));
    if is_bare { name.to_owned() } else { quoted(name) }
}

fn value(field: &FieldDraft) -> String {
    let mut parts = Vec::new();
    if !field.css.is_empty() {
        parts.push(format!("css = {}", quoted(&field.css)));
    }
    if let Some(attr) = &field.attr {
        parts.push(format!("attr = {}", quoted(attr)));
    }
    if let Some(regex) = &field.regex {
        parts.push(format!("regex = {}", quoted(regex)));
    }
    if field.is_number() {
        parts.push("type = \"number\"".to_owned());
    } else if field.is_link() {
        parts.push("type = \"url\"".to_owned());
    }
    if field.all {
        parts.push("all = true".to_owned());
    }
    let is_short = field.regex.is_none() && !field.is_number() && !field.is_link() && !field.all;
    match (&field.attr, is_short) {
        (Some(attr), true) if field.css.is_empty() => quoted(&format!("@{attr}")),
        (Some(attr), true) => quoted(&format!("{} @{attr}", field.css)),
        (None, true) if field.css.is_empty() => quoted("::text"),
        (None, true) => quoted(&field.css),
        _ => format!("{{ {} }}", parts.join(", ")),
    }
}

/// A text as a TOML string: escapes of JSON are escapes of TOML.
fn quoted(text: &str) -> String {
    Value::from(text).to_string()
}

/// Two values of a field, on one line.
fn samples(items: &[Value], field: &str) -> String {
    let values = items.iter().map(|item| &item[field]).filter(|value| !value.is_null());
    let shown: Vec<String> = values
        .take(2)
        .map(|value| {
            let text = one_line(&value.to_string());
            match text.chars().nth(SAMPLE_CHARS) {
                Some(_) => text.chars().take(SAMPLE_CHARS).chain(['…']).collect(),
                None => text,
            }
        })
        .collect();
    shown.join(" · ")
}

/// What a comment may hold: no control characters, and none that turn text around.
fn one_line(text: &str) -> String {
    printable(text)
}

#[cfg(test)]
mod tests {
    use crawl::Config;

    use super::*;

    #[test]
    fn what_is_written_is_a_config_that_takes_the_same_items() {
        let item = |n: u32| {
            format!(
                "<li class=tea><img src={n}.jpg><h3><a href=/{n}>Tea no. {n}</a></h3>\
                 <b class=price>${n}.50</b><i class='star T{n}'></i>\
                 <p><a class=tag>a{n}</a><a class=tag>\"\\b</a></p>"
            )
        };
        let html = (1..=4).map(item).collect::<String>() + "<a rel=next href=2>next</a>";
        let url = CanonicalUrl::parse("http://h.test/").unwrap();
        let page = page_from_body(url.as_str(), "text/html", html).unwrap();
        let proposal = propose(page).unwrap();
        let names = Names::of("tea").map_err(drop).unwrap();
        for is_web in [true, false] {
            let text = toml(&proposal, &url, is_web, &names);
            let config =
                Config::parse("tea.toml", &text, &[]).unwrap_or_else(|e| panic!("{e}\n{text}"));
            let spider = config.spider.unwrap();
            assert_eq!(spider.items[0].select, proposal.to_config().items[0].select);
            assert_eq!(spider.items[0].fields.len(), proposal.fields.len());
            assert_eq!(spider.follow, proposal.to_config().follow);
            assert!(proposal.fields.len() >= 5, "{text}");
            // Two samples before each field.
            assert_eq!(text.matches(" · ").count(), proposal.fields.len(), "{text}");
        }
    }
}
