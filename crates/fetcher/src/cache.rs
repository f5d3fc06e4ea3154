//! Answers of an earlier crawl: instead of the network, or to ask it less.
//!
//! A copy is looked up on a thread that may block. With its validators the server is asked
//! whether it is still good (RFC 9110, section 13); then the copy goes on as if it had been sent
//! again, with the fields that the 304 renewed (RFC 9111, section 4.3.4).

use std::sync::Arc;

use bytes::Bytes;
use crawl_model::{
    Cache, Cached, Copies, Errand, Failure, FailureKind, Method, Request, Response, Ticket,
    Validators,
};
use hyper::header::{
    CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, ETAG, HeaderName, HeaderValue,
    IF_MODIFIED_SINCE, IF_NONE_MATCH, LAST_MODIFIED, TRANSFER_ENCODING,
};

/// Fields by which a request asks for less than the page, or under a condition of its own.
const OWN_CONDITIONS: [&str; 6] =
    ["if-none-match", "if-modified-since", "if-match", "if-unmodified-since", "if-range", "range"];

/// Fields of a 304 that say nothing of the copy (RFC 9111, section 3.2): those of the connection,
/// and those by which the copy's body is read.
const NOT_RENEWED: [HeaderName; 5] =
    [CONTENT_LENGTH, CONTENT_ENCODING, CONTENT_TYPE, CONTENT_RANGE, TRANSFER_ENCODING];
const OF_CONNECTION: [&str; 7] =
    ["connection", "keep-alive", "proxy-connection", "te", "trailer", "upgrade", "set-cookie2"];

/// An earlier crawl, and what it is used for.
#[derive(Clone, Default)]
pub(crate) enum Earlier {
    /// There is none.
    #[default]
    Off,
    /// Servers are asked whether its copies still hold.
    Revalidate(Arc<dyn Cache>),
    /// Nobody is asked.
    Offline(Arc<dyn Cache>),
    /// The crawl itself: servers are asked whether its copies still hold.
    Own(Arc<dyn Copies>),
}

/// What is to be done for a ticket.
pub(crate) enum Plan {
    /// The answer is here.
    Answer(Result<Response, Failure>),
    /// The server is to be asked; under the conditions of the copy if there is one.
    Ask(Option<Copy>),
}

/// An answer of the earlier crawl that can be asked about.
pub(crate) struct Copy {
    /// `None` if it is the crawl's own: it stays where it is.
    response: Option<Response>,
    /// Its `ETag`.
    tag: Option<String>,
    /// Fields of the request.
    pub(crate) conditions: Vec<(HeaderName, HeaderValue)>,
}

impl Earlier {
    /// Looks a ticket up.
    pub(crate) async fn plan(&self, ticket: &Ticket) -> Plan {
        match (self, ticket.errand()) {
            (Self::Off, _) | (Self::Revalidate(_) | Self::Own(_), Errand::Robots { .. }) => {
                Plan::Ask(None)
            }
            (Self::Own(copies), Errand::Page(request)) => {
                if ticket.attempt() > 1 || !may_ask(request) {
                    return Plan::Ask(None);
                }
                let (copies, print) = (copies.clone(), ticket.print());
                let found = on_thread(move || copies.validators(print)).await;
                Plan::Ask(found.ok().flatten().and_then(|validators| Copy::own(&validators)))
            }
            (Self::Revalidate(cache), Errand::Page(request)) => {
                // What failed once is asked for without conditions.
                if ticket.attempt() > 1 || !may_ask(request) {
                    return Plan::Ask(None);
                }
                let (cache, request) = (cache.clone(), request.clone());
                let found = on_thread(move || cache.page(&request, false)).await;
                // A copy that cannot be read is none; the page is fetched as if new.
                Plan::Ask(found.ok().flatten().and_then(Copy::new))
            }
            (Self::Offline(cache), Errand::Page(request)) => {
                let (cache, request) = (cache.clone(), request.clone());
                let found = on_thread(move || cache.page(&request, true)).await;
                Plan::Answer(offline(found, ticket))
            }
            (Self::Offline(cache), Errand::Robots { origin, .. }) => {
                let (cache, origin) = (cache.clone(), origin.clone());
                // Nobody is bothered, so without rules all is allowed.
                let found = on_thread(move || cache.robots(&origin)).await.ok().flatten();
                Plan::Answer(Ok(robots(found)))
            }
        }
    }
}

impl Copy {
    /// `None` if it is no whole page, or has nothing to ask by.
    fn new(response: Response) -> Option<Self> {
        if response.status != 200 || response.truncated.is_some() {
            return None;
        }
        let value = |name: &HeaderName| {
            let (_, value) = response.headers.iter().find(|(n, _)| **n == *name.as_str())?;
            HeaderValue::from_bytes(value).ok()
        };
        let conditions = conditions(value(&ETAG), value(&LAST_MODIFIED))?;
        let tag = response.header("etag").map(str::to_owned);
        Some(Self { response: Some(response), tag, conditions })
    }

    /// The crawl's own; `None` if there is nothing to ask by.
    fn own(validators: &Validators) -> Option<Self> {
        let Validators { etag, last_modified } = validators;
        let value = |text: &String| {
            HeaderValue::from_bytes(text.as_bytes()).ok().filter(|value| !value.is_empty())
        };
        let conditions = conditions(value(etag), value(last_modified))?;
        let tag = Some(etag.clone()).filter(|tag| !tag.is_empty());
        Some(Self { response: None, tag, conditions })
    }

    /// What the server's answer makes of it.
    pub(crate) fn apply(self, mut answer: Response) -> Result<Response, Failure> {
        if answer.status != 304 {
            return Ok(answer);
        }
        if let Some(new) = answer.header("etag").map(strong)
            && self.tag.as_deref().map(strong) != Some(new)
        {
            let detail = "the server says that nothing has changed, and names another ETag";
            return Err(Failure::new(FailureKind::Protocol, detail));
        }
        let Some(mut renewed) = self.response else {
            answer.set_cached(Some(Cached::Revalidated));
            return Ok(answer);
        };
        let is_renewing = |name: &str| {
            !NOT_RENEWED.iter().any(|other| other.as_str() == name)
                && !OF_CONNECTION.contains(&name)
        };
        let new: Vec<_> =
            answer.headers.into_iter().filter(|(name, _)| is_renewing(name)).collect();
        renewed.headers.retain(|(name, _)| !new.iter().any(|(other, _)| other == name));
        renewed.headers.extend(new);
        (renewed.version, renewed.remote) = (answer.version, answer.remote);
        renewed.set_cached(Some(Cached::Revalidated));
        Ok(renewed)
    }
}

/// The fields by which a request asks for changes; `None` if there is nothing to ask by.
fn conditions(
    tag: Option<HeaderValue>,
    date: Option<HeaderValue>,
) -> Option<Vec<(HeaderName, HeaderValue)>> {
    let tag = tag.map(|tag| (IF_NONE_MATCH, tag));
    let date = date.map(|date| (IF_MODIFIED_SINCE, date));
    let conditions: Vec<_> = tag.into_iter().chain(date).collect();
    (!conditions.is_empty()).then_some(conditions)
}

/// A validator without the mark of a weak one: `If-None-Match` compares weakly (RFC 9110, section
/// 8.8.3.2).
fn strong(tag: &str) -> &str {
    tag.strip_prefix("W/").unwrap_or(tag)
}

/// Whether the request asks for a page without conditions of its own.
fn may_ask(request: &Request) -> bool {
    let is_own = |name: &str| OWN_CONDITIONS.iter().any(|own| name.eq_ignore_ascii_case(own));
    request.method == Method::Get && !request.headers.iter().any(|(name, _)| is_own(name))
}

fn offline(found: Result<Option<Response>, String>, ticket: &Ticket) -> Result<Response, Failure> {
    let missing = |why: &str| {
        let url = ticket.url();
        let detail = format!("{url} is not in the earlier crawl (cache.mode is offline): {why}");
        Failure::new(FailureKind::NotCached, detail)
    };
    match found {
        Ok(Some(mut response)) => {
            response.set_cached(Some(Cached::Offline));
            Ok(response)
        }
        Ok(None) => Err(missing("no answer or no body was kept")),
        Err(why) => Err(missing(&why)),
    }
}

fn robots(rules: Option<Bytes>) -> Response {
    let (status, body) = rules.map_or((404, Bytes::new()), |rules| (200, rules));
    let (version, headers) = ("HTTP/1.1", Vec::new());
    Response { status, version, headers, body, truncated: None, remote: None }
}

/// Runs what blocks where it may.
async fn on_thread<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, String> + Send + 'static,
) -> Result<T, String> {
    let done = tokio::task::spawn_blocking(work).await;
    done.unwrap_or_else(|_| Err("looking it up broke off".to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn response(status: u16, headers: &[(&str, &'static str)], body: &'static str) -> Response {
        let field = |(name, value): &(&str, &'static str)| ((*name).into(), Bytes::from(*value));
        Response {
            status,
            version: "HTTP/1.1",
            headers: headers.iter().map(field).collect(),
            body: body.into(),
            truncated: None,
            remote: None,
        }
    }

    #[test]
    fn a_304_renews_the_copys_fields_and_keeps_its_body() {
        let old =
            [("etag", "\"1\""), ("content-type", "text/html"), ("date", "then"), ("x-a", "1")];
        let copy = Copy::new(response(200, &old, "body")).unwrap();
        assert_eq!(copy.conditions[0].0, IF_NONE_MATCH);
        let new = [
            ("etag", "W/\"1\""),
            ("date", "now"),
            ("content-length", "0"),
            ("content-type", "x/y"),
            ("connection", "close"),
            ("x-b", "2"),
        ];
        let page = copy.apply(response(304, &new, "")).unwrap();
        assert_eq!(
            (page.status, &*page.body, page.cached()),
            (200, &b"body"[..], Some(Cached::Revalidated))
        );
        let of = |name| page.header(name);
        assert_eq!((of("date"), of("x-a"), of("x-b")), (Some("now"), Some("1"), Some("2")));
        assert_eq!((of("content-type"), of("content-length")), (Some("text/html"), None));
        assert_eq!(of("connection"), None);
    }

    #[test]
    fn a_304_for_something_else_is_no_answer() {
        let copy = Copy::new(response(200, &[("etag", "\"1\"")], "body")).unwrap();
        let failed = copy.apply(response(304, &[("etag", "\"2\"")], "")).unwrap_err();
        assert!(failed.kind.is_transient(), "it is asked for again, without conditions");
        let copy = Copy::new(response(200, &[("last-modified", "then")], "body")).unwrap();
        assert_eq!(copy.conditions[0].0, IF_MODIFIED_SINCE);
        assert_eq!(copy.apply(response(200, &[], "new")).unwrap().body, "new");
    }

    #[test]
    fn a_304_for_the_crawls_own_copy_goes_on_with_a_mark() {
        let validators =
            |etag: &str, date: &str| Validators { etag: etag.into(), last_modified: date.into() };
        let own = || Copy::own(&validators("\"1\"", "then")).unwrap();
        let names: Vec<_> = own().conditions.into_iter().map(|(name, _)| name).collect();
        assert_eq!(names, [IF_NONE_MATCH, IF_MODIFIED_SINCE]);
        let page = own().apply(response(304, &[("etag", "W/\"1\"")], "")).unwrap();
        assert_eq!((page.status, page.cached()), (304, Some(Cached::Revalidated)));
        assert!(own().apply(response(304, &[("etag", "\"2\"")], "")).is_err());
        let page = own().apply(response(200, &[("etag", "\"2\"")], "new")).unwrap();
        assert_eq!((page.status, page.cached()), (200, None));
        assert!(Copy::own(&validators("", "")).is_none());
    }

    #[test]
    fn what_cannot_be_asked_about_is_not_asked_about() {
        assert!(Copy::new(response(200, &[], "body")).is_none());
        assert!(Copy::new(response(404, &[("etag", "\"1\"")], "body")).is_none());
        let mut cut = response(200, &[("etag", "\"1\"")], "bo");
        cut.truncated = Some(crawl_model::Truncation::Length);
        assert!(Copy::new(cut).is_none());
        let mut request = Request::get(crawl_model::CanonicalUrl::parse("http://h/").unwrap());
        assert!(may_ask(&request));
        request.headers.push(("If-None-Match".into(), "*".into()));
        assert!(!may_ask(&request));
    }
}
