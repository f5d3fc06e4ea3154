//! Reads the events of one document.

mod rows;

use std::ops::Range;
use std::rc::Rc;

use super::compound::{Place, Seen};
use super::element::Element;
use super::places::Places;
use super::run::Run;
use super::scoped::Scoped;
use super::sieve::Sieve;
use super::store::{Draft, Matches, Store, ValueId};
use super::table::{Field, Sink, Table};
use crate::markup::events::Text;

/// Matches the queries of a [`Table`] on one document.
pub(crate) struct Matcher<'t> {
    table: &'t Table,
    is_quirky: bool,
    /// The text that streams by, and where classes stand in it; `None` if that is not known.
    sieve: Option<(&'t str, Sieve<'t>)>,
    run: Run,
    /// How many elements are open.
    depth: u32,
    /// The depth of the innermost element at whose end something ends; 0 if there is none.
    due: u32,
    /// Counts of siblings; `None` if no selector asks.
    places: Option<Places>,
    queries: Vec<Query>,
    /// Items that are open, the innermost last: depth, plan, row.
    items: Vec<(u32, usize, usize)>,
    scoped: Vec<Scoped>,
    /// Texts that have begun: depth of their element.
    texts: Vec<(u32, ValueId)>,
    store: Store,
    /// Reused: what the element that opens has matched.
    hits: Vec<usize>,
    is_unsure: bool,
}

/// Where one query stands.
struct Query {
    rows: Draft,
    /// Rows that are open, the innermost last.
    open: Vec<usize>,
    /// Whether it was given up.
    is_lost: bool,
}

impl<'t> Matcher<'t> {
    pub(super) fn new(table: &'t Table, is_quirky: bool) -> Self {
        let query =
            |n_fields| Query { rows: Draft::new(n_fields), open: Vec::new(), is_lost: false };
        let mut matcher = Self {
            table,
            is_quirky,
            sieve: None,
            run: Run::new(&table.program),
            depth: 0,
            due: 0,
            places: Places::new(table),
            queries: table.plans.iter().map(|plan| query(plan.fields.len())).collect(),
            items: Vec::new(),
            scoped: Vec::new(),
            texts: Vec::new(),
            store: Store::default(),
            hits: Vec::new(),
            is_unsure: false,
        };
        for (number, sink) in table.sinks.iter().enumerate() {
            if let Sink::Item(_) = sink {
                matcher.want(number, true);
            }
        }
        for (number, plan) in table.plans.iter().enumerate() {
            if plan.is_page {
                matcher.begin_row(number);
            }
        }
        matcher
    }

    /// Tells it the text beforehand whose tags will stream by.
    pub(crate) fn over(mut self, text: &'t str) -> Self {
        self.sieve = Some((text, Sieve::new(text, &self.table.program.classes)));
        self
    }

    /// Says whether classes and ids match in any case.
    pub(super) fn set_quirky(&mut self, is_quirky: bool) {
        self.is_quirky = is_quirky;
    }

    /// Ends the document: the rows of each plan, `None` for those that have to be selected in the
    /// tree.
    pub(crate) fn finish(mut self) -> Vec<Option<Matches>> {
        while self.depth > 0 {
            self.leave();
        }
        for plan in 0..self.queries.len() {
            if let Some(row) = self.queries[plan].open.pop() {
                self.end_row(plan, row);
            }
        }
        let (store, is_unsure) = (Rc::new(self.store), self.is_unsure);
        let finish =
            |query: Query| (!is_unsure && !query.is_lost).then(|| query.rows.finish(store.clone()));
        self.queries.into_iter().map(finish).collect()
    }

    /// An element opens.
    #[inline(always)] // for most are passed over
    pub(super) fn enter<E: Element>(&mut self, element: &E) {
        let slot = element.slot();
        self.depth += 1;
        let is_plain = self.places.is_none() && self.scoped.is_empty();
        if !is_plain || !(self.run.passes_by_name(slot) || self.passes_by_class(element, slot)) {
            self.look_at(element, slot);
        }
    }

    /// Whether an element is passed over because no class that is asked for stands in its tag.
    #[inline]
    fn passes_by_class<E: Element>(&mut self, element: &E, slot: usize) -> bool {
        if let Some((text, sieve)) = &mut self.sieve
            && !self.is_quirky
            && let Some(attrs) = element.place_in(text)
        {
            let next = |class| sieve.next(class, attrs.start);
            return self.run.passes_by_class(&self.table.program, slot, &attrs, next);
        }
        false
    }

    /// Looks at an element that opens.
    #[inline(never)]
    fn look_at<E: Element>(&mut self, element: &E, slot: usize) {
        let table = self.table;
        let mut place = Place { is_root: self.depth == 1, ..Place::default() };
        if let Some(places) = &mut self.places {
            places.enter(element, &mut place);
        }
        let (sieve, is_quirky) = (&mut self.sieve, self.is_quirky);
        let may_match = self.run.open(&table.program, slot, |class| match sieve {
            Some((text, sieve)) if !is_quirky => {
                let may_have = |attrs: Range<usize>| sieve.next(class, attrs.start) < attrs.end;
                element.place_in(text).is_none_or(may_have)
            }
            _ => true,
        });
        if may_match || !self.scoped.is_empty() {
            self.settle(element, place, slot, may_match);
        }
    }

    /// The innermost element closes.
    #[inline(always)]
    pub(super) fn leave(&mut self) {
        if self.depth == self.due {
            self.end();
        }
        if self.depth == 0 {
            return;
        }
        self.depth -= 1;
        self.run.close();
        for item in &mut self.scoped {
            item.run.close();
        }
        if let Some(places) = &mut self.places {
            places.leave();
        }
    }

    /// Ends the texts and items of the innermost element.
    fn end(&mut self) {
        while let Some(&(depth, id)) = self.texts.last()
            && depth == self.depth
        {
            self.store.end_text(id);
            self.texts.pop();
        }
        while let Some(&(depth, plan, row)) = self.items.last()
            && depth == self.depth
        {
            self.items.pop();
            self.queries[plan].open.pop();
            self.end_row(plan, row);
        }
        let text = self.texts.last().map_or(0, |&(depth, ..)| depth);
        self.due = self.items.last().map_or(0, |&(depth, ..)| depth).max(text);
    }

    /// Whether text that comes now is part of anything.
    #[inline(always)]
    pub(super) fn keeps_text(&self) -> bool {
        !self.texts.is_empty()
    }

    /// A text.
    #[inline(always)]
    pub(super) fn read(&mut self, text: Text<'_>) {
        if self.keeps_text() {
            self.keep(text);
        }
    }

    fn keep(&mut self, text: Text<'_>) {
        // What becomes of a NUL depends on where it stands; only the tree builder knows.
        self.is_unsure |= memchr::memchr(0, text.written().as_bytes()).is_some();
        self.store.push_text(&text.decoded());
    }

    /// Finds out what an element matches, and takes what is wanted of it.
    fn settle<E: Element>(&mut self, element: &E, place: Place, slot: usize, may_match: bool) {
        let table = self.table;
        let seen = &Seen::new(element, place, self.is_quirky, &table.names);
        let mut hits = std::mem::take(&mut self.hits);
        if may_match {
            self.run.settle(&table.program, seen, &mut hits);
        }
        let mut text = None;
        if !self.scoped.is_empty() {
            self.take_scoped(seen, slot, &mut text);
        }
        for &hit in &hits {
            if let Sink::Fields(plan, fields) = &table.sinks[hit] {
                self.take_fields(hit, *plan, fields, seen, &mut text);
            }
        }
        // Only now, for an item's fields are below it.
        for &hit in &hits {
            if let Sink::Item(plan) = table.sinks[hit] {
                self.begin_item(plan, seen, &mut text);
            }
        }
        self.hits = hits;
        self.hits.clear();
    }

    /// Takes the fields of a plan that a sink stands for.
    fn take_fields<E: Element>(
        &mut self,
        sink: usize,
        plan: usize,
        fields: &[usize],
        seen: &Seen<'_, E>,
        text: &mut Option<ValueId>,
    ) {
        for &number in fields {
            let field = &self.table.plans[plan].fields[number];
            let value = self.value(field, seen, text);
            self.queries[plan].rows.add(number, value);
            if !field.all {
                self.want(sink, false);
            }
        }
    }

    fn take_scoped<E: Element>(
        &mut self,
        seen: &Seen<'_, E>,
        slot: usize,
        text: &mut Option<ValueId>,
    ) {
        let table = self.table;
        let mut open = std::mem::take(&mut self.scoped);
        for item in &mut open {
            let plan = &table.plans[item.plan];
            let mut fields = Vec::new();
            if item.run.open(&plan.scoped, slot, |_| true) {
                item.run.settle(&plan.scoped, seen, &mut fields);
            }
            for number in fields {
                let field = &plan.fields[number];
                item.found.push((number, self.value(field, seen, text)));
                if !field.all {
                    item.run.want(&plan.scoped, number, false);
                }
            }
        }
        self.scoped = open;
    }

    /// The value of a field at an element; `text` is the element's text, if it has begun.
    fn value<E: Element>(
        &mut self,
        field: &Field,
        seen: &Seen<'_, E>,
        text: &mut Option<ValueId>,
    ) -> ValueId {
        match &field.attr {
            Some(name) => self.store.attr(seen.element.attr(name).as_deref()),
            None => *text.get_or_insert_with(|| {
                let id = self.store.begin_text();
                self.texts.push((self.depth, id));
                self.due = self.depth;
                id
            }),
        }
    }
}
