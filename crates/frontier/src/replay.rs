//! Brings back what earlier runs came to: the fold over the settle log.
//!
//! The log holds the judgements of the runs that wrote it. When the fold is done everything
//! that waits, and everything that was refused, is judged again under the limits now in force;
//! for that the fold keeps the text of refused URLs, and drops it at the end.

#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::time::Instant;

use crawl_model::{EndedBy, Event, FilterReason, Fingerprint, Found};

use crate::backend::{Backend, HostKey};
use crate::clock::Moment;
use crate::queue::Queued;
use crate::scheduler::{FATAL_DEATHS, Scheduler};
use crate::seen::Learnt;

/// At this many process deaths a URL is run alone.
const SUSPECT_DEATHS: u32 = 2;

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
    /// URLs that waited, and that the limits now in force refuse.
    pub newly_filtered: u64,
    /// URLs given up because the process died three times with them in hand.
    pub poisoned: u64,
    /// URLs that will run alone because the process died twice with them in hand.
    pub alone: u64,
}

/// The fold's state, besides what it writes into the scheduler.
#[derive(Default)]
pub(crate) struct Replay {
    queued: HashMap<Fingerprint, Queued>,
    refused: HashMap<Fingerprint, (FilterReason, Queued)>,
    /// Those queued that budgets and traps refuse, and of which the log does not say so yet: the
    /// limits were others, or the process died before it was durable.
    guarded: HashMap<Fingerprint, FilterReason>,
    /// When those that wait for another try were tried last: milliseconds since the Unix epoch.
    tried_ms: HashMap<Fingerprint, u64>,
    activity: HashMap<HostKey, Activity>,
}

/// A host's last signs of life: milliseconds since the Unix epoch.
#[derive(Default)]
struct Activity {
    last_ms: u64,
    rest_until_ms: u64,
}

impl Replay {
    /// Takes the next event of the log.
    pub(crate) fn fold<B: Backend>(&mut self, scheduler: &mut Scheduler<B>, event: Event) {
        match event {
            Event::Found(found) => self.found(scheduler, *found),
            Event::Settled { print, verdict, at_ms, rest_until_ms, .. } => {
                let Some(url) = self.queued.remove(&print) else { return };
                self.tried_ms.remove(&print);
                self.guarded.remove(&print);
                scheduler.tally.queued -= 1;
                scheduler.tally.settle(verdict);
                let host = scheduler.host_key(url.url());
                scheduler.count_page(host, verdict);
                // Those the frontier gave up say nothing of their host.
                if verdict.was_fetched() {
                    self.note(host, at_ms, rest_until_ms);
                }
            }
            Event::Retried { print, attempt, at_ms, rest_until_ms } => {
                scheduler.tally.retries += 1;
                let Some(url) = self.queued.get_mut(&print) else { return };
                url.attempts = attempt;
                self.tried_ms.insert(print, at_ms);
                let host = scheduler.host_key(url.url());
                self.note(host, at_ms, rest_until_ms);
            }
            Event::Filtered { print, reason } => {
                let Some(url) = self.queued.remove(&print) else { return };
                self.tried_ms.remove(&print);
                let was_counted = self.guarded.remove(&print).is_none();
                scheduler.was_refused(&url, reason, was_counted);
                scheduler.tally.queued -= 1;
                scheduler.tally.filter(reason);
                scheduler.refuse(print, reason, url.depth);
                self.refused.insert(print, (reason, url));
            }
        }
    }

    fn found<B: Backend>(&mut self, scheduler: &mut Scheduler<B>, found: Found) {
        match scheduler.learn(&found) {
            Learnt::Nothing => return,
            Learnt::New | Learnt::Readmitted(_) | Learnt::Nearer => {}
        }
        let (print, filtered) = (found.print, found.filtered);
        let url = scheduler.number(found);
        match filtered {
            None => {
                self.refused.remove(&print);
                scheduler.tally.queued += 1;
                match scheduler.guard(&url) {
                    Some(reason) => {
                        self.guarded.insert(print, reason);
                    }
                    None => {
                        scheduler.host_key(url.url());
                    }
                }
                self.queued.insert(print, url);
            }
            Some(reason) => {
                self.refused.insert(print, (reason, url));
            }
        }
    }

    fn note(&mut self, host: HostKey, at_ms: u64, rest_until_ms: u64) {
        let activity = self.activity.entry(host).or_default();
        activity.last_ms = activity.last_ms.max(at_ms);
        activity.rest_until_ms = activity.rest_until_ms.max(rest_until_ms);
    }

    /// Judges everything again, and puts what still waits into the queues.
    pub(crate) fn finish<B: Backend>(
        self,
        scheduler: &mut Scheduler<B>,
        suspects: &[(Fingerprint, u32)],
        is_clean: bool,
        at: Moment,
    ) -> Resumed {
        let Self { queued, refused, guarded, tried_ms, activity } = self;
        let deaths: HashMap<Fingerprint, u32> =
            suspects.iter().copied().filter(|&(_, deaths)| deaths >= SUSPECT_DEATHS).collect();
        let mut resumed = Resumed { settled: scheduler.tally.n_settled(), ..Resumed::default() };

        let mut queued: Vec<Queued> = queued.into_values().collect();
        queued.sort_unstable_by_key(|url| url.found_at);
        // Who died with no queued URL in hand died with a robots.txt.
        let mut robots_deaths = deaths.clone();
        for url in &queued {
            if !guarded.contains_key(&url.print) {
                scheduler.host_key(url.url());
            }
            robots_deaths.remove(&url.print);
        }
        scheduler.suspect_robots(robots_deaths);
        set_clocks(scheduler, &activity, is_clean, at);
        for url in queued {
            let tried_ms = tried_ms.get(&url.print).copied();
            let guarded = guarded.get(&url.print).copied();
            queue(scheduler, url, tried_ms, guarded, &deaths, &mut resumed, at);
        }
        resumed.newly_filtered = scheduler.tally.pending - resumed.poisoned;
        scheduler.flush_ended();

        let readmitted = judge_refused(scheduler, refused, at.now);
        resumed.readmitted = readmitted.len() as u64;
        resumed.filtered = scheduler.tally.n_filtered() - resumed.readmitted;
        resumed.queued = scheduler.tally.queued + resumed.readmitted;
        scheduler.send_found(readmitted, None);
        resumed
    }
}

/// Queues a URL that waited, unless it has become hopeless. If it failed at `tried_ms`, it waits
/// out its back-off.
fn queue<B: Backend>(
    scheduler: &mut Scheduler<B>,
    mut url: Queued,
    tried_ms: Option<u64>,
    guarded: Option<FilterReason>,
    deaths: &HashMap<Fingerprint, u32>,
    resumed: &mut Resumed,
    at: Moment,
) {
    let n_deaths = deaths.get(&url.print).copied().unwrap_or(0);
    if let Some(reason) = scheduler.judge(&url).or(guarded) {
        scheduler.end(&url, EndedBy::Filter(reason));
    } else if n_deaths >= FATAL_DEATHS {
        scheduler.end_poisoned(&url, "the process died three times with this URL in hand");
        resumed.poisoned += 1;
    } else {
        url.is_suspect = n_deaths >= SUSPECT_DEATHS;
        resumed.alone += u64::from(url.is_suspect);
        match tried_ms {
            Some(tried_ms) => scheduler.try_again(url, tried_ms, at),
            None => scheduler.place(url, at.now),
        }
    }
}

/// Lets hosts rest as long as they may still expect.
///
/// After an unclean stop nobody knows when the last request was sent, so every host rests a full
/// delay.
fn set_clocks<B: Backend>(
    scheduler: &mut Scheduler<B>,
    activity: &HashMap<HostKey, Activity>,
    is_clean: bool,
    at: Moment,
) {
    for host in scheduler.host_keys() {
        let Activity { last_ms, rest_until_ms } = *activity.get(&host).unwrap_or(&IDLE);
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

const IDLE: Activity = Activity { last_ms: 0, rest_until_ms: 0 };

/// Judges what was refused again: those that may be fetched now, in order of discovery.
fn judge_refused<B: Backend>(
    scheduler: &mut Scheduler<B>,
    refused: HashMap<Fingerprint, (FilterReason, Queued)>,
    now: Instant,
) -> Vec<Found> {
    let mut readmitted: Vec<Queued> = Vec::new();
    for (reason, url) in refused.into_values() {
        match scheduler.judge(&url) {
            None if scheduler.is_still_refused(reason, &url, now) => {}
            None => readmitted.push(url),
            // Another rule refuses it now: what a shorter path may change has changed.
            Some(other) if other != reason => {
                scheduler.tally.unfilter(reason);
                scheduler.tally.filter(other);
                scheduler.refuse(url.print, other, url.depth);
            }
            Some(_) => {}
        }
    }
    readmitted.sort_unstable_by_key(|url| url.found_at);
    let admitted = |url: Queued| Found { print: url.print, request: url.request(), filtered: None };
    readmitted.into_iter().map(admitted).collect()
}
