//! The queues' way to disk and back: spills, checkpoints, and what a replay leaves.

use std::borrow::Cow;
use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::Arc;

use crawl_model::{Fingerprint, Request};
use crawl_store::StoreError;
use crawl_store::tables::{LaneKey, QueueSegment, QueueWriter, Tables};

use super::host::HostQueue;
use super::lane::Lane;
use super::rest::Rested;
use super::texts::Texts;
use super::{Queues, Segment, entry};
use crate::backend::HostKey;
use crate::names::Names;
use crate::queue::Queued;

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
        for (host, queue) in (0..).zip(self.hosts.iter()) {
            let Some(busy) = queue.busy() else { continue };
            let mut lanes: Vec<&Lane> = busy.lanes.iter().filter(|l| l.tail.n > 0).collect();
            lanes.sort_unstable_by_key(|lane| (lane.priority, lane.depth));
            for lane in lanes {
                let key = LaneKey { host, priority: lane.priority, depth: lane.depth };
                for (bytes, n) in lane.tail.blocks() {
                    writer.put(key, bytes, n)?;
                }
            }
        }
        let file = Arc::new(writer.finish(self.texts.iter())?);
        for queue in self.hosts.iter_mut() {
            let HostQueue::Busy(busy) = queue else { continue };
            for lane in busy.lanes.iter_mut().filter(|lane| lane.tail.n > 0) {
                lane.spilled(number);
            }
            queue.put_heads_back();
        }
        self.heads = VecDeque::new();
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

    /// Where a host's lanes go on, packed. What came back is not among it.
    pub(crate) fn lanes(&self, host: HostKey) -> Cow<'_, [u8]> {
        match self.hosts.get(host.0 as usize) {
            None => Cow::default(),
            Some(HostQueue::Rests(rested)) => Cow::Borrowed(rested.bytes()),
            Some(HostQueue::Busy(busy)) => Cow::Owned(busy.packed()),
        }
    }

    /// All URLs that were taken and came back.
    pub(crate) fn returned(&self) -> impl Iterator<Item = &Queued> {
        let busy = self.hosts.iter().filter_map(HostQueue::busy);
        busy.flat_map(|busy| busy.returned.iter()).map(|returned| &returned.url)
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

    /// Takes over where a new host's lanes went on, as [`lanes`](Self::lanes) told it.
    pub(crate) fn restore_lanes(&mut self, host: HostKey, packed: &[u8]) {
        self.hosts[host.0 as usize] = HostQueue::Rests(Rested::new(packed));
    }

    /// The replay is over. What has been written up to now counts as an earlier run's; what is in
    /// memory is looked at once more, for some of it has ended since it was found. What `judge`
    /// wants to see in full is returned.
    pub(crate) fn replayed(
        &mut self,
        names: &Names,
        mut judge: impl FnMut(HostKey, &Request, Fingerprint) -> Recheck,
    ) -> Vec<Queued> {
        self.first_own = self.next_segment;
        let old = std::mem::take(&mut self.texts);
        self.tail_bytes = 0;
        let mut special = Vec::new();
        for (host, queue) in (0..).zip(self.hosts.iter_mut()) {
            let HostQueue::Busy(busy) = queue else { continue };
            let name = names.get(HostKey(host));
            for lane in &mut busy.lanes {
                let key = LaneKey { host, priority: lane.priority, depth: lane.depth };
                let mut tail = std::mem::take(&mut lane.tail);
                while let Some(entry) = tail.take() {
                    let text = |number| old.get(number).map(str::to_owned);
                    let Some(request) = entry::read(entry, name, key, text) else {
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
            busy.lanes.retain(|lane| lane.n() > 0);
            queue.rest();
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
