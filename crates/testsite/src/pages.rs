//! What one virtual host answers: a table of paths, then a site, then 404.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;

use crate::{Fault, Reply, Site, SiteRequest};

/// The pages of one host. A path may be given with or without its query: `/a` also answers
/// `/a?b=c`, unless that has an entry of its own.
#[derive(Default)]
pub struct Pages {
    answers: HashMap<String, Sequence>,
    faults: HashMap<String, Fault>,
    site: Option<Arc<dyn Site>>,
    pub(crate) latency: Option<Duration>,
    hang: bool,
}

/// Replies given one after another, the last one for good.
struct Sequence {
    replies: Vec<Reply>,
    next: AtomicUsize,
}

impl Pages {
    /// Adds an HTML page.
    #[must_use]
    pub fn page(self, path: &str, html: impl Into<Bytes>) -> Self {
        self.reply(path, Reply::html(html))
    }

    /// Answers `path` with `reply`.
    #[must_use]
    pub fn reply(self, path: &str, reply: Reply) -> Self {
        self.replies(path, [reply])
    }

    /// Answers `path` with one of `replies` after another, the last one for good: a server that
    /// fails twice and then works. Without any, `path` is 404.
    #[must_use]
    pub fn replies(mut self, path: &str, replies: impl IntoIterator<Item = Reply>) -> Self {
        let replies = Vec::from_iter(replies);
        self.answers.insert(path.to_owned(), Sequence { replies, next: AtomicUsize::new(0) });
        self
    }

    /// Sets the robots.txt.
    #[must_use]
    pub fn robots(self, text: &str) -> Self {
        self.reply("/robots.txt", Reply::text(text.to_owned()))
    }

    /// Redirects `from` to `to`, a URL reference as it shall stand in `Location`.
    #[must_use]
    pub fn redirect(self, from: &str, to: &str, status: u16) -> Self {
        self.reply(from, Reply::redirect(to, status))
    }

    /// Answers `path` with a status and header fields.
    #[must_use]
    pub fn status(self, path: &str, status: u16, headers: &[(&str, &str)]) -> Self {
        let reply = Reply::status(status);
        let add = |reply: Reply, (name, value): &(&str, &str)| reply.with_header(name, value);
        self.reply(path, headers.iter().fold(reply, add))
    }

    /// Lets whatever `path` answers go wrong; a path without a page gets one to go wrong with.
    #[must_use]
    pub fn fault(mut self, path: &str, fault: Fault) -> Self {
        self.faults.insert(path.to_owned(), fault);
        self
    }

    /// Lets `site` answer what the table does not.
    #[must_use]
    pub fn site(self, site: Arc<dyn Site>) -> Self {
        Self { site: Some(site), ..self }
    }

    /// Lets every reply of this host take so long, instead of the server's latency.
    #[must_use]
    pub fn latency(self, latency: Duration) -> Self {
        Self { latency: Some(latency), ..self }
    }

    /// Lets this host take requests and never answer.
    #[must_use]
    pub fn hang(self) -> Self {
        Self { hang: true, ..self }
    }

    fn find<'a, T>(table: &'a HashMap<String, T>, request: &SiteRequest<'_>) -> Option<&'a T> {
        table.get(request.path_and_query).or_else(|| table.get(request.path()))
    }
}

impl Site for Pages {
    fn respond(&self, request: &SiteRequest<'_>) -> Reply {
        if self.hang {
            return Reply::status(200).with_fault(Fault::Hang);
        }
        let written = Self::find(&self.answers, request).map(Sequence::next);
        let reply = written.or_else(|| Some(self.site.as_ref()?.respond(request)));
        match (Self::find(&self.faults, request), reply) {
            (Some(fault), Some(reply)) => reply.with_fault(*fault),
            (Some(fault), None) => Reply::status(200).with_fault(*fault),
            (None, reply) => reply.unwrap_or_else(Reply::not_found),
        }
    }
}

impl Sequence {
    fn next(&self) -> Reply {
        let turn = self.next.fetch_add(1, Ordering::Relaxed);
        self.replies.get(turn).or(self.replies.last()).cloned().unwrap_or_else(Reply::not_found)
    }
}
