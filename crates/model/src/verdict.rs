//! How a URL ends: every one with a name, none in silence.

use serde::{Deserialize, Serialize};

use crate::{CanonicalUrl, Fingerprint, Request};

/// Declares an enum with a stable kebab-case name and a dense index per variant.
macro_rules! named {
    ($(#[$meta:meta])* $name:ident { $($(#[$vmeta:meta])* $variant:ident = $text:literal,)* }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(rename_all = "kebab-case")]
        #[repr(u8)]
        pub enum $name { $($(#[$vmeta])* $variant,)* }

        impl $name {
            /// All of them, in the order of their numbers.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The stable name, as it stands in the store, in reports and in JSON.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => $text,)* }
            }

            /// The variant with this number (`self as u8`); `None` if there is none.
            #[must_use]
            pub fn from_index(index: u8) -> Option<Self> {
                Self::ALL.get(usize::from(index)).copied()
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(self.name())
            }
        }
    };
}

named! {
    /// How a URL ended that was tried. The numbers are part of the store's format: append only.
    Verdict {
        /// A 2xx response, parsed.
        Ok = "ok",
        /// A response of another status that is no redirect: mostly 4xx.
        HttpError = "http-error",
        /// A redirect; its target is a request of its own.
        Redirected = "redirected",
        /// A redirect to a URL of its own chain.
        RedirectLoop = "redirect-loop",
        /// More redirects in a row than allowed.
        TooManyRedirects = "too-many-redirects",
        /// A redirect without a usable target.
        BadRedirect = "bad-redirect",
        /// A 2xx response that broke off before its end; what there is was parsed.
        Truncated = "truncated",
        /// The host name does not resolve.
        DnsFailed = "dns-failed",
        /// The address is not public.
        PrivateAddress = "private-address",
        /// No TCP connection.
        ConnectFailed = "connect-failed",
        /// No TLS session, or a certificate that does not verify.
        TlsFailed = "tls-failed",
        /// The time for the whole fetch passed before a response was there.
        Timeout = "timeout",
        /// What the server sent is not HTTP.
        NotHttp = "not-http",
        /// A response head of more bytes than allowed.
        HeaderLimit = "header-limit",
        /// A media type that is not wanted; the body was not read.
        ContentType = "content-type",
        /// The host's robots.txt could not be had, after several tries.
        RobotsUnreachable = "robots-unreachable",
        /// The spider returned an error for the page.
        SpiderError = "spider-error",
        /// The spider panicked on the page.
        SpiderPanic = "spider-panic",
        /// The process died three times with this URL in hand.
        Poisoned = "poisoned",
        /// The spider did not return from the page in time.
        SpiderTimeout = "spider-timeout",
        /// The name servers did not answer in time.
        DnsTimeout = "dns-timeout",
        /// No TCP connection stood in time.
        ConnectTimeout = "connect-timeout",
        /// The TLS handshake did not end in time.
        TlsTimeout = "tls-timeout",
        /// The response's head was not complete in time.
        HeaderTimeout = "header-timeout",
        /// The certificate is expired or not valid yet.
        CertificateExpired = "certificate-expired",
        /// The certificate is signed by nobody that is trusted.
        CertificateUntrusted = "certificate-untrusted",
        /// The certificate is for another host.
        CertificateName = "certificate-name",
        /// The server broke off before the response's head was complete.
        Disconnected = "disconnected",
        /// A response head of more fields than allowed.
        HeaderCount = "header-count",
        /// The proxy could not be reached, or refused.
        ProxyFailed = "proxy-failed",
        /// 401 or 407: credentials are missing or wrong.
        AuthRequired = "auth-required",
        /// 429: too many requests, to the last try.
        RateLimited = "rate-limited",
        /// A 5xx response, to the last try.
        ServerError = "server-error",
        /// 304: the copy that is there is still good.
        NotModified = "not-modified",
        /// No network was to be used, and no copy is there.
        NotCached = "not-cached",
        /// Its host failed so often that it was given up.
        HostDead = "host-dead",
        /// The page asks not to be kept (`noindex`), and that is obeyed.
        NoIndex = "noindex",
        /// A 2xx response whose decoded body is longer than the limit; the beginning was parsed.
        TruncatedLength = "truncated-length",
        /// Like it, longer than the limit as it was transferred.
        TruncatedCoded = "truncated-coded",
        /// Like it, decoded to more than the ratio limit allows.
        TruncatedRatio = "truncated-ratio",
        /// Like it, a pause between two pieces was too long.
        TruncatedIdle = "truncated-idle",
        /// Like it, it came more slowly than the minimum rate.
        TruncatedSlow = "truncated-slow",
        /// Like it, the time for the whole fetch passed.
        TruncatedTime = "truncated-time",
        /// Like it, the content coding is broken.
        TruncatedCoding = "truncated-coding",
        /// Like it, a zstd window larger than allowed (RFC 9659).
        TruncatedWindow = "truncated-window",
        /// Like it, more content codings on top of each other than allowed.
        TruncatedNesting = "truncated-nesting",
        /// Like it, the transfer coding is broken (RFC 9112, section 7.1).
        TruncatedFraming = "truncated-framing",
        /// The process in which the spider ran died over the page.
        SpiderCrash = "spider-crash",
        /// A middleware refused to send the request, or did not let it go in time.
        Refused = "refused",
        /// A file that an item asks for lies in the crawl's folder.
        Stored = "stored",
        /// A file that an item asks for, and that a rule of the crawl keeps out: `error` says which.
        Filtered = "filtered",
        /// An image smaller than `media.min-width` and `media.min-height` say.
        TooSmall = "too-small",
        /// A file that was not begun: those of the crawl take `media.total-mib` already.
        FileBudget = "file-budget",
    }
}

impl Verdict {
    /// Whether the URL ended with a ticket's answer. The others were given up by the frontier:
    /// they are in the store, but not in the page stream.
    #[must_use]
    pub fn was_fetched(self) -> bool {
        !matches!(self, Self::RobotsUnreachable | Self::Poisoned | Self::HostDead | Self::Filtered)
    }

    /// Whether a 2xx response was cut short; what there is was parsed.
    #[must_use]
    pub fn is_truncated(self) -> bool {
        matches!(
            self,
            Self::Truncated
                | Self::TruncatedLength
                | Self::TruncatedCoded
                | Self::TruncatedRatio
                | Self::TruncatedIdle
                | Self::TruncatedSlow
                | Self::TruncatedTime
                | Self::TruncatedCoding
                | Self::TruncatedWindow
                | Self::TruncatedNesting
                | Self::TruncatedFraming
        )
    }

    /// Whether it ends with a response of a status that is no success.
    #[must_use]
    pub fn is_http_error(self) -> bool {
        matches!(self, Self::HttpError | Self::AuthRequired | Self::RateLimited | Self::ServerError)
    }

    /// Whether it ends with a page: a response that is no redirect. This is what `max-pages` counts.
    #[must_use]
    pub fn is_page(self) -> bool {
        match self {
            Self::Ok
            | Self::HttpError
            | Self::AuthRequired
            | Self::RateLimited
            | Self::ServerError
            | Self::NotModified
            | Self::NoIndex
            | Self::Truncated
            | Self::TruncatedLength
            | Self::TruncatedCoded
            | Self::TruncatedRatio
            | Self::TruncatedIdle
            | Self::TruncatedSlow
            | Self::TruncatedTime
            | Self::TruncatedCoding
            | Self::TruncatedWindow
            | Self::TruncatedNesting
            | Self::TruncatedFraming
            | Self::SpiderError
            | Self::SpiderPanic
            | Self::SpiderTimeout
            | Self::SpiderCrash => true,
            Self::Redirected
            | Self::RedirectLoop
            | Self::TooManyRedirects
            | Self::BadRedirect
            | Self::DnsFailed
            | Self::DnsTimeout
            | Self::PrivateAddress
            | Self::ConnectFailed
            | Self::ConnectTimeout
            | Self::TlsFailed
            | Self::TlsTimeout
            | Self::CertificateExpired
            | Self::CertificateUntrusted
            | Self::CertificateName
            | Self::ProxyFailed
            | Self::Timeout
            | Self::HeaderTimeout
            | Self::NotHttp
            | Self::Disconnected
            | Self::HeaderLimit
            | Self::HeaderCount
            | Self::ContentType
            | Self::NotCached
            | Self::HostDead
            | Self::RobotsUnreachable
            | Self::Poisoned
            | Self::Refused
            | Self::Stored
            | Self::Filtered
            | Self::TooSmall
            | Self::FileBudget => false,
        }
    }
}

named! {
    /// Why a URL was not tried. The numbers are part of the store's format: append only.
    ///
    /// A filtered URL is not *known*: found again on a shorter path, or judged again under
    /// changed limits after a resume, it may still be admitted.
    FilterReason {
        /// Host outside `scope.allowed-domains`.
        OffDomain = "off-domain",
        /// Matches a pattern of `scope.exclude`.
        Excluded = "excluded",
        /// Matches no pattern of `scope.include`.
        NotIncluded = "not-included",
        /// Farther from the seeds than `scope.max-depth`.
        TooDeep = "too-deep",
        /// A file name extension that is not wanted.
        Extension = "extension",
        /// robots.txt forbids it (RFC 9309, section 2.2.2).
        Robots = "robots",
        /// Its host has had `scope.max-pages-per-host` pages.
        HostBudget = "host-budget",
        /// Every link to it says `nofollow`, or its pages do, and that is obeyed.
        NoFollow = "nofollow",
        /// The spider's own step refused the request ([`Refusal`](crate::Refusal)).
        Refused = "refused",
        /// Its host was blocked by whoever runs the crawl (`crawl control STORE block`).
        Blocked = "blocked",
        /// Its registered domain has had `scope.max-pages-per-domain` pages.
        DomainBudget = "domain-budget",
        /// Its prefix has had `scope.max-urls-per-prefix` URLs.
        PrefixBudget = "prefix-budget",
        /// A path that goes in circles: `traps.max-segment-repeats`.
        TrapRepeats = "trap-repeats",
        /// A path that has grown too long: `traps.max-path-segments` and `max-path-bytes`.
        TrapLongPath = "trap-long-path",
        /// One more page of an endless calendar: `traps.max-calendar-pages`.
        TrapCalendar = "trap-calendar",
        /// One more session id for the same page: `traps.max-session-values`.
        TrapSessions = "trap-sessions",
        /// One more mixture of the same facets: `traps.max-facet-mixes`.
        TrapFacets = "trap-facets",
        /// One more host of a domain: `scope.max-hosts-per-domain`.
        TrapHosts = "trap-hosts",
        /// Linked only from pages that are copies of others: `traps.max-duplicates`.
        TrapDuplicates = "trap-duplicates",
        /// Linked only from pages whose text is nearly that of others: `traps.near-duplicates`.
        TrapNearDuplicates = "trap-near-duplicates",
    }
}

impl FilterReason {
    /// Whether it speaks of a site that makes up URLs, so that the report names the host.
    #[must_use]
    pub fn is_trap(self) -> bool {
        match self {
            Self::PrefixBudget
            | Self::TrapRepeats
            | Self::TrapLongPath
            | Self::TrapCalendar
            | Self::TrapSessions
            | Self::TrapFacets
            | Self::TrapHosts
            | Self::TrapDuplicates
            | Self::TrapNearDuplicates => true,
            Self::OffDomain
            | Self::Excluded
            | Self::NotIncluded
            | Self::TooDeep
            | Self::Extension
            | Self::Robots
            | Self::HostBudget
            | Self::NoFollow
            | Self::Refused
            | Self::Blocked
            | Self::DomainBudget => false,
        }
    }
}

/// What the frontier says of a link before anything is sent to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Look {
    /// Already queued, open or settled, durably: the link may be dropped.
    Known,
    /// New and within limits.
    Admit,
    /// Beyond a limit; to be recorded with this reason.
    Filter(FilterReason),
}

/// The read-only window into the frontier through which links are judged where they are found.
///
/// It learns a URL only after the batch that holds it is durable: a link dropped as known
/// because of a page that is not settled yet would be lost with that page.
pub trait View: Send + Sync {
    /// Fingerprint of a plain GET of the canonical URL with this text.
    fn fingerprint(&self, url: &str) -> Fingerprint;

    /// Fingerprint of any request: method and body count too, so a POST is not the GET of its
    /// URL.
    fn fingerprint_of(&self, request: &Request) -> Fingerprint;

    /// A second fingerprint, if one is needed to tell URLs apart whose first is the same: those of
    /// one page, say, that nobody knows yet.
    fn second(&self, _url: &CanonicalUrl) -> Option<Fingerprint> {
        None
    }

    /// Which of these are admitted or have ended, whatever may be said of a link to them now: all
    /// others are to be [`look`](Self::look)ed at. Asked for a page's links together, it costs less.
    fn known(&self, prints: &[Fingerprint]) -> Vec<bool> {
        vec![false; prints.len()]
    }

    /// What tells how long a link that was found [`known`](Self::known) may be dropped unasked: as
    /// long as this number stays the same. It is to be read before they are asked for, and changes
    /// when such a URL may be wanted again: one that waited at a host that was blocked, say.
    /// `None`: each is to be asked for, every time. Default: `None`.
    fn era(&self) -> Option<u64> {
        None
    }

    /// Judges a URL found at link distance `depth`.
    fn look(&self, print: Fingerprint, url: &CanonicalUrl, depth: u32) -> Look;

    /// Judges the URL of a sitemap that a robots.txt, or such a sitemap, named: what selects
    /// pages (`scope.include`, `scope.skip-extensions`) does not hold for it.
    fn look_sitemap(&self, print: Fingerprint, url: &CanonicalUrl, depth: u32) -> Look {
        self.look(print, url, depth)
    }

    /// Judges a URL to which a link leads that is not to be followed: known, or filtered, as
    /// [`FilterReason::NoFollow`] if for no other reason.
    fn look_nofollow(&self, print: Fingerprint, url: &CanonicalUrl, depth: u32) -> Look {
        match self.look(print, url, depth) {
            Look::Admit => Look::Filter(FilterReason::NoFollow),
            other => other,
        }
    }

    /// Judges a file that an item asks for: it was asked for by name, so only rules that keep a
    /// URL out whatever it is hold for it.
    fn look_file(&self, print: Fingerprint, url: &CanonicalUrl) -> Look {
        self.look_sitemap(print, url, 0)
    }

    /// Which rule keeps out a file that an item asks for; `None` if none does.
    fn keeps_file_out(&self, _url: &CanonicalUrl) -> Option<FilterReason> {
        None
    }

    /// Judges a URL that the spider's own step refuses: known, or filtered, as
    /// [`FilterReason::Refused`] if for no other reason.
    fn look_refused(&self, print: Fingerprint, url: &CanonicalUrl, depth: u32) -> Look {
        match self.look(print, url, depth) {
            Look::Admit => Look::Filter(FilterReason::Refused),
            other => other,
        }
    }
}
