//! `crawl select`: what a selector finds in a document.

use std::path::Path;

use clap::Args;
use crawl::CanonicalUrl;
use crawl::parser::plumbing::{self, Output, Query};
use crawl::spider::{SelectorError, SelectorProblem};

use super::output::Lines;
use super::source::{self, web_url};
use super::visit::{self, SettingsArgs};
use crate::cli::failure::{Exit, Failure};

#[derive(Debug, Args)]
pub(crate) struct SelectArgs {
    #[command(flatten)]
    pub(crate) query: QueryArgs,
    #[command(flatten)]
    pub(crate) output: SelectOutputArgs,
    /// The document: a file, `-` for standard input, or a URL, which is fetched as a crawl would.
    #[arg(value_name = "FILE|URL")]
    pub(crate) source: String,
    /// The `Content-Type` it was sent with. Without it the bytes decide.
    #[arg(long, value_name = "TYPE")]
    pub(crate) content_type: Option<String>,
    /// The document's own URL, which links in Markdown are resolved against.
    #[arg(long, value_name = "URL", value_parser = web_url)]
    pub(crate) base: Option<CanonicalUrl>,
    #[command(flatten)]
    pub(crate) settings: SettingsArgs,
}

/// What to look for.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub(crate) struct QueryArgs {
    /// A CSS selector; `::text` and `::attr(name)` select texts and attributes.
    #[arg(long, value_name = "SELECTOR", allow_hyphen_values = true)]
    pub(crate) css: Option<String>,
    /// An XPath 1.0 expression.
    #[arg(long, value_name = "EXPRESSION", allow_hyphen_values = true)]
    pub(crate) xpath: Option<String>,
}

/// What to print of a match.
#[derive(Debug, Args)]
#[group(multiple = false)]
pub(crate) struct SelectOutputArgs {
    /// This attribute.
    #[arg(long, value_name = "NAME")]
    pub(crate) attr: Option<String>,
    /// The text, as it stands in the document.
    #[arg(long)]
    pub(crate) text: bool,
    /// The HTML, the element itself included; the default.
    #[arg(long)]
    pub(crate) html: bool,
    /// The text as Markdown.
    #[arg(long)]
    pub(crate) markdown: bool,
}

/// Prints a line per match.
pub(crate) async fn select(args: SelectArgs) -> Result<(), Failure> {
    let query = match (args.query.css, args.query.xpath) {
        (Some(css), _) => Query::Css(css),
        (None, xpath) => Query::XPath(xpath.unwrap_or_default()),
    };
    // A wrong query is told before anything is read or fetched.
    query.check().map_err(wrong)?;
    let output = match (args.output.attr, args.output.text, args.output.markdown) {
        (Some(name), ..) => Output::Attr(name),
        (None, true, _) => Output::Text,
        (None, _, true) => Output::Markdown,
        _ => Output::Html,
    };
    let is_web = ["http://", "https://"].iter().any(|scheme| {
        args.source.get(..scheme.len()).is_some_and(|s| s.eq_ignore_ascii_case(scheme))
    });
    let (body, content_type, base) = if is_web {
        let url = CanonicalUrl::parse(&args.source)
            .map_err(|error| Failure::new(Exit::Usage, format!("{}: {error}", args.source)))?;
        let page = visit::visit(url, &args.settings).await?;
        (page.body.to_vec(), args.content_type.or(page.content_type), Some(page.url.to_url()))
    } else {
        (source::read(Path::new(&args.source))?, args.content_type, None)
    };
    let content_type = content_type.as_deref();
    let base = args.base.map(|base| base.to_url()).or(base);
    let selected = plumbing::selected(&body, content_type, base.as_ref(), &query, output);
    Lines::write_all(selected.map_err(wrong)?.lines())
}

fn wrong(error: SelectorError) -> Failure {
    match error.problem {
        // The query is well-formed; this document is too much for it.
        SelectorProblem::TooCostly => Failure::new(Exit::Broken, error),
        _ => Failure::new(Exit::Usage, error),
    }
}
