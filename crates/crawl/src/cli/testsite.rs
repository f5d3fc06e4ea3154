//! `crawl testsite`: the bundled sites as a process of its own.

use std::io::{self, Write};

use crawl_testsite::{Bookshop, TUTORIAL_HOSTS, TestSite};

use super::args::TestsiteArgs;
use super::failure::{Exit, Failure, unless_closed};
use super::signals::Signals;

/// Serves until Ctrl-C; the address is the first line of stdout.
pub(crate) async fn testsite(args: TestsiteArgs) -> Result<(), Failure> {
    let shop = Bookshop { books: args.books.get(), ..Bookshop::default() };
    let mut builder = TestSite::builder()
        .bookshop(shop)
        .tutorials()
        .latency(args.latency)
        .bind(args.listen)
        .keep_records(0);
    if let Some(log) = &args.log {
        builder = builder.log_file(log);
    }
    let mut signals = Signals::listen().map_err(|e| Failure::new(Exit::Broken, e))?;
    let site = builder.try_start().await.map_err(|e| cannot_serve(&args, &e))?;
    let mut out = io::stdout();
    unless_closed(writeln!(out, "http://{}/", site.addr).and_then(|()| out.flush()))?;
    let hosts = TUTORIAL_HOSTS.join(", ");
    eprintln!("{} books are served until Ctrl-C; for these hosts other sites: {hosts}", args.books);
    signals.next().await;
    Ok(())
}

fn cannot_serve(args: &TestsiteArgs, error: &io::Error) -> Failure {
    let failure = Failure::new(Exit::Broken, format!("the site cannot be served: {error}"));
    match &args.log {
        Some(log) => failure.hint(format!(
            "the folder of {} must exist; --listen 127.0.0.1:0 takes a free port",
            log.display()
        )),
        None => failure.hint("--listen 127.0.0.1:0 takes a free port"),
    }
}
