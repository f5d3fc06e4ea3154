//! What a book is, drawn from its number.

use crate::random::{mix, pick};

/// A book, as its page describes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Book {
    /// Its number in the catalogue, from 1.
    pub id: u32,
    /// Title; may hold quotes, `&` and letters with accents.
    pub title: String,
    /// Price in pence: `£12.34` on the page is 1234.
    pub price_pence: u32,
    /// Copies in stock, at least one.
    pub stock: u32,
    /// Stars, 1 to 5.
    pub rating: u32,
    /// Name of its category.
    pub category: &'static str,
    /// Universal product code: 16 hexadecimal digits.
    pub upc: String,
    pub(super) category_index: usize,
}

impl Book {
    pub(super) fn new(id: u32) -> Self {
        let n = u64::from(id);
        let category_index = category_of(id);
        Self {
            id,
            title: title(n),
            price_pence: 1000 + (mix(2, n) % 5000) as u32,
            stock: 1 + (mix(3, n) % 22) as u32,
            rating: 1 + (mix(4, n) % 5) as u32,
            category: CATEGORIES[category_index],
            upc: format!("{:016x}", mix(5, n)),
            category_index,
        }
    }

    /// The price as it stands on the page: `£12.34`.
    #[must_use]
    pub fn price(&self) -> String {
        format!("£{}.{:02}", self.price_pence / 100, self.price_pence % 100)
    }

    /// The rating as it stands in the class of `p.star-rating`: `Three`.
    #[must_use]
    pub fn stars(&self) -> &'static str {
        ["One", "Two", "Three", "Four", "Five"][self.rating as usize - 1]
    }

    /// Path of its cover, a PNG.
    #[must_use]
    pub fn cover_path(&self) -> String {
        format!("/media/cover-{}.png", self.id)
    }

    /// Its cover, a PNG of 64 x 96 pixels: the same for all books of a category.
    #[must_use]
    pub fn cover(&self) -> Vec<u8> {
        super::cover::png(self.category_index)
    }

    /// Path of its page.
    #[must_use]
    pub fn path(&self) -> String {
        format!("/catalogue/{}_{}/index.html", self.slug(), self.id)
    }

    /// The text of its description, a few sentences.
    #[must_use]
    pub fn description(&self) -> String {
        let n = u64::from(self.id);
        let n_sentences = 5 + mix(6, n) % 8;
        let sentences = (0..n_sentences).map(|i| pick(SENTENCES, n, i));
        sentences.collect::<Vec<_>>().join(" ")
    }

    /// Title in lower case, ASCII letters and digits, `-` between words.
    pub(super) fn slug(&self) -> String {
        slug_of(&self.title)
    }
}

pub(super) fn category_of(id: u32) -> usize {
    (mix(1, u64::from(id)) % CATEGORIES.len() as u64) as usize
}

/// Name of a category's folder: `historical-fiction_4`.
pub(super) fn category_path(category: usize) -> String {
    format!("{}_{}", slug_of(CATEGORIES[category]), category + 2)
}

pub(super) fn slug_of(text: &str) -> String {
    let mut slug = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_ascii_alphanumeric() {
            slug.push(c.to_ascii_lowercase());
        } else if matches!(c, ' ' | '-') && !slug.ends_with('-') {
            slug.push('-');
        }
    }
    slug
}

/// Title of book `n`.
pub(super) fn title(n: u64) -> String {
    let (first, second) = (pick(NOUNS, 7, n), pick(NOUNS, 8, n));
    let adjective = pick(ADJECTIVES, 9, n);
    match mix(10, n) % 8 {
        0 => format!("{first} & {second}"),
        1 => format!("The {adjective} {first}"),
        2 => format!("It's Only the {first} of a {adjective} {second}"),
        3 => format!("\"{first}\" and Other {adjective} Stories from the {second}"),
        4 => format!("Café {first}: A {adjective} {second}"),
        5 => format!("A {first} in the {second} (The {adjective} Trilogy, #{})", 1 + n % 3),
        6 => format!("How the {second} Became {adjective}"),
        _ => format!("{adjective} {first}, {adjective} {second}"),
    }
}

pub(super) const CATEGORIES: &[&str] = &[
    "Travel",
    "Mystery",
    "Historical Fiction",
    "Sequential Art",
    "Classics",
    "Philosophy",
    "Romance",
    "Womens Fiction",
    "Fiction",
    "Childrens",
    "Religion",
    "Nonfiction",
    "Music",
    "Miscellaneous",
    "Science Fiction",
    "Sports and Games",
    "Gardening",
    "Fantasy",
    "New Adult",
    "Young Adult",
    "Science",
    "Poetry",
    "Paranormal",
    "Art",
    "Psychology",
    "Autobiography",
    "Parenting",
    "Adult Fiction",
    "Humor",
    "Horror",
    "History",
    "Food and Drink",
    "Christian Fiction",
    "Business",
    "Biography",
    "Thriller",
    "Contemporary",
    "Spirituality",
    "Academic",
    "Self Help",
    "Historical",
    "Christian",
    "Suspense",
    "Short Stories",
    "Novels",
    "Health",
    "Politics",
    "Cultural",
    "Drama",
    "Crime",
];

const NOUNS: &[&str] = &[
    "Attic",
    "Velvet",
    "Harbour",
    "Lighthouse",
    "Orchard",
    "Clockmaker",
    "River",
    "Winter",
    "Letter",
    "Garden",
    "Mountain",
    "Sparrow",
    "Library",
    "Mirror",
    "Island",
    "Compass",
    "Thief",
    "Queen",
    "Desert",
    "Machine",
    "Forest",
    "Tailor",
    "Storm",
    "Kitchen",
    "Voyage",
    "Bridge",
    "Shadow",
    "Violin",
    "Market",
    "Archive",
    "Señor",
    "Über-Map",
];

const ADJECTIVES: &[&str] = &[
    "Quiet",
    "Golden",
    "Forgotten",
    "Crooked",
    "Silent",
    "Electric",
    "Hidden",
    "Scarlet",
    "Improbable",
    "Northern",
    "Broken",
    "Patient",
    "Secret",
    "Borrowed",
    "Infinite",
    "Salty",
];

const SENTENCES: &[&str] = &[
    "Nobody in the village remembered who had built the tower, and nobody dared to ask.",
    "When the letters stop arriving, she packs a single bag and takes the night train north.",
    "It is a story about patience, bread & salt, and the price of a good lie.",
    "He had promised never to return; the sea had promised nothing.",
    "Critics called it \"a small miracle\", which the author's mother thought was an understatement.",
    "Twelve strangers, one lighthouse, and a winter that refuses to end.",
    "Part memoir, part cookbook, it asks what we owe to the people who fed us.",
    "The maps were wrong, of course, but they were wrong in an interesting way.",
    "Between 1 < n < 10 readers are said to have guessed the ending.",
    "With wit and warmth, the author follows three generations through war, peace and plumbing.",
    "Every chapter begins with a weather report; by the last one you will know why.",
    "First published to no attention at all, it has never been out of print since.",
    "The machine hummed in the cellar for forty years before somebody switched it off.",
    "A naïve hero, a crooked lawyer, and a café that serves only soup.",
];
