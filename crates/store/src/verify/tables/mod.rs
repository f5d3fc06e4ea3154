//! The frontier's tables: the checkpoint, the runs of known fingerprints and the queue segments
//! that it names. All are compared with the log up to the checkpoint's place.

mod checkpoint;
mod frame;
mod queue;
mod run;

use std::collections::BTreeSet;
use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use crawl_model::{Fingerprinter, LogPosition};

use super::finding::{Finding, Kind};
use super::fold::{Fold, State, Sums};
use super::pages::Broken;
use super::told::Told;
use crate::sort::{Sorted, Sorter};

use checkpoint::Checkpoint;
use queue::Segments;
use run::{Run, Standing};

/// Why a table is not what it should be: what kind of finding, in which file, at which byte.
#[derive(Debug)]
struct Fault {
    kind: Kind,
    file: String,
    at: u64,
    what: String,
}

impl Fault {
    fn new(kind: Kind, file: &str, at: u64, what: impl Into<String>) -> Self {
        Self { kind, file: file.to_owned(), at, what: what.into() }
    }

    fn tell(self, told: &mut Told<'_>) {
        let finding = Finding::new(self.kind, self.what);
        told.tell(finding.in_file(self.file).at(self.at));
        told.fixes.tables = true;
    }
}

/// Most fingerprints that are told one by one.
const MOST_TOLD: u64 = 100;

/// The tables of a checkpoint, open to be compared with the log, a slice after the other.
pub(super) struct Tables {
    checkpoint: Checkpoint,
    /// The newest last.
    runs: Vec<Run>,
    /// Prints of what waits in lanes and of what was out of them, in order.
    waiting: Sorted<8>,
    sums: Sums,
    n_told: u64,
    /// Whether a run or segment could not be read, so that what is missing says nothing.
    is_partial: bool,
}

impl Tables {
    /// Opens what is in the folder; `None` if there is no checkpoint, or none that can be read.
    pub(super) fn open(
        root: &Path,
        prints: &Fingerprinter,
        end: LogPosition,
        told: &mut Told<'_>,
    ) -> Result<Option<Self>, Broken> {
        let dir = root.join("frontier");
        let bytes = match fs::read(dir.join("checkpoint")) {
            Err(e) if e.kind() == ErrorKind::NotFound => {
                let is_named = |_: &str| false;
                leftovers(&dir, is_named, "no checkpoint names it", told)?;
                return Ok(None);
            }
            read => read?,
        };
        let checkpoint = match checkpoint::read(&bytes) {
            Ok(checkpoint) => checkpoint,
            Err(what) => {
                Fault::new(Kind::CheckpointDamaged, "frontier/checkpoint", 0, what).tell(told);
                return Ok(None);
            }
        };
        let place = checkpoint.position;
        if (place.segment, place.offset) > (end.segment, end.offset) {
            let what = "it speaks of more than the settle log has";
            Fault::new(Kind::CheckpointDiffers, "frontier/checkpoint", 0, what).tell(told);
            return Ok(None);
        }
        let named: BTreeSet<String> = checkpoint.files().collect();
        leftovers(&dir, |name| named.contains(name), "the checkpoint does not name it", told)?;
        let mut is_partial = false;
        let mut note = |fault: Fault, told: &mut Told<'_>| {
            is_partial = true;
            fault.tell(told);
        };
        let mut runs = Vec::new();
        for name in &checkpoint.runs {
            match Run::check(&dir.join("seen").join(name), &format!("frontier/seen/{name}")) {
                Ok(run) => runs.push(run),
                Err(fault) => note(fault, told),
            }
        }
        let mut waiting = Sorter::new();
        for json in &checkpoint.loose {
            waiting.push(prints.request(&json.request).0.to_be_bytes())?;
        }
        match Segments::open(&dir.join("queue"), &checkpoint) {
            Ok(mut segments) => {
                let all = segments
                    .check()
                    .and_then(|()| segments.waiting(&checkpoint, prints, &mut waiting));
                all.unwrap_or_else(|fault| note(fault, told));
            }
            Err(fault) => note(fault, told),
        }
        let (waiting, sums) = (waiting.sorted()?, Sums::default());
        Ok(Some(Self { checkpoint, runs, waiting, sums, n_told: 0, is_partial }))
    }

    /// The place in the log that the checkpoint is of.
    pub(super) fn position(&self) -> LogPosition {
        self.checkpoint.position
    }

    /// The log is folded up to the checkpoint's place over one slice; slices come in order.
    pub(super) fn compare(&mut self, fold: &mut Fold, told: &mut Told<'_>) -> Result<(), Broken> {
        self.sums.add(&fold.sums);
        if let Err(fault) = self.compare_seen(fold, told) {
            self.is_partial = true;
            fault.tell(told);
        }
        self.compare_waiting(fold, told)
    }

    /// Every print of the log up to there is in the runs, once, and stands there as by the log.
    fn compare_seen(&mut self, fold: &mut Fold, told: &mut Told<'_>) -> Result<(), Fault> {
        if self.is_partial {
            return Ok(());
        }
        let last = fold.slice.last;
        let mut n_seen = 0;
        loop {
            let next = self.runs.iter().filter_map(|run| run.peek()).map(|(print, _)| print).min();
            let Some(print) = next.filter(|print| *print <= last) else { break };
            let mut standing = None;
            for run in &mut self.runs {
                if let Some((_, of)) = run.peek().filter(|(of, _)| *of == print) {
                    // The newer overrules the older.
                    standing = Some(of);
                    run.advance()?;
                }
            }
            n_seen += 1;
            let by_log = fold.standing(print);
            let is_alike = standing.zip(by_log).is_some_and(|(of, by_log)| of.is(by_log));
            if !is_alike {
                let what = format!(
                    "{print:016x} stands as {standing:?} in the runs, {by_log:?} by the log"
                );
                self.tell_print(Kind::SeenDiffers, "frontier/seen", what, told);
            }
        }
        let n_logged = fold.standings.len() as u64;
        if n_seen < n_logged {
            let what = format!("{n_seen} of {n_logged} known URLs are in the runs");
            self.tell_print(Kind::SeenDiffers, "frontier/seen", what, told);
        }
        Ok(())
    }

    /// Every URL that waits by the log stands in a queue, or was out of it.
    fn compare_waiting(&mut self, fold: &mut Fold, told: &mut Told<'_>) -> Result<(), Broken> {
        while let Some(row) = self.waiting.peek() {
            let print = u64::from_be_bytes(*row);
            if print > fold.slice.last {
                break;
            }
            fold.standings.entry(print).and_modify(|standing| standing.mark());
            self.waiting.next()?;
        }
        let mut missing = Vec::new();
        for (print, standing) in &mut fold.standings {
            let is_there = standing.take_mark();
            if !is_there && standing.state() == State::Queued {
                missing.push(*print);
            }
        }
        if self.is_partial {
            return Ok(());
        }
        for print in missing {
            let what = format!("{print:016x} waits by the log, and is in no queue");
            self.tell_print(Kind::QueueDiffers, "frontier/queue", what, told);
        }
        Ok(())
    }

    fn tell_print(&mut self, kind: Kind, file: &str, what: String, told: &mut Told<'_>) {
        self.n_told += 1;
        told.fixes.tables = true;
        if self.n_told <= MOST_TOLD {
            told.tell(Finding::new(kind, what).in_file(file));
        }
    }

    /// All slices were compared: the sums, and whether the place is one where a commit ended.
    pub(super) fn finish(mut self, is_place: bool, told: &mut Told<'_>) {
        let mut differs = |what: String| {
            Fault::new(Kind::CheckpointDiffers, "frontier/checkpoint", 0, what).tell(told);
        };
        if !is_place {
            differs(format!("no frame of the log ends at its place ({:?})", self.position()));
        }
        let told_sums = &self.checkpoint.sums;
        if *told_sums != self.sums {
            let of = |sums: &Sums| (sums.discovered, sums.queued, sums.retries);
            differs(format!(
                "its sums are not those of the log up to its place: {:?} URLs found, queued and \
                 tries again, {:?} by the log; or the ends differ",
                of(told_sums),
                of(&self.sums)
            ));
        }
        if self.n_told > MOST_TOLD {
            let what = format!("{} more such", self.n_told - MOST_TOLD);
            told.tell(Finding::new(Kind::SeenDiffers, what).in_file("frontier"));
        }
        self.runs.clear();
    }
}

/// Files that will be removed at the next open.
fn leftovers(
    dir: &Path,
    is_named: impl Fn(&str) -> bool,
    what: &str,
    told: &mut Told<'_>,
) -> io::Result<()> {
    for folder in ["queue", "seen"] {
        let path: PathBuf = dir.join(folder);
        let entries = match fs::read_dir(&path) {
            Err(e) if e.kind() == ErrorKind::NotFound => continue,
            entries => entries?,
        };
        for entry in entries {
            let name = format!("{folder}/{}", entry?.file_name().to_string_lossy());
            if !is_named(&name) {
                if name.ends_with(".run") || name.ends_with(".new") || name.ends_with(".seg") {
                    told.fixes.files.push(dir.join(&name));
                }
                let file = format!("frontier/{name}");
                told.tell(Finding::new(Kind::Leftover, what).in_file(file));
            }
        }
    }
    Ok(())
}

impl Standing {
    /// Whether it says the same as the log.
    fn is(self, by_log: State) -> bool {
        match (self, by_log) {
            (Self::Queued, State::Queued) => true,
            (Self::Ended(verdict), State::Settled(by_log, ..)) => verdict == by_log,
            (Self::Filtered(reason), State::Filtered(by_log)) => reason == by_log,
            _ => false,
        }
    }
}
