//! What a quote and its author are, drawn from their numbers. This is the truth; the pages are
//! written from it, and the tests read them back.

use serde::Serialize;

use crate::random::{mix, pick};

/// Number of quotes.
pub(super) const N_QUOTES: usize = 100;

/// A quote.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Quote {
    /// What was said, in the curly quotes that pages show.
    pub text: String,
    /// Name of who said it.
    pub author: &'static str,
    /// What it is about; up to four, and sometimes nothing.
    pub tags: Vec<&'static str>,
}

/// Somebody who is quoted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Author {
    /// Name; may hold quotes and letters with accents.
    pub name: &'static str,
    /// Its place in URLs.
    pub slug: &'static str,
    /// Date of birth, as it stands on the page: `March 14, 1879`.
    pub born: &'static str,
    /// Place of birth, as it stands on the page: `in Ulm, Germany`.
    pub born_in: &'static str,
    /// The country of that place.
    pub country: &'static str,
    /// A life in a sentence.
    pub description: &'static str,
}

impl Quote {
    /// Quote `n`, from 0.
    pub(super) fn new(n: usize) -> Self {
        let seed = n as u64;
        // 37 shares no factor with the number of pairs, so no text comes twice.
        let pair = n * 37 % (BEGINNINGS.len() * ENDINGS.len());
        let text = format!("“{} {}”", BEGINNINGS[pair % BEGINNINGS.len()], {
            ENDINGS[pair / BEGINNINGS.len()]
        });
        let author = pick(AUTHORS, 201, seed).name;
        let mut tags = Vec::new();
        for i in 0..mix(202, seed) % 5 {
            let tag = pick(TAGS, 203 + seed, i);
            if !tags.contains(&tag) {
                tags.push(tag);
            }
        }
        Self { text, author, tags }
    }

    /// Who said it.
    #[must_use]
    pub fn author(&self) -> &'static Author {
        let author = AUTHORS.iter().find(|author| author.name == self.author);
        author.expect("quotes are said by the authors")
    }
}

pub(super) const TAGS: &[&str] = &[
    "life",
    "love",
    "books",
    "work",
    "truth",
    "weather",
    "friendship",
    "misattributed-quotes",
    "humor",
    "science",
    "sea",
    "bread",
    "travel",
    "patience",
];

const BEGINNINGS: &[&str] = &[
    "A good book is",
    "Patience, they say, is",
    "Love & friendship are",
    "The truth was always",
    "Nobody's work is",
    "Every journey north is",
    "What we call science is",
    "An honest mistake is",
    "The café on the corner was",
    "Rain is",
    "To be \"well read\" is",
    "My mother's advice was",
];

const ENDINGS: &[&str] = &[
    "a house with more doors than walls.",
    "the shortest way between two doubts.",
    "what remains when the letters stop arriving.",
    "worth exactly as much as one is willing to walk for it.",
    "a promise that nobody remembers having made.",
    "for those who have < 1 hour and > 1 question.",
    "the only thing that is cheaper on Sundays.",
    "like bread: best shared, worst kept.",
    "an invitation to begin again.",
    "something that the sea has never heard of.",
];

pub(super) const AUTHORS: &[Author] = &[
    Author {
        name: "Ada Löwenherz",
        slug: "Ada-Lowenherz",
        born: "March 14, 1879",
        born_in: "in Ulm, Germany",
        country: "Germany",
        description: "She mapped the night sky from a roof in Ulm and never published a line.",
    },
    Author {
        name: "Bertil Sjögren",
        slug: "Bertil-Sjogren",
        born: "July 02, 1901",
        born_in: "in Gävle, Sweden",
        country: "Sweden",
        description: "Ferryman, translator & collector of knots.",
    },
    Author {
        name: "Carmen Iturbe",
        slug: "Carmen-Iturbe",
        born: "December 21, 1925",
        born_in: "in Bilbao, Spain",
        country: "Spain",
        description: "Her one novel was finished on a tram, in pencil.",
    },
    Author {
        name: "Dónal O'Shea",
        slug: "Donal-O-Shea",
        born: "January 09, 1890",
        born_in: "in Galway, Ireland",
        country: "Ireland",
        description: "Schoolmaster, of whom it is said that he \"never once raised his voice\".",
    },
    Author {
        name: "Edda Kühn",
        slug: "Edda-Kuhn",
        born: "May 30, 1912",
        born_in: "in Lübeck, Germany",
        country: "Germany",
        description: "Pastry cook and philosopher; the order is her own.",
    },
    Author {
        name: "Farid al-Nouri",
        slug: "Farid-al-Nouri",
        born: "October 11, 1933",
        born_in: "in Aleppo, Syria",
        country: "Syria",
        description: "He repaired clocks by day and verses by night.",
    },
    Author {
        name: "Greta Holmqvist",
        slug: "Greta-Holmqvist",
        born: "August 17, 1948",
        born_in: "in Uppsala, Sweden",
        country: "Sweden",
        description: "A botanist who wrote as if plants were going to read it.",
    },
    Author {
        name: "Hélène Moreau-Petit",
        slug: "Helene-Moreau-Petit",
        born: "February 28, 1867",
        born_in: "in Nantes, France",
        country: "France",
        description: "Journalist; she asked the second question first.",
    },
    Author {
        name: "Ivo Brandt",
        slug: "Ivo-Brandt",
        born: "April 01, 1955",
        born_in: "in Kiel, Germany",
        country: "Germany",
        description: "Nobody knows whether he existed. His letters do.",
    },
    Author {
        name: "J. K. Ärling",
        slug: "J-K-Arling",
        born: "November 05, 1921",
        born_in: "in Turku, Finland",
        country: "Finland",
        description: "Between 1 < n < 3 people were ever allowed to edit these essays.",
    },
    Author {
        name: "Katarína Nováková",
        slug: "Katarina-Novakova",
        born: "June 23, 1907",
        born_in: "in Košice, Slovakia",
        country: "Slovakia",
        description: "A judge who collected excuses, & classified them.",
    },
    Author {
        name: "Lorenzo de' Fiori",
        slug: "Lorenzo-de-Fiori",
        born: "September 19, 1884",
        born_in: "in Siena, Italy",
        country: "Italy",
        description: "Gardener of three popes and an anarchist.",
    },
];
