//! `crawl bench`: each site of it is crawled to the last page and the last item, at a small size, and
//! each comparison is made once.
//!
//! Where wget2 or valgrind are not, the tests that need them say so and do nothing, unless
//! `CRAWL_BENCH_TOOLS` is set, as the gate does; then they fail.

use serde_json::Value;

use crate::newcomer::{crawl_with, shared_target, timed};
use crate::support::{Scratch, run, run_ok, stderr};

/// Whether `program` can be run.
fn is_here(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let is_here = std::env::split_paths(&path).any(|folder| folder.join(program).is_file());
    if !is_here {
        let what = format!("{program} is not here: apt-get install {program}");
        assert!(std::env::var_os("CRAWL_BENCH_TOOLS").is_none(), "{what}");
        eprintln!("not run: {what}");
    }
    is_here
}

fn rows_in(stdout: Vec<u8>) -> Vec<Value> {
    let rows = String::from_utf8(stdout).unwrap();
    rows.lines().map(|row| serde_json::from_str(row).unwrap()).collect()
}

/// The rows of a benchmark of one round.
#[track_caller]
fn rows(args: &[&str]) -> Vec<Value> {
    let scratch = Scratch::new();
    let folder = scratch.path("bench");
    let always = ["--rounds", "1", "--json", "--dir", folder.to_str().unwrap()];
    rows_in(run_ok(&[&["bench"], args, &always].concat()).stdout)
}

#[track_caller]
fn assert_more_than(row: &Value, field: &str, least: f64) {
    let figure = row.pointer(field).and_then(Value::as_f64);
    assert!(figure.is_some_and(|figure| figure > least), "{field} of {row}");
}

#[test]
fn each_site_is_crawled_to_its_last_page_and_item() {
    let spiders = ["--spider", "links,toml", "--alone"];
    let near = rows(&[&["w1", "w2", "w4", "w5", "--pages", "4"][..], &spiders].concat());
    let far = rows(&[&["w3", "--pages", "1"][..], &spiders].concat());
    assert_eq!((near.len(), far.len()), (8, 2));
    for row in near.iter().chain(&far) {
        assert_more_than(row, "/pages_per_second", 0.0);
        assert_more_than(row, "/peak_rss_mib", 1.0);
        assert_more_than(row, "/disk_bytes_per_page", 1.0);
        assert_more_than(row, "/most_connections", 0.0);
        assert!(row["ratio_to_wget2"].is_null(), "{row}");
        assert!(row["beside_first"].is_null(), "{row}");
    }
    for row in far {
        assert!(row["most_connections"].as_u64().unwrap() <= 128, "{row}");
    }
}

#[test]
fn cores_and_pages_are_told_beside_the_first_of_them() {
    let args = ["w1", "--pages", "3,6", "--cores", "1,2", "--spider", "links", "--alone"];
    let rows = rows(&args);
    let lane = |row: &Value| (row["pages_per_host"].as_u64(), row["cores"].as_u64());
    let expected =
        [(3, 1), (3, 2), (6, 1), (6, 2)].map(|(pages, cores)| (Some(pages), Some(cores)));
    assert_eq!(rows.iter().map(lane).collect::<Vec<_>>(), expected);
    assert!(rows[0]["beside_first"].is_null(), "{rows:?}");
    for row in &rows[1..] {
        assert_more_than(row, "/beside_first/pages_per_second_ratio", 0.0);
        assert_more_than(row, "/beside_first/peak_rss_mib_more", -1e3);
    }
    // People read the same.
    let output = run_ok(&[&["bench", "--rounds", "1"][..], &args].concat());
    let table = String::from_utf8(output.stdout).unwrap();
    assert_eq!(table.matches("beside the first").count(), 3, "{table}");
    assert_eq!(table.lines().count(), 8, "{table}");
}

#[test]
fn a_wget2_that_keeps_files_is_told_beside_one_that_does_not() {
    if !is_here("wget2") {
        return;
    }
    // So many that each of them takes more than a tick of the kernel's account.
    let args =
        ["w4", "--pages", "800", "--spider", "links", "--wget2", "discard,files", "--bodies"];
    let rows = rows(&args);
    assert_eq!(rows.len(), 1);
    for field in ["ratio_to_wget2", "ratio_to_wget2_files", "wget2_files_cpu_ms_per_page"] {
        assert_more_than(&rows[0], &format!("/{field}"), 0.0);
    }
}

#[test]
fn instructions_and_allocations_are_counted() {
    if !is_here("valgrind") {
        return;
    }
    let rows = rows(&["w4", "--pages", "2", "--spider", "links", "--alone", "--count"]);
    assert_eq!(rows.len(), 1);
    assert_more_than(&rows[0], "/instructions_per_page", 1e4);
    assert_more_than(&rows[0], "/allocations_per_page", 10.0);
}

#[test]
fn plugins_take_the_same_and_the_tree_is_told_beside_bare_scraper() {
    let scratch = Scratch::new();
    let args = ["w1", "--pages", "3", "--spider", "derived,dom", "--rounds", "1"];
    let all = [&["bench"][..], &args, &["--alone", "--json", "--dir", "bench"]].concat();
    // Their builds wait for those of other tests.
    let command = &mut crawl_with(&all, Some(&shared_target()));
    let rows = rows_in(timed(&scratch.path(""), "crawl bench, with plugins", command).stdout);
    assert_eq!(rows.len(), 2);
    assert!(rows[0]["scraper_cpu_ms_per_page"].is_null(), "{rows:?}");
    assert_more_than(&rows[1], "/scraper_cpu_ms_per_page", 0.0);
    assert_more_than(&rows[1], "/cpu_ms_over_scraper", -1e3);
}

#[test]
fn more_cores_than_there_are_are_refused() {
    let output = run(&["bench", "--cores", "4000"]);
    assert_eq!(output.status.code(), Some(2), "{}", stderr(&output));
    assert!(stderr(&output).contains("4000 cores"), "{}", stderr(&output));
}
