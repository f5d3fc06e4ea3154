//! The rules of a declarative spider: those of the SDK, from TOML.

use crawl_spider::{LinkExtractor, Rule};

use super::config::RuleConfig;
use super::config_spider::{SpiderConfigError, check_css, check_regex};

/// Checks a rule and makes it one of the SDK. `key` is where it stands; `css_key` where its
/// selector does.
///
/// Pages that a rule leads to are always followed further: a config says what is followed and not
/// what is not.
pub(super) fn rule(
    config: &RuleConfig,
    key: &str,
    css_key: &str,
) -> Result<Rule, SpiderConfigError> {
    let links = match config.css.as_deref().map(str::trim) {
        None => LinkExtractor::new(),
        // From the pass that finds them anyway.
        Some("a" | "a[href]") => LinkExtractor::new().tags("a"),
        Some(css) => {
            check_css(css, css_key)?;
            LinkExtractor::new().restrict_css(css)
        }
    };
    let links = match &config.url {
        None => links,
        Some(pattern) => {
            check_regex(pattern, &format!("{key}.url"))?;
            links.allow(pattern.as_str())
        }
    };
    let rule = Rule::new(links).priority(config.priority).follow(true);
    Ok(match config.label.as_deref() {
        Some(label) => rule.label(label),
        None => rule,
    })
}
