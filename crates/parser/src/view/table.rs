//! Tables as rows: "forming a table" (HTML Standard, section 4.9.12), within bounds.

use std::collections::HashMap;

use crawl_spider::{NodeId, Table};

use super::text::shown;
use crate::dom::Dom;

/// Places of one table that are filled beyond its cells: by spans, and to make rows of one length.
const MAX_FILLED: usize = 1_000_000;

/// Bytes of text that are repeated in the places that a cell spans.
const MAX_REPEATED_BYTES: usize = 32 << 20;

/// A place of a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Slot {
    /// The cell that covers it; `None` if none does.
    pub(super) cell: Option<NodeId>,
    /// Whether the cell begins here.
    pub(super) is_start: bool,
}

impl Slot {
    const EMPTY: Self = Self { cell: None, is_start: false };
}

/// A table's places.
#[derive(Debug, Default)]
pub(super) struct Grid {
    pub(super) caption: Option<NodeId>,
    /// The rows of column names.
    pub(super) head: Vec<Vec<Slot>>,
    pub(super) body: Vec<Vec<Slot>>,
    pub(super) truncated: bool,
}

/// A `table` element as rows of texts; `None` if it is none.
pub(crate) fn table(dom: &Dom, node: NodeId) -> Option<Table> {
    let grid = grid(dom, node, MAX_FILLED)?;
    let mut texts = Texts { dom, known: HashMap::new(), left: MAX_REPEATED_BYTES, cut: false };
    let head: Vec<Vec<String>> = grid.head.iter().map(|row| texts.row(row)).collect();
    let rows = grid.body.iter().map(|row| texts.row(row)).collect();
    Some(Table {
        caption: grid.caption.map(|node| shown(dom, node)),
        headers: joined(head),
        rows,
        truncated: grid.truncated || texts.cut,
    })
}

/// Texts of cells, those that span read once.
struct Texts<'a> {
    dom: &'a Dom,
    known: HashMap<NodeId, String>,
    left: usize,
    cut: bool,
}

impl Texts<'_> {
    fn row(&mut self, row: &[Slot]) -> Vec<String> {
        row.iter().map(|slot| self.text(*slot)).collect()
    }

    fn text(&mut self, slot: Slot) -> String {
        let Some(cell) = slot.cell else { return String::new() };
        if slot.is_start {
            let text = shown(self.dom, cell);
            let spans = ["colspan", "rowspan"].iter().any(|a| self.dom.attr(cell, a).is_some());
            if spans {
                self.known.insert(cell, text.clone());
            }
            return text;
        }
        let text = self.known.get(&cell).map_or("", String::as_str);
        match self.left.checked_sub(text.len()) {
            Some(left) => {
                self.left = left;
                text.to_owned()
            }
            None => {
                self.cut = true;
                String::new()
            }
        }
    }
}

/// Column names of one or several rows: what stands above a column, each text once.
fn joined(rows: Vec<Vec<String>>) -> Vec<String> {
    let mut rows = rows.into_iter();
    let mut names = rows.next().unwrap_or_default();
    let mut last = names.clone();
    for row in rows {
        if row.len() > names.len() {
            names.resize(row.len(), String::new());
            last.resize(row.len(), String::new());
        }
        for (at, text) in row.into_iter().enumerate() {
            if text.is_empty() || last[at] == text {
                continue;
            }
            if !names[at].is_empty() {
                names[at].push(' ');
            }
            names[at].push_str(&text);
            last[at] = text;
        }
    }
    names
}

/// The places of a `table` element; `None` if it is none.
///
/// At most so many places are filled beyond the cells; spans that ask for more end early.
pub(super) fn grid(dom: &Dom, table: NodeId, max_filled: usize) -> Option<Grid> {
    if !dom.is_element(table) || dom.name(table) != "table" {
        return None;
    }
    let mut forming = Forming { dom, grid: Grid::default(), left: max_filled };
    let mut feet = Vec::new();
    let mut loose: Vec<NodeId> = Vec::new();
    for child in dom.children(table).filter(|child| dom.is_element(*child)) {
        if dom.name(child) == "tr" {
            loose.push(child); // only in XML; rows side by side are a group
            continue;
        }
        forming.group(std::mem::take(&mut loose).into_iter(), false);
        match dom.name(child) {
            "caption" if forming.grid.caption.is_none() => forming.grid.caption = Some(child),
            "thead" => forming.group(rows(dom, child), true),
            "tbody" => forming.group(rows(dom, child), false),
            "tfoot" => feet.push(child),
            _ => {}
        }
    }
    forming.group(loose.into_iter(), false);
    for foot in feet {
        forming.group(rows(dom, foot), false);
    }
    Some(forming.finish())
}

fn rows(dom: &Dom, group: NodeId) -> impl Iterator<Item = NodeId> + '_ {
    dom.children(group).filter(|row| dom.name(*row) == "tr")
}

/// A table being formed.
struct Forming<'a> {
    dom: &'a Dom,
    grid: Grid,
    /// Places that may still be filled.
    left: usize,
}

impl Forming<'_> {
    /// "Processing row groups": cells do not grow beyond the end of their group.
    fn group(&mut self, rows: impl Iterator<Item = NodeId>, is_head: bool) {
        // Per column the cell that grows down into the next row, and how many rows it has left.
        let mut growing: Vec<Option<(NodeId, u32)>> = Vec::new();
        for row in rows {
            let slots = self.row(row, &mut growing);
            if is_head {
                self.grid.head.push(slots);
            } else {
                self.grid.body.push(slots);
            }
        }
    }

    /// "Processing rows".
    fn row(&mut self, row: NodeId, growing: &mut Vec<Option<(NodeId, u32)>>) -> Vec<Slot> {
        let dom = self.dom;
        let mut slots = Vec::new();
        for cell in dom.children(row).filter(|cell| matches!(dom.name(*cell), "td" | "th")) {
            while growing.get(slots.len()).is_some_and(Option::is_some)
                && self.grown(&mut slots, growing)
            {}
            let n_columns = span(dom.attr(cell, "colspan")).unwrap_or(1).clamp(1, 1000);
            let n_rows = match span(dom.attr(cell, "rowspan")).unwrap_or(1) {
                0 => u32::MAX, // to the end of the group
                n => n.min(65_534),
            };
            for column in 0..n_columns {
                if column > 0 && !self.fill() {
                    break;
                }
                let at = slots.len();
                if n_rows > 1 {
                    growing.resize(growing.len().max(at + 1), None);
                    growing[at] = Some((cell, n_rows));
                }
                slots.push(Slot { cell: Some(cell), is_start: column == 0 });
            }
        }
        while slots.len() < growing.len() && self.grown(&mut slots, growing) {}
        for column in growing.iter_mut() {
            *column = column.map(|(cell, left)| (cell, left - 1)).filter(|(_, left)| *left > 0);
        }
        while growing.last().is_some_and(Option::is_none) {
            growing.pop();
        }
        slots
    }

    /// Fills the next place with what grows into it. False if there may be no more.
    fn grown(&mut self, slots: &mut Vec<Slot>, growing: &mut Vec<Option<(NodeId, u32)>>) -> bool {
        if !self.fill() {
            growing.clear();
            return false;
        }
        let cell = growing.get(slots.len()).copied().flatten().map(|(cell, _)| cell);
        slots.push(Slot { cell, is_start: false });
        true
    }

    fn fill(&mut self) -> bool {
        match self.left.checked_sub(1) {
            Some(left) => self.left = left,
            None => self.grid.truncated = true,
        }
        !self.grid.truncated
    }

    fn finish(mut self) -> Grid {
        let grid = &mut self.grid;
        if grid.head.is_empty()
            && let Some(first) = grid.body.first()
            && is_header(self.dom, first)
        {
            grid.head.push(grid.body.remove(0));
        }
        let rows = || grid.head.iter().chain(&grid.body);
        let width = rows().map(Vec::len).max().unwrap_or(0);
        let n_missing: usize = rows().map(|row| width - row.len()).sum();
        if n_missing > self.left {
            grid.truncated = true;
        } else {
            for row in grid.head.iter_mut().chain(&mut grid.body) {
                row.resize(width, Slot::EMPTY);
            }
        }
        self.grid
    }
}

/// Whether a row names the columns: all its cells are header cells.
fn is_header(dom: &Dom, row: &[Slot]) -> bool {
    let mut cells = row.iter().filter_map(|slot| slot.cell).peekable();
    cells.peek().is_some() && cells.all(|cell| dom.name(cell) == "th")
}

/// "Rules for parsing non-negative integers" (section 2.3.4.2); `None` if it is none.
fn span(value: Option<&str>) -> Option<u32> {
    let value = value?.trim_start_matches(|c: char| c.is_ascii_whitespace());
    let digits = value.strip_prefix('+').unwrap_or(value);
    let end = digits.bytes().position(|b| !b.is_ascii_digit()).unwrap_or(digits.len());
    match end {
        0 if value.starts_with("-0") => Some(0),
        0 => None,
        _ => Some(digits[..end].parse().unwrap_or(u32::MAX)),
    }
}
