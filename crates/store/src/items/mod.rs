//! What is kept of items: the items themselves with their page, beside each of what kind it is and
//! what became of it from visit to visit, and an index of those that have a key.
//!
//! A crawl that visits each page once writes next to nothing for it: some bytes before a page's
//! items ([`head`]), for kinds are numbered and an item that was seen once was first seen, and last
//! seen, when its page was. Only keys cost a value each.

mod gone;
mod head;
mod index;
mod kinds;
mod provenance;
mod shelf;

pub(crate) use gone::{Gone, Lost};
pub(crate) use head::{Head, Life};
pub(crate) use index::{Entered, Index, places_of};
pub(crate) use kinds::{KindTable, Numbers};
pub use provenance::Provenance;
pub use shelf::{Items, StoredItem, StoredItems};
pub(crate) use shelf::{Shelf, provenance};
