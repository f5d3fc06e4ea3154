//! Reads a body under all its limits. What exceeds one is kept up to there.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use crawl_model::Truncation;
use http_body_util::BodyExt;
use hyper::Response;
use hyper::Version;
use hyper::body::{Body as _, Incoming};
use hyper::header::{CONTENT_ENCODING, HeaderMap, TRANSFER_ENCODING};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;

use crate::classify;
use crate::clock::Clock;
use crate::decode::{Decoder, Sink};
use crate::file::{FileBody, PART};
use crate::pace::{Pace, Rate};

/// Most bytes reserved before any have come: a length is only a promise.
const MAX_RESERVED: u64 = 256 * 1024;

/// Coded bytes decoded in one go, and decoded bytes after which other tasks have their turn.
const SLICE: usize = 8 * 1024;
const TURN: usize = 256 * 1024;

/// Share of a body whose length is not announced.
const UNANNOUNCED: usize = 64 * 1024;
const KIB: usize = 1024;

/// The memory that all bodies between the fetch and the store share.
///
/// A share is taken before the body is read, and clamped to the whole, so that no fetch waits
/// for what can never be free. A body that grows beyond its share does not wait again: two that
/// did could wait for each other.
#[derive(Debug)]
pub(crate) struct Memory {
    kib: Arc<Semaphore>,
    all: u32,
}

impl Memory {
    pub(crate) fn new(mib: u32) -> Self {
        let all = mib.saturating_mul(1024).min(u32::MAX >> 3);
        Self { kib: Arc::new(Semaphore::new(all as usize)), all }
    }

    /// Waits for the share of `response`'s body; `None` if the body has none.
    pub(crate) async fn share(
        &self,
        response: &Response<Incoming>,
        limit: usize,
    ) -> Option<OwnedSemaphorePermit> {
        let announced = response.body().size_hint().exact();
        let bytes = announced.map_or(UNANNOUNCED, |n| usize::try_from(n).unwrap_or(limit));
        self.take(bytes.min(limit)).await
    }

    /// Waits for a share of so many bytes; `None` if that is none.
    pub(crate) async fn take(&self, bytes: usize) -> Option<OwnedSemaphorePermit> {
        let kib = u32::try_from(bytes.div_ceil(KIB)).unwrap_or(self.all).min(self.all);
        if kib == 0 {
            return None;
        }
        // The semaphore is never closed.
        self.kib.clone().acquire_many_owned(kib).await.ok()
    }
}

/// What a body must not exceed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct BodyLimits {
    /// Decoded.
    pub(crate) bytes: usize,
    /// As it is transferred.
    pub(crate) coded_bytes: usize,
    /// Decoded by coded.
    pub(crate) ratio: u32,
    /// Between two pieces.
    pub(crate) idle: Duration,
    /// Less is too slow.
    pub(crate) rate: Rate,
}

/// A body as far as it came.
#[derive(Debug)]
pub(crate) struct Body {
    pub(crate) bytes: Bytes,
    /// `None`: it is whole, and the connection is good for another request.
    pub(crate) truncated: Option<Truncation>,
}

impl Body {
    /// A body of which nothing can be had.
    fn none(why: Truncation) -> Self {
        Self { bytes: Bytes::new(), truncated: Some(why) }
    }
}

/// Reads the body of `response`, decoding it on the way. What goes to a file is not in what it
/// gives.
pub(crate) async fn read(
    response: Response<Incoming>,
    limits: BodyLimits,
    clock: &mut Clock,
    mut file: Option<&mut FileBody>,
) -> Body {
    if response.body().is_end_stream() {
        // Answers to HEAD name codings, too, and a body of no bytes is whole in all of them.
        return Body { bytes: Bytes::new(), truncated: None };
    }
    if !is_framing_known(response.headers()) {
        return Body::none(Truncation::Framing);
    }
    let is_close_delimited = is_close_delimited(&response);
    let codings = response.headers().get_all(CONTENT_ENCODING);
    let mut decoder = match Decoder::new(codings.iter().map(|value| value.as_bytes())) {
        Ok(decoder) => decoder,
        Err(why) => return Body::none(why),
    };
    let mut body = response.into_body();
    let expected = body.size_hint().exact().unwrap_or(0).min(MAX_RESERVED) as usize;
    let mut sink = None;
    let mut now = Instant::now();
    let mut pace = Pace::start(limits.rate, now);
    let ended = loop {
        let limit = clock.limit_from(now, limits.idle, "fetch.idle-timeout");
        let frame = match clock.within(limit, body.frame()).await {
            Ok(Some(Ok(frame))) => frame,
            Ok(None) => break Ok(()),
            Ok(Some(Err(error))) => break Err(classify::body(&error)),
            Err(limit) if limit.is_total() => break Err(Truncation::Time),
            Err(_) => break Err(Truncation::Idle),
        };
        let Ok(piece) = frame.into_data() else { continue };
        let is_whole =
            file.is_none() && sink.is_none() && decoder.is_identity() && body.is_end_stream();
        if is_whole && piece.len() <= limits.bytes.min(limits.coded_bytes) {
            return Body { bytes: piece, truncated: None };
        }
        let sink = sink.get_or_insert_with(|| {
            let factor = if decoder.is_identity() { 1 } else { 4 };
            let expected = expected.saturating_mul(factor).min(limits.bytes);
            Sink::new(&limits, if file.is_some() { expected.min(PART) } else { expected })
        });
        if let Err(why) = take(&piece, &mut decoder, sink, file.as_deref_mut()).await {
            break Err(why);
        }
        if body.is_end_stream() {
            break Ok(());
        }
        now = Instant::now();
        if !pace.keeps_up(piece.len(), now) {
            break Err(Truncation::Slow);
        }
    };
    let mut sink = sink.unwrap_or_else(|| Sink::new(&limits, 0));
    if let (Some(file), Ok(())) = (&mut file, &ended) {
        // Should it fail, the file says so.
        file.drain(&mut sink, true).await;
    }
    let truncated = match ended {
        Ok(()) if decoder.is_complete(&sink) => None,
        // Nobody can tell a server that broke off from one that never ends its codings.
        Ok(()) if is_close_delimited => Some(Truncation::Disconnect),
        Ok(()) => Some(Truncation::Coding),
        Err(why) => Some(why),
    };
    Body { bytes: sink.into_bytes(), truncated }
}

/// Whether the body is transferred in a way that hyper undoes: as it is or in chunks. Other
/// transfer codings were not asked for (RFC 9112, section 7.4), and a page coded by one would be
/// taken for its text.
fn is_framing_known(headers: &HeaderMap) -> bool {
    let values = headers.get_all(TRANSFER_ENCODING);
    let names = values.iter().flat_map(|value| value.as_bytes().split(|&byte| byte == b','));
    let is_plain = |name: &[u8]| name.is_empty() || name.eq_ignore_ascii_case(b"identity");
    let mut names = names.map(<[u8]>::trim_ascii).filter(|name| !is_plain(name));
    names.next().is_none_or(|name| name.eq_ignore_ascii_case(b"chunked")) && names.next().is_none()
}

/// Adds one piece; long work is cut so that it never holds up the other fetches of its thread.
async fn take(
    piece: &[u8],
    decoder: &mut Decoder,
    sink: &mut Sink,
    mut file: Option<&mut FileBody>,
) -> Result<(), Truncation> {
    if decoder.is_identity() {
        decoder.feed(piece, sink)?;
        return drain(file, sink).await;
    }
    let mut turn = sink.len();
    for (i, slice) in piece.chunks(SLICE).enumerate() {
        decoder.feed(slice, sink)?;
        drain(file.as_deref_mut(), sink).await?;
        turn = turn.min(sink.len());
        // What goes in may be work, too, where nothing comes out.
        if sink.len() - turn > TURN || i % 4 == 3 {
            turn = sink.len();
            tokio::task::yield_now().await;
        }
    }
    Ok(())
}

/// Sends what is in the sink on, if it goes to a file.
async fn drain(file: Option<&mut FileBody>, sink: &mut Sink) -> Result<(), Truncation> {
    let Some(file) = file else { return Ok(()) };
    // The file keeps the failure, which is what is told.
    if file.drain(sink, false).await { Ok(()) } else { Err(Truncation::Disconnect) }
}

/// Whether only the connection's end tells the body's (RFC 9112, section 6.3, item 8).
fn is_close_delimited(response: &Response<Incoming>) -> bool {
    response.version() <= Version::HTTP_11
        && response.body().size_hint().exact().is_none()
        && !response.headers().contains_key(TRANSFER_ENCODING)
}
