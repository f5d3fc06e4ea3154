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

mod entry;
mod lane;
mod texts;

#[cfg(test)]
mod tests;

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};
use std::hint::black_box;
use std::path::PathBuf;
use std::sync::Arc;

use crawl_model::{Fingerprint, Fingerprinter, Host, Request};
use crawl_store::StoreError;
use crawl_store::tables::{LaneKey, QueueSegment, QueueWriter, Tables};

use crate::backend::HostKey;
use crate::config::Order;
use crate::queue::Queued;

use lane::Lane;
use texts::Texts;

pub(crate) use lane::Place;

/// Ranks that a host's URLs may have; with more, neighbours share a lane.
const MOST_LANES: usize = 512;

/// All hosts' queues.
#[derive(Debug)]
pub(crate) struct Queues {
    prints: Fingerprinter,
    order: Order,
    /// By host key.
    hosts: Vec<HostQueue>,
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

/// One host's.
#[derive(Debug)]
struct HostQueue {
    name: Host,
    /// The first to be served comes first.
    lanes: Vec<Lane>,
    #[expect(clippy::box_collection, reason = "most hosts have none, and there are many hosts")]
    returned: Option<Box<BinaryHeap<Returned>>>,
}

#[derive(Debug)]
struct Segment {
    file: Arc<QueueSegment>,
    /// Entries not taken yet.
    left: u64,
}

/// A URL that came back.
#[derive(Debug)]
struct Returned {
    rank: (bool, Service, Reverse<u64>),
    url: Queued,
}

/// When a lane is served: the greater goes first.
type Service = (i32, i64);

/// A lane's standing in a checkpoint.
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
            hosts: Vec::new(),
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

    /// Gives the next host its queue. Hosts come in the order of their numbers.
    pub(crate) fn add_host(&mut self, name: Host) {
        self.hosts.push(HostQueue { name, lanes: Vec::new(), returned: None });
    }

    /// Looks at the ends of these hosts' last lanes, where new URLs most often go: the processor
    /// fetches them side by side, while one push after the other would wait for each.
    pub(crate) fn expect(&self, hosts: &[HostKey]) {
        let lanes = hosts.iter().filter_map(|host| self.hosts[host.0 as usize].lanes.last());
        let ends = lanes.filter_map(|lane| lane.tail.bytes.last());
        black_box(ends.fold(0, |all, byte| all ^ byte));
    }

    /// Puts a URL that was just found behind those of its rank.
    pub(crate) fn push(&mut self, host: HostKey, request: &Request) {
        let service = self.order.service(request.priority, request.depth);
        let (priority, depth) = self.order.lane(request.priority, request.depth);
        let order = self.order;
        let lanes = &mut self.hosts[host.0 as usize].lanes;
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
        let queue = &mut self.hosts[host.0 as usize];
        queue.returned.get_or_insert_default().push(Returned { rank, url });
    }

    /// Takes the best of the host's URLs.
    pub(crate) fn take(&mut self, host: HostKey) -> Option<Queued> {
        let queue = self.hosts.get_mut(host.0 as usize)?;
        let service = |lane: &Lane| self.order.service(lane.priority, lane.depth);
        let best_lane = queue.lanes.first().map(service);
        let best_back = queue.returned.as_ref().and_then(|heap| heap.peek()).map(|url| url.rank);
        match (best_lane, best_back) {
            // Of one rank, who was taken before goes first.
            (lane, Some((is_suspect, back, _))) if is_suspect || Some(back) >= lane => {
                let heap = queue.returned.as_mut()?;
                let url = heap.pop()?.url;
                if heap.is_empty() {
                    queue.returned = None;
                }
                Some(url)
            }
            (Some(_), _) => self.take_from_lane(host).unwrap_or_else(|fault| {
                self.fault.get_or_insert(fault);
                None
            }),
            (None, _) => None,
        }
    }

    /// Whether the host has URLs. Some may turn out to have ended in an earlier run.
    pub(crate) fn has_waiting(&self, host: HostKey) -> bool {
        let queue = self.hosts.get(host.0 as usize);
        queue.is_some_and(|queue| !queue.lanes.is_empty() || queue.returned.is_some())
            && self.fault.is_none()
    }

    /// Bytes of memory that a spill would free.
    pub(crate) fn ram_bytes(&self) -> usize {
        self.tail_bytes + self.texts.ram_bytes()
    }

    /// What went wrong with a segment; after that nothing is taken any more.
    pub(crate) fn fault(&mut self) -> Option<StoreError> {
        self.fault.take()
    }

    fn take_from_lane(&mut self, host: HostKey) -> Result<Option<Queued>, StoreError> {
        self.load(host)?;
        let queue = &mut self.hosts[host.0 as usize];
        let Some(lane) = queue.lanes.first_mut() else { return Ok(None) };
        let key = LaneKey { host: host.0, priority: lane.priority, depth: lane.depth };
        let name = queue.name.as_str();
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
            queue.lanes.remove(0);
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
        let Some(lane) = self.hosts[host.0 as usize].lanes.first_mut() else { return Ok(()) };
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
                    return Ok(());
                }
                break;
            }
        }
        Err(self.nonsense(last))
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

/// To disk and back.
impl Queues {
    /// Writes all tails into a new segment, which is then to be
    /// [flushed](QueueSegment::sync); `None` if there is nothing to write.
    pub(crate) fn spill(
        &mut self,
        tables: &Tables,
    ) -> Result<Option<Arc<QueueSegment>>, StoreError> {
        if self.tail_bytes == 0 {
            return Ok(None);
        }
        let number = self.next_segment;
        let mut writer = QueueWriter::create(&tables.queue()?, number)?;
        for (host, queue) in (0..).zip(&self.hosts) {
            let mut lanes: Vec<&Lane> = queue.lanes.iter().filter(|l| l.tail.n > 0).collect();
            lanes.sort_unstable_by_key(|lane| (lane.priority, lane.depth));
            for lane in lanes {
                let key = LaneKey { host, priority: lane.priority, depth: lane.depth };
                for (bytes, n) in lane.tail.blocks() {
                    writer.put(key, bytes, n)?;
                }
            }
        }
        let file = Arc::new(writer.finish(self.texts.iter())?);
        for lane in self.hosts.iter_mut().flat_map(|queue| &mut queue.lanes) {
            if lane.tail.n > 0 {
                lane.spilled(number);
            }
        }
        let left = file.n_entries();
        self.segments.insert(number, Segment { file: file.clone(), left });
        self.next_segment += 1;
        (self.texts, self.tail_bytes) = (Texts::default(), 0);
        Ok(Some(file))
    }

    /// Files that the next checkpoint does not name any more.
    pub(crate) fn take_used_up(&mut self) -> Vec<PathBuf> {
        std::mem::take(&mut self.used_up)
    }

    /// The segments' numbers, with how many of their entries still wait.
    pub(crate) fn segments(&self) -> impl Iterator<Item = (u32, u64)> {
        self.segments.iter().map(|(&number, segment)| (number, segment.left))
    }

    /// Number of the segment that is written next.
    pub(crate) fn next_segment(&self) -> u32 {
        self.next_segment
    }

    /// Where a host's lanes stand. What came back is not among it.
    pub(crate) fn places(&self, host: HostKey) -> impl Iterator<Item = LanePlace> {
        let lanes = self.hosts.get(host.0 as usize).map(|queue| queue.lanes.iter());
        lanes.into_iter().flatten().filter(|lane| lane.place().n > 0).map(|lane| LanePlace {
            priority: lane.priority,
            depth: lane.depth,
            place: lane.place(),
        })
    }

    /// All URLs that were taken and came back.
    pub(crate) fn returned(&self) -> impl Iterator<Item = &Queued> {
        let heaps = self.hosts.iter().filter_map(|queue| queue.returned.as_ref());
        heaps.flat_map(|heap| heap.iter()).map(|returned| &returned.url)
    }

    /// Opens the segments of a checkpoint, and removes others.
    pub(crate) fn restore(
        &mut self,
        tables: &Tables,
        segments: &[(u32, u64)],
        next_segment: u32,
    ) -> Result<(), StoreError> {
        let named: Vec<u32> = segments.iter().map(|&(number, _)| number).collect();
        tables.sweep_queue(&named)?;
        for &(number, left) in segments {
            let file = Arc::new(QueueSegment::open(&tables.queue()?, number)?);
            self.segments.insert(number, Segment { file, left });
        }
        self.next_segment = next_segment;
        Ok(())
    }

    /// Takes over where a host's lane stood.
    pub(crate) fn restore_lane(&mut self, host: HostKey, of: LanePlace) {
        let mut lane = Lane::new(of.priority, of.depth);
        lane.disk = of.place;
        let order = self.order;
        let service = order.service(of.priority, of.depth);
        let lanes = &mut self.hosts[host.0 as usize].lanes;
        let at = lanes.partition_point(|lane| order.service(lane.priority, lane.depth) > service);
        lanes.insert(at, lane);
    }

    /// The replay is over. What has been written up to now counts as an earlier run's; what is in
    /// memory is looked at once more, for some of it has ended since it was found. What `judge`
    /// wants to see in full is returned.
    pub(crate) fn replayed(
        &mut self,
        mut judge: impl FnMut(HostKey, &Request, Fingerprint) -> Recheck,
    ) -> Vec<Queued> {
        self.first_own = self.next_segment;
        let old = std::mem::take(&mut self.texts);
        self.tail_bytes = 0;
        let mut special = Vec::new();
        for (host, queue) in (0..).zip(&mut self.hosts) {
            for lane in &mut queue.lanes {
                let key = LaneKey { host, priority: lane.priority, depth: lane.depth };
                let mut tail = std::mem::take(&mut lane.tail);
                while let Some(entry) = tail.take() {
                    let text = |number| old.get(number).map(str::to_owned);
                    let Some(request) = entry::read(entry, queue.name.as_str(), key, text) else {
                        continue;
                    };
                    let print = self.prints.request(&request);
                    match judge(HostKey(host), &request, print) {
                        Recheck::Stay => {
                            entry::put(&mut lane.tail.bytes, &request, key, &mut self.texts);
                            lane.tail.n += 1;
                        }
                        Recheck::Gone => {}
                        Recheck::Special => {
                            self.n_taken += 1;
                            special.push(Queued::new(print, request, self.n_taken));
                        }
                    }
                }
                self.tail_bytes += lane.tail.ram_bytes();
            }
            queue.lanes.retain(|lane| lane.n() > 0);
        }
        special
    }
}

/// What becomes of a URL that waited when the replay was over.
pub(crate) enum Recheck {
    /// It waits.
    Stay,
    /// It has ended.
    Gone,
    /// There is more to know of it.
    Special,
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

impl Ord for Returned {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.rank.cmp(&other.rank)
    }
}

impl PartialOrd for Returned {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Returned {
    fn eq(&self, other: &Self) -> bool {
        self.rank == other.rank
    }
}

impl Eq for Returned {}
