//! URLs of one host that have the same rank, first come, first served.
//!
//! Three pieces, the older first: the *head*, a block that was read back from a segment and is
//! being used up; what lies *on disk*; the *tail* in memory.

use crawl_store::tables::Take;

use super::{LanePlace, entry};

/// Bytes of one block on disk: what a busy host has in memory of a long queue.
const BLOCK_BYTES: usize = 1536;

#[derive(Debug)]
pub(super) struct Lane {
    pub(super) priority: i32,
    pub(super) depth: u32,
    pub(super) head: Option<Box<Head>>,
    pub(super) disk: Place,
    pub(super) tail: Packed,
}

/// Entries one behind the other, some of the first used up.
#[derive(Debug, Default)]
pub(super) struct Packed {
    pub(super) bytes: Vec<u8>,
    at: u32,
    pub(super) n: u32,
}

/// A block that was read back.
#[derive(Debug)]
pub(super) struct Head {
    pub(super) segment: u32,
    block: u32,
    /// Entries used up.
    taken: u32,
    left: Packed,
}

/// Where the next entry on disk is: block `block` of the lane in the first segment from `segment`
/// on that has it, after `skip` of its entries; and how many there are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) segment: u32,
    pub(crate) block: u32,
    pub(crate) skip: u32,
    pub(crate) n: u32,
}

impl Lane {
    pub(super) fn new(priority: i32, depth: u32) -> Self {
        let (disk, tail) = (Place::default(), Packed::default());
        Self { priority, depth, head: None, disk, tail }
    }

    /// One of which nothing is in memory.
    pub(super) fn on_disk(of: LanePlace) -> Self {
        Self { disk: of.place, ..Self::new(of.priority, of.depth) }
    }

    /// Whether nothing of it is in memory.
    pub(super) fn is_on_disk(&self) -> bool {
        self.head.is_none() && self.tail.n == 0
    }

    /// Where it goes on on disk, the head put back.
    pub(super) fn where_on_disk(&self) -> LanePlace {
        let (priority, depth, place) = (self.priority, self.depth, self.place());
        LanePlace { priority, depth, place }
    }

    /// Entries that wait in it.
    pub(super) fn n(&self) -> u64 {
        let head = self.head.as_ref().map_or(0, |head| head.left.n);
        u64::from(head) + u64::from(self.disk.n) + u64::from(self.tail.n)
    }

    /// Where the lane stands on disk, the head put back.
    fn place(&self) -> Place {
        match self.head.as_deref().filter(|head| head.left.n > 0) {
            None => self.disk,
            Some(head) => Place {
                segment: head.segment,
                block: head.block,
                skip: head.taken,
                n: head.left.n + self.disk.n,
            },
        }
    }

    /// Takes block `disk.block` of segment `segment` as its head; `false` if that makes no sense.
    pub(super) fn load(&mut self, segment: u32, bytes: Vec<u8>, n: u32) -> bool {
        let mut left = Packed { bytes, at: 0, n };
        let skip = self.disk.skip;
        for _ in 0..skip {
            if left.take().is_none() {
                return false;
            }
        }
        let Some(rest) = self.disk.n.checked_sub(left.n) else { return false };
        let block = self.disk.block;
        self.head = Some(Box::new(Head { segment, block, taken: skip, left }));
        self.disk = Place { segment, block: block + 1, skip: 0, n: rest };
        true
    }

    /// Lets go of the head: it is read again when the lane's turn comes.
    pub(super) fn put_head_back(&mut self) {
        self.disk = self.place();
        self.head = None;
    }

    /// The tail goes to segment `segment`: what was in it, in blocks, is on disk from now on.
    pub(super) fn spilled(&mut self, segment: u32) {
        if self.disk.n == 0 {
            self.disk = Place { segment, block: 0, skip: 0, n: 0 };
        }
        self.disk.n += self.tail.n;
        self.tail = Packed::default();
    }
}

impl Head {
    /// The next entry, still packed.
    pub(super) fn take(&mut self) -> Option<Vec<u8>> {
        let entry = self.left.take()?.to_vec();
        self.taken += 1;
        Some(entry)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.left.n == 0
    }
}

impl Packed {
    /// Takes the next entry; `None` if there is none.
    pub(super) fn take(&mut self) -> Option<&[u8]> {
        self.n = self.n.checked_sub(1)?;
        let mut rest = Take(self.bytes.get(self.at as usize..)?);
        let entry = entry::take(&mut rest)?;
        let left = rest.0.len();
        self.at = u32::try_from(self.bytes.len() - left).ok()?;
        Some(entry)
    }

    /// Bytes of memory it takes.
    pub(super) fn ram_bytes(&self) -> usize {
        self.bytes.capacity()
    }

    /// Frees what is used up, once it is most of it.
    pub(super) fn tidy(&mut self) {
        if self.n == 0 {
            *self = Self::default();
        } else if self.at as usize > self.bytes.len() / 2 && self.at > 256 {
            self.bytes.drain(..self.at as usize);
            self.bytes.shrink_to(self.bytes.len() * 2);
            self.at = 0;
        }
    }

    /// What is left, cut into blocks with their numbers of entries.
    pub(super) fn blocks(&self) -> Vec<(&[u8], u32)> {
        let all = &self.bytes[self.at as usize..];
        let mut blocks = Vec::new();
        let (mut rest, mut from, mut n) = (Take(all), 0, 0);
        for nth in 1..=self.n {
            if entry::take(&mut rest).is_none() {
                break;
            }
            n += 1;
            let to = all.len() - rest.0.len();
            if to - from >= BLOCK_BYTES || nth == self.n {
                blocks.push((&all[from..to], n));
                (from, n) = (to, 0);
            }
        }
        blocks
    }
}
