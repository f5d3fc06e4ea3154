//! Tables of data as GitHub writes them.

use crawl_spider::NodeId;

use super::Writer;
use super::escape::line_starts;
use super::inline::Mode;
use crate::dom::Dom;
use crate::view::Join;
use crate::view::table::{Grid, Slot, grid};

/// Places that are filled beyond a table's cells before it is taken for a layout: so many, and
/// four for each node in it.
const MAX_FILLED: usize = 1000;

/// A table of data; `None` if it is a layout, whose cells are read one after the other.
pub(super) fn markdown(dom: &Dom, node: NodeId, join: &Join<'_>, mode: Mode) -> Option<String> {
    if !may_be_data(dom, node) {
        return None;
    }
    let n_nodes = (dom.end(node) - node.0) as usize;
    let grid = grid(dom, node, MAX_FILLED + 4 * n_nodes)?;
    let rows = || grid.head.iter().chain(&grid.body);
    let n_columns = rows().map(Vec::len).max().unwrap_or(0);
    let n_places: usize = rows().map(Vec::len).sum();
    let n_cells = rows().flatten().filter(|slot| slot.is_start).count();
    if n_cells == 0 {
        return Some(String::new());
    }
    // One column or one row is a layout, unless it has names.
    let is_small = n_columns < 2 || (grid.head.is_empty() && grid.body.len() < 2);
    if is_small || grid.truncated || n_places > 4 * n_cells + 64 {
        return None;
    }
    let mut out = String::new();
    if let Some(caption) = grid.caption {
        let text = cell(dom, caption, join, if mode == Mode::Plain { mode } else { Mode::Heading });
        if !text.is_empty() {
            out.push_str(&line_starts(&text));
            out.push_str("\n\n");
        }
    }
    if mode == Mode::Plain {
        let lines = rows().map(|row| texts(dom, row, join, mode).join("\t"));
        let lines: Vec<String> = lines.filter(|line| !line.trim().is_empty()).collect();
        out.push_str(&lines.join("\n"));
        return Some(out.trim_end().to_owned());
    }
    write_rows(&mut out, dom, &grid, n_columns, join);
    Some(out)
}

fn write_rows(out: &mut String, dom: &Dom, grid: &Grid, n_columns: usize, join: &Join<'_>) {
    let mut head = vec![String::new(); n_columns];
    for row in &grid.head {
        // There is one row of names; what stands above comes first.
        for (name, text) in head.iter_mut().zip(texts(dom, row, join, Mode::Cell)) {
            if !name.is_empty() && !text.is_empty() {
                name.push(' ');
            }
            name.push_str(&text);
        }
    }
    write_row(out, &head);
    out.push('\n');
    write_row(out, &vec!["---".to_owned(); n_columns]);
    for row in &grid.body {
        out.push('\n');
        write_row(out, &texts(dom, row, join, Mode::Cell));
    }
}

fn write_row(out: &mut String, texts: &[String]) {
    out.push('|');
    for text in texts {
        out.push(' ');
        out.push_str(text);
        out.push_str(if text.is_empty() { "|" } else { " |" });
    }
}

/// The texts of a row; places that a cell spans are empty.
fn texts(dom: &Dom, row: &[Slot], join: &Join<'_>, mode: Mode) -> Vec<String> {
    let text = |slot: &Slot| match slot.cell.filter(|_| slot.is_start) {
        Some(node) => cell(dom, node, join, mode),
        None => String::new(),
    };
    row.iter().map(text).collect()
}

/// A cell in one line. There is no table in it, so this goes no deeper.
fn cell(dom: &Dom, node: NodeId, join: &Join<'_>, mode: Mode) -> String {
    if mode == Mode::Plain {
        return crate::view::text::shown(dom, node);
    }
    let mut writer = Writer::new(dom, join, Mode::Cell);
    writer.inline.mode = mode;
    for child in dom.children(node) {
        writer.walk(child);
    }
    writer.close_until(u32::MAX);
    writer.inline.take()
}

/// Whether nothing in a table says that it is a layout.
fn may_be_data(dom: &Dom, table: NodeId) -> bool {
    let role = dom.attr(table, "role").unwrap_or_default();
    let is_layout = ["presentation", "none"].iter().any(|word| role.eq_ignore_ascii_case(word));
    let is_large = |node: NodeId| {
        matches!(
            dom.name(node),
            "table" | "pre" | "blockquote" | "form" | "hr" | "h1" | "h2" | "h3" | "h4" | "article"
        )
    };
    !is_layout && !dom.descendants(table).any(is_large)
}
