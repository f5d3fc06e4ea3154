//! What foreign code prints does not stand among the results.

use std::process::{Command, Stdio};

use crawl_feeds::stdout;

#[test]
fn what_is_printed_goes_to_stderr_and_results_go_out() {
    if std::env::var_os("CRAWL_TEST_PRINTS").is_some() {
        stdout::keep().unwrap();
        stdout::keep().unwrap();
        println!("printed by us");
        // Descriptor 1 as native code sees it, inherited.
        Command::new("sh").args(["-c", "echo printed below us"]).status().unwrap();
        stdout::write(b"result 1\n").unwrap();
        stdout::write(b"result 2\n").unwrap();
        return;
    }
    let test = "stdout::what_is_printed_goes_to_stderr_and_results_go_out";
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", test, "--nocapture", "--test-threads=1"])
        .env("CRAWL_TEST_PRINTS", "1")
        .stdin(Stdio::null())
        .output()
        .unwrap();
    assert!(output.status.success());
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8(output.stderr));
    // The harness prints its own beginning before the test runs.
    assert!(out.ends_with("result 1\nresult 2\n") && !out.contains("printed b"), "{out}");
    let err = err.unwrap();
    assert!(err.contains("printed by us\n") && err.contains("printed below us\n"), "{err}");
}
