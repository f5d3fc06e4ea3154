//! The `crawl` binary: reads the command line, runs the command, answers with an exit code.

mod cli;
mod memory;

use std::process::ExitCode;

use clap::Parser;

use cli::args::Cli;
use cli::failure::{Exit, Failure};

/// Sets for the whole process what is good for a crawl; where the system has no such thing, it runs
/// without.
fn fit_to_crawling() {
    // All threads are for the crawl.
    let _ = crawl::parser::give_way();
    // Pages of 2 MiB would be cleared as a whole for a few KiB of a body, again and again.
    #[cfg(target_os = "linux")]
    let _ = rustix::thread::disable_transparent_huge_pages(true);
}

fn main() -> ExitCode {
    memory::give_back_soon();
    if let Some(served) = crawl::plugin_child() {
        return match served {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => Failure::new(Exit::Broken, error)
                .hint("`crawl` starts this by itself, for `isolation = \"process\"`")
                .report(),
        };
    }
    let cli = Cli::parse();
    fit_to_crawling();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return Failure::new(Exit::Broken, error).report(),
    };
    let result = runtime.block_on(cli::dispatch(cli));
    // Whoever is still at work (a name lookup, say) must not hold up the end.
    runtime.shutdown_background();
    match result {
        Ok(exit) => exit.into(),
        Err(failure) => failure.report(),
    }
}
