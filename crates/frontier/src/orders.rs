//! What a running crawl can be told, and what it says to that.
//!
//! Types only: what they do to the task is in `run`, what they do to hosts and URLs in the
//! scheduler. Every order is answered when it has taken effect. An answer that never comes, its
//! sender dropped, means that the crawl was closing or has ended.

use std::collections::BTreeMap;
use std::fmt;
use std::num::NonZeroU32;
use std::time::Duration;

use crawl_model::{Fingerprint, Host, Request};
use humantime_serde::re::humantime;
use serde::{Deserialize, Serialize};
use tokio::sync::oneshot;

use crate::config::{FrontierError, PolitenessConfig, ScopeConfig};
use crate::domain::Domain;
use crate::scheduler::Seeded;

/// What a running crawl can be told.
#[derive(Debug)]
pub enum Control {
    /// Adds URLs at depth 0. They are judged like any other.
    AddSeeds {
        /// The URLs.
        requests: Vec<Request>,
        /// Answered when the new ones are durable; dropped if the crawl ends before.
        done: Option<oneshot::Sender<Seeded>>,
    },
    /// Cuts no more tickets until [`Resume`](Self::Resume); what is in flight settles. A paused
    /// crawl does not end by itself.
    Pause {
        /// Told whether it was paused before.
        done: oneshot::Sender<bool>,
    },
    /// Ends a pause.
    Resume {
        /// Told whether it was paused before.
        done: oneshot::Sender<bool>,
    },
    /// Changes a setting for the rest of this run.
    Set {
        /// What it is to be.
        setting: Setting,
        /// For this host only; of the keys in [`Setting::PER_HOST`].
        host: Option<Host>,
        /// Told what it was.
        done: oneshot::Sender<Setting>,
    },
    /// Fetches nothing more from a domain: what is queued there ends as `blocked`, and so does what
    /// is found later. To make it last is up to who sends this.
    Block {
        /// Which.
        domain: Domain,
        /// Told what that came to, when the last queued URL has ended.
        done: oneshot::Sender<Blocked>,
    },
    /// Takes back a [`Block`](Self::Block). What it ended is admitted when it is found again, and
    /// by the next run.
    Unblock {
        /// Which.
        domain: Domain,
        /// Told whether it was blocked.
        done: oneshot::Sender<bool>,
    },
    /// Asks what is in force.
    Status {
        /// Told it.
        done: oneshot::Sender<Status>,
    },
    /// Asks again for URLs that have ended, if they are within the limits.
    Renew {
        /// The URLs, each with the fingerprint under which it ended: a request of another one is
        /// passed over.
        requests: Vec<(Fingerprint, Request)>,
        /// Answered when they are durable; dropped if the crawl ends before. Passed over as known:
        /// what waits anyway; as filtered: what the limits now in force would refuse.
        done: Option<oneshot::Sender<Seeded>>,
    },
    /// No [`Renew`](Self::Renew) comes after this: see
    /// [`Frontier::await_renewals`](crate::Frontier::await_renewals).
    AllRenewed,
    /// Cuts no more tickets and ends when none is open. What waits stays queued.
    Close,
}

/// A setting that may be changed while the crawl runs, as the config has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[non_exhaustive]
pub enum Setting {
    /// `politeness.delay`.
    Delay(#[serde(with = "humantime_serde")] Duration),
    /// `politeness.per-host`.
    PerHost(NonZeroU32),
    /// `politeness.max-rate`; 0: no limit.
    MaxRate(u32),
    /// `scope.max-pages`; 0: no limit.
    MaxPages(u64),
    /// `scope.max-pages-per-host`; 0: no limit.
    MaxPagesPerHost(u64),
}

impl Setting {
    /// The keys, as the config has them.
    pub const KEYS: &[&str] = &[
        "politeness.delay",
        "politeness.per-host",
        "politeness.max-rate",
        "scope.max-pages",
        "scope.max-pages-per-host",
    ];

    /// Those of them that can be set for one host.
    pub const PER_HOST: &[&str] = &["politeness.delay", "politeness.per-host"];

    /// Reads a key, with or without its table, and a value, without quotation marks.
    ///
    /// # Errors
    /// [`FrontierError::Setting`], which says what can be written.
    pub fn parse(key: &str, value: &str) -> Result<Self, FrontierError> {
        let refused =
            |why: &str| FrontierError::Setting { key: key.to_owned(), why: why.to_owned() };
        let is_key = |full: &&&str| **full == key || full.split('.').nth(1) == Some(key);
        let Some(full) = Self::KEYS.iter().find(is_key) else {
            let names = Self::KEYS.join(", ");
            return Err(refused(&format!(
                "cannot be set while the crawl runs; these can: {names}"
            )));
        };
        let value = value.trim().trim_matches(['"', '\'']);
        let count = || value.parse::<u64>().map_err(|_| refused("is a whole number; 0: no limit"));
        let setting = match *full {
            "politeness.delay" => Self::Delay(
                humantime::parse_duration(value)
                    .map_err(|_| refused("is a time with its unit, such as 500ms or 2s"))?,
            ),
            "politeness.per-host" => Self::PerHost(
                value.parse().map_err(|_| refused("is a whole number greater than zero"))?,
            ),
            "politeness.max-rate" => {
                Self::MaxRate(u32::try_from(count()?).map_err(|_| refused("is too large"))?)
            }
            "scope.max-pages" => Self::MaxPages(count()?),
            _ => Self::MaxPagesPerHost(count()?),
        };
        setting.check(None).map(|()| setting)
    }

    /// Its key.
    #[must_use]
    pub fn key(&self) -> &'static str {
        match self {
            Self::Delay(_) => "politeness.delay",
            Self::PerHost(_) => "politeness.per-host",
            Self::MaxRate(_) => "politeness.max-rate",
            Self::MaxPages(_) => "scope.max-pages",
            Self::MaxPagesPerHost(_) => "scope.max-pages-per-host",
        }
    }

    /// Checks what the types cannot.
    ///
    /// # Errors
    /// [`FrontierError`], which names the key.
    pub fn check(&self, host: Option<&Host>) -> Result<(), FrontierError> {
        if host.is_some() && !Self::PER_HOST.contains(&self.key()) {
            let why = "is for the whole crawl; leave the host away".to_owned();
            return Err(FrontierError::Setting { key: self.key().to_owned(), why });
        }
        match self {
            Self::Delay(delay) => {
                PolitenessConfig { delay: *delay, ..PolitenessConfig::default() }.check()
            }
            _ => Ok(()),
        }
    }
}

impl fmt::Display for Setting {
    /// The value, as one writes it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Delay(delay) => humantime::format_duration(*delay).fmt(f),
            Self::PerHost(n) => n.fmt(f),
            Self::MaxRate(n) => n.fmt(f),
            Self::MaxPages(n) | Self::MaxPagesPerHost(n) => n.fmt(f),
        }
    }
}

/// What a block came to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Blocked {
    /// Whether it was blocked before.
    pub was_blocked: bool,
    /// Hosts of it that were known.
    pub hosts: u64,
    /// URLs that were queued and have ended.
    pub urls: u64,
}

/// How fast hosts are asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Pace {
    /// `politeness.delay`.
    #[serde(with = "humantime_serde")]
    pub delay: Duration,
    /// `politeness.per-host`.
    pub per_host: NonZeroU32,
}

impl From<&PolitenessConfig> for Pace {
    fn from(config: &PolitenessConfig) -> Self {
        Self { delay: config.delay, per_host: config.per_host }
    }
}

/// What is in force in a running crawl.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Status {
    /// Whether it is paused.
    pub paused: bool,
    /// Whether seeds are still read from a file.
    pub reading_seeds: bool,
    /// How fast hosts are asked that have no setting of their own.
    #[serde(flatten)]
    pub pace: Pace,
    /// `politeness.max-rate`.
    pub max_rate: u32,
    /// `scope.max-pages`.
    pub max_pages: u64,
    /// `scope.max-pages-per-host`.
    pub max_pages_per_host: u64,
    /// Hosts that were given a pace of their own in this run.
    pub hosts: BTreeMap<String, Pace>,
}

impl Status {
    pub(crate) fn new(pace: Pace, scope: &ScopeConfig, max_rate: u32) -> Self {
        Self {
            paused: false,
            reading_seeds: false,
            pace,
            max_rate,
            max_pages: scope.max_pages,
            max_pages_per_host: scope.max_pages_per_host,
            hosts: BTreeMap::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_setting_is_read_as_the_config_has_it() {
        let two = Setting::Delay(Duration::from_secs(2));
        for text in ["2s", "\"2s\"", "2000ms"] {
            assert_eq!(Setting::parse("politeness.delay", text).unwrap(), two);
        }
        assert_eq!(Setting::parse("delay", "2s").unwrap().to_string(), "2s");
        assert_eq!(Setting::parse("max-pages", "0").unwrap(), Setting::MaxPages(0));
        for key in Setting::KEYS {
            let value = if key.ends_with("delay") { "1s" } else { "1" };
            assert_eq!(Setting::parse(key, value).unwrap().key(), *key);
        }
    }

    #[test]
    fn what_cannot_be_is_named() {
        for (key, value, part) in [
            ("politeness.robots", "false", "these can: politeness.delay, "),
            ("delay", "2", "time with its unit"),
            ("delay", "1000years", "longer than a year"),
            ("per-host", "0", "greater than zero"),
            ("max-rate", "5000000000", "too large"),
            ("max-pages", "-1", "whole number"),
        ] {
            let refused = Setting::parse(key, value).unwrap_err().to_string();
            assert!(refused.contains(part), "{refused}");
        }
        let host = Host::new("h");
        assert!(Setting::MaxPages(1).check(Some(&host)).is_err());
        assert!(Setting::PerHost(NonZeroU32::MIN).check(Some(&host)).is_ok());
    }

    #[test]
    fn a_setting_in_json_has_its_key() {
        let json = serde_json::json!({ "delay": "2s" });
        let setting: Setting = serde_json::from_value(json.clone()).unwrap();
        assert_eq!(setting, Setting::Delay(Duration::from_secs(2)));
        assert_eq!(serde_json::to_value(setting).unwrap(), json);
    }
}
