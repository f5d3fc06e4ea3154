//! What is expected of a crawler at each fault, by the RFC that demands it.
//!
//! This table was written from the RFCs before anything was run against it, so it judges the
//! crawler and not the other way round. Where an RFC leaves a choice, the comment says which one
//! the crawler has made. At most six rows share a verdict, so a crawler cannot look good by
//! calling everything the same.

/// Redirects in a row that the crawl is expected to allow: the rows about longer chains name the
/// URL at which it stops.
pub const MAX_REDIRECTS: u32 = 5;

/// By what a fault is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// HTTP on a listener of its own.
    Http,
    /// The same within TLS, under a good certificate.
    Https,
    /// Something else than HTTP goes wrong on a TLS listener, once robots.txt has been served.
    Tls,
    /// The listener itself goes wrong, once robots.txt has been served.
    Port,
    /// The name server.
    Name,
    /// An address in the URL.
    Literal,
}

/// One fault and what is expected.
#[derive(Debug, Clone, Copy)]
pub(super) struct Row {
    pub(super) place: Place,
    /// Its host is `NAME.fault.test`; for [`Place::Literal`] the address as it is written.
    pub(super) name: &'static str,
    /// Paths that are seeds.
    pub(super) seeds: &'static [&'static str],
    /// Paths whose end is judged; none: the seeds.
    pub(super) judged: &'static [&'static str],
    pub(super) verdict: &'static str,
    pub(super) section: &'static str,
    pub(super) about: &'static str,
}

impl Row {
    const fn seeds(self, seeds: &'static [&'static str]) -> Self {
        Self { seeds, ..self }
    }

    const fn judged(self, judged: &'static [&'static str]) -> Self {
        Self { judged, ..self }
    }
}

type Text = &'static str;

const fn row(place: Place, name: Text, verdict: Text, section: Text, about: Text) -> Row {
    Row { place, name, seeds: &["/"], judged: &[], verdict, section, about }
}

const fn http(name: Text, verdict: Text, section: Text, about: Text) -> Row {
    row(Place::Http, name, verdict, section, about)
}

const fn https(name: Text, verdict: Text, section: Text, about: Text) -> Row {
    row(Place::Https, name, verdict, section, about)
}

const fn tls(name: Text, verdict: Text, section: Text, about: Text) -> Row {
    row(Place::Tls, name, verdict, section, about)
}

const fn port(name: Text, verdict: Text, section: Text, about: Text) -> Row {
    row(Place::Port, name, verdict, section, about)
}

const fn name(name: Text, verdict: Text, section: Text, about: Text) -> Row {
    row(Place::Name, name, verdict, section, about)
}

const fn literal(name: Text, verdict: Text, section: Text, about: Text) -> Row {
    row(Place::Literal, name, verdict, section, about)
}

/// All faults.
#[rustfmt::skip]
pub(super) const TABLE: &[Row] = &[
    // Odd, but to be taken.
    http("missing-reason", "ok", "RFC 9112, 4", "a status line without a reason phrase"),
    http("coding-and-length", "ok", "RFC 9112, 6.3", "Transfer-Encoding overrides a wrong Content-Length"),
    http("early-hints", "ok", "RFC 9110, 15.2", "102 and 103 before the response, asked for or not"),
    http("no-content-with-body", "ok", "RFC 9112, 6.3", "204 has no body, whatever follows its head"),
    http("poisoned-connection", "ok", "RFC 9112, 9.3", "bytes after a response are not the next response")
        .seeds(&["/", "/next"]),
    http("cookie-gate", "ok", "RFC 6265, 5.4", "a redirect to itself until its cookie comes back"),

    // Answers that are no success.
    http("location-missing", "http-error", "RFC 9110, 15.4", "302 without a Location is the final response"),
    http("not-modified-unasked", "not-modified", "RFC 9110, 15.4.5", "304 with a body, and nobody asked on a condition"),
    http("use-proxy", "http-error", "RFC 9110, 15.4.6", "305 is deprecated and not to be followed"),
    http("request-timeout", "http-error", "RFC 9110, 15.5.9", "408, each time"),
    http("robots-forbidden", "http-error", "RFC 9309, 2.3.1.3", "robots.txt is 403, so the page is asked for, and 410"),

    http("internal-error", "server-error", "RFC 9110, 15.6.1", "500, each time"),
    http("status-999", "server-error", "RFC 9110, 15", "an invalid status is treated as 5xx"),
    http("retry-after-date", "server-error", "RFC 9110, 10.2.3", "503 until a date in a second"),
    http("retry-after-empty", "server-error", "RFC 9110, 10.2.3", "503 with a Retry-After of nothing"),
    http("retry-after-fraction", "server-error", "RFC 9110, 10.2.3", "503 with half a second, which is no form"),
    http("retry-after-twice", "server-error", "RFC 9110, 5.3", "504 with two Retry-After fields"),

    http("retry-after-seconds", "rate-limited", "RFC 6585, 4", "429 for one second"),
    http("retry-after-past", "rate-limited", "RFC 9110, 10.2.3", "429 until a date that has passed"),
    http("retry-after-garbage", "rate-limited", "RFC 9110, 10.2.3", "429 until soon"),
    http("retry-after-negative", "rate-limited", "RFC 9110, 10.2.3", "429 for minus one second"),
    http("retry-after-huge", "rate-limited", "RFC 9110, 10.2.3", "429 for more seconds than 64 bits hold"),
    http("retry-after-rfc850", "rate-limited", "RFC 9110, 5.6.7", "429 until a date in an obsolete form"),

    http("basic-auth", "auth-required", "RFC 9110, 15.5.2", "401 with a challenge"),
    http("auth-unchallenged", "auth-required", "RFC 9110, 15.5.2", "401 without the challenge that it must have"),
    http("proxy-auth", "auth-required", "RFC 9110, 15.5.8", "407 from an origin server"),
    http("folded-challenge", "auth-required", "RFC 9112, 5.2", "401 with a challenge folded over two lines"),

    // Redirects.
    http("redirect-301", "redirected", "RFC 9110, 15.4.2", "301 to a path"),
    http("redirect-302", "redirected", "RFC 9110, 15.4.3", "302 to a relative reference with dot segments"),
    http("redirect-303", "redirected", "RFC 9110, 15.4.4", "303 to a reference with a fragment"),
    http("redirect-307-308", "redirected", "RFC 9110, 15.4.8 and 15.4.9", "307 to a scheme-relative, 308 to an absolute URL")
        .seeds(&["/307", "/308"]),
    http("refresh-field", "redirected", "HTML, shared declarative refresh steps", "a Refresh field without delay"),
    http("refresh-meta", "redirected", "HTML, shared declarative refresh steps", "a meta refresh without delay"),

    http("redirect-itself", "redirect-loop", "RFC 9110, 15.4", "302 to its own URL"),
    http("redirect-pair", "redirect-loop", "RFC 9110, 15.4", "two URLs that redirect to each other").judged(&["/b"]),
    http("redirect-empty", "redirect-loop", "RFC 3986, 4.4", "an empty Location is the URL itself"),
    http("redirect-fragment", "redirect-loop", "RFC 9110, 10.2.2", "302 to its own URL with a fragment"),
    http("cookie-treadmill", "redirect-loop", "RFC 9110, 15.4", "302 to itself with a new cookie each time"),

    http("redirect-twenty", "too-many-redirects", "RFC 9110, 15.4", "twenty hops").judged(&["/5"]),
    http("redirect-endless", "too-many-redirects", "RFC 9110, 15.4", "hops without end, by turns 301 and 307")
        .judged(&["/5"]),

    http("location-broken", "bad-redirect", "RFC 9110, 10.2.2", "a Location that is no URL"),
    http("location-javascript", "bad-redirect", "RFC 9110, 4.2", "a Location that is a script"),
    http("location-ftp", "bad-redirect", "RFC 9110, 4.2", "a Location of a scheme that is not crawled"),
    http("location-data", "bad-redirect", "RFC 9110, 4.2", "a Location that is a page by itself"),
    http("location-port", "bad-redirect", "RFC 3986, 3.2.3", "a Location with a port beyond 65535"),

    // Responses whose end is missing.
    http("short-body", "truncated", "RFC 9112, 8", "the connection ends before Content-Length is reached"),
    http("length-then-close", "truncated", "RFC 9112, 8", "a head as for HEAD, and then the end"),
    http("last-chunk-missing", "truncated", "RFC 9112, 8", "the connection ends in place of the last chunk"),
    http("chunk-cut", "truncated", "RFC 9112, 8", "the connection ends within a chunk"),
    http("reset-in-body", "truncated", "RFC 9293, 3.10.7", "the connection is reset within the body"),
    https("tls-cut", "truncated", "RFC 9112, 9.8", "without a length, only a closure alert ends the body"),

    http("closed-at-once", "disconnected", "RFC 9112, 9.5", "the request is read, and nothing said"),
    http("closed-in-head", "disconnected", "RFC 9112, 8", "the connection ends within the head"),
    http("reset-before-head", "disconnected", "RFC 9293, 3.10.7", "the connection is reset in place of an answer"),
    http("reset-in-head", "disconnected", "RFC 9293, 3.10.7", "the connection is reset within the head"),
    http("continue-then-close", "disconnected", "RFC 9110, 15.2", "100 is not the response"),
    // There is no session, but nobody has said that there will be none: it may fare better later.
    tls("tls-closed", "disconnected", "RFC 8446, 6.1", "the connection ends within the handshake, without an alert"),

    // Time.
    http("silent", "header-timeout", "RFC 9112, 9.5", "nothing comes after the request"),
    http("drip-head", "header-timeout", "RFC 9112, 9.5", "a head that comes a byte at a time"),
    http("half-a-line", "header-timeout", "RFC 9112, 9.5", "silence within the status line"),
    http("continue-flood", "header-timeout", "RFC 9110, 15.2.1", "100 after 100, and no response"),
    http("hints-flood", "header-timeout", "RFC 8297, 2", "103 with fields and 102 by turns, and no response"),
    port("never-accepted", "header-timeout", "RFC 9112, 9.5", "the kernel takes the connection, the server does not"),

    http("stall-in-body", "truncated-idle", "RFC 9112, 9.5", "silence within a body"),
    http("stall-in-chunk-size", "truncated-idle", "RFC 9112, 9.5", "silence between two digits of a chunk's size"),
    http("stall-before-trailers", "truncated-idle", "RFC 9112, 9.5", "silence after the last chunk's line"),
    http("length-then-silence", "truncated-idle", "RFC 9112, 9.5", "a head as for HEAD, and the connection stays"),

    http("drip-body", "truncated-slow", "RFC 9112, 9.5", "a body that comes a byte at a time"),
    http("drip-chunks", "truncated-slow", "RFC 9112, 9.5", "the same in chunks of a byte"),

    http("steady-body", "truncated-time", "RFC 9112, 9.5", "a body that flows and does not end"),
    http("steady-chunks", "truncated-time", "RFC 9112, 9.5", "the same in chunks"),

    // Size.
    http("field-of-a-megabyte", "header-limit", "RFC 9110, 5.4", "one field of 1 MB"),
    http("field-without-end", "header-limit", "RFC 9110, 5.4", "one field that does not end"),
    http("reason-without-end", "header-limit", "RFC 9110, 17.5", "a reason phrase that does not end"),

    http("fields-1000", "header-count", "RFC 9110, 5.4", "1,000 short fields"),
    http("fields-100000", "header-count", "RFC 9110, 5.4", "100,000 short fields"),

    http("endless-body", "truncated-length", "RFC 9110, 17.5", "a body without length or end"),
    http("endless-chunks", "truncated-length", "RFC 9110, 17.5", "chunks without end"),
    http("terabyte", "truncated-length", "RFC 9110, 8.6", "a Content-Length of 1 TB, and bytes to match"),
    http("gzip-too-long", "truncated-length", "RFC 9110, 17.5", "a body that is too long only when decoded"),

    http("gzip-bomb", "truncated-ratio", "RFC 9110, 17.5", "zeros without end in gzip"),
    http("deflate-bomb", "truncated-ratio", "RFC 9110, 17.5", "zeros without end in deflate"),
    http("brotli-bomb", "truncated-ratio", "RFC 7932, 12", "64 MiB of zeros in a few bytes of brotli"),
    http("zstd-bomb", "truncated-ratio", "RFC 8878, 8", "zeros without end in zstd"),
    http("gzip-in-gzip-bomb", "truncated-ratio", "RFC 9110, 17.5", "a bomb that is itself compressed"),

    http("gzip-of-nothing", "truncated-coded", "RFC 9110, 17.5", "gzip without end that decodes to nothing"),
    http("gzip-members-of-nothing", "truncated-coded", "RFC 1952, 2.2", "empty gzip members without end"),
    http("zstd-skippable", "truncated-coded", "RFC 8878, 3.1.2", "skippable zstd frames without end"),

    // Codings.
    http("gzip-garbage", "truncated-coding", "RFC 1952, 2.3.1.2", "a body that is not the gzip it says"),
    http("gzip-cut", "truncated-coding", "RFC 1952, 2.2", "a whole message with half a gzip member"),
    http("gzip-checksum", "truncated-coding", "RFC 1952, 2.3.1", "a gzip member with a wrong CRC32"),
    http("deflate-garbage", "truncated-coding", "RFC 1951, 3.2.3", "a block of the reserved type"),
    http("brotli-garbage", "truncated-coding", "RFC 7932, 9.1", "a body that is not the brotli it says"),
    http("zstd-garbage", "truncated-coding", "RFC 8878, 3.1.1", "a body that is not the zstd it says"),

    http("zstd-window", "truncated-window", "RFC 9659, 3", "a zstd frame that wants 128 MiB"),
    http("zstd-single-segment", "truncated-window", "RFC 9659, 3", "a single segment, whose window is its 1 GiB"),

    http("codings-4", "truncated-nesting", "RFC 9110, 8.4", "gzip four times over"),
    http("codings-100", "truncated-nesting", "RFC 9110, 8.4", "a hundred codings in ten fields"),

    http("chunk-size-garbage", "truncated-framing", "RFC 9112, 7.1", "a chunk size that is no number"),
    http("chunk-size-overflow", "truncated-framing", "RFC 9112, 7.1", "a chunk size of more than 64 bits"),
    http("chunk-size-negative", "truncated-framing", "RFC 9112, 7.1", "a chunk size below zero"),
    http("chunk-end-missing", "truncated-framing", "RFC 9112, 7.1", "a chunk that is longer than its size"),
    http("chunk-extensions", "truncated-framing", "RFC 9112, 7.1.1", "chunk extensions without end"),
    http("endless-trailers", "truncated-framing", "RFC 9112, 7.1.2", "trailer fields without end"),

    // Not HTTP.
    http("garbage", "not-http", "RFC 9112, 2.2", "binary garbage"),
    http("http-09", "not-http", "RFC 9112, 2.3", "a document without a head, as of HTTP/0.9"),
    http("http-3-version", "not-http", "RFC 9110, 2.5", "HTTP/3.0 in a status line"),
    // 101 is no final response, and what follows it is not HTTP.
    http("switching-unasked", "not-http", "RFC 9110, 7.8", "101 to a protocol that was not offered"),
    http("lengths-conflict", "not-http", "RFC 9112, 6.3", "two Content-Lengths that differ: to be discarded"),
    http("length-negative", "not-http", "RFC 9112, 6.3", "a Content-Length below zero: to be discarded"),

    // What is not wanted.
    http("octet-stream", "content-type", "RFC 9110, 8.3", "a program"),
    http("endless-video", "content-type", "RFC 9110, 8.3", "a type that is refused before its endless body"),
    http("robots-html", "content-type", "RFC 9309, 2.3.1.5", "robots.txt is a page without rules, so the picture is asked for"),
    http("robots-six-hops", "content-type", "RFC 9309, 2.3.1.2", "robots.txt is six hops away, so the archive is asked for"),

    // robots.txt.
    http("robots-500", "robots-unreachable", "RFC 9309, 2.3.1.4", "robots.txt is 500"),
    http("robots-503", "robots-unreachable", "RFC 9309, 2.3.1.4", "robots.txt is 503, for a year"),
    http("robots-429", "robots-unreachable", "RFC 6585, 4", "robots.txt is 429, which asks for less and not for more"),
    http("robots-silent", "robots-unreachable", "RFC 9309, 2.3.1.4", "robots.txt never answers"),
    http("robots-reset", "robots-unreachable", "RFC 9309, 2.3.1.4", "robots.txt is a reset"),
    http("robots-garbage", "robots-unreachable", "RFC 9309, 2.3.1.4", "robots.txt is no HTTP"),

    http("robots-disallow", "robots", "RFC 9309, 2.2.2", "robots.txt forbids all"),
    http("robots-bom", "robots", "RFC 9309, 2.3", "the same behind a byte order mark"),
    http("robots-megabyte", "robots", "RFC 9309, 2.5", "the same after 490 KB of comments, in 1 MB"),
    http("robots-five-hops", "robots", "RFC 9309, 2.3.1.2", "the same five redirects away"),
    http("robots-endless", "robots", "RFC 9309, 2.5", "the same at the beginning of a file without end"),
    http("robots-bomb", "robots", "RFC 9309, 2.5", "the same at the beginning of a gzip bomb"),

    // TLS.
    tls("tls-expired", "certificate-expired", "RFC 5280, 4.1.2.5", "a certificate that has expired"),
    tls("tls-not-yet", "certificate-expired", "RFC 5280, 4.1.2.5", "a certificate that is not valid yet"),
    tls("tls-self-signed", "certificate-untrusted", "RFC 5280, 6.1", "a certificate signed by itself"),
    tls("tls-unknown-issuer", "certificate-untrusted", "RFC 5280, 6.1", "a certificate of an issuer nobody knows"),
    tls("tls-wrong-name", "certificate-name", "RFC 9110, 4.3.4", "a certificate for another host"),
    tls("deep.tls-wildcard", "certificate-name", "RFC 9525, 6.3", "a wildcard stands for one label only"),
    tls("tls-silent", "tls-timeout", "RFC 9112, 9.5", "no answer to the ClientHello"),
    tls("tls-drip", "tls-timeout", "RFC 9112, 9.5", "a ServerHello that comes a byte at a time"),
    tls("tls-garbage", "tls-failed", "RFC 8446, 5.1", "garbage in place of the ServerHello"),
    tls("tls-plain-http", "tls-failed", "RFC 8446, 5.1", "HTTP in the clear on the port of https"),
    tls("tls-alert", "tls-failed", "RFC 8446, 6.2", "a handshake_failure alert"),
    tls("tls-old-version", "tls-failed", "RFC 8996, 4", "a server of TLS 1.0"),
    tls("tls-client-certificate", "tls-failed", "RFC 8446, 4.4.2.4", "a server that wants to know who we are"),

    // TCP.
    port("refused", "connect-failed", "RFC 9293, 3.10.7.1", "a port that nobody listens at"),
    port("blackhole", "connect-timeout", "RFC 9293, 3.8.3", "a port that drops each SYN"),

    // DNS.
    name("dns-nxdomain", "dns-failed", "RFC 8020, 2", "NXDOMAIN"),
    name("dns-servfail", "dns-failed", "RFC 1035, 4.1.1", "SERVFAIL"),
    name("dns-no-data", "dns-failed", "RFC 2308, 2.2", "a name without an address"),
    name("dns-cname-loop", "dns-failed", "RFC 1034, 3.6.2", "a name that is an alias of itself"),
    name("dns-silent", "dns-timeout", "RFC 1035, 4.2.1", "a name server that does not answer"),
    name("dns-wrong-id", "dns-timeout", "RFC 5452, 9.1", "an answer to another question"),

    // Addresses that are not public, where those are refused.
    name("dns-loopback", "private-address", "RFC 6890, 2.2.2", "a name with a loopback address"),
    name("dns-mapped", "private-address", "RFC 4291, 2.5.5.2", "a name with the same, mapped into IPv6"),
    literal("127.0.0.1", "private-address", "RFC 6890, 2.2.2", "a loopback address"),
    literal("0x7f000001", "private-address", "URL Standard, 3.5", "the same as a hexadecimal number")
        .seeds(&["/hexadecimal"]),
    literal("017700000001", "private-address", "URL Standard, 3.5", "the same as an octal number")
        .seeds(&["/octal"]),
    literal("[::ffff:127.0.0.1]", "private-address", "RFC 4291, 2.5.5.2", "the same, mapped into IPv6"),
];
