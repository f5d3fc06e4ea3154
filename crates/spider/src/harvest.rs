//! What a callback brings in.

mod links;
mod log;

use std::collections::BTreeMap;
use std::sync::Arc;

use crawl_model::{CanonicalUrl, FileAsk, Item, ItemKind, Kinds, Request};
use serde::Serialize;
use serde::ser::Error as _;

pub(crate) use links::is_nofollow;
pub use log::{LogLevel, LogLine};

use crate::item::kind;
use crate::{Follow, PageItem, SpiderError};

/// Log lines kept per callback; more are counted and left out.
const MAX_LOG_LINES: usize = 1000;

/// Collects a callback's items, requests, log lines and counts.
///
/// Following a URL that is known costs next to nothing and is no error: the host drops it. Of
/// several requests for one URL from one page the first counts.
#[derive(Debug, Default)]
pub struct Harvest {
    items: Vec<Item>,
    kinds: Kinds,
    /// What each of the first items asks for.
    files: Vec<Vec<FileAsk>>,
    follows: Vec<Follow>,
    logs: Vec<LogLine>,
    logs_left_out: u64,
    stats: BTreeMap<String, i64>,
    stop: Option<String>,
    /// Where items are written.
    written: Vec<u8>,
}

impl Harvest {
    /// An empty one; for hosts and tests.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Keeps an item: anything that serialises to JSON, usually an object.
    ///
    /// A struct is of the kind that it is called; one with `#[derive(Item)]` also has a version and
    /// perhaps a key: see [`Item`](macro@crate::Item).
    ///
    /// # Errors
    /// [`SpiderError::Serialise`] if it does not (a map whose keys are no strings, say).
    pub fn item(&mut self, item: &(impl Serialize + ?Sized)) -> Result<(), SpiderError> {
        let kind = kind::of(item, &mut self.kinds);
        self.put(item, kind)
    }

    /// The same, of a kind that the host knows of.
    ///
    /// # Errors
    /// As for [`item`](Self::item).
    #[doc(hidden)]
    pub fn item_of(
        &mut self,
        kind: &Arc<ItemKind>,
        item: &(impl Serialize + ?Sized),
    ) -> Result<(), SpiderError> {
        let kind = self.kinds.number(|known| Arc::ptr_eq(known, kind), || kind.clone());
        self.put(item, kind)
    }

    /// The same of a type that has a table.
    pub(crate) fn derived<T: PageItem + Serialize>(&mut self, item: &T) -> Result<(), SpiderError> {
        let kind = kind::of_table(T::table(), &mut self.kinds);
        self.put(item, kind)
    }

    fn put(&mut self, item: &(impl Serialize + ?Sized), kind: u16) -> Result<(), SpiderError> {
        let wrong = |source| SpiderError::Serialise { what: "the item", source };
        self.written.clear();
        serde_json::to_writer(&mut self.written, item).map_err(wrong)?;
        let json = std::str::from_utf8(&self.written).map_err(serde_json::Error::custom);
        self.items.push(Item { json: json.map_err(wrong)?.into(), kind });
        Ok(())
    }

    /// Keeps an item, and has the crawl fetch files that belong to it: images, documents.
    ///
    /// They are fetched by all rules of the crawl but those that select pages (`[media]` has their
    /// limits), wherever they lie, and go to the folder `media` of the crawl. The item gets a field
    /// `files`, which says of each where it is, its SHA-256, size and type, and how it ended; feeds
    /// write it when the last of them has ended, well or not.
    ///
    /// ```
    /// # use crawl_spider::{FileAsk, Harvest, Page, SpiderError};
    /// # fn callback(page: &Page<'_>, out: &mut Harvest) -> Result<(), SpiderError> {
    /// let cover = page.css("img.cover::attr(src)")?.first().map(|it| it.text()).unwrap_or_default();
    /// let files = page.join(&cover).ok().map(|url| FileAsk::image(url).of("cover"));
    /// out.item_with_files(&serde_json::json!({"cover": cover}), files)?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`SpiderError::Serialise`] if the item is no JSON.
    pub fn item_with_files(
        &mut self,
        item: &(impl Serialize + ?Sized),
        files: impl IntoIterator<Item = FileAsk>,
    ) -> Result<(), SpiderError> {
        self.item(item)?;
        self.with_files(files.into_iter().collect());
        Ok(())
    }

    /// Has the item that was kept last ask for files.
    #[doc(hidden)]
    pub fn with_files(&mut self, files: Vec<FileAsk>) {
        if !files.is_empty() && !self.items.is_empty() {
            self.files.resize(self.items.len() - 1, Vec::new());
            self.files.push(files);
        }
    }

    /// Requests an absolute URL.
    ///
    /// # Errors
    /// [`SpiderError::Url`] if it is not one that is crawled.
    pub fn get(&mut self, url: &str) -> Result<&mut Follow, SpiderError> {
        let url = CanonicalUrl::parse(url)?;
        Ok(self.push(Follow::own(url)))
    }

    /// Requests an absolute URL that was resolved before.
    pub fn get_url(&mut self, url: CanonicalUrl) -> &mut Follow {
        self.push(Follow::own(url))
    }

    /// Adds a request made by hand. Its depth, referrer and redirect chain are the host's to set.
    pub fn request(&mut self, request: Request) -> &mut Follow {
        self.push(Follow::from_request(request))
    }

    pub(crate) fn push(&mut self, follow: Follow) -> &mut Follow {
        let index = self.follows.len();
        self.follows.push(follow);
        &mut self.follows[index]
    }

    /// Writes a line to the crawl's log, which names spider and page. At most 1,000 per callback
    /// are kept.
    pub fn log(&mut self, level: LogLevel, text: impl Into<String>) {
        if self.logs.len() < MAX_LOG_LINES {
            self.logs.push(LogLine { level, text: text.into() });
        } else {
            self.logs_left_out += 1;
        }
    }

    /// Logs a line at [`LogLevel::Debug`].
    pub fn debug(&mut self, text: impl Into<String>) {
        self.log(LogLevel::Debug, text);
    }

    /// Logs a line at [`LogLevel::Info`].
    pub fn info(&mut self, text: impl Into<String>) {
        self.log(LogLevel::Info, text);
    }

    /// Logs a line at [`LogLevel::Warn`].
    pub fn warn(&mut self, text: impl Into<String>) {
        self.log(LogLevel::Warn, text);
    }

    /// Logs a line at [`LogLevel::Error`].
    pub fn error(&mut self, text: impl Into<String>) {
        self.log(LogLevel::Error, text);
    }

    /// Adds to a count of the spider's own.
    pub fn stat(&mut self, name: &str, n: i64) {
        match self.stats.get_mut(name) {
            Some(sum) => *sum = sum.saturating_add(n),
            None => drop(self.stats.insert(name.to_owned(), n)),
        }
    }

    /// Closes the crawl, for a reason that its report names: nothing more is asked for, what is in
    /// flight settles with all it brings, what waits stays queued for the next run. Counts even if
    /// the callback then fails. Of several reasons the first counts. (Scrapy: `CloseSpider`.)
    pub fn stop(&mut self, reason: impl Into<String>) {
        self.stop.get_or_insert_with(|| reason.into());
    }

    /// The items so far, as JSON texts.
    #[must_use]
    pub fn items(&self) -> &[Item] {
        &self.items
    }

    /// The requests so far.
    #[must_use]
    pub fn follows(&self) -> &[Follow] {
        &self.follows
    }

    /// Adds what another one brought, in its order; for hosts whose spider runs elsewhere.
    pub fn take_in(&mut self, other: Harvested) {
        let Harvested { mut items, kinds, files, follows, logs, stats, stop } = other;
        if !files.is_empty() {
            self.files.resize(self.items.len(), Vec::new());
            self.files.extend(files);
        }
        for item in &mut items {
            item.kind = kinds.get(item.kind).map_or(Kinds::NONE, |kind| {
                self.kinds.number(|known| known == kind, || kind.clone())
            });
        }
        append(&mut self.items, items);
        append(&mut self.follows, follows);
        // One more than a callback has: its last may say how many were left out.
        let room = (MAX_LOG_LINES + 1).saturating_sub(self.logs.len());
        self.logs_left_out += logs.len().saturating_sub(room) as u64;
        self.logs.extend(logs.into_iter().take(room));
        stats.iter().for_each(|(name, &n)| self.stat(name, n));
        self.stop = self.stop.take().or(stop);
    }

    /// Takes it apart; for hosts and tests.
    #[must_use]
    pub fn into_parts(mut self) -> Harvested {
        if self.logs_left_out > 0 {
            let text = format!("{} more log lines left out", self.logs_left_out);
            self.logs.push(LogLine { level: LogLevel::Warn, text });
        }
        let Self { items, kinds, files, follows, logs, stats, stop, .. } = self;
        Harvested { items, kinds, files, follows, logs, stats, stop }
    }
}

/// As `extend`, but what is empty takes the other list over as it is.
fn append<T>(list: &mut Vec<T>, more: Vec<T>) {
    if list.is_empty() {
        *list = more;
    } else {
        list.extend(more);
    }
}

/// A [`Harvest`] taken apart.
#[derive(Debug)]
pub struct Harvested {
    /// The items, in order.
    pub items: Vec<Item>,
    /// Their kinds.
    pub kinds: Kinds,
    /// The files that each of the first items asks for; items beyond its end ask for none.
    pub files: Vec<Vec<FileAsk>>,
    /// The requests, in order.
    pub follows: Vec<Follow>,
    /// The log lines, in order.
    pub logs: Vec<LogLine>,
    /// The counts, by name.
    pub stats: BTreeMap<String, i64>,
    /// Why the crawl is to be closed; `None` if it is not.
    pub stop: Option<String>,
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::Method;

    #[test]
    fn requests_keep_what_was_set() {
        let mut out = Harvest::new();
        out.get("http://h/a#x").unwrap().label("book").meta(&json!({"n": 1})).unwrap().priority(5);
        out.get("http://h/b").unwrap().post("q=1").header("X-A", "1");
        let Harvested { follows, .. } = out.into_parts();
        assert!(follows[0].is_plain_get() && !follows[1].is_plain_get());
        let from = CanonicalUrl::parse("http://h/").unwrap();
        let requests: Vec<_> =
            follows.into_iter().map(|follow| follow.into_request(3, Some(&from))).collect();
        assert_eq!((&*requests[0].label, requests[0].priority, requests[0].depth), ("book", 5, 3));
        assert_eq!(requests[0].meta, json!({"n": 1}));
        assert_eq!(requests[0].referrer, Some(from));
        assert_eq!((requests[1].method, &requests[1].body[..]), (Method::Post, &b"q=1"[..]));
    }

    #[test]
    fn a_request_made_by_hand_comes_back_whole() {
        let mut request = Request::get(CanonicalUrl::parse("http://h/").unwrap());
        request.method = Method::Head;
        request.label = "x".into();
        request.headers = vec![("A".into(), "b".into())];
        let mut out = Harvest::new();
        out.request(request.clone());
        let follow = out.into_parts().follows.remove(0);
        assert_eq!(follow.into_request(0, None), request);
    }

    #[test]
    fn files_stand_beside_the_item_that_asks_for_them() {
        let file = |text: &str| FileAsk::file(CanonicalUrl::parse(text).unwrap());
        let mut out = Harvest::new();
        out.item(&1).unwrap();
        out.item_with_files(&2, [file("http://h/a"), file("http://h/b")]).unwrap();
        out.item_with_files(&3, []).unwrap();
        let mut other = Harvest::new();
        other.item_with_files(&4, [file("http://h/c")]).unwrap();
        out.take_in(other.into_parts());
        let counts: Vec<_> = out.into_parts().files.iter().map(Vec::len).collect();
        assert_eq!(counts, [0, 2, 0, 1]);
    }

    #[test]
    fn items_that_are_no_json_are_errors() {
        let mut out = Harvest::new();
        let odd = BTreeMap::from([((1, 2), 3)]);
        assert!(matches!(out.item(&odd), Err(SpiderError::Serialise { .. })));
        out.item(&json!({"a": 1})).unwrap();
        assert_eq!(&*out.items()[0].json, r#"{"a":1}"#);
    }

    #[test]
    fn log_lines_beyond_the_limit_are_counted() {
        let mut out = Harvest::new();
        (0..MAX_LOG_LINES + 7).for_each(|_| out.log(LogLevel::Info, "x"));
        out.stat("seen", 2);
        out.stat("seen", 3);
        let parts = out.into_parts();
        assert_eq!(parts.logs.last().unwrap().text, "7 more log lines left out");
        assert_eq!(parts.stats["seen"], 5);
    }
}
