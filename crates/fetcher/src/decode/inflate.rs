//! `deflate`: zlib (RFC 1950) by the standard, raw (RFC 1951) from servers that took it at its
//! name. The first two bytes tell.

use flate2::{Decompress, FlushDecompress, Status};

use super::{Broken, Step};

/// A stream; what follows its end is ignored.
#[derive(Default)]
pub(super) struct Deflate {
    /// The first byte, while it is the only one.
    first: Option<u8>,
    inflate: Option<Decompress>,
    is_done: bool,
}

impl Deflate {
    pub(super) fn step(&mut self, input: &[u8], room: &mut [u8]) -> Result<Step, Broken> {
        if self.is_done {
            return Ok(Step { consumed: input.len(), produced: 0 });
        }
        if let Some(inflate) = &mut self.inflate {
            return run(inflate, input, room, &mut self.is_done);
        }
        match (self.first, input) {
            (_, []) => Ok(Step::default()),
            (None, [only]) => {
                self.first = Some(*only);
                Ok(Step { consumed: 1, produced: 0 })
            }
            (None, [first, second, ..]) => {
                let inflate = self.inflate.insert(Decompress::new(is_zlib(*first, *second)));
                run(inflate, input, room, &mut self.is_done)
            }
            (Some(first), [second, ..]) => {
                let inflate = self.inflate.insert(Decompress::new(is_zlib(first, *second)));
                // One byte alone gives nothing in either format.
                let step = run(inflate, &[first], room, &mut self.is_done)?;
                if step.consumed != 1 || step.produced != 0 {
                    return Err(Broken);
                }
                run(inflate, input, room, &mut self.is_done)
            }
        }
    }

    pub(super) fn is_complete(&self) -> bool {
        self.is_done
    }
}

/// Whether these bytes begin a zlib stream (RFC 1950, section 2.2).
fn is_zlib(first: u8, second: u8) -> bool {
    let is_deflate = first & 0x0f == 8 && first >> 4 <= 7;
    is_deflate && u16::from_be_bytes([first, second]).is_multiple_of(31)
}

/// One step of a deflate stream; sets `is_done` at its end.
pub(super) fn run(
    inflate: &mut Decompress,
    input: &[u8],
    room: &mut [u8],
    is_done: &mut bool,
) -> Result<Step, Broken> {
    let before = (inflate.total_in(), inflate.total_out());
    let status = inflate.decompress(input, room, FlushDecompress::None).map_err(|_| Broken)?;
    *is_done = status == Status::StreamEnd;
    Ok(Step {
        consumed: (inflate.total_in() - before.0) as usize,
        produced: (inflate.total_out() - before.1) as usize,
    })
}
