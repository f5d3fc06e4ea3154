//! A page's links, as one frame that is read when somebody looks at a link.
//!
//! Most spiders follow links without a look at them, and a number is enough for that: both ends
//! have the list. So the frame has records of one length before all texts, and neither texts nor
//! URLs are made of it before they are asked for.

use std::sync::OnceLock;

use crawl_model::CanonicalUrl;

use super::bytes::{Reader, Wire, WireError, wire_enum};
use crate::{Link, LinkKind};

/// Bytes of a record: lengths of URL, text and `rel`, the URL's places, `nofollow`, the kind.
const RECORD: usize = 6 * 4 + 2;
const NOFOLLOW: usize = 6 * 4;

/// A page's links as bytes: how many, a record of each, their texts one behind the other.
#[must_use]
pub fn frame_links(links: &[Link]) -> Vec<u8> {
    let texts = |link: &Link| link.url.as_str().len() + link.text.len() + link.rel.len();
    let n_bytes = links.iter().map(texts).sum::<usize>();
    let mut out = Vec::with_capacity(4 + links.len() * RECORD + n_bytes);
    out.extend_from_slice(&number(links.len()).to_le_bytes());
    for Link { url, text, rel, nofollow, kind } in links {
        let (url, [host_start, host_end, path_start]) = url.parts();
        let [url, text, rel] = [url.len(), text.len(), rel.len()].map(number);
        let numbers = [url, text, rel, host_start, host_end, path_start];
        out.extend_from_slice(numbers.map(u32::to_le_bytes).as_flattened());
        nofollow.put(&mut out);
        kind.put(&mut out);
    }
    for Link { url, text, rel, .. } in links {
        out.extend_from_slice(url.as_str().as_bytes());
        out.extend_from_slice(text.as_bytes());
        out.extend_from_slice(rel.as_bytes());
    }
    out
}

/// A page has no 4 GiB of links; if it had, the reader would see that it is cut short.
fn number(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}

/// A page's links in a plugin: the frame of [`frame_links`], and the links once they are read.
#[derive(Debug)]
pub struct LinkBook {
    frame: Vec<u8>,
    n_links: usize,
    links: OnceLock<Vec<Link>>,
}

impl LinkBook {
    /// Takes what the host wrote by [`frame_links`].
    ///
    /// # Errors
    /// [`WireError::Short`] if it has not as many records as it says.
    pub(crate) fn new(frame: Vec<u8>) -> Result<Self, WireError> {
        let n_links = u32::from_le_bytes(Reader::trusted(&frame).array()?) as usize;
        match n_links.checked_mul(RECORD) {
            Some(size) if size <= frame.len() - 4 => {}
            _ => return Err(WireError::Short),
        }
        Ok(Self { frame, n_links, links: OnceLock::new() })
    }

    /// Number by number from this one on, whether a link is marked `nofollow`.
    pub(crate) fn nofollows(&self, first: u32) -> impl Iterator<Item = bool> {
        let skipped = (first as usize).saturating_mul(RECORD);
        let records = self.records().get(skipped..).unwrap_or_default();
        records.chunks_exact(RECORD).map(|record| record[NOFOLLOW] != 0)
    }

    /// The links, read when they are first asked for.
    ///
    /// # Panics
    /// If the frame is none. The host wrote it, and would not have called a plugin whose frames
    /// are of another form.
    pub(crate) fn links(&self) -> &[Link] {
        self.links.get_or_init(|| self.read().expect("the host writes links as they are read"))
    }

    /// The links, if they have been read.
    pub(crate) fn read_links(&self) -> Option<&[Link]> {
        self.links.get().map(Vec::as_slice)
    }

    fn records(&self) -> &[u8] {
        &self.frame[4..4 + self.n_links * RECORD]
    }

    fn read(&self) -> Result<Vec<Link>, WireError> {
        let texts = &self.frame[4 + self.n_links * RECORD..];
        // All of them as one, so that they are checked at once.
        let mut texts = std::str::from_utf8(texts).map_err(|_| WireError::Utf8)?;
        let mut cut = |length: u32| {
            let (first, rest) = texts.split_at_checked(length as usize).ok_or(WireError::Short)?;
            texts = rest;
            Ok::<_, WireError>(first)
        };
        let mut links = Vec::with_capacity(self.n_links);
        for record in self.records().chunks_exact(RECORD) {
            let from = &mut Reader::trusted(record);
            let mut number = || from.array().map(u32::from_le_bytes);
            let [url, text, rel] = [number()?, number()?, number()?];
            let places = [number()?, number()?, number()?];
            let url = CanonicalUrl::from_parts(cut(url)?, places)
                .ok_or(WireError::Wrong("place in a URL"))?;
            let (text, rel) = (cut(text)?.into(), cut(rel)?.into());
            links.push(Link { url, text, rel, nofollow: from.get()?, kind: from.get()? });
        }
        match texts.len() {
            0 => Ok(links),
            n => Err(WireError::Long(n)),
        }
    }
}

wire_enum! {
    LinkKind, "kind of link":
    Anchor = 0, Area = 1, Refresh = 2, Resource = 3, Image = 4, Script = 5, Frame = 6, Form = 7,
    Header = 8, Style = 9, Sitemap = 10, Feed = 11, Reader = 12,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn links() -> Vec<Link> {
        let link = |url: &str, text: &str, rel: &str, nofollow, kind| Link {
            url: CanonicalUrl::parse(url).unwrap(),
            text: text.into(),
            rel: rel.into(),
            nofollow,
            kind,
        };
        vec![
            link("http://joe:pw@h:81/a?b", "ü", "", false, LinkKind::Anchor),
            link("https://[::1]/", "", "nofollow me", true, LinkKind::Reader),
        ]
    }

    #[test]
    fn links_come_back_whole_and_when_they_are_asked_for() {
        let book = LinkBook::new(frame_links(&links())).unwrap();
        assert_eq!(Vec::from_iter(book.nofollows(0)), [false, true]);
        assert_eq!(Vec::from_iter(book.nofollows(1)), [true]);
        assert_eq!((book.nofollows(2).count(), book.nofollows(u32::MAX).count()), (0, 0));
        assert!(book.links.get().is_none());
        assert_eq!(book.links(), links());
        assert_eq!(book.links()[0].url.path(), "/a");
        assert!(LinkBook::new(frame_links(&[])).unwrap().links().is_empty());
    }

    #[test]
    fn a_frame_that_is_cut_or_too_long_is_none() {
        let frame = frame_links(&links());
        let records = 4 + 2 * RECORD;
        for end in 0..records {
            assert_eq!(LinkBook::new(frame[..end].to_vec()).unwrap_err(), WireError::Short);
        }
        let read = |frame: Vec<u8>| LinkBook::new(frame).unwrap().read().unwrap_err();
        assert_eq!(read(frame[..frame.len() - 1].to_vec()), WireError::Short);
        assert_eq!(read([&frame[..], b"x"].concat()), WireError::Long(1));
        let mut wrong = frame.clone();
        wrong[4 + 12] = 0xff;
        assert_eq!(read(wrong), WireError::Wrong("place in a URL"));
        let mut wrong = frame;
        wrong[records] = 0xff;
        assert_eq!(read(wrong), WireError::Utf8);
    }
}
