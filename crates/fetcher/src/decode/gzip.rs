//! `gzip` (RFC 1952): header, deflate stream, trailer; members in a row are one body.
//!
//! Forgiving where the web is sloppy: a trailer that is missing is not missed, and what follows the
//! last member is ignored. A body that does not begin as gzip is handed on as it is; whether that
//! is an error is for the caller to say. A wrong checksum is one.

use flate2::{Crc, Decompress};

use super::inflate::run;
use super::{Broken, Step};

/// Longest member header that is read: name, comment and extra field are never needed.
const MAX_HEADER: usize = 128 * 1024;

const MAGIC: [u8; 2] = [0x1f, 0x8b];

/// A body of members.
pub(super) struct Gzip {
    part: Part,
    n_members: u32,
    /// Of the member before, to be used again: a body may have a million members.
    inflate: Option<Decompress>,
}

/// Where in a member we are.
enum Part {
    /// What came of the header.
    Header(Vec<u8>),
    Stream {
        inflate: Decompress,
        crc: Crc,
    },
    Trailer {
        crc: Crc,
        bytes: Vec<u8>,
    },
    /// Not gzip at all; the bytes that were taken for a header are still to be handed on.
    Plain(Vec<u8>),
    /// Behind the last member.
    Behind,
}

impl Default for Gzip {
    fn default() -> Self {
        Self { part: Part::Header(Vec::new()), n_members: 0, inflate: None }
    }
}

impl Gzip {
    pub(super) fn step(&mut self, input: &[u8], room: &mut [u8]) -> Result<Step, Broken> {
        match &mut self.part {
            Part::Header(_) => self.header(input, room),
            Part::Stream { inflate, crc } => {
                let mut is_done = false;
                let step = run(inflate, input, room, &mut is_done)?;
                crc.update(&room[..step.produced]);
                if is_done {
                    let trailer =
                        Part::Trailer { crc: std::mem::take(crc), bytes: Vec::with_capacity(8) };
                    if let Part::Stream { inflate, .. } = std::mem::replace(&mut self.part, trailer)
                    {
                        self.inflate = Some(inflate);
                    }
                }
                Ok(step)
            }
            Part::Trailer { crc, bytes } => {
                let consumed = input.len().min(8 - bytes.len());
                bytes.extend_from_slice(&input[..consumed]);
                if let Ok(trailer) = <[u8; 8]>::try_from(&bytes[..]) {
                    // Eight bytes: the checksum and the length modulo 2^32.
                    let expected = u64::from(crc.amount()) << 32 | u64::from(crc.sum());
                    if u64::from_le_bytes(trailer) != expected {
                        return Err(Broken);
                    }
                    self.n_members += 1;
                    self.part = Part::Header(Vec::new());
                }
                Ok(Step { consumed, produced: 0 })
            }
            Part::Plain(held) if !held.is_empty() => {
                let n = held.len().min(room.len());
                room[..n].copy_from_slice(&held[..n]);
                held.drain(..n);
                Ok(Step { consumed: 0, produced: n })
            }
            Part::Plain(_) => {
                let n = input.len().min(room.len());
                room[..n].copy_from_slice(&input[..n]);
                Ok(Step { consumed: n, produced: n })
            }
            Part::Behind => Ok(Step { consumed: input.len(), produced: 0 }),
        }
    }

    fn header(&mut self, input: &[u8], room: &mut [u8]) -> Result<Step, Broken> {
        let Part::Header(held) = &mut self.part else { return Err(Broken) };
        let n_before = held.len();
        let n_taken = input.len().min(MAX_HEADER - n_before);
        held.extend_from_slice(&input[..n_taken]);
        let n_magic = held.len().min(MAGIC.len());
        if held[..n_magic] != MAGIC[..n_magic] {
            held.truncate(n_before);
            let held = std::mem::take(held);
            self.part = if self.n_members == 0 { Part::Plain(held) } else { Part::Behind };
            return self.step(input, room);
        }
        match header_length(held)? {
            Some(length) => {
                let consumed = length - n_before;
                let inflate = match self.inflate.take() {
                    Some(mut used) => {
                        used.reset(false);
                        used
                    }
                    None => Decompress::new(false),
                };
                self.part = Part::Stream { inflate, crc: Crc::new() };
                Ok(Step { consumed, produced: 0 })
            }
            None if held.len() == MAX_HEADER => Err(Broken),
            None => Ok(Step { consumed: n_taken, produced: 0 }),
        }
    }

    pub(super) fn is_complete(&self) -> bool {
        match &self.part {
            Part::Header(held) => self.n_members > 0 && held.is_empty(),
            Part::Stream { .. } => false,
            Part::Trailer { .. } | Part::Plain(_) | Part::Behind => true,
        }
    }

    /// Whether the body is not gzip at all.
    pub(super) fn is_plain(&self) -> bool {
        matches!(self.part, Part::Plain(_))
    }
}

/// The length of the member header that `bytes` begin with; `None` if more is needed
/// (RFC 1952, section 2.3).
fn header_length(bytes: &[u8]) -> Result<Option<usize>, Broken> {
    const FHCRC: u8 = 2;
    const FEXTRA: u8 = 4;
    const FNAME: u8 = 8;
    const FCOMMENT: u8 = 16;
    let Some(fixed) = bytes.first_chunk::<10>() else { return Ok(None) };
    let (method, flags) = (fixed[2], fixed[3]);
    if method != 8 || flags & 0xe0 != 0 {
        return Err(Broken);
    }
    let mut at = 10;
    if flags & FEXTRA != 0 {
        let Some(length) = bytes.get(at..at + 2) else { return Ok(None) };
        at += 2 + usize::from(u16::from_le_bytes([length[0], length[1]]));
    }
    for text in [FNAME, FCOMMENT] {
        if flags & text != 0 {
            let end = bytes.get(at..).and_then(|rest| rest.iter().position(|&byte| byte == 0));
            let Some(end) = end else { return Ok(None) };
            at += end + 1;
        }
    }
    if flags & FHCRC != 0 {
        at += 2;
    }
    Ok((at <= bytes.len()).then_some(at))
}
