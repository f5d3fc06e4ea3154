//! Files that items ask for: judged where the items are taken, and settled without being read.

use std::collections::HashSet;

use crawl_model::{
    AskedFile, FileAsk, FileFacts, Fingerprint, Found, Keys, Look, PageItems, Request, Response,
    Taken, Verdict,
};
use crawl_spider::{PageInfo, Spider};

use super::record;
use crate::stage::parser::{Parser, Read};

/// A file that has come, as far as its page's record tells of it.
#[derive(Debug, Clone)]
pub(crate) struct CameAs {
    pub(crate) facts: FileFacts,
    pub(crate) bytes: u64,
}

impl Parser {
    /// Sends a callback's items through the pipeline. The files that those ask for which are kept
    /// join what was `found`.
    pub(crate) fn take(
        &self,
        spider: &dyn Spider,
        (taken, files): (Taken, Vec<Vec<FileAsk>>),
        request: &Request,
        status: Option<u16>,
        found: &mut Vec<Found>,
    ) -> PageItems {
        if taken.items.is_empty() {
            return PageItems::default();
        }
        let page = PageInfo::new(request, status);
        if files.iter().all(Vec::is_empty) {
            return self.pipeline.apply(spider.item_step(), taken, &page);
        }
        let Taken { spider: name, kinds, items } = taken;
        let mut out = PageItems { spider: name.clone(), ..PageItems::default() };
        let mut seen = HashSet::new();
        let files = files.into_iter().map(Some).chain(std::iter::repeat(None));
        for (item, asks) in items.into_iter().zip(files) {
            let one = Taken { spider: name.clone(), kinds: kinds.clone(), items: vec![item] };
            let made = self.pipeline.apply(spider.item_step(), one, &page);
            out.dropped.extend(made.dropped);
            let Some(mut item) = made.kept.into_iter().next() else { continue };
            item.kind = out.kind(made.kinds.get(item.kind), page.label());
            let keys = made.keys.into_iter().next().unwrap_or_default();
            if keys != Keys::default() || !out.keys.is_empty() {
                out.keys.resize(out.kept.len(), Keys::default());
                out.keys.push(keys);
            }
            out.count(&item);
            out.kept.push(item);
            let asks = asks.unwrap_or_default().into_iter();
            let asked = asks.map(|ask| self.ask(ask, request, &mut seen, found)).collect();
            out.files.asked.push(asked);
        }
        out
    }

    /// Judges a file; one that is new is found.
    fn ask(
        &self,
        ask: FileAsk,
        from: &Request,
        seen: &mut HashSet<Fingerprint>,
        found: &mut Vec<Found>,
    ) -> AskedFile {
        let FileAsk { url, field, kind } = ask;
        let mut request = Request::file(url.clone(), kind);
        request.depth = from.depth.saturating_add(1);
        request.referrer = Some(from.url.clone());
        let print = self.view.fingerprint_of(&request);
        if seen.insert(print) {
            let filtered = match self.view.look_file(print, &url) {
                Look::Known => None,
                Look::Admit => Some(None),
                Look::Filter(reason) => Some(Some(reason)),
            };
            let new = |filtered| Found { print, request, filtered, renews: false };
            found.extend(filtered.map(new));
        }
        let kept_out = self.view.keeps_file_out(&url);
        AskedFile { url: url.without_credentials(), field, print, kept_out }
    }

    /// The answer to a request for a file.
    pub(crate) fn file(&self, response: &Response, file: Option<&CameAs>, read: &mut Read) {
        let record = &mut read.record;
        match (record.verdict, file) {
            (Verdict::Ok, Some(CameAs { facts, bytes })) => {
                record.verdict = Verdict::Stored;
                record.bytes = *bytes;
                record.digest = facts.sha256.chars().take(16).collect();
                record.file = Some(Box::new(facts.clone()));
            }
            (Verdict::Ok, None) => {
                record.verdict = Verdict::HttpError;
                record.error = record::short(&format!("status {} is no file", response.status));
            }
            _ => {
                record.error = match response.truncated {
                    Some(why) => format!("the file was cut short ({})", why.name()),
                    None => format!("status {}", response.status),
                };
            }
        }
        read.is_forgotten = true;
    }
}
