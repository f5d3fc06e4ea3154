//! An answer without its ticket.
//!
//! The ticket is kept apart while a page is read, so that it can be settled by somebody else if
//! the spider never comes back (`crew.rs`).

use std::sync::Arc;
use std::time::Duration;

use crawl_model::{
    CookieChange, Ending, Errand, Failure, Fetched, PageRecord, Request, Response, RobotsReply,
    Ticket, Timing, Verdict, robots_reply, settle,
};

use super::files::CameAs;
use super::loadout::Loadout;
use super::parser::Read;
use super::record;

/// What is read of an answer; see [`Fetched`] for the fields that are taken from it.
pub(crate) struct Case {
    pub(crate) errand: Arc<Errand>,
    pub(crate) attempt: u32,
    is_last_attempt: bool,
    /// What becomes of the ticket, as far as the spider has no say in it.
    pub(crate) ending: Ending,
    pub(crate) reply: Result<Response, Failure>,
    pub(crate) rest: Option<Duration>,
    pub(crate) sent_ms: u64,
    pub(crate) elapsed: Duration,
    pub(crate) timing: Timing,
    pub(crate) cookies: Vec<CookieChange>,
    /// The file that the body went to.
    pub(crate) file: Option<CameAs>,
    /// With what it is read.
    pub(crate) loadout: Arc<Loadout>,
}

impl Case {
    /// Takes the ticket out of an answer.
    pub(crate) fn split(fetched: Fetched, loadout: Arc<Loadout>) -> (Ticket, Self) {
        let Fetched { ticket, reply, rest, sent_ms, elapsed, timing, cookies } = fetched;
        let ending = match ticket.errand() {
            errand @ Errand::Page(_) => settle(errand, ticket.is_last_attempt(), &reply, rest),
            Errand::Robots { url, .. } => Ending::Robots(robots_reply(url, &reply, rest)),
        };
        let (errand, attempt) = (ticket.share_errand(), ticket.attempt());
        let file = ticket.file();
        let file = file.map(|file| CameAs { facts: file.facts.clone(), bytes: file.bytes });
        let case = Self {
            errand,
            attempt,
            is_last_attempt: ticket.is_last_attempt(),
            ending,
            reply,
            rest,
            sent_ms,
            elapsed,
            timing,
            cookies,
            file,
            loadout,
        };
        (ticket, case)
    }

    /// The same, had this page been answered.
    pub(crate) fn answered(&self, response: Response) -> Self {
        let reply = Ok(response);
        Self {
            errand: self.errand.clone(),
            attempt: self.attempt,
            is_last_attempt: self.is_last_attempt,
            ending: settle(&self.errand, self.is_last_attempt, &reply, self.rest),
            reply,
            rest: self.rest,
            sent_ms: self.sent_ms,
            elapsed: self.elapsed,
            timing: self.timing,
            cookies: self.cookies.clone(),
            file: self.file.clone(),
            loadout: self.loadout.clone(),
        }
    }

    /// What is left of it if reading failed, by a fault of the spider, of a library or of ours.
    pub(crate) fn given_up(&self, verdict: Verdict, text: &str) -> Read {
        match &*self.errand {
            Errand::Page(request) => {
                let mut record = record::begin(request, self, verdict);
                record.error = record::short(text);
                Read::bare(Ending::Settled { verdict, rest: self.rest }, record)
            }
            Errand::Robots { url, .. } => {
                let (cause, rest) = (text.to_owned(), self.rest);
                let reply = RobotsReply::Unreachable { cause, rest };
                let record = record::begin(&Request::get(url.clone()), self, verdict);
                Read::bare(Ending::Robots(reply), PageRecord { verdict, ..record })
            }
        }
    }
}
