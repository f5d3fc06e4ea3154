//! The benchmark's site, in a process of its own on a core of its own.
//!
//! It alone sees what the crawler really does: how many connections are open at a time, say.

use std::io::{self, BufRead, BufReader, Write};
use std::net::SocketAddr;
use std::process::{Child, ChildStdout, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use crawl_testsite::TestSite;

use super::crawler::{broken, this_binary};
use super::process;
use super::workload::Workload;
use crate::cli::failure::{Exit, Failure, unless_closed};

/// Longest that the site waits for connections of a process that has ended.
const GOODBYE: Duration = Duration::from_secs(5);

/// Bytes of pages that it keeps once they are made: the smaller workloads whole.
const MAX_KEPT: usize = 256 << 20;

/// A running site. Stops when dropped.
pub(crate) struct Served {
    pub(crate) addr: SocketAddr,
    child: Child,
    told: BufReader<ChildStdout>,
}

/// What the site saw.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Seen {
    /// CPU time of its process so far.
    pub(crate) cpu: Duration,
    /// Most connections that were open at the same time since it was asked last.
    pub(crate) most_open: u64,
}

impl Served {
    /// Starts it on these cores.
    pub(crate) fn start(
        workload: Workload,
        pages: Option<u32>,
        cores: &[usize],
    ) -> Result<Self, Failure> {
        let mut command = this_binary()?;
        command.args(["bench", "--serve", workload.name()]);
        if let Some(pages) = pages {
            command.args(["--pages", &pages.to_string()]);
        }
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = process::spawn_on(cores, &mut command).map_err(broken)?;
        let gone = || Failure::new(Exit::Broken, "the benchmark's site did not start");
        let mut told = BufReader::new(child.stdout.take().ok_or_else(gone)?);
        let mut line = String::new();
        told.read_line(&mut line).map_err(broken)?;
        match line.trim().parse() {
            Ok(addr) => Ok(Self { addr, child, told }),
            Err(_) => Err(gone()),
        }
    }

    /// Asks it, when whoever crawled it has ended.
    pub(crate) fn seen(&mut self) -> Result<Seen, Failure> {
        let stdin = self.child.stdin.as_mut();
        let mut line = String::new();
        stdin.map_or(Ok(()), |stdin| writeln!(stdin)).map_err(broken)?;
        self.told.read_line(&mut line).map_err(broken)?;
        let gone = |_| Failure::new(Exit::Broken, "the benchmark's site has ended");
        let most_open = line.trim().parse().map_err(gone)?;
        Ok(Seen { cpu: process::cpu_of(self.child.id()).map_err(broken)?, most_open })
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        // It ends when its input does; one that hangs is killed.
        drop(self.child.stdin.take());
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Serves until standard input ends; the address is the first line of stdout. A line on standard
/// input is answered with the most connections at a time since the last one.
pub(crate) fn serve(workload: Workload, pages: Option<u32>) -> Result<(), Failure> {
    let market = workload.market(pages);
    // All hosts at one port: 127.0.0.1 is the first of them.
    let builder = TestSite::builder()
        .site("*", Arc::new(market.keeping(MAX_KEPT)))
        .also_on(workload.addresses().skip(1).map(Into::into))
        .latency(workload.latency())
        .keep_records(0);
    let site = TestSite::try_spawn_thread(builder).map_err(broken)?;
    let tell = |line: String| {
        let mut out = io::stdout();
        unless_closed(writeln!(out, "{line}").and_then(|()| out.flush()))
    };
    tell(site.addr.to_string())?;
    for line in io::stdin().lines() {
        line.map_err(broken)?;
        let most = site.connections().most;
        let asked = Instant::now();
        while site.connections().open > 0 && asked.elapsed() < GOODBYE {
            std::thread::sleep(Duration::from_millis(1));
        }
        site.forget_most();
        tell(most.to_string())?;
    }
    Ok(())
}
