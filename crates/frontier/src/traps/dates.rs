//! Calendars: a page for each month, with a link to the next.
//!
//! Dates from 1990 to the end of next year are not counted: there are so many and no more. Of what
//! lies outside, each calendar has a number of pages. URLs are of one calendar if they differ in
//! their digits alone.
//!
//! A number is a year only beside a month, and if something else says that it is a date: a day, or
//! a word. A topic's number with that of its page is none.

use crawl_model::{CanonicalUrl, Fingerprinter};

use super::table::Table;

/// Calendars that are counted at a time.
const MAX_CALENDARS: usize = 1 << 14;
/// The first year that needs no excuse.
const FIRST_YEAR: u32 = 1990;

/// Words beside which a year and a month are a date.
const WORDS: [&str; 7] = ["calendar", "kalender", "month", "year", "agenda", "date", "/cal"];
/// And those that do if the two are written as in `2031-05`.
const DASHED_WORDS: [&str; 5] = ["event", "archive", "termin", "day", "week"];

/// Pages of calendars.
#[derive(Debug)]
pub(super) struct Dates {
    limit: u32,
    last_year: u32,
    pub(super) far: Table<u64>,
}

impl Dates {
    pub(super) fn new(limit: u32, year: u32) -> Self {
        Self { limit, last_year: year.saturating_add(1), far: Table::new(MAX_CALENDARS) }
    }

    pub(super) fn table(&mut self) -> &mut Table<u64> {
        &mut self.far
    }

    pub(super) fn refuses(&self, key: u64) -> bool {
        self.far.is_full(key, self.limit)
    }

    /// The calendar of a URL whose date lies far off.
    pub(super) fn place(&self, prints: &Fingerprinter, url: &CanonicalUrl) -> Option<u64> {
        if self.limit == 0 {
            return None;
        }
        let text = url.path_and_query();
        let year = year(text)?;
        if (FIRST_YEAR..=self.last_year).contains(&year) {
            return None;
        }
        let words = text.split(|c: char| c.is_ascii_digit()).filter(|word| !word.is_empty());
        Some(prints.of_text([url.host_str()].into_iter().chain(words)))
    }
}

/// A run of digits in a text.
#[derive(Clone, Copy)]
struct Run<'a> {
    digits: &'a str,
    at: usize,
}

impl Run<'_> {
    fn end(self) -> usize {
        self.at + self.digits.len()
    }

    /// Its value, if it has `length` digits.
    fn value(self, length: std::ops::RangeInclusive<usize>) -> Option<u32> {
        length.contains(&self.digits.len()).then(|| self.digits.parse().ok())?
    }

    fn year(self) -> Option<u32> {
        self.value(4..=4).filter(|&year| year >= 1000)
    }

    fn is_month(self) -> bool {
        self.value(1..=2).is_some_and(|month| (1..=12).contains(&month))
    }

    fn is_day(self) -> bool {
        self.value(2..=2).is_some_and(|day| (1..=31).contains(&day))
    }
}

/// The year of the first date in a URL.
fn year(text: &str) -> Option<u32> {
    let mut runs = [None; 3];
    let mut word = None;
    for run in digits(text) {
        runs.rotate_left(1);
        runs[2] = Some(run);
        let [first, second, third] = runs;
        // `/2031/05/13`, `2031-05-13`: a day, and the same sign between all three.
        if let (Some(year), Some(month), Some(day)) = (first, second, third)
            && let Some(number) = year.year()
            && month.is_month()
            && month.digits.len() == 2
            && day.is_day()
            && sign(text, year, month).is_some_and(|s| Some(s) == sign(text, month, day))
        {
            return Some(number);
        }
        if let (Some(before), Some(after)) = (second, third)
            && let Some(number) = pair(before, after)
        {
            let is_dashed = sign(text, before, after) == Some("-");
            let has = *word.get_or_insert_with(|| words(text));
            if has.0 || (has.1 && is_dashed) {
                return Some(number);
            }
        }
    }
    None
}

/// The year of a year and a month, in either order.
fn pair(before: Run<'_>, after: Run<'_>) -> Option<u32> {
    let year = |year: Run<'_>, month: Run<'_>| year.year().filter(|_| month.is_month());
    year(before, after).or_else(|| year(after, before))
}

/// The one sign between two runs; `None` if it is none of those of dates.
fn sign<'a>(text: &'a str, before: Run<'_>, after: Run<'_>) -> Option<&'a str> {
    let between = text.get(before.end()..after.at)?;
    ["-", "/", "_", "."].contains(&between).then_some(between)
}

/// Whether a word of a calendar is in a URL, and whether one that needs a dash.
fn words(text: &str) -> (bool, bool) {
    let lower = text.to_ascii_lowercase();
    let has = |words: &[&str]| words.iter().any(|word| lower.contains(word));
    (has(&WORDS), has(&DASHED_WORDS))
}

/// The runs of digits in a text.
fn digits(text: &str) -> impl Iterator<Item = Run<'_>> {
    let mut from = 0;
    std::iter::from_fn(move || {
        let rest = text.get(from..)?;
        let at = from + rest.find(|c: char| c.is_ascii_digit())?;
        let run = &text[at..];
        let length = run.find(|c: char| !c.is_ascii_digit()).unwrap_or(run.len());
        from = at + length;
        Some(Run { digits: &run[..length], at })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: Option<u32>) {
        assert_eq!(year(text), expected, "{text}");
    }

    #[test]
    fn dates_are_told_from_numbers() {
        check("/cal/2031/5", Some(2031));
        check("/events/2031-05/", Some(2031));
        check("/x?month=5&year=2031", Some(2031));
        check("/x?year=1066&month=10", Some(1066));
        check("/news/2031/05/13/title", Some(2031));
        check("/x/2031-05-13", Some(2031));
        check("/topic/3456/2", None);
        check("/event/3456/2", None);
        check("/part/3456-12", None);
        check("/2031/05", None);
        check("/calendar/20310501", None);
        check("/wiki/1984", None);
    }
}
