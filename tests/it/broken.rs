//! A crawl's folder that was damaged, and a disk that fills up: a clear error or a whole crawl,
//! never a panic, never a silent loss.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use crawl_testsite::Bookshop;

use crate::kill::{Dice, assert_feed_is_whole, assert_store_is_whole};
use crate::support::{BOOKS, Scratch, Server, crawl, finish, local_config, run, stderr};

const N_BOOKS: u32 = 60;

/// A crawl that died in its middle, with every kind of file in its folder.
fn half_a_crawl(server: &Server, scratch: &Scratch, name: &str) -> (String, PathBuf, PathBuf) {
    let (store, feed) = (scratch.path(name), scratch.path(&format!("{name}.jsonl")));
    let more = format!(
        "bodies = \"html\"\n[queue]\ncheckpoint-after = 40\n[[feed]]\npath = \"{}\"\n{BOOKS}",
        feed.display()
    );
    let config = scratch.write(&format!("{name}.toml"), &local_config(server.addr, &store, &more));
    // A commit may take its time, and all that was in the queue be fetched meanwhile; a later checkpoint
    // waits for the one before. So the pages come slowly, and the first checkpoint is the last: half of
    // the shop is in the queue then, and it would take seconds to empty it.
    let slowly = ["per-host=1", "delay=50ms"].map(|key| format!("politeness.{key}"));
    let args = ["run", &config, "-s", &slowly[0], "-s", &slowly[1]];
    let mut command = crawl(&[&args[..], &["-s", "queue.checkpoint-after=150"]].concat());
    command.env("CRAWL_CRASH", "checkpoint-swept:1").env("CRAWL_LIMIT_SEGMENT", "6000");
    let output = finish(command.spawn().unwrap());
    assert!(!output.status.success(), "it was to die: {}", stderr(&output));
    (config, store, feed)
}

fn resume(config: &str) -> Output {
    let mut command = crawl(&["run", config]);
    finish(command.env("CRAWL_LIMIT_SEGMENT", "6000").spawn().unwrap())
}

/// All files under a folder, but the lock and what is locked by name only.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut all = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() {
            all.extend(files(&path));
        } else if !["lock", "control.sock"].contains(&name.as_str()) {
            all.push(path);
        }
    }
    all.sort();
    all
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let target = to.join(path.file_name().unwrap());
        if path.is_dir() {
            copy(&path, &target);
        } else if path.extension().is_none_or(|extension| extension != "sock") {
            fs::copy(&path, &target).unwrap();
        }
    }
}

#[derive(Debug, Clone, Copy)]
enum Damage {
    Flip,
    Cut,
    Gone,
}

/// Harms a file; `false` if there is nothing to harm.
fn harm(path: &Path, damage: Damage, dice: &mut Dice) -> bool {
    let mut bytes = fs::read(path).unwrap();
    if bytes.is_empty() {
        return false;
    }
    let at = dice.roll(bytes.len() as u64) as usize;
    match damage {
        Damage::Flip => bytes[at] ^= 1 << dice.roll(8),
        Damage::Cut => bytes.truncate(at),
        Damage::Gone => {
            fs::remove_file(path).unwrap();
            return true;
        }
    }
    fs::write(path, bytes).unwrap();
    true
}

#[test]
fn a_damaged_file_is_made_good_or_told_and_nothing_is_lost_in_silence() {
    let rounds: usize = std::env::var("CRAWL_BROKEN_ROUNDS").map_or(1, |n| n.parse().unwrap());
    let truth = Bookshop { books: N_BOOKS, ..Bookshop::default() }.truth();
    let scratch = Scratch::new();
    let server = Server::start(&scratch, N_BOOKS, "0ms");
    let (config, store, feed) = half_a_crawl(&server, &scratch, "store");
    let (whole, whole_feed) = (scratch.path("whole"), scratch.path("whole.feed"));
    copy(&store, &whole);
    fs::copy(&feed, &whole_feed).unwrap();
    let names: Vec<PathBuf> =
        files(&whole).iter().map(|path| path.strip_prefix(&whole).unwrap().to_owned()).collect();
    for kind in ["log/", "frontier/checkpoint", "frontier/queue", "frontier/seen", "sled/"] {
        assert!(names.iter().any(|name| name.starts_with(kind.trim_end_matches('/'))), "{names:?}");
    }
    let mut dice = Dice(7);
    let (mut told, mut good) = (0, 0);
    for _ in 0..rounds {
        for name in &names {
            for damage in [Damage::Flip, Damage::Cut, Damage::Gone] {
                fs::remove_dir_all(&store).unwrap();
                copy(&whole, &store);
                fs::copy(&whole_feed, &feed).unwrap();
                if !harm(&store.join(name), damage, &mut dice) {
                    continue;
                }
                let output = resume(&config);
                let said = stderr(&output);
                let what = format!("{damage:?} of {}: {said}", name.display());
                assert!(!said.contains("panicked") || name.starts_with("sled"), "{what}");
                if !output.status.success() {
                    told += 1;
                    assert_is_told(&output, &what);
                    continue;
                }
                assert_feed_is_whole(&feed, truth.books);
                // What the crawl did not have to read again may still be damaged.
                let looked = run(&["inspect", store.to_str().unwrap(), "pages", "--json"]);
                // What nobody has read again is found by a check.
                let checked = run(&["verify", store.to_str().unwrap()]);
                if looked.status.success() && !checked.status.success() {
                    told += 1;
                    assert_eq!(checked.status.code(), Some(1), "{what} {}", stderr(&checked));
                    assert!(!checked.stdout.is_empty(), "{what}");
                } else if looked.status.success() {
                    good += 1;
                    assert_store_is_whole(&store, &truth.urls);
                } else {
                    told += 1;
                    assert_is_told(&looked, &what);
                }
            }
        }
    }
    println!("{} files: {good} crawls whole, {told} damages told", names.len());
}

/// It ended in order, and says what is wrong and what to do.
#[track_caller]
fn assert_is_told(output: &Output, what: &str) {
    let said = stderr(output);
    assert!(output.status.code().is_some(), "{what}: {:?}", output.status);
    assert!(said.contains("error: "), "{what}");
    assert!(said.contains("hint: "), "what to do is not said. {what}: {said}");
}

/// A file system of a few MiB; unmounted on drop.
pub(crate) struct SmallDisk(pub(crate) PathBuf);

impl SmallDisk {
    /// `None` where none may be mounted, unless that is demanded.
    pub(crate) fn mount(scratch: &Scratch, mib: u32) -> Option<Self> {
        let path = scratch.path("disk");
        fs::create_dir(&path).unwrap();
        let size = format!("size={mib}m");
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", &size, "tmpfs"]).arg(&path);
        if mount.output().is_ok_and(|output| output.status.success()) {
            return Some(Self(path));
        }
        assert!(
            std::env::var_os("CRAWL_SMALL_DISK").is_none(),
            "CRAWL_SMALL_DISK is set, and no tmpfs can be mounted here"
        );
        println!("skipped: no tmpfs can be mounted here (it takes root)");
        None
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(&self.0).status();
    }
}

#[test]
fn a_full_disk_stops_the_crawl_and_with_room_on_it_all_is_there() {
    let scratch = Scratch::new();
    let Some(disk) = SmallDisk::mount(&scratch, 6) else { return };
    let books = 400;
    let truth = Bookshop { books, ..Bookshop::default() }.truth();
    let server = Server::start(&scratch, books, "0ms");
    let (store, feed) = (disk.0.join("store"), disk.0.join("items.jsonl"));
    let more = format!(
        "bodies = \"html\"\n[queue]\ncheckpoint-after = 100\n[[feed]]\npath = \"{}\"\n{BOOKS}",
        feed.display()
    );
    let config = scratch.write("crawl.toml", &local_config(server.addr, &store, &more));
    let ballast = disk.0.join("ballast");
    let mut n_full = 0;
    // Room for a little more each time.
    for left in (1..6).rev() {
        fs::write(&ballast, vec![0; left << 20]).unwrap();
        let output = resume(&config);
        if output.status.success() {
            break;
        }
        let said = stderr(&output);
        assert_eq!(output.status.code(), Some(5), "{said}");
        assert!(said.contains("hint: make room on the disk"), "{said}");
        assert!(!said.contains("panicked"), "{said}");
        n_full += 1;
    }
    assert!(n_full > 0, "the disk was never full");
    fs::remove_file(&ballast).unwrap();
    // What is left of it may still be too little for the whole crawl.
    let size = Command::new("mount").args(["-o", "remount,size=64m"]).arg(&disk.0).status();
    assert!(size.unwrap().success());
    let output = resume(&config);
    assert!(output.status.success(), "{}", stderr(&output));
    assert_store_is_whole(&store, &truth.urls);
    assert_feed_is_whole(&feed, truth.books);
}
