//! The kinds of items of a crawl, by number: which spider made them, what they are called, which
//! version of them it is, and by which fields they are known again.
//!
//! The table only grows, so a number means the same for ever. It has an end: a spider that makes up
//! kinds from data has them counted as one, `(other)`.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, PoisonError, RwLock};

use crawl_model::{ItemKind, PageItems};
use serde::{Deserialize, Serialize};

use crate::database::Database;
use crate::seal::Batch;
use crate::{StoreError, keys};

/// Most kinds that are told apart.
const MOST_KINDS: u32 = 1000;
/// Number and name of those that are not.
const OTHER: u32 = 0;
const OTHER_NAME: &str = "(other)";
/// Kinds that are found without a look into the table.
const RECENT: usize = 16;
/// Longest names, in characters; what is longer is cut.
const MOST_CHARS: usize = 200;

/// A kind of items, and who makes them.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) struct StoredKind {
    pub(crate) spider: Box<str>,
    #[serde(flatten)]
    pub(crate) kind: ItemKind,
}

/// All kinds: appended to by the writer, read by all.
#[derive(Debug)]
pub(crate) struct KindTable(RwLock<Vec<Arc<StoredKind>>>);

impl KindTable {
    /// Those in the database.
    pub(crate) fn open(db: &Database) -> Result<Self, StoreError> {
        let kind = ItemKind { name: OTHER_NAME.into(), ..ItemKind::default() };
        let mut kinds = vec![Arc::new(StoredKind { spider: OTHER_NAME.into(), kind })];
        for entry in db.prefix(&[keys::KINDS]) {
            let (key, json) = entry?;
            let corrupt = || StoreError::corrupt("kind of items");
            if keys::part_of(&key).map(|number| number as usize) != Some(kinds.len()) {
                return Err(corrupt());
            }
            kinds.push(serde_json::from_slice(&json).map(Arc::new).map_err(|_| corrupt())?);
        }
        Ok(Self(RwLock::new(kinds)))
    }

    /// The kind of this number.
    pub(crate) fn get(&self, number: u32) -> Result<Arc<StoredKind>, StoreError> {
        let kinds = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let kind = usize::try_from(number).ok().and_then(|number| kinds.get(number));
        kind.cloned().ok_or_else(|| StoreError::corrupt(format!("kind {number} of items")))
    }

    /// All of them.
    pub(crate) fn all(&self) -> Vec<Arc<StoredKind>> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn push(&self, kind: Arc<StoredKind>) {
        self.0.write().unwrap_or_else(PoisonError::into_inner).push(kind);
    }
}

/// The writer's way from a kind to its number.
#[derive(Debug)]
pub(crate) struct Numbers {
    numbers: HashMap<Arc<StoredKind>, u32>,
    /// Those that were asked for last: mostly it is one of them, and nothing is copied.
    recent: VecDeque<(Arc<str>, Arc<ItemKind>, u32)>,
    none: Arc<ItemKind>,
}

impl Numbers {
    pub(crate) fn of(table: &KindTable) -> Self {
        let numbers = table.all().into_iter().zip(0..).collect();
        Self { numbers, recent: VecDeque::new(), none: Arc::default() }
    }

    /// The number of each item's kind; new kinds join table and batch.
    pub(crate) fn of_page(
        &mut self,
        table: &KindTable,
        batch: &mut Batch,
        items: &PageItems,
    ) -> Vec<u32> {
        let mut numbers = Vec::with_capacity(items.kept.len());
        for run in items.kept.chunk_by(|a, b| a.kind == b.kind) {
            let kind = items.kinds.get(run[0].kind).unwrap_or(&self.none).clone();
            let number = self.number(table, batch, &items.spider, kind);
            numbers.resize(numbers.len() + run.len(), number);
        }
        numbers
    }

    fn number(
        &mut self,
        table: &KindTable,
        batch: &mut Batch,
        spider: &Arc<str>,
        kind: Arc<ItemKind>,
    ) -> u32 {
        let mut recent = self.recent.iter();
        if let Some((.., number)) = recent.find(|(s, k, _)| s == spider && *k == kind) {
            return *number;
        }
        let number = self.find(table, batch, spider, &kind);
        if self.recent.len() == RECENT {
            self.recent.pop_front();
        }
        self.recent.push_back((spider.clone(), kind, number));
        number
    }

    fn find(&mut self, table: &KindTable, batch: &mut Batch, spider: &str, kind: &ItemKind) -> u32 {
        let cut = |text: &str| text.chars().take(MOST_CHARS).collect();
        let spider = cut(spider);
        let kind = ItemKind { name: cut(&kind.name), version: cut(&kind.version), ..kind.clone() };
        let kind = StoredKind { spider, kind };
        if let Some(number) = self.numbers.get(&kind) {
            return *number;
        }
        let number = u32::try_from(self.numbers.len()).unwrap_or(MOST_KINDS);
        if number >= MOST_KINDS {
            return OTHER;
        }
        let json = serde_json::to_vec(&kind).expect("strings serialise");
        batch.insert(&keys::kind(number), json);
        let kind = Arc::new(kind);
        table.push(kind.clone());
        self.numbers.insert(kind, number);
        number
    }
}

#[cfg(test)]
mod tests {
    use crawl_model::Item;

    use super::*;

    fn page(spider: &str, names: &[String]) -> PageItems {
        let mut items = PageItems { spider: spider.into(), ..PageItems::default() };
        for name in names {
            let kind = Arc::new(ItemKind { name: name.as_str().into(), ..ItemKind::default() });
            let kind = items.kind(Some(&kind), "");
            items.kept.push(Item { json: "1".into(), kind });
        }
        items
    }

    #[test]
    fn a_kind_has_one_number_over_all_runs_and_too_many_are_one() {
        let dir = tempfile::tempdir().unwrap();
        let db = Database::open(dir.path(), 1).unwrap();
        let owned = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect::<Vec<_>>();
        let mut given = Vec::new();
        for _ in 0..2 {
            let table = KindTable::open(&db).unwrap();
            let mut numbers = Numbers::of(&table);
            let mut batch = Batch::default();
            let mut of = |spider: &str, names: &[&str]| {
                numbers.of_page(&table, &mut batch, &page(spider, &owned(names)))
            };
            given.push([of("s", &["a", "a", "", "b"]), of("t", &["a"]), of("s", &["b", "a"])]);
            db.commit(batch).unwrap();
            assert_eq!(&*table.get(4).unwrap().spider, "t");
        }
        assert_eq!(given[0], [vec![1, 1, 2, 3], vec![4], vec![3, 1]]);
        assert_eq!(given[1], given[0]);
        let table = KindTable::open(&db).unwrap();
        let mut numbers = Numbers::of(&table);
        let many: Vec<_> = (0..1100).map(|i| format!("kind {i}")).collect();
        let mut batch = Batch::default();
        let given = numbers.of_page(&table, &mut batch, &page("s", &many));
        assert_eq!((given[0], given[994], given[995], given[1099]), (5, 999, OTHER, OTHER));
        assert_eq!(table.get(OTHER).unwrap().kind.name.as_ref(), OTHER_NAME);
        assert!(table.get(1000).is_err());
    }
}
