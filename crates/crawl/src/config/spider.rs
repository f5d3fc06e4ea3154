//! The spider that a config describes, made.

use std::sync::Arc;

use crawl_parser::{SpiderConfig, configured};
use crawl_spider::Spider;

use super::check::Fault;
use super::{Config, ConfigError, Mistake};
use crate::isolation::Recipe;

impl Config {
    /// Lays `name=value` arguments over `[spider.args]`, as `-a` of the command line does.
    ///
    /// # Errors
    /// [`ConfigError::Mistake`] if one has no `=`.
    pub fn set_spider_args(&mut self, arguments: &[String]) -> Result<(), ConfigError> {
        for argument in arguments {
            let usage = "write it as `-a name=value`, such as `-a tag=love`";
            let pair = argument.split_once('=').filter(|(name, _)| !name.trim().is_empty());
            let Some((name, value)) = pair else {
                return Err(Mistake::new(format!("`-a {argument}` is no argument"))
                    .hint(usage)
                    .into());
            };
            self.spider.get_or_insert_default().args.set(name.trim(), value);
        }
        Ok(())
    }

    /// The spider that the crawl has: that of the plugin, which is built if it is a folder, or the
    /// one that the table `[spider]` describes, or one that follows every link.
    ///
    /// Blocks for as long as a build takes; cargo shows on standard error what it does.
    ///
    /// # Errors
    /// [`ConfigError`] if something in the table is wrong, or the plugin cannot be used.
    pub fn make_spider(&self) -> Result<Arc<dyn Spider>, ConfigError> {
        Recipe::of(self).make(None)
    }
}

/// Checks the table as far as that goes without a build.
pub(super) fn check(config: &SpiderConfig) -> Result<(), Fault> {
    let Some(plugin) = &config.plugin else {
        let Err(error) = configured(config.clone()) else { return Ok(()) };
        let mistake = Mistake::new(format!("`{}`: {}", error.key, error.problem));
        let mistake = error.hint.into_iter().fold(mistake, Mistake::hint);
        return Err(Fault::new(error.key, mistake));
    };
    if plugin.as_os_str().is_empty() {
        let mistake = Mistake::new("`spider.plugin` is empty");
        let hint = "it is a crate's folder or a shared library; `.` is this folder";
        return Err(Fault::new("spider.plugin", mistake.hint(hint)));
    }
    // Whatever else is in the table describes a spider, and that is the plugin's to do.
    let alone = SpiderConfig {
        plugin: config.plugin.clone(),
        isolation: config.isolation,
        memory_mib: config.memory_mib,
        args: config.args.clone(),
        ..SpiderConfig::default()
    };
    let keys = |config: &SpiderConfig| toml::Table::try_from(config).unwrap_or_default();
    let alone = keys(&alone);
    match keys(config).into_iter().find(|(key, _)| !alone.contains_key(key)) {
        None => Ok(()),
        Some((key, _)) => {
            let path = format!("spider.{key}");
            let message = format!("`{path}` is of no use beside `spider.plugin`");
            let hint = "a plugin says itself what to follow and to take; to tell it something, use \
                        `[spider.args]`";
            Err(Fault::new(path, Mistake::new(message).hint(hint)))
        }
    }
}
