//! A page's items on their way into the store: which of them are kept, of what kinds they are, what
//! became of them since the last visit, and which are gone.

use crawl_model::{Dropped, DroppedItem, Fingerprint, PageItems, PageRecord};

use super::{Books, Commit};
use crate::items::{Entered, Gone, Head, Life, Shelf};
use crate::{StoreError, keys, packed};

impl Books {
    /// Keeps a page's items, seen at `now_ms`, in the place of its earlier ones, but those of which
    /// the crawl has one already; these join the dropped ones. Returns them packed; nothing if there
    /// are none.
    pub(super) fn put_items(
        &mut self,
        (print, now_ms): (Fingerprint, u64),
        record: &PageRecord,
        old: Option<&PageRecord>,
        items: &mut PageItems,
        commit: &mut Commit,
    ) -> Result<Vec<u8>, StoreError> {
        let was_there = old.is_some();
        let old_items = old.filter(|old| old.n_items > 0);
        let db = &self.shared.db;
        let shelf = old_items.map(|old| Shelf::of(db, print, old)).transpose()?;
        let mut entered = Entered::default();
        if !items.keys.is_empty() || was_there {
            self.drop_doubles(print, items, commit)?;
            let (index, batch) = (&mut commit.index, &mut commit.batch);
            let at = (was_there, now_ms);
            entered = index.put((db, batch), print, &items.keys, at, &mut self.lost)?;
        }
        if let (Some(old), Some(shelf)) = (old, &shelf) {
            self.tally.take_back(&self.shared.kinds, old, shelf)?;
            for (key, known) in std::mem::take(&mut entered.lost) {
                let at = known.index as usize;
                let Some(text) = shelf.items.get(at) else { continue };
                let gone = Gone {
                    print,
                    content: known.content,
                    kind: shelf.kind(at),
                    life: known.life,
                    seen_ms: shelf.seen_ms,
                    len: text.len() as u64,
                    text: text.clone(),
                };
                self.lost.add(&mut commit.batch, key, gone);
            }
        }
        self.tally.add(&items.fields);
        let batch = &mut commit.batch;
        let (mut n_parts, mut packed) = (0, Vec::new());
        if !items.kept.is_empty() {
            let kinds = self.numbers.of_page(&self.shared.kinds, batch, items);
            let lives = lives(record, shelf.as_ref(), items, &entered, now_ms);
            let texts = || items.kept.iter().map(|item| item.json.as_bytes());
            let head = Head { kinds, lives }.encode();
            packed = packed::pack(std::iter::once(&*head).chain(texts()));
            Head::seal(&mut packed);
            n_parts = packed::put_parts(batch, keys::ITEMS, print, &packed);
        }
        if was_there {
            packed::remove_surplus(db, batch, keys::ITEMS, print, n_parts)?;
        }
        self.drops.put(db, batch, print, &items.dropped, was_there)?;
        Ok(packed)
    }

    /// Drops the items of which the crawl must have one, and has it.
    fn drop_doubles(
        &self,
        print: Fingerprint,
        items: &mut PageItems,
        commit: &mut Commit,
    ) -> Result<(), StoreError> {
        let firsts = commit.index.judge(&self.shared.db, print, &items.keys)?;
        if firsts.iter().all(Option::is_none) {
            return Ok(());
        }
        let mut keys = std::mem::take(&mut items.keys).into_iter();
        let mut firsts = firsts.into_iter();
        let mut asked = std::mem::take(&mut items.files.asked).into_iter();
        for item in std::mem::take(&mut items.kept) {
            let (first, keys) = (firsts.next().flatten(), keys.next().unwrap_or_default());
            let asked = asked.next();
            if first.is_none() {
                items.kept.push(item);
                items.keys.push(keys);
                items.files.asked.extend(asked);
                continue;
            }
            items.discount(&item);
            let dropped = Dropped::new("duplicate");
            let dropped = DroppedItem::new("dedup", &dropped, &item.json, self.dropped_item_bytes);
            items.dropped.push(DroppedItem { first, ..dropped });
        }
        Ok(())
    }
}

/// The lives of a page's items; none if all of them are as old as the page.
fn lives(
    record: &PageRecord,
    shelf: Option<&Shelf>,
    items: &PageItems,
    entered: &Entered,
    now_ms: u64,
) -> Vec<Life> {
    if shelf.is_none() && entered.lives.is_empty() && now_ms == record.fetched_ms {
        return Vec::new();
    }
    let nothing = Shelf::default();
    let lives = shelf.unwrap_or(&nothing).lives_of(&items.kept, entered, now_ms);
    let young = Life::new(record.fetched_ms);
    if lives.iter().all(|life| *life == young) { Vec::new() } else { lives }
}
