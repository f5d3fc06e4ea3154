//! What was compiled from texts that spiders repeat on every page.
//!
//! Per thread, so that no lock is on the page path.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

/// Compiled things by their text. A spider that makes up texts as it goes empties it now and
/// then instead of filling the memory.
pub(super) struct Compiled<T> {
    most: usize,
    by_text: RefCell<HashMap<Box<str>, Rc<T>>>,
}

impl<T> Compiled<T> {
    /// Keeps at most `most`.
    pub(super) fn new(most: usize) -> Self {
        Self { most, by_text: RefCell::default() }
    }

    /// Compiles `text`, or finds it compiled.
    ///
    /// # Errors
    /// Those of `compile`; they are not kept.
    pub(super) fn get<E>(
        &self,
        text: &str,
        compile: impl FnOnce(&str) -> Result<T, E>,
    ) -> Result<Rc<T>, E> {
        if let Some(known) = self.by_text.borrow().get(text) {
            return Ok(known.clone());
        }
        let new = Rc::new(compile(text)?);
        let mut by_text = self.by_text.borrow_mut();
        if by_text.len() >= self.most {
            by_text.clear();
        }
        by_text.insert(text.into(), new.clone());
        Ok(new)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_compiles_once_and_stays_small() {
        let (compiled, mut n) = (Compiled::new(3), 0);
        for text in ["a", "b", "a", "c", "b", "d", "a"] {
            let known = compiled.get(text, |text| {
                n += 1;
                Ok::<_, ()>(text.to_owned())
            });
            assert_eq!(*known.unwrap(), text);
            assert!(compiled.by_text.borrow().len() <= 3);
        }
        assert_eq!(n, 5);
        assert!(compiled.get("x", |_| Err::<String, _>("no")).is_err());
        assert!(!compiled.by_text.borrow().contains_key("x"));
    }
}
