//! Runs that go on where earlier ones stopped, under the same limits and under others.

use std::path::Path;

use crate::support::{Scratch, Server, inspect, local_config, run, run_ok, stderr};

struct Shop {
    scratch: Scratch,
    server: Server,
}

impl Shop {
    fn new(books: u32) -> Self {
        let scratch = Scratch::new();
        let server = Server::start(&scratch, books, "0ms");
        Self { scratch, server }
    }

    fn store(&self) -> std::path::PathBuf {
        self.scratch.path("store")
    }

    /// Runs with the given limits and returns what the crawl said.
    #[track_caller]
    fn run(&self, overrides: &[&str]) -> String {
        let config = local_config(self.server.addr, &self.store(), "");
        let config = self.scratch.write("crawl.toml", &config);
        let mut args = vec!["run", &config];
        for change in overrides {
            args.extend(["-s", change]);
        }
        stderr(&run_ok(&args))
    }
}

fn n_pages(store: &Path) -> usize {
    inspect(store, &["pages"]).len() - inspect(store, &["pages", "--verdict", "redirected"]).len()
}

#[test]
fn max_pages_is_exact_and_counts_over_all_runs() {
    let shop = Shop::new(200);
    shop.run(&["scope.max-pages=37"]);
    assert_eq!(n_pages(&shop.store()), 37);
    shop.run(&["scope.max-pages=37"]);
    assert_eq!(n_pages(&shop.store()), 37);
    let said = shop.run(&["scope.max-pages=51"]);
    assert_eq!(n_pages(&shop.store()), 51);
    assert!(said.contains("scope.max-pages"), "{said}");
}

#[test]
fn a_greater_depth_readmits_what_was_too_deep() {
    let shop = Shop::new(200);
    shop.run(&["scope.max-depth=1"]);
    let shallow = n_pages(&shop.store());
    assert!(!inspect(&shop.store(), &["urls", "--verdict", "too-deep"]).is_empty());
    let said = shop.run(&["scope.max-depth=2"]);
    assert!(said.contains("scope.max-depth"), "{said}");
    assert!(n_pages(&shop.store()) > shallow);
    assert!(inspect(&shop.store(), &["pages"]).iter().all(|row| row["depth"].as_u64() <= Some(2)));
    let stats = &inspect(&shop.store(), &["stats"])[0];
    assert_eq!(stats["conserved"], true, "{stats}");
}

#[test]
fn a_resume_that_tells_duplicates_otherwise_is_refused_and_names_the_key() {
    let shop = Shop::new(20);
    shop.run(&["scope.max-pages=5"]);
    let config = local_config(shop.server.addr, &shop.store(), "");
    let config = shop.scratch.write("crawl.toml", &config);
    let refused = run(&["run", &config, "-s", "scope.identity.sort-query=true"]);
    assert_eq!(refused.status.code(), Some(2));
    let said = stderr(&refused);
    assert!(said.contains("`scope.identity.sort-query` = false"), "{said}");
    assert!(said.contains("hint: set it back, or start over with `--fresh`"), "{said}");
    shop.run(&[]);
}

#[test]
fn a_crawl_by_128_bits_goes_on_after_a_stop_and_finds_all() {
    let (by_64, by_128) = (Shop::new(60), Shop::new(60));
    by_64.run(&[]);
    by_128.run(&["scope.identity.fingerprint-bits=128", "scope.max-pages=10"]);
    by_128.run(&["scope.identity.fingerprint-bits=128"]);
    assert_eq!(n_pages(&by_128.store()), n_pages(&by_64.store()));
    let stats = &inspect(&by_128.store(), &["stats"])[0];
    assert_eq!((&stats["conserved"], &stats["queued"]), (&true.into(), &0.into()), "{stats}");
}

#[test]
fn a_new_exclude_pattern_applies_to_what_is_queued() {
    let shop = Shop::new(200);
    shop.run(&["scope.max-pages=5"]);
    let said = shop.run(&["scope.exclude=['/category/']"]);
    assert!(said.contains("scope.exclude"), "{said}");
    assert!(!inspect(&shop.store(), &["urls", "--verdict", "excluded"]).is_empty());
    let stats = &inspect(&shop.store(), &["stats"])[0];
    assert_eq!((&stats["conserved"], &stats["queued"]), (&true.into(), &0.into()), "{stats}");
}
