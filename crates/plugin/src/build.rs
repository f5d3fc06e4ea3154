//! From what a config names to a library: built if it is a crate, and kept by its content.
//!
//! What cargo built is copied to `crawl-plugins` in the build's own target folder, under a name of
//! its content: a library that is loaded is never written over, so that a running crawl and a
//! newer build do not meet. Beside the copies lies what they were built from ([`crate::content`]);
//! as long as that has not changed, cargo is not even started.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use crate::PluginError;
use crate::cargo::Crate;
use crate::content::{Inputs, file_hash};

/// Copies that are kept of each plugin. A crawl that runs holds its own one open.
const KEPT: usize = 5;

/// The library that `path` is or, if it is a crate's folder, that is built of it.
///
/// cargo tells its messages on standard error. It goes without the network if it can.
///
/// # Errors
/// [`PluginError`]: there is nothing there, or it does not build to a shared library.
pub fn find(path: &Path) -> Result<PathBuf, PluginError> {
    if path.is_dir() {
        return built(path);
    }
    match path.try_exists() {
        Ok(true) => Ok(path.to_owned()),
        Ok(false) => Err(PluginError::Missing { path: path.to_owned() }),
        Err(source) => Err(PluginError::Read { path: path.to_owned(), source }),
    }
}

fn built(folder: &Path) -> Result<PathBuf, PluginError> {
    let read = |source| PluginError::Read { path: folder.to_owned(), source };
    let folder = &fs::canonicalize(folder).map_err(read)?;
    let manifest = folder.join("Cargo.toml");
    let Ok(text) = fs::read_to_string(&manifest) else {
        return Err(PluginError::NotACrate { path: folder.clone() });
    };
    if let Some(name) = package_name(&text)
        && let Some(kept) = kept(folder, name)
    {
        return Ok(kept);
    }
    let started = SystemTime::now();
    let made = Crate::read(folder)?;
    let library = made.build()?;
    keep(&made, &library, started)
}

/// The library that was built of what is there now, if one was.
fn kept(folder: &Path, name: &str) -> Option<PathBuf> {
    let target = std::env::var_os("CARGO_TARGET_DIR").map(PathBuf::from);
    let above = folder.ancestors().map(|folder| folder.join("target"));
    let mut stores = target.into_iter().chain(above).map(|target| store_in(&target));
    stores.find_map(|store| {
        let inputs = Inputs::read(&inputs_file(&store, name), folder)?;
        let library = store.join(inputs.library());
        (inputs.are_unchanged() && library.is_file()).then_some(library)
    })
}

/// Copies a library to where it is kept, and notes what it was built from.
fn keep(made: &Crate, library: &Path, started: SystemTime) -> Result<PathBuf, PluginError> {
    let store = store_in(made.target());
    let failed = |path: &Path| {
        let path = path.to_owned();
        move |source| PluginError::Keep { path, source }
    };
    fs::create_dir_all(&store).map_err(failed(&store))?;
    let bytes = fs::read(library).map_err(failed(library))?;
    let name = made.name();
    let file = format!("{name}-{:032x}.so", file_hash(&bytes));
    let kept = store.join(&file);
    if !kept.is_file() {
        write(&kept, &bytes).map_err(failed(&kept))?;
    }
    let inputs = Inputs::of(made, library, file);
    let list = inputs_file(&store, name);
    if inputs.are_older_than(started) {
        write(&list, inputs.to_text().as_bytes()).map_err(failed(&list))?;
    } else {
        // Something was written meanwhile: what was built is good for now, but not for later.
        let _ = fs::remove_file(&list);
    }
    prune(&store, name, &kept);
    Ok(kept)
}

fn store_in(target: &Path) -> PathBuf {
    target.join("crawl-plugins")
}

fn inputs_file(store: &Path, name: &str) -> PathBuf {
    store.join(format!("{name}.inputs"))
}

/// Writes a file so that it is there as a whole or not at all.
fn write(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let draft = path.with_extension(format!("{}.tmp", std::process::id()));
    fs::write(&draft, bytes)?;
    fs::rename(&draft, path)
}

/// Removes all but the newest copies. What cannot be removed stays.
fn prune(store: &Path, name: &str, newest: &Path) {
    let is_copy = |path: &Path| {
        let file = path.file_name().and_then(|file| file.to_str()).unwrap_or_default();
        let hash = file.strip_prefix(name).and_then(|rest| rest.strip_prefix('-'));
        let hash = hash.and_then(|rest| rest.strip_suffix(".so")).unwrap_or_default();
        hash.len() == 32 && hash.bytes().all(|byte| byte.is_ascii_hexdigit()) && path != newest
    };
    let files = fs::read_dir(store).into_iter().flatten().flatten().map(|entry| entry.path());
    let written = |path: &PathBuf| path.metadata().and_then(|about| about.modified()).ok();
    let mut copies: Vec<_> = files.filter(|path| is_copy(path)).collect();
    copies.sort_by_key(|path| std::cmp::Reverse(written(path)));
    for old in copies.iter().skip(KEPT - 1) {
        let _ = fs::remove_file(old);
    }
}

/// The name in the table `package` of a manifest, as it is usually written. Only a short cut: cargo
/// is asked if it is not found.
fn package_name(manifest: &str) -> Option<&str> {
    let mut lines = manifest.lines().map(str::trim).skip_while(|line| *line != "[package]").skip(1);
    let found = lines.by_ref().take_while(|line| !line.starts_with('[')).find_map(|line| {
        line.strip_prefix("name")?.trim_start().strip_prefix('=')?.trim().strip_prefix('"')
    })?;
    let name = found.split('"').next()?;
    let is_name = |c: char| c.is_alphanumeric() || c == '-' || c == '_';
    (!name.is_empty() && name.chars().all(is_name)).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::package_name;

    #[test]
    fn the_packages_name_is_found_where_it_usually_stands() {
        assert_eq!(package_name("[package]\nname = \"a-b\"\n"), Some("a-b"));
        assert_eq!(package_name("[lib]\nname=\"x\"\n[package]\nv=1\nname=\"a\" # b"), Some("a"));
        assert_eq!(package_name("[package]\n[lib]\nname = \"x\""), None);
        assert_eq!(package_name("[workspace]\n"), None);
        assert_eq!(package_name("[package]\nname = \"../x\""), None);
    }
}
