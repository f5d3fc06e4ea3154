//! What the compiler says of spiders that are wrong.
//!
//! Each file in `wrong/` is compiled against the SDK that these tests are built with. A comment
//! `//~^ TEXT => MESSAGE` says that the line above has an error that underlines `TEXT` and says
//! `MESSAGE`, in its headline, a label or a note; each more `^` is one line further up. All errors
//! must be announced, and all that are announced must come. So the wording is held fast where it is
//! ours, and the compiler's own may change.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

/// What is announced, by line: what is underlined, and a part of the message.
type Announced<'f> = BTreeMap<usize, Vec<(&'f str, &'f str)>>;

#[test]
fn selectors() {
    check("selectors.rs");
}

#[test]
fn attributes() {
    check("attributes.rs");
}

#[test]
fn structs() {
    check("structs.rs");
}

#[test]
fn types() {
    check("types.rs");
}

#[test]
fn nothing() {
    let errors = compile(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/wrong/nothing.rs"));
    let texts: Vec<_> = errors.iter().map(|error| &error["rendered"]).collect();
    assert!(texts.is_empty(), "{texts:#?}");
}

#[track_caller]
fn check(file: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/wrong").join(file);
    let text = std::fs::read_to_string(&path).unwrap();
    let mut announced = announced(&text);
    let mut unexpected = Vec::new();
    for error in compile(&path) {
        let said = said(&error);
        let mut is_it = |line: usize, underlined: &str| {
            let found = announced.get_mut(&line)?;
            let at = found.iter().position(|(u, m)| *u == underlined && said.contains(m))?;
            found.remove(at);
            Some(())
        };
        if place(&error).and_then(|(line, underlined)| is_it(line, underlined)).is_none() {
            unexpected.push(error["rendered"].as_str().unwrap().to_owned());
        }
    }
    announced.retain(|_, left| !left.is_empty());
    assert!(
        unexpected.is_empty() && announced.is_empty(),
        "{file}\nnot announced:\n{}\nannounced in vain: {announced:#?}",
        unexpected.join("\n")
    );
}

fn announced(text: &str) -> Announced<'_> {
    let mut announced = Announced::new();
    for (index, line) in text.lines().enumerate() {
        let Some((_, comment)) = line.split_once("//~") else { continue };
        let words = comment.trim_start_matches('^');
        let (underlined, message) = words.split_once("=>").unwrap();
        // Lines count from 1.
        let line = index + 1 - (comment.len() - words.len());
        announced.entry(line).or_default().push((underlined.trim(), message.trim()));
    }
    assert!(!announced.is_empty());
    announced
}

/// The line and text of an error's main place.
fn place(error: &Value) -> Option<(usize, &str)> {
    let spans = error["spans"].as_array()?;
    let span = spans.iter().find(|span| span["is_primary"] == true)?;
    let (line, text) = (span["line_start"].as_u64()?, &span["text"][0]);
    let index = |key: &str| text[key].as_u64().map(|n| n as usize - 1);
    let all = text["text"].as_str()?;
    let at = |n: usize| all.char_indices().nth(n).map_or(all.len(), |(at, _)| at);
    Some((line as usize, &all[at(index("highlight_start")?)..at(index("highlight_end")?)]))
}

/// All that an error says.
fn said(error: &Value) -> String {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let mut said = vec![text(&error["message"])];
    said.extend(error["spans"].as_array().unwrap().iter().map(|span| text(&span["label"])));
    said.extend(error["children"].as_array().unwrap().iter().map(|child| text(&child["message"])));
    said.join("\n")
}

/// The errors of one file.
fn compile(path: &Path) -> Vec<Value> {
    let deps = std::env::current_exe().unwrap().parent().unwrap().to_owned();
    let file = path.file_stem().unwrap().to_str().unwrap();
    let out = std::env::temp_dir().join(format!("crawl-wrong-{}-{file}", std::process::id()));
    std::fs::create_dir_all(&out).unwrap();
    let output = Command::new(std::env::var_os("RUSTC").unwrap_or("rustc".into()))
        .args(["--edition=2024", "--crate-type=lib", "--emit=metadata", "--error-format=json"])
        .arg(format!("-Ldependency={}", deps.display()))
        .arg(format!("--extern=crawl_spider={}", sdk(&deps).display()))
        .arg("--out-dir")
        .args([&out, path])
        .output()
        .unwrap();
    std::fs::remove_dir_all(&out).unwrap();
    let lines = String::from_utf8(output.stderr).unwrap();
    let lines = lines.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    // The last ones only count the others, and have no place.
    lines
        .filter(|it| {
            it["level"] == "error" && it["spans"].as_array().is_some_and(|s| !s.is_empty())
        })
        .collect()
}

/// The SDK's library: of several the last one, for cargo builds none anew that is up to date.
fn sdk(deps: &Path) -> PathBuf {
    let files = std::fs::read_dir(deps).unwrap().map(|file| file.unwrap());
    let libraries = files.filter(|file| {
        let name = file.file_name().into_string().unwrap_or_default();
        name.starts_with("libcrawl_spider-") && name.ends_with(".rlib")
    });
    libraries.max_by_key(|file| file.metadata().unwrap().modified().unwrap()).unwrap().path()
}
