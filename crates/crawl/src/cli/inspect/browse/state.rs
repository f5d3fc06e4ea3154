//! What the browser shows, and what keys do to it.

use std::ops::ControlFlow;

use crawl::store::inspect::{Condition, Query, What};
use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyEventKind, KeyModifiers};
use serde_json::Value;

use super::desk::{Desk, Message};

/// Most rows of a list; who wants others narrows it.
pub(super) const MOST_ROWS: usize = 5_000;

/// What can be listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tab {
    Hosts,
    Pages,
    Errors,
    Items,
}

impl Tab {
    pub(super) const ALL: [Self; 4] = [Self::Hosts, Self::Pages, Self::Errors, Self::Items];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Hosts => "Hosts",
            Self::Pages => "Pages",
            Self::Errors => "Errors",
            Self::Items => "Items",
        }
    }

    fn what(self) -> What {
        match self {
            Self::Hosts => What::Hosts,
            Self::Pages => What::Pages,
            Self::Errors => What::Errors,
            Self::Items => What::Items,
        }
    }
}

/// Where the keys go.
pub(super) enum Mode {
    List,
    /// A condition is being typed.
    Typing(String),
    /// One row is looked at; lines from `top` on.
    Preview {
        lines: Vec<String>,
        top: usize,
    },
}

pub(super) struct Browser {
    pub(super) folder: String,
    pub(super) tab: Tab,
    pub(super) mode: Mode,
    /// A condition, or nothing.
    pub(super) filter: String,
    pub(super) rows: Vec<Value>,
    pub(super) selected: usize,
    pub(super) is_loading: bool,
    /// What is wrong with the condition or the crawl.
    pub(super) trouble: Option<String>,
    /// Rows that fit on the screen, as it was drawn last.
    pub(super) height: usize,
    desk: Desk,
}

impl Browser {
    pub(super) fn new(folder: String, filter: String, desk: Desk) -> Self {
        let mut browser = Self {
            folder,
            tab: Tab::Pages,
            mode: Mode::List,
            filter,
            rows: Vec::new(),
            selected: 0,
            is_loading: false,
            trouble: None,
            height: 1,
            desk,
        };
        browser.load();
        browser
    }

    /// Asks for the rows of the tab anew.
    fn load(&mut self) {
        self.rows.clear();
        (self.selected, self.trouble, self.is_loading) = (0, None, true);
        let fields = match self.filter.trim() {
            "" => Vec::new(),
            filter => match filter.parse::<Condition>() {
                Ok(condition) => vec![condition],
                Err(error) => {
                    (self.trouble, self.is_loading) = (Some(error), false);
                    return;
                }
            },
        };
        let limit = Some(MOST_ROWS as u64);
        self.desk.rows(Query { what: self.tab.what(), fields, limit, ..Query::default() });
    }

    /// Takes in what the desk has found.
    pub(super) fn listen(&mut self) {
        while let Some(message) = self.desk.next() {
            match message {
                Message::Row(row) => self.rows.push(row),
                Message::Lines(more) => {
                    if let Mode::Preview { lines, .. } = &mut self.mode {
                        lines.extend(more);
                    }
                }
                Message::End(trouble) => (self.is_loading, self.trouble) = (false, trouble),
            }
        }
    }

    /// Does what a key means; breaks when the user leaves.
    pub(super) fn press(&mut self, key: KeyEvent) -> ControlFlow<()> {
        if key.kind == KeyEventKind::Release {
            return ControlFlow::Continue(());
        }
        if key.modifiers.contains(KeyModifiers::CONTROL) && key.code == KeyCode::Char('c') {
            return ControlFlow::Break(());
        }
        match &mut self.mode {
            Mode::Typing(_) => self.press_typing(key.code),
            Mode::Preview { .. } => self.press_preview(key.code),
            Mode::List => return self.press_list(key.code),
        }
        ControlFlow::Continue(())
    }

    fn press_list(&mut self, key: KeyCode) -> ControlFlow<()> {
        let last = self.rows.len().saturating_sub(1);
        match key {
            KeyCode::Char('q') | KeyCode::Esc => return ControlFlow::Break(()),
            KeyCode::Char('/') => self.mode = Mode::Typing(self.filter.clone()),
            KeyCode::Char('r') => self.load(),
            KeyCode::Tab | KeyCode::Right => self.turn(1),
            KeyCode::BackTab | KeyCode::Left => self.turn(Tab::ALL.len() - 1),
            KeyCode::Char(digit @ '1'..='4') => {
                let at = digit as usize - '1' as usize;
                self.show(Tab::ALL[at]);
            }
            KeyCode::Enter => self.open(),
            key => self.selected = moved(self.selected, key, self.height).min(last),
        }
        ControlFlow::Continue(())
    }

    fn turn(&mut self, by: usize) {
        let at = Tab::ALL.iter().position(|tab| *tab == self.tab).unwrap_or(0);
        self.show(Tab::ALL[(at + by) % Tab::ALL.len()]);
    }

    fn show(&mut self, tab: Tab) {
        self.tab = tab;
        self.load();
    }

    /// Of a host its pages, of anything else the preview.
    fn open(&mut self) {
        let Some(row) = self.rows.get(self.selected) else { return };
        if self.tab == Tab::Hosts {
            self.filter = format!("host='{}'", row["host"].as_str().unwrap_or_default());
            return self.show(Tab::Pages);
        }
        self.desk.preview(row.clone());
        (self.is_loading, self.trouble) = (true, None);
        self.mode = Mode::Preview { lines: Vec::new(), top: 0 };
    }

    fn press_typing(&mut self, key: KeyCode) {
        let Mode::Typing(text) = &mut self.mode else { return };
        match key {
            KeyCode::Char(c) => text.push(c),
            KeyCode::Backspace => drop(text.pop()),
            KeyCode::Esc => self.mode = Mode::List,
            KeyCode::Enter => {
                self.filter = std::mem::take(text);
                self.mode = Mode::List;
                self.load();
            }
            _ => {}
        }
    }

    fn press_preview(&mut self, key: KeyCode) {
        let Mode::Preview { lines, top } = &mut self.mode else { return };
        match key {
            KeyCode::Char('q') | KeyCode::Esc | KeyCode::Left | KeyCode::Backspace => {
                self.mode = Mode::List;
            }
            key => *top = moved(*top, key, self.height).min(lines.len().saturating_sub(1)),
        }
    }
}

/// Where a key leads to from `at`; the end is wherever the caller says.
fn moved(at: usize, key: KeyCode, page: usize) -> usize {
    match key {
        KeyCode::Down | KeyCode::Char('j') => at + 1,
        KeyCode::Up | KeyCode::Char('k') => at.saturating_sub(1),
        KeyCode::PageDown | KeyCode::Char(' ') => at + page,
        KeyCode::PageUp => at.saturating_sub(page),
        KeyCode::Home | KeyCode::Char('g') => 0,
        KeyCode::End | KeyCode::Char('G') => usize::MAX,
        _ => at,
    }
}
