//! The trait that users implement.

use crawl_model::{CanonicalUrl, Request, Verdict};
use serde::Deserialize;

use crate::{Expression, Harvest, ItemQuery, ItemStep, Page, RequestStep, Rules, SpiderError};

/// Reads pages: takes items from them and says what to follow.
///
/// One value serves all CPU threads at once, so the callbacks take `&self`; what must travel
/// from one page to the next goes into a request's metadata ([`Follow::meta`](crate::Follow::meta)),
/// where it survives a kill of the process.
///
/// Each callback stands or falls as a whole: if it returns an error or panics, nothing of its
/// harvest is kept, and the page ends as `spider-error` or `spider-panic` with the message in
/// the store. Other pages are not touched.
pub trait Spider: Send + Sync + 'static {
    /// A short name for reports and log lines. Default: `spider`.
    fn name(&self) -> &str {
        "spider"
    }

    /// What it takes from every page, as far as that is known beforehand. Asked once; the host
    /// then matches it in the same pass that finds the links. Only a hint: [`Page::rows`] answers
    /// other queries just as well, and more slowly. Default: nothing; `#[spider]` writes it of
    /// what `parse` extracts, if it is not there.
    fn wants(&self) -> Vec<ItemQuery> {
        Vec::new()
    }

    /// Which links are followed on all pages, and how. Asked once; the host follows them on each
    /// page after [`parse`](Self::parse), if that went well, so that `parse` has only items to care
    /// for. Default: none, `parse` follows what it wants.
    ///
    /// ```
    /// use crawl_spider::prelude::*;
    ///
    /// struct Books;
    ///
    /// impl Spider for Books {
    ///     fn rules(&self) -> Rules {
    ///         Rules::new().rule(Rule::css("li.next")).rule(Rule::url("/book/").label("book"))
    ///     }
    ///
    ///     fn parse(&self, page: &Page<'_>, out: &mut Harvest) -> Result<(), SpiderError> {
    ///         match page.label() {
    ///             "book" => out.item(&json!({"title": page.text_of("h1")?})),
    ///             _ => Ok(()),
    ///         }
    ///     }
    /// }
    /// ```
    fn rules(&self) -> Rules {
        Rules::default()
    }

    /// The selectors and patterns it uses, beyond those of its [`rules`](Self::rules). Asked once;
    /// the host checks them before the crawl begins, so that a typing error ends it there. What is
    /// not told here is checked when it is used. Default: none.
    fn expressions(&self) -> Vec<Expression> {
        Vec::new()
    }

    /// Called once when a crawl begins: requests beyond the configured seeds.
    ///
    /// # Errors
    /// Whatever keeps the spider from working; the crawl then does not begin.
    fn start(&self, out: &mut Harvest) -> Result<(), SpiderError> {
        let _ = out;
        Ok(())
    }

    /// Called for each page. With several kinds of pages, branch by [`Page::label`].
    ///
    /// # Errors
    /// Whatever makes the page unreadable. The page settles as `spider-error`.
    fn parse(&self, page: &Page<'_>, out: &mut Harvest) -> Result<(), SpiderError>;

    /// Called for each request that ended without a page that [`parse`](Self::parse) was given:
    /// no answer, an unwanted status, a bad redirect. Not called for tries that are repeated, nor
    /// for requests that were never sent: `robots.txt` forbids them, their host is dead, a limit is
    /// reached.
    ///
    /// What it harvests is kept with the failed page. With several kinds of requests, branch by
    /// [`FailedRequest::errback`], which is what the request was told by
    /// [`Follow::errback`](crate::Follow::errback). Default: does nothing.
    ///
    /// ```
    /// use crawl_spider::{FailedRequest, Harvest, LogLevel, SpiderError, json};
    /// # use crawl_spider::{Page, Spider};
    /// # struct Books;
    /// # impl Spider for Books {
    /// # fn parse(&self, _: &Page<'_>, _: &mut Harvest) -> Result<(), SpiderError> { Ok(()) }
    ///
    /// fn error(&self, failed: &FailedRequest<'_>, out: &mut Harvest) -> Result<(), SpiderError> {
    ///     match failed.errback() {
    ///         "book gone" => out.item(&json!({"url": failed.url().as_str(), "gone": true}))?,
    ///         _ => out.log(LogLevel::Debug, failed.detail()),
    ///     }
    ///     Ok(())
    /// }
    /// # }
    /// ```
    ///
    /// # Errors
    /// Recorded with the page; its verdict stays.
    fn error(&self, failed: &FailedRequest<'_>, out: &mut Harvest) -> Result<(), SpiderError> {
        let (_, _) = (failed, out);
        Ok(())
    }

    /// Called once when a run of the crawl has ended, however it ended but for a kill: to sum up.
    /// Its log lines and counts are kept; items and requests would have no page and are an error.
    /// Default: does nothing.
    ///
    /// # Errors
    /// Told to the log; the crawl has ended all the same.
    fn closed(&self, closed: &Closed<'_>, out: &mut Harvest) -> Result<(), SpiderError> {
        let (_, _) = (closed, out);
        Ok(())
    }

    /// The step that its items go through before all others, [`error`](Self::error)'s too.
    /// Usually `Some(self)`; always the same. Default: none.
    fn item_step(&self) -> Option<&dyn ItemStep> {
        None
    }

    /// The step that the requests of its callbacks go through. Usually `Some(self)`; always the
    /// same. Default: none.
    fn request_step(&self) -> Option<&dyn RequestStep> {
        None
    }

    /// Whether [`parse`](Self::parse) wants pages of this HTTP status. Default: 200 to 299.
    ///
    /// A 301, 302, 303, 307 or 308 with a `Location` is followed as a redirect whatever the
    /// answer. A single request can ask for more ([`Follow::accept`](crate::Follow::accept)), for
    /// redirects, too.
    fn wants_status(&self, status: u16) -> bool {
        (200..300).contains(&status)
    }
}

/// A function is a spider that needs nothing but [`Spider::parse`].
impl<F> Spider for F
where
    F: Fn(&Page<'_>, &mut Harvest) -> Result<(), SpiderError> + Send + Sync + 'static,
{
    fn parse(&self, page: &Page<'_>, out: &mut Harvest) -> Result<(), SpiderError> {
        self(page, out)
    }
}

/// Methods of [`Spider`] that a spider leaves to another one in one of its fields. Whoever adds a
/// method to the trait adds it here, and looks at the spiders that are made of others.
macro_rules! pass_on {
    ($inner:ident: $($method:ident)*) => {
        $($crate::spider::pass_on!(@$method $inner);)*
    };
    (@name $inner:ident) => {
        fn name(&self) -> &str {
            self.$inner.name()
        }
    };
    (@error $inner:ident) => {
        fn error(
            &self,
            failed: &FailedRequest<'_>,
            out: &mut Harvest,
        ) -> Result<(), SpiderError> {
            self.$inner.error(failed, out)
        }
    };
    (@closed $inner:ident) => {
        fn closed(&self, closed: &Closed<'_>, out: &mut Harvest) -> Result<(), SpiderError> {
            self.$inner.closed(closed, out)
        }
    };
    (@wants_status $inner:ident) => {
        fn wants_status(&self, status: u16) -> bool {
            self.$inner.wants_status(status)
        }
    };
    (@item_step $inner:ident) => {
        fn item_step(&self) -> Option<&dyn ItemStep> {
            self.$inner.item_step()
        }
    };
    (@request_step $inner:ident) => {
        fn request_step(&self) -> Option<&dyn RequestStep> {
            self.$inner.request_step()
        }
    };
}

pub(crate) use pass_on;

/// How a run of a crawl ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Closed<'a> {
    /// Why: `finished`, `closed` (it goes on with the next run), `stopped:` with the reason that the
    /// spider gave ([`Harvest::stop`]), the limit that was reached, as `limit:scope.max-pages`, or
    /// `broken`: the crawl could not go on.
    pub reason: &'a str,
    /// Pages of this run.
    pub n_pages: u64,
    /// Items of this run.
    pub n_items: u64,
}

/// A request that gave no page to parse.
#[derive(Debug, Clone, Copy)]
pub struct FailedRequest<'a> {
    request: &'a Request,
    verdict: Verdict,
    status: Option<u16>,
    detail: &'a str,
}

impl<'a> FailedRequest<'a> {
    /// Puts it together; for hosts and tests.
    #[must_use]
    pub fn new(
        request: &'a Request,
        verdict: Verdict,
        status: Option<u16>,
        detail: &'a str,
    ) -> Self {
        Self { request, verdict, status, detail }
    }

    /// What was asked.
    #[must_use]
    pub fn request(&self) -> &'a Request {
        self.request
    }

    /// Where it went.
    #[must_use]
    pub fn url(&self) -> &'a CanonicalUrl {
        &self.request.url
    }

    /// The label of the callback it was for; empty for the default one.
    #[must_use]
    pub fn label(&self) -> &'a str {
        &self.request.label
    }

    /// Which error callback it is for ([`Follow::errback`](crate::Follow::errback)); empty for the
    /// default one.
    #[must_use]
    pub fn errback(&self) -> &'a str {
        &self.request.errback
    }

    /// How it ended.
    #[must_use]
    pub fn verdict(&self) -> Verdict {
        self.verdict
    }

    /// HTTP status; `None` if no response came.
    #[must_use]
    pub fn status(&self) -> Option<u16> {
        self.status
    }

    /// What happened, for people.
    #[must_use]
    pub fn detail(&self) -> &'a str {
        self.detail
    }

    /// The request's metadata, typed.
    ///
    /// # Errors
    /// [`SpiderError::Meta`] if it is not a `T`.
    pub fn meta<T: Deserialize<'a>>(&self) -> Result<T, SpiderError> {
        T::deserialize(&self.request.meta).map_err(SpiderError::Meta)
    }
}
