//! Removes content codings (RFC 9110, section 8.4) piece by piece, under limits.
//!
//! The decoders are driven by hand, straight into the body's buffer: every step makes a bounded
//! amount of output, so a kilobyte that would swell to a gigabyte is stopped after a little more
//! than the limit, whatever the coding. zstd windows are limited to 8 MiB as RFC 9659 demands.
//!
//! A coding that we did not ask for and do not know is left in place: the `content-encoding`
//! field is still there to tell. More codings on top of each other than any honest server applies
//! are not even begun with.

mod brotli;
mod gzip;
mod inflate;

use bytes::Bytes;
use crawl_model::Truncation;
use zstd::stream::raw::{DParameter, Decoder as ZstdDecoder, Operation};
use zstd::zstd_safe::zstd_sys::ZSTD_ErrorCode;

use crate::body::BodyLimits;

/// Codings in a row that are removed. More than one is rare, more than this never honest.
const MAX_CODINGS: usize = 3;

/// Decoded bytes that no ratio limit applies to.
pub(crate) const RATIO_FLOOR: usize = 1024 * 1024;

/// The largest step of output; the limits are looked at after each.
const STEP: usize = 64 * 1024;

/// zstd's largest window as a power of two: 8 MiB (RFC 9659, section 3).
const ZSTD_WINDOW_LOG: u32 = 23;

/// Where a body is collected.
#[derive(Debug)]
pub(crate) struct Sink {
    buffer: Vec<u8>,
    /// The rest of `buffer` is room.
    filled: usize,
    limit: usize,
    /// Most bytes that may come, still coded.
    coded_limit: usize,
    ratio: usize,
    /// Bytes that came, still coded.
    received: usize,
    /// Bytes that came out of all decoders.
    decoded: usize,
}

impl Sink {
    /// A sink for at most `limits.bytes`, with room for `expected`.
    pub(crate) fn new(limits: &BodyLimits, expected: usize) -> Self {
        Self {
            buffer: Vec::with_capacity(expected),
            filled: 0,
            limit: limits.bytes,
            coded_limit: limits.coded_bytes,
            ratio: limits.ratio as usize,
            received: 0,
            decoded: 0,
        }
    }

    /// How many bytes are in it.
    pub(crate) fn len(&self) -> usize {
        self.filled
    }

    /// Takes out what was collected so far; the limit goes on counting.
    pub(crate) fn take(&mut self) -> Vec<u8> {
        self.buffer.truncate(self.filled);
        self.limit -= self.filled;
        self.filled = 0;
        std::mem::take(&mut self.buffer)
    }

    /// What was collected.
    pub(crate) fn into_bytes(mut self) -> Bytes {
        self.buffer.truncate(self.filled);
        if self.buffer.capacity() - self.filled > self.filled / 4 {
            self.buffer.shrink_to_fit();
        }
        Bytes::from(self.buffer)
    }

    /// Adds bytes that need no decoding.
    pub(crate) fn extend(&mut self, bytes: &[u8]) -> Result<(), Truncation> {
        let n = bytes.len().min(self.limit - self.filled);
        self.buffer.truncate(self.filled);
        self.buffer.extend_from_slice(&bytes[..n]);
        self.filled += n;
        if n < bytes.len() { Err(Truncation::Length) } else { Ok(()) }
    }

    /// Room for one step of a decoder: one byte more than the limit, so that its end and more to
    /// come can be told apart.
    fn room(&mut self) -> &mut [u8] {
        let most = self.limit.saturating_add(1);
        if self.filled == self.buffer.len() {
            let grown = (self.filled * 2).max(16 * 1024).max(self.buffer.capacity());
            self.buffer.resize(grown.min(most).max(self.filled + 1), 0);
        }
        let end = self.buffer.len().min(self.filled + STEP);
        &mut self.buffer[self.filled..end]
    }

    /// Takes note of `n` bytes written into the room.
    fn wrote(&mut self, n: usize) -> Result<(), Truncation> {
        self.filled += n;
        if self.filled > self.limit {
            self.filled = self.limit;
            return Err(Truncation::Length);
        }
        self.spent(n)
    }

    /// Takes note of `n` bytes that a decoder made, kept or not.
    fn spent(&mut self, n: usize) -> Result<(), Truncation> {
        self.decoded += n;
        let allowed = self.received.saturating_mul(self.ratio).max(RATIO_FLOOR);
        if self.decoded > allowed { Err(Truncation::Ratio) } else { Ok(()) }
    }
}

/// Removes the codings of one body.
pub(crate) struct Decoder {
    /// The last coding applied comes first. None: the body is as it came.
    stages: Vec<Stage>,
}

/// One coding.
enum Stage {
    Gzip(gzip::Gzip),
    Deflate(inflate::Deflate),
    Brotli(brotli::Brotli),
    Zstd { decoder: ZstdDecoder<'static>, is_done: bool },
}

/// What a step did.
#[derive(Debug, Default)]
struct Step {
    consumed: usize,
    produced: usize,
}

/// The bytes are not what the coding says.
#[derive(Debug)]
struct Broken;

impl Decoder {
    /// A decoder for the values of `content-encoding`, in order.
    ///
    /// # Errors
    /// [`Truncation::Nesting`] for more than three.
    pub(crate) fn new<'a>(values: impl Iterator<Item = &'a [u8]>) -> Result<Self, Truncation> {
        let mut stages = Vec::new();
        let mut is_known = true;
        let mut n_codings = 0;
        let names = values.flat_map(|value| value.split(|&byte| byte == b','));
        for name in names.map(<[u8]>::trim_ascii) {
            let is = |text: &str| name.eq_ignore_ascii_case(text.as_bytes());
            if name.is_empty() || is("identity") || is("none") {
                continue;
            }
            n_codings += 1;
            if n_codings > MAX_CODINGS {
                return Err(Truncation::Nesting);
            }
            match Stage::new(is) {
                Some(stage) if is_known => stages.push(stage),
                _ => is_known = false,
            }
        }
        if !is_known {
            stages.clear();
        }
        stages.reverse();
        Ok(Self { stages })
    }

    /// Whether the body is as it came.
    pub(crate) fn is_identity(&self) -> bool {
        self.stages.is_empty()
    }

    /// Decodes the next piece of the body into `sink`.
    pub(crate) fn feed(&mut self, piece: &[u8], sink: &mut Sink) -> Result<(), Truncation> {
        // Codings can be fed for ever without giving anything, so what comes is limited, too.
        let n_allowed = piece.len().min(sink.coded_limit - sink.received);
        sink.received += n_allowed;
        push(&mut self.stages, &piece[..n_allowed], sink)?;
        if n_allowed < piece.len() { Err(Truncation::Coded) } else { Ok(()) }
    }

    /// Whether the codings ended where the body did. A body of no bytes is whole: responses to
    /// HEAD name a coding, too.
    pub(crate) fn is_complete(&self, sink: &Sink) -> bool {
        if sink.received == 0 {
            return true;
        }
        // Servers that name one coding twice have applied it once: what comes out of it is plain.
        // What goes into it must be what it says (RFC 1952, section 2.3.1.2).
        let is_wrong = matches!(self.stages.first(), Some(Stage::Gzip(gzip)) if gzip.is_plain());
        !is_wrong && self.stages.iter().all(Stage::is_complete)
    }
}

/// Sends `input` through all `stages`.
fn push(stages: &mut [Stage], mut input: &[u8], sink: &mut Sink) -> Result<(), Truncation> {
    let Some((first, rest)) = stages.split_first_mut() else { return sink.extend(input) };
    let mut scratch = [0; 8 * 1024];
    loop {
        let is_last = rest.is_empty();
        let room = if is_last { sink.room() } else { &mut scratch[..] };
        let n_room = room.len();
        let step = first.step(input, room)?;
        input = &input[step.consumed..];
        if is_last {
            sink.wrote(step.produced)?;
        } else {
            sink.spent(step.produced)?;
            push(rest, &scratch[..step.produced], sink)?;
        }
        let may_hold_more = step.produced == n_room;
        if input.is_empty() && !may_hold_more {
            return Ok(());
        }
        if step.consumed == 0 && step.produced == 0 {
            // No decoder here stops without an error; should one do so, the body ends here.
            return Err(Truncation::Coding);
        }
    }
}

impl Stage {
    fn new(is: impl Fn(&str) -> bool) -> Option<Self> {
        if is("gzip") || is("x-gzip") {
            Some(Self::Gzip(gzip::Gzip::default()))
        } else if is("deflate") {
            Some(Self::Deflate(inflate::Deflate::default()))
        } else if is("br") {
            Some(Self::Brotli(brotli::Brotli::default()))
        } else if is("zstd") {
            let mut decoder = ZstdDecoder::new().ok()?;
            decoder.set_parameter(DParameter::WindowLogMax(ZSTD_WINDOW_LOG)).ok()?;
            Some(Self::Zstd { decoder, is_done: false })
        } else {
            None
        }
    }

    fn step(&mut self, input: &[u8], room: &mut [u8]) -> Result<Step, Truncation> {
        let step = match self {
            Self::Gzip(gzip) => gzip.step(input, room),
            Self::Deflate(deflate) => deflate.step(input, room),
            Self::Brotli(brotli) => brotli.step(input, room),
            Self::Zstd { decoder, is_done } => {
                let status = decoder.run_on_buffers(input, room).map_err(|e| zstd_broken(&e))?;
                let step = Step { consumed: status.bytes_read, produced: status.bytes_written };
                // 0: a frame has ended; another may follow (RFC 8878, section 3.1).
                if step.consumed + step.produced > 0 {
                    *is_done = status.remaining == 0;
                }
                return Ok(step);
            }
        };
        step.map_err(|Broken| Truncation::Coding)
    }

    fn is_complete(&self) -> bool {
        match self {
            Self::Gzip(gzip) => gzip.is_complete(),
            Self::Deflate(deflate) => deflate.is_complete(),
            Self::Brotli(brotli) => brotli.is_complete(),
            Self::Zstd { is_done, .. } => *is_done,
        }
    }
}

/// Tells a window over the limit from all else that can be wrong with zstd.
fn zstd_broken(error: &std::io::Error) -> Truncation {
    let error = error.get_ref().and_then(|error| error.downcast_ref::<zstd::Error>());
    let is_window =
        |e: &zstd::Error| e.is(ZSTD_ErrorCode::ZSTD_error_frameParameter_windowTooLarge);
    if error.is_some_and(is_window) { Truncation::Window } else { Truncation::Coding }
}

#[cfg(test)]
mod tests;
