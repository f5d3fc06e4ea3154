//! A document's tree by scraper alone, without any of the parser: what `crawl bench` measures its
//! spiders against that select in the tree.

use scraper::{ElementRef, Html, Selector};

/// Rows of a page, and what is taken from each.
#[derive(Debug)]
pub struct BareTree {
    rows: Selector,
    /// With the attribute that is taken; `None`: the text.
    fields: Vec<(Selector, Option<String>)>,
}

impl BareTree {
    /// Compiles the selectors: one for rows, one for each field with the attribute that is taken, or
    /// `None` for its text. `None` if one is no selector.
    #[must_use]
    pub fn new(rows: &str, fields: &[(&str, Option<&str>)]) -> Option<Self> {
        let field = |(css, attr): &(&str, Option<&str>)| {
            Some((Selector::parse(css).ok()?, attr.map(str::to_owned)))
        };
        let fields = fields.iter().map(field).collect::<Option<_>>()?;
        Some(Self { rows: Selector::parse(rows).ok()?, fields })
    }

    /// Builds the tree of `html`, takes each field of each row from it, and gives it back. Returns how
    /// many values there were.
    #[must_use]
    pub fn read(&self, html: &str) -> usize {
        let tree = Html::parse_document(html);
        let values: Vec<String> =
            tree.select(&self.rows).flat_map(|row| self.values(row)).collect();
        values.len()
    }

    fn values<'a>(&'a self, row: ElementRef<'a>) -> impl Iterator<Item = String> + 'a {
        self.fields.iter().filter_map(move |(css, attr)| {
            let found = row.select(css).next()?;
            match attr {
                Some(attr) => found.attr(attr).map(str::to_owned),
                None => Some(found.text().collect()),
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_and_their_fields_are_found() {
        let tree = BareTree::new("li", &[("a", Some("href")), ("b", None)]).unwrap();
        assert_eq!(tree.read("<ul><li><a href=x></a><b>1</b></li><li><a></a><b>2</b></ul>"), 3);
        assert!(BareTree::new("li[", &[]).is_none());
    }
}
