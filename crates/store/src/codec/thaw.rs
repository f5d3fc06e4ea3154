//! Owned events of raw ones, and the parts of a request that few have.

use std::sync::Arc;

use crawl_model::{CanonicalUrl, Event, FetchOptions, Found, Host, Method, Request};
use serde::{Deserialize, Serialize};

use super::{Raw, RawEnding, RawFound};

/// What few requests have.
#[derive(Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
struct Extension {
    #[serde(skip_serializing_if = "is_get")]
    method: Method,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    headers: Vec<(String, String)>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    body: Vec<u8>,
    #[serde(skip_serializing_if = "str::is_empty")]
    errback: Arc<str>,
    #[serde(skip_serializing_if = "serde_json::Value::is_null")]
    meta: serde_json::Value,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    chain: Vec<CanonicalUrl>,
    #[serde(skip_serializing_if = "Option::is_none")]
    options: Option<Box<FetchOptions>>,
}

fn is_get(method: &Method) -> bool {
    *method == Method::Get
}

/// The rare parts of a request as JSON; `None` if it has none.
pub(super) fn extension_of(request: &Request) -> Option<Vec<u8>> {
    let is_plain = request.method == Method::Get
        && request.headers.is_empty()
        && request.body.is_empty()
        && request.errback.is_empty()
        && request.meta.is_null()
        && request.chain.is_empty()
        && request.options.is_none();
    if is_plain {
        return None;
    }
    let extension = Extension {
        method: request.method,
        headers: request.headers.clone(),
        body: request.body.clone(),
        errback: request.errback.clone(),
        meta: request.meta.clone(),
        chain: request.chain.clone(),
        options: request.options.clone(),
    };
    Some(serde_json::to_vec(&extension).expect("strings, numbers and JSON values serialise"))
}

/// Makes owned events of raw ones; remembers the texts that come again and again.
#[derive(Debug, Default)]
pub(crate) struct Thaw {
    label: Option<Arc<str>>,
    referrer: Option<CanonicalUrl>,
    host: Option<Host>,
}

impl Thaw {
    /// `None` if a text is not what it should be.
    pub(crate) fn event(&mut self, raw: Raw<'_>) -> Option<Event> {
        Some(match raw {
            Raw::Found(found) => Event::Found(Box::new(Found {
                print: found.print,
                filtered: found.filtered,
                renews: found.renews,
                request: self.request(&found)?,
            })),
            Raw::Settled { n, ending, verdict } => {
                let RawEnding { print, host, at_ms, rest_until_ms } = ending;
                let host = self.host(host);
                Event::Settled { n, print, host, verdict, at_ms, rest_until_ms }
            }
            Raw::Retried { ending, attempt } => {
                let RawEnding { print, host, at_ms, rest_until_ms } = ending;
                let host = self.host(host);
                Event::Retried { print, host, attempt, at_ms, rest_until_ms }
            }
            Raw::Filtered { print, reason } => Event::Filtered { print, reason },
        })
    }

    fn host(&mut self, name: &str) -> Host {
        match &self.host {
            Some(host) if host.as_str() == name => host.clone(),
            _ => self.host.insert(Host::new(name)).clone(),
        }
    }

    fn request(&mut self, found: &RawFound<'_>) -> Option<Request> {
        let mut request = Request::get(url_of(found)?);
        request.depth = found.depth();
        request.priority = found.priority;
        request.label = match &self.label {
            Some(label) if **label == *found.before.label => label.clone(),
            _ => self.label.insert((*found.before.label).into()).clone(),
        };
        request.referrer = match (found.referrer(), &self.referrer) {
            (None, _) => None,
            (Some(text), Some(url)) if url.as_str() == text => Some(url.clone()),
            (Some(text), _) => Some(self.referrer.insert(CanonicalUrl::parse(text).ok()?).clone()),
        };
        if let Some(json) = found.extension {
            let extension: Extension = serde_json::from_slice(json).ok()?;
            request.method = extension.method;
            request.headers = extension.headers;
            request.body = extension.body;
            request.errback = extension.errback;
            request.meta = extension.meta;
            request.chain = extension.chain;
            request.options = extension.options;
        }
        Some(request)
    }
}

/// The URL of one that was canonical when it was packed: it is taken apart, not parsed again.
fn url_of(found: &RawFound<'_>) -> Option<CanonicalUrl> {
    let origin = found.origin();
    let authority = origin.find("://")? + 3;
    let host_start = origin[authority..].rfind('@').map_or(authority, |at| authority + at + 1);
    let host = &origin[host_start..];
    // A colon within brackets is part of the address.
    let name = if host.starts_with('[') { host.find(']')? } else { 0 };
    let host_end = host[name..].find(':').map_or(origin.len(), |at| host_start + name + at);
    let place = |at: usize| u32::try_from(at).ok();
    let places = [place(host_start)?, place(host_end)?, place(origin.len())?];
    CanonicalUrl::from_parts(found.url, places)
}
