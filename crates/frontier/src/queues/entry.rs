//! One waiting URL as bytes: some twenty for a plain link.
//!
//! Its host is the queue's, its priority and depth are the lane's, its fingerprint is computed
//! again. Layout: length of the rest; flags; numbers of referrer and label, if any; priority and
//! depth, if not the lane's; then path and query. What is more than a plain GET is kept as JSON.

use crawl_model::{CanonicalUrl, Method, Request};
use crawl_store::tables::{LaneKey, Take, put_number, put_signed};

use super::texts::Texts;

const HTTPS: u8 = 1;
/// The text is the whole URL: it names a port, or credentials.
const WHOLE: u8 = 1 << 1;
const REFERRER: u8 = 1 << 2;
const LABEL: u8 = 1 << 3;
const RANK: u8 = 1 << 4;
const JSON: u8 = 1 << 5;

/// Appends a request to what waits in lane `key`.
pub(super) fn put(out: &mut Vec<u8>, request: &Request, key: LaneKey, texts: &mut Texts) {
    let mut entry = Vec::with_capacity(64);
    entry.push(0);
    if is_plain(request) {
        let flags = put_plain(&mut entry, request, key, texts);
        entry[0] = flags;
    } else {
        entry[0] = JSON;
        serde_json::to_writer(&mut entry, request).expect("strings and numbers serialise");
    }
    put_number(out, entry.len() as u64);
    out.extend_from_slice(&entry);
}

fn put_plain(entry: &mut Vec<u8>, request: &Request, key: LaneKey, texts: &mut Texts) -> u8 {
    let mut flags = 0;
    if let Some(referrer) = &request.referrer {
        flags |= REFERRER;
        put_number(entry, u64::from(texts.referrer(referrer.as_str())));
    }
    if !request.label.is_empty() {
        flags |= LABEL;
        put_number(entry, u64::from(texts.label(&request.label)));
    }
    if (request.priority, request.depth) != (key.priority, key.depth) {
        flags |= RANK;
        put_signed(entry, i64::from(request.priority));
        put_number(entry, u64::from(request.depth));
    }
    let url = &request.url;
    if url.as_str().len() == scheme(url.is_https()).len() + url.host_str().len() + path(url).len() {
        entry.extend_from_slice(path(url).as_bytes());
    } else {
        flags |= WHOLE;
        entry.extend_from_slice(url.as_str().as_bytes());
    }
    flags | if url.is_https() { HTTPS } else { 0 }
}

/// Takes the next entry off `bytes`, still packed; `None` at the end, or if it makes no sense.
pub(super) fn take<'a>(bytes: &mut Take<'a>) -> Option<&'a [u8]> {
    bytes.text()
}

/// Unpacks what [`take`] took. `text` tells a text by its number.
pub(super) fn read(
    entry: &[u8],
    host: &str,
    key: LaneKey,
    mut text: impl FnMut(u32) -> Option<String>,
) -> Option<Request> {
    let mut rest = Take(entry);
    let flags = rest.byte()?;
    if flags & JSON != 0 {
        return serde_json::from_slice(rest.0).ok();
    }
    let mut named = |rest: &mut Take<'_>, flag: u8| match flags & flag {
        0 => Some(None),
        _ => u32::try_from(rest.number()?).ok().and_then(&mut text).map(Some),
    };
    let referrer = named(&mut rest, REFERRER)?;
    let label = named(&mut rest, LABEL)?;
    let (mut priority, mut depth) = (key.priority, key.depth);
    if flags & RANK != 0 {
        priority = i32::try_from(rest.signed()?).ok()?;
        depth = u32::try_from(rest.number()?).ok()?;
    }
    let path = std::str::from_utf8(rest.0).ok()?;
    let url = match flags & WHOLE {
        0 => joined(flags & HTTPS != 0, host, path)?,
        _ => CanonicalUrl::parse(path).ok()?,
    };
    let mut request = Request::get(url);
    if let Some(referrer) = referrer {
        request.referrer = Some(CanonicalUrl::parse(&referrer).ok()?);
    }
    if let Some(label) = label {
        request.label = label.into();
    }
    (request.priority, request.depth) = (priority, depth);
    Some(request)
}

fn is_plain(request: &Request) -> bool {
    request.method == Method::Get
        && request.headers.is_empty()
        && request.body.is_empty()
        && request.errback.is_empty()
        && request.meta.is_null()
        && request.chain.is_empty()
        && request.options.is_none()
}

fn joined(is_https: bool, host: &str, path: &str) -> Option<CanonicalUrl> {
    let scheme = scheme(is_https);
    let start = u32::try_from(scheme.len()).ok()?;
    let end = start.checked_add(u32::try_from(host.len()).ok()?)?;
    let mut text = String::with_capacity(scheme.len() + host.len() + path.len());
    text.push_str(scheme);
    text.push_str(host);
    text.push_str(path);
    CanonicalUrl::from_parts(&text, [start, end, end])
}

fn scheme(is_https: bool) -> &'static str {
    if is_https { "https://" } else { "http://" }
}

fn path(url: &CanonicalUrl) -> &str {
    url.path_and_query()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(request: &Request, most_bytes: usize) {
        let key = LaneKey { host: 0, priority: 0, depth: 3 };
        let (mut texts, mut bytes) = (Texts::default(), Vec::new());
        put(&mut bytes, request, key, &mut texts);
        assert!(bytes.len() <= most_bytes, "{} bytes", bytes.len());
        let mut rest = Take(&bytes);
        let entry = take(&mut rest).unwrap();
        assert!(rest.0.is_empty());
        let host = request.url.host();
        let text = |number| texts.get(number).map(str::to_owned);
        assert_eq!(read(entry, host.as_str(), key, text).as_ref(), Some(request));
        for cut in 0..entry.len() {
            // Whatever it gives, it does not panic.
            let _ = read(&entry[..cut], host.as_str(), key, |_| None);
        }
    }

    fn get(url: &str) -> Request {
        let mut request = Request::get(CanonicalUrl::parse(url).unwrap());
        request.depth = 3;
        request
    }

    #[test]
    fn what_is_packed_is_unpacked() {
        check(&get("http://h.example/a?b=c"), 9);
        check(&get("https://h.example/"), 3);
        check(&get("http://h.example:81/a"), 26);
        check(&get("https://me:secret@[::1]/"), 30);
        let mut linked = get("http://h.example/a");
        linked.referrer = Some(CanonicalUrl::parse("http://h.example/long/path").unwrap());
        linked.label = "detail".into();
        check(&linked, 6);
        (linked.priority, linked.depth) = (-5, 9);
        check(&linked, 8);
        linked.meta = serde_json::json!({ "a": [1, 2] });
        linked.method = Method::Post;
        linked.body = vec![0, 255];
        check(&linked, 400);
    }
}
