//! What the RFC, the wild and an opponent ask, in tables, one line a case; and a naive oracle.
//!
//! The cases were written from RFC 9309 and from what Google documents of its own reading, not
//! from the code. `rfc` and `google` follow those texts section by section, the others a subject.

mod google;
mod groups;
mod lines;
mod patterns;
mod rfc;
mod spelling;

mod cost;
mod oracle;
mod properties;

use crate::Robots;

/// Checks `rules` (lines under one `User-agent: *`, parted by `; `) against `path`.
#[track_caller]
fn check(rules: &str, path: &str, allowed: bool) {
    let rules = rules.replace("; ", "\n");
    check_file(&format!("User-agent: *\n{rules}\n"), "bot", path, allowed);
}

/// Checks whether one pattern matches `path`.
#[track_caller]
fn check_match(pattern: &str, path: &str, matched: bool) {
    check(&format!("Disallow: {pattern}"), path, !matched);
}

/// Checks what a whole file says to `agent` of `path`.
#[track_caller]
fn check_file(file: &str, agent: &str, path: &str, allowed: bool) {
    let rules = Robots::parse(file.as_bytes()).rules(agent);
    assert_eq!(rules.allows(path), allowed, "{agent} {path} under {file:?}");
}
