//! Items that begin and end: what is looked for inside of them.

use super::super::compound::Seen;
use super::super::element::Element;
use super::super::run::Run;
use super::super::scoped::{self, Scoped};
use super::super::store::ValueId;
use super::super::table::Find;
use super::Matcher;

impl Matcher<'_> {
    pub(super) fn begin_item<E: Element>(
        &mut self,
        plan: usize,
        seen: &Seen<'_, E>,
        text: &mut Option<ValueId>,
    ) {
        let table = self.table;
        let row = self.begin_row(plan);
        self.items.push((self.depth, plan, row));
        self.due = self.depth;
        for (number, field) in table.plans[plan].fields.iter().enumerate() {
            if field.find == Find::Item {
                let value = self.value(field, seen, text);
                self.queries[plan].rows.set(row, number, std::iter::once(value));
            }
        }
        let program = &table.plans[plan].scoped;
        if program.words.is_empty() || self.queries[plan].is_lost {
            return;
        }
        if self.scoped.len() >= scoped::MAX_OPEN {
            self.queries[plan].is_lost = true;
            self.scoped.retain(|item| item.plan != plan);
            return;
        }
        let run = Run::inside(program, seen);
        self.scoped.push(Scoped { plan, row, run, found: Vec::new() });
    }

    pub(super) fn begin_row(&mut self, plan: usize) -> usize {
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
    pub(super) fn end_row(&mut self, plan: usize, row: usize) {
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

    pub(super) fn want(&mut self, sink: usize, is_wanted: bool) {
        self.run.want(&self.table.program, sink, is_wanted);
    }
}
