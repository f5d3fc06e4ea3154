//! What robots.txt files said, kept so that a resumed crawl need not ask again.

use std::iter::Peekable;
use std::time::Duration;

use bytes::Bytes;
use crawl_model::{CanonicalUrl, Origin, RobotsReply};
use serde::{Deserialize, Serialize};

use crate::database::{Database, PART_BYTES, Scan};
use crate::seal::Batch;
use crate::{StoreError, keys};

/// How long a robots.txt may be used without asking again (RFC 9309, section 2.4).
pub const ROBOTS_LIFETIME: Duration = Duration::from_secs(24 * 60 * 60);

/// Most of a robots.txt that is kept, in bytes: what is parsed of it (RFC 9309, section 2.5).
const MOST_BYTES: usize = 512 * 1024;

/// The first part of a stored reply; the body follows in parts of its own.
#[derive(Serialize, Deserialize)]
struct Head {
    fetched_ms: u64,
    kind: Kind,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    cause: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    rest_ms: Option<u64>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Kind {
    Rules,
    AllowAll,
    Unreachable,
}

/// Adds a reply to a commit; a redirect is no answer and is not kept.
pub(crate) fn put(
    db: &Database,
    batch: &mut Batch,
    origin: &Origin,
    reply: &RobotsReply,
    fetched_ms: u64,
) -> Result<(), StoreError> {
    let (kind, body, cause, rest) = match reply {
        RobotsReply::Rules(body) => (Kind::Rules, body.as_ref(), "", None),
        RobotsReply::AllowAll => (Kind::AllowAll, &[][..], "", None),
        RobotsReply::Unreachable { cause, rest } => {
            (Kind::Unreachable, &[][..], cause.as_str(), *rest)
        }
        RobotsReply::Redirect(_) => return Ok(()),
    };
    let name = origin.to_string();
    let rest_ms = rest.map(|rest| u64::try_from(rest.as_millis()).unwrap_or(u64::MAX));
    let head = Head { fetched_ms, kind, cause: cause.to_owned(), rest_ms };
    let head = serde_json::to_vec(&head).expect("strings and numbers serialise");
    batch.insert(keys::robots_part(&name, 0), head);
    let mut parts = 1;
    for part in body[..body.len().min(MOST_BYTES)].chunks(PART_BYTES) {
        batch.insert(keys::robots_part(&name, parts), part);
        parts += 1;
    }
    for entry in db.prefix(&keys::robots(&name)) {
        let (key, _) = entry?;
        if keys::part_of(&key).is_some_and(|part| part >= parts) {
            batch.remove(key);
        }
    }
    Ok(())
}

/// Stored replies that may still be used: see [`Store::robots`](crate::Store::robots).
#[derive(Debug)]
pub struct StoredRobots {
    parts: Peekable<Scan>,
    /// Replies fetched before are too old.
    oldest_ms: u64,
}

impl StoredRobots {
    pub(crate) fn new(db: &Database, now_ms: u64) -> Self {
        let lifetime = ROBOTS_LIFETIME.as_millis() as u64;
        let parts = db.prefix(&[keys::ROBOTS]).peekable();
        Self { parts, oldest_ms: now_ms.saturating_sub(lifetime) }
    }

    /// Those of all origins, of any age.
    pub(crate) fn all(db: &Database) -> Self {
        Self { parts: db.prefix(&[keys::ROBOTS]).peekable(), oldest_ms: 0 }
    }

    /// Those of one origin, of any age.
    pub(crate) fn of(db: &Database, origin: &Origin) -> Self {
        let parts = db.prefix(&keys::robots(&origin.to_string())).peekable();
        Self { parts, oldest_ms: 0 }
    }

    fn read(&mut self, key: &[u8], head: &[u8]) -> Result<(Origin, RobotsReply, u64), StoreError> {
        let corrupt = || StoreError::corrupt("robots reply");
        let prefix = &key[..key.len() - 4];
        let name = prefix.get(1..prefix.len() - 1).ok_or_else(corrupt)?;
        let name = std::str::from_utf8(name).map_err(|_| corrupt())?;
        let origin = CanonicalUrl::parse(name).map_err(|_| corrupt())?.origin();
        let head: Head = serde_json::from_slice(head).map_err(|_| corrupt())?;
        let mut body = Vec::new();
        let is_ours = |entry: &Result<(sled::IVec, sled::IVec), StoreError>| match entry {
            Ok((key, _)) => key.starts_with(prefix),
            Err(_) => true,
        };
        while let Some(entry) = self.parts.next_if(is_ours) {
            body.extend_from_slice(&entry?.1);
        }
        let reply = match head.kind {
            Kind::Rules => RobotsReply::Rules(Bytes::from(body)),
            Kind::AllowAll => RobotsReply::AllowAll,
            Kind::Unreachable => RobotsReply::Unreachable {
                cause: head.cause,
                rest: head.rest_ms.map(Duration::from_millis),
            },
        };
        Ok((origin, reply, head.fetched_ms))
    }
}

impl Iterator for StoredRobots {
    /// Whose, what, and when it was fetched: milliseconds since the Unix epoch.
    type Item = Result<(Origin, RobotsReply, u64), StoreError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let (key, head) = match self.parts.next()? {
                Ok(entry) => entry,
                Err(e) => return Some(Err(e)),
            };
            match self.read(&key, &head) {
                Ok((_, _, fetched_ms)) if fetched_ms < self.oldest_ms => {}
                read => return Some(read),
            }
        }
    }
}
