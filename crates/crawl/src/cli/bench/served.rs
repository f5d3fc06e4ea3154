//! The benchmark's site, in a process of its own on a core of its own.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::SocketAddr;
use std::process::{Child, Stdio};
use std::sync::Arc;
use std::time::Duration;

use crawl_testsite::TestSite;

use super::crawler::{broken, this_binary};
use super::process;
use super::workload::Workload;
use crate::cli::failure::{Exit, Failure, unless_closed};

/// A running site. Stops when dropped.
pub(crate) struct Served {
    pub(crate) addr: SocketAddr,
    child: Child,
}

/// What the site saw.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Seen {
    /// CPU time of its process so far.
    pub(crate) cpu: Duration,
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
        let mut line = String::new();
        if let Some(out) = child.stdout.take() {
            BufReader::new(out).read_line(&mut line).map_err(broken)?;
        }
        match line.trim().parse() {
            Ok(addr) => Ok(Self { addr, child }),
            Err(_) => Err(Failure::new(Exit::Broken, "the benchmark's site did not start")),
        }
    }

    pub(crate) fn seen(&self) -> Result<Seen, Failure> {
        Ok(Seen { cpu: process::cpu_of(self.child.id()).map_err(broken)? })
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

/// Serves until standard input ends; the address is the first line of stdout.
pub(crate) fn serve(workload: Workload, pages: Option<u32>) -> Result<(), Failure> {
    let market = workload.market(pages);
    // All hosts at one port: 127.0.0.1 is the first of them.
    let builder = TestSite::builder()
        .site("*", Arc::new(market))
        .also_on(workload.addresses().skip(1).map(Into::into))
        .latency(workload.latency())
        .keep_records(0);
    let site = TestSite::try_spawn_thread(builder).map_err(broken)?;
    let mut out = io::stdout();
    unless_closed(writeln!(out, "{}", site.addr).and_then(|()| out.flush()))?;
    io::stdin().read_to_end(&mut Vec::new()).map_err(broken)?;
    Ok(())
}
