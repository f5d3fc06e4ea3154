//! The other half of `isolation = "process"`: this binary, started by a crawl, with its plugin.

use super::failure::{Exit, Failure};

pub(crate) fn serve() -> Result<(), Failure> {
    Err(Failure::new(Exit::Usage, "not yet"))
}
