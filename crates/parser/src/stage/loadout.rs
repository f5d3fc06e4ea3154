//! The spider and what was made ready of it, exchanged as one while the crawl goes on.
//!
//! Each page takes the loadout that is in force when its reading begins and keeps it to the end:
//! a callback never meets the table of another spider, and no lock is held while it runs.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, PoisonError, RwLock};

use crawl_model::{Item, Kinds, Taken};
use crawl_spider::{Spider, SpiderError, prepare};

use super::parser::{check_spider, panic_text};
use crate::document::Habit;
use crate::links::reticence::Reticence;
use crate::stream::Table;

/// A spider with its wants compiled.
pub(crate) struct Loadout {
    pub(crate) spider: Arc<dyn Spider>,
    /// How it calls itself.
    pub(crate) name: Arc<str>,
    /// What it wants of its pages; `None` if that is nothing or has to be selected.
    pub(crate) table: Option<Arc<Table>>,
    /// What it asks of them besides, mostly.
    pub(crate) habit: Arc<Habit>,
    /// Whether it asks where known links lead, mostly.
    pub(crate) reticence: Arc<Reticence>,
}

impl Loadout {
    pub(crate) fn new(spider: Arc<dyn Spider>) -> Self {
        let spider = prepare(spider);
        let table = Table::of(&*spider);
        let name = spider.name().into();
        Self { spider, name, table, habit: Arc::default(), reticence: Arc::default() }
    }

    /// What its callback took from a page.
    pub(crate) fn taken(&self, items: Vec<Item>, kinds: Kinds) -> Taken {
        Taken { spider: self.name.clone(), kinds, items }
    }
}

/// The loadout in force.
pub(crate) struct Current(RwLock<Arc<Loadout>>);

impl Current {
    pub(crate) fn new(loadout: Loadout) -> Self {
        Self(RwLock::new(Arc::new(loadout)))
    }

    pub(crate) fn get(&self) -> Arc<Loadout> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Puts another spider in force; the old one stays if this one has a wrong selector, or panics
    /// when it is asked what it wants.
    pub(crate) fn replace(&self, spider: Arc<dyn Spider>) -> Result<(), SpiderError> {
        check_spider(&*spider)?;
        let loadout = catch_unwind(AssertUnwindSafe(|| Loadout::new(spider)));
        let loadout = loadout.map_err(|panic| {
            let text = panic_text(panic);
            SpiderError::Other(format!("the spider panicked in `wants`: {text}"))
        })?;
        let old = {
            let mut place = self.0.write().unwrap_or_else(PoisonError::into_inner);
            std::mem::replace(&mut *place, Arc::new(loadout))
        };
        // Its end may take long, so the lock is not held for it.
        drop(old);
        Ok(())
    }
}
