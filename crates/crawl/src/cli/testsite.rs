//! `crawl testsite`: the bundled bookshop as a process of its own.

use std::io::Write;

use crawl_testsite::{Bookshop, TestSite};

use super::args::TestsiteArgs;
use super::failure::{Exit, Failure, unless_closed};
use super::signals::Signals;

/// Serves until Ctrl-C; the address is the first line of stdout.
pub(crate) async fn testsite(args: TestsiteArgs) -> Result<(), Failure> {
    let shop = Bookshop { books: args.books.get(), ..Bookshop::default() };
    let mut builder =
        TestSite::builder().bookshop(shop).latency(args.latency).bind(args.listen).keep_records(0);
    if let Some(log) = &args.log {
        builder = builder.log_file(log);
    }
    let mut signals = Signals::listen().map_err(|e| Failure::new(Exit::Broken, e))?;
    let site = builder.try_start().await.map_err(|e| cannot_serve(&args, e))?;
    let mut out = std::io::stdout();
    unless_closed(writeln!(out, "http://{}/", site.addr).and_then(|()| out.flush()))?;
    eprintln!("{} books are served until Ctrl-C", args.books);
    signals.next().await;
    Ok(())
}

fn cannot_serve(args: &TestsiteArgs, error: std::io::Error) -> Failure {
    let log = args.log.as_ref().map(|log| format!(" with the log {}", log.display()));
    let what = format!("cannot serve on {}{}: {error}", args.listen, log.unwrap_or_default());
    Failure::new(Exit::Broken, what)
        .hint("port 0 takes a free one: --listen 127.0.0.1:0; the log's folder must exist")
}
