//! Crates that are built, and what is said of those that are not.

use std::fs;
use std::path::{Path, PathBuf};

use crawl_parser::page_from_html;
use crawl_spider::{Args, Spider};
use tempfile::TempDir;

use super::built::sources;
use super::harvest;
use crate::{PluginError, find, load};

/// A crate of one file, without the SDK: its library is built in a moment.
fn crate_of(dir: &TempDir, kind: &str, source: &str) -> PathBuf {
    let folder = dir.path().join("one");
    fs::create_dir_all(folder.join("src")).unwrap();
    let manifest = format!(
        "[package]\nname = \"one\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\
         [workspace]\n[lib]\ncrate-type = [\"{kind}\"]\n"
    );
    fs::write(folder.join("Cargo.toml"), manifest).unwrap();
    write(&folder.join("src/lib.rs"), source);
    folder
}

fn write(path: &Path, text: &str) {
    fs::write(path, text).unwrap();
}

const ONE: &str = "#[unsafe(no_mangle)] pub extern \"C\" fn one() -> u32 { include!(\"n.in\") }";

#[test]
fn a_crate_is_built_once_and_again_when_its_content_changes() {
    let dir = TempDir::new().unwrap();
    let folder = crate_of(&dir, "cdylib", ONE);
    write(&folder.join("src/n.in"), "1");
    let first = find(&folder).unwrap();
    assert!(first.starts_with(fs::canonicalize(&folder).unwrap().join("target/crawl-plugins")));
    assert!(matches!(load(&first, &Args::default()), Err(PluginError::NotAPlugin { .. })));
    // Nothing has changed: cargo would put back what it built.
    let cargos = folder.join("target/release/libone.so");
    fs::remove_file(&cargos).unwrap();
    assert_eq!(find(&folder).unwrap(), first);
    assert!(!cargos.exists(), "cargo was run");
    // A file that is only included counts.
    write(&folder.join("src/n.in"), "2");
    let second = find(&folder).unwrap();
    assert_ne!(second, first);
    assert!(first.exists(), "the old build is still there");
    // And back again.
    write(&folder.join("src/n.in"), "1");
    assert_eq!(fs::read(find(&folder).unwrap()).unwrap(), fs::read(&first).unwrap());
    // A dependency's manifest, or cargo's configuration, may appear.
    fs::create_dir(folder.join(".cargo")).unwrap();
    write(&folder.join(".cargo/config.toml"), "[profile.release]\nopt-level = 1\n");
    fs::remove_file(&cargos).unwrap();
    find(&folder).unwrap();
    assert!(cargos.exists(), "cargo was not run");
}

#[test]
fn only_some_old_builds_are_kept() {
    let dir = TempDir::new().unwrap();
    let folder = crate_of(&dir, "cdylib", ONE);
    let mut last = PathBuf::new();
    for n in 0..7 {
        write(&folder.join("src/n.in"), &n.to_string());
        last = find(&folder).unwrap();
    }
    let store = last.parent().unwrap();
    let files = fs::read_dir(store).unwrap().flatten().map(|entry| entry.path());
    let n = files.filter(|path| path.extension().is_some_and(|end| end == "so")).count();
    assert_eq!((n, last.exists()), (5, true));
}

#[test]
fn what_does_not_build_is_named() {
    let dir = TempDir::new().unwrap();
    let error = find(&dir.path().join("none")).unwrap_err();
    assert!(matches!(error, PluginError::Missing { .. }));
    assert!(matches!(find(dir.path()), Err(PluginError::NotACrate { .. })));
    let error = find(&crate_of(&dir, "rlib", "")).unwrap_err();
    assert!(matches!(&error, PluginError::NoCdylib { name } if name == "one"));
    assert!(error.hint().unwrap().contains("cdylib"));
    let error = find(&crate_of(&dir, "cdylib", "fn (")).unwrap_err();
    assert!(matches!(&error, PluginError::BuildFailed { name } if name == "one"));
    let folder = crate_of(&dir, "cdylib", "");
    fs::write(folder.join("Cargo.toml"), "[package\n").unwrap();
    let error = find(&folder).unwrap_err();
    assert!(matches!(error, PluginError::Manifest { .. }), "{error}");
    fs::write(folder.join("Cargo.toml"), "[workspace]\n").unwrap();
    assert!(find(&folder).unwrap_err().to_string().contains("one of its crates"));
}

#[test]
fn a_crate_of_a_workspace_is_built_where_its_workspace_builds() {
    let dir = TempDir::new().unwrap();
    let folder = crate_of(&dir, "cdylib", ONE);
    write(&folder.join("src/n.in"), "1");
    let manifest = fs::read_to_string(folder.join("Cargo.toml")).unwrap();
    fs::write(folder.join("Cargo.toml"), manifest.replace("[workspace]\n", "")).unwrap();
    fs::write(
        dir.path().join("Cargo.toml"),
        "[workspace]\nmembers = [\"one\"]\nresolver = \"3\"\n",
    )
    .unwrap();
    let first = find(&folder).unwrap();
    let above = fs::canonicalize(dir.path()).unwrap();
    assert!(first.starts_with(above.join("target/crawl-plugins")), "{}", first.display());
}

/// The whole SDK in release takes its time, so this is for whoever asks.
#[test]
fn a_real_plugin_is_built_and_loaded_if_asked_for() {
    if std::env::var_os("CRAWL_BUILD_PLUGIN").is_none() {
        return;
    }
    let library = find(&sources().join("good")).unwrap();
    let spider = load(&library, &Args::default()).unwrap();
    let test = page_from_html("http://h/", "<title>T</title>").unwrap();
    let (parts, error) = harvest(|out| spider.parse(&test.page(), out));
    assert_eq!(error, None);
    assert!(parts.items.len() > 3);
}
