//! What a spider mostly asks of its pages, so that the next page is read for that at once.
//!
//! Who only follows links needs less of a page than who looks at them, and reading for less costs half.
//! But a page that was read for less has to be read again if more is asked of it. Which of the two a
//! spider will do shows on the pages before.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// Counts of one spider. What they say decides how a page is read, never what is found on it.
#[derive(Debug, Default)]
pub(crate) struct Habit {
    /// Pages that were read.
    pages: AtomicU64,
    /// Those of which more was asked than where links lead.
    wholes: AtomicU64,
}

impl Habit {
    /// Begins a page: whether it is to be read whole at once.
    pub(crate) fn begin(&self) -> bool {
        let pages = self.pages.fetch_add(1, Relaxed);
        self.wholes.load(Relaxed).saturating_mul(2) > pages
    }

    /// Notes that more was asked of a page than where its links lead. Once for each page.
    pub(crate) fn note_whole(&self) {
        self.wholes.fetch_add(1, Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_page_is_read_as_most_before_it() {
        let habit = Habit::default();
        assert!(!habit.begin());
        habit.note_whole();
        assert!(habit.begin());
        assert!(!habit.begin());
        assert!(!habit.begin());
        (0..3).for_each(|_| habit.note_whole());
        assert!(habit.begin());
    }
}
