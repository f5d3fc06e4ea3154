//! What of the scheduler outlives the process: the part of a checkpoint that is not in files of
//! its own.

use crawl_model::{FilterReason, Host, LogPosition, Request};
use crawl_store::StoreError;

use super::{HostKey, Later, Scheduler};
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
    /// In the order of their numbers.
    pub(crate) hosts: Vec<HostRow>,
    /// URLs that were out of their queues.
    pub(crate) loose: Vec<Loose>,
    /// What budgets and traps have counted.
    pub(crate) guards: Vec<u8>,
}

/// What is remembered of a host. Times are milliseconds since the Unix epoch; 0: none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct HostRow {
    pub(crate) name: Host,
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

    fn host_rows(&self) -> Vec<HostRow> {
        let mut names: Vec<_> = self.by_name.iter().map(|(name, &key)| (key, name)).collect();
        names.sort_unstable_by_key(|&(key, _)| key);
        let row = |(key, name): (HostKey, &Host)| {
            let state = self.host(key);
            let ms = |at: Option<_>| at.map_or(0, |at| self.began.millis(at));
            HostRow {
                name: name.clone(),
                pages: state.pages,
                last_ms: ms(state.last_start).max(state.last_ms_before),
                rest_until_ms: ms(state.rest_until),
            }
        };
        names.into_iter().map(row).collect()
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
        let of_hosts = self.hosts.iter().flat_map(|host| {
            host.held.iter().chain(host.origins.iter().flat_map(|origin| &origin.waiting))
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

impl Loose {
    pub(crate) fn of(url: &Queued) -> Self {
        Self { request: url.request(), attempts: url.attempts, tried_ms: 0, refused: None }
    }
}
