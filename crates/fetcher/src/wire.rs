//! Watches the bytes of a connection: when a request went out, and whether anything came back.
//!
//! Politeness is owed from the moment the server hears of us, which is neither when a ticket
//! was issued nor when hyper took the request, so the moment is noted where bytes are written.
//! Whether anything was received tells a kept-alive connection that was already dead (the
//! request may be sent again) from a server that broke off. And what comes before a head is
//! limited here, where all of it passes.

use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::task::{Context, Poll};
use std::time::Instant;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::pool::Slot;

/// When a request's first byte was written; empty until then.
pub(crate) type SentAt = Arc<OnceLock<Instant>>;

/// What is known of a connection's bytes.
#[derive(Debug, Default)]
pub(crate) struct WireLog {
    received: AtomicU64,
    /// How many bytes may come before they are too many; 0: any number.
    allowed: AtomicU64,
    is_awaited: AtomicBool,
    /// Requests handed over whose first byte has not been written. One, but for HTTP/2.
    awaited: Mutex<Vec<SentAt>>,
}

impl WireLog {
    /// How many bytes have come so far.
    pub(crate) fn received(&self) -> u64 {
        self.received.load(Ordering::Acquire)
    }

    /// The next byte written will be that of a new request.
    pub(crate) fn expect_request(&self) -> SentAt {
        let sent_at = SentAt::default();
        self.awaited.lock().unwrap_or_else(PoisonError::into_inner).push(sent_at.clone());
        self.is_awaited.store(true, Ordering::Release);
        sent_at
    }

    /// Of what comes from now on, `n_bytes` at most are read until [`head_came`](Self::head_came).
    pub(crate) fn allow_until_head(&self, n_bytes: u64) {
        self.allowed.store(self.received().saturating_add(n_bytes), Ordering::Release);
    }

    /// The head that was waited for is there, and bodies have limits of their own.
    pub(crate) fn head_came(&self) {
        self.allowed.store(0, Ordering::Release);
    }

    /// Counts bytes that came; fails if they are too many.
    fn read(&self, n: usize) -> io::Result<()> {
        let received = self.received.fetch_add(n as u64, Ordering::AcqRel) + n as u64;
        let allowed = self.allowed.load(Ordering::Acquire);
        if allowed > 0 && received > allowed { Err(io::Error::other(Flood)) } else { Ok(()) }
    }

    fn wrote(&self) {
        if self.is_awaited.swap(false, Ordering::AcqRel) {
            let now = Instant::now();
            let mut awaited = self.awaited.lock().unwrap_or_else(PoisonError::into_inner);
            for sent_at in awaited.drain(..) {
                // Fails only if it is set already, which the drain rules out.
                let _ = sent_at.set(now);
            }
        }
    }
}

/// More bytes came in place of a head than heads can have: interim responses without end, which
/// hyper reads and forgets one by one.
#[derive(Debug, thiserror::Error)]
#[error("interim responses (1xx) without end")]
pub(crate) struct Flood;

/// A connection whose bytes are watched. For TLS it lies outside: it sees HTTP, not handshakes.
#[derive(Debug)]
pub(crate) struct Wire<S> {
    stream: S,
    log: Arc<WireLog>,
    /// Free again when the connection is closed, whoever does it.
    _slot: Slot,
}

impl<S> Wire<S> {
    pub(crate) fn new(stream: S, slot: Slot) -> (Self, Arc<WireLog>) {
        let log = Arc::new(WireLog::default());
        (Self { stream, log: log.clone(), _slot: slot }, log)
    }

    fn note(&self, written: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        if matches!(written, Poll::Ready(Ok(n)) if n > 0) {
            self.log.wrote();
        }
        written
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Wire<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        let read = Pin::new(&mut self.stream).poll_read(cx, buf);
        let n = buf.filled().len() - before;
        if n > 0 {
            self.log.read(n)?;
        }
        read
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Wire<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(cx, buf);
        self.note(written)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(cx, bufs);
        self.note(written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}
