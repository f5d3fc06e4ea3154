//! What the kernel says of this process, and of a folder.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// Bytes of the largest size that the process had in memory.
///
/// # Panics
/// Where there is no `/proc` as Linux has it.
#[must_use]
pub fn peak_bytes() -> u64 {
    status_bytes("VmHWM:")
}

/// Bytes that the process has in memory now.
///
/// # Panics
/// Where there is no `/proc` as Linux has it.
#[must_use]
pub fn resident_bytes() -> u64 {
    status_bytes("VmRSS:")
}

fn status_bytes(name: &str) -> u64 {
    let status = fs::read_to_string("/proc/self/status").expect("Linux has it");
    let size = status.lines().find_map(|line| line.strip_prefix(name));
    let kib = size.and_then(|text| text.trim().strip_suffix(" kB")?.parse::<u64>().ok());
    kib.expect("the kernel tells sizes in kB") * 1024
}

/// Seconds of CPU that the threads have taken that are alive, by their names without a number at
/// the end; the first thread, which has the program's name, is `main`.
///
/// # Panics
/// Where there is no `/proc` as Linux has it.
#[must_use]
pub fn cpu_by_thread() -> BTreeMap<String, f64> {
    let mut by_name = BTreeMap::new();
    for task in fs::read_dir("/proc/self/task").expect("Linux has it").flatten() {
        // A thread may end meanwhile.
        let read = |name: &str| fs::read_to_string(task.path().join(name)).unwrap_or_default();
        let (name, times) = (read("comm"), read("schedstat"));
        let nanos = times.split(' ').next().and_then(|text| text.parse::<f64>().ok());
        let is_first = task.file_name().to_str() == Some(&std::process::id().to_string());
        let name = if is_first { "main" } else { name.trim() };
        let name = name.trim_end_matches(|c: char| c.is_ascii_digit()).trim_end_matches('-');
        *by_name.entry(name.to_owned()).or_default() += nanos.unwrap_or_default() / 1e9;
    }
    by_name
}

/// The machine's load over the last minute: who else was at work.
#[must_use]
pub fn load() -> String {
    let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    load.split(' ').next().unwrap_or_default().to_owned()
}

/// Bytes on disk of all files in `folder`, by the folder in which they lie.
///
/// # Errors
/// If a folder cannot be read.
pub fn disk_bytes(folder: &Path) -> io::Result<BTreeMap<String, u64>> {
    let mut by_area = BTreeMap::new();
    let mut open = vec![folder.to_owned()];
    while let Some(dir) = open.pop() {
        for entry in fs::read_dir(&dir)? {
            let entry = entry?;
            let about = entry.metadata()?;
            if about.is_dir() {
                open.push(entry.path());
                continue;
            }
            let area = dir.strip_prefix(folder).unwrap_or(&dir).display().to_string();
            let area = if area.is_empty() { "(top)".to_owned() } else { area };
            *by_area.entry(area).or_default() += about.blocks() * 512;
        }
    }
    Ok(by_area)
}

/// Seconds of CPU that all threads have taken, the ended ones too; counted in hundredths.
///
/// # Panics
/// Where there is no `/proc` as Linux has it.
#[must_use]
pub fn cpu_seconds() -> f64 {
    let stat = fs::read_to_string("/proc/self/stat").expect("Linux has it");
    // Behind the name, which may hold anything: user and system time are fields 14 and 15.
    let fields = stat.rsplit_once(')').map_or("", |(_, rest)| rest);
    let times = fields.split_whitespace().skip(11).take(2);
    times.filter_map(|text| text.parse::<f64>().ok()).sum::<f64>() / 100.0
}
