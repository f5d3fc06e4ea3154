//! Where the SDK is that new spiders are built with.

use std::path::{Path, PathBuf};

use crate::cli::failure::{Exit, Failure};

/// The repository that this binary was built from.
const BUILT_IN: &str = env!("CARGO_MANIFEST_DIR");

/// The repository with the SDK, absolute: `given`, or where this binary was built.
pub(crate) fn find(given: Option<&Path>) -> Result<PathBuf, Failure> {
    let root = given.unwrap_or(Path::new(BUILT_IN));
    let is_there = |path: &Path| path.join("crates/spider/Cargo.toml").is_file();
    if is_there(root) {
        return root.canonicalize().map_err(|error| {
            Failure::new(Exit::Broken, format!("{} cannot be read: {error}", root.display()))
        });
    }
    let what = match given {
        Some(path) => format!("there is no SDK in {}: it has no crates/spider", path.display()),
        None => format!(
            "the SDK is not where this binary was built any more ({BUILT_IN}/crates/spider)"
        ),
    };
    let hint = "say where the crawler's repository is: --sdk PATH";
    Err(Failure::new(Exit::Usage, what).hint(hint))
}
