//! What a found URL costs: bytes on the disk, and time to pack and to fold. Not run by itself,
//! for its figures are those of a release build:
//! `cargo test --release -p crawl-store --lib cost -- --ignored --nocapture`.

use std::hint::black_box;

use super::*;

const N_PAGES: u64 = 5_000;
const LINKS: u64 = 80;

/// Time that this thread has had of a processor: others that are busy make no difference.
fn cpu_ns() -> u64 {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    text.split(' ').next().unwrap().parse().unwrap()
}

/// SplitMix64 (Steele, Lea and Flood, 2014).
fn random(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut z = *state;
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

const WORDS: &[&str] = &[
    "blue", "cotton", "shirt", "how", "to", "grow", "tomato", "winter", "summer", "garden", "best",
    "cheap", "leather", "shoes", "for", "women", "men", "kids", "review", "guide", "travel",
    "paris", "london", "recipe", "chicken", "soup", "easy", "quick", "vintage", "camera", "lens",
    "digital", "wooden", "table", "chair", "lamp", "modern", "design", "ideas", "small", "kitchen",
    "bathroom", "living", "room", "black", "white", "green", "history", "science", "music",
];

fn slug(state: &mut u64, n: u64) -> String {
    let words = (0..n).map(|_| WORDS[(random(state) % WORDS.len() as u64) as usize]);
    words.collect::<Vec<_>>().join("-")
}

/// Links among a hundred thousand hosts, each with a number of ten digits.
fn hard(state: &mut u64, _page: u64) -> String {
    let (host, list, number) = (random(state), random(state), random(state));
    let (host, list, number) = (host % 100_000, list % 100, number % 10_000_000_000);
    format!("http://h{host:05}.test/c/{list}/p/{number:010}")
}

/// A shop's links: products with their names, lists, some of other shops.
fn shop(state: &mut u64, page: u64) -> String {
    let host = if random(state).is_multiple_of(10) { random(state) % 500 } else { page % 500 };
    match random(state) % 4 {
        0 => format!("https://www.shop{host}.example/c/{}?page={}", random(state) % 90, page % 30),
        _ => {
            let id = random(state) % 1_000_000;
            format!("https://www.shop{host}.example/p/{}-{id}.html", slug(state, 4))
        }
    }
}

/// A blog's links: dated posts, tags, authors.
fn blog(state: &mut u64, page: u64) -> String {
    let host = page % 200;
    let (year, month) = (2005 + random(state) % 20, 1 + random(state) % 12);
    match random(state) % 5 {
        0 => format!("https://blog{host}.example/tag/{}/", slug(state, 1)),
        1 => format!("https://blog{host}.example/author/{}/", slug(state, 2)),
        _ => format!("https://blog{host}.example/{year}/{month:02}/{}/", slug(state, 5)),
    }
}

fn pages(make: fn(&mut u64, u64) -> String) -> Vec<(CanonicalUrl, Vec<Found>)> {
    let (prints, mut state) = (prints(), 7);
    let page = |page| {
        let referrer = CanonicalUrl::parse(&make(&mut state, page)).unwrap();
        let found = (0..LINKS).map(|_| {
            let mut request = Request::get(CanonicalUrl::parse(&make(&mut state, page)).unwrap());
            request.depth = 3;
            request.referrer = Some(referrer.clone());
            Found { print: prints.request(&request), request, filtered: None, renews: false }
        });
        (referrer.clone(), found.collect())
    };
    (0..N_PAGES).map(page).collect()
}

fn measure(name: &str, make: fn(&mut u64, u64) -> String, per_commit: usize) {
    let pages = pages(make);
    let prints = prints();
    let n = (N_PAGES * LINKS) as f64;
    let begin = cpu_ns();
    let mut packer = Packer::new(prints.clone(), 1);
    let mut blocks = Vec::new();
    for commit in pages.chunks(per_commit) {
        for (at, (url, found)) in commit.iter().enumerate() {
            let (print, host) = (prints.get(url), Host::new(url.host_str()));
            let at_ms = 1_700_000_000_000 + at as u64;
            packer.settled(ending(print, &host, at_ms, 0), Verdict::Ok, facts(print));
            found.iter().for_each(|found| packer.found(found));
        }
        blocks.extend(packer.take());
    }
    let packed = (cpu_ns() - begin) as f64 / n;
    let bytes: usize = blocks.iter().map(|block| block.bytes.len() + 17).sum();

    let begin = cpu_ns();
    let mut block = Block::new(prints.clone());
    let mut sum = 0;
    for sealed in &blocks {
        block.open(sealed.next_n, &sealed.bytes, Reads::Events).unwrap();
        while !block.is_done() {
            if let Raw::Found(found) = block.next().unwrap() {
                sum ^= found.print.0;
            }
        }
    }
    black_box(sum);
    let raw = (cpu_ns() - begin) as f64 / n;

    let begin = cpu_ns();
    let mut n_settles = 0;
    for sealed in &blocks {
        block.open(sealed.next_n, &sealed.bytes, Reads::Settles).unwrap();
        while block.has_settle().unwrap() {
            black_box(block.settle().unwrap());
            n_settles += 1;
        }
    }
    assert_eq!(n_settles, N_PAGES);
    let brief = (cpu_ns() - begin) as f64 / n;

    let begin = cpu_ns();
    let mut thaw = Thaw::default();
    for sealed in &blocks {
        block.open(sealed.next_n, &sealed.bytes, Reads::Events).unwrap();
        while !block.is_done() {
            black_box(thaw.event(block.next().unwrap()).unwrap());
        }
    }
    let owned = (cpu_ns() - begin) as f64 / n;
    let text: usize =
        pages.iter().flat_map(|(_, found)| found).map(|f| f.request.url.as_str().len()).sum();
    println!(
        "{name:5} {per_commit:4} pages a commit: {:5.2} of {:.1} bytes a URL; pack {packed:.0} ns, \
         fold {raw:.0} ns, \
         with owned events {owned:.0} ns, pass over {brief:.0} ns",
        bytes as f64 / n,
        text as f64 / n,
    );
}

#[test]
#[ignore = "prints figures, which are those of a release build"]
fn cost_of_a_found_url() {
    for (name, make) in
        [("hard", hard as fn(&mut u64, u64) -> String), ("shop", shop), ("blog", blog)]
    {
        for per_commit in [1, 10, 250] {
            measure(name, make, per_commit);
        }
    }
}
