//! The program of `links` and `seen`: a crawl's frontier grows, is killed, and is opened again.
//!
//! The parts: the *leader* starts a *crawl* in a new folder, which takes in all links and tells
//! its figures as soon as they are durable; kills it; looks at the folder; and starts a *resume*,
//! which opens the folder as the next run of a crawl would, and tells whether all is there.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};
use std::{fs, io};

use crawl_frontier::FrontierConfig;
use crawl_model::{CanonicalUrl, Look};

use crate::crawl::{Crawl, Error};
use crate::figures::{cpu_by_thread, disk_bytes, load, peak_bytes};
use crate::filling::fill;
use crate::judge::{Judge, show};
use crate::process::{Figures, Part, run_and_kill, tell_and_wait};
use crate::web::{LINKS, NEW, Web};

const HOSTS: u64 = 100_000;
/// One URL of so many is looked for after the kill.
const SAMPLE: usize = 101;

/// How a benchmark calls it.
pub struct Growth {
    /// The benchmark's name.
    pub name: &'static str,
    /// What the user's number counts.
    pub unit: Unit,
    /// What must hold.
    pub judge: fn(&Grown, &mut Judge),
}

/// What a number of millions is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// Links, of which half are known.
    Links,
    /// URLs, each of which is linked twice on average.
    Urls,
}

/// What came of a run.
pub struct Grown {
    /// Of the crawl, until all was durable.
    pub crawl: Figures,
    /// Of the resume.
    pub resume: Figures,
    /// Bytes in the folder after the kill.
    pub disk_bytes: f64,
    /// URLs that were to be discovered.
    pub n_urls: f64,
}

impl Growth {
    /// Plays the process' part.
    ///
    /// # Errors
    /// Whatever keeps it from being measured.
    pub fn run(&self) -> Result<ExitCode, Error> {
        match Part::read() {
            Part::Lead(args) => self.lead(&args),
            Part::Child(part, folder, numbers) => match (part.as_str(), &numbers[..]) {
                ("crawl", &[n_pages, bits]) => crawl(&folder, n_pages, bits),
                ("resume", &[n_pages, bits]) => resume(&folder, n_pages, bits),
                _ => Err(format!("there is no part `{part}` with numbers {numbers:?}").into()),
            },
        }
    }

    fn lead(&self, args: &[String]) -> Result<ExitCode, Error> {
        let read = |text: &String| text.parse::<f64>().map_err(|_| format!("{text}: not a number"));
        let numbers = args.iter().map(read).collect::<Result<Vec<_>, _>>()?;
        let (millions, bits) = match numbers[..] {
            [] if cfg!(debug_assertions) => (0.02, 64),
            [] => (10.0, 64),
            [millions] => (millions, 64),
            [millions, bits] => (millions, bits as u64),
            _ => return Err("it takes two numbers: how many millions, and fingerprint-bits".into()),
        };
        let per_page = if self.unit == Unit::Links { LINKS } else { NEW };
        let n_pages = (millions * 1e6 / per_page as f64).ceil().max(1.0) as u64;
        let n_urls = n_pages * NEW;
        let folder = new_folder(self.name)?;
        println!(
            "{}: {} links, {} URLs on {} hosts; load {}",
            self.name,
            show((n_pages * LINKS) as f64),
            show(n_urls as f64),
            show(HOSTS as f64),
            load()
        );
        let crawl = run_and_kill("crawl", &folder, &[n_pages, bits])?;
        let disk = disk_bytes(&folder)?;
        let resume = run_and_kill("resume", &folder, &[n_pages, bits])?;
        let disk_bytes = disk.values().sum::<u64>() as f64;
        let grown = Grown { crawl, resume, disk_bytes, n_urls: n_urls as f64 };
        grown.print(n_pages);
        for (area, &bytes) in &disk {
            let per_url = bytes as f64 / grown.n_urls;
            println!("    disk {area}: {} MB, {per_url:.2} bytes a URL", bytes / 1_000_000);
        }
        let mut judge = Judge::of(millions);
        (self.judge)(&grown, &mut judge);
        judge.must("every URL is there after kill -9, once", grown.is_whole());
        fs::remove_dir_all(&folder)?;
        Ok(judge.exit())
    }
}

impl Grown {
    fn print(&self, n_pages: u64) {
        let n_links = (n_pages * LINKS) as f64;
        println!("  {} s until durable; load {}", show(self.crawl["seconds"]), load());
        for (name, seconds) in &self.crawl {
            if let Some(thread) = name.strip_prefix("cpu ") {
                println!("    CPU of {thread}: {:.3} us a link", seconds / n_links * 1e6);
            }
        }
        println!("    CPU of all: {:.3} us a link", self.crawl["all cpu"] / n_links * 1e6);
        println!(
            "  reopened in {} s, {} MB at its peak, {} a checkpoint",
            show(self.resume["seconds"]),
            show(self.resume["peak MB"]),
            if self.resume["has checkpoint"] > 0.0 { "from" } else { "without" },
        );
    }

    fn is_whole(&self) -> bool {
        let counts = ["discovered", "queued", "conserved", "known", "others unknown"];
        let expected = [self.n_urls, self.n_urls, 1.0, 1.0, 1.0];
        let is_right = counts.map(|name| self.resume[name]) == expected;
        if !is_right {
            println!("    expected {expected:?} of {counts:?}, found {:?}", self.resume);
        }
        is_right
    }

    /// Bytes of disk for each URL.
    #[must_use]
    pub fn disk_per_url(&self) -> f64 {
        self.disk_bytes / self.n_urls
    }
}

/// With fingerprints of so many bits.
fn with_bits(bits: u64) -> impl FnOnce(&mut FrontierConfig) {
    let bits = u8::try_from(bits).ok().and_then(|bits| bits.try_into().ok());
    move |config| config.scope.identity.fingerprint_bits = bits.expect("64 or 128")
}

fn crawl(folder: &Path, n_pages: u64, bits: u64) -> Result<ExitCode, Error> {
    let web = Web { n_hosts: HOSTS };
    let n_links = (n_pages * LINKS) as f64;
    let crawl = Crawl::open(folder, with_bits(bits))?;
    let start = Instant::now();
    let running = crawl.start();
    fill(&running, web, n_pages);
    let last_tenth = running.wait_for(n_pages * NEW);
    let seconds = start.elapsed().as_secs_f64();
    let cpu = cpu_by_thread();
    let last = last_tenth.max(Duration::from_micros(1)).as_secs_f64();
    let mut figures = vec![
        ("seconds".to_owned(), seconds),
        ("links/s".to_owned(), n_links / seconds),
        ("last links/s".to_owned(), n_links / 10.0 / last),
        ("peak MB".to_owned(), peak_bytes() as f64 / 1e6),
        ("all cpu".to_owned(), crate::figures::cpu_seconds()),
    ];
    figures.extend(cpu.into_iter().map(|(name, seconds)| (format!("cpu {name}"), seconds)));
    Ok(tell_and_wait(figures))
}

fn resume(folder: &Path, n_pages: u64, bits: u64) -> Result<ExitCode, Error> {
    let web = Web { n_hosts: HOSTS };
    let start = Instant::now();
    let crawl = Crawl::open(folder, with_bits(bits))?;
    let seconds = start.elapsed().as_secs_f64();
    let (counts, view) = (crawl.frontier.counts().get(), crawl.frontier.view());
    let n_urls = n_pages * NEW;
    let is_known = |i| {
        let url = url(web, i);
        view.look(view.fingerprint(url.as_str()), &url, u32::MAX) == Look::Known
    };
    let are_known = (0..n_urls).step_by(SAMPLE).all(is_known);
    let is_other_known = (n_urls..n_urls + 1000).any(is_known);
    let figures = [
        ("seconds", seconds),
        ("peak MB", peak_bytes() as f64 / 1e6),
        ("has checkpoint", f64::from(crawl.has_checkpoint)),
        ("discovered", counts.discovered as f64),
        ("queued", crawl.resumed.queued as f64),
        ("conserved", f64::from(counts.is_conserved())),
        ("known", f64::from(are_known)),
        ("others unknown", f64::from(!is_other_known)),
    ];
    Ok(tell_and_wait(figures.map(|(name, figure)| (name.to_owned(), figure))))
}

fn url(web: Web, i: u64) -> CanonicalUrl {
    let mut text = String::new();
    web.url(i, &mut text);
    CanonicalUrl::parse(&text).expect("it is a URL")
}

/// An empty folder beside the program: on a real disk, where `/tmp` may be memory.
///
/// # Errors
/// If it cannot be made.
pub fn new_folder(name: &str) -> io::Result<PathBuf> {
    let program = std::env::current_exe()?;
    let parent = program.parent().unwrap_or(Path::new("."));
    let folder = parent.join(format!("crawl-{name}-{}", std::process::id()));
    fs::create_dir_all(&folder)?;
    Ok(folder)
}
