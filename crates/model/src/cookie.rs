//! Cookies on their way into the store.

/// One change of a cookie jar. It is settled with the page that brought it: what a page set is
/// known after a kill exactly if the page is.
///
/// To all but the fetcher both texts are opaque.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CookieChange {
    /// Which cookie: jar, domain, path and name.
    pub key: Box<str>,
    /// What it is now; `None` if it is gone.
    pub cookie: Option<Box<str>>,
}
