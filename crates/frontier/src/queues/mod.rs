//! Where URLs wait, host by host: the newest in memory, the rest in queue segments.
//!
//! A host's URLs stand in *lanes*, one for each rank they have, so a lane needs no sorting: it is
//! first come, first served, and bytes in the order of discovery are all it takes. When the
//! memory set aside is full, all lanes go to disk in one sweep ([`spill`](Queues::spill)), and a
//! host's lane is read back a block at a time when its turn comes. (Mercator's front queues,
//! Heydon and Najork 1999; the virtualizer of BUbiNG, Boldi et al. 2014.)
//!
//! What a spill wrote is never changed. A URL that is taken and then comes back (its ticket was
//! lost, its rules are not known yet) waits in memory in a heap of its own.
//!
//! Not here: who is known, and what time it is.

mod disk;
mod entry;
mod host;
mod lane;
mod rest;
mod texts;

#[cfg(test)]
mod tests;

use std::cmp::Reverse;
use std::collections::{BTreeMap, VecDeque};
use std::hint::black_box;
use std::path::PathBuf;
use std::sync::Arc;

use crawl_model::{Fingerprinter, Request};
use crawl_store::StoreError;
use crawl_store::tables::{LaneKey, QueueSegment};

use crate::backend::HostKey;
use crate::chunks::Chunks;
use crate::config::Order;
use crate::queue::Queued;

use host::{HostQueue, Returned};
use lane::Lane;
use rest::Rested;
use texts::Texts;

pub(crate) use disk::Recheck;
pub(crate) use lane::Place;
pub(crate) use rest::read as read_lanes;

/// Ranks that a host's URLs may have; with more, neighbours share a lane.
const MOST_LANES: usize = 512;
/// Hosts of which a block that was read back is kept, if others are read after it: some 50 MB.
const MOST_HEADS: usize = 1 << 15;

/// All hosts' queues.
#[derive(Debug)]
pub(crate) struct Queues {
    prints: Fingerprinter,
    order: Order,
    /// By host key.
    hosts: Chunks<HostQueue>,
    /// Whose blocks were read back, the oldest first. Some of them are used up.
    heads: VecDeque<HostKey>,
    texts: Texts,
    segments: BTreeMap<u32, Segment>,
    next_segment: u32,
    /// Segments before this are of earlier runs: what they hold may have ended since.
    first_own: u32,
    /// Segments that nothing waits in any more; the last checkpoint may name them.
    used_up: Vec<PathBuf>,
    /// Bytes of memory that the lanes' tails take.
    tail_bytes: usize,
    n_taken: u64,
    fault: Option<StoreError>,
}

#[derive(Debug)]
struct Segment {
    file: Arc<QueueSegment>,
    /// Entries not taken yet.
    left: u64,
}

/// When a lane is served: the greater goes first.
type Service = (i32, i64);

/// Where a lane goes on, if all of it is on disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct LanePlace {
    pub(crate) priority: i32,
    pub(crate) depth: u32,
    pub(crate) place: Place,
}

impl Queues {
    pub(crate) fn new(prints: Fingerprinter, order: Order) -> Self {
        Self {
            prints,
            order,
            hosts: Chunks::default(),
            heads: VecDeque::new(),
            texts: Texts::default(),
            segments: BTreeMap::new(),
            next_segment: 1,
            first_own: 0,
            used_up: Vec::new(),
            tail_bytes: 0,
            n_taken: 0,
            fault: None,
        }
    }

    /// Empty ones of the same kind.
    pub(crate) fn again(&self) -> Self {
        Self::new(self.prints.clone(), self.order)
    }

    /// What makes the first fingerprint of a URL that is taken.
    pub(crate) fn prints(&self) -> &Fingerprinter {
        &self.prints
    }

    /// Gives the next host its queue. Hosts come in the order of their numbers.
    pub(crate) fn add_host(&mut self) {
        self.hosts.push(HostQueue::Rests(Rested::default()));
    }

    /// Looks at the ends of these hosts' last lanes, where new URLs most often go: the processor
    /// fetches them side by side, while one push after the other would wait for each.
    pub(crate) fn expect(&self, hosts: &[HostKey]) {
        let busy = hosts.iter().filter_map(|host| self.hosts[host.0 as usize].busy());
        let lanes = busy.filter_map(|busy| busy.lanes.last());
        let ends = lanes.filter_map(|lane| lane.tail.bytes.last());
        black_box(ends.fold(0, |all, byte| all ^ byte));
    }

    /// Puts a URL that was just found behind those of its rank.
    pub(crate) fn push(&mut self, host: HostKey, request: &Request) {
        let service = self.order.service(request.priority, request.depth);
        let (priority, depth) = self.order.lane(request.priority, request.depth);
        let order = self.order;
        let lanes = &mut self.hosts[host.0 as usize].wake().lanes;
        let found =
            lanes.binary_search_by(|lane| service.cmp(&order.service(lane.priority, lane.depth)));
        let index = match found {
            Ok(index) => index,
            Err(index) if lanes.len() < MOST_LANES => {
                // By a quarter, not to the double: most hosts have a handful, and many wait.
                if lanes.len() == lanes.capacity() {
                    lanes.reserve_exact(1 + lanes.len() / 4);
                }
                lanes.insert(index, Lane::new(priority, depth));
                index
            }
            Err(index) => index.min(lanes.len() - 1),
        };
        let lane = &mut lanes[index];
        let key = LaneKey { host: host.0, priority: lane.priority, depth: lane.depth };
        let before = lane.tail.ram_bytes();
        entry::put(&mut lane.tail.bytes, request, key, &mut self.texts);
        lane.tail.n += 1;
        self.tail_bytes += lane.tail.ram_bytes() - before;
    }

    /// Puts back a URL that was taken.
    pub(crate) fn put_back(&mut self, host: HostKey, url: Queued) {
        let service = self.order.service(url.priority, url.depth);
        let rank = (url.is_suspect, service, Reverse(url.found_at));
        self.hosts[host.0 as usize].wake().returned.push(Returned { rank, url });
    }

    /// Takes the best of the host's URLs; `name` is the host's.
    pub(crate) fn take(&mut self, host: HostKey, name: &str) -> Option<Queued> {
        if !self.has_waiting(host) {
            return None;
        }
        let busy = self.hosts[host.0 as usize].wake();
        let service = |lane: &Lane| self.order.service(lane.priority, lane.depth);
        let best_lane = busy.lanes.first().map(service);
        let best_back = busy.returned.peek().map(|url| url.rank);
        let url = match (best_lane, best_back) {
            // Of one rank, who was taken before goes first.
            (lane, Some((is_suspect, back, _))) if is_suspect || Some(back) >= lane => {
                busy.returned.pop().map(|returned| returned.url)
            }
            (Some(_), _) => self.take_from_lane(host, name).unwrap_or_else(|fault| {
                self.fault.get_or_insert(fault);
                None
            }),
            (None, _) => None,
        };
        self.hosts[host.0 as usize].rest();
        url
    }

    /// Whether the host has URLs. Some may turn out to have ended in an earlier run.
    pub(crate) fn has_waiting(&self, host: HostKey) -> bool {
        let queue = self.hosts.get(host.0 as usize);
        queue.is_some_and(|queue| !queue.is_empty()) && self.fault.is_none()
    }

    /// Bytes of memory that a spill would free.
    pub(crate) fn ram_bytes(&self) -> usize {
        self.tail_bytes + self.texts.ram_bytes()
    }

    /// What went wrong with a segment; after that nothing is taken any more.
    pub(crate) fn fault(&mut self) -> Option<StoreError> {
        self.fault.take()
    }

    fn take_from_lane(&mut self, host: HostKey, name: &str) -> Result<Option<Queued>, StoreError> {
        self.load(host)?;
        let lanes = &mut self.hosts[host.0 as usize].wake().lanes;
        let Some(lane) = lanes.first_mut() else { return Ok(None) };
        let key = LaneKey { host: host.0, priority: lane.priority, depth: lane.depth };
        let mut from = None;
        let request = if let Some(head) = &mut lane.head {
            let number = head.segment;
            let entry = head.take();
            if head.is_empty() {
                lane.head = None;
            }
            from = Some(number);
            let file = self.segments.get(&number).map(|segment| segment.file.clone());
            let text = |number| file.as_ref()?.text(number).ok();
            entry.and_then(|entry| entry::read(&entry, name, key, text))
        } else {
            let texts = &self.texts;
            let before = lane.tail.ram_bytes();
            let text = |number| texts.get(number).map(str::to_owned);
            let request = lane.tail.take().and_then(|entry| entry::read(entry, name, key, text));
            lane.tail.tidy();
            self.tail_bytes -= before - lane.tail.ram_bytes();
            request
        };
        if lane.n() == 0 {
            lanes.remove(0);
        }
        let request = match (request, from) {
            (Some(request), _) => request,
            (None, number) => return Err(self.nonsense(number)),
        };
        let is_old = from.is_some_and(|number| number < self.first_own);
        if let Some(number) = from {
            self.taken_from(number);
        }
        self.n_taken += 1;
        let print = self.prints.request(&request);
        let mut url = Queued::new(print, request, self.n_taken);
        url.is_old = is_old;
        Ok(Some(url))
    }

    /// Reads the next block of the host's first lane back, if what is next lies on disk.
    fn load(&mut self, host: HostKey) -> Result<(), StoreError> {
        let lanes = &mut self.hosts[host.0 as usize].wake().lanes;
        let Some(lane) = lanes.first_mut() else { return Ok(()) };
        if lane.head.is_some() || lane.disk.n == 0 {
            return Ok(());
        }
        let key = LaneKey { host: host.0, priority: lane.priority, depth: lane.depth };
        let from = lane.disk.segment;
        let mut last = None;
        for (&number, segment) in self.segments.range(from..) {
            if number != lane.disk.segment {
                lane.disk = Place { segment: number, block: 0, skip: 0, n: lane.disk.n };
            }
            last = Some(number);
            if let Some(block) = segment.file.block(key, lane.disk.block)? {
                if lane.load(number, block.bytes, block.n) {
                    self.note_head(host);
                    return Ok(());
                }
                break;
            }
        }
        Err(self.nonsense(last))
    }

    /// A block of the host was read. The oldest that was read is let go, if there are too many.
    fn note_head(&mut self, host: HostKey) {
        self.heads.push_back(host);
        if self.heads.len() <= MOST_HEADS {
            return;
        }
        if let Some(oldest) = self.heads.pop_front().filter(|&oldest| oldest != host) {
            self.hosts[oldest.0 as usize].put_heads_back();
        }
    }

    fn taken_from(&mut self, number: u32) {
        let Some(segment) = self.segments.get_mut(&number) else { return };
        segment.left = segment.left.saturating_sub(1);
        if segment.left == 0 {
            self.used_up.push(segment.file.path().to_owned());
            self.segments.remove(&number);
        }
    }

    fn nonsense(&self, number: Option<u32>) -> StoreError {
        let segment = number.and_then(|number| self.segments.get(&number));
        let path = segment.map_or_else(|| "queue".into(), |s| s.file.path().to_owned());
        let what = "it holds less than was put into it";
        StoreError::Damaged { path, offset: 0, what }
    }
}

impl Order {
    /// The greater is served first.
    pub(crate) fn service(self, priority: i32, depth: u32) -> Service {
        match self {
            Self::BreadthFirst => (priority, -i64::from(depth)),
            Self::DepthFirst => (priority, i64::from(depth)),
            Self::BestFirst => (priority, 0),
        }
    }

    /// Priority and depth of the lane for URLs of these.
    fn lane(self, priority: i32, depth: u32) -> (i32, u32) {
        match self {
            Self::BreadthFirst | Self::DepthFirst => (priority, depth),
            Self::BestFirst => (priority, 0),
        }
    }
}
