//! What is loaded and what is not, and why.

use std::fs;
use std::mem::offset_of;
use std::path::{Path, PathBuf};

use crawl_spider::Args;
use crawl_spider::abi::layout::{Header, MAGIC};
use tempfile::TempDir;

use super::{args, bad, built};
use crate::about::examine;
use crate::{PluginError, inspect, load};

/// A copy of the good plugin with some bytes of its header changed.
fn patched(dir: &TempDir, at: usize, bytes: &[u8]) -> PathBuf {
    let mut library = fs::read(built("good")).unwrap();
    let places = library.windows(MAGIC.len()).enumerate();
    let headers: Vec<_> = places.filter(|(_, window)| *window == MAGIC).map(|(at, _)| at).collect();
    for header in headers {
        library[header + at..][..bytes.len()].copy_from_slice(bytes);
    }
    let path = dir.path().join("libgood.so");
    fs::write(&path, library).unwrap();
    path
}

fn refused(path: &Path) -> PluginError {
    load(path, &Args::default()).unwrap_err()
}

#[test]
fn a_plugin_says_what_it_is_before_it_is_loaded() {
    let about = inspect(&built("good")).unwrap();
    assert_eq!((&*about.name, &*about.version, about.abi), ("good", "0.0.1", 1));
    assert_eq!((&*about.sdk, about.unwinds), (env!("CARGO_PKG_VERSION"), true));
    assert!(about.rustc.starts_with("rustc 1."), "{}", about.rustc);
}

#[test]
fn other_versions_are_refused_and_named() {
    let dir = TempDir::new().unwrap();
    let mut sdk = [0; 32];
    sdk[..5].copy_from_slice(b"9.8.7");
    let error = refused(&patched(&dir, offset_of!(Header, sdk), &sdk));
    assert!(matches!(&error, PluginError::Sdk { theirs, .. } if theirs == "9.8.7"));
    let text = error.to_string();
    assert!(text.contains("9.8.7") && text.contains(env!("CARGO_PKG_VERSION")), "{text}");
    assert!(error.hint().unwrap().contains("build"));

    let error = refused(&patched(&dir, offset_of!(Header, abi), &77_u32.to_ne_bytes()));
    assert!(error.to_string().contains("version 77"), "{error}");
    let error = refused(&patched(&dir, offset_of!(Header, sizes), &[1]));
    assert!(matches!(error, PluginError::State { what: "the sizes of structs", .. }));
    let error = refused(&patched(&dir, offset_of!(Header, frames), &[1, 2, 3]));
    assert!(matches!(error, PluginError::State { what: "the frames", .. }));
    let error = refused(&patched(&dir, 0, b"?"));
    assert!(matches!(error, PluginError::NotAPlugin { .. }));
}

#[test]
fn a_plugin_whose_panics_end_the_process_is_for_a_child_only() {
    let dir = TempDir::new().unwrap();
    let path = patched(&dir, offset_of!(Header, unwinds), &[0]);
    assert!(!inspect(&path).unwrap().unwinds);
    let error = refused(&path);
    assert!(matches!(error, PluginError::Aborts { .. }));
    assert!(error.hint().unwrap().contains("isolation"));
    crate::load_in_child(&path, &Args::default()).unwrap();
}

#[test]
fn what_is_no_plugin_is_refused_unloaded() {
    let dir = TempDir::new().unwrap();
    let file = |bytes: &[u8]| {
        let path = dir.path().join("x.so");
        fs::write(&path, bytes).unwrap();
        refused(&path)
    };
    assert!(file(b"").to_string().contains("it is empty"));
    assert!(matches!(file(b"just some text\n"), PluginError::NotALibrary { .. }));
    assert!(matches!(file(b"\x7fELF"), PluginError::NotALibrary { .. }));
    assert!(matches!(refused(dir.path()), PluginError::NotACrate { .. }));
    assert!(matches!(refused(Path::new("no/such.so")), PluginError::Missing { .. }));
    let own = std::env::current_exe().unwrap();
    let error = refused(&own);
    assert!(
        matches!(error, PluginError::NotAPlugin { .. } | PluginError::NotALibrary { .. }),
        "{error}"
    );
}

#[test]
fn a_library_of_the_system_is_no_plugin() {
    let maps = fs::read_to_string("/proc/self/maps").unwrap();
    let libc = maps.split_whitespace().find(|word| word.contains("/libc.so")).unwrap();
    let error = refused(Path::new(libc));
    assert!(matches!(error, PluginError::NotAPlugin { .. }), "{error}");
    assert!(error.hint().unwrap().contains("#[spider]"));
}

#[test]
fn a_library_that_is_cut_or_broken_anywhere_is_refused_or_harmless() {
    let path = built("good");
    let mut library = fs::read(&path).unwrap();
    assert!(examine(&path, &library).is_ok());
    for n in 1..40 {
        let cut = &library[..library.len() * n / 40];
        assert!(examine(&path, cut).is_err(), "cut to {n}/40");
    }
    // Its tables, which stand at both ends, say nonsense.
    let mut state = 88_172_645_463_325_252_u64;
    for _ in 0..200 {
        let mut undo = Vec::new();
        for _ in 0..8 {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            let near = [0, library.len() - 4096][(state & 1) as usize];
            let at = near + (state >> 8) as usize % 4096;
            undo.push((at, library[at]));
            library[at] = (state >> 40) as u8;
        }
        let _ = examine(&path, &library);
        undo.into_iter().rev().for_each(|(at, byte)| library[at] = byte);
    }
}

#[test]
fn arguments_that_are_wrong_are_the_spiders_own_error() {
    let error = load(&built("good"), &args(&[("tag", "x")])).unwrap_err();
    let text = error.to_string();
    assert!(text.contains("`good`") && text.contains("`tag`"), "{text}");
    let error = load(&built("bad"), &args(&[("who", "x")])).unwrap_err();
    assert!(error.to_string().contains("unknown field `who`"), "{error}");
    drop(bad(&[]));
}
