//! The request as it goes on the wire: who we say we are, and what the spider adds.

use std::sync::Arc;

use bytes::Bytes;
use crawl_model::{CanonicalUrl, Errand, Failure, FailureKind, Method, Ticket};
use http_body_util::Full;
use hyper::header::{self, HeaderMap, HeaderName, HeaderValue};
use hyper::{Request, Uri};

use crate::auth::Credentials;
use crate::cookies::{Cookies, now_ms};
use crate::proxy::Proxy;
use crate::{FetchConfig, FetchConfigError, ReferrerPolicy};

/// What browsers ask for when a page is opened.
const ACCEPT: &str = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";

/// The codings that this crate removes.
const ACCEPT_ENCODING: &str = "gzip, deflate, br, zstd";

/// Fields that say where a message ends. They are hyper's to set: a wrong one would make the
/// server see a second request inside the first.
const FRAMING: [HeaderName; 5] = [
    header::CONNECTION,
    header::CONTENT_LENGTH,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
    header::TRAILER,
];

/// Makes requests.
#[derive(Debug)]
pub(crate) struct Writer {
    /// Sent with every request.
    defaults: HeaderMap,
    credentials: Credentials,
    policy: ReferrerPolicy,
    cookies: Arc<Cookies>,
}

impl Writer {
    pub(crate) fn new(
        config: &FetchConfig,
        cookies: Arc<Cookies>,
    ) -> Result<Self, FetchConfigError> {
        let mut defaults = HeaderMap::new();
        let bad = |key: &str, why| FetchConfigError::Header { key: format!("fetch.{key}"), why };
        let agent = HeaderValue::from_str(&config.user_agent)
            .map_err(|_| bad("user-agent", "its value has forbidden characters"))?;
        defaults.insert(header::USER_AGENT, agent);
        defaults.insert(header::ACCEPT, HeaderValue::from_static(ACCEPT));
        defaults.insert(header::ACCEPT_ENCODING, HeaderValue::from_static(ACCEPT_ENCODING));
        for (name, value) in &config.headers {
            let (name, value) =
                field(name, value).map_err(|why| bad(&format!("headers.{name}"), why))?;
            defaults.insert(name, value);
        }
        let credentials = Credentials::new(&config.auth)?;
        Ok(Self { defaults, credentials, policy: config.referrer_policy, cookies })
    }

    /// The request for `ticket`.
    ///
    /// Fails if the spider gave a header field that cannot be sent.
    pub(crate) fn write(
        &self,
        ticket: &Ticket,
        form: Form<'_>,
    ) -> Result<Request<Full<Bytes>>, Failure> {
        let url = ticket.url();
        let unsendable = |what: String| {
            let detail = format!("the request to {} cannot be sent: {what}", url.host_str());
            Failure::new(FailureKind::Protocol, detail)
        };
        let uri = uri(url, form).map_err(|e| unsendable(format!("its URL: {e}")))?;
        let mut headers = HeaderMap::with_capacity(self.defaults.len() + 4);
        if !matches!(form, Form::H2) {
            let host = HeaderValue::from_str(url.authority());
            let host = host.map_err(|_| unsendable("its host".to_owned()))?;
            headers.insert(header::HOST, host);
        }
        headers.extend(self.defaults.iter().map(|(name, value)| (name.clone(), value.clone())));
        let own = basic_auth(url);
        if let Some(credentials) = own.or_else(|| self.credentials.field(url).cloned()) {
            headers.insert(header::AUTHORIZATION, credentials);
        }
        if let Some(referrer) = self.referrer_field(ticket) {
            headers.entry(header::REFERER).or_insert(referrer);
        }
        if let Some(cookies) = self.cookie_field(ticket) {
            headers.insert(header::COOKIE, cookies);
        }
        if let Form::Absolute(proxy) = form {
            headers.extend(proxy.field().map(|value| (header::PROXY_AUTHORIZATION, value)));
        }
        let mut body = Bytes::new();
        let mut method = Method::Get;
        if let Errand::Page(page) = ticket.errand() {
            method = page.method;
            body = Bytes::copy_from_slice(&page.body);
            for (name, value) in &page.headers {
                let (name, value) = field(name, value).map_err(|why| {
                    unsendable(format!("header `{}`: {why}", name.escape_debug()))
                })?;
                headers.insert(name, value);
            }
        }
        let mut request = Request::new(Full::new(body));
        *request.method_mut() = match method {
            Method::Get => hyper::Method::GET,
            Method::Head => hyper::Method::HEAD,
            Method::Post => hyper::Method::POST,
        };
        *request.uri_mut() = uri;
        *request.headers_mut() = headers;
        Ok(request)
    }

    /// What the target is told of the page that led to it.
    fn referrer_field(&self, ticket: &Ticket) -> Option<HeaderValue> {
        let Errand::Page(page) = ticket.errand() else { return None };
        let field = self.policy.field(page.referrer.as_ref()?, &page.url)?;
        HeaderValue::try_from(field).ok()
    }

    /// What the ticket's jar has for its URL.
    fn cookie_field(&self, ticket: &Ticket) -> Option<HeaderValue> {
        let field = self.cookies.field(jar(ticket).map(|name| &**name), ticket.url(), now_ms());
        if field.is_empty() {
            return None;
        }
        let mut value = HeaderValue::from_maybe_shared(Bytes::from(field)).ok()?;
        value.set_sensitive(true);
        Some(value)
    }
}

/// The cookie jar that a ticket names.
pub(crate) fn jar(ticket: &Ticket) -> Option<&Arc<str>> {
    match ticket.errand() {
        Errand::Page(page) => page.options().jar.as_ref(),
        Errand::Robots { .. } => None,
    }
}

/// Checks one header field. The error never holds the value.
fn field(name: &str, value: &str) -> Result<(HeaderName, HeaderValue), &'static str> {
    let name =
        HeaderName::from_bytes(name.as_bytes()).map_err(|_| "its name has forbidden characters")?;
    if FRAMING.contains(&name) {
        return Err("this field is set by the crawler itself");
    }
    if name == header::PROXY_AUTHORIZATION {
        return Err("a proxy's credentials belong into its URL in [fetch.proxies]");
    }
    let mut value =
        HeaderValue::from_str(value).map_err(|_| "its value has forbidden characters")?;
    let is_secret = [header::AUTHORIZATION, header::COOKIE].contains(&name);
    value.set_sensitive(is_secret);
    Ok((name, value))
}

/// How a request names its target; never with the URL's credentials.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Form<'a> {
    /// By path and query (RFC 9112, section 3.2.1).
    Origin,
    /// As a whole, for a proxy that passes it on (RFC 9112, section 3.2.2).
    Absolute(&'a Proxy),
    /// In HTTP/2's own way (RFC 9113, section 8.3.1).
    H2,
}

fn uri(url: &CanonicalUrl, form: Form<'_>) -> Result<Uri, impl std::error::Error> {
    let text = match form {
        Form::Origin => Bytes::copy_from_slice(url.path_and_query().as_bytes()),
        Form::Absolute(_) => format!("http://{}{}", url.authority(), url.path_and_query()).into(),
        Form::H2 => format!("https://{}{}", url.authority(), url.path_and_query()).into(),
    };
    Uri::from_maybe_shared(text)
}

/// The credentials that a URL carries, as RFC 7617 sends them.
fn basic_auth(url: &CanonicalUrl) -> Option<HeaderValue> {
    let (user, password) = credentials(url)?;
    Some(basic_value(&user, &password))
}

/// User and password of a URL.
pub(crate) fn credentials(url: &CanonicalUrl) -> Option<(Vec<u8>, Vec<u8>)> {
    let (_, rest) = url.as_str().split_once("://")?;
    let whole = &rest[..rest.len() - url.path_and_query().len()];
    if whole.len() == url.authority().len() {
        return None;
    }
    let (credentials, _) = whole.rsplit_once('@')?;
    let (user, password) = credentials.split_once(':').unwrap_or((credentials, ""));
    Some((unescape(user), unescape(password)))
}

/// RFC 7617, section 2.
pub(crate) fn basic_value(user: &[u8], password: &[u8]) -> HeaderValue {
    let plain = [user, b":", password].concat();
    let mut value = HeaderValue::try_from(format!("Basic {}", base64(&plain)))
        .expect("base64 has no forbidden characters");
    value.set_sensitive(true);
    value
}

/// Takes percent escapes back (RFC 3986, section 2.1).
fn unescape(text: &str) -> Vec<u8> {
    let digit = |byte: &u8| char::from(*byte).to_digit(16).map(|digit| digit as u8);
    let mut rest = text.as_bytes();
    let mut plain = Vec::with_capacity(rest.len());
    while let [first, tail @ ..] = rest {
        let escape = tail.first_chunk::<2>().filter(|_| *first == b'%');
        match escape.and_then(|[high, low]| Some(digit(high)? << 4 | digit(low)?)) {
            Some(byte) => {
                plain.push(byte);
                rest = &tail[2..];
            }
            None => {
                plain.push(*first);
                rest = tail;
            }
        }
    }
    plain
}

/// RFC 4648, section 4.
fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for group in bytes.chunks(3) {
        let byte = |i| u32::from(*group.get(i).unwrap_or(&0));
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        for i in 0..4 {
            let digit = DIGITS[(bits >> (18 - 6 * i)) as usize & 63];
            text.push(if i <= group.len() { char::from(digit) } else { '=' });
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn auth(url: &str, expected: Option<&str>) {
        let value = basic_auth(&CanonicalUrl::parse(url).unwrap());
        assert_eq!(value.as_ref().map(|v| v.to_str().unwrap()), expected);
        assert!(value.is_none_or(|v| v.is_sensitive()));
    }

    #[test]
    fn credentials_of_the_url_are_sent_as_rfc_7617_says() {
        auth("http://h/", None);
        auth("http://h:8080/a@b", None);
        auth("http://Aladdin:open%20sesame@h/", Some("Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="));
        auth("http://joe@h:81/", Some("Basic am9lOg=="));
        auth("http://a:b%3Ac@h/", Some("Basic YTpiOmM="));
    }

    #[test]
    fn every_url_that_the_standard_serialises_can_be_sent() {
        let odd = CanonicalUrl::parse("http://h/a|b^c[d]'{e}\"`<>\\é %zz?q=`|^{}[]\"'<>é").unwrap();
        for form in [Form::Origin, Form::H2] {
            let sent = uri(&odd, form).unwrap();
            assert_eq!(sent.path_and_query().unwrap().as_str(), odd.path_and_query());
        }
    }
}
