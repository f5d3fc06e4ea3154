//! Items of a page into the harvest, with a word about those that are not what they should be.

use std::cell::RefCell;

use serde::Serialize;

use super::at::read_all;
use super::{ItemError, PageItem};
use crate::{Harvest, LogLevel, Page, SpiderError};

impl Harvest {
    /// Keeps all items of this type that stand on `page`; how many. Something that is not such an
    /// item ([`ItemError`]) is left out: the crawl's log says so, and the count `items-left-out`
    /// goes up, as for a declarative spider.
    ///
    /// ```
    /// # use crawl_spider::prelude::*;
    /// # #[derive(Item)]
    /// # struct Book { #[item(css = "h1")] title: String }
    /// # fn callback(page: &Page<'_>, out: &mut Harvest) -> Result<(), SpiderError> {
    /// out.extract::<Book>(page)?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`SpiderError::Selector`] if a selector cannot be answered, [`SpiderError::Serialise`] if an
    /// item is no JSON.
    pub fn extract<T: PageItem + Serialize>(
        &mut self,
        page: &Page<'_>,
    ) -> Result<usize, SpiderError> {
        let items = self.read::<T>(page)?;
        items.iter().try_for_each(|item| self.derived(item))?;
        Ok(items.len())
    }

    /// All items of this type that stand on `page`, to look at or to change before they are kept.
    /// What is not such an item is left out as by [`extract`](Self::extract).
    ///
    /// # Errors
    /// [`SpiderError::Selector`] if a selector cannot be answered.
    pub fn read<T: PageItem>(&mut self, page: &Page<'_>) -> Result<Vec<T>, SpiderError> {
        let mut items = Vec::new();
        let left_out = RefCell::new(Vec::new());
        read_all(page, Some(&left_out), |item| {
            match item {
                Ok(item) => items.push(item),
                Err(error) => left_out.borrow_mut().push(error),
            }
            Ok(())
        })?;
        for error in left_out.into_inner() {
            self.leave_out(&error);
        }
        Ok(items)
    }

    /// Says that an item is left out, and counts it.
    pub fn leave_out(&mut self, error: &ItemError) {
        self.stat("items-left-out", 1);
        self.log(LogLevel::Warn, format!("an item is left out: {error}"));
    }
}
