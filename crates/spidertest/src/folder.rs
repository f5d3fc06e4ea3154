//! A folder of fixtures, each a file `NAME.http` with its snapshot `NAME.json` beside it.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::{fs, io};

use crawl_model::Method;
use crawl_spider::Value;

use crate::snapshot::{beside, text_of, wants_update};
use crate::{Fixture, FormatError, Outcome, SpiderTest, diff};

/// The snapshot of what a spider starts with.
const START: &str = "start";
/// The list of what was recorded, so that the next recording replaces just that.
const MANIFEST: &str = "recorded.txt";

/// What is to become of snapshots.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// They are compared; a fixture without one is only told.
    Check,
    /// They are written.
    Update,
    /// They are not looked at.
    Show,
}

/// A folder of fixtures.
#[derive(Debug, Clone)]
pub struct Folder {
    path: PathBuf,
}

/// Why a folder of fixtures is none.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FolderError {
    /// A file or folder cannot be read.
    #[error("{} cannot be read", path.display())]
    Read {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file or folder cannot be written.
    #[error("{} cannot be written", path.display())]
    Write {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file is no fixture.
    #[error("{} is no fixture", path.display())]
    Format {
        /// Which.
        path: PathBuf,
        /// Why.
        source: FormatError,
    },
    /// There are no fixtures in it.
    #[error("there are no fixtures (*.http) in {}", path.display())]
    Empty {
        /// Which folder.
        path: PathBuf,
    },
}

/// One callback that was run.
#[derive(Debug)]
pub struct Case {
    /// The fixture's name; `start` for what the spider starts with.
    pub name: String,
    /// The URL; empty for `start`.
    pub url: String,
    /// What it gave.
    pub outcome: Outcome,
    /// The same as JSON, times told by the fixture's clock.
    pub json: Value,
    /// How it compares.
    pub end: CaseEnd,
}

/// How a callback compares with its snapshot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CaseEnd {
    /// They are alike.
    Same,
    /// They differ: the lines with `-` (there) and `+` (now).
    Differs(String),
    /// There is no snapshot.
    New,
    /// It was written, and was another or none before.
    Written,
    /// It was not looked at.
    Shown,
}

/// What came of a folder.
#[derive(Debug)]
pub struct Report {
    /// The callbacks, in the order of their fixtures' names.
    pub cases: Vec<Case>,
}

impl Report {
    /// Whether nothing differs and nothing is new.
    #[must_use]
    pub fn is_same(&self) -> bool {
        let is_good = |end: &CaseEnd| !matches!(end, CaseEnd::Differs(_) | CaseEnd::New);
        self.cases.iter().all(|case| is_good(&case.end))
    }
}

impl Folder {
    /// The folder at `path`, which need not be there yet.
    #[must_use]
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into() }
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether there is a snapshot in it.
    #[must_use]
    pub fn has_snapshots(&self) -> bool {
        let entries = fs::read_dir(&self.path).into_iter().flatten().flatten();
        entries.into_iter().any(|entry| entry.path().extension().is_some_and(|e| e == "json"))
    }

    /// The fixtures by name.
    ///
    /// # Errors
    /// [`FolderError`] if there are none or one cannot be read.
    pub fn fixtures(&self) -> Result<Vec<(String, Fixture)>, FolderError> {
        let read = |source| FolderError::Read { path: self.path.clone(), source };
        let mut paths = Vec::new();
        for entry in fs::read_dir(&self.path).map_err(read)? {
            let path = entry.map_err(read)?.path();
            if path.extension().is_some_and(|extension| extension == "http") {
                paths.push(path);
            }
        }
        paths.sort();
        if paths.is_empty() {
            return Err(FolderError::Empty { path: self.path.clone() });
        }
        paths.into_iter().map(load).collect()
    }

    /// Writes what was recorded in place of what was recorded before; fixtures that a person
    /// added stay. Names come from the URLs, so a page keeps its name, and its snapshot, from one
    /// recording to the next.
    ///
    /// # Errors
    /// [`FolderError`] if a file cannot be written.
    pub fn replace(&self, fixtures: &[Fixture]) -> Result<Vec<String>, FolderError> {
        let write = |path: &Path, bytes: &[u8]| {
            fs::write(path, bytes)
                .map_err(|source| FolderError::Write { path: path.to_owned(), source })
        };
        fs::create_dir_all(&self.path)
            .map_err(|source| FolderError::Write { path: self.path.clone(), source })?;
        let manifest = self.path.join(MANIFEST);
        let before = fs::read_to_string(&manifest).unwrap_or_default();
        let names = names(fixtures);
        // First the list: what is on it and not there does no harm.
        let list: String = fixtures
            .iter()
            .zip(&names)
            .map(|(fixture, name)| {
                let url = fixture.request.url.without_credentials();
                format!("{name}.http {} {url}\n", status(fixture))
            })
            .collect();
        write(&manifest, list.as_bytes())?;
        for (fixture, name) in fixtures.iter().zip(&names) {
            write(&self.path.join(format!("{name}.http")), &fixture.to_bytes())?;
        }
        let old = before.lines().filter_map(|line| line.split(' ').next()?.strip_suffix(".http"));
        for name in old.filter(|old| !old.contains('/') && !names.iter().any(|name| name == old)) {
            for extension in ["http", "json"] {
                let path = self.path.join(format!("{name}.{extension}"));
                match fs::remove_file(&path) {
                    Err(source) if source.kind() != io::ErrorKind::NotFound => {
                        return Err(FolderError::Write { path, source });
                    }
                    _ => {}
                }
            }
        }
        Ok(names)
    }
}

fn load(path: PathBuf) -> Result<(String, Fixture), FolderError> {
    let bytes =
        fs::read(&path).map_err(|source| FolderError::Read { path: path.clone(), source })?;
    let fixture = Fixture::from_bytes(&bytes)
        .map_err(|source| FolderError::Format { path: path.clone(), source })?;
    let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    Ok((name, fixture))
}

fn status(fixture: &Fixture) -> String {
    match &fixture.reply {
        Ok(response) => response.status.to_string(),
        Err(failure) => failure.kind.verdict().name().to_owned(),
    }
}

/// A name for each: host, path and query in plain letters, a number added where two are alike.
fn names(fixtures: &[Fixture]) -> Vec<String> {
    let first = fixtures.first().map(|fixture| fixture.request.url.host_str().to_owned());
    let mut taken = BTreeSet::from([START.to_owned()]);
    let name = |fixture: &Fixture| {
        let url = &fixture.request.url;
        let mut text = String::new();
        if Some(url.host_str()) != first.as_deref() {
            text += url.host_str();
            text.push('-');
        }
        text += url.path_and_query();
        if fixture.request.method != Method::Get {
            text = format!("{} {text}", fixture.request.method.as_str().to_lowercase());
        }
        let mut name = String::new();
        for c in text.trim_end_matches(".html").chars() {
            if c.is_ascii_alphanumeric() || (c == '.' && !name.is_empty()) {
                name.push(c.to_ascii_lowercase());
            } else if !name.is_empty() && !name.ends_with('-') {
                name.push('-');
            }
        }
        let name: String = name.chars().take(80).collect();
        match name.trim_matches(['-', '.']) {
            "" => "index".to_owned(),
            name => name.to_owned(),
        }
    };
    fixtures
        .iter()
        .map(|fixture| {
            let base = name(fixture);
            let mut name = base.clone();
            for n in 2.. {
                if taken.insert(name.clone()) {
                    break;
                }
                name = format!("{base}-{n}");
            }
            name
        })
        .collect()
}

impl SpiderTest {
    /// Runs the spider over all fixtures of a folder (relative to the crate under test) and
    /// demands that it gives what the snapshots beside them say. With the environment variable
    /// `CRAWL_UPDATE=1` they are written instead.
    ///
    /// # Panics
    /// If something differs, has no snapshot or cannot be read; the message says what to do.
    #[track_caller]
    pub fn check_folder(&self, folder: impl AsRef<Path>) {
        let root = std::env::var_os("CARGO_MANIFEST_DIR").unwrap_or_else(|| ".".into());
        let folder = Folder::new(Path::new(&root).join(folder));
        let mode = if wants_update() { Mode::Update } else { Mode::Check };
        let report = match self.over(&folder, mode) {
            Ok(report) => report,
            Err(error) => match std::error::Error::source(&error) {
                Some(source) => panic!("{error}: {source}"),
                None => panic!("{error}"),
            },
        };
        let mut message = String::new();
        for case in &report.cases {
            match &case.end {
                CaseEnd::Differs(diff) => {
                    message += &format!("{} differs (- there, + now)\n{diff}", case.name);
                }
                CaseEnd::New => message += &format!("{} has no snapshot\n", case.name),
                CaseEnd::Same | CaseEnd::Written | CaseEnd::Shown => {}
            }
        }
        if !message.is_empty() {
            panic!("{message}if it is right now: {}=1 cargo test", crate::UPDATE);
        }
    }

    /// Runs the spider's `start`, and its callbacks over all fixtures of a folder.
    ///
    /// # Errors
    /// [`FolderError`] if a file cannot be read or, with [`Mode::Update`], written.
    pub fn over(&self, folder: &Folder, mode: Mode) -> Result<Report, FolderError> {
        let fixtures = folder.fixtures()?;
        let mut cases = Vec::with_capacity(fixtures.len() + 1);
        let start = self.start();
        let is_empty = start.requests.is_empty() && start.logs.is_empty() && start.error.is_empty();
        let known = beside(&folder.path.join(format!("{START}.http")));
        if !is_empty || known.exists() {
            let json = start.to_json();
            let end = compare(&known, &json, mode)?;
            let (name, url) = (START.to_owned(), String::new());
            cases.push(Case { name, url, outcome: start, json, end });
        }
        for (name, fixture) in fixtures {
            let (outcome, since) = self.run_since(&fixture);
            let json = outcome.to_json_since(since);
            let path = beside(&folder.path.join(format!("{name}.http")));
            let end = compare(&path, &json, mode)?;
            let url = fixture.request.url.without_credentials().as_str().to_owned();
            cases.push(Case { name, url, outcome, json, end });
        }
        Ok(Report { cases })
    }
}

fn compare(path: &Path, json: &Value, mode: Mode) -> Result<CaseEnd, FolderError> {
    if mode == Mode::Show {
        return Ok(CaseEnd::Shown);
    }
    let text = text_of(json);
    let known = match fs::read_to_string(path) {
        Ok(known) if known == text => return Ok(CaseEnd::Same),
        Ok(known) => Some(known),
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(source) => return Err(FolderError::Read { path: path.to_owned(), source }),
    };
    if mode == Mode::Update {
        fs::write(path, &text)
            .map_err(|source| FolderError::Write { path: path.to_owned(), source })?;
        return Ok(CaseEnd::Written);
    }
    Ok(known.map_or(CaseEnd::New, |known| CaseEnd::Differs(diff::diff(&known, &text))))
}
