//! Requests, responses and harvests as bytes.
//!
//! Flat and without a schema: both ends are of one state of the SDK, which a plugin's header (or a
//! child's greeting) is checked for first. Lengths and numbers are LEB128, texts are UTF-8.
//! Whatever arrives, reading ends in a value or in a [`WireError`]: lengths are compared with what
//! is there before anything is reserved, and nesting is bounded.
//!
//! A [`Reader`] has one bit of trust. Behind the bit are only shortcuts: the host's own bytes need
//! no second look at their URLs and items, a plugin's do.
//!
//! ```
//! use crawl_spider::abi::wire::{Reader, Wire, frame};
//! use crawl_spider::{CanonicalUrl, Harvest, Harvested, Request};
//!
//! let request = Request::get(CanonicalUrl::parse("http://shop.test/")?);
//! let bytes = frame(&request);
//! assert_eq!(Reader::new(&bytes).whole::<Request>()?, request);
//!
//! let mut out = Harvest::new();
//! out.get("http://shop.test/2")?.label("book");
//! let harvested = Harvested::decode(&out.into_parts().encode())?;
//! assert_eq!(harvested.follows[0].url().as_str(), "http://shop.test/2");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod bytes;
mod json;
mod value;

mod answers;
mod calls;
mod harvest;
mod links;
mod request;
mod response;

#[cfg(test)]
mod tests;

pub use answers::{CsvBatch, frame_found};
pub use bytes::{Reader, Wire, WireError, frame, frame_list};
pub use calls::{ClosedFrame, Description, FailedFrame, ItemFrame};
pub use harvest::{KnownUrl, UrlBook};
pub use links::{LinkBook, LinkEntry, Mark, Resolve};
pub use response::{get_page, get_response, put_page, put_page_head, put_response};

pub(crate) use response::get_page_head;
