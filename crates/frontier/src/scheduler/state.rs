//! What of the scheduler outlives the process: the part of a checkpoint that is not in files of
//! its own.

use crawl_model::{FilterReason, LogPosition, Request};
use crawl_store::StoreError;
use crawl_store::tables::{Take, put_number, put_text};

use super::host::HostState;
use super::{Later, Scheduler};
use crate::backend::Backend;
use crate::clock::now;
use crate::counts::Tally;
use crate::queue::Queued;
use crate::slots::OpenErrand;

/// The scheduler's state after all of the settle log up to a position.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct State {
    pub(crate) position: LogPosition,
    /// Whatever is not settled or filtered counts as queued.
    pub(crate) tally: Tally,
    pub(crate) hosts: HostRows,
    /// URLs that were out of their queues.
    pub(crate) loose: Vec<Loose>,
    /// What budgets and traps have counted.
    pub(crate) guards: Vec<u8>,
}

/// What is remembered of the hosts, packed: there may be millions.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct HostRows {
    n: u64,
    bytes: Vec<u8>,
}

/// What is remembered of a host. Times are milliseconds since the Unix epoch; 0: none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct HostRow<'a> {
    pub(crate) name: &'a str,
    pub(crate) pages: u64,
    /// The latest start.
    pub(crate) last_ms: u64,
    /// Until when it asked to be left alone.
    pub(crate) rest_until_ms: u64,
}

/// A URL that was held, delayed, before a gate, in hand or about to end.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Loose {
    pub(crate) request: Request,
    pub(crate) attempts: u32,
    /// When the last was, or a little later: milliseconds since the Unix epoch; 0: never.
    pub(crate) tried_ms: u64,
    /// Why it is about to end without being tried; `None` if it is not.
    pub(crate) refused: Option<FilterReason>,
}

impl<B: Backend> Scheduler<B> {
    /// The state at `position`, up to which all of the log must have been applied.
    pub(crate) fn state(&self, position: LogPosition) -> State {
        let mut tally = self.tally;
        tally.queued += tally.pending + tally.in_flight;
        (tally.pending, tally.in_flight) = (0, 0);
        let mut loose = self.loose();
        let now_ms = self.began.millis(now());
        for tried in loose.iter_mut().filter(|loose| loose.attempts > 0) {
            tried.tried_ms = now_ms;
        }
        State { position, tally, hosts: self.host_rows(), loose, guards: self.guards.save() }
    }

    fn host_rows(&self) -> HostRows {
        let mut rows = HostRows::default();
        let ms = |at: Option<_>| at.map_or(0, |at| self.began.millis(at));
        for ((_, name), state) in self.names.iter().zip(self.hosts.iter()) {
            rows.push(HostRow {
                name,
                pages: state.pages.into(),
                last_ms: ms(state.last_start.get()),
                rest_until_ms: ms(state.busy().rest_until),
            });
        }
        rows
    }

    fn loose(&self) -> Vec<Loose> {
        let open = self.slots.iter().filter_map(|open| match &open.errand {
            OpenErrand::Page(url) => Some(url),
            OpenErrand::Robots(_) => None,
        });
        let delayed = self.delayed.iter().filter_map(|later| match later {
            Later::Url(url) => Some(url),
            Later::Robots(_) | Later::Line(_) => None,
        });
        let of_hosts = self.hosts.iter().map(HostState::busy).flat_map(|busy| {
            busy.held.iter().chain(busy.origins.iter().flat_map(|origin| &origin.waiting))
        });
        let ending = self
            .ending
            .values()
            .map(|(url, refused)| Loose { refused: *refused, ..Loose::of(url) });
        open.chain(delayed).chain(of_hosts).map(Loose::of).chain(ending).collect()
    }

    /// All of the log up to `position` has been applied.
    pub(super) fn committed(&mut self, position: LogPosition) {
        if self.before.n_unanswered == 0 && self.backend.wants_checkpoint() {
            let state = self.state(position);
            self.backend.checkpoint(state);
        }
    }

    /// What went wrong in the place where URLs wait, once.
    pub(crate) fn fault(&mut self) -> Option<StoreError> {
        self.backend.fault()
    }
}

impl HostRows {
    /// Adds the next host; hosts come in the order of their numbers.
    pub(crate) fn push(&mut self, row: HostRow<'_>) {
        self.n += 1;
        put_text(&mut self.bytes, row.name.as_bytes());
        for number in [row.pages, row.last_ms, row.rest_until_ms] {
            put_number(&mut self.bytes, number);
        }
    }

    /// All rows; `None` in the place of one that makes no sense, which is the last then.
    pub(crate) fn iter(&self) -> impl Iterator<Item = Option<HostRow<'_>>> {
        let mut rest = Take(&self.bytes);
        (0..self.n).map(move |_| HostRow::read(&mut rest))
    }

    /// As part of a checkpoint.
    pub(crate) fn put(&self, out: &mut Vec<u8>) {
        put_number(out, self.n);
        put_text(out, &self.bytes);
    }

    /// Reads them back; `None` if they make no sense.
    pub(crate) fn read(from: &mut Take<'_>) -> Option<Self> {
        let (n, bytes) = (from.number()?, from.text()?.to_vec());
        let rows = Self { n, bytes };
        let are_sound = rows.iter().all(|row| row.is_some());
        are_sound.then_some(rows)
    }

    /// How many there are.
    pub(crate) fn n(&self) -> u64 {
        self.n
    }
}

impl<'a> HostRow<'a> {
    fn read(rest: &mut Take<'a>) -> Option<Self> {
        let name = std::str::from_utf8(rest.text()?).ok()?;
        let (pages, last_ms) = (rest.number()?, rest.number()?);
        Some(Self { name, pages, last_ms, rest_until_ms: rest.number()? })
    }
}

impl Loose {
    pub(crate) fn of(url: &Queued) -> Self {
        Self { request: url.request(), attempts: url.attempts, tried_ms: 0, refused: None }
    }
}
