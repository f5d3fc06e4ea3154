//! `crawl config`: checks a config and shows what is in force.

use std::io::Write;

use crawl::Config;

use super::args::{ConfigArgs, ConfigCommand};
use super::failure::{Failure, unless_closed};

/// Prints the effective config as TOML, credentials hidden, or the schema of all configs.
pub(crate) fn config(args: &ConfigArgs) -> Result<(), Failure> {
    if let Some(ConfigCommand::Schema) = args.command {
        let text = format!("{:#}\n", Config::schema());
        let mut out = std::io::stdout().lock();
        return unless_closed(out.write_all(text.as_bytes()).and_then(|()| out.flush()));
    }
    let config = match &args.config {
        Some(path) => Config::load(path, &args.set)?,
        None => Config::parse("defaults", "", &args.set)?,
    };
    let mut out = std::io::stdout().lock();
    unless_closed(out.write_all(config.to_toml().as_bytes()).and_then(|()| out.flush()))
}
