//! What a library was built from.
//!
//! cargo's dep-info names every source that went into a library: the plugin's own, those of its
//! path dependencies (the SDK's, for one), files that are included. With them count the manifests,
//! the lock file and what configures cargo, also where they are missing.

use std::collections::BTreeSet;
use std::fs;
use std::hash::Hasher;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use crawl_spider::abi::layout::{FRAMES, SDK_VERSION};
use siphasher::sip128::{Hasher128, SipHasher13};

use crate::cargo::Crate;

/// Files whose content decides what is built.
pub(crate) struct Inputs {
    folder: PathBuf,
    library: String,
    files: BTreeSet<PathBuf>,
    hash: u128,
}

impl Inputs {
    /// Those of the `library` that cargo has just built, which is kept as a file of this name.
    pub(crate) fn of(made: &Crate, library: &Path, name: String) -> Self {
        let dep_info = fs::read_to_string(library.with_extension("d")).unwrap_or_default();
        let mut files: BTreeSet<PathBuf> = sources(&dep_info)
            .map(|file| {
                // Relative ones are so to where cargo worked.
                if file.is_absolute() { file } else { made.folder().join(file) }
            })
            .collect();
        let manifests: BTreeSet<_> = files.iter().filter_map(|file| manifest_of(file)).collect();
        files.extend(manifests);
        let beside =
            ["Cargo.toml", "Cargo.lock", "build.rs", "rust-toolchain", "rust-toolchain.toml"];
        let configs = [".cargo/config.toml", ".cargo/config"];
        for folder in [made.folder(), made.workspace()] {
            files.extend(beside.iter().map(|name| folder.join(name)));
        }
        for folder in made.folder().ancestors() {
            files.extend(configs.iter().map(|name| folder.join(name)));
        }
        let hash = hash(&files);
        Self { folder: made.folder().to_owned(), library: name, files, hash }
    }

    /// Those noted in a file; `None` if there is none, or it is of another crate.
    pub(crate) fn read(list: &Path, folder: &Path) -> Option<Self> {
        let text = fs::read_to_string(list).ok()?;
        let mut lines = text.lines();
        let hash = u128::from_str_radix(lines.next()?, 16).ok()?;
        let library = lines.next()?.to_owned();
        let noted = PathBuf::from(lines.next()?);
        let is_name = Path::new(&library).file_name().is_some_and(|name| *name == *library);
        let files = lines.map(PathBuf::from).collect();
        (noted == folder && is_name).then_some(Self { folder: noted, library, files, hash })
    }

    pub(crate) fn to_text(&self) -> String {
        let head = format!("{:x}\n{}\n{}\n", self.hash, self.library, self.folder.display());
        self.files.iter().fold(head, |text, file| text + &file.to_string_lossy() + "\n")
    }

    /// The name of the library's copy.
    pub(crate) fn library(&self) -> &str {
        &self.library
    }

    /// Whether the files are as they were.
    pub(crate) fn are_unchanged(&self) -> bool {
        hash(&self.files) == self.hash
    }

    /// Whether none was written since.
    pub(crate) fn are_older_than(&self, time: SystemTime) -> bool {
        self.files.iter().all(|file| {
            // cargo writes the lock file itself.
            let is_lock = file.file_name().is_some_and(|name| name == "Cargo.lock");
            let written = file.metadata().and_then(|about| about.modified());
            is_lock || written.map_or(true, |written| written < time)
        })
    }
}

/// The sources in a dep-info file: `library: source source`, spaces in names escaped.
fn sources(dep_info: &str) -> impl Iterator<Item = PathBuf> {
    let list = dep_info.lines().next().and_then(|line| line.split_once(": "));
    let list = list.map(|(_, list)| list.replace("\\ ", "\0")).unwrap_or_default();
    let names: Vec<_> = list.split(' ').map(|name| name.replace('\0', " ")).collect();
    names.into_iter().filter(|name| !name.is_empty()).map(PathBuf::from)
}

/// The manifest of the crate that a source belongs to.
fn manifest_of(source: &Path) -> Option<PathBuf> {
    let above = source.ancestors().skip(1);
    above.map(|folder| folder.join("Cargo.toml")).find(|manifest| manifest.is_file())
}

/// The content of all files, and the SDK that would load what is built of them.
fn hash(files: &BTreeSet<PathBuf>) -> u128 {
    let mut hasher = SipHasher13::new();
    hasher.write(SDK_VERSION.as_bytes());
    hasher.write_u64(FRAMES);
    for file in files {
        hasher.write(file.as_os_str().as_encoded_bytes());
        match fs::read(file) {
            Ok(bytes) => {
                hasher.write_u64(bytes.len() as u64 + 1);
                hasher.write(&bytes);
            }
            Err(_) => hasher.write_u64(0),
        }
    }
    hasher.finish128().as_u128()
}

/// A name for bytes.
pub(crate) fn file_hash(bytes: &[u8]) -> u128 {
    let mut hasher = SipHasher13::new();
    hasher.write(bytes);
    hasher.finish128().as_u128()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dep_info_names_its_sources() {
        let text = "/t/liba.so: /s/a\\ b/lib.rs /s/c.rs\n\n/s/c.rs:\n";
        let all: Vec<_> = sources(text).collect();
        assert_eq!(all, [Path::new("/s/a b/lib.rs"), Path::new("/s/c.rs")]);
        assert_eq!(sources("").count(), 0);
    }
}
