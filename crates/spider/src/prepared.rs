//! A spider as hosts hold it: what it says once is asked once.

use std::sync::Arc;

use crate::spider::pass_on;
use crate::{
    Closed, Expression, FailedRequest, Harvest, ItemQuery, ItemStep, Page, RequestStep, Rules,
    Spider, SpiderError,
};

/// A spider with its rules: they are followed after each callback.
struct Ruled {
    spider: Arc<dyn Spider>,
    rules: Rules,
}

/// Makes a spider ready for a host, which calls no other: its rules
/// ([`Spider::rules`]) are asked for once and followed after each [`Spider::parse`]; in
/// [`wants`](Spider::wants) and [`expressions`](Spider::expressions) are theirs, too.
///
/// For hosts and tests. To prepare a spider twice does no harm.
#[must_use]
pub fn prepare(spider: Arc<dyn Spider>) -> Arc<dyn Spider> {
    let rules = spider.rules();
    if rules.is_empty() { spider } else { Arc::new(Ruled { spider, rules }) }
}

impl Spider for Ruled {
    pass_on!(spider: name error closed item_step request_step wants_status);

    fn wants(&self) -> Vec<ItemQuery> {
        let mut wants = self.spider.wants();
        wants.extend(self.rules.wants());
        wants
    }

    fn expressions(&self) -> Vec<Expression> {
        let mut expressions = self.spider.expressions();
        expressions.extend(self.rules.expressions());
        expressions
    }

    fn start(&self, out: &mut Harvest) -> Result<(), SpiderError> {
        self.rules.check()?;
        self.spider.start(out)
    }

    fn parse(&self, page: &Page<'_>, out: &mut Harvest) -> Result<(), SpiderError> {
        self.spider.parse(page, out)?;
        self.rules.follow(page, out)?;
        Ok(())
    }
}
