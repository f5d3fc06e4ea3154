//! `crawl inspect STORE --tui`: hosts, pages, errors and items on the whole screen, with a preview.
//!
//! ```text
//! keys --> Browser (what is shown) --draws--> view
//!             ^ Message
//!             +--------- Desk: one thread that asks the crawl
//! ```
//!
//! The screen never waits for the store. A new question makes the answers to older ones void.

mod desk;
mod preview;
mod state;
mod view;

use std::io::{self, IsTerminal};
use std::path::Path;
use std::time::Duration;

use crawl::store::inspect::Condition;
use ratatui::DefaultTerminal;
use ratatui::crossterm::event::{self, Event};

use super::source::Crawl;
use crate::cli::failure::{Exit, Failure};
use desk::Desk;
use state::Browser;

/// How long the screen waits for a key before it looks for rows.
const TICK: Duration = Duration::from_millis(50);

/// Shows the crawl in `folder` until the user has enough.
pub(super) fn browse(folder: &Path, conditions: &[Condition]) -> Result<(), Failure> {
    if !io::stdout().is_terminal() || !io::stdin().is_terminal() {
        let error = "`--tui` needs a terminal";
        return Err(Failure::new(Exit::Usage, error).hint("`--json` prints rows for programs"));
    }
    let crawl = Crawl::open(folder)?;
    let filter = conditions.iter().map(|condition| format!("({condition})"));
    let filter = match conditions {
        [one] => one.to_string(),
        _ => filter.collect::<Vec<_>>().join(" and "),
    };
    let name = folder.display().to_string();
    let browser = Browser::new(name, filter, Desk::open(crawl));
    let terminal = ratatui::try_init();
    let shown = terminal.and_then(|terminal| show(terminal, browser));
    let restored = ratatui::try_restore();
    shown.and(restored).map_err(|error| Failure::new(Exit::Broken, error))
}

fn show(mut terminal: DefaultTerminal, mut browser: Browser) -> io::Result<()> {
    loop {
        browser.listen();
        terminal.draw(|frame| view::draw(frame, &mut browser))?;
        if !event::poll(TICK)? {
            continue;
        }
        if let Event::Key(key) = event::read()?
            && browser.press(key).is_break()
        {
            return Ok(());
        }
    }
}
