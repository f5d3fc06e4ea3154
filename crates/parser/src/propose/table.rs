//! The rows of a table as items: their fields are its columns.

use crawl_spider::NodeId;

use super::FieldDraft;
use super::field::{Kind, kind_of};
use super::fields::{Fields, MAX_FIELDS};
use super::names;
use super::slots::Slot;

impl Fields<'_> {
    /// The columns of a table.
    pub(super) fn cells(&mut self, slots: &[Slot]) {
        let heads = self.heads();
        let mut cells: Vec<(usize, &Slot)> = Vec::new();
        for slot in slots.iter().filter(|slot| self.is_common(slot)) {
            let place = slot.css.split_once(":nth-child(").and_then(|(_, n)| n.strip_suffix(')'));
            if let Some(place) = place.and_then(|place| place.parse().ok()) {
                cells.push((place, slot));
            }
        }
        cells.sort_by_key(|(place, _)| *place);
        for (place, slot) in cells {
            let texts: Vec<String> = slot.found().map(|node| self.text(node)).collect();
            if texts.iter().all(String::is_empty) || self.drafts.len() >= MAX_FIELDS {
                continue;
            }
            let kind = kind_of(texts.iter().map(String::as_str));
            let head = heads.get(place - 1).map(|head| names::of_words(head)).unwrap_or_default();
            let name = if head.is_empty() { format!("column_{place}") } else { head };
            self.push_as(name, FieldDraft::text(kind, &slot.css), 1.5);
        }
        let in_cells = |slot: &&Slot| slot.css == "a" && self.is_common(slot);
        if let Some(slot) = slots.iter().find(in_cells)
            && self.differ(&self.attr(slot.found(), "href"))
        {
            self.push_as("link".to_owned(), FieldDraft::attr(Kind::Link, "a", "href"), 1.0);
        }
    }

    /// The texts of a table's first row, if it is a head.
    fn heads(&self) -> Vec<String> {
        let Some(&row) = self.items.first() else { return Vec::new() };
        let Some(table) = self.dom.ancestors(row).find(|&node| self.dom.name(node) == "table")
        else {
            return Vec::new();
        };
        let first = self.dom.descendants(table).find(|&node| self.dom.name(node) == "tr");
        let cells: Vec<NodeId> = first
            .into_iter()
            .flat_map(|row| self.dom.children(row))
            .filter(|&node| self.dom.is_element(node))
            .collect();
        match cells.iter().all(|&cell| self.dom.name(cell) == "th") {
            true => cells.into_iter().take(100).map(|cell| self.text(cell)).collect(),
            false => Vec::new(),
        }
    }
}
