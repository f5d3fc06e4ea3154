//! The commands for those who write spiders: a new one, pages kept for its tests, and the tests.

pub(crate) mod args;

mod check;
mod new;
mod propose;
mod record;
mod sdk;
mod template;

pub(crate) use check::check;
pub(crate) use new::new;
pub(crate) use record::record;
pub(crate) use sdk::find as find_sdk;

use std::path::{Path, PathBuf};

/// Where a config's fixtures are if nobody says: `tests/NAME` beside `NAME.toml`.
fn fixtures_of(config: &Path) -> PathBuf {
    let stem = config.file_stem().unwrap_or_else(|| "spider".as_ref());
    config.parent().unwrap_or(Path::new("")).join("tests").join(stem)
}
