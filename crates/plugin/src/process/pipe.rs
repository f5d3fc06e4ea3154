//! Frames over a socket: four bytes of length, then so many bytes.

use std::io::{self, ErrorKind, Read, Write};
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

/// Longest frame. A page's body has a limit far below in any sane config, and so has a harvest.
pub(super) const MAX_FRAME_BYTES: usize = 256 << 20;
const HEAD: usize = 4;
/// Bytes that are asked of the socket at once.
const PIECE: usize = 64 << 10;

/// Why a frame did not come or go.
#[derive(Debug, thiserror::Error)]
pub(super) enum PipeError {
    /// The other end has gone.
    #[error("the other end has gone")]
    Gone,
    /// It took too long.
    #[error("it took too long")]
    Late,
    /// What came is no frame.
    #[error("it is not a frame of at most {} MiB", MAX_FRAME_BYTES >> 20)]
    Garbage,
    /// The socket failed.
    #[error("the socket failed")]
    Io(#[source] io::Error),
}

impl From<io::Error> for PipeError {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            ErrorKind::WouldBlock | ErrorKind::TimedOut => Self::Late,
            ErrorKind::BrokenPipe | ErrorKind::ConnectionReset | ErrorKind::UnexpectedEof => {
                Self::Gone
            }
            _ => Self::Io(error),
        }
    }
}

/// One end.
#[derive(Debug)]
pub(super) struct Pipe {
    stream: UnixStream,
    /// Kept from frame to frame, so that it need not grow each time.
    buffer: Vec<u8>,
}

impl Pipe {
    pub(super) fn new(stream: UnixStream) -> Self {
        Self { stream, buffer: Vec::new() }
    }

    /// Sends one frame until `deadline`; `None` waits for ever.
    pub(super) fn send(
        &mut self,
        frame: &[u8],
        deadline: Option<Instant>,
    ) -> Result<(), PipeError> {
        let length = u32::try_from(frame.len()).map_err(|_| PipeError::Garbage)?;
        if frame.len() > MAX_FRAME_BYTES {
            return Err(PipeError::Garbage);
        }
        self.buffer.clear();
        self.buffer.extend_from_slice(&length.to_le_bytes());
        self.buffer.extend_from_slice(frame);
        let mut rest = &self.buffer[..];
        while !rest.is_empty() {
            self.stream.set_write_timeout(left(deadline)?)?;
            match self.stream.write(rest) {
                Ok(0) => return Err(PipeError::Gone),
                Ok(n) => rest = &rest[n..],
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    /// Receives one frame until `deadline`. What it says of its length is believed only as far as
    /// bytes come.
    pub(super) fn receive(&mut self, deadline: Option<Instant>) -> Result<&[u8], PipeError> {
        self.buffer.clear();
        loop {
            let have = self.buffer.len();
            let missing = match self.buffer.first_chunk::<HEAD>() {
                None => HEAD - have,
                Some(head) => {
                    let length = u32::from_le_bytes(*head) as usize;
                    if length > MAX_FRAME_BYTES || have > HEAD + length {
                        return Err(PipeError::Garbage);
                    }
                    HEAD + length - have
                }
            };
            if missing == 0 {
                return Ok(&self.buffer[HEAD..]);
            }
            self.stream.set_read_timeout(left(deadline)?)?;
            // Beyond what is missing nothing may come, but with the head comes the frame.
            self.buffer.resize(have + PIECE, 0);
            let read = self.stream.read(&mut self.buffer[have..]);
            self.buffer.truncate(have + *read.as_ref().unwrap_or(&0));
            match read {
                Ok(0) => return Err(PipeError::Gone),
                Ok(_) => {}
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error.into()),
            }
        }
    }
}

/// The time until `deadline`; never zero, which a socket takes for no limit.
fn left(deadline: Option<Instant>) -> Result<Option<Duration>, PipeError> {
    let Some(deadline) = deadline else { return Ok(None) };
    match deadline.saturating_duration_since(Instant::now()) {
        Duration::ZERO => Err(PipeError::Late),
        left => Ok(Some(left.max(Duration::from_micros(1)))),
    }
}
