//! What a spider wants, compiled once for all pages.

use std::cell::RefCell;
use std::sync::Arc;

use crawl_spider::{ItemQuery, Spider, Take};

use super::compound::Wellknown;
use super::matcher::Matcher;
use super::names::Name;
use super::program::Program;
use super::selector::{Complex, NotStreamable, Scope, read};

/// Compiled queries.
#[derive(Default)]
pub(crate) struct Table {
    /// All queries, those that cannot be matched while streaming included.
    queries: Vec<(ItemQuery, Result<usize, NotStreamable>)>,
    /// Those that can.
    pub(super) plans: Vec<Plan>,
    pub(super) program: Program,
    /// What each sink of the program is.
    pub(super) sinks: Vec<Sink>,
    pub(super) names: Wellknown,
}

/// What it means that a selector matched.
#[derive(Debug)]
pub(super) enum Sink {
    /// An item of this plan begins.
    Item(usize),
    /// These fields of this plan.
    Fields(usize, Vec<usize>),
}

/// A query that can be matched while streaming.
pub(super) struct Plan {
    /// Whether its one row is the whole page.
    pub(super) is_page: bool,
    pub(super) fields: Vec<Field>,
    /// Selectors of fields that begin with `:scope`; the sinks are numbers of fields.
    pub(super) scoped: Program,
}

/// One field of a plan.
#[derive(Debug)]
pub(super) struct Field {
    pub(super) find: Find,
    /// The attribute that is taken; `None`: the text.
    pub(super) attr: Option<Name>,
    pub(super) all: bool,
}

/// What finds a field's elements.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Find {
    /// The field is the item's own element.
    Item,
    /// This sink of the table's program.
    Sink(usize),
    /// The plan's scoped program.
    Scoped,
}

impl Table {
    /// What a spider wants; `None` if that is nothing or has to be selected.
    pub(crate) fn of(spider: &dyn Spider) -> Option<Arc<Self>> {
        let table = Self::new(spider.wants());
        (!table.is_empty()).then(|| Arc::new(table))
    }

    /// Compiles queries. Those that cannot be matched while streaming are noted as such.
    pub(crate) fn new(queries: Vec<ItemQuery>) -> Self {
        let mut table = Self::default();
        for query in queries {
            let plan = Draft::of(&query).map(|draft| table.add(draft));
            table.queries.push((query, plan));
        }
        table
    }

    /// Compiles queries, or finds them compiled: the last table is kept per thread, for tests
    /// that run a spider on one page after another.
    pub(crate) fn shared(queries: Vec<ItemQuery>) -> Arc<Self> {
        thread_local! {
            static LAST: RefCell<Arc<Table>> = RefCell::default();
        }
        LAST.with_borrow_mut(|last| {
            if !last.queries.iter().map(|(query, _)| query).eq(&queries) {
                *last = Arc::new(Self::new(queries));
            }
            last.clone()
        })
    }

    /// Whether nothing can be matched while streaming.
    pub(crate) fn is_empty(&self) -> bool {
        self.plans.is_empty()
    }

    /// The place of a query's answer in that of [`Matcher::finish`]; `None` if it has none.
    pub(crate) fn find(&self, query: &ItemQuery) -> Option<usize> {
        let (_, plan) = self.queries.iter().find(|(known, _)| known == query)?;
        plan.as_ref().ok().copied()
    }

    /// Why the first query is not matched while streaming; `None` if it is.
    #[cfg(test)]
    pub(crate) fn refusal(&self) -> Option<&NotStreamable> {
        self.queries.first()?.1.as_ref().err()
    }

    /// Begins to match one document. `is_quirky` says that classes and ids match in any case.
    pub(crate) fn matcher(&self, is_quirky: bool) -> Matcher<'_> {
        Matcher::new(self, is_quirky)
    }

    /// Adds a plan; its number.
    fn add(&mut self, draft: Draft) -> usize {
        let number = self.plans.len();
        if let Some(select) = &draft.select {
            self.sink(Sink::Item(number), select);
        }
        let mut scoped = Program::default();
        let mut fields = Vec::with_capacity(draft.fields.len());
        // Fields with the same selector share their sink.
        let mut known: Vec<(String, bool, usize)> = Vec::new();
        for (field, (css, selectors, attr, all)) in draft.fields.into_iter().enumerate() {
            // Sinks of the scoped program are numbered as the fields are.
            let scoped_sink = scoped.sink();
            let find = if selectors.is_empty() {
                Find::Item
            } else if selectors[0].is_scoped {
                selectors.into_iter().for_each(|complex| scoped.add(complex, scoped_sink));
                Find::Scoped
            } else if let Some(&(.., sink)) = known.iter().find(|k| k.0 == css && k.1 == all) {
                if let Sink::Fields(_, fields) = &mut self.sinks[sink] {
                    fields.push(field);
                }
                Find::Sink(sink)
            } else {
                let sink = self.sink(Sink::Fields(number, vec![field]), &selectors);
                known.push((css, all, sink));
                Find::Sink(sink)
            };
            fields.push(Field { find, attr, all });
        }
        self.plans.push(Plan { is_page: draft.select.is_none(), fields, scoped });
        number
    }

    fn sink(&mut self, sink: Sink, selectors: &[Complex]) -> usize {
        self.sinks.push(sink);
        let number = self.program.sink();
        selectors.iter().for_each(|complex| self.program.add(complex.clone(), number));
        number
    }
}

/// A query's selectors, read.
struct Draft {
    select: Option<Vec<Complex>>,
    /// Selectors (none: the item itself) as written and read, attribute, all.
    fields: Vec<(String, Vec<Complex>, Option<Name>, bool)>,
}

impl Draft {
    fn of(query: &ItemQuery) -> Result<Self, NotStreamable> {
        let select = query.select.as_deref().map(|css| read(css, Scope::Page)).transpose()?;
        let fields = query.fields.iter().map(|field| {
            let not = |reason| NotStreamable { selector: field.css.clone(), reason };
            let attr = match &field.take {
                Take::Text => None,
                Take::Attr(name) if name.contains(char::REPLACEMENT_CHARACTER) => {
                    return Err(not("its attribute's name has a replacement character"));
                }
                Take::Attr(name) => Some(Name::of_attribute(&name.to_ascii_lowercase())),
                _ => return Err(not("HTML is taken of what it finds")),
            };
            let scope = if select.is_some() { Scope::Item } else { Scope::Page };
            let selectors = match field.css.is_empty() {
                true => Vec::new(),
                false => read(&field.css, scope)?,
            };
            let n_scoped = selectors.iter().filter(|complex| complex.is_scoped).count();
            if n_scoped > 0 && n_scoped < selectors.len() {
                return Err(not("only some of its alternatives begin with `:scope`"));
            }
            Ok((field.css.clone(), selectors, attr, field.all))
        });
        let fields = fields.collect::<Result<_, _>>()?;
        Ok(Self { select, fields })
    }
}
