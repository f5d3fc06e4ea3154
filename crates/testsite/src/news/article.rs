//! What an article is, drawn from its number.

use serde::Serialize;

use crate::random::pick;

/// An article of the newspaper.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Article {
    /// Its number, from 1; higher is newer.
    pub id: u32,
    /// Headline; may hold `&` and quotes.
    pub title: String,
    /// `town`, `sea` or `letters`.
    pub section: &'static str,
    /// Who wrote it.
    pub author: &'static str,
    /// When: `2024-03-01T08:00:00Z`.
    pub published: String,
    /// The first paragraph.
    pub summary: String,
}

pub(super) const SECTIONS: &[&str] = &["town", "sea", "letters"];

const AUTHORS: &[&str] = &["Ines Okafor", "Per Lindqvist", "Maja Grün", "Tom O'Hara"];

const SUBJECTS: &[&str] = &[
    "Harbour master",
    "Town council",
    "Bakers & brewers",
    "A reader from Elm Street",
    "The lighthouse",
    "Night ferry",
    "School choir",
    "Café \"Anker\"",
];

const EVENTS: &[&str] = &[
    "asks for a second opinion",
    "is late again, and proud of it",
    "wins the tide table contest",
    "finds a letter from 1911",
    "reopens after the storm",
    "counts 1 < 2 geese",
    "says no, then yes",
];

impl Article {
    pub(super) fn new(id: u32) -> Self {
        let n = u64::from(id);
        let subject = pick(SUBJECTS, 301, n);
        let event = pick(EVENTS, 302, n);
        let section = pick(SECTIONS, 303, n);
        // One a day, at eight: 28 days of each month, so that no calendar is needed.
        let (day, month) = ((id - 1) % 28 + 1, (id - 1) / 28 + 1);
        Self {
            id,
            title: format!("{subject} {event} (No. {id})"),
            section,
            author: pick(AUTHORS, 304, n),
            published: format!("2024-{month:02}-{day:02}T08:00:00Z"),
            summary: format!("{subject} {event}: what is known, and what is only told."),
        }
    }

    /// Path of its page.
    #[must_use]
    pub fn path(&self) -> String {
        format!("/{}/{}.html", self.section, self.id)
    }

    /// The date as feeds of the RSS kind write it (RFC 822, section 5): `Fri, 01 Mar 2024 08:00:00 GMT`.
    pub(super) fn published_rfc822(&self) -> String {
        const DAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
        const MONTHS: [&str; 12] =
            ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
        const LENGTHS: [u32; 12] = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
        let (day, month) = ((self.id - 1) % 28, ((self.id - 1) / 28) as usize);
        // 1 January 2024 was a Monday.
        let since = LENGTHS[..month].iter().sum::<u32>() + day;
        let weekday = DAYS[(since % 7) as usize];
        format!("{weekday}, {:02} {} 2024 08:00:00 GMT", day + 1, MONTHS[month])
    }
}
