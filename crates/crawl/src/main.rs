//! The `crawl` binary: reads the command line, runs the command, answers with an exit code.

mod cli;

use std::process::ExitCode;

use clap::Parser;

use cli::args::Cli;
use cli::failure::{Exit, Failure};

/// A crawler allocates and frees by the page on many threads, where it beats glibc's malloc.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    if let Some(served) = crawl::plugin_child() {
        return match served {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => Failure::new(Exit::Broken, error)
                .hint("`crawl` starts this by itself, for `isolation = \"process\"`")
                .report(),
        };
    }
    let cli = Cli::parse();
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
