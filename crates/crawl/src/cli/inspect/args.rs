//! The command line of `crawl inspect`.

use std::path::PathBuf;

use clap::builder::PossibleValue;
use clap::{Args, ValueEnum};
use crawl::store::inspect::{Condition, Query, StatusFilter, What};

use super::fields::{field, sort_field};

use super::links::EndsArgs;

pub(crate) const INSPECT: &str = "\
Conditions: `status=404 and host~shop`. Fields are compared with = != < <= > >= ~ (contains) !~ and
joined by and, or, not and parentheses; a field alone holds if it is there and not empty. Values
with spaces stand in quotes. `status=4xx` is a class, `host` the URL's, `a.b` goes into objects and
lists. `--json` shows which fields there are. Of items there are also spider, kind, version, first_seen,
last_seen, changed (when) and changes (how often), and the fields of their page.

Examples:
    crawl inspect STORE pages --where 'status=4xx and host~shop' --sort=-bytes -n 20
    crawl inspect STORE pages --group-by host,status --sum bytes
    crawl inspect STORE items --where 'price>20' --columns title,price --csv
    crawl inspect STORE media --where 'verdict!=stored'
    crawl inspect STORE items --key 4711
    crawl inspect STORE items --where 'changed>2026-05-17 and kind=Book' --columns title,changed
    crawl inspect STORE items --gone --sort=-last_seen
    crawl inspect STORE body --url http://example.org/ > page.html
    crawl inspect STORE links --in http://example.org/about --columns text,url
    crawl inspect STORE --tui
    crawl inspect STORE urls --where referrer=http://example.org/

Exit codes:
    0  done
    1  the store cannot be read, or output failed
    2  wrong usage
    3  a process has the folder and does not answer

Results go to stdout, everything else to stderr.";

#[derive(Debug, Args)]
pub(crate) struct InspectArgs {
    /// The crawl's folder (the key `store.path`).
    pub(crate) store: PathBuf,
    /// What to show.
    #[arg(default_value = "stats")]
    pub(crate) what: Asked,
    /// Only this host.
    #[arg(long)]
    pub(crate) host: Option<String>,
    /// Only this URL.
    #[arg(long)]
    pub(crate) url: Option<String>,
    #[command(flatten)]
    pub(crate) ends: EndsArgs,
    /// Only this HTTP status: 404, or 4xx for all of them.
    #[arg(long)]
    pub(crate) status: Option<StatusFilter>,
    /// Only URLs that ended thus, such as `ok`, `timeout` or `robots`.
    #[arg(long)]
    pub(crate) verdict: Option<String>,
    /// Only rows of which this holds, such as `status=404 and host~shop`.
    #[arg(short = 'w', long = "where", value_name = "CONDITION")]
    pub(crate) conditions: Vec<Condition>,
    /// Of items: those that a step of the pipeline dropped, with step and reason.
    #[arg(long)]
    pub(crate) dropped: bool,
    /// Of items: those with a key that are on no page any more, as they were last seen.
    #[arg(long, conflicts_with = "dropped")]
    pub(crate) gone: bool,
    /// Of items: the one with this key, found at once; of a key of several fields, their values in
    /// order: `--key uk --key 4711`.
    #[arg(long, value_name = "VALUE", conflicts_with_all = ["dropped", "gone"])]
    pub(crate) key: Vec<String>,
    #[command(flatten)]
    pub(crate) shape: ShapeArgs,
    #[command(flatten)]
    pub(crate) form: FormArgs,
}

/// What becomes of the rows before they are shown.
#[derive(Debug, Args)]
pub(crate) struct ShapeArgs {
    /// Order by this field, `-FIELD` for the greatest first; by several, the first one first.
    #[arg(
        long,
        value_name = "FIELD",
        value_delimiter = ',',
        allow_hyphen_values = true,
        value_parser = sort_field
    )]
    pub(crate) sort: Vec<String>,
    /// At most this many rows.
    #[arg(short = 'n', long)]
    pub(crate) limit: Option<u64>,
    /// Only say how many rows there are.
    #[arg(long, conflicts_with_all = ["sort", "limit", "group_by"])]
    pub(crate) count: bool,
    /// A row for all that have these fields alike, with their number; the greatest first.
    #[arg(long, value_name = "FIELD", value_delimiter = ',', value_parser = field)]
    pub(crate) group_by: Vec<String>,
    /// Of each group also the sum of these fields.
    #[arg(long, value_name = "FIELD", value_delimiter = ',', value_parser = field, requires = "group_by")]
    pub(crate) sum: Vec<String>,
}

/// How the rows are shown.
#[derive(Debug, Args)]
pub(crate) struct FormArgs {
    /// Show these fields, in this order.
    #[arg(long, value_name = "FIELD", value_delimiter = ',', value_parser = field)]
    pub(crate) columns: Vec<String>,
    /// JSON lines, as without a terminal.
    #[arg(long)]
    pub(crate) json: bool,
    /// Browse on the whole screen: hosts, pages, errors and items, with a preview. Takes
    /// `--where` only, for the pages to begin with.
    #[arg(long, conflicts_with_all = ["json", "csv"])]
    pub(crate) tui: bool,
    /// Comma-separated values (RFC 4180); without `--columns`, of the fields of the first rows.
    #[arg(long, conflicts_with = "json")]
    pub(crate) csv: bool,
}

impl InspectArgs {
    /// What is asked of the store. It is told the limit only where it gives the rows as they are
    /// shown.
    pub(super) fn query(&self) -> Query {
        let shape = &self.shape;
        let is_as_it_is = shape.sort.is_empty() && shape.group_by.is_empty();
        Query {
            what: self.what.0,
            host: self.host.clone(),
            status: self.status,
            verdict: self.verdict.clone(),
            fields: self.conditions.clone(),
            limit: shape.limit.filter(|_| is_as_it_is),
            url: self.ends.url().or(self.url.as_ref()).cloned(),
            dropped: self.dropped,
            gone: self.gone,
            key: self.key.clone(),
            with_page: false,
            ends: self.ends.ends(),
        }
    }
}

/// What `crawl inspect` can show: all that a store can be asked, but for what `crawl why` asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Asked(pub(crate) What);

impl ValueEnum for Asked {
    fn value_variants<'a>() -> &'a [Self] {
        const ALL: [Asked; 14] = [
            Asked(What::Stats),
            Asked(What::Pages),
            Asked(What::Errors),
            Asked(What::Items),
            Asked(What::Media),
            Asked(What::Urls),
            Asked(What::Links),
            Asked(What::Hosts),
            Asked(What::Timeline),
            Asked(What::Robots),
            Asked(What::Cookies),
            Asked(What::Body),
            Asked(What::Headers),
            Asked(What::Fields),
        ];
        &ALL
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        let (name, help) = about(self.0);
        Some(PossibleValue::new(name).help(help))
    }
}

/// What it is called.
pub(super) fn name_of(what: What) -> &'static str {
    about(what).0
}

/// What it is called, and what it is.
fn about(what: What) -> (&'static str, &'static str) {
    match what {
        What::Stats => ("stats", "How many URLs stand where"),
        What::Pages => ("pages", "Every URL that ended with an answer or a failure"),
        What::Errors => {
            ("errors", "Those that ended in a failure, with the page that linked there")
        }
        What::Items => ("items", "What the spider took"),
        What::Media => ("media", "The files that items asked for, and those that could not be had"),
        What::Urls => {
            ("urls", "Every URL ever found, with its verdict or the reason why it was not fetched")
        }
        What::Links => (
            "links",
            "All links to a page (`--in URL`) or of a page (`--out URL`), or of all (`--all`), with \
             their texts, read from the archived bodies; or, from the log and at once, who linked \
             to a URL (`--url`) first, and what its page was the first to link to",
        ),
        What::Hosts => ("hosts", "Every host, with its counts"),
        What::Timeline => ("timeline", "What settled when"),
        What::Robots => (
            "robots",
            "What robots.txt files said; with `--url`, the text of the one in force there",
        ),
        What::Cookies => ("cookies", "Every cookie that is kept"),
        What::Body => (
            "body",
            "The archived body of a URL (`--url`), as it is but for content codings (on a \
             terminal without control characters); with \
             `--json`, as Base64 with status and header fields",
        ),
        What::Headers => {
            ("headers", "The status and header fields of an archived answer (`--url`)")
        }
        What::Fields => ("fields", "Which fields the items have, in this run and the one before"),
        What::Why => ("why", "All that is known of one URL"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_is_called_as_the_store_calls_it() {
        for asked in Asked::value_variants() {
            assert_eq!(serde_json::to_value(asked.0).unwrap(), name_of(asked.0));
        }
    }
}
