//! A list that grows without being moved.
//!
//! What is kept of each host lies in such lists. A `Vec` of ten million hosts would copy hundreds
//! of megabytes when it is full, with all tickets waiting, and have room for as many again
//! afterwards. This one has room for a thousand too many at most.

use std::ops::{Index, IndexMut};

/// Items of one chunk.
const LEN: usize = 1 << BITS;
const BITS: u32 = 10;

/// A list.
#[derive(Debug)]
pub(crate) struct Chunks<T>(Vec<Vec<T>>);

impl<T> Default for Chunks<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T> Chunks<T> {
    pub(crate) fn len(&self) -> usize {
        self.0.len().saturating_sub(1) * LEN + self.0.last().map_or(0, Vec::len)
    }

    pub(crate) fn get(&self, index: usize) -> Option<&T> {
        self.0.get(index >> BITS)?.get(index % LEN)
    }

    pub(crate) fn push(&mut self, item: T) {
        if self.0.last().is_none_or(|chunk| chunk.len() == LEN) {
            self.0.push(Vec::new());
        }
        if let Some(chunk) = self.0.last_mut() {
            chunk.push(item);
        }
    }

    pub(crate) fn pop(&mut self) -> Option<T> {
        let item = self.0.last_mut()?.pop();
        if self.0.last().is_some_and(Vec::is_empty) {
            self.0.pop();
        }
        item
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &T> {
        self.0.iter().flatten()
    }

    pub(crate) fn iter_mut(&mut self) -> impl Iterator<Item = &mut T> {
        self.0.iter_mut().flatten()
    }
}

impl<T> Index<usize> for Chunks<T> {
    type Output = T;

    fn index(&self, index: usize) -> &T {
        &self.0[index >> BITS][index % LEN]
    }
}

impl<T> IndexMut<usize> for Chunks<T> {
    fn index_mut(&mut self, index: usize) -> &mut T {
        &mut self.0[index >> BITS][index % LEN]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_a_list_over_the_edges_of_its_chunks() {
        let mut list = Chunks::default();
        assert_eq!((list.len(), list.pop()), (0, None));
        for n in 0..3 * LEN {
            list.push(n);
            assert_eq!(list.len(), n + 1);
        }
        list[LEN] += 1;
        assert_eq!((list[LEN - 1], list[LEN], list.get(3 * LEN)), (LEN - 1, LEN + 1, None));
        assert_eq!(list.iter_mut().count(), 3 * LEN);
        for left in (0..3 * LEN).rev() {
            assert!(list.pop().is_some());
            assert_eq!((list.len(), list.iter().count()), (left, left));
        }
    }
}
