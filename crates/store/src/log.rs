//! Reads the settle log, from its beginning or from any settle number.

use crawl_model::Event;

use crate::codec::{Block, Raw, Thaw};
use crate::database::{Database, Scan};
use crate::{StoreError, keys};

/// The log, event by event, without parsing what the caller does not ask for.
#[derive(Debug)]
pub(crate) struct Log {
    blocks: Scan,
    block: Block<sled::IVec>,
}

impl Log {
    pub(crate) fn all(db: &Database) -> Self {
        Self::over(db.prefix(&[keys::LOG]))
    }

    /// From a little before settle `n` on.
    pub(crate) fn from(db: &Database, n: u64) -> Result<Self, StoreError> {
        db.log_from(n).map(Self::over)
    }

    fn over(blocks: Scan) -> Self {
        Self { blocks, block: Block::new(0, sled::IVec::default()) }
    }

    /// The next event; `None` at the end.
    pub(crate) fn next(&mut self) -> Result<Option<Raw<'_>>, StoreError> {
        while self.block.is_done() {
            let Some(entry) = self.blocks.next() else { return Ok(None) };
            let (key, bytes) = entry?;
            let next_n = keys::next_n_of(&key).ok_or_else(|| StoreError::corrupt("log key"))?;
            self.block = Block::new(next_n, bytes);
        }
        self.block.next()
    }
}

/// The settle log in order, from the beginning: see [`Store::events`](crate::Store::events).
#[derive(Debug)]
pub struct Events {
    log: Log,
    thaw: Thaw,
    is_over: bool,
}

impl Events {
    pub(crate) fn new(db: &Database) -> Self {
        Self { log: Log::all(db), thaw: Thaw::default(), is_over: false }
    }

    fn step(&mut self) -> Result<Option<Event>, StoreError> {
        match self.log.next()? {
            Some(raw) => self.thaw.event(raw).map(Some),
            None => Ok(None),
        }
    }
}

impl Iterator for Events {
    type Item = Result<Event, StoreError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.is_over {
            return None;
        }
        let step = self.step();
        last_or(step, &mut self.is_over)
    }
}

/// Makes an iterator's answer of a step; after the end or an error there is nothing more, for
/// behind a damaged block nothing can be trusted to be in step.
pub(crate) fn last_or<T>(
    step: Result<Option<T>, StoreError>,
    is_over: &mut bool,
) -> Option<Result<T, StoreError>> {
    *is_over = !matches!(step, Ok(Some(_)));
    step.transpose()
}
