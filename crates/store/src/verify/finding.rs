//! What is wrong with a store, said so that a program and a person know it.

use std::fmt;

use serde::Serialize;

/// How much a finding matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Level {
    /// Something that was promised is not there, or not what was written.
    Damage,
    /// Nothing is wrong: what a kill left and the next run clears away, or could not be looked at.
    Note,
}

/// Declares the kinds of findings: a stable name, how much it matters, and what to do.
macro_rules! kinds {
    ($($(#[$meta:meta])* $variant:ident = $name:literal, $level:ident, $next:expr;)*) => {
        /// What can be found. The names are stable.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum Kind { $($(#[$meta])* $variant,)* }

        impl Kind {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// Its stable name.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// How much it matters.
            #[must_use]
            pub fn level(self) -> Level {
                match self { $(Self::$variant => Level::$level,)* }
            }

            /// What to do about it.
            #[must_use]
            pub fn next(self) -> &'static str {
                match self { $(Self::$variant => $next,)* }
            }
        }
    };
}

const RESTORE: &str = "restore the folder from a copy, or start over with `--fresh`";
const REPAIR: &str = "`crawl verify --repair` mends it";
const RECOVERY: &str = "nothing: the next run clears it away";
const LOST: &str = "restore the file from a copy; `crawl verify --repair` mends it by taking the \
                    pointers of lost bodies out of their pages, which say so then (`body_lost`)";
const MEDIA: &str = "restore the file from a copy: its name is its SHA-256, so any copy will do; or \
                     `crawl verify --repair` mends it: the items say that it is lost, and the next \
                     run fetches it again";
const DAMAGED: &str = "restore the file from a copy; `crawl verify --repair` mends it by writing the \
                       file anew without what is damaged: all good records stay, and pages whose \
                       bodies are lost say so (`body_lost`)";
const TABLES: &str = "nothing is lost: `crawl verify --repair` mends it by removing the frontier's \
                      tables, which the next run makes anew from the settle log";

kinds! {
    /// sled cannot read its own files.
    DatabaseUnreadable = "database-unreadable", Damage, RESTORE;
    /// A value that does not decode.
    UnreadableValue = "unreadable-value", Damage, RESTORE;
    /// A key that no version of the store writes.
    UnknownKey = "unknown-key", Damage, "look who else writes into the folder";
    /// A value that every crawl has is not there.
    MissingValue = "missing-value", Damage, RESTORE;
    /// Values that nothing else speaks of are not those that were written: see `store::seal`.
    SealDiffers = "seal-differs", Damage,
        "cookies, robots.txt, blocks, feeds' cursors, death counts, kinds of items or items that are \
         gone were lost or changed: restore \
         the folder from a copy, or `crawl verify --repair` mends it by taking what is there for good";
    /// The file by which a crawl's folder is told is gone or another.
    LockDamaged = "lock-damaged", Damage, REPAIR;
    /// The manifest says that more has settled than the database knows of.
    LostSettles = "lost-settles", Damage, RESTORE;
    /// The manifest is gone, damaged, or behind after a clean stop.
    ManifestDamaged = "manifest-damaged", Damage, REPAIR;
    /// The slot journal is gone or damaged.
    JournalDamaged = "journal-damaged", Damage, REPAIR;
    /// The file `runs` is not what the database says.
    RunsDiffer = "runs-differ", Damage, REPAIR;
    /// The file `seed-hosts` is cut in the middle of a number.
    SeedHostsDamaged = "seed-hosts-damaged", Damage, REPAIR;

    /// A file of the settle log is not there.
    MissingLogFile = "missing-log-file", Damage, RESTORE;
    /// A file of the settle log ends before the committed place.
    LogShort = "log-short", Damage, RESTORE;
    /// A frame of the settle log is not what was written.
    LogDamaged = "log-damaged", Damage, RESTORE;
    /// The settle numbers are not 1, 2, 3 and so on, or not as many as committed.
    LogNumbers = "log-numbers", Damage, RESTORE;
    /// The sums of a commit are not those of what is there.
    TotalsDiffer = "totals-differ", Damage, REPAIR;

    /// The log says that a URL settled, and there is no record of it.
    MissingPage = "missing-page", Damage, RESTORE;
    /// A record of a URL that the log does not say has settled.
    OrphanPage = "orphan-page", Damage, REPAIR;
    /// A record with another settle number or verdict than the log's.
    PageDiffers = "page-differs", Damage, RESTORE;
    /// Not as many items as the record says, cut ones, or others than were written.
    ItemsDiffer = "items-differ", Damage, RESTORE;
    /// An item of a kind that is not there.
    ItemKindMissing = "item-kind-missing", Damage, RESTORE;
    /// An item that is no JSON.
    UnreadableItem = "unreadable-item", Damage, RESTORE;
    /// Items, dropped items or keys of a page that is not there.
    OrphanParts = "orphan-parts", Damage, REPAIR;
    /// A page's list of dropped items does not decode, or not as many as its head says.
    DroppedDamaged = "dropped-damaged", Damage, REPAIR;
    /// The index of item keys and the pages' keys disagree.
    ItemKeyDiffers = "item-key-differs", Damage, REPAIR;
    /// A page's list of keys is cut, or not that of its items.
    PageKeysDamaged = "page-keys-damaged", Damage, RESTORE;
    /// The sums of the run's fields are not those of its items.
    FieldCountsDiffer = "field-counts-differ", Damage, REPAIR;
    /// The sums of dropped items are not those of the pages' lists.
    DropCountsDiffer = "drop-counts-differ", Damage, REPAIR;

    /// A body file is not there.
    MissingBodySegment = "missing-body-segment", Damage, LOST;
    /// A body file ends before its committed length.
    BodySegmentShort = "body-segment-short", Damage, LOST;
    /// A member of a body file does not unpack, or is no WARC record.
    BodySegmentDamaged = "body-segment-damaged", Damage, DAMAGED;
    /// Pages point into a file of which the database has no length.
    BodySegmentUnknown = "body-segment-unknown", Damage,
        "`crawl verify --repair` mends it by noting its length; else the next run removes the file";
    /// A page points to a place where no record begins.
    MissingBody = "missing-body", Damage, LOST;
    /// The record that a page points to is another page's, or another fetch's.
    BodyDiffers = "body-differs", Damage, LOST;
    /// A digest is not that of the bytes.
    DigestMismatch = "digest-mismatch", Damage, DAMAGED;
    /// A revisit record refers to a record that is not there.
    RevisitUnresolved = "revisit-unresolved", Damage, DAMAGED;

    /// A file that an item asked for is not there, or not known.
    MissingMedia = "missing-media", Damage, MEDIA;
    /// A file that an item asked for is not what was written.
    MediaDiffers = "media-differs", Damage, MEDIA;
    /// A file under `media` that no page has.
    UnknownMedia = "unknown-media", Note, "`crawl gc` says which files are no page's; this one is not \
        among those that it knows, so remove it if you like";

    /// The parts of a robots.txt do not make one.
    RobotsDamaged = "robots-damaged", Damage, REPAIR;
    /// A feed's file is not there.
    MissingFeed = "missing-feed", Damage,
        "put it back; or `crawl verify --repair` mends it: the next run writes it anew";
    /// A feed's file ends before what the store vouches for.
    FeedShort = "feed-short", Damage, "`crawl verify --repair` mends it: the next run writes it anew";
    /// A feed's file does not hold the items in the store.
    FeedDiffers = "feed-differs", Damage, "`crawl verify --repair` mends it: the next run writes it anew";

    /// The frontier's checkpoint does not decode.
    CheckpointDamaged = "checkpoint-damaged", Damage, TABLES;
    /// The frontier's checkpoint says something else than the log up to its place.
    CheckpointDiffers = "checkpoint-differs", Damage, TABLES;
    /// A run of known fingerprints is not there.
    MissingRun = "missing-run", Damage, TABLES;
    /// A run of known fingerprints is not what was written.
    RunDamaged = "run-damaged", Damage, TABLES;
    /// A fingerprint stands otherwise in the runs than by the log, or is not there.
    SeenDiffers = "seen-differs", Damage, TABLES;
    /// A queue segment is not there.
    MissingQueueSegment = "missing-queue-segment", Damage, TABLES;
    /// A queue segment is not what was written.
    QueueDamaged = "queue-damaged", Damage, TABLES;
    /// A URL that waits by the log is in no queue.
    QueueDiffers = "queue-differs", Damage, TABLES;

    /// The last run did not end by itself.
    UncleanStop = "unclean-stop", Note, "nothing: the next run goes on";
    /// The settle log is longer than committed: a commit did not end.
    UncommittedLog = "uncommitted-log", Note, RECOVERY;
    /// A body file is longer than committed.
    UncommittedBodies = "uncommitted-bodies", Note, RECOVERY;
    /// A feed's file is longer than what the store vouches for.
    FeedAhead = "feed-ahead", Note, "nothing: the next run cuts it back";
    /// Files of a table that no checkpoint names, or of a body file that no page points into.
    Leftover = "leftover", Note, RECOVERY;
    /// Records that no page points to any more.
    DeadRecords = "dead-records", Note, "nothing: they are older copies of their pages";
    /// What could not be looked at, and why.
    NotChecked = "not-checked", Note, "look at it yourself";
}

/// One finding. As JSON it is a line of `crawl verify --json`; the field names are stable.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// Which.
    #[serde(serialize_with = "as_name")]
    pub finding: Kind,
    /// How much it matters.
    pub level: Level,
    /// In which file, from the crawl's folder on; absent if it is a value in the database.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// At which byte of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub offset: Option<u64>,
    /// Under which key of the database; bytes that are no text are escaped.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// Of which URL.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// What it is, for people.
    pub what: String,
    /// What to do about it.
    pub next: &'static str,
}

fn as_name<S: serde::Serializer>(kind: &Kind, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(kind.name())
}

impl Finding {
    pub(super) fn new(finding: Kind, what: impl Into<String>) -> Self {
        let (level, next) = (finding.level(), finding.next());
        let (file, offset, key, url) = (None, None, None, None);
        Self { finding, level, file, offset, key, url, what: what.into(), next }
    }

    pub(super) fn in_file(self, file: impl Into<String>) -> Self {
        Self { file: Some(file.into()), ..self }
    }

    pub(super) fn at(self, offset: u64) -> Self {
        Self { offset: Some(offset), ..self }
    }

    pub(super) fn under(self, key: &[u8]) -> Self {
        Self { key: Some(key.escape_ascii().to_string()), ..self }
    }

    pub(super) fn of(self, url: impl fmt::Display) -> Self {
        Self { url: Some(url.to_string()), ..self }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.finding.name())?;
        if let Some(file) = &self.file {
            write!(f, "{file}")?;
            self.offset.map_or(Ok(()), |at| write!(f, " at byte {at}"))?;
            f.write_str(": ")?;
        }
        if let Some(key) = &self.key {
            write!(f, "key `{key}`: ")?;
        }
        if let Some(url) = &self.url {
            write!(f, "{url}: ")?;
        }
        f.write_str(&self.what)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn names_are_told_apart_and_say_what_to_do() {
        let names: BTreeSet<_> = Kind::ALL.iter().map(|kind| kind.name()).collect();
        assert_eq!(names.len(), Kind::ALL.len());
        assert!(Kind::ALL.iter().all(|kind| !kind.next().is_empty()));
    }
}
