//! Fields whose selectors begin with `:scope`, which means another element in each item.
//!
//! So each open item that has such fields runs a small program of its own. Items that nest deep
//! would make every element pay for all of them; beyond a number the query is given up, and its
//! rows are selected in the tree.

use super::run::Run;
use super::store::ValueId;

/// Open items with such fields, over all queries.
pub(super) const MAX_OPEN: usize = 32;

/// One open item.
#[derive(Debug)]
pub(super) struct Scoped {
    pub(super) plan: usize,
    pub(super) row: usize,
    pub(super) run: Run,
    /// Matches so far: field and value, in document order.
    pub(super) found: Vec<(usize, ValueId)>,
}
