//! The limits that decide which URLs are crawled and when, as written in the config file.
//!
//! Four tables: `[scope]` says *what*, `[traps]` what goes on for ever, `[politeness]` *how fast*,
//! `[retry]` *how often*.
//! For counts, `0` means "no limit".

mod traps;

use std::num::NonZeroU32;
use std::time::Duration;

use crawl_model::{DURATION, IdentityConfig, NoParameter};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use traps::TrapsConfig;

/// What belongs to the crawl, as written in the `[scope]` table.
///
/// A URL is tested in this order, and the first rule that refuses it is the recorded reason:
/// domain, blocked, `exclude`, `include`, extension, depth, `[traps]`. After a resume with other
/// limits everything
/// that waits, and everything that was refused, is judged again.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct ScopeConfig {
    /// Domains to stay in; a domain covers its subdomains. Default: none, which means the seeds'
    /// hosts, with and without `www.`, but no other subdomains. Hosts of seeds that come from a
    /// file or are added while the crawl runs are in scope from then on.
    pub allowed_domains: Vec<String>,
    /// Regular expressions, searched in the whole URL; one must match. Default: none, all pass.
    pub include: Vec<String>,
    /// Regular expressions, searched in the whole URL; none may match. Default: none.
    pub exclude: Vec<String>,
    /// Greatest link distance from a seed; seeds have 0. Default: 0, no limit.
    pub max_depth: u32,
    /// Most pages settled, over all runs of the crawl; redirects and failures without a response
    /// do not count, and one that is asked for again gives its place back till it has settled anew.
    /// Default: 0, no limit.
    pub max_pages: u64,
    /// Most pages settled per host, over all runs of the crawl. Default: 0, no limit.
    pub max_pages_per_host: u64,
    /// Most pages settled per registered domain (by the Public Suffix List) with all its hosts, over
    /// all runs of the crawl. Default: 0, no limit.
    pub max_pages_per_domain: u64,
    /// Most hosts per registered domain; URLs on more end as `trap-hosts`. Default: 10,000; 0 is no
    /// limit.
    pub max_hosts_per_domain: u64,
    /// Most URLs admitted per prefix: host, the first two folders of the path, and which parameters
    /// the query has. Default: 10,000,000; 0 is no limit.
    pub max_urls_per_prefix: u64,
    /// File name extensions that are not fetched: lower case, without the dot. They are looked
    /// for in the last segment of the path. Default: archives, images, sound, video, fonts,
    /// office documents, programs, style sheets and scripts.
    pub skip_extensions: Vec<String>,
    /// Whether the sitemaps that a robots.txt names are fetched, and their entries found at link
    /// distance 1 (2 behind a sitemap of sitemaps). `include` and `skip-extensions` do not hold
    /// for the sitemaps themselves, and no callback sees them. Needs `politeness.robots`.
    /// Default: false.
    pub sitemaps: bool,
    /// Which URLs count as one.
    pub identity: IdentityConfig,
}

impl Default for ScopeConfig {
    fn default() -> Self {
        Self {
            allowed_domains: Vec::new(),
            include: Vec::new(),
            exclude: Vec::new(),
            max_depth: 0,
            max_pages: 0,
            max_pages_per_host: 0,
            max_pages_per_domain: 0,
            max_hosts_per_domain: 10_000,
            max_urls_per_prefix: 10_000_000,
            skip_extensions: SKIP_EXTENSIONS.split_whitespace().map(str::to_owned).collect(),
            sitemaps: false,
            identity: IdentityConfig::default(),
        }
    }
}

/// What is no page by its name. Modelled on Scrapy's `IGNORED_EXTENSIONS`; feeds and source
/// texts are left in, for they can be read.
const SKIP_EXTENSIONS: &str = "\
    3g2 3gp 7z 7zip aac ai aif aiff apk appimage asf asx au avi avif bin bmp br bz2 cab cbr cbz \
    cdr class cpl crx css cur dat db deb djvu dll dmg doc docb docm docx dotm dotx drw dxf ear \
    egg eot eps epub exe f4v flac flv gem gif gz gzip heic hqx hta icns ico ics img ipa iso jar \
    jfif jp2 jpe jpeg jpg js jxl kmz lha lz lz4 lzh lzma m3u m3u8 m4a m4v mid midi mjs mkv mng \
    mobi mov mp2 mp3 mp4 mpa mpeg mpg msi msix msp odb odf odg odp ods odt oga ogg ogv opus otf \
    par2 pct pcx pdf pkg png pot potm potx pps ppsm ppsx ppt pptm pptx ps psd psp pst pyc qt ra \
    ram rar rm rmvb rpm rtf sit sitx snap so sqlite svg svgz swf tar tbz tbz2 tgz tif tiff \
    torrent ttf txz vcf vob war wasm wav wbmp webm webmanifest webp whl wma wmv woff woff2 xap \
    xcf xls xlsb xlsm xlsx xltm xltx xpi xz z zip zst zstd";

/// How gently hosts are treated, as written in the `[politeness]` table.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct PolitenessConfig {
    /// Whether robots.txt is asked for and obeyed (RFC 9309). Default: `true`.
    pub robots: bool,
    /// Least time between the starts of two requests to one host. Default: `1s`.
    #[serde(with = "humantime_serde")]
    #[schemars(with = "String", extend("pattern" = DURATION))]
    pub delay: Duration,
    /// Most requests at a time to one host. With more than one the clock counts from the moment
    /// a request is handed out till its real start is known. Default: 1.
    pub per_host: NonZeroU32,
    /// Most requests started per second over all hosts. Default: 0, no limit.
    pub max_rate: u32,
    /// Whether hosts that are served from one address share its clock: one delay between their
    /// starts, `per_host` requests at a time. A host's address is known from its first answer on,
    /// in each run anew; what goes through a proxy shows none. Default: `false`.
    pub per_ip: bool,
    /// Longest `Crawl-delay` of a robots.txt that is obeyed; what is longer is cut to this.
    /// Default: `30s`.
    #[serde(with = "humantime_serde")]
    #[schemars(with = "String", extend("pattern" = DURATION))]
    pub max_crawl_delay: Duration,
    /// Longest `Retry-After` that is obeyed (RFC 9110, section 10.2.3); what is longer is cut to
    /// this. Default: `10m`.
    #[serde(with = "humantime_serde")]
    #[schemars(with = "String", extend("pattern" = DURATION))]
    pub max_retry_after: Duration,
    /// Whether the delay of each host follows how fast it answers (see
    /// `auto-throttle-concurrency`). It is never below `delay`. Default: `false`.
    pub auto_throttle: bool,
    /// Requests under way at a time on a host, on average, that AutoThrottle aims at: the delay
    /// is the time until the response's head over this. Default: 1.0.
    pub auto_throttle_concurrency: f64,
    /// Longest delay that AutoThrottle sets. Default: `1m`.
    #[serde(with = "humantime_serde")]
    #[schemars(with = "String", extend("pattern" = DURATION))]
    pub auto_throttle_max_delay: Duration,
    /// Longest delay to which a host's own is doubled while it refuses for load (429, 503) or is
    /// not there; requests that get no answer double it three times at most. Default: `1m`; `0s`
    /// doubles nothing.
    #[serde(with = "humantime_serde")]
    #[schemars(with = "String", extend("pattern" = DURATION))]
    pub back_off_max_delay: Duration,
    /// Attempts in a row that find nobody before a host is left to rest; a host that never
    /// answered gets three at most. Default: 10; 0: never.
    pub quarantine_after: u32,
    /// The first such rest; each further one is twice as long, up to an hour. Default: `1m`.
    #[serde(with = "humantime_serde")]
    #[schemars(with = "String", extend("pattern" = DURATION))]
    pub quarantine: Duration,
    /// Rests in vain after which a host is dead, so that its URLs end as `host-dead`; a host that
    /// never answered gets one at most. Default: 4.
    pub quarantine_tries: u32,
    /// How often a robots.txt is asked for before its URLs end as `robots-unreachable`; 0 counts
    /// as 1. Default: 3.
    pub robots_attempts: u32,
}

/// Longest time that can be meant; instants have room for many of them.
const LONGEST: Duration = Duration::from_secs(366 * 24 * 60 * 60);

impl PolitenessConfig {
    /// Keys that may differ from host to host. All others are for the whole crawl.
    pub const PER_HOST: &[&str] =
        &["robots", "delay", "per-host", "max-crawl-delay", "max-retry-after", "robots-attempts"];

    /// Checks what the types cannot.
    ///
    /// # Errors
    /// [`FrontierError::Politeness`], which names the key.
    pub fn check(&self) -> Result<(), FrontierError> {
        let concurrency = self.auto_throttle_concurrency;
        if !(concurrency > 0.0 && concurrency.is_finite()) {
            let why = "must be a number greater than zero, such as 1.0";
            return Err(FrontierError::Politeness { key: "auto-throttle-concurrency", why });
        }
        let times = [
            ("delay", self.delay),
            ("max-crawl-delay", self.max_crawl_delay),
            ("max-retry-after", self.max_retry_after),
            ("auto-throttle-max-delay", self.auto_throttle_max_delay),
            ("back-off-max-delay", self.back_off_max_delay),
            ("quarantine", self.quarantine),
        ];
        match times.into_iter().find(|&(_, time)| time > LONGEST) {
            Some((key, _)) => Err(FrontierError::Politeness { key, why: "is longer than a year" }),
            None => Ok(()),
        }
    }
}

impl Default for PolitenessConfig {
    fn default() -> Self {
        Self {
            robots: true,
            delay: Duration::from_secs(1),
            per_host: NonZeroU32::MIN,
            max_rate: 0,
            per_ip: false,
            max_crawl_delay: Duration::from_secs(30),
            max_retry_after: Duration::from_secs(600),
            auto_throttle: false,
            auto_throttle_concurrency: 1.0,
            auto_throttle_max_delay: Duration::from_secs(60),
            back_off_max_delay: Duration::from_secs(60),
            quarantine_after: 10,
            quarantine: Duration::from_secs(60),
            quarantine_tries: 4,
            robots_attempts: 3,
        }
    }
}

/// How often a URL is tried, as written in the `[retry]` table.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct RetryConfig {
    /// Most tries of one URL, the first included; 0 counts as 1. Default: 3.
    pub max_attempts: u32,
    /// Wait before the second try; doubles with each further one, give or take a quarter.
    /// Default: `1s`.
    #[serde(with = "humantime_serde")]
    #[schemars(with = "String", extend("pattern" = DURATION))]
    pub backoff: Duration,
    /// Longest wait between two tries. Default: `1m`.
    #[serde(with = "humantime_serde")]
    #[schemars(with = "String", extend("pattern" = DURATION))]
    pub max_backoff: Duration,
}

impl Default for RetryConfig {
    fn default() -> Self {
        Self {
            max_attempts: 3,
            backoff: Duration::from_secs(1),
            max_backoff: Duration::from_secs(60),
        }
    }
}

/// Which of a host's URLs goes first, after its priority. Hosts take turns whatever the order.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Order {
    /// The least link distance, then who was found first: a site's main pages come early.
    #[default]
    BreadthFirst,
    /// The greatest link distance, then who was found first: few URLs wait at a time.
    DepthFirst,
    /// Priority alone, which the spider sets as its score; then who was found first.
    BestFirst,
}

/// In which order URLs wait, and in how much memory, as written in the `[queue]` table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct QueueConfig {
    /// Which of a host's URLs goes first, after its priority: `breadth-first`, `depth-first` or
    /// `best-first`. Default: `breadth-first`.
    pub order: Order,
    /// Memory for URLs that wait and fingerprints that are new, in MiB; when it is used up, they
    /// go to disk. Twice of it may be used while they do. Default: 32.
    pub memory_mib: NonZeroU32,
    /// URLs found or ended after which they go to disk though there is room, so that the next
    /// start of the crawl reads no more of its log than these. Default: 2000000.
    pub checkpoint_after: NonZeroU32,
}

impl Default for QueueConfig {
    fn default() -> Self {
        let number = |n| NonZeroU32::new(n).expect("it is not zero");
        let (memory_mib, checkpoint_after) = (number(32), number(2_000_000));
        Self { order: Order::default(), memory_mib, checkpoint_after }
    }
}

/// All that the frontier is configured by.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct FrontierConfig {
    /// What belongs to the crawl.
    pub scope: ScopeConfig,
    /// How much of what looks endless is followed.
    pub traps: TrapsConfig,
    /// How gently hosts are treated.
    pub politeness: PolitenessConfig,
    /// How often a URL is tried.
    pub retry: RetryConfig,
    /// In which order URLs wait, and in how much memory.
    pub queue: QueueConfig,
}

/// How gently some hosts are treated, complete.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct HostPoliteness {
    /// In place of [`FrontierConfig::politeness`].
    pub politeness: PolitenessConfig,
    /// Product token by which robots.txt groups are looked up.
    pub agent: String,
}

/// What is wrong with a [`FrontierConfig`].
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FrontierError {
    /// A pattern of `scope.include` or `scope.exclude` is no regular expression.
    #[error("{key}: `{pattern}` is not a regular expression")]
    Pattern {
        /// The key it stands under.
        key: &'static str,
        /// As written.
        pattern: String,
        /// Where and why.
        source: Box<regex::Error>,
    },
    /// An entry of `scope.allowed-domains` is no domain or address.
    #[error("scope.allowed-domains: `{0}` is not a domain; write it without scheme, port and path")]
    Domain(String),
    /// What was to be blocked is no host or domain.
    #[error("`{0}` is not a host or domain; write it without scheme, port and path")]
    NoDomain(String),
    /// A setting cannot be changed like that while the crawl runs.
    #[error("`{key}` {why}")]
    Setting {
        /// The key, as it was given.
        key: String,
        /// Why.
        why: String,
    },
    /// An entry of `scope.identity.ignore-parameters` is no name.
    #[error(transparent)]
    Parameter(NoParameter),
    /// A key of `[politeness]` has a value that cannot be.
    #[error("`politeness.{key}` {why}")]
    Politeness {
        /// The key without its table.
        key: &'static str,
        /// What is wrong, and what would be right.
        why: &'static str,
    },
    /// The frontier's tables cannot be written or read.
    #[error(transparent)]
    Store(#[from] crawl_store::StoreError),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_extensions_are_in_order_lower_case_and_told_once() {
        let list = ScopeConfig::default().skip_extensions;
        assert!(list.windows(2).all(|pair| pair[0] < pair[1]), "{list:?}");
        assert!(
            list.iter().all(|e| e.bytes().all(|b| b.is_ascii_digit() || b.is_ascii_lowercase()))
        );
        assert!(!list.iter().any(|e| ["html", "xml", "json", "txt", "rss"].contains(&e.as_str())));
    }

    #[test]
    fn the_tables_speak_kebab_case_and_refuse_typos() {
        let text = r#"{"delay": "250ms", "per-host": 2, "max-retry-after": "1h"}"#;
        let politeness: PolitenessConfig = serde_json::from_str(text).unwrap();
        assert_eq!(politeness.delay, Duration::from_millis(250));
        assert_eq!(politeness.per_host.get(), 2);
        assert_eq!(politeness.robots_attempts, 3);
        assert!(serde_json::from_str::<ScopeConfig>(r#"{"max-dept": 1}"#).is_err());
        assert!(serde_json::from_str::<PolitenessConfig>(r#"{"per-host": 0}"#).is_err());
    }

    #[test]
    fn values_that_cannot_be_are_refused_by_key() {
        let refused = |text: &str| {
            let config: PolitenessConfig = serde_json::from_str(text).unwrap();
            config.check().unwrap_err().to_string()
        };
        for number in ["0.0", "-1.0"] {
            let text = format!(r#"{{"auto-throttle-concurrency": {number}}}"#);
            assert!(refused(&text).starts_with("`politeness.auto-throttle-concurrency` must"));
        }
        let endless =
            PolitenessConfig { auto_throttle_concurrency: f64::NAN, ..PolitenessConfig::default() };
        assert!(endless.check().is_err());
        let text = r#"{"quarantine": "1000years"}"#;
        assert_eq!(refused(text), "`politeness.quarantine` is longer than a year");
        PolitenessConfig::default().check().unwrap();
    }
}
