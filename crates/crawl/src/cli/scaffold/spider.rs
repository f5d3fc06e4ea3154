//! The spider of a config, without a crawl.

use std::sync::Arc;

use crawl::Config;
use crawl::parser::{ConfigSpider, LinkSpider};
use crawl::spider::Spider;

use crate::cli::failure::{Exit, Failure};

/// The spider that a crawl by this config has. A plugin is built if it is a crate.
pub(super) fn of(config: &Config) -> Result<Arc<dyn Spider>, Failure> {
    let Some(spider) = config.spider.clone() else { return Ok(Arc::new(LinkSpider)) };
    if let Some(plugin) = &spider.plugin {
        let loaded = crawl_plugin::find(plugin)
            .and_then(|library| crawl_plugin::load(&library, &spider.args));
        return match loaded {
            Ok(spider) => Ok(Arc::new(spider)),
            Err(error) => Err(Failure::new(Exit::Usage, error)),
        };
    }
    let spider = ConfigSpider::new(spider).map_err(|error| Failure::new(Exit::Usage, error))?;
    Ok(Arc::new(spider))
}
