//! The spider of a config, without a crawl.

use std::sync::Arc;

use crawl::Config;
use crawl::parser::{ConfigSpider, LinkSpider};
use crawl::spider::Spider;

use crate::cli::failure::{Exit, Failure};

/// The spider that a crawl by this config has.
pub(super) fn of(config: &Config) -> Result<Arc<dyn Spider>, Failure> {
    let Some(spider) = config.spider.clone() else { return Ok(Arc::new(LinkSpider)) };
    let spider = ConfigSpider::new(spider).map_err(|error| Failure::new(Exit::Usage, error))?;
    Ok(Arc::new(spider))
}
