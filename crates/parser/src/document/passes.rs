//! How the text of a document is read: by which passes, each once and only when it is asked for.
//!
//! Who only follows links, and has said what else he wants, needs less of a page than who looks at its
//! links: that is read first, and all else if it is asked for. Where the stream cannot tell, the tree
//! does.

use std::sync::Arc;

use super::Document;
use crate::decode::kind::Kind;
use crate::dom::{Dom, Flavour};
use crate::links::kinds::Kinds;
use crate::links::resolve::Resolver;
use crate::links::{Scan, scan_header, scan_html, scan_tree, skim_beside, skim_html};
use crate::markup::scan::crowds;
use crate::stream::{Matcher, Matches, Table};
use crate::xml::feed::scan_xml;

impl Document<'_> {
    /// What is enough for who only follows links, and has said what else he wants: all but the links'
    /// texts and the metadata.
    pub(super) fn skimmed(&self) -> &(Scan, Resolver) {
        let may_skim = self.kind == Kind::Html && !self.is_whole && self.kinds == Kinds::default();
        if self.scanned.get().is_some() || !may_skim {
            return self.scanned();
        }
        let skimmed = self.skimmed.get_or_init(|| {
            let mut resolver = self.resolver();
            let scan = match &self.table {
                None => skim_html(&self.text, &mut resolver),
                Some(table) => {
                    self.matching(table, |matcher| skim_beside(&self.text, &mut resolver, matcher))
                }
            };
            Some((scan?, resolver))
        });
        skimmed.as_ref().unwrap_or_else(|| self.scanned())
    }

    /// All that a pass tells: for who looks at links, or wants the metadata.
    pub(super) fn whole(&self) -> &(Scan, Resolver) {
        if !self.is_asked_whole.replace(true)
            && let Some(habit) = &self.habit
        {
            habit.note_whole();
        }
        self.scanned()
    }

    /// Links, title and matches, from one pass.
    pub(super) fn scanned(&self) -> &(Scan, Resolver) {
        self.scanned.get_or_init(|| {
            let mut resolver = self.resolver();
            let fields = self.link_fields.iter().map(String::as_str);
            let mut links = scan_header(fields, &resolver);
            let mut scan = match self.kind {
                Kind::Html => self.scan_html(&mut resolver),
                Kind::Xml => scan_xml(&self.text, self.url.to_url()),
                Kind::Json | Kind::Csv | Kind::Text | Kind::Binary => Scan::default(),
            };
            if !links.is_empty() {
                links.extend_from_slice(scan.links.links());
                scan.links = Arc::new(links.into());
            }
            (scan, resolver)
        })
    }

    fn resolver(&self) -> Resolver {
        let resolver = Resolver::of(&self.url, self.encoding);
        resolver.with_recall(self.recall.clone(), &self.url)
    }

    fn scan_html(&self, resolver: &mut Resolver) -> Scan {
        // What the table wants may have been matched when the page was skimmed.
        let table = self.table.as_ref().filter(|_| self.matched.get().is_none());
        // If it could not be, the stream cannot tell.
        let is_ambiguous = table.is_some() && matches!(self.skimmed.get(), Some(None));
        let streamed = match table {
            _ if is_ambiguous => None,
            None => scan_html(&self.text, resolver, self.kinds, ()),
            Some(table) => {
                self.matching(table, |matcher| scan_html(&self.text, resolver, self.kinds, matcher))
            }
        };
        streamed.unwrap_or_else(|| scan_tree(self.dom(), resolver, self.kinds))
    }

    /// Has a table matched in a pass; what it finds counts if the pass gives something.
    fn matching<'t, T>(
        &'t self,
        table: &'t Table,
        pass: impl FnOnce(&mut Matcher<'t>) -> Option<T>,
    ) -> Option<T> {
        let mut matcher = table.matcher(false).over(&self.text);
        let found = pass(&mut matcher)?;
        // Nobody else fills it before the pass is over.
        let _ = self.matched.set(matcher.finish());
        Some(found)
    }

    /// What `table` finds; from the tree where the pass could not tell.
    pub(super) fn matched(&self, table: &Table) -> &[Option<Matches>] {
        let _ = self.skimmed();
        self.matched.get_or_init(|| {
            let dom = self.dom();
            if dom.flavour() != Flavour::Html {
                return Vec::new(); // other rules for names
            }
            let mut matcher = table.matcher(dom.is_quirky());
            matcher.walk(dom);
            matcher.finish()
        })
    }

    /// Whether it is known already that there are no crowded tags: if the stream could tell all.
    fn has_no_crowds(&self) -> bool {
        let is_skimmed = self.skimmed.get().is_some_and(Option::is_some);
        is_skimmed || self.scanned.get().is_some_and(|(scan, _)| scan.is_streamed)
    }

    pub(crate) fn dom(&self) -> &Dom {
        if self.kind == Kind::Xml {
            return self.dom.get_or_init(|| Dom::xml(&self.text));
        }
        self.dom.get_or_init(|| {
            // Selectors read whatever it is as HTML.
            let crowds = if self.has_no_crowds() { Vec::new() } else { crowds(&self.text) };
            Dom::html(&self.text, &crowds)
        })
    }
}
