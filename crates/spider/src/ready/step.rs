//! A part of a spider, and the spider that is made of it and another one.

use std::fmt;
use std::sync::Arc;

use crate::spider::pass_on;
use crate::{
    Closed, Expression, FailedRequest, Harvest, ItemQuery, ItemStep, Page, RequestStep, Spider,
    SpiderError, prepare,
};

/// What a [`Step`] says of a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Taken {
    /// It is none of its pages: somebody else has to read it.
    NotMine,
    /// It has read it.
    Mine,
    /// It has read it, and has done what others were waiting for ([`Step::comes_first`]).
    Done,
}

/// A part of a spider that takes some pages upon itself.
///
/// ```
/// use crawl_spider::prelude::*;
/// use crawl_spider::ready::{Sitemaps, Step, Taken};
///
/// struct Shop {
///     sitemaps: Sitemaps,
/// }
///
/// impl Spider for Shop {
///     fn start(&self, out: &mut Harvest) -> Result<(), SpiderError> {
///         self.sitemaps.start(out)
///     }
///
///     fn parse(&self, page: &Page<'_>, out: &mut Harvest) -> Result<(), SpiderError> {
///         if self.sitemaps.read(page, out)? != Taken::NotMine {
///             return Ok(());
///         }
///         out.item(&json!({"title": page.text_of("h1")?}))
///     }
/// }
///
/// // The same, shorter:
/// let shop = Sitemaps::new("http://bookshop.test/sitemap.xml")
///     .then(|page: &Page<'_>, out: &mut Harvest| out.item(&json!({"title": page.text_of("h1")?})));
/// # let _ = shop;
/// ```
pub trait Step: Send + Sync + 'static {
    /// Makes the requests it begins with.
    ///
    /// # Errors
    /// Whatever keeps it from working.
    fn start(&self, out: &mut Harvest) -> Result<(), SpiderError>;

    /// Reads a page, if it is one of its own.
    ///
    /// # Errors
    /// Whatever is wrong with the page.
    fn read(&self, page: &Page<'_>, out: &mut Harvest) -> Result<Taken, SpiderError>;

    /// Takes note of a request of its own that gave no page; whether it was one of its own.
    /// Default: it is not.
    ///
    /// # Errors
    /// Recorded with the page.
    fn failed(&self, failed: &FailedRequest<'_>, out: &mut Harvest) -> Result<bool, SpiderError> {
        let (_, _) = (failed, out);
        Ok(false)
    }

    /// Whether others begin only when a page was [`Taken::Done`]. Default: they begin at once.
    fn comes_first(&self) -> bool {
        false
    }

    /// As [`Spider::expressions`]. Default: none.
    fn expressions(&self) -> Vec<Expression> {
        Vec::new()
    }

    /// A spider that leaves to `spider` all that is not this step's: its pages, its rules, its
    /// start.
    fn then(self, spider: impl Spider) -> Then<Self>
    where
        Self: Sized,
    {
        Then { step: self, spider: prepare(Arc::new(spider)) }
    }
}

/// A step and the spider behind it; see [`Step::then`].
pub struct Then<S> {
    step: S,
    spider: Arc<dyn Spider>,
}

impl<S: Step> Spider for Then<S> {
    // Its rules are in it already.
    pass_on!(spider: name closed item_step request_step wants_status);

    fn wants(&self) -> Vec<ItemQuery> {
        self.spider.wants()
    }

    fn expressions(&self) -> Vec<Expression> {
        let mut expressions = self.step.expressions();
        expressions.extend(self.spider.expressions());
        expressions
    }

    fn start(&self, out: &mut Harvest) -> Result<(), SpiderError> {
        self.step.start(out)?;
        if self.step.comes_first() { Ok(()) } else { self.spider.start(out) }
    }

    fn parse(&self, page: &Page<'_>, out: &mut Harvest) -> Result<(), SpiderError> {
        match self.step.read(page, out)? {
            Taken::NotMine => self.spider.parse(page, out),
            Taken::Mine => Ok(()),
            Taken::Done if self.step.comes_first() => self.spider.start(out),
            Taken::Done => Ok(()),
        }
    }

    fn error(&self, failed: &FailedRequest<'_>, out: &mut Harvest) -> Result<(), SpiderError> {
        if self.step.failed(failed, out)? { Ok(()) } else { self.spider.error(failed, out) }
    }
}

impl<S: fmt::Debug> fmt::Debug for Then<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Then")
            .field("step", &self.step)
            .field("spider", &self.spider.name())
            .finish()
    }
}
