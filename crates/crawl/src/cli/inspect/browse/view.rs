//! Draws the browser.

use ratatui::Frame;
use ratatui::layout::{Constraint, HorizontalAlignment, Layout, Rect};
use ratatui::style::{Modifier, Style};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Cell, Paragraph, Row, Table, TableState};
use serde_json::Value;

use super::state::{Browser, MOST_ROWS, Mode, Tab};
use crate::cli::progress::grouped;
use crate::cli::table::printable;

const STRONG: Style = Style::new().add_modifier(Modifier::BOLD);
const SELECTED: Style = Style::new().add_modifier(Modifier::REVERSED);
const FAINT: Style = Style::new().add_modifier(Modifier::DIM);

/// A column: its field, and how wide it is; numbers stand right, a width of 0 takes what is left.
struct Column(&'static str, u16, HorizontalAlignment);

const LEFT: HorizontalAlignment = HorizontalAlignment::Left;
const RIGHT: HorizontalAlignment = HorizontalAlignment::Right;

const HOSTS: &[Column] = &[
    Column("pages", 9, RIGHT),
    Column("settled", 9, RIGHT),
    Column("queued", 9, RIGHT),
    Column("filtered", 9, RIGHT),
    Column("items", 9, RIGHT),
    Column("bytes", 14, RIGHT),
    Column("host", 0, LEFT),
];
const PAGES: &[Column] = &[
    Column("n", 9, RIGHT),
    Column("status", 6, RIGHT),
    Column("verdict", 12, LEFT),
    Column("bytes", 11, RIGHT),
    Column("n_items", 7, RIGHT),
    Column("url", 0, LEFT),
];
const ERRORS: &[Column] = &[
    Column("n", 9, RIGHT),
    Column("status", 6, RIGHT),
    Column("verdict", 16, LEFT),
    Column("error", 30, LEFT),
    Column("url", 0, LEFT),
];

pub(super) fn draw(frame: &mut Frame<'_>, browser: &mut Browser) {
    let rows = Layout::vertical([
        Constraint::Length(1),
        Constraint::Length(1),
        Constraint::Min(1),
        Constraint::Length(1),
    ]);
    let [top, filter, middle, bottom] = rows.areas(frame.area());
    frame.render_widget(tabs(browser), top);
    frame.render_widget(condition(browser), filter);
    // The list has a line of names.
    browser.height = usize::from(middle.height).saturating_sub(1).max(1);
    match &browser.mode {
        Mode::Preview { lines, top } => preview(frame, middle, lines, *top),
        Mode::List | Mode::Typing(_) => list(frame, middle, browser),
    }
    frame.render_widget(footer(browser), bottom);
}

fn tabs(browser: &Browser) -> Line<'static> {
    let mut line = Line::default();
    for (i, tab) in Tab::ALL.into_iter().enumerate() {
        let style = if tab == browser.tab { SELECTED } else { Style::new() };
        line.push_span(Span::styled(format!(" {} {} ", i + 1, tab.name()), style));
    }
    line.push_span(Span::styled(format!("  {}", printable(&browser.folder)), FAINT));
    line
}

fn condition(browser: &Browser) -> Line<'static> {
    match (&browser.mode, &browser.trouble) {
        (Mode::Typing(text), _) => Line::from(format!("where: {text}█")).style(STRONG),
        (_, Some(trouble)) => Line::from(printable(trouble)).style(STRONG),
        _ if browser.filter.is_empty() => Line::from(""),
        _ => Line::from(format!("where: {}", browser.filter)),
    }
}

fn list(frame: &mut Frame<'_>, area: Rect, browser: &Browser) {
    let columns = match browser.tab {
        Tab::Hosts => HOSTS,
        Tab::Pages => PAGES,
        Tab::Errors => ERRORS,
        Tab::Items => return items(frame, area, browser),
    };
    let cells = |row: &Value| {
        let cell = |Column(field, _, side): &Column| cell(&row[*field], *side);
        columns.iter().map(cell).collect()
    };
    let widths = columns.iter().map(|Column(_, width, _)| match width {
        0 => Constraint::Fill(1),
        width => Constraint::Length(*width),
    });
    let names = columns.iter().map(|Column(name, _, side)| Line::from(*name).alignment(*side));
    let head = Row::new(names.map(Cell::from));
    table(frame, area, browser, head, widths.collect(), &cells);
}

/// The fields of the first items, as many as have room.
fn item_columns(rows: &[Value], width: u16) -> Vec<String> {
    const LEAST_CHARS: u16 = 14;
    let mut fields: Vec<String> = Vec::new();
    for row in rows.iter().take(50) {
        for field in row["item"].as_object().into_iter().flat_map(|item| item.keys()) {
            if !fields.contains(field) {
                fields.push(field.clone());
            }
        }
    }
    fields.truncate(usize::from(width / LEAST_CHARS).max(1));
    fields
}

fn items(frame: &mut Frame<'_>, area: Rect, browser: &Browser) {
    let fields = item_columns(&browser.rows, area.width);
    let cells = |row: &Value| match row["item"].is_object() {
        true => fields.iter().map(|field| cell(&row["item"][field.as_str()], LEFT)).collect(),
        false => vec![cell(&row["item"], LEFT)],
    };
    let widths = fields.iter().map(|_| Constraint::Fill(1)).collect();
    table(frame, area, browser, Row::new(fields.clone()), widths, &cells);
}

fn table(
    frame: &mut Frame<'_>,
    area: Rect,
    browser: &Browser,
    head: Row<'_>,
    widths: Vec<Constraint>,
    cells: &dyn Fn(&Value) -> Vec<Cell<'static>>,
) {
    // Only what is on the screen is laid out.
    let height = browser.height;
    let first = browser.selected.saturating_sub(height / 2);
    let first = first.min(browser.rows.len().saturating_sub(height));
    let rows = browser.rows.iter().skip(first).take(height).map(|row| Row::new(cells(row)));
    let table = Table::new(rows, widths).header(head.style(STRONG)).row_highlight_style(SELECTED);
    let selected = (!browser.rows.is_empty()).then(|| browser.selected - first);
    let mut state = TableState::new().with_selected(selected);
    frame.render_stateful_widget(table, area, &mut state);
}

fn preview(frame: &mut Frame<'_>, area: Rect, lines: &[String], top: usize) {
    let shown = lines.iter().skip(top).take(usize::from(area.height)).map(|line| {
        let style = if line.starts_with("── ") { STRONG } else { Style::new() };
        Line::from(printable(line)).style(style)
    });
    frame.render_widget(Paragraph::new(shown.collect::<Vec<_>>()), area);
}

fn footer(browser: &Browser) -> Line<'static> {
    let n_rows = grouped(browser.rows.len() as u64);
    let state = match (browser.is_loading, browser.rows.len() >= MOST_ROWS) {
        (true, _) => format!("{n_rows} rows, loading"),
        (false, true) => format!("the first {n_rows} rows: narrow them with /"),
        (false, false) => format!("{n_rows} rows"),
    };
    let keys = match browser.mode {
        Mode::List => "↑↓ move  Enter open  Tab next list  / condition  r again  q quit",
        Mode::Typing(_) => "Enter ask  Esc leave; such as: status=4xx and host~shop",
        Mode::Preview { .. } => "↑↓ scroll  Esc back",
    };
    Line::from(format!("{state}  {keys}")).style(FAINT)
}

fn cell(value: &Value, side: HorizontalAlignment) -> Cell<'static> {
    let text = match value {
        Value::Null => String::new(),
        Value::String(text) => printable(text),
        Value::Number(number) => number.as_u64().map_or_else(|| number.to_string(), grouped),
        other => printable(&other.to_string()),
    };
    Line::from(text).alignment(side).into()
}
