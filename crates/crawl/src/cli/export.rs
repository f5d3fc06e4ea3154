//! `crawl export`: the items of a crawl in the form of a feed, at one go.

use std::io;
use std::ops::ControlFlow;
use std::path::PathBuf;

use clap::Args;
use crawl::PageRecord;
use crawl::feeds::{
    Compression, Export, FeedConfig, FeedError, FeedFormat, FieldChoice, PageField,
};
use crawl::store::StoredItem;
use crawl::store::inspect::{Condition, Query, What};
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::failure::{Exit, Failure};
use super::inspect::Crawl;

/// What `crawl export` is told: the keys of a `[[feed]]`.
#[derive(Debug, Args)]
pub(crate) struct ExportArgs {
    /// The crawl's folder (the key `store.path`).
    pub(crate) store: PathBuf,
    /// A file, `-` for standard output, postgres://.. or s3://..; what is there is replaced.
    #[arg(short, long, value_name = "FILE", default_value = "-")]
    pub(crate) output: PathBuf,
    /// jsonl, json, csv, xml, parquet or sqlite; by itself what the file's extension says.
    #[arg(long, value_parser = word::<FeedFormat>)]
    pub(crate) format: Option<FeedFormat>,
    /// gzip, zstd or none; by itself what the file's extension says.
    #[arg(long, value_parser = word::<Compression>)]
    pub(crate) compression: Option<Compression>,
    /// Only these fields, in this order: `title,price`; `title=name` under another name; `page.url`
    /// is the page's.
    #[arg(long, value_name = "FIELD,..", value_delimiter = ',')]
    pub(crate) fields: Vec<String>,
    /// Add these to each item: of its page url, n, fetched, label, status, depth; of itself spider,
    /// kind, version, first_seen, last_seen, changed, changes.
    #[arg(long, value_name = "FIELD,..", value_delimiter = ',')]
    pub(crate) with: Vec<PageField>,
    /// Only items of which this holds, such as `price>10 and title~sea`: see `crawl inspect --help`.
    /// What `--with` can add is `page.url` and so on.
    #[arg(short = 'w', long = "where", value_name = "CONDITION")]
    pub(crate) conditions: Vec<Condition>,
    /// Begin a new file after so many items: items-000001.jsonl and so on.
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(crate) batch_items: u64,
    /// The table of a database; `items` by itself.
    #[arg(long)]
    pub(crate) table: Option<String>,
    /// Columns by which the table has each item once.
    #[arg(long, value_name = "COLUMN,..", value_delimiter = ',')]
    pub(crate) key: Vec<String>,
    /// What else an object store has to know, such as `endpoint=http://localhost:9000`.
    #[arg(long = "option", value_name = "NAME=VALUE", value_parser = pair)]
    pub(crate) options: Vec<(String, String)>,
}

/// A word as configs have it.
fn word<T: DeserializeOwned>(text: &str) -> Result<T, String> {
    serde_json::from_value(text.into()).map_err(|error| error.to_string())
}

fn pair(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("write NAME=VALUE")?;
    Ok((name.to_owned(), value.to_owned()))
}

/// Writes the items and says how many they were, on a thread that may block: feeds to servers wait
/// for them.
pub(crate) async fn export(args: ExportArgs) -> Result<(), Failure> {
    let done = tokio::task::spawn_blocking(move || export_blocking(args)).await;
    done.map_err(|error| Failure::new(Exit::Broken, error))?
}

fn export_blocking(args: ExportArgs) -> Result<(), Failure> {
    let config = FeedConfig {
        path: args.output,
        format: args.format,
        compression: args.compression,
        batch_items: args.batch_items,
        fields: args.fields.iter().map(|text| FieldChoice::parse(text)).collect(),
        with: args.with,
        conditions: args.conditions,
        table: args.table,
        key: args.key,
        options: args.options.into_iter().collect(),
    };
    config.check().map_err(FeedError::from)?;
    let query = Query { what: What::Items, with_page: true, ..Query::default() };
    let mut writing = Writing { config: &config, export: None, page: None, items: Vec::new() };
    let mut written = Ok(());
    Crawl::open(&args.store)?.ask(&query, &mut |row| {
        written = writing.add(row);
        if written.is_ok() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    })?;
    let n_items = match written.and_then(|()| writing.finish()) {
        Err(Wrong::Feed(error)) if is_closed_pipe(&error) => return Ok(()),
        Err(Wrong::Feed(error)) => return Err(error.into()),
        Err(Wrong::Row(error)) => return Err(Failure::new(Exit::Broken, error)),
        Ok(n_items) => n_items,
    };
    if !config.is_stdout() {
        eprintln!("{n_items} items in {}", config.name());
    }
    Ok(())
}

/// Nobody wants more of it, and that is well.
fn is_closed_pipe(error: &FeedError) -> bool {
    matches!(error, FeedError::File { source, .. } if source.kind() == io::ErrorKind::BrokenPipe)
}

enum Wrong {
    Feed(FeedError),
    /// A row is not as rows are.
    Row(serde_json::Error),
}

impl From<FeedError> for Wrong {
    fn from(error: FeedError) -> Self {
        Self::Feed(error)
    }
}

impl From<serde_json::Error> for Wrong {
    fn from(error: serde_json::Error) -> Self {
        Self::Row(error)
    }
}

/// An export that takes rows.
struct Writing<'a> {
    config: &'a FeedConfig,
    /// Opened with the first row: where there is no crawl nothing is touched.
    export: Option<Export>,
    /// The page whose items are coming.
    page: Option<PageRecord>,
    items: Vec<StoredItem>,
}

impl Writing<'_> {
    fn add(&mut self, mut row: Value) -> Result<(), Wrong> {
        let is_next = self.page.as_ref().is_none_or(|page| row["n"] != page.n);
        if is_next {
            self.write()?;
            self.page = Some(serde_json::from_value(row["page"].take())?);
        }
        let json = row["item"].take().to_string();
        let provenance = serde_json::from_value(row)?;
        self.items.push(StoredItem { json, provenance });
        Ok(())
    }

    fn write(&mut self) -> Result<(), Wrong> {
        if self.export.is_none() {
            self.export = Some(Export::open(self.config)?);
        }
        if let (Some(export), Some(page)) = (&mut self.export, &self.page) {
            export.page(page, self.items.drain(..))?;
        }
        Ok(())
    }

    fn finish(mut self) -> Result<u64, Wrong> {
        self.write()?;
        self.export.map_or(Ok(0), |export| Ok(export.finish()?))
    }
}
