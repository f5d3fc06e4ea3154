//! Whether what must hold does hold.

use std::process::ExitCode;

/// Says so, line by line.
#[derive(Debug)]
pub struct Judge {
    /// Whether floors are judged.
    judges: bool,
    is_broken: bool,
}

impl Judge {
    /// Nothing is judged yet. A short run, of less than a million, proves that the
    /// benchmark runs and nothing more: its floors are told, not judged.
    #[must_use]
    pub fn of(millions: f64) -> Self {
        Self { judges: millions >= 1.0, is_broken: false }
    }

    /// A figure that must be at least `floor`.
    pub fn at_least(&mut self, what: &str, figure: f64, floor: f64) {
        self.floor(what, figure >= floor, &format!("{} (at least {})", show(figure), show(floor)));
    }

    /// A figure that must be at most `most`.
    pub fn at_most(&mut self, what: &str, figure: f64, most: f64) {
        self.floor(what, figure <= most, &format!("{} (at most {})", show(figure), show(most)));
    }

    fn floor(&mut self, what: &str, holds: bool, figure: &str) {
        let word = match (self.judges, holds) {
            (false, _) => "-",
            (true, true) => "holds",
            (true, false) => "BROKEN",
        };
        println!("  {word:6} {what}: {figure}");
        self.is_broken |= self.judges && !holds;
    }

    /// What holds whatever the machine: if it does not, something is wrong with the crawl.
    pub fn must(&mut self, what: &str, holds: bool) {
        println!("  {:6} {what}", if holds { "holds" } else { "BROKEN" });
        self.is_broken |= !holds;
    }

    /// How the process ends.
    #[must_use]
    pub fn exit(self) -> ExitCode {
        if self.is_broken { ExitCode::FAILURE } else { ExitCode::SUCCESS }
    }
}

/// Large figures with their thousands apart, small ones with two decimals.
#[must_use]
pub fn show(figure: f64) -> String {
    if figure.abs() < 1000.0 {
        return format!("{figure:.2}");
    }
    let digits = format!("{figure:.0}");
    let mut out = String::new();
    for (n, digit) in digits.chars().enumerate() {
        if n > 0 && (digits.len() - n).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}
