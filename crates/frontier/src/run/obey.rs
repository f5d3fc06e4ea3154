//! What the task does when it is told something.

use crate::backend::Backend;
use crate::clock::now;
use crate::frontier::{with_slack, without_slack};
use crate::orders::{Control, Setting};

use super::{End, Shell};

impl<B: Backend> Shell<B> {
    /// Hears what waits on the control edge.
    pub(super) fn hear_control(&mut self) {
        while let Ok(message) = self.edges.control.try_recv() {
            self.obey(message);
        }
    }

    /// Who asked may be gone, which is all the same to the crawl: so answers are sent whether they
    /// arrive or not. What comes too late is dropped, and its sender's end says so.
    pub(super) fn obey(&mut self, message: Control) {
        let is_closing = self.closing.is_some();
        match message {
            // Closing for good: who asked sees the sender dropped.
            Control::AddSeeds { .. } | Control::Renew { .. }
                if self.closing == Some(End::Closed) => {}
            Control::AddSeeds { requests, done } => self.scheduler.add_seeds(requests, done),
            Control::Renew { requests, done } => self.scheduler.renew_all(requests, done),
            Control::AllRenewed => self.scheduler.awaits_renewals = false,
            Control::Pause { .. } | Control::Resume { .. } if is_closing => {}
            Control::Pause { done } => {
                let _ = done.send(self.pause(true));
            }
            Control::Resume { done } => {
                let _ = done.send(self.pause(false));
            }
            Control::Set { .. } if is_closing => {}
            Control::Set { setting, host, done } => {
                let setting = map_delay(setting, with_slack);
                let was = self.scheduler.set(setting, host.as_ref(), now());
                let _ = done.send(map_delay(was, without_slack));
            }
            Control::Block { domain, done } => self.scheduler.block(&domain, done),
            Control::Unblock { domain, done } => {
                let _ = done.send(self.scheduler.unblock(&domain, now()));
            }
            Control::Status { done } => {
                let mut status = self.scheduler.status();
                status.paused = self.is_paused;
                status.reading_seeds = self.is_reading;
                for pace in status.hosts.values_mut().chain([&mut status.pace]) {
                    pace.delay = without_slack(pace.delay);
                }
                let _ = done.send(status);
            }
            Control::Close => self.close(End::Closed),
        }
    }

    /// Begins a pause or ends it; whether it was paused before. The permits in hand go back: others
    /// may wait for them.
    fn pause(&mut self, is_paused: bool) -> bool {
        (self.worker, self.place) = (None, None);
        self.counts.set_paused(is_paused);
        std::mem::replace(&mut self.is_paused, is_paused)
    }
}

/// The same setting, its delay changed.
fn map_delay(
    setting: Setting,
    change: impl Fn(std::time::Duration) -> std::time::Duration,
) -> Setting {
    match setting {
        Setting::Delay(delay) => Setting::Delay(change(delay)),
        other => other,
    }
}
