//! A process on one core, and what it cost.
//!
//! CPU time is the kernel's account of the whole process, read before it is reaped; memory is the
//! highest mark seen, which only ever rises.

use std::fs;
use std::io;
use std::process::{Child, Command};
use std::time::{Duration, Instant};

use rustix::process::{Pid, WaitId, WaitIdOptions, waitid};
use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

/// How often the memory of a process is looked at.
const LOOK: Duration = Duration::from_millis(20);

/// What a process cost.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cost {
    pub(crate) wall: Duration,
    /// CPU time of all its threads, in user and kernel mode.
    pub(crate) cpu: Duration,
    /// Highest resident set, in bytes.
    pub(crate) peak_rss: u64,
    pub(crate) is_success: bool,
}

/// Cores that this process may use, in order.
pub(crate) fn cores() -> io::Result<Vec<usize>> {
    let set = sched_getaffinity(None)?;
    Ok((0..CpuSet::MAX_CPU).filter(|core| set.is_set(*core)).collect())
}

/// Starts `command` on these cores. What it starts in turn stays there.
pub(crate) fn spawn_on(cores: &[usize], command: &mut Command) -> io::Result<Child> {
    let mut set = CpuSet::new();
    for core in cores {
        set.set(*core);
    }
    // A child inherits the affinity of the thread that starts it.
    std::thread::scope(|scope| {
        let spawn = || {
            sched_setaffinity(None, &set)?;
            command.spawn()
        };
        scope.spawn(spawn).join().unwrap_or_else(|_| Err(io::Error::other("the thread panicked")))
    })
}

/// Waits for the end of `child`, which began at `start`.
pub(crate) fn cost_of(mut child: Child, start: Instant) -> io::Result<Cost> {
    let id = child.id();
    let raw = i32::try_from(id).ok().and_then(Pid::from_raw);
    let pid = raw.ok_or_else(|| io::Error::other(format!("{id} is no process id")))?;
    let mut peak_rss = 0;
    loop {
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT | WaitIdOptions::NOHANG;
        if waitid(WaitId::Pid(pid), options)?.is_some() {
            break;
        }
        peak_rss = peak_rss.max(peak_rss_of(id).unwrap_or(0));
        std::thread::sleep(LOOK);
    }
    let wall = start.elapsed();
    let cpu = cpu_of(id)?;
    let is_success = child.wait()?.success();
    Ok(Cost { wall, cpu, peak_rss, is_success })
}

/// CPU time of a process that may have ended, but is not reaped.
pub(crate) fn cpu_of(id: u32) -> io::Result<Duration> {
    let stat = fs::read_to_string(format!("/proc/{id}/stat"))?;
    let ticks = ticks(&stat).ok_or_else(|| io::Error::other("/proc has no CPU times"))?;
    let per_second = rustix::param::clock_ticks_per_second().max(1);
    Ok(Duration::from_secs_f64(ticks as f64 / per_second as f64))
}

/// User and system time: fields 14 and 15 of proc(5)'s stat. The name in parentheses may hold
/// anything.
fn ticks(stat: &str) -> Option<u64> {
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace().skip(11);
    let user: u64 = fields.next()?.parse().ok()?;
    let system: u64 = fields.next()?.parse().ok()?;
    Some(user + system)
}

fn peak_rss_of(id: u32) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{id}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok().map(|kib| kib * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_spaces_and_parentheses_does_not_shift_the_times() {
        let stat = "7 (a) b (c) S 1 7 7 0 -1 4194560 100 0 0 0 25 17 0 0 20 0 1 0 1 1 1";
        assert_eq!(ticks(stat), Some(42));
        assert_eq!(ticks("7 (a) S 1"), None);
    }

    #[test]
    fn what_a_child_burns_is_counted() {
        let cores = cores().unwrap();
        let start = Instant::now();
        let script = "i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done; exit 3";
        let child = spawn_on(&cores[..1], Command::new("sh").args(["-c", script])).unwrap();
        let cost = cost_of(child, start).unwrap();
        assert!(!cost.is_success);
        assert!(cost.cpu > Duration::ZERO && cost.cpu <= cost.wall + Duration::from_millis(20));
    }
}
