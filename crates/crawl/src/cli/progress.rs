//! One line every few seconds that says how a crawl is getting on.

use std::io::{IsTerminal, Write};
use std::time::{Duration, Instant};

use crawl::Counts;

/// How often a terminal's line is renewed.
const ON_TERMINAL: Duration = Duration::from_secs(1);
/// How often a line is added where lines are kept: a log, a file.
const IN_LOG: Duration = Duration::from_secs(5);

/// The progress of one run, on stderr.
pub(crate) struct Progress {
    is_terminal: bool,
    started: Instant,
    /// Pages that earlier runs had settled: not this run's speed.
    pages_before: u64,
    is_line_open: bool,
}

impl Progress {
    pub(crate) fn new() -> Self {
        Self {
            is_terminal: std::io::stderr().is_terminal(),
            started: Instant::now(),
            pages_before: 0,
            is_line_open: false,
        }
    }

    /// Begins to count from here: what is settled already is no merit of this run.
    pub(crate) fn begin(&mut self, counts: &Counts) {
        self.pages_before = counts.pages;
    }

    /// How often [`show`](Self::show) is to be called.
    pub(crate) fn period(&self) -> Duration {
        if self.is_terminal { ON_TERMINAL } else { IN_LOG }
    }

    /// Shows where things stand.
    pub(crate) fn show(&mut self, counts: &Counts, is_paused: bool) {
        let pages_this_run = counts.pages.saturating_sub(self.pages_before);
        let mut line = line(counts, pages_this_run, self.started.elapsed());
        if is_paused {
            line.push_str("  paused");
        }
        if self.is_terminal {
            // Carriage return, the line, and "erase to the end" (ECMA-48, EL).
            eprint!("\r{line}\u{1b}[K");
            // A terminal that is gone needs no progress.
            let _ = std::io::stderr().flush();
            self.is_line_open = true;
        } else {
            eprintln!("{line}");
        }
    }

    /// Says something between two progress lines.
    pub(crate) fn say(&mut self, message: &str) {
        self.end_line();
        eprintln!("{message}");
    }

    /// Leaves the last progress line standing and begins a new one.
    pub(crate) fn end_line(&mut self) {
        if std::mem::take(&mut self.is_line_open) {
            eprintln!();
        }
    }
}

fn line(counts: &Counts, pages_this_run: u64, elapsed: Duration) -> String {
    let rate = pages_this_run as f64 / elapsed.as_secs_f64().max(0.001);
    let mut line = format!(
        "{}  {} pages ({}/s)  {} items  {} queued  {} in flight",
        seconds(elapsed),
        grouped(counts.pages),
        if rate < 9.95 { format!("{rate:.1}") } else { grouped(rate.round() as u64) },
        grouped(counts.items),
        grouped(counts.queued + counts.pending),
        grouped(counts.in_flight),
    );
    let redirected = counts.settled.get("redirected").copied().unwrap_or_default();
    let ok = counts.settled.get("ok").copied().unwrap_or_default();
    let failed = counts.n_settled().saturating_sub(ok + redirected);
    if failed > 0 {
        line.push_str(&format!("  {} failed", grouped(failed)));
    }
    line
}

/// A duration as people say it: `0.8s`, `12s`, `3m 05s`, `2h 03m`.
pub(crate) fn seconds(duration: Duration) -> String {
    let s = duration.as_secs();
    match s {
        0..10 => format!("{:.1}s", duration.as_secs_f64()),
        10..60 => format!("{s}s"),
        60..3600 => format!("{}m {:02}s", s / 60, s % 60),
        _ => format!("{}h {:02}m", s / 3600, s % 3600 / 60),
    }
}

/// A number with a comma between thousands.
pub(crate) fn grouped(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::with_capacity(digits.len() * 4 / 3);
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_times_read_as_people_write_them() {
        assert_eq!([0, 999, 1000, 1_234_567].map(grouped), ["0", "999", "1,000", "1,234,567"]);
        let times = [800, 12_300, 185_000, 7_400_000].map(Duration::from_millis);
        assert_eq!(times.map(seconds), ["0.8s", "12s", "3m 05s", "2h 03m"]);
    }

    #[test]
    fn the_line_counts_this_runs_speed_and_all_runs_pages() {
        let mut counts = Counts { pages: 1500, items: 1000, queued: 3, ..Counts::default() };
        counts.settled.insert("ok".into(), 1498);
        counts.settled.insert("timeout".into(), 2);
        assert_eq!(
            line(&counts, 500, Duration::from_secs(20)),
            "20s  1,500 pages (25/s)  1,000 items  3 queued  0 in flight  2 failed"
        );
    }
}
