//! Stands for the parser's threads: reads the links of a web's pages, judges them as the parser
//! does, and sends on what is new.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crawl_model::{CanonicalUrl, Entry, Fingerprint, Found, Look, Request, Source, View, WebUrl};

use crate::crawl::{Running, spawn};
use crate::web::{Page, Web};

/// Starts as many threads as the machine has cores, as the parser does; together they read pages
/// `0..n_pages` of `web`.
///
/// # Panics
/// If a thread cannot be started; on their threads, if a link is no URL or the store is gone.
pub fn fill(running: &Running, web: Web, n_pages: u64) {
    let n_threads = std::thread::available_parallelism().map_or(1, usize::from);
    let next = Arc::new(AtomicU64::new(0));
    for _ in 0..n_threads {
        let (next, view, entries) = (next.clone(), running.view.clone(), running.entries.clone());
        spawn("parser", move || {
            let (mut page, mut buffer) = (Page::default(), String::new());
            loop {
                let p = next.fetch_add(1, Ordering::Relaxed);
                if p >= n_pages {
                    std::thread::park(); // what it took is asked for at the end
                    continue;
                }
                web.page(p, &mut page);
                let found = read(&page, &*view, &mut buffer);
                if found.is_empty() {
                    continue;
                }
                let entry = Entry::Found { found, source: Source::Page };
                entries.blocking_send(entry).expect("the writer is there");
            }
        });
    }
}

/// The links of a page that are not known.
fn read(page: &Page, view: &dyn View, buffer: &mut String) -> Vec<Found> {
    let url = CanonicalUrl::parse(&page.url).expect("it is a URL");
    let mut resolve = |link: &str| {
        let link = WebUrl::read(buffer, link, Some(url.to_web()), None);
        link.and_then(|link| CanonicalUrl::from_web(&link)).expect("it is a URL")
    };
    let links: Vec<CanonicalUrl> = page.links().map(&mut resolve).collect();
    let prints: Vec<Fingerprint> = links.iter().map(|link| view.fingerprint(link.as_str())).collect();
    let known = view.known(&prints);
    let depth = page.depth + 1;
    let judge = |((link, print), is_known)| {
        let look = if is_known { Look::Known } else { view.look(print, &link, depth) };
        let filtered = match look {
            Look::Known => return None,
            Look::Admit => None,
            Look::Filter(reason) => Some(reason),
        };
        let request = Request { depth, referrer: Some(url.clone()), ..Request::get(link) };
        Some(Found { print, request, filtered, renews: false })
    };
    links.into_iter().zip(prints).zip(known).filter_map(judge).collect()
}
