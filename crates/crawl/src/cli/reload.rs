//! `crawl plugin reload`: a running crawl goes on with a new build of its plugin.

use crawl::engine::{ControlError, Order, order};

use super::args::ReloadArgs;
use super::failure::{Exit, Failure, unless_closed};

/// Gives the order, waits until it is done, and says so.
pub(super) fn reload(args: &ReloadArgs) -> Result<(), Failure> {
    // The crawl may run in another folder than we.
    let path = args.path.as_ref().map(|path| {
        std::path::absolute(path).map_err(|error| {
            Failure::new(Exit::Usage, format!("no path: {}: {error}", path.display()))
        })
    });
    let path = path.transpose()?;
    let done = order(&args.store, &Order::ReloadPlugin { path }).map_err(|error| {
        let hint = match &error {
            ControlError::Io { .. } => {
                "is this the folder (store.path) of a crawl that runs? Without one, just start it: \
                 `crawl run` builds the plugin anew"
            }
            _ => "the crawl goes on with the spider that it had",
        };
        Failure::new(Exit::Broken, error).hint(hint)
    })?;
    if args.json {
        return unless_closed(crawl::feeds::stdout::write(format!("{done}\n").as_bytes()));
    }
    let name = done["spider"].as_str().unwrap_or_default();
    unless_closed(crawl::feeds::stdout::write(
        format!("the crawl goes on with the new `{name}`\n").as_bytes(),
    ))
}
