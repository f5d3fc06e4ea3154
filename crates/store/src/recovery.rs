//! What an open finds of the run before it, and makes good.
//!
//! Deaths are counted exactly once, though the recovery may itself be killed: the batch that
//! counts what the journal of epoch *e* left behind also moves the database to epoch *e* + 1, and
//! leftovers of another epoch than the database's are never counted.

use crawl_model::Fingerprint;

use crate::database::{Database, encode_numbers};
use crate::folder::Folder;
use crate::journal::{self, Leftovers};
use crate::manifest::{Manifest, Told};
use crate::seal::Batch;
use crate::{StoreError, archive, crash, keys, log, media};

/// What was found at open.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Recovery {
    /// Whether the run before stopped by itself, or there was none.
    pub clean: bool,
    /// URLs that were in hand when a process died and have not settled since, with the number of
    /// deaths, this one included. Robots URLs may be among them.
    pub suspects: Vec<(Fingerprint, u32)>,
    /// Last settle number; 0 if nothing has settled.
    pub last: u64,
    /// How many URLs the process before had in hand when it died.
    pub n_open: usize,
    /// What was found and done, for people; empty if there was nothing to do.
    pub notes: Vec<String>,
}

/// Compares the database with the manifest: loud if it comes up short.
pub(crate) fn check_manifest(folder: &Folder, last: u64) -> Result<Option<String>, StoreError> {
    match Manifest::read(&folder.manifest())? {
        Told::At(acknowledged) if acknowledged > last => Err(StoreError::LostSettles {
            path: folder.root().to_owned(),
            acknowledged,
            found: last,
        }),
        Told::At(_) => Ok(None),
        Told::Missing if last == 0 => Ok(None),
        Told::Missing => Ok(Some("the file `manifest` was gone and is written anew".to_owned())),
        Told::Unreadable => {
            Ok(Some("the file `manifest` was damaged and is written anew".to_owned()))
        }
    }
}

/// Makes good what the run before left, and marks the crawl as running.
pub(crate) fn recover(folder: &Folder, db: &Database) -> Result<Recovery, StoreError> {
    crash::point("recovery-begun");
    let totals = db.totals()?;
    let last = totals.log.n;
    let mut notes = Vec::from_iter(check_manifest(folder, last)?);
    notes.extend(log::recover(&folder.log(), totals.log)?);
    let clean = db.meta_number("clean")?.unwrap_or(1) == 1;
    let epoch = db.meta_number("epoch")?.unwrap_or(0);

    let mut batch = Batch::default();
    let mut n_open = 0;
    if !clean {
        let open = left_open(folder, db, epoch)?;
        n_open = open.len();
        count_deaths(db, &mut batch, &open)?;
        notes.push(match n_open {
            0 => "the run before was killed; it had no URL in hand".to_owned(),
            n => format!("the run before was killed with {n} URLs in hand: they are fetched again"),
        });
    }
    batch.insert(keys::meta("epoch"), encode_numbers([epoch + 1]));
    batch.insert(keys::meta("clean"), encode_numbers([0]));
    db.commit(batch)?;
    journal::reset(&folder.open_journal(), &folder.new_journal(), epoch + 1)?;

    notes.extend(archive::cut_back(&folder.bodies(), &db.segments()?)?);
    if media::recover(folder, db)? > 0 {
        notes.push("files that were in the making are removed, and fetched again".to_owned());
    }
    crash::point("recovery-bodies-cut");
    Manifest::open(folder.manifest())?.write(last)?;
    Ok(Recovery { clean, suspects: db.deaths()?, last, n_open, notes })
}

/// What the dead process had in hand. A settle that was committed but not yet taken off the
/// journal is none.
fn left_open(folder: &Folder, db: &Database, epoch: u64) -> Result<Vec<Fingerprint>, StoreError> {
    let mut open = match journal::read(&folder.open_journal())? {
        Some(Leftovers { epoch: of, open }) if of == epoch => open,
        _ => Vec::new(),
    };
    open.sort_unstable();
    open.dedup();
    let mut left = Vec::with_capacity(open.len());
    for print in open {
        if !db.has_page(print)? {
            left.push(print);
        }
    }
    Ok(left)
}

fn count_deaths(db: &Database, batch: &mut Batch, open: &[Fingerprint]) -> Result<(), StoreError> {
    let before = db.deaths()?;
    for print in open {
        let so_far = before.iter().find(|(p, _)| p == print).map_or(0, |(_, deaths)| *deaths);
        let deaths = u64::from(so_far.saturating_add(1));
        batch.insert(&keys::print(keys::DEATHS, *print), encode_numbers([deaths]));
    }
    Ok(())
}
