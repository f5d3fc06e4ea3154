//! wget2 on the same site: the yardstick, for it is fast, everywhere, and does little else.

use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use clap::ValueEnum;

use super::crawler::broken;
use super::process::{self, Cost};
use super::workload::Workload;
use crate::cli::failure::{Exit, Failure};

/// What it does with the pages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Keeping {
    /// Nothing: they are written to /dev/null. What a crawl that keeps no bodies is compared with.
    Discard,
    /// A file for each, its plain use. What a crawl that keeps bodies is compared with.
    Files,
}

impl Keeping {
    /// All of them.
    pub(crate) const ALL: [Self; 2] = [Self::Discard, Self::Files];

    fn options(self) -> &'static [&'static str] {
        match self {
            Self::Discard => &["-O", "/dev/null"],
            Self::Files => &["--directory-prefix=wget2"],
        }
    }
}

/// Whether there is one to compare with.
pub(crate) fn is_there() -> bool {
    let version = Command::new("wget2").arg("--version").stdout(Stdio::null()).status();
    version.is_ok_and(|status| status.success())
}

/// Lets it crawl on these cores.
pub(crate) fn crawl(
    folder: &Path,
    workload: Workload,
    keeping: Keeping,
    site: SocketAddr,
    cores: &[usize],
) -> Result<Cost, Failure> {
    let seeds = workload.addresses().map(|host| format!("http://{host}:{}/", site.port()));
    let mut command = Command::new("wget2");
    let log = folder.join("wget2.log");
    let err = fs::File::create(&log).map_err(broken)?;
    command
        .args(["--recursive", "--level=0", "--quiet", "--no-config"])
        .args(keeping.options())
        .arg(format!("--max-threads={}", workload.connections()))
        .args(seeds)
        .current_dir(folder)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(err);
    let start = Instant::now();
    let child = process::spawn_on(cores, &mut command).map_err(broken)?;
    let cost = process::cost_of(child, start).map_err(broken)?;
    if keeping == Keeping::Files {
        // The next round must not find them: then wget2 would only ask what is new.
        fs::remove_dir_all(folder.join("wget2")).map_err(broken)?;
    }
    if cost.is_success {
        return Ok(cost);
    }
    let what = format!("wget2 did not crawl {} to its end", workload.name());
    Err(Failure::new(Exit::Broken, what).hint(format!("see {}", log.display())))
}
