//! `crawl inspect --tui` in a pseudo-terminal: what is on the screen after which keys.
//!
//! `CRAWL_SCREENS=1 cargo test --test it browse:: -- --nocapture` prints the screens that stand in
//! the README.

use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::os::fd::OwnedFd;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Winsize, tcsetwinsize};

use crate::support::{BOOKS, LIMIT, Scratch, Server, local_config, run, run_ok, stderr};

const ROWS: u16 = 16;
const COLUMNS: u16 = 96;

/// A terminal with a program in it.
struct Terminal {
    child: Child,
    keys: File,
    output: Receiver<Vec<u8>>,
    screen: vt100::Parser,
}

impl Terminal {
    fn start(args: &[&str]) -> Self {
        let ours = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        grantpt(&ours).unwrap();
        unlockpt(&ours).unwrap();
        let size = Winsize { ws_row: ROWS, ws_col: COLUMNS, ws_xpixel: 0, ws_ypixel: 0 };
        tcsetwinsize(&ours, size).unwrap();
        let name = ptsname(&ours, Vec::new()).unwrap().into_string().unwrap();
        let theirs = || Stdio::from(OpenOptions::new().read(true).write(true).open(&name).unwrap());
        let child = Command::new(env!("CARGO_BIN_EXE_crawl"))
            .args(args)
            .env("TERM", "xterm-256color")
            .stdin(theirs())
            .stdout(theirs())
            .stderr(theirs())
            .spawn()
            .unwrap();
        let keys = File::from(ours.try_clone().unwrap());
        let output = listen(ours);
        Self { child, keys, output, screen: vt100::Parser::new(ROWS, COLUMNS, 0) }
    }

    fn text(&self) -> String {
        self.screen.screen().contents()
    }

    /// Presses keys and waits until the screen is as it should be.
    #[track_caller]
    fn press(&mut self, keys: &str, expected: impl Fn(&str) -> bool) -> String {
        self.keys.write_all(keys.as_bytes()).unwrap();
        let begun = Instant::now();
        while !expected(&self.text()) {
            assert!(begun.elapsed() < LIMIT, "after {keys:?}:\n{}", self.text());
            match self.output.recv_timeout(Duration::from_millis(100)) {
                Ok(bytes) => self.screen.process(&bytes),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => panic!("it has ended:\n{}", self.text()),
            }
        }
        self.text()
    }

    /// Waits for the end; whether it was a good one.
    fn ends(mut self, keys: &str) -> bool {
        self.keys.write_all(keys.as_bytes()).unwrap();
        let begun = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status.success();
            }
            assert!(begun.elapsed() < LIMIT, "no end:\n{}", self.text());
            if let Ok(bytes) = self.output.recv_timeout(Duration::from_millis(20)) {
                self.screen.process(&bytes);
            }
        }
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // It has ended, unless the test has failed.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Reads the terminal's end of the line on a thread, which ends with the last program in it.
fn listen(terminal: OwnedFd) -> Receiver<Vec<u8>> {
    let (bytes, bytes_in) = channel();
    std::thread::spawn(move || {
        let mut terminal = File::from(terminal);
        let mut buffer = [0; 4096];
        while let Ok(n @ 1..) = terminal.read(&mut buffer) {
            if bytes.send(buffer[..n].to_vec()).is_err() {
                return;
            }
        }
    });
    bytes_in
}

fn show(name: &str, screen: &str) {
    if std::env::var_os("CRAWL_SCREENS").is_some() {
        println!("{name}:\n{screen}\n");
    }
}

#[test]
fn a_crawl_is_browsed_on_the_whole_screen() {
    let scratch = Scratch::new();
    let server = Server::start(&scratch, 60, "0ms");
    let store = scratch.path("bookshop");
    let more = format!("bodies = \"html\"\n{BOOKS}");
    let config = local_config(server.addr, &store, &more);
    let config = scratch.write("c.toml", &config);
    run_ok(&["run", &config]);

    let folder = store.to_str().unwrap();
    let mut terminal = Terminal::start(&["inspect", folder, "--tui"]);
    let has = |words: &'static [&'static str]| {
        move |text: &str| words.iter().all(|word| text.contains(word))
    };
    let pages = terminal.press("", has(&["2 Pages", "status", "http://bookshop.test/", " rows  "]));
    show("pages", &pages);
    assert!(!pages.contains("loading"), "{pages}");

    terminal.press("1", has(&["queued", "bookshop.test", "3 rows"]));
    terminal.press("\r", has(&["where: host='bookshop.test'", "verdict"]));
    terminal.press("/", has(&["where: host='bookshop.test'█", "Esc leave"]));
    terminal.press(" and n_items=1\r", has(&["and n_items=1", "60 rows"]));
    let preview = terminal.press("\r", has(&["── page", "fetched_ms", "Esc back"]));
    assert!(preview.contains("catalogue"), "{preview}");
    let body = terminal.press(" ", has(&["── headers"]));
    show("preview", &body);
    terminal.press("\u{1b}", has(&["60 rows", "Tab next list"]));

    terminal.press("4", has(&["title", "price", "60 rows"]));
    let items = terminal.press("/\u{7f}", has(&["n_items=█"]));
    assert!(items.contains("such as"), "{items}");
    terminal.press("\r", has(&["expected a value"]));
    let clear = format!("/{}price>40\r", "\u{7f}".repeat(60));
    let is_there = |text: &str| {
        text.contains("where: price>40") && text.contains(" rows  ↑↓") && !text.contains('█')
    };
    let items = terminal.press(&clear, is_there);
    show("items", &items);
    terminal.press("\r", has(&["── item", "\"title\""]));
    terminal.press("\u{1b}", has(&["price>40", "Tab next list"]));
    assert!(terminal.ends("q"));
}

#[test]
fn without_a_terminal_there_is_no_browsing() {
    let scratch = Scratch::new();
    let output = run(&["inspect", scratch.path("none").to_str().unwrap(), "--tui"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("needs a terminal"), "{}", stderr(&output));
}
