//! Requests as callbacks make them: small until it is known that they are new.
//!
//! A page has some hundred links, and nearly all are known already. So a link to follow is a
//! counted reference to its URL and a few words, and becomes a whole [`Request`] only after the
//! host has found it to be new.

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crawl_model::{CanonicalUrl, FetchOptions, Method, Request};
use serde::Serialize;
use serde_json::Value;

use crate::SpiderError;
use crate::abi::wire::{LinkBook, LinkEntry, Mark};
use crate::form::send::percent_encode;
use crate::target::Target;

/// A request in the making. The methods set what differs from a plain GET, and what the request
/// asks of its fetch in place of what the crawl's config says. All of it travels with the request
/// through the store and through redirects.
///
/// ```
/// # use crawl_spider::{Harvest, Page, SpiderError};
/// # fn callback(page: &Page<'_>, out: &mut Harvest) -> Result<(), SpiderError> {
/// out.follow(page, "/book/7")?.label("book").meta(&7)?.priority(5);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Follow {
    pub(crate) url: Target,
    pub(crate) label: Option<Arc<str>>,
    pub(crate) meta: Value,
    pub(crate) priority: i32,
    pub(crate) nofollow: bool,
    pub(crate) is_link: bool,
    pub(crate) is_seed: bool,
    pub(crate) extras: Option<Box<Extras>>,
}

/// What few requests have.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Extras {
    pub(crate) method: Method,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
    pub(crate) errback: Option<Arc<str>>,
    pub(crate) options: Option<Box<FetchOptions>>,
}

impl Follow {
    /// A link that stands on the page.
    pub(crate) fn new(url: CanonicalUrl, nofollow: bool) -> Self {
        Self::link(Target::Url(url), nofollow)
    }

    fn link(url: Target, nofollow: bool) -> Self {
        let (label, meta, priority, is_link) = (None, Value::Null, 0, true);
        Self { url, label, meta, priority, nofollow, is_link, is_seed: false, extras: None }
    }

    /// All links that stand on the page.
    #[cfg(test)]
    pub(crate) fn each(links: &Arc<LinkBook>) -> impl Iterator<Item = Self> {
        Self::those(links, |_| true)
    }

    /// The links of the page for which `wanted` holds.
    pub(crate) fn those(
        links: &Arc<LinkBook>,
        mut wanted: impl FnMut(LinkEntry<'_>) -> bool,
    ) -> impl Iterator<Item = Self> {
        let those = links.entries().filter(move |entry| wanted(*entry));
        let target = |at| Target::Link(Arc::clone(links), at);
        those.map(move |entry| Self::link(target(entry.at()), entry.nofollow))
    }

    /// Whether nothing is set on it that takes room: many may be made of one.
    pub(crate) fn is_light(&self) -> bool {
        self.meta.is_null() && self.extras.is_none()
    }

    /// Whether the same is set on it as on `other`, which is light. Where they lead to is not asked.
    pub(crate) fn is_set_as(&self, other: &Self) -> bool {
        let Self { url: _, label, meta: _, priority, nofollow: _, is_link, is_seed, extras: _ } =
            self;
        self.is_light()
            && *label == other.label
            && (*priority, *is_link, *is_seed) == (other.priority, other.is_link, other.is_seed)
    }

    /// The same for a link of the page.
    pub(crate) fn to_link(&self, links: &Arc<LinkBook>, at: u32, nofollow: bool) -> Self {
        let url = Target::Link(Arc::clone(links), at);
        let Self { priority, is_link, is_seed, .. } = *self;
        let (label, meta, extras) = (self.label.clone(), Value::Null, None);
        Self { url, label, meta, priority, nofollow, is_link, is_seed, extras }
    }

    /// A URL of the spider's own.
    pub(crate) fn own(url: CanonicalUrl) -> Self {
        Self { is_link: false, ..Self::new(url, false) }
    }

    pub(crate) fn from_request(request: Request) -> Self {
        let Request { url, method, headers, body, label, errback, meta, priority, .. } = request;
        let (options, errback) = (request.options, (!errback.is_empty()).then_some(errback));
        let extras = Extras { method, headers, body, errback, options };
        let extras = (extras != Extras::default()).then(|| Box::new(extras));
        let label = (!label.is_empty()).then_some(label);
        let (nofollow, is_link, is_seed) = (false, false, false);
        let url = Target::Url(url);
        Self { url, label, meta, priority, nofollow, is_link, is_seed, extras }
    }

    /// Sets which callback the page is for.
    pub fn label(&mut self, label: impl Into<Arc<str>>) -> &mut Self {
        self.label = Some(label.into());
        self
    }

    /// Sets which error callback the request is for, should it give no page: what
    /// [`FailedRequest::errback`](crate::FailedRequest::errback) then says to
    /// [`Spider::error`](crate::Spider::error). Travels like the label: through redirects, tries
    /// that are repeated, and resumed crawls.
    pub fn errback(&mut self, label: impl Into<Arc<str>>) -> &mut Self {
        self.extras().errback = Some(label.into()).filter(|label| !label.is_empty());
        self
    }

    /// Sets the metadata that the page's callback gets back from [`Page::meta`](crate::Page::meta).
    ///
    /// # Errors
    /// [`SpiderError::Serialise`] if it cannot be written as JSON.
    pub fn meta(&mut self, meta: &(impl Serialize + ?Sized)) -> Result<&mut Self, SpiderError> {
        self.meta = to_value(meta)?;
        Ok(self)
    }

    /// Sets the priority: higher goes first within its host; 0 is usual.
    pub fn priority(&mut self, priority: i32) -> &mut Self {
        self.priority = priority;
        self
    }

    /// Sets the HTTP method.
    pub fn method(&mut self, method: Method) -> &mut Self {
        self.extras().method = method;
        self
    }

    /// Makes it a POST of these bytes. Mind the `Content-Type` header.
    pub fn post(&mut self, body: impl Into<Vec<u8>>) -> &mut Self {
        self.extras().method = Method::Post;
        self.extras().body = body.into();
        self
    }

    /// Makes it a POST of these names and values, as `application/x-www-form-urlencoded` in
    /// UTF-8 (URL Standard, section 5.2). For a form that stands on a page, see
    /// [`Page::forms`](crate::Page::forms).
    pub fn form(&mut self, fields: &[(impl AsRef<str>, impl AsRef<str>)]) -> &mut Self {
        let mut body = String::new();
        for (name, value) in fields {
            if !body.is_empty() {
                body.push('&');
            }
            percent_encode(&mut body, name.as_ref().as_bytes());
            body.push('=');
            percent_encode(&mut body, value.as_ref().as_bytes());
        }
        self.content_type("application/x-www-form-urlencoded").post(body)
    }

    /// Makes it a POST of this value as JSON.
    ///
    /// # Errors
    /// [`SpiderError::Serialise`] if it cannot be written as JSON.
    pub fn json(&mut self, value: &(impl Serialize + ?Sized)) -> Result<&mut Self, SpiderError> {
        let body = serde_json::to_vec(value)
            .map_err(|source| SpiderError::Serialise { what: "the body", source })?;
        Ok(self.content_type("application/json").post(body))
    }

    /// Asks for the head of the answer alone. The callback gets a page without a body.
    pub fn head(&mut self) -> &mut Self {
        self.method(Method::Head)
    }

    /// Adds a header, which wins over the crawl's default of that name, and over an earlier one.
    pub fn header(&mut self, name: impl Into<String>, value: impl Into<String>) -> &mut Self {
        self.extras().headers.push((name.into(), value.into()));
        self
    }

    fn content_type(&mut self, media_type: &str) -> &mut Self {
        self.extras().headers.retain(|(name, _)| !name.eq_ignore_ascii_case("content-type"));
        self.header("Content-Type", media_type)
    }

    /// Sets the longest time for the whole fetch, in place of `fetch.total-timeout`. Zero is no
    /// time at all: the fetch fails at once.
    pub fn timeout(&mut self, limit: Duration) -> &mut Self {
        self.options().timeout = Some(limit);
        self
    }

    /// Lets it wait this long from now on before it is sent; the host's own clock counts, too.
    pub fn delay(&mut self, delay: Duration) -> &mut Self {
        let now = SystemTime::now();
        // A time that cannot be told is farther away than any crawl lasts.
        match now.checked_add(delay) {
            Some(time) => self.not_before(time),
            None => {
                self.options().not_before_ms = u64::MAX;
                self
            }
        }
    }

    /// Lets it wait until then before it is sent; the host's own clock counts, too.
    pub fn not_before(&mut self, time: SystemTime) -> &mut Self {
        let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
        self.options().not_before_ms = u64::try_from(since.as_millis()).unwrap_or(u64::MAX);
        self
    }

    /// Sends it through this proxy, by its name in `[fetch.proxies]`.
    pub fn proxy(&mut self, name: impl Into<Arc<str>>) -> &mut Self {
        self.options().proxy = Some(name.into());
        self
    }

    /// Sends it without a proxy, whatever the config says.
    pub fn no_proxy(&mut self) -> &mut Self {
        self.proxy("")
    }

    /// Sends and keeps the cookies of this jar: each name is a jar of its own.
    pub fn jar(&mut self, name: impl Into<Arc<str>>) -> &mut Self {
        self.options().jar = Some(name.into());
        self
    }

    /// Sends and keeps no cookies, whatever the config says.
    pub fn no_cookies(&mut self) -> &mut Self {
        self.jar("")
    }

    /// Takes these statuses for successes, besides those that
    /// [`Spider::wants_status`](crate::Spider::wants_status) wants: the page goes to `parse`,
    /// settles as `ok` and is not tried again; a redirect among them is not followed.
    /// [`Page::status`](crate::Page::status) tells which it was. Calls add up.
    pub fn accept(&mut self, statuses: impl IntoIterator<Item = u16>) -> &mut Self {
        let accept = &mut self.options().accept;
        for status in statuses {
            if !accept.contains(&status) {
                accept.push(status);
            }
        }
        self
    }

    /// Sends it even if its URL is known. Its page is kept under a key of its own, beside the
    /// one that is there.
    ///
    /// A page that is read again after a kill asks for the same request again, so nothing is
    /// fetched or kept twice for that. Two requests for one URL from one page are two.
    pub fn dont_filter(&mut self) -> &mut Self {
        self.options().unique = Some(FetchOptions::UNNUMBERED);
        self
    }

    /// Lets it count as a seed: link distance 0, no referrer. For what is to be asked for only
    /// after something else, a login say.
    pub fn seed(&mut self) -> &mut Self {
        self.is_seed = true;
        self
    }

    fn options(&mut self) -> &mut FetchOptions {
        self.extras().options.get_or_insert_default()
    }

    fn extras(&mut self) -> &mut Extras {
        self.extras.get_or_insert_default()
    }

    /// Where to.
    #[must_use]
    pub fn url(&self) -> &CanonicalUrl {
        self.url.url()
    }

    /// The text of [`url`](Self::url); of a page's link no URL is made for that.
    #[must_use]
    pub fn url_text(&self) -> &str {
        self.url.text()
    }

    /// What the host remembers it by, if it is a link of the page; nothing otherwise.
    #[doc(hidden)]
    #[must_use]
    pub fn mark(&self) -> Mark {
        match &self.url {
            Target::Link(links, at) => links.mark(*at),
            Target::Url(_) => Mark::default(),
        }
    }

    /// Gives it a URL of its own, where it is a link of a page by its number: to be kept longer than
    /// the page, or looked at without making URLs of all of its links.
    pub fn detach(&mut self) {
        if let Target::Link(links, at) = &self.url {
            self.url = Target::Url(links.url(*at));
        }
    }

    /// Whether it asks for a sitemap ([`Request::SPIDERS_SITEMAP`]).
    #[must_use]
    pub fn is_sitemap(&self) -> bool {
        self.label.as_deref().is_some_and(Request::is_sitemap_label)
    }

    /// Whether the link it comes from is marked `nofollow`.
    #[must_use]
    pub fn is_nofollow(&self) -> bool {
        self.nofollow
    }

    /// Whether it is a link of the page, which the page may ask not to follow; a request that the
    /// spider made by itself ([`Harvest::get`](crate::Harvest::get), say) is none.
    #[must_use]
    pub fn is_link(&self) -> bool {
        self.is_link
    }

    /// Whether it counts as a seed.
    #[must_use]
    pub fn is_seed(&self) -> bool {
        self.is_seed
    }

    /// Whether it is a GET without a body: its fingerprint is that of its URL.
    #[must_use]
    pub fn is_plain_get(&self) -> bool {
        let is_plain = |extras: &Extras| {
            extras.method == Method::Get
                && extras.body.is_empty()
                && extras.options.as_deref().is_none_or(|options| options.unique.is_none())
        };
        self.extras.as_deref().is_none_or(is_plain)
    }

    /// The request that it stands for, found at link distance `depth` on the page `referrer`;
    /// neither counts for a [`seed`](Self::seed).
    #[must_use]
    pub fn into_request(self, depth: u32, referrer: Option<&CanonicalUrl>) -> Request {
        let (depth, referrer) = if self.is_seed { (0, None) } else { (depth, referrer) };
        let Extras { method, headers, body, errback, options } =
            self.extras.map(|extras| *extras).unwrap_or_default();
        Request {
            url: self.url.into_url(),
            method,
            headers,
            body,
            label: self.label.unwrap_or_else(|| Arc::from("")),
            errback: errback.unwrap_or_else(|| Arc::from("")),
            meta: self.meta,
            priority: self.priority,
            depth,
            chain: Vec::new(),
            referrer: referrer.cloned(),
            options,
        }
    }
}

pub(crate) fn to_value(meta: &(impl Serialize + ?Sized)) -> Result<Value, SpiderError> {
    serde_json::to_value(meta)
        .map_err(|source| SpiderError::Serialise { what: "the metadata", source })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Followed;

    fn follow() -> Follow {
        Follow::new(CanonicalUrl::parse("http://h/").unwrap(), false)
    }

    fn made(change: impl FnOnce(&mut Follow)) -> Request {
        let mut follow = follow();
        change(&mut follow);
        follow.into_request(0, None)
    }

    #[test]
    fn bodies_say_what_they_are() {
        let form = made(|f| {
            f.form(&[("a b", "1&2"), ("é", "x*-._~")]);
        });
        assert_eq!(form.method, Method::Post);
        assert_eq!(std::str::from_utf8(&form.body), Ok("a+b=1%262&%C3%A9=x*-._%7E"));
        let header = |value: &str| vec![("Content-Type".to_owned(), value.to_owned())];
        assert_eq!(form.headers, header("application/x-www-form-urlencoded"));
        let json = made(|f| {
            f.form(&[("a", "b")]).json(&[1, 2]).unwrap();
        });
        assert_eq!(
            (json.body.as_slice(), json.headers),
            (&b"[1,2]"[..], header("application/json"))
        );
        assert_eq!(
            made(|f| {
                f.head();
            })
            .method,
            Method::Head
        );
        let bad = std::collections::BTreeMap::from([([1], 2)]);
        assert!(matches!(follow().json(&bad), Err(SpiderError::Serialise { .. })));
    }

    #[test]
    fn options_travel_in_the_request_and_a_plain_get_has_none() {
        assert_eq!(made(|_| ()).options, None);
        let request = made(|f| {
            f.timeout(Duration::from_secs(3)).proxy("eu").jar("a").accept([404, 404]).accept([503]);
            f.not_before(UNIX_EPOCH + Duration::from_millis(1500)).dont_filter();
        });
        let expected = FetchOptions {
            timeout: Some(Duration::from_secs(3)),
            not_before_ms: 1500,
            proxy: Some("eu".into()),
            jar: Some("a".into()),
            accept: vec![404, 503],
            unique: Some(FetchOptions::UNNUMBERED),
            cookies_changed: false,
        };
        assert_eq!(request.options(), &expected);
        let none = made(|f| {
            f.no_proxy().no_cookies();
        });
        assert_eq!(
            (none.options().proxy.as_deref(), none.options().jar.as_deref()),
            (Some(""), Some(""))
        );
        assert_eq!(
            made(|f| {
                f.delay(Duration::MAX);
            })
            .options()
            .not_before_ms,
            u64::MAX
        );
        assert!(
            made(|f| {
                f.delay(Duration::ZERO);
            })
            .options()
            .not_before_ms
                > 1_600_000_000_000
        );
        // What is asked of the fetch is no part of what is asked for.
        let mut accepting = follow();
        accepting.accept([404]);
        assert!(accepting.is_plain_get());
        accepting.dont_filter();
        assert!(!accepting.is_plain_get());
    }

    #[test]
    fn what_is_set_on_all_is_set_on_each() {
        let mut follows = [follow(), follow()];
        let all = Followed::new(&mut follows).header("X-A", "1").accept([404]).dont_filter();
        let _ = all.timeout(Duration::from_secs(1)).each(|follow| {
            follow.jar("j");
        });
        for follow in follows {
            let request = follow.into_request(0, None);
            assert_eq!((request.headers.len(), &request.options().accept[..]), (1, &[404][..]));
            assert_eq!(request.options().jar.as_deref(), Some("j"));
        }
    }
}
