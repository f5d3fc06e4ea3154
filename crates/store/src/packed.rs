//! What is kept for a page in many small pieces (items, dropped items), packed into few values.
//!
//! A value of sled's should stay under some KB, and items may have any size: so they are written
//! one behind the other, each with its length, and the whole is cut into parts.

use crawl_model::Fingerprint;

use crate::codec::{Take, put_number};
use crate::database::{Database, PART_BYTES, Scan};
use crate::seal::Batch;
use crate::{StoreError, keys};

/// Adds pieces to a commit in the place of those that are there; returns the number of parts.
pub(crate) fn put<'a>(
    batch: &mut Batch,
    tag: u8,
    print: Fingerprint,
    pieces: impl Iterator<Item = &'a [u8]>,
) -> u32 {
    put_parts(batch, tag, print, &pack(pieces))
}

/// The pieces, packed.
pub(crate) fn pack<'a>(pieces: impl Iterator<Item = &'a [u8]>) -> Vec<u8> {
    let mut packed = Vec::new();
    for piece in pieces {
        put_number(&mut packed, piece.len() as u64);
        packed.extend_from_slice(piece);
    }
    packed
}

/// The same as [`put`], of what is packed.
pub(crate) fn put_parts(batch: &mut Batch, tag: u8, print: Fingerprint, packed: &[u8]) -> u32 {
    let mut n_parts = 0;
    for part in packed.chunks(PART_BYTES) {
        batch.insert(&keys::part(tag, print, n_parts), part);
        n_parts += 1;
    }
    n_parts
}

/// Removes what is in the database beyond `n_parts`.
pub(crate) fn remove_surplus(
    db: &Database,
    batch: &mut Batch,
    tag: u8,
    print: Fingerprint,
    n_parts: u32,
) -> Result<(), StoreError> {
    for entry in db.prefix(&keys::print(tag, print)) {
        let (key, _) = entry?;
        if keys::part_of(&key).is_some_and(|part| part >= n_parts) {
            batch.remove(key);
        }
    }
    Ok(())
}

/// The pieces of one page, in order.
#[derive(Debug)]
pub(crate) struct Pieces {
    /// `None`: all of them are in the buffer.
    parts: Option<Scan>,
    what: &'static str,
    buffer: Vec<u8>,
    at: usize,
}

impl Pieces {
    /// Those under `tag`; `what` they are is said in errors.
    pub(crate) fn of(db: &Database, tag: u8, print: Fingerprint, what: &'static str) -> Self {
        let parts = Some(db.prefix(&keys::print(tag, print)));
        Self { parts, what, buffer: Vec::new(), at: 0 }
    }

    /// Those that were [packed](pack) so.
    pub(crate) fn of_packed(packed: Vec<u8>, what: &'static str) -> Self {
        Self { parts: None, what, buffer: packed, at: 0 }
    }

    /// Takes one out of the buffer; `None` if it is not all there yet.
    fn take(&mut self) -> Option<Vec<u8>> {
        let mut rest = Take(&self.buffer[self.at..]);
        let piece = rest.text()?.to_vec();
        self.at = self.buffer.len() - rest.0.len();
        Some(piece)
    }
}

impl Iterator for Pieces {
    type Item = Result<Vec<u8>, StoreError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(piece) = self.take() {
                return Some(Ok(piece));
            }
            self.buffer.drain(..self.at);
            self.at = 0;
            match self.parts.as_mut().and_then(Iterator::next) {
                Some(Ok((_, part))) => self.buffer.extend_from_slice(&part),
                Some(Err(e)) => return Some(Err(e)),
                None if self.buffer.is_empty() => return None,
                None => {
                    self.buffer.clear();
                    return Some(Err(StoreError::corrupt(format!("{}, cut short", self.what))));
                }
            }
        }
    }
}
