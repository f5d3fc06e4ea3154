//! Standard output, a pipe, a device: what is written there cannot be taken back.
//!
//! So after a kill the items since the last durable report are written again by the next run. Each
//! run writes a whole document: head, items, foot.

use std::fs::File;
use std::io::Write;
use std::path::PathBuf;

use super::tail::pack;
use super::{Crawl, Position, Sink, Start};
use crate::row::Row;
use crate::text::Text;
use crate::{Compression, FeedConfig, FeedError, FeedFormat, stdout};

/// Bytes that are gathered before they are written, uncompressed.
const BUFFER: usize = 64 << 10;

#[derive(Debug)]
struct Stream {
    path: PathBuf,
    /// `None`: standard output.
    to: Option<File>,
    text: Text,
    compression: Compression,
    buffer: String,
    rows: u64,
    /// Bytes, over all runs.
    len: u64,
}

/// Opens a stream, `to` or standard output.
pub(super) fn open(
    config: &FeedConfig,
    columns: Option<Vec<String>>,
    to: Option<File>,
    crawl: &Crawl,
) -> Result<(Box<dyn Sink>, Start), FeedError> {
    let format = config.effective_format().unwrap_or(FeedFormat::Jsonl);
    match format {
        FeedFormat::Csv if columns.is_none() => {
            let problem = "the first line says the columns, and cannot be written anew in a stream";
            config.fault("fields", problem.to_owned(), "name the columns in `fields`")?;
        }
        FeedFormat::Parquet => {
            config.fault("path", "Parquet writes into files alone".to_owned(), "name a file")?;
        }
        _ => {}
    }
    if config.batch_items > 0 {
        config.fault("batch-items", "a stream has no parts".to_owned(), "name a file")?;
    }
    let cursor = crawl.cursor.as_ref().filter(|_| !crawl.fresh);
    let text = Text::new(format, columns);
    let stream = Stream {
        path: config.path.clone(),
        to,
        buffer: text.head(),
        text,
        compression: config.effective_compression(),
        rows: 0,
        len: cursor.map_or(0, |cursor| cursor.len),
    };
    let n = cursor.map_or(0, |cursor| cursor.n);
    Ok((Box::new(stream), Start { n, is_over: cursor.is_none(), notes: Vec::new() }))
}

impl Stream {
    fn write_out(&mut self) -> Result<(), FeedError> {
        if self.buffer.is_empty() {
            return Ok(());
        }
        let mut write = || {
            let bytes = pack(self.compression, self.buffer.as_bytes())?;
            match &mut self.to {
                Some(file) => file.write_all(&bytes)?,
                None => stdout::write(&bytes)?,
            }
            Ok(bytes.len() as u64)
        };
        self.len += write().map_err(FeedError::file("write", &self.path))?;
        self.buffer.clear();
        Ok(())
    }
}

impl Sink for Stream {
    fn put(&mut self, row: Row) -> Result<(), FeedError> {
        self.text.row(row, self.rows, &mut self.buffer);
        self.rows += 1;
        if self.buffer.len() >= BUFFER { self.write_out() } else { Ok(()) }
    }

    fn flush(&mut self) -> Result<(), FeedError> {
        self.write_out()
    }

    fn is_full(&self) -> bool {
        false
    }

    fn commit(&mut self, n: u64) -> Result<Position, FeedError> {
        self.write_out()?;
        Ok(Position { n, len: self.len, state: String::new() })
    }

    fn end(&mut self) -> Result<(), FeedError> {
        self.buffer.push_str(self.text.foot());
        self.write_out()
    }
}
