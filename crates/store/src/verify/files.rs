//! The small files beside the database, against it.

use std::fs;
use std::io::{self, ErrorKind};
use std::path::Path;

use serde_json::Value;

use super::bytes::{fnv, le_u64, numbers};
use super::finding::{Finding, Kind};
use super::pages::Broken;
use super::told::Told;

const JOURNAL_MAGIC: &[u8] = b"crawl\0j1";
const JOURNAL_HEAD: usize = 24;
const SLOT: usize = 16;
/// Ended runs that are remembered.
const MOST_RUNS: usize = 20;

/// What the database says of the run before.
#[derive(Debug, Clone, Copy)]
pub(super) struct Run {
    pub(super) is_clean: bool,
    pub(super) epoch: u64,
    /// Last settle number.
    pub(super) last: u64,
}

impl Run {
    pub(super) fn read(tree: &sled::Db, last: u64) -> Result<Self, sled::Error> {
        let number = |name: &str| -> Result<Option<u64>, sled::Error> {
            let value = tree.get(name)?;
            Ok(value.and_then(|value| numbers(&value)?.first().copied()))
        };
        let is_clean = number("Mclean")?.unwrap_or(1) == 1;
        Ok(Self { is_clean, epoch: number("Mepoch")?.unwrap_or(0), last })
    }
}

/// Checks all of them.
pub(super) fn check(
    root: &Path,
    tree: &sled::Db,
    run: Run,
    told: &mut Told<'_>,
) -> Result<(), Broken> {
    manifest(root, run, told)?;
    journal(root, run, told)?;
    runs(root, tree, told)?;
    let seed_hosts = read(&root.join("seed-hosts"))?;
    if let Some(rest) = seed_hosts.map(|bytes| bytes.len() % 8).filter(|rest| *rest > 0) {
        let finding = match run.is_clean {
            true => {
                Finding::new(Kind::SeedHostsDamaged, format!("{rest} bytes too many at its end"))
            }
            // A kill may do that; the next run writes over it.
            false => {
                Finding::new(Kind::Leftover, format!("{rest} bytes of a write that did not end"))
            }
        };
        told.tell(finding.in_file("seed-hosts"));
        if run.is_clean {
            let path = root.join("seed-hosts");
            let len = fs::metadata(&path)?.len();
            told.fixes.cuts.push((path, len - rest as u64));
        }
    }
    log_leftovers(root, tree, told)
}

fn read(path: &Path) -> io::Result<Option<Vec<u8>>> {
    match fs::read(path) {
        Err(e) if e.kind() == ErrorKind::NotFound => Ok(None),
        read => read.map(Some),
    }
}

/// What the manifest has to say of settle `n`.
pub(super) fn manifest_line(n: u64) -> String {
    let text = format!("crawl-manifest 1 last-settle {n:020}");
    format!("{text} sum {:016x}\n", fnv(text.as_bytes()))
}

fn manifest(root: &Path, run: Run, told: &mut Told<'_>) -> Result<(), Broken> {
    let text = read(&root.join("manifest"))?;
    let text = text.map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
    let told_n = text.as_deref().and_then(|text| text.split(' ').nth(3)?.parse::<u64>().ok());
    let is_whole = told_n.is_some_and(|n| Some(manifest_line(n)) == text);
    let what = match (text, told_n) {
        (None, _) if run.last == 0 && !run.is_clean => return Ok(()),
        (None, _) => "it is not there".to_owned(),
        (Some(_), Some(n)) if is_whole && n > run.last => {
            let what = format!("settle {n} was acknowledged, the database ends at {}", run.last);
            told.tell(Finding::new(Kind::LostSettles, what).in_file("manifest"));
            return Ok(());
        }
        // A kill between the two leaves it behind.
        (Some(_), Some(n)) if is_whole && (n == run.last || !run.is_clean) => return Ok(()),
        (Some(_), Some(n)) if is_whole => {
            format!("it says {n}, and the database ends at {}", run.last)
        }
        (Some(_), _) => "it is not what was written".to_owned(),
    };
    told.tell(Finding::new(Kind::ManifestDamaged, what).in_file("manifest"));
    told.fixes.manifest = true;
    Ok(())
}

/// An empty journal.
pub(super) fn journal_head(epoch: u64) -> Vec<u8> {
    let head = [JOURNAL_MAGIC, &epoch.to_le_bytes()].concat();
    let sum = fnv(&head);
    [head, sum.to_le_bytes().to_vec()].concat()
}

fn journal(root: &Path, run: Run, told: &mut Told<'_>) -> Result<(), Broken> {
    let bytes = read(&root.join("open"))?;
    let epoch = bytes.as_ref().and_then(|bytes| {
        let epoch = le_u64(bytes, 8)?;
        (bytes.get(..JOURNAL_HEAD)? == journal_head(epoch)).then_some(epoch)
    });
    let what = match (&bytes, epoch) {
        // Killed before the first run had begun.
        (None, _) if run.epoch <= 1 && !run.is_clean && run.last == 0 => return Ok(()),
        (None, _) => "it is not there".to_owned(),
        (Some(_), None) => "it is not what was written".to_owned(),
        // The batch that counts deaths comes before the journal is begun anew.
        (Some(_), Some(epoch))
            if epoch == run.epoch || (epoch + 1 == run.epoch && !run.is_clean) =>
        {
            let open = open_slots(bytes.as_deref().unwrap_or_default());
            if !run.is_clean {
                let what = format!("the last run was killed; it had {open} URLs in hand");
                told.tell(Finding::new(Kind::UncleanStop, what));
            }
            return Ok(());
        }
        (Some(_), Some(epoch)) => {
            format!("it is of run {epoch}, and the database of run {}", run.epoch)
        }
    };
    told.tell(Finding::new(Kind::JournalDamaged, what).in_file("open"));
    told.fixes.journal = true;
    Ok(())
}

fn open_slots(journal: &[u8]) -> usize {
    let slots = journal.get(JOURNAL_HEAD..).unwrap_or_default().chunks_exact(SLOT);
    let is_open = |slot: &&[u8]| le_u64(slot, 8) == Some(fnv(&slot[..8]) | 1);
    slots.filter(is_open).count()
}

/// The ended runs, in the file and in the database. The file is written first.
fn runs(root: &Path, tree: &sled::Db, told: &mut Told<'_>) -> Result<(), Broken> {
    let mut stored = Vec::new();
    for entry in tree.scan_prefix(b"Mrun/") {
        let (_, json) = entry?;
        stored.push(serde_json::from_slice::<Value>(&json).unwrap_or_default());
    }
    let file = read(&root.join("runs"))?;
    let what = match file.as_ref().map(|bytes| serde_json::from_slice::<Vec<Value>>(bytes)) {
        None if stored.is_empty() => return Ok(()),
        None => "it is not there".to_owned(),
        Some(Err(e)) => e.to_string(),
        Some(Ok(runs)) if runs == stored => return Ok(()),
        // Killed between the two: the next start closes the run once more.
        Some(Ok(runs)) if is_one_more(&runs, &stored) => return Ok(()),
        Some(Ok(runs)) => {
            format!(
                "it tells of {} runs, the database of {}; or they differ",
                runs.len(),
                stored.len()
            )
        }
    };
    told.tell(Finding::new(Kind::RunsDiffer, what).in_file("runs"));
    told.fixes.runs = true;
    Ok(())
}

/// Whether the file is what the database says and one more, the oldest perhaps left out.
fn is_one_more(file: &[Value], stored: &[Value]) -> bool {
    let Some((_, before)) = file.split_last() else { return false };
    before == stored || (stored.len() == MOST_RUNS && before == &stored[1..])
}

/// What no commit speaks of in the folder of the log.
fn log_leftovers(root: &Path, tree: &sled::Db, told: &mut Told<'_>) -> Result<(), Broken> {
    let totals = tree.get("Mtotals")?.and_then(|value| numbers(&value)).unwrap_or_default();
    let (segment, offset) = match totals[..] {
        [_, _, segment, offset] => (segment, offset),
        _ => (0, 0),
    };
    let entries = match fs::read_dir(root.join("log")) {
        Err(e) if e.kind() == ErrorKind::NotFound => return Ok(()),
        entries => entries?,
    };
    for entry in entries {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let number = name.strip_suffix(".log").and_then(|digits| digits.parse::<u64>().ok());
        let place = format!("log/{name}");
        match number {
            Some(number) if number > segment => {
                let what = "no commit speaks of it";
                told.tell(Finding::new(Kind::UncommittedLog, what).in_file(place));
            }
            Some(number) if number == segment && entry.metadata()?.len() > offset => {
                let n = entry.metadata()?.len() - offset;
                let what = format!("{n} bytes of a commit that did not end");
                told.tell(Finding::new(Kind::UncommittedLog, what).in_file(place).at(offset));
            }
            _ => {}
        }
    }
    Ok(())
}
