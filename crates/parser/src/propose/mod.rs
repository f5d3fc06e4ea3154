//! Proposes a declarative spider for a page, from what repeats on it.
//!
//! Lists are made by programs, so their items have one shape. The elements that are alike are put
//! into sets (`groups.rs`); within a set, what stands at the same place in all items and differs
//! from one to the next is a field (`slots.rs`, `fields.rs`). The set wins whose fields tell most,
//! that covers most of the page, and that does not lead about the site. Selectors are those a person
//! would write: names of classes that mean something, else elements.
//!
//! The time is bounded: linear in the document for the sets, then 60 sets with 16 items of 250
//! elements each. A page is data here like anywhere: what it says ends up in names and selectors
//! only as letters, digits, `-` and `_`.

mod field;
mod fields;
mod groups;
mod names;
mod next;
mod slots;
mod structured;
mod table;

use crawl_model::{CanonicalUrl, Request, Response};
use crawl_spider::{Harvest, NodeId, Spider, Value};
use indexmap::IndexMap;

use crate::css::compile;
use crate::document::TestPage;
use crate::dom::Dom;
use crate::spiders::{ConfigSpider, FieldConfig, FieldSpec, FieldType, ItemConfig, SpiderConfig};

pub use field::Kind;

use fields::Fields;
use groups::Group;

/// Least score of a set of items: what tells less is no list worth proposing.
const LEAST_SCORE: f64 = 1.6;

/// A spider for a page of items.
#[derive(Debug, Clone, PartialEq)]
pub struct Proposal {
    /// The selector of the items.
    pub select: String,
    /// Their fields, in the order of the document as far as it can be told.
    pub fields: Vec<FieldDraft>,
    /// The selector of the link to the next page; `None` if there is none.
    pub next: Option<String>,
    /// What a crawl takes from the page with this spider.
    pub items: Vec<Value>,
    /// What the page says in machine-readable form: a line per kind of thing.
    pub structured: Vec<String>,
}

/// A field of a [`Proposal`].
#[derive(Debug, Clone, PartialEq)]
pub struct FieldDraft {
    /// Its name: letters, digits and `_`.
    pub name: String,
    /// What it seems to hold.
    pub kind: Kind,
    /// Its selector within the item; empty for the item itself.
    pub css: String,
    /// The attribute that has it; `None`: the text.
    pub attr: Option<String>,
    /// What is kept of the value; `None`: all.
    pub regex: Option<String>,
    /// Whether it is a list of all matches.
    pub all: bool,
}

/// Nothing on the page repeats in a way that looks like a list of items.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the page has no repeated structure that looks like a list of items")]
pub struct NoItems {
    /// What the page says in machine-readable form, as in [`Proposal::structured`].
    pub structured: Vec<String>,
    /// The selector of a link to a next page, if there is one all the same.
    pub next: Option<String>,
}

impl FieldDraft {
    fn text(kind: Kind, css: &str) -> Self {
        let (name, css) = (String::new(), css.to_owned());
        Self { name, kind, css, attr: None, regex: None, all: false }
    }

    fn attr(kind: Kind, css: &str, attr: &str) -> Self {
        Self { attr: Some(attr.to_owned()), ..Self::text(kind, css) }
    }

    /// Whether a number is made of it.
    #[must_use]
    pub fn is_number(&self) -> bool {
        matches!(self.kind, Kind::Price | Kind::Number)
    }

    /// Whether it is a URL.
    #[must_use]
    pub fn is_link(&self) -> bool {
        matches!(self.kind, Kind::Link | Kind::Image)
    }

    /// What is made of it; `None`: a text.
    fn field_type(&self) -> Option<FieldType> {
        match (self.is_number(), self.is_link()) {
            (true, _) => Some(FieldType::Number),
            (_, true) => Some(FieldType::Url),
            _ => None,
        }
    }

    /// As it is written in a config.
    #[must_use]
    pub fn to_spec(&self) -> FieldSpec {
        FieldSpec {
            css: self.css.clone(),
            attr: self.attr.clone(),
            regex: self.regex.clone(),
            kind: self.field_type(),
            all: self.all,
            ..FieldSpec::default()
        }
    }
}

impl Proposal {
    /// The spider as it is written in a config.
    #[must_use]
    pub fn to_config(&self) -> SpiderConfig {
        let field =
            |draft: &FieldDraft| (draft.name.clone(), FieldConfig::Long(draft.to_spec().into()));
        let fields: IndexMap<_, _> = self.fields.iter().map(field).collect();
        let item =
            ItemConfig { select: Some(self.select.clone()), fields, ..ItemConfig::default() };
        SpiderConfig {
            follow: Some(self.next.iter().cloned().collect()),
            items: vec![item],
            ..SpiderConfig::default()
        }
    }
}

/// Proposes a spider for the list of items on a page.
///
/// # Errors
/// [`NoItems`] if there is no such list.
///
/// # Examples
/// ```
/// let page = crawl_parser::page_from_html("http://h/", "<ul id=tea>\
///     <li class=tea><h3>Assam</h3><b class=price>$4.50</b>\
///     <li class=tea><h3>Earl Grey</h3><b class=price>$5.00</b>\
///     <li class=tea><h3>Sencha</h3><b class=price>$6.20</b></ul>")?;
/// let proposal = crawl_parser::propose(page).expect("three teas");
/// assert_eq!(proposal.select, "li.tea");
/// assert_eq!(proposal.fields[1].css, ".price");
/// assert_eq!(proposal.items[2]["price"], 6.2);
/// # Ok::<(), crawl_spider::SpiderError>(())
/// ```
pub fn propose(page: TestPage) -> Result<Proposal, NoItems> {
    let structured = structured::kinds(&page.page());
    let dom = page.document.dom();
    let next = next::next_link(dom);
    let Some((select, fields)) = best(dom) else { return Err(NoItems { structured, next }) };
    let mut proposal = Proposal { select, fields, next, items: Vec::new(), structured };
    match run(&page, &proposal) {
        Some(items) if items.len() >= groups::MIN_ITEMS => proposal.items = items,
        _ => {
            let (structured, next) = (proposal.structured, proposal.next);
            return Err(NoItems { structured, next });
        }
    }
    Ok(proposal)
}

/// As [`propose`], for a response as it was fetched.
///
/// # Errors
/// As for [`propose`].
pub fn propose_of(url: &CanonicalUrl, response: Response) -> Result<Proposal, NoItems> {
    propose(TestPage::new(Request::get(url.clone()), response))
}

/// What a crawl takes from the page; `None` if the proposal does not stand.
fn run(page: &TestPage, proposal: &Proposal) -> Option<Vec<Value>> {
    let spider = ConfigSpider::new(proposal.to_config()).ok()?;
    let mut out = Harvest::new();
    spider.parse(&page.page(), &mut out).ok()?;
    out.items().iter().map(|item| serde_json::from_str(&item.json).ok()).collect()
}

/// Items and fields of the set that tells most.
fn best(dom: &Dom) -> Option<(String, Vec<FieldDraft>)> {
    let n_text = text_len(dom, dom.document()).max(1);
    let mut scored: Vec<(f64, Group<'_>, Vec<FieldDraft>)> = Vec::new();
    for group in groups::groups(dom) {
        let sample = sample(&group.nodes);
        let fields = Fields::of(dom, &sample, group.class);
        if fields.drafts.len() < 2 && fields.weight() < 2.0 {
            continue;
        }
        let covered: usize = sample.iter().map(|&node| text_len(dom, node)).sum::<usize>()
            * group.nodes.len()
            / sample.len();
        let covers = (covered as f64 / n_text as f64).min(1.0);
        let n = (1.0 + group.nodes.len().min(50) as f64).ln();
        let mut score = fields.weight() * n * (0.25 + covers) / 2.0;
        let n_about = sample.iter().filter(|&&node| groups::is_about_site(dom, node)).count();
        if n_about * 2 > sample.len() {
            score *= 0.1;
        }
        let tag = dom.name(sample[0]);
        if names::is_item(group.class) || matches!(tag, "article" | "tr") {
            score *= 1.2;
        }
        score *= [1.0, 0.97, 0.9][usize::from(group.rank.min(2))];
        scored.push((score, group, fields.drafts));
    }
    // Of sets that tell the same the innermost is nearest to its fields.
    let start = |group: &Group<'_>| group.nodes.first().map(|node| node.0);
    scored.sort_by(|(a, of_a, _), (b, of_b, _)| {
        b.total_cmp(a).then_with(|| start(of_b).cmp(&start(of_a)))
    });
    scored.into_iter().take_while(|(score, ..)| *score >= LEAST_SCORE).find_map(
        |(_, group, drafts)| {
            let fits = |css: &String| selects(dom, css, &group.nodes);
            let select = groups::selectors(dom, &group).into_iter().find(fits)?;
            Some((select, drafts))
        },
    )
}

/// Some of the items, from all over the list.
fn sample(nodes: &[NodeId]) -> Vec<NodeId> {
    let step = nodes.len().div_ceil(slots::SAMPLE);
    nodes.iter().copied().step_by(step.max(1)).collect()
}

/// Bytes of text below a node, blanks left out; what is not shown is no text.
fn text_len(dom: &Dom, node: NodeId) -> usize {
    let is_hidden =
        |node| dom.parent(node).is_some_and(|above| matches!(dom.name(above), "script" | "style"));
    let texts =
        dom.descendants(node).filter(|&node| dom.kind(node) == Some(crate::dom::NodeKind::Text));
    texts
        .filter(|&node| !is_hidden(node))
        .filter_map(|node| dom.data(node))
        .map(|text| text.trim().len())
        .sum()
}

/// Whether a selector selects these elements, and hardly any other but inside of them.
fn selects(dom: &Dom, css: &str, nodes: &[NodeId]) -> bool {
    let Ok(selector) = compile(css) else { return false };
    let found = selector.select(dom, None);
    let (mut n_wanted, mut n_strange) = (0, 0);
    for node in found {
        let at = nodes.partition_point(|known| known.0 <= node.0);
        match at.checked_sub(1).map(|at| nodes[at]) {
            Some(known) if known == node => n_wanted += 1,
            Some(known) if node.0 < dom.end(known) => {}
            _ => n_strange += 1,
        }
    }
    n_wanted == nodes.len() && n_strange * 10 <= nodes.len() + 10
}
