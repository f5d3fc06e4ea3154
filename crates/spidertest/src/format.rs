//! The file of a fixture: what was asked in `#` lines, then the answer as HTTP has it.
//!
//! ```text
//! # url: http://shop.test/list?page=2
//! # label: list
//! # meta: {"page":2}
//! # time: 2026-11-30T07:38:40.250Z
//! HTTP/1.1 200 OK
//! content-type: text/html; charset=utf-8
//!
//! <!doctype html> …
//! ```
//!
//! Keys: `url` (the only one that must be there), `method`, `header` (of the request, `Name: value`,
//! as often as needed), `body` (of the request, as a JSON string), `label`, `meta` (JSON), `depth`,
//! `priority`, `referrer`, `chain` (URLs that redirected here, one a line), `accept` (statuses),
//! `truncated` and `time`. `## ` begins a remark. In place of the answer, `# failed: NAME: detail`
//! says why there is none, NAME being a verdict such as `connect-timeout`. The body is all that
//! follows the empty line, content codings undone, so lengths need no care when it is edited.

use std::fmt::Write as _;

use bytes::Bytes;
use crawl_model::{CanonicalUrl, Failure, FailureKind, Method, Request, Response, Truncation};
use serde_json::Value;

use crate::{Fixture, time};

/// Why a file is no fixture.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {problem}")]
pub struct FormatError {
    /// The line, from 1.
    pub line: usize,
    /// What is wrong with it.
    pub problem: String,
}

/// Header fields that say how the body travelled, and those that are nobody's business.
const LEFT_OUT: [&str; 5] =
    ["content-encoding", "transfer-encoding", "content-length", "set-cookie", "connection"];

/// Names of failures: what a request ends as that fails for good.
const FAILURES: [FailureKind; 18] = [
    FailureKind::Dns,
    FailureKind::DnsTimeout,
    FailureKind::PrivateAddress,
    FailureKind::Connect,
    FailureKind::ConnectTimeout,
    FailureKind::Tls,
    FailureKind::TlsTimeout,
    FailureKind::CertificateExpired,
    FailureKind::CertificateUntrusted,
    FailureKind::CertificateName,
    FailureKind::Proxy,
    FailureKind::Timeout,
    FailureKind::HeaderTimeout,
    FailureKind::Protocol,
    FailureKind::Disconnected,
    FailureKind::HeaderLimit,
    FailureKind::HeaderCount,
    FailureKind::ContentType,
];

/// The failure of this name.
pub(crate) fn failure_of(name: &str) -> Option<FailureKind> {
    FAILURES.iter().copied().find(|kind| kind.verdict().name() == name)
}

const TRUNCATIONS: [Truncation; 11] = [
    Truncation::Length,
    Truncation::Coded,
    Truncation::Ratio,
    Truncation::Time,
    Truncation::Idle,
    Truncation::Slow,
    Truncation::Disconnect,
    Truncation::Coding,
    Truncation::Window,
    Truncation::Nesting,
    Truncation::Framing,
];

impl Fixture {
    /// Writes the file's contents. Credentials are left out: those of URLs, cookies, and header
    /// fields of the request that carry any.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut head = String::new();
        let mut line = |key: &str, value: &dyn std::fmt::Display| {
            let value = value.to_string().replace(['\n', '\r'], " ");
            writeln!(head, "# {key}: {value}").expect("a string takes all that is written to it");
        };
        let request = &self.request;
        line("url", &request.url.without_credentials().as_str());
        if request.method != Method::Get {
            line("method", &request.method.as_str());
        }
        for (name, value) in request.headers.iter().filter(|(name, _)| !is_secret(name)) {
            line("header", &format_args!("{name}: {value}"));
        }
        if !request.body.is_empty() {
            line("body", &Value::from(String::from_utf8_lossy(&request.body)));
        }
        if !request.label.is_empty() {
            line("label", &request.label);
        }
        if !request.meta.is_null() {
            line("meta", &request.meta);
        }
        if request.depth > 0 {
            line("depth", &request.depth);
        }
        if request.priority != 0 {
            line("priority", &request.priority);
        }
        if let Some(referrer) = &request.referrer {
            line("referrer", &referrer.without_credentials().as_str());
        }
        for url in &request.chain {
            line("chain", &url.without_credentials().as_str());
        }
        if !request.options().accept.is_empty() {
            let accept: Vec<_> = request.options().accept.iter().map(u16::to_string).collect();
            line("accept", &accept.join(" "));
        }
        line("time", &time::write(self.time_ms));
        let response = match &self.reply {
            Ok(response) => response,
            Err(Failure { kind, detail }) => {
                line("failed", &format_args!("{}: {detail}", kind.verdict().name()));
                return head.into_bytes();
            }
        };
        if let Some(truncated) = response.truncated {
            line("truncated", &truncated.name());
        }
        let mut bytes = head.into_bytes();
        bytes.extend_from_slice(format!("{} {}\n", response.version, response.status).as_bytes());
        for (name, value) in &response.headers {
            if !LEFT_OUT.contains(&&**name) && !value.contains(&b'\n') {
                bytes.extend_from_slice(name.as_bytes());
                bytes.extend_from_slice(b": ");
                bytes.extend_from_slice(value);
                bytes.push(b'\n');
            }
        }
        bytes.push(b'\n');
        bytes.extend_from_slice(&response.body);
        bytes
    }

    /// Reads a file's contents.
    ///
    /// # Errors
    /// [`FormatError`] that names the line.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, FormatError> {
        let mut lines = Lines { rest: bytes, n: 0 };
        let mut head = Head::default();
        loop {
            let Some(line) = lines.next() else { return head.finish(None, lines.n) };
            if line.starts_with(b"##") || line.is_empty() {
                continue;
            }
            let Some(line) = line.strip_prefix(b"#") else {
                let response = response(line, &mut lines)?;
                return head.finish(Some(response), lines.n);
            };
            let line = std::str::from_utf8(line).map_err(|_| lines.wrong("it is no UTF-8"))?;
            head.take(line.trim()).map_err(|problem| lines.wrong(problem))?;
        }
    }
}

/// Header fields of a request that are not written down.
fn is_secret(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    ["authorization", "cookie", "token", "secret", "password", "api-key", "apikey"]
        .iter()
        .any(|word| name.contains(word))
}

struct Lines<'a> {
    rest: &'a [u8],
    n: usize,
}

impl<'a> Lines<'a> {
    fn next(&mut self) -> Option<&'a [u8]> {
        if self.rest.is_empty() {
            return None;
        }
        self.n += 1;
        let end = self.rest.iter().position(|&byte| byte == b'\n');
        let (line, rest) = match end {
            Some(end) => (&self.rest[..end], &self.rest[end + 1..]),
            None => (self.rest, &[][..]),
        };
        self.rest = rest;
        Some(line.strip_suffix(b"\r").unwrap_or(line))
    }

    fn wrong(&self, problem: impl Into<String>) -> FormatError {
        FormatError { line: self.n, problem: problem.into() }
    }
}

/// What the `#` lines say.
#[derive(Default)]
struct Head {
    request: Option<Request>,
    failure: Option<Failure>,
    truncated: Option<Truncation>,
    time_ms: Option<u64>,
}

impl Head {
    fn take(&mut self, line: &str) -> Result<(), String> {
        let (key, value) = line.split_once(':').ok_or("write `# key: value`, or `## remark`")?;
        let (key, value) = (key.trim(), value.trim());
        if key == "url" {
            let url = url(value)?;
            if self.request.is_some() {
                return Err("`url` is there twice".to_owned());
            }
            self.request = Some(Request::get(url));
            return Ok(());
        }
        match key {
            "time" => {
                let ms = time::read(value).ok_or("write a time such as 2026-11-30T07:38:40Z")?;
                self.time_ms = Some(ms);
                return Ok(());
            }
            "failed" => {
                let (name, detail) = value.split_once(':').unwrap_or((value, ""));
                let kind = failure_of(name.trim());
                let kind = kind.ok_or_else(|| format!("no failure is called `{name}`"))?;
                self.failure = Some(Failure::new(kind, detail.trim()));
                return Ok(());
            }
            "truncated" => {
                let found = TRUNCATIONS.iter().find(|truncation| truncation.name() == value);
                self.truncated = Some(*found.ok_or_else(|| format!("`{value}` is no truncation"))?);
                return Ok(());
            }
            _ => {}
        }
        let request = self.request.as_mut().ok_or("`# url: ...` must come first")?;
        match key {
            "method" => {
                request.method = match value {
                    "GET" => Method::Get,
                    "HEAD" => Method::Head,
                    "POST" => Method::Post,
                    _ => return Err(format!("`{value}` is not GET, HEAD or POST")),
                }
            }
            "header" => {
                let (name, value) = value.split_once(':').ok_or("write `# header: Name: value`")?;
                request.headers.push((name.trim().to_owned(), value.trim().to_owned()));
            }
            "body" => {
                let body: String = serde_json::from_str(value)
                    .map_err(|_| "`body` is a JSON string, in quotes")?;
                request.body = body.into_bytes();
            }
            "label" => request.label = value.into(),
            "meta" => {
                let meta = serde_json::from_str(value);
                request.meta = meta.map_err(|error| format!("`meta` is no JSON: {error}"))?;
            }
            "depth" => request.depth = value.parse().map_err(|_| "`depth` is a whole number")?,
            "priority" => {
                request.priority = value.parse().map_err(|_| "`priority` is a whole number")?;
            }
            "referrer" => request.referrer = Some(url(value)?),
            "chain" => request.chain.push(url(value)?),
            "accept" => {
                let statuses: Result<Vec<u16>, _> =
                    value.split_whitespace().map(str::parse).collect();
                request.options_mut().accept =
                    statuses.map_err(|_| "`accept` is a list of statuses: 404 410")?;
            }
            _ => return Err(format!("the key `{key}` is not known")),
        }
        Ok(())
    }

    fn finish(self, response: Option<Response>, line: usize) -> Result<Fixture, FormatError> {
        let wrong = |problem: &str| FormatError { line, problem: problem.to_owned() };
        let request = self.request.ok_or_else(|| wrong("there is no `# url: ...`"))?;
        let reply = match (response, self.failure) {
            (Some(_), Some(_)) => return Err(wrong("it has an answer and a `# failed: ...`")),
            (Some(response), None) => Ok(Response { truncated: self.truncated, ..response }),
            (None, Some(failure)) => Err(failure),
            (None, None) => return Err(wrong("there is no answer: `HTTP/1.1 200 OK` begins one")),
        };
        let fixture = Fixture::failed("http://h/", FailureKind::Dns, "");
        let time_ms = self.time_ms.unwrap_or(fixture.time_ms);
        Ok(Fixture { request, reply, time_ms })
    }
}

fn url(text: &str) -> Result<CanonicalUrl, String> {
    CanonicalUrl::parse(text).map_err(|error| format!("`{text}`: {error}"))
}

/// The answer that `status` begins.
fn response(status: &[u8], lines: &mut Lines<'_>) -> Result<Response, FormatError> {
    let wrong = "an answer begins with a line such as `HTTP/1.1 200 OK`";
    let text = std::str::from_utf8(status).map_err(|_| lines.wrong(wrong))?;
    let mut words = text.split_ascii_whitespace();
    let version = match words.next() {
        Some("HTTP/1.0") => "HTTP/1.0",
        Some("HTTP/1.1") => "HTTP/1.1",
        Some("HTTP/2" | "HTTP/2.0") => "HTTP/2",
        _ => return Err(lines.wrong(wrong)),
    };
    let status = words.next().and_then(|word| word.parse().ok());
    let status = status.filter(|status| (100..1000).contains(status));
    let status = status.ok_or_else(|| lines.wrong(wrong))?;
    let mut headers = Vec::new();
    while let Some(line) = lines.next().filter(|line| !line.is_empty()) {
        let colon = line.iter().position(|&byte| byte == b':');
        let colon = colon.ok_or_else(|| lines.wrong("a header field is `name: value`"))?;
        let name = std::str::from_utf8(&line[..colon]).map_err(|_| lines.wrong("no UTF-8"))?;
        let value = Bytes::copy_from_slice(line[colon + 1..].trim_ascii());
        headers.push((name.trim().to_ascii_lowercase().into(), value));
    }
    let body = Bytes::copy_from_slice(lines.rest);
    Ok(Response { status, version, headers, body, truncated: None, remote: None })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_fixture_comes_back_as_it_was_written() {
        let mut fixture = Fixture::html("http://u:p@h/a?b#c", "<p>\r\nx\n\n# no remark\n")
            .label("list")
            .meta(&json!({ "a": [1, "\n"] }))
            .status(404)
            .header("X-Odd", "a: b")
            .header("Set-Cookie", "id=secret")
            .at(1_764_488_320_250);
        fixture.request.method = Method::Post;
        fixture.request.body = b"q=\"1\"\n".to_vec();
        fixture.request.headers =
            vec![("X-A".into(), "1".into()), ("Authorization".into(), "secret".into())];
        fixture.request.depth = 3;
        fixture.request.priority = -2;
        fixture.request.referrer = Some(CanonicalUrl::parse("http://h/").unwrap());
        fixture.request.chain = vec![CanonicalUrl::parse("http://h/old").unwrap()];
        fixture.request.options_mut().accept = vec![404, 410];
        let bytes = fixture.to_bytes();
        assert!(!String::from_utf8_lossy(&bytes).contains("secret"));
        let back = Fixture::from_bytes(&bytes).unwrap();
        assert_eq!(back.request.url.as_str(), "http://h/a?b");
        assert_eq!((back.time_ms, &*back.request.label), (fixture.time_ms, "list"));
        assert_eq!(back.request.meta, fixture.request.meta);
        assert_eq!(back.request.body, fixture.request.body);
        assert_eq!(back.request.chain, fixture.request.chain);
        assert_eq!(back.request.options, fixture.request.options);
        let (response, expected) = (back.reply.as_ref().unwrap(), fixture.reply.as_ref().unwrap());
        assert_eq!((response.status, &response.body), (404, &expected.body));
        assert_eq!(response.header("x-odd"), Some("a: b"));
        assert_eq!(back.to_bytes(), bytes);
    }

    #[test]
    fn what_a_person_writes_is_read() {
        let text =
            "## the shop when it is closed\r\n# url: http://h/\r\n\r\nHTTP/1.1 503 Closed\r\n\r\n";
        let fixture = Fixture::from_bytes(text.as_bytes()).unwrap();
        assert_eq!(fixture.reply.unwrap().status, 503);
        let failed = "# url: http://h/\n# failed: connect-timeout: nobody there";
        let failure = Fixture::from_bytes(failed.as_bytes()).unwrap().reply.unwrap_err();
        assert_eq!(failure, Failure::new(FailureKind::ConnectTimeout, "nobody there"));
    }

    #[test]
    fn mistakes_name_their_line() {
        for (text, line, says) in [
            ("", 0, "no `# url"),
            ("# url: x\n", 1, "`x`"),
            ("# label: a\n", 1, "must come first"),
            ("# url: http://h/\n# lable: a\n", 2, "`lable` is not known"),
            ("# url: http://h/\n# meta: {\n", 2, "no JSON"),
            ("# url: http://h/\n# time: noon\n", 2, "2026-11-30"),
            ("# url: http://h/\n# failed: bad luck\n", 2, "`bad luck`"),
            ("# url: http://h/\n", 1, "no answer"),
            ("# url: http://h/\n<html>", 2, "HTTP/1.1 200 OK"),
            ("# url: http://h/\nHTTP/1.1 200\nno field\n", 3, "`name: value`"),
        ] {
            let error = Fixture::from_bytes(text.as_bytes()).unwrap_err();
            assert_eq!(error.line, line, "{text}: {error}");
            assert!(error.to_string().contains(says), "{error}");
        }
    }

    #[test]
    fn all_failures_have_a_name_of_their_own() {
        let names: std::collections::HashSet<_> =
            FAILURES.iter().map(|kind| kind.verdict().name()).collect();
        assert_eq!(names.len(), FAILURES.len());
    }
}
