//! The nouns that travel through the crawler, and the rules every stage must agree on.
//!
//! A stage never imports another stage, so what one hands to the next lives here: a
//! [`Request`] becomes a [`Ticket`], a ticket's answer is [`Fetched`], what was read from it
//! is [`Parsed`], what was written of it is an [`Outcome`], and what the user sees is a
//! [`Page`]. Rules that two stages need alike (what is one URL, when is an answer worth a
//! retry) are pure functions here.
//!
//! Not here: I/O, async, clocks, configuration (but for what counts as one URL, which stages and
//! folder must agree on).

pub mod url;

mod fingerprint;
mod host;
mod host_table;
mod options;
mod request;

mod cache;
mod cookie;
mod response;
mod ticket;
mod timing;
mod verdict;

mod departure;
mod dropped;
mod edge;
mod ending;
mod file;
mod items;
mod redirect;

mod archive;
mod counts;
mod event;
mod page;

pub use archive::{Archived, Archivist, Exchange, Sent, TextForms, Texts};
pub use cache::{Cache, Cached, Copies, Validators};
pub use cookie::CookieChange;
pub use counts::Counts;
pub use departure::{Departing, Departure};
pub use dropped::{Dropped, DroppedItem, Refusal};
pub use edge::{EndedBy, Entry, Fetched, HostFree, Outcome, Parsed, Source};
pub use ending::{Ending, RobotsReply, robots_reply, settle, verdict_of};
pub use event::{Event, Found, LogPosition};
pub use file::{
    Arrived, AskedFile, Depot, Draft, FileAsk, FileFacts, FileFormat, FileKind, FileTold, Files,
    ImageSize, MediaConfig, image_size,
};
pub use fingerprint::{Fingerprint, Fingerprinter, digest};
pub use host::{Host, Origin};
pub use host_table::{HostPattern, HostTable, NoHostPattern};
pub use items::{
    FieldCounts, Item, ItemKey, ItemKeys, ItemKind, Keys, KindCounts, Kinds, OwnKey, PageItems,
    Taken, key_text,
};
pub use options::FetchOptions;
pub use page::{BodyPointer, Page, PageRecord};
pub use redirect::{Hop, Redirect};
pub use request::{Method, Request};
pub use response::{Failure, FailureKind, Health, Response, Truncation};
pub use ticket::{Desk, Errand, OpenJournal, Spent, Ticket, TicketId};
pub use timing::Timing;
pub use url::{
    CanonicalUrl, FingerprintBits, IdentityConfig, KeyRules, NoParameter, UrlError, WebUrl,
};
pub use verdict::{FilterReason, Look, Verdict, View};

/// What a duration looks like in a config, as a pattern of JSON Schema: numbers with their units,
/// `1m 30s`. Beside the nouns, because all stages have durations in their tables.
pub const DURATION: &str = "^(0|( *[0-9]+ *[a-zA-Zµ]+)+ *)$";
