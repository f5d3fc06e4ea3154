//! What is kept of a request for the archive: its head as it goes out, without what nobody else
//! should read.

use bytes::Bytes;
use crawl_model::{Errand, Sent, Ticket};
use http_body_util::Full;
use hyper::header::{AUTHORIZATION, CONTENT_LENGTH, COOKIE, PROXY_AUTHORIZATION};
use hyper::{Request, Version};

/// What is kept of the requests that are sent.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Requests {
    /// Nothing.
    #[default]
    Dropped,
    /// Head and body, without credentials: `Authorization`, `Cookie`, `Proxy-Authorization`, and
    /// what a middleware has added.
    Kept,
    /// Head and body, whole.
    KeptWithCredentials,
}

/// The same for one fetch.
#[derive(Debug, Default)]
pub(crate) struct Keeps {
    which: Requests,
    /// Fields that a middleware has added or changed; in lower case.
    hidden: Vec<String>,
    /// The body of the ticket's own request.
    body: Bytes,
}

impl Keeps {
    /// Of a fetch for `ticket`; `own` is what it asks for without the middleware.
    pub(crate) fn new(which: Requests, ticket: &Ticket, own: Option<&Errand>) -> Self {
        let Errand::Page(sent) = ticket.errand() else { return Self::default() };
        if which == Requests::Dropped {
            return Self::default();
        }
        let own = match own {
            Some(Errand::Page(own)) if which == Requests::Kept => own,
            _ => sent,
        };
        let added = sent.headers.iter().filter(|field| !own.headers.contains(field));
        let hidden = added.map(|(name, _)| name.to_ascii_lowercase()).collect();
        Self { which, hidden, body: Bytes::copy_from_slice(&own.body) }
    }

    /// What is kept of `request`; its time is not known yet.
    pub(crate) fn of(&self, request: &Request<Full<Bytes>>) -> Option<Sent> {
        if self.which == Requests::Dropped {
            return None;
        }
        let mut head = Vec::with_capacity(512);
        let uri = request.uri();
        // In HTTP/2 the whole URI stands where HTTP/1 has the path, and the host in it.
        let is_h2 = !request.headers().contains_key("host");
        let whole = if is_h2 { String::new() } else { uri.to_string() };
        let path = uri.path_and_query().map_or("/", |path| path.as_str());
        let target = if is_h2 { path } else { &whole };
        let version = if request.version() == Version::HTTP_10 { "HTTP/1.0" } else { "HTTP/1.1" };
        let mut put = |parts: &[&[u8]]| parts.iter().for_each(|part| head.extend_from_slice(part));
        put(&[request.method().as_str().as_bytes(), b" ", target.as_bytes(), b" "]);
        put(&[version.as_bytes(), b"\r\n"]);
        if let Some(authority) = uri.authority().filter(|_| is_h2) {
            put(&[b"host: ", authority.as_str().as_bytes(), b"\r\n"]);
        }
        for (name, value) in request.headers() {
            let is_secret = value.is_sensitive()
                || [AUTHORIZATION, COOKIE, PROXY_AUTHORIZATION].contains(name)
                || self.hidden.iter().any(|hidden| *hidden == name.as_str());
            if self.which == Requests::KeptWithCredentials || !is_secret {
                put(&[name.as_str().as_bytes(), b": ", value.as_bytes(), b"\r\n"]);
            }
        }
        if !self.body.is_empty() {
            let length = self.body.len().to_string();
            put(&[CONTENT_LENGTH.as_str().as_bytes(), b": ", length.as_bytes(), b"\r\n"]);
        }
        Some(Sent { head: head.into(), body: self.body.clone(), at_us: 0 })
    }
}
