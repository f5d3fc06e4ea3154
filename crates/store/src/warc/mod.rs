//! WARC (ISO 28500:2017): our own writer of version 1.1, and a reader for all that is in use.
//!
//! One compressed member per record: gzip as section A.2 of the standard advises, or zstd frames as
//! the IIPC's proposal has them (without a dictionary). Bodies reach the store with their content
//! codings removed, so that is how they are archived: `Content-Encoding` and `Transfer-Encoding` are
//! taken out of the HTTP head, `Content-Length` is set to the length of what is stored, and the
//! value that went over the wire is kept under `X-Archive-Orig-*`. Each file's `warcinfo` says so.
//!
//! Not here: which file a record goes to, and which bodies are kept (`archive`).

mod date;
mod digest;
mod id;

mod compress;
mod http;
mod record;

mod head;
mod member;
mod raw;

mod cdxj;
mod read;
mod surt;

pub use cdxj::{Indexed, cdxj};
pub use compress::BodyCompression;
pub(crate) use date::{from_date, to_date};
pub(crate) use digest::Digest;
pub use head::Head;
pub use http::{HttpHead, decode_body, truncation_of};
pub(crate) use http::{response_head, truncated_reason};
pub(crate) use id::{Ids, Urn};
pub use read::{BadRecord, Warc};
pub(crate) use record::Record;
