//! Makes the records of an answer: on the CPU threads, where the page was read.

use std::io;
use std::sync::Arc;

use crawl_model::{
    Archived, Archivist, BodyPointer, Exchange, PageRecord, Response, TextForms, Verdict,
};

use super::read;
use crate::config::Conversion;
use crate::store::Shared;
use crate::warc::{
    BodyCompression, Digest, Head, Ids, Record, Urn, response_head, truncated_reason,
};
use crate::{Bodies, StoreConfig};

/// An earlier record of the same payload (WARC 1.1, section 6.7.2).
const SAME_PAYLOAD: &str = "http://netpreserve.org/warc/1.1/revisit/identical-payload-digest";
/// A server that said so (section 6.7.3).
const NOT_MODIFIED: &str = "http://netpreserve.org/warc/1.1/revisit/server-not-modified";

/// Letters for hops that are written at most.
const MOST_HOPS: usize = 100;

/// The crawl's [`Archivist`].
pub(crate) struct Press {
    shared: Arc<Shared>,
    which: Bodies,
    compression: BodyCompression,
    forms: TextForms,
    ids: Arc<Ids>,
}

/// Who and when: what the records of one exchange share.
struct Cover<'a> {
    exchange: &'a Exchange<'a>,
    at_us: u64,
    id: Urn,
}

impl Press {
    pub(crate) fn new(shared: Arc<Shared>, config: &StoreConfig) -> Self {
        let is_wanted = |form| config.conversions.contains(&form);
        let forms = TextForms {
            text: is_wanted(Conversion::Text),
            markdown: is_wanted(Conversion::Markdown),
        };
        let ids = shared.ids.clone();
        Self { shared, which: config.bodies, compression: config.body_compression, forms, ids }
    }

    /// Whether the body of this response is kept.
    fn wants(&self, response: &Response) -> bool {
        match self.which {
            Bodies::None => false,
            Bodies::All => true,
            Bodies::Html => {
                matches!(response.media_type().as_str(), "text/html" | "application/xhtml+xml")
            }
        }
    }

    fn press(&self, exchange: &Exchange<'_>) -> io::Result<Option<Archived>> {
        let sent_us = exchange.sent.map(|sent| sent.at_us);
        let at_us = sent_us.unwrap_or(exchange.record.fetched_ms.saturating_mul(1000));
        let cover = Cover { exchange, at_us, id: self.ids.next() };
        let mut archived = Archived::default();
        // To a condition of the spider's own there may be no earlier copy.
        if let Some(earlier) = self.earlier_copy(exchange) {
            self.not_modified(&cover, &earlier, &mut archived.bytes)?;
        } else if self.wants(exchange.response) {
            self.response(&cover, &mut archived)?;
            archived.body = Some(0..archived.bytes.len());
        } else {
            return Ok(None);
        }
        self.request(&cover, &mut archived.bytes)?;
        self.metadata(&cover, &mut archived.bytes)?;
        let texts = exchange.texts;
        for (kind, text) in [("text/plain", &texts.text), ("text/markdown", &texts.markdown)] {
            if let Some(text) = text.as_ref().filter(|_| archived.body.is_some()) {
                self.conversion(&cover, kind, text, &mut archived.bytes)?;
            }
        }
        Ok(Some(archived))
    }

    /// The response, or what says that its body is there already.
    fn response(&self, cover: &Cover<'_>, archived: &mut Archived) -> io::Result<()> {
        let response = cover.exchange.response;
        let http = response_head(response);
        let digest = Digest::of(&[&response.body]);
        let is_whole = response.truncated.is_none() && !response.body.is_empty();
        let earlier = is_whole.then(|| self.same_body(digest)).flatten();
        let kind = if earlier.is_some() { "revisit" } else { "response" };
        let mut record = self.record(kind, &cover.id, cover).with("WARC-Payload-Digest", &digest);
        let reason = response.truncated.map(truncated_reason);
        record = record.with_some("WARC-Truncated", reason.as_ref().map(|r| r as _));
        let media = "application/http;msgtype=response";
        let out = &mut archived.bytes;
        if let Some((pointer, head)) = earlier {
            archived.of = Some(pointer);
            return refer(record, SAME_PAYLOAD, &head).append(
                media,
                &[&http],
                self.compression,
                out,
            );
        }
        archived.key = is_whole.then(|| digest.key());
        record.append(media, &[&http, &response.body], self.compression, out)
    }

    /// A 304 for the crawl's own copy.
    fn not_modified(&self, cover: &Cover<'_>, earlier: &Head, out: &mut Vec<u8>) -> io::Result<()> {
        let http = response_head(cover.exchange.response);
        let record = self.record("revisit", &cover.id, cover);
        let digest = earlier.get("WARC-Payload-Digest");
        let record = record.with_some("WARC-Payload-Digest", digest.as_ref().map(|d| d as _));
        let media = "application/http;msgtype=response";
        refer(record, NOT_MODIFIED, earlier).append(media, &[&http], self.compression, out)
    }

    /// The record of a body with this digest.
    fn same_body(&self, digest: Digest) -> Option<(BodyPointer, Head)> {
        let pointer = self.shared.known.get(digest.key())?;
        let head = read::head(&self.shared.folder.bodies(), &pointer).ok()?;
        let is_same = head.get("WARC-Payload-Digest") == Some(&digest.to_string())
            && head.kind() == "response";
        is_same.then_some((pointer, head))
    }

    /// The record of the copy that a 304 speaks of; `None` if it is not archived, or if this is none.
    fn earlier_copy(&self, exchange: &Exchange<'_>) -> Option<Head> {
        if exchange.record.verdict != Verdict::NotModified {
            return None;
        }
        let record = self.shared.db.page(exchange.print).ok()??;
        read::head(&self.shared.folder.bodies(), &record.body?).ok()
    }

    fn request(&self, cover: &Cover<'_>, out: &mut Vec<u8>) -> io::Result<()> {
        let Some(sent) = cover.exchange.sent else { return Ok(()) };
        self.record("request", &self.ids.next(), cover)
            .with("WARC-Concurrent-To", &cover.id)
            .append(
                "application/http;msgtype=request",
                &[&sent.head, b"\r\n", &sent.body],
                self.compression,
                out,
            )
    }

    fn metadata(&self, cover: &Cover<'_>, out: &mut Vec<u8>) -> io::Result<()> {
        let fields = fields_of(cover.exchange.record);
        self.record("metadata", &self.ids.next(), cover)
            .with("WARC-Concurrent-To", &cover.id)
            .append("application/warc-fields", &[fields.as_bytes()], self.compression, out)
    }

    fn conversion(
        &self,
        cover: &Cover<'_>,
        kind: &str,
        text: &str,
        out: &mut Vec<u8>,
    ) -> io::Result<()> {
        let media = format!("{kind};charset=utf-8");
        Record::new("conversion", &self.ids.next(), cover.at_us)
            .with("WARC-Target-URI", &cover.exchange.record.url.without_credentials().as_str())
            .with("WARC-Refers-To", &cover.id)
            .append(&media, &[text.as_bytes()], self.compression, out)
    }

    /// Begins a record of an exchange.
    fn record(&self, kind: &str, id: &Urn, cover: &Cover<'_>) -> Record {
        let Exchange { response, record, .. } = cover.exchange;
        let ip = response.remote.map(|remote| remote.ip());
        let protocol = match response.version {
            "HTTP/2" => "h2",
            "HTTP/1.0" => "http/1.0",
            _ => "http/1.1",
        };
        Record::new(kind, id, cover.at_us)
            // Archives are passed on, so no password goes into them.
            .with("WARC-Target-URI", &record.url.without_credentials().as_str())
            .with_some("WARC-IP-Address", ip.as_ref().map(|ip| ip as _))
            .with("WARC-Protocol", &protocol)
    }
}

/// Says which record is meant.
fn refer(record: Record, profile: &str, head: &Head) -> Record {
    let mut record = record.with("WARC-Profile", &profile);
    for (field, of) in [
        ("WARC-Refers-To", "WARC-Record-ID"),
        ("WARC-Refers-To-Target-URI", "WARC-Target-URI"),
        ("WARC-Refers-To-Date", "WARC-Date"),
    ] {
        record = record.with_some(field, head.get(of).as_ref().map(|value| value as _));
    }
    record
}

/// The fields of a `metadata` record, as Heritrix names them, and our own.
fn fields_of(record: &PageRecord) -> String {
    let mut text = String::with_capacity(160);
    let mut field = |name: &str, value: &str| {
        if !value.is_empty() {
            text.push_str(&format!("{name}: {}\r\n", value.replace(['\r', '\n'], " ")));
        }
    };
    let via = record.chain.last().or(record.referrer.as_ref());
    let via = via.map(|via| via.without_credentials());
    field("via", via.as_ref().map_or("", |via| via.as_str()));
    let depth = usize::try_from(record.depth).unwrap_or(MOST_HOPS).min(MOST_HOPS);
    let redirects = record.chain.len().min(MOST_HOPS);
    field("hopsFromSeed", &format!("{}{}", "L".repeat(depth), "R".repeat(redirects)));
    field("fetchTimeMs", &record.elapsed_ms.to_string());
    field("depth", &record.depth.to_string());
    field("verdict", record.verdict.name());
    field("label", &record.label);
    if let Some(cut) = record.truncated {
        field("truncated", cut.name());
    }
    text
}

impl Archivist for Press {
    fn forms(&self) -> TextForms {
        self.forms
    }

    fn archive(&self, exchange: &Exchange<'_>) -> Option<Archived> {
        // Only memory is written to, which does not fail.
        self.press(exchange).ok().flatten()
    }
}
