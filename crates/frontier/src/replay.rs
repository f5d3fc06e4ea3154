//! Brings back what earlier runs came to: the fold over the settle log.
//!
//! The fold begins with the last checkpoint, if the limits are those it was taken under, and with
//! nothing otherwise; what waits then, and what was refused, is judged again under the limits now
//! in force. For what was refused the log is read a second time, so that no URL's text is kept.

#[cfg(test)]
mod restart;
#[cfg(test)]
mod tests;

use std::collections::{HashMap, HashSet};

use crawl_model::{EndedBy, Event, FilterReason, Fingerprint, Found, Host, Verdict};

use crate::backend::{Backend, HostKey, LocalBackend};
use crate::checkpoint::Checkpoint;
use crate::clock::Moment;
use crate::scheduler::{BATCH, Scheduler, State};
use crate::seen::{Learnt, Standing};

/// What was found of earlier runs, and what the limits now in force made of it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Resumed {
    /// URLs that ended with a verdict.
    pub settled: u64,
    /// URLs that stay filtered.
    pub filtered: u64,
    /// URLs that wait to be fetched, the readmitted ones included.
    pub queued: u64,
    /// URLs that were filtered, and that the limits now in force admit.
    pub readmitted: u64,
    /// URLs that waited, and that the limits now in force refuse. Of what waits on disk, those are
    /// found out when their turn comes.
    pub newly_filtered: u64,
    /// URLs given up because the process died three times with them in hand.
    pub poisoned: u64,
    /// URLs that will run alone because the process died twice with them in hand.
    pub alone: u64,
}

/// The fold's state, besides what it writes into the scheduler.
#[derive(Debug, Default)]
pub(crate) struct Replay {
    activity: HashMap<HostKey, Activity>,
    resumed: Resumed,
    /// Refused by budgets and traps in the log as they are by those now in force.
    guarded: HashSet<Fingerprint>,
    /// Already on their way back.
    readmitted: HashSet<Fingerprint>,
    /// Those of them that are not sent yet.
    batch: Vec<Found>,
}

/// A host's last signs of life: milliseconds since the Unix epoch.
#[derive(Debug, Default)]
struct Activity {
    last_ms: u64,
    rest_until_ms: u64,
}

impl Replay {
    /// Begins with a checkpoint.
    pub(crate) fn begin_with(
        &mut self,
        scheduler: &mut Scheduler<LocalBackend>,
        checkpoint: Checkpoint,
    ) {
        let State { tally, hosts, loose, .. } = checkpoint.state;
        scheduler.tally = tally;
        scheduler.restore_guards(checkpoint.guards);
        for (row, lanes) in hosts.iter().flatten().zip(checkpoint.lanes.iter()) {
            let (last_ms, rest_until_ms) = (row.last_ms, row.rest_until_ms);
            let host = scheduler.restore_host(row, lanes);
            self.note(host, last_ms, rest_until_ms);
        }
        loose.into_iter().for_each(|loose| scheduler.restore_loose(loose));
    }

    /// Takes the next event of the log.
    pub(crate) fn fold<B: Backend>(&mut self, scheduler: &mut Scheduler<B>, event: Event) {
        match event {
            Event::Found(found) => self.found(scheduler, *found),
            Event::Settled { print, host, verdict, at_ms, rest_until_ms, .. } => {
                if !scheduler.unqueue(print, Standing::Ended(verdict)) {
                    return;
                }
                scheduler.before.guarded.remove(&print);
                scheduler.tally.settle(verdict);
                self.settled(scheduler, &host, verdict, at_ms, rest_until_ms);
            }
            Event::Retried { print, host, attempt, at_ms, rest_until_ms } => {
                scheduler.tally.retries += 1;
                if !scheduler.is_queued(print) {
                    return;
                }
                scheduler.before.tried.insert(print, (attempt, at_ms));
                let host = scheduler.host_named(host.as_str());
                self.note(host, at_ms, rest_until_ms);
            }
            Event::Filtered { print, reason } => {
                if scheduler.before.guarded.remove(&print).is_some() {
                    self.guarded.insert(print);
                }
                // Depth 0: no path is shorter, so it is recorded again only if it is admitted.
                if scheduler.unqueue(print, Standing::Filtered(reason, 0)) {
                    scheduler.tally.filter(reason);
                }
            }
        }
    }

    fn found<B: Backend>(&mut self, scheduler: &mut Scheduler<B>, mut found: Found) {
        let learnt = scheduler.learn(&mut found);
        match learnt {
            Learnt::Nothing | Learnt::Nearer => return,
            Learnt::New | Learnt::Readmitted(_) | Learnt::Renewed(_) => {}
        }
        if found.filtered.is_none() {
            scheduler.tally.queued += 1;
            match scheduler.guard(&found.request) {
                // Its host must not become one by it.
                Some(reason) => {
                    let refused = (reason, found.request.clone());
                    scheduler.before.guarded.insert(found.print, refused);
                }
                // An entry that it left behind when it ended counts again.
                None if learnt != Learnt::New && scheduler.has_entry(found.print) => {}
                None => scheduler.queue(&found.request),
            }
        }
    }

    fn settled<B: Backend>(
        &mut self,
        scheduler: &mut Scheduler<B>,
        host: &Host,
        verdict: Verdict,
        at_ms: u64,
        rest_until_ms: u64,
    ) {
        let host = scheduler.host_named(host.as_str());
        scheduler.count_page(host, verdict);
        // Those the frontier gave up say nothing of their host.
        if verdict.was_fetched() {
            self.note(host, at_ms, rest_until_ms);
        }
    }

    fn note(&mut self, host: HostKey, at_ms: u64, rest_until_ms: u64) {
        if (at_ms, rest_until_ms) == (0, 0) {
            return; // as for most of the hosts of a checkpoint
        }
        let activity = self.activity.entry(host).or_default();
        activity.last_ms = activity.last_ms.max(at_ms);
        activity.rest_until_ms = activity.rest_until_ms.max(rest_until_ms);
    }

    /// Puts what still waits into order. Whether the limits may have changed is the scheduler's to
    /// know: see [`Before`](crate::scheduler::Before).
    pub(crate) fn finish(
        &mut self,
        scheduler: &mut Scheduler<LocalBackend>,
        suspects: &[(Fingerprint, u32)],
        is_clean: bool,
        at: Moment,
    ) {
        self.resumed.settled = scheduler.tally.n_settled();
        (self.resumed.poisoned, self.resumed.alone) = scheduler.suspect(suspects);
        self.set_clocks(scheduler, is_clean, at);
        self.activity = HashMap::new();
        let mut specials = scheduler.recheck(at.now);
        specials.sort_by_key(|url| url.found_at);
        for host in scheduler.host_keys() {
            scheduler.wake_host(host, at.now);
        }
        for url in specials {
            if let Some(url) = scheduler.recall_url(url, at.now) {
                scheduler.place(url, at.now);
            }
        }
        scheduler.end_guarded();
        scheduler.sweep_blocked();
        self.resumed.newly_filtered = scheduler.n_ending(|by| matches!(by, EndedBy::Filter(_)));
        scheduler.flush_ended();
    }

    /// Judges a URL of the log again, if it was refused: the second reading.
    pub(crate) fn judge_again(
        &mut self,
        scheduler: &mut Scheduler<LocalBackend>,
        mut found: Found,
        at: Moment,
    ) {
        found.print = scheduler.known_as(&found);
        let Some((reason, depth)) = scheduler.refusal(found.print) else { return };
        let is_farther = reason == FilterReason::TooDeep && found.request.depth > depth;
        if is_farther || self.readmitted.contains(&found.print) {
            return;
        }
        let was_counted = found.filtered.is_none() && !self.guarded.contains(&found.print);
        if was_counted && reason.is_trap() {
            self.guarded.insert(found.print);
            scheduler.unguard(&found.request.url, reason);
        }
        match scheduler.judge_request(&found.request) {
            None if scheduler.is_still_refused(reason, &found.request.url, at.now) => {}
            None => {
                self.readmitted.insert(found.print);
                self.batch.push(Found { filtered: None, renews: false, ..found });
                if self.batch.len() >= BATCH {
                    scheduler.send_found(std::mem::take(&mut self.batch), None);
                }
            }
            // Another rule refuses it now: what a shorter path may change has changed.
            Some(other) if other != reason => {
                scheduler.tally.unfilter(reason);
                scheduler.tally.filter(other);
                scheduler.refuse(found.print, other, found.request.depth);
            }
            Some(_) => {}
        }
    }

    /// What came of it all.
    pub(crate) fn resumed<B: Backend>(&mut self, scheduler: &mut Scheduler<B>) -> Resumed {
        scheduler.send_found(std::mem::take(&mut self.batch), None);
        let readmitted = self.readmitted.len() as u64;
        scheduler.await_answers();
        Resumed {
            readmitted,
            filtered: scheduler.tally.n_filtered() - readmitted,
            queued: scheduler.tally.queued + readmitted,
            ..self.resumed
        }
    }

    /// Lets hosts rest as long as they may still expect.
    ///
    /// After an unclean stop nobody knows when the last request was sent, so every host rests a
    /// full delay.
    fn set_clocks(&self, scheduler: &mut Scheduler<LocalBackend>, is_clean: bool, at: Moment) {
        for host in scheduler.host_keys() {
            let activity = self.activity.get(&host);
            let Activity { last_ms, rest_until_ms } = *activity.unwrap_or(&IDLE);
            let delay = scheduler.delay(host);
            let delay_ms = u64::try_from(delay.as_millis()).unwrap_or(u64::MAX);
            let wait = if is_clean {
                // A clock that was set back must not make it longer than the delay.
                at.ahead(last_ms.saturating_add(delay_ms)).map(|wait| wait.min(delay))
            } else {
                Some(delay)
            };
            scheduler.rest(host, wait, at.ahead(rest_until_ms), at.now);
        }
    }
}

const IDLE: Activity = Activity { last_ms: 0, rest_until_ms: 0 };
