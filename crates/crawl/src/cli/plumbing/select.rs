//! `crawl select`: what a selector finds in a document.

use std::path::Path;

use crawl::CanonicalUrl;
use crawl::parser::plumbing::{self, Output, Query};
use crawl::spider::{SelectorError, SelectorProblem};

use super::output::Lines;
use super::{source, visit};
use crate::cli::args::SelectArgs;
use crate::cli::failure::{Exit, Failure};

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
