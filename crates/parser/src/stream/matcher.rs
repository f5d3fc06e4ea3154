//! Reads the events of one document.

use std::collections::HashMap;
use std::rc::Rc;

use super::compound::{Place, Seen};
use super::element::{Element, Tag};
use super::program::slot;
use super::run::Run;
use super::scoped::{self, Scoped};
use super::store::{Draft, Matches, Store, ValueId};
use super::table::{Field, Find, Sink, Table};
use crate::markup::charref::decode_text;
use crate::markup::events::{Consumer, Space, Text};
use crate::markup::scan::Start;

/// Matches the queries of a [`Table`] on one document.
pub(crate) struct Matcher<'t> {
    table: &'t Table,
    is_quirky: bool,
    run: Run,
    /// Bits of the program that lead to something: those of items, and those of fields that some
    /// open item still lacks.
    wanted: Vec<u64>,
    /// How many elements are open.
    depth: u32,
    places: Places,
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
            run: Run::new(&table.program),
            wanted: vec![0; table.program.n_words()],
            depth: 0,
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
    #[inline]
    pub(super) fn enter<E: Element>(&mut self, element: &E) {
        let table = self.table;
        self.depth += 1;
        let place = self.places.enter(element, self.depth);
        let seen = Seen::new(element, place, self.is_quirky, &table.names);
        let slot = slot(element.name());
        self.run.open(&table.program, slot, &seen, &self.wanted, &mut self.hits);
        if !self.hits.is_empty() || !self.scoped.is_empty() {
            self.take(&seen, slot);
        }
    }

    /// The innermost element closes.
    #[inline]
    pub(super) fn leave(&mut self) {
        if self.depth == 0 {
            return;
        }
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
        self.run.close(&self.table.program);
        for item in &mut self.scoped {
            item.run.close(&self.table.plans[item.plan].scoped);
        }
        self.places.leave();
        self.depth -= 1;
    }

    /// A text.
    #[inline]
    pub(super) fn read(&mut self, text: Text<'_>) {
        if self.texts.is_empty() {
            return;
        }
        let (Text::References(piece) | Text::Raw(piece)) = text;
        // What becomes of a NUL depends on where it stands; only the tree builder knows.
        self.is_unsure |= memchr::memchr(0, piece.as_bytes()).is_some();
        match text {
            Text::References(piece) => self.store.push_text(&decode_text(piece)),
            Text::Raw(piece) => self.store.push_text(piece),
        }
    }

    /// Takes what is wanted of an element that matched.
    fn take<E: Element>(&mut self, seen: &Seen<'_, E>, slot: usize) {
        let (table, hits) = (self.table, std::mem::take(&mut self.hits));
        let mut text = None;
        self.take_scoped(seen, slot, &mut text);
        for &hit in &hits {
            if let Sink::Field(plan, number) = table.sinks[hit] {
                let field = &table.plans[plan].fields[number];
                let value = self.value(field, seen, &mut text);
                self.queries[plan].rows.add(number, value);
                if !field.all {
                    self.want(hit, false);
                }
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
            item.run.open(&plan.scoped, slot, seen, &item.wanted, &mut fields);
            for number in fields {
                let field = &plan.fields[number];
                item.found.push((number, self.value(field, seen, text)));
                if !field.all {
                    plan.scoped
                        .ends(number)
                        .iter()
                        .for_each(|(word, bit)| item.wanted[*word] &= !bit);
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
                id
            }),
        }
    }

    fn begin_item<E: Element>(
        &mut self,
        plan: usize,
        seen: &Seen<'_, E>,
        text: &mut Option<ValueId>,
    ) {
        let table = self.table;
        let row = self.begin_row(plan);
        self.items.push((self.depth, plan, row));
        for (number, field) in table.plans[plan].fields.iter().enumerate() {
            if field.find == Find::Item {
                let value = self.value(field, seen, text);
                self.queries[plan].rows.set(row, number, std::iter::once(value));
            }
        }
        let program = &table.plans[plan].scoped;
        if program.n_words() == 0 || self.queries[plan].is_lost {
            return;
        }
        if self.scoped.len() >= scoped::MAX_OPEN {
            self.queries[plan].is_lost = true;
            self.scoped.retain(|item| item.plan != plan);
            return;
        }
        let (run, wanted) = (Run::inside(program, seen), vec![u64::MAX; program.n_words()]);
        self.scoped.push(Scoped { plan, row, run, wanted, found: Vec::new() });
    }

    fn begin_row(&mut self, plan: usize) -> usize {
        let row = self.queries[plan].rows.begin();
        self.queries[plan].open.push(row);
        for field in &self.table.plans[plan].fields {
            if let Find::Sink(sink) = field.find {
                self.want(sink, true);
            }
        }
        row
    }

    /// Ends a row, which is no longer in `open`.
    fn end_row(&mut self, plan: usize, row: usize) {
        let table = self.table;
        let is_mine = |item: &Scoped| item.plan == plan && item.row == row;
        let scoped = self.scoped.last().is_some_and(is_mine).then(|| self.scoped.pop()).flatten();
        for (number, field) in table.plans[plan].fields.iter().enumerate() {
            let query = &mut self.queries[plan];
            match field.find {
                Find::Item => {}
                Find::Scoped => {
                    let found = scoped.iter().flat_map(|scoped| &scoped.found);
                    let mine = found.filter(|(field, _)| *field == number).map(|(_, value)| *value);
                    query.rows.set(row, number, mine);
                }
                Find::Sink(sink) => {
                    query.rows.end(row, number);
                    // What the item around this one still lacks.
                    let outer = query.open.last().copied();
                    let lacks = |row| field.all || !query.rows.has(row, number);
                    let is_wanted = outer.is_some_and(lacks);
                    self.want(sink, is_wanted);
                }
            }
        }
    }

    /// Says whether the selectors of a sink are to be looked for.
    fn want(&mut self, sink: usize, is_wanted: bool) {
        for &(word, bit) in self.table.program.ends(sink) {
            match is_wanted {
                true => self.wanted[word] |= bit,
                false => self.wanted[word] &= !bit,
            }
        }
    }
}

impl<'a> Consumer<'a> for Matcher<'_> {
    fn open(&mut self, tag: &Start<'a>, space: Space) {
        self.enter(&Tag(tag, space));
    }

    fn text(&mut self, text: Text<'a>) {
        self.read(text);
    }

    fn close(&mut self) {
        self.leave();
    }
}

/// Counts places among siblings, as far as selectors ask for them.
struct Places {
    counts_children: bool,
    counts_types: bool,
    /// How many children each open element has so far; the document first.
    children: Vec<i32>,
    /// Numbers of the open elements; the document's first.
    open: Vec<u64>,
    next: u64,
    names: HashMap<Box<str>, u32>,
    /// By parent and name: how many children of that name it has so far.
    types: HashMap<(u64, u32), i32>,
    /// Reused: a name in lower case.
    name: String,
}

impl Places {
    fn new(table: &Table) -> Self {
        let programs =
            || std::iter::once(&table.program).chain(table.plans.iter().map(|p| &p.scoped));
        Self {
            counts_children: programs().any(|program| program.counts_children),
            counts_types: programs().any(|program| program.counts_types),
            children: vec![0],
            open: vec![0],
            next: 1,
            names: HashMap::new(),
            types: HashMap::new(),
            name: String::new(),
        }
    }

    #[inline]
    fn enter<E: Element>(&mut self, element: &E, depth: u32) -> Place {
        let mut place = Place { child: 0, of_type: 0, is_root: depth == 1 };
        if self.counts_children {
            if let Some(children) = self.children.last_mut() {
                *children = children.saturating_add(1);
                place.child = *children;
            }
            self.children.push(0);
        }
        if self.counts_types {
            place.of_type = self.count_type(element);
            self.open.push(self.next);
            self.next += 1;
        }
        place
    }

    #[inline]
    fn leave(&mut self) {
        self.children.pop();
        self.open.pop();
    }

    fn count_type<E: Element>(&mut self, element: &E) -> i32 {
        self.name.clear();
        self.name.push(match element.space() {
            Space::Html => 'h',
            Space::Svg => 's',
            Space::Math => 'm',
        });
        // As the tree builder writes it, but for the case, which follows from the name.
        let written = element.name().chars();
        let letter = |c: char| if c == '\0' { char::REPLACEMENT_CHARACTER } else { c };
        self.name.extend(written.map(|c| letter(c).to_ascii_lowercase()));
        let name = match self.names.get(&*self.name) {
            Some(&name) => name,
            None => {
                let name = self.names.len() as u32;
                self.names.insert(self.name.as_str().into(), name);
                name
            }
        };
        let parent = self.open.last().copied().unwrap_or_default();
        let count = self.types.entry((parent, name)).or_default();
        *count = count.saturating_add(1);
        *count
    }
}
