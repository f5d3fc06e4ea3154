//! One host's queue: packed while all of it is on disk, its lanes and what came back otherwise.

use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;

use super::Service;
use super::lane::Lane;
use super::rest::{self, Rested};
use crate::queue::Queued;

/// One host's.
#[derive(Debug)]
pub(super) enum HostQueue {
    /// All of it is on disk, or there is nothing.
    Rests(Rested),
    Busy(Box<Busy>),
}

/// Some of it is in memory.
#[derive(Debug)]
pub(super) struct Busy {
    /// The first to be served comes first.
    pub(super) lanes: Vec<Lane>,
    pub(super) returned: BinaryHeap<Returned>,
}

/// A URL that came back.
#[derive(Debug)]
pub(super) struct Returned {
    pub(super) rank: (bool, Service, Reverse<u64>),
    pub(super) url: Queued,
}

impl HostQueue {
    /// What of it is in memory, if anything is.
    pub(super) fn busy(&self) -> Option<&Busy> {
        match self {
            Self::Busy(busy) => Some(busy),
            Self::Rests(_) => None,
        }
    }

    /// Unpacks it, so that it can be changed.
    pub(super) fn wake(&mut self) -> &mut Busy {
        if let Self::Rests(rested) = self {
            let (lanes, returned) = (rested.lanes(), BinaryHeap::new());
            *self = Self::Busy(Box::new(Busy { lanes, returned }));
        }
        match self {
            Self::Busy(busy) => busy,
            Self::Rests(_) => unreachable!("it has just been woken"),
        }
    }

    /// Packs it, if all of it is on disk.
    pub(super) fn rest(&mut self) {
        let Self::Busy(busy) = self else { return };
        let is_at_rest = busy.returned.is_empty() && busy.lanes.iter().all(Lane::is_on_disk);
        if is_at_rest {
            *self = Self::Rests(Rested::new(&busy.packed()));
        }
    }

    /// Lets go of blocks that were read back.
    pub(super) fn put_heads_back(&mut self) {
        if let Self::Busy(busy) = self {
            busy.lanes.iter_mut().for_each(Lane::put_head_back);
            self.rest();
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        match self {
            Self::Rests(rested) => rested.bytes().is_empty(),
            Self::Busy(busy) => busy.lanes.is_empty() && busy.returned.is_empty(),
        }
    }
}

impl Busy {
    /// Where its lanes go on, packed; without what is in memory only.
    pub(super) fn packed(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        let lanes = self.lanes.iter().map(Lane::where_on_disk);
        lanes.filter(|lane| lane.place.n > 0).for_each(|lane| rest::put(&mut bytes, lane));
        bytes
    }
}

impl Ord for Returned {
    fn cmp(&self, other: &Self) -> Ordering {
        self.rank.cmp(&other.rank)
    }
}

impl PartialOrd for Returned {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Returned {
    fn eq(&self, other: &Self) -> bool {
        self.rank == other.rank
    }
}

impl Eq for Returned {}
