//! Reads a body under all its limits. What exceeds one is kept up to there.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use crawl_model::Truncation;
use http_body_util::BodyExt;
use hyper::Response;
use hyper::Version;
use hyper::body::{Body as _, Incoming};
use hyper::header::{CONTENT_ENCODING, TRANSFER_ENCODING};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::classify::is_end_of_stream;
use crate::clock::Clock;
use crate::decode::{Decoder, Sink};

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
    /// Decoded, and coded too.
    pub(crate) bytes: usize,
    /// Decoded by coded.
    pub(crate) ratio: u32,
    /// Between two pieces.
    pub(crate) idle: Duration,
}

/// A body as far as it came.
#[derive(Debug)]
pub(crate) struct Body {
    pub(crate) bytes: Bytes,
    /// `None`: it is whole, and the connection is good for another request.
    pub(crate) truncated: Option<Truncation>,
}

/// Reads the body of `response`, decoding it on the way.
pub(crate) async fn read(
    response: Response<Incoming>,
    limits: BodyLimits,
    clock: &mut Clock,
) -> Body {
    let is_close_delimited = is_close_delimited(&response);
    let codings = response.headers().get_all(CONTENT_ENCODING);
    let mut decoder = Decoder::new(codings.iter().map(|value| value.as_bytes()));
    let mut body = response.into_body();
    let expected = body.size_hint().exact().unwrap_or(0).min(MAX_RESERVED) as usize;
    let mut sink = None;
    let ended = loop {
        let limit = clock.limit(limits.idle, "fetch.idle-timeout");
        let frame = match clock.within(limit, body.frame()).await {
            Ok(Some(Ok(frame))) => frame,
            Ok(None) => break Ok(()),
            // Without an announced length the end of the connection is the end of the body, and
            // many a TLS server ends it without saying goodbye.
            Ok(Some(Err(error))) if is_close_delimited && is_end_of_stream(&error) => break Ok(()),
            Ok(Some(Err(_))) => break Err(Truncation::Disconnect),
            Err(_) => break Err(Truncation::Time),
        };
        let Ok(piece) = frame.into_data() else { continue };
        let is_whole = sink.is_none() && decoder.is_identity() && body.is_end_stream();
        if is_whole && piece.len() <= limits.bytes {
            return Body { bytes: piece, truncated: None };
        }
        let sink = sink.get_or_insert_with(|| {
            let factor = if decoder.is_identity() { 1 } else { 4 };
            let expected = expected.saturating_mul(factor).min(limits.bytes);
            Sink::new(limits.bytes, limits.ratio, expected)
        });
        if let Err(why) = take(&piece, &mut decoder, sink).await {
            break Err(why);
        }
        if body.is_end_stream() {
            break Ok(());
        }
    };
    let sink = sink.unwrap_or_else(|| Sink::new(0, 0, 0));
    let is_broken = ended.is_ok() && !decoder.is_complete(&sink);
    let truncated = if is_broken { Some(Truncation::Disconnect) } else { ended.err() };
    Body { bytes: sink.into_bytes(), truncated }
}

/// Adds one piece; long work is cut so that it never holds up the other fetches of its thread.
async fn take(piece: &[u8], decoder: &mut Decoder, sink: &mut Sink) -> Result<(), Truncation> {
    if decoder.is_identity() {
        return decoder.feed(piece, sink);
    }
    let mut turn = sink.len();
    for slice in piece.chunks(SLICE) {
        decoder.feed(slice, sink)?;
        if sink.len() - turn > TURN {
            turn = sink.len();
            tokio::task::yield_now().await;
        }
    }
    Ok(())
}

/// Whether only the connection's end tells the body's (RFC 9112, section 6.3, item 8).
fn is_close_delimited(response: &Response<Incoming>) -> bool {
    response.version() <= Version::HTTP_11
        && response.body().size_hint().exact().is_none()
        && !response.headers().contains_key(TRANSFER_ENCODING)
}
