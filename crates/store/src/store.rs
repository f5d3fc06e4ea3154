//! A crawl's folder, open: claimed, recovered, ready to be written.

use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crawl_model::{
    Archivist, Depot, Fingerprint, Fingerprinter, IdentityConfig, LogPosition, MediaConfig,
    OpenJournal,
};
use serde::{Deserialize, Serialize};

use crate::archive::{Known, Press};
use crate::database::{Database, encode_numbers};
use crate::folder::{self, Folder};
use crate::fresh::Fresh;
use crate::items::KindTable;
use crate::journal::{self, Fault, Journal};
use crate::log::{Log, LogFiles};
use crate::media::{Media, MediaDepot};
use crate::recovery::{check_manifest, recover};
use crate::recrawl::Revisits;
use crate::runs::{self, RunBook, Runs};
use crate::seal::Batch;
use crate::tables::Tables;
use crate::warc::Ids;
use crate::{
    Blocks, Bodies, Events, Options, Reader, Recovery, SeedHostsFile, StoreConfig, StoreError,
    StoredCookies, StoredRobots, Writer, WriterEdges, keys,
};

/// Version of all that is written. Another number is refused, not guessed at.
const FORMAT: &str = "5";

/// What makes a crawl this crawl.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// Key of the fingerprints; random, so that no site can prepare collisions.
    pub secret: [u8; 16],
    /// When the crawl was begun: milliseconds since the Unix epoch.
    pub created_ms: u64,
}

/// What all parts of an open store hold on to. The database is closed before the lock is given
/// back: fields are dropped in this order.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) db: Database,
    pub(crate) log: Arc<LogFiles>,
    pub(crate) identity: Identity,
    pub(crate) has_writer: AtomicBool,
    /// Names of new records.
    pub(crate) ids: Arc<Ids>,
    /// Which bodies are archived where.
    pub(crate) known: Known,
    /// The kinds of items.
    pub(crate) kinds: KindTable,
    pub(crate) fault: Fault,
    /// What has just been written.
    pub(crate) fresh: Fresh,
    /// What is known of files that items ask for.
    pub(crate) media: Arc<Media>,
    /// What this run's revisits came to.
    pub(crate) revisits: Revisits,
    pub(crate) folder: Folder,
}

/// A crawl, open for a run. The folder stays locked until this, its [`Reader`]s and its
/// [`Writer`] are gone.
#[derive(Debug)]
pub struct Store {
    shared: Arc<Shared>,
    config: StoreConfig,
    recovery: Recovery,
    journal: Journal,
}

impl Store {
    /// Opens the crawl in `config.path`, or begins one there; makes good what a kill left.
    ///
    /// # Errors
    /// [`StoreError::InUse`] if another process has it, [`StoreError::NotACrawl`] if the folder
    /// holds something else, [`StoreError::LostSettles`] if the database ends before the last
    /// settle that was acknowledged, and others as they come.
    pub fn open(config: &StoreConfig, options: Options) -> Result<Self, StoreError> {
        let folder = Folder::claim(&config.path)?;
        if options.fresh {
            folder.wipe()?;
        } else {
            folder.sweep()?;
        }
        let db = Database::open(&folder.sled(), config.cache_mib)?;
        let mut notes = Vec::new();
        let identity = match load_identity(&folder, &db)? {
            Some(identity) => identity,
            None => {
                // A new database beside an old manifest is not a new crawl.
                check_manifest(&folder, 0)?;
                let runs = runs::from_file(&folder);
                notes.extend(runs.as_ref().err().cloned());
                begin(&db, &runs.unwrap_or_default())?
            }
        };
        let log = open_log(&folder, &db, &identity)?;
        let mut recovery = recover(&folder, &db)?;
        recovery.notes.extend(notes);
        let fault = Fault::default();
        let journal = Journal::open(&folder.open_journal(), fault.clone())?;
        let has_writer = AtomicBool::new(false);
        let (revisits, known) = (Revisits::default(), Known::open(&db)?);
        let kinds = KindTable::open(&db)?;
        let ids = Arc::new(Ids::new(random()?));
        let media = Arc::new(Media::open(&db)?);
        let shared = Shared {
            db,
            log,
            identity,
            has_writer,
            ids,
            known,
            kinds,
            fault,
            fresh: Fresh::default(),
            media,
            revisits,
            folder,
        };
        let shared = Arc::new(shared);
        Ok(Self { shared, config: config.clone(), recovery, journal })
    }

    /// Opens a crawl that nobody runs, to look at it: counts no deaths, marks and cuts nothing.
    ///
    /// # Errors
    /// [`StoreError::NoCrawl`] if there is none, [`StoreError::InUse`] if it is running, and
    /// others as they come.
    pub fn inspect(path: &Path) -> Result<Inspection, StoreError> {
        let folder = Folder::visit(path)?;
        folder.sweep()?;
        let db = Database::open(&folder.sled(), StoreConfig::default().cache_mib)?;
        let Some(identity) = load_identity(&folder, &db)? else {
            return Err(StoreError::NoCrawl { path: path.to_owned() });
        };
        check_manifest(&folder, db.totals()?.log.n)?;
        let log = open_log(&folder, &db, &identity)?;
        let (has_writer, fault) = (AtomicBool::new(true), Fault::default());
        let (revisits, known) = (Revisits::default(), Known::open(&db)?);
        let kinds = KindTable::open(&db)?;
        let ids = Arc::new(Ids::new(random()?));
        let media = Arc::new(Media::open(&db)?);
        let shared = Shared {
            db,
            log,
            identity,
            has_writer,
            ids,
            known,
            kinds,
            fault,
            fresh: Fresh::default(),
            media,
            revisits,
            folder,
        };
        Ok(Inspection { reader: Reader::new(Arc::new(shared)) })
    }

    /// How many tickets are open in the crawl of folder `path`, or were when its process died; 0
    /// after a clean stop. Reads the slot journal only, so it may be asked at any time.
    ///
    /// # Errors
    /// [`StoreError::File`] if the journal cannot be read.
    pub fn in_hand(path: &Path) -> Result<usize, StoreError> {
        let leftovers = journal::read(&path.join(folder::OPEN_JOURNAL))?;
        Ok(leftovers.map_or(0, |leftovers| leftovers.open.len()))
    }

    /// What makes it this crawl.
    #[must_use]
    pub fn identity(&self) -> &Identity {
        &self.shared.identity
    }

    /// What was found at open.
    #[must_use]
    pub fn recovery(&self) -> &Recovery {
        &self.recovery
    }

    /// The settle log from the beginning, in the order of the commits: what the frontier's state
    /// is a fold of. Streams; after an error it ends.
    #[must_use]
    pub fn events(&self) -> Events {
        Events::new(Log::all(&self.shared.log))
    }

    /// The settle log behind a place in it that [`Outcome::Committed`] told. Streams; after an
    /// error it ends.
    ///
    /// [`Outcome::Committed`]: crawl_model::Outcome::Committed
    ///
    /// # Errors
    /// [`StoreError::LogShort`] if the log does not reach as far.
    pub fn events_after(&self, place: LogPosition) -> Result<Events, StoreError> {
        Log::after(&self.shared.log, place).map(Events::new)
    }

    /// Where the frontier keeps what there is too much of for memory. Whatever is there can be made
    /// again from the settle log.
    #[must_use]
    pub fn tables(&self) -> Tables {
        Tables::new(&self.shared.folder.frontier())
    }

    /// How far the settle log is committed.
    #[must_use]
    pub fn log_end(&self) -> LogPosition {
        self.shared.log.committed()
    }

    /// Robots replies younger than [`ROBOTS_LIFETIME`](crate::ROBOTS_LIFETIME), with the time
    /// they were fetched (milliseconds since the Unix epoch). Unreachable ones are among them:
    /// how soon those are asked again is the frontier's to say.
    #[must_use]
    pub fn robots(&self) -> StoredRobots {
        StoredRobots::new(&self.shared.db, now_ms())
    }

    /// The cookies that earlier runs left, in no order that means anything.
    #[must_use]
    pub fn cookies(&self) -> StoredCookies {
        StoredCookies::new(&self.shared.db)
    }

    /// The slot journal, for the frontier. One that cannot be written fails the writer's next
    /// commit.
    #[must_use]
    pub fn journal(&self) -> Box<dyn OpenJournal> {
        Box::new(self.journal.again())
    }

    /// Reads what is committed, now and while the crawl runs.
    #[must_use]
    pub fn reader(&self) -> Reader {
        Reader::new(self.shared.clone())
    }

    /// The effective configuration that [`put_config`](Self::put_config) kept; `None` if none
    /// was.
    ///
    /// # Errors
    /// [`StoreError`] if the database cannot be read.
    pub fn config(&self) -> Result<Option<String>, StoreError> {
        self.shared.db.meta_text("config")
    }

    /// Which URLs the crawl counts as one, by the configuration that was kept.
    ///
    /// # Errors
    /// [`StoreError`] if the database cannot be read.
    pub fn url_identity(&self) -> Result<IdentityConfig, StoreError> {
        self.reader().url_identity()
    }

    /// Keeps the effective configuration, as JSON text, so that the next run can tell what
    /// changed.
    ///
    /// # Errors
    /// [`StoreError`] if the database cannot be written.
    pub fn put_config(&self, json: &str) -> Result<(), StoreError> {
        let mut batch = Batch::default();
        batch.insert(keys::meta("config"), json);
        self.shared.db.commit(batch)
    }

    /// The domains that are blocked.
    ///
    /// # Errors
    /// [`StoreError`] if the database cannot be read.
    pub fn blocks(&self) -> Result<Blocks, StoreError> {
        Blocks::load(self.shared.clone())
    }

    /// The file of hosts that later seeds brought into the scope, and what is in it.
    ///
    /// # Errors
    /// [`StoreError::File`] if it cannot be read.
    pub fn seed_hosts(&self) -> Result<(SeedHostsFile, Vec<Fingerprint>), StoreError> {
        SeedHostsFile::load(self.shared.clone())
    }

    /// The one writer of this crawl. A second one's [`run`](Writer::run) is an error.
    #[must_use]
    pub fn writer(&self, edges: WriterEdges) -> Writer {
        let suspects = self.recovery.suspects.iter().map(|(print, _)| *print).collect();
        Writer::new(self.shared.clone(), &self.config, suspects, edges)
    }

    /// Makes the records of answers, for the archive; `None` if nothing is archived.
    #[must_use]
    pub fn archivist(&self) -> Option<Arc<dyn Archivist>> {
        let is_wanted = self.config.bodies != Bodies::None;
        is_wanted.then(|| Arc::new(Press::new(self.shared.clone(), &self.config)) as _)
    }

    /// Where files go that items ask for.
    #[must_use]
    pub fn depot(&self, config: &MediaConfig) -> Arc<dyn Depot> {
        Arc::new(MediaDepot::new(self.shared.clone(), config))
    }

    /// Closes the run when it has ended by itself.
    #[must_use]
    pub fn runs(&self) -> Runs {
        Runs::new(self.shared.clone())
    }

    /// Marks that the crawl stopped by itself; [`Writer::run`] does it at its end.
    ///
    /// # Errors
    /// [`StoreError`] if the database cannot be written.
    pub fn close_clean(&self) -> Result<(), StoreError> {
        self.shared.close_clean()
    }
}

impl Shared {
    pub(crate) fn close_clean(&self) -> Result<(), StoreError> {
        let mut batch = Batch::default();
        batch.insert(keys::meta("clean"), encode_numbers([1]));
        self.db.commit(batch)
    }
}

/// A crawl that nobody runs, open to be looked at; locked as long as this or a clone of its
/// reader lives.
#[derive(Debug)]
pub struct Inspection {
    reader: Reader,
}

impl Inspection {
    /// Reads what is committed.
    #[must_use]
    pub fn reader(&self) -> Reader {
        self.reader.clone()
    }

    pub(crate) fn shared(&self) -> &Shared {
        self.reader.shared()
    }
}

fn open_log(
    folder: &Folder,
    db: &Database,
    identity: &Identity,
) -> Result<Arc<LogFiles>, StoreError> {
    let prints = Fingerprinter::new(identity.secret);
    LogFiles::open(folder.log(), prints, db.totals()?.log).map(Arc::new)
}

/// The identity; `None` if the database is new.
fn load_identity(folder: &Folder, db: &Database) -> Result<Option<Identity>, StoreError> {
    let Some(format) = db.meta_text("format")? else { return Ok(None) };
    if format != FORMAT {
        let path = folder.root().to_owned();
        return Err(StoreError::Format { path, found: format, known: FORMAT });
    }
    let json = db.meta("identity")?.ok_or_else(|| StoreError::corrupt("identity"))?;
    let identity = serde_json::from_slice(&json).map_err(|_| StoreError::corrupt("identity"))?;
    Ok(Some(identity))
}

/// Begins a crawl, which remembers the runs of the one before.
fn begin(db: &Database, runs: &[RunBook]) -> Result<Identity, StoreError> {
    let identity = Identity { secret: random()?, created_ms: now_ms() };
    let json = serde_json::to_vec(&identity).expect("numbers serialise");
    let mut batch = Batch::default();
    batch.insert(keys::meta("format"), FORMAT);
    batch.insert(keys::meta("identity"), json);
    runs::put(&mut batch, runs);
    db.commit(batch)?;
    Ok(identity)
}

/// Bytes that nobody can guess.
pub(crate) fn random() -> Result<[u8; 16], StoreError> {
    let path = Path::new("/dev/urandom");
    let mut secret = [0; 16];
    let read = File::open(path).and_then(|mut file| file.read_exact(&mut secret));
    read.map_err(StoreError::file("read", path))?;
    Ok(secret)
}

/// Milliseconds since the Unix epoch; 0 before it.
pub(crate) fn now_ms() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, millis)
}

/// Microseconds since the Unix epoch; 0 before it.
pub(crate) fn now_us() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_micros()).unwrap_or(u64::MAX)
}

/// Whole milliseconds.
pub(crate) fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
