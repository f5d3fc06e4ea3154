//! How far a question has got that takes longer than people like to wait without a word.

use std::io::{IsTerminal, Write};
use std::time::{Duration, Instant};

use crawl::store::inspect::Looked;

use crate::cli::progress::grouped;

/// Nothing is said before, and nothing new sooner.
const PAUSE: Duration = Duration::from_secs(1);

/// A line on stderr, if that is a terminal, until there are rows.
pub(super) struct Note {
    is_terminal: bool,
    said: Instant,
    is_open: bool,
}

impl Note {
    pub(super) fn new() -> Self {
        let is_terminal = std::io::stderr().is_terminal();
        Self { is_terminal, said: Instant::now(), is_open: false }
    }

    /// Says how far it is, if it is time to.
    pub(super) fn say(&mut self, looked: Looked) {
        if !self.is_terminal || self.said.elapsed() < PAUSE {
            return;
        }
        self.said = Instant::now();
        self.is_open = true;
        // Carriage return, the line, and "erase to the end" (ECMA-48, EL).
        eprint!("\r{}\u{1b}[K", line(looked));
        // A terminal that is gone needs no progress.
        let _ = std::io::stderr().flush();
    }

    /// Takes the line away: something else is to be shown.
    pub(super) fn clear(&mut self) {
        if std::mem::take(&mut self.is_open) {
            eprint!("\r\u{1b}[K");
        }
    }
}

fn line(Looked { n, of }: Looked) -> String {
    format!(".. {} of {} pages looked at", grouped(n), grouped(of))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_says_how_many_of_how_many() {
        let line = line(Looked { n: 340_000, of: 1_000_000 });
        assert_eq!(line, ".. 340,000 of 1,000,000 pages looked at");
    }

    #[test]
    fn nothing_is_said_where_nobody_waits() {
        let mut note = Note { is_terminal: true, ..Note::new() };
        note.say(Looked { n: 1, of: 2 });
        assert!(!note.is_open, "it is too soon");
        let long_ago = Instant::now().checked_sub(2 * PAUSE).unwrap();
        let mut note = Note { is_terminal: false, said: long_ago, is_open: false };
        note.say(Looked { n: 1, of: 2 });
        assert!(!note.is_open, "it is no terminal");
    }
}
