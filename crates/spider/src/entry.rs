//! Entries of sitemaps and feeds.

use crawl_model::CanonicalUrl;
use serde::{Deserialize, Deserializer, Serialize};

/// An entry of a sitemap or a feed.
///
/// Serialises as a flat object without what it lacks, so it can be an item as it is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// Its address: absolute, without fragment. Entries of sitemaps have one; of feeds not all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<CanonicalUrl>,
    /// What it stands for.
    pub kind: EntryKind,
    /// When it changed last, in ISO 8601. Dates of sitemaps and Atom have the precision and the
    /// zone that they are written with; those of RSS become `2003-05-17T19:00:00+00:00`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lastmod: Option<Box<str>>,
    /// How often it changes: `always`, `hourly`, `daily`, `weekly`, `monthly`, `yearly`, `never`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub changefreq: Option<Box<str>>,
    /// Its priority, 0 to 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub priority: Option<f64>,
    /// The same page in other languages (`xhtml:link rel=alternate` of sitemaps).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub alternates: Vec<Alternate>,
    /// What a feed says of it.
    #[serde(flatten, deserialize_with = "some_news")]
    pub news: Option<Box<News>>,
}

/// What an [`Entry`] stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum EntryKind {
    /// A page that a sitemap lists.
    Page,
    /// A further sitemap.
    Sitemap,
    /// An entry of a feed.
    News,
}

/// A page in another language.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Alternate {
    /// Its address.
    pub url: CanonicalUrl,
    /// Its language (`hreflang`); empty if it is not said.
    pub language: Box<str>,
}

/// What a feed says of an entry. Texts are as they stand in the feed, so they may be HTML.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct News {
    /// `guid` (RSS), `id` (Atom).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// `title`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// `description` (RSS), `summary` (Atom).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub summary: Option<String>,
    /// `content:encoded` (RSS), `content` (Atom) that is text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content: Option<String>,
    /// `author` or `dc:creator` (RSS), `author/name` (Atom); the first one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub author: Option<String>,
    /// When it was published, as [`Entry::lastmod`] is written: `pubDate`, `dc:date` (RSS),
    /// `published`, `issued` (Atom).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub published: Option<String>,
    /// `category`, in their order.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub categories: Vec<String>,
    /// Its films and sounds: `enclosure` (RSS), `link rel=enclosure` (Atom).
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub enclosures: Vec<Enclosure>,
}

/// A file that belongs to an entry of a feed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Enclosure {
    /// Its address.
    pub url: CanonicalUrl,
    /// Its media type, as it is written; empty if it is not said.
    #[serde(rename = "type")]
    pub media_type: Box<str>,
    /// Its length in bytes, if it is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub length: Option<u64>,
}

impl Entry {
    /// An entry of which nothing is known but its address.
    #[must_use]
    pub fn new(url: Option<CanonicalUrl>, kind: EntryKind) -> Self {
        Self {
            url,
            kind,
            lastmod: None,
            changefreq: None,
            priority: None,
            alternates: Vec::new(),
            news: None,
        }
    }
}

/// What is missing altogether is none.
fn some_news<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Box<News>>, D::Error> {
    let news = News::deserialize(deserializer)?;
    Ok((news != News::default()).then(|| Box::new(news)))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_entry_is_a_flat_object_and_comes_back_from_it() {
        let url = CanonicalUrl::parse("http://h/a").unwrap();
        let mut entry = Entry::new(Some(url), EntryKind::News);
        entry.lastmod = Some("2024".into());
        let title = Some("A".to_owned());
        entry.news = Some(Box::new(News { title, ..News::default() }));
        let value = serde_json::to_value(&entry).unwrap();
        let expected =
            json!({"url": "http://h/a", "kind": "news", "lastmod": "2024", "title": "A"});
        assert_eq!(value, expected);
        assert_eq!(serde_json::from_value::<Entry>(value).unwrap(), entry);
        let bare = Entry::new(None, EntryKind::Page);
        let value = serde_json::to_value(&bare).unwrap();
        assert_eq!(serde_json::from_value::<Entry>(value).unwrap(), bare);
    }
}
