//! `crawl bench`: each site of it is crawled to the last page and the last item, at a small size.

use serde_json::Value;

use crate::support::{Scratch, run, run_ok, stderr};

#[test]
fn each_site_is_crawled_to_its_last_page_and_item() {
    let scratch = Scratch::new();
    let folder = scratch.path("bench");
    let folder = folder.to_str().unwrap();
    let sites = ["w1", "w2", "w3", "w4", "w5"];
    let all = [&["bench"], &sites[..], &["--pages", "4", "--rounds", "1", "--alone", "--json"]];
    let output =
        run_ok(&[&all.concat()[..], &["--spider", "links,toml", "--dir", folder]].concat());
    let rows = String::from_utf8(output.stdout).unwrap();
    let rows: Vec<Value> = rows.lines().map(|row| serde_json::from_str(row).unwrap()).collect();
    assert_eq!(rows.len(), 10, "{rows:?}");
    for row in rows {
        assert!(row["pages_per_second"].as_f64().unwrap() > 0.0, "{row}");
        assert!(row["peak_rss_mib"].as_f64().unwrap() > 1.0, "{row}");
        assert!(row["disk_bytes_per_page"].as_f64().unwrap() > 1.0, "{row}");
        assert!(row["ratio_to_wget2"].is_null(), "{row}");
    }
}

#[test]
fn more_cores_than_there_are_are_refused() {
    let output = run(&["bench", "--cores", "4000"]);
    assert_eq!(output.status.code(), Some(2), "{}", stderr(&output));
    assert!(stderr(&output).contains("4000 cores"), "{}", stderr(&output));
}
