//! Matches the fields of items while a document streams by, without a tree.
//!
//! A [`Table`] holds what a spider wants of its pages ([`ItemQuery`]s of the SDK), compiled: all
//! selectors together are one program over bits, of which every open element has a few words that
//! say which beginnings of selectors have matched so far. That decides a selector as long as it
//! asks for nothing but an element's own name and attributes, its ancestors and the siblings
//! before it. A query with a selector that asks for more is [`NotStreamable`], and its rows are
//! selected in the tree.
//!
//! One [`Matcher`] serves two sources of events, the streaming pass and the walk over a tree
//! (`tree.rs`), so that both answer alike by construction. What is taken of the elements is kept
//! once, however many items share it: texts as ranges of one text, matches as ranges of one list
//! per field (`store.rs`), so that the cost stays linear when items nest.
//!
//! Not here: what becomes of a value (numbers, links, defaults), which is the spider's.

mod table;

mod matcher;
mod run;
mod scoped;
mod store;

mod compound;
mod program;
mod selector;
mod sieve;

mod element;
mod names;
mod pass;
mod places;
mod tree;

pub(crate) use matcher::Matcher;
pub(crate) use store::Matches;
pub(crate) use table::Table;
