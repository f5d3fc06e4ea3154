//! Which pages are a step's own.

use crawl_model::CanonicalUrl;

use crate::{Harvest, Page, SpiderError};

/// The URLs that a step begins with, and the label of its pages. Without URLs its pages are those
/// that the crawl begins with.
#[derive(Debug, Clone)]
pub(super) struct Own {
    urls: Vec<String>,
    label: &'static str,
}

impl Own {
    pub(super) fn new(urls: Vec<String>, label: &'static str) -> Self {
        Self { urls, label }
    }

    pub(super) fn start(&self, out: &mut Harvest) -> Result<(), SpiderError> {
        for url in &self.urls {
            let found = CanonicalUrl::parse(url)
                .map_err(|source| SpiderError::Link { href: url.clone(), source })?;
            out.get_url(found).label(self.label);
        }
        Ok(())
    }

    pub(super) fn has(&self, page: &Page<'_>) -> bool {
        let is_seed = || page.label().is_empty() && page.depth() == 0;
        page.label() == self.label || (self.urls.is_empty() && is_seed())
    }
}

/// Which of these patterns is found in each text: the number of the first one, `None` if none is.
/// Without patterns it is the first for all.
pub(super) fn first_match(
    page: &Page<'_>,
    patterns: &[&str],
    texts: &[&str],
) -> Result<Vec<Option<usize>>, SpiderError> {
    if patterns.is_empty() {
        return Ok(vec![Some(0); texts.len()]);
    }
    let mut found = vec![None; texts.len()];
    for (number, pattern) in patterns.iter().enumerate() {
        let hits = page.services().matching(pattern, texts)?;
        for (place, _) in found.iter_mut().zip(hits).filter(|(place, hit)| *hit && place.is_none())
        {
            *place = Some(number);
        }
    }
    Ok(found)
}

/// Whether something that changed at `lastmod` certainly did not since `since`; both in ISO 8601,
/// compared by their dates, as far as both have them.
pub(super) fn is_older(lastmod: &str, since: &str) -> bool {
    let date = |text: &str| text.get(..text.len().min(10)).unwrap_or_default().to_owned();
    let (lastmod, since) = (date(lastmod), date(since));
    let length = lastmod.len().min(since.len());
    lastmod.as_bytes()[..length] < since.as_bytes()[..length]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_older_only_if_they_certainly_are() {
        for (lastmod, since, expected) in [
            ("2024-04-30", "2024-05-01", true),
            ("2024-05-01T00:00:00Z", "2024-05-01", false),
            ("2024-05", "2024-05-20", false),
            ("2024", "2024-05-20", false),
            ("2023", "2024-05-20", true),
            ("2024-06-01", "2024", false),
            ("", "2024", false),
            ("2024-05-01T23:00:00-08:00", "2024-05-02", true),
        ] {
            assert_eq!(is_older(lastmod, since), expected, "{lastmod} {since}");
        }
    }
}
