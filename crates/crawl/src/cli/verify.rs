//! `crawl verify`: checks that a crawl's folder holds what it promises.

use std::collections::BTreeSet;
use std::io::{self, BufWriter, Write};
use std::path::PathBuf;

use clap::Args;
use crawl::store::verify::{Finding, Kind, Level, Verified, repair, verify};
use serde_json::{Value, json};

use super::failure::{Exit, Failure, unless_closed};
use super::progress::grouped;

pub(super) const HELP: &str = "\
A line per finding on standard output: its name, where it is, what is wrong. Notes are what a kill
left and the next run clears away; they are no damage.

Exit codes:
    0  nothing is damaged
    1  something is, or could not be read; with --repair, something is left that cannot be mended
    2  wrong usage, or no crawl in this folder
    3  a crawl runs in this folder: stop it first";

/// What is to be checked.
#[derive(Debug, Args)]
pub(crate) struct VerifyArgs {
    /// The crawl's folder (the key `store.path`).
    store: PathBuf,
    /// Mend what can be mended without losing anything: pointers that lead nowhere are taken away,
    /// body files written anew without damaged records, indexes and sums made anew.
    #[arg(long)]
    repair: bool,
    /// Print findings, and in the end what was checked, as JSON lines.
    #[arg(long)]
    json: bool,
}

/// Checks, and says what was found.
pub(super) fn run(args: VerifyArgs) -> Result<Exit, Failure> {
    let stdout = io::stdout();
    let mut out = BufWriter::new(stdout.lock());
    let mut written = Ok(());
    let mut kinds = BTreeSet::new();
    let mut tell = |finding: &Finding| {
        kinds.insert(finding.finding);
        if written.is_ok() {
            written = match args.json {
                true => writeln!(out, "{}", json!(finding)),
                false => writeln!(out, "{}{finding}", mark(finding.level)),
            };
        }
    };
    let verified = match args.repair {
        true => repair(&args.store, &mut tell),
        false => verify(&args.store, &mut tell),
    };
    let verified = verified.map_err(failed)?;
    let written = written.and_then(|()| {
        if args.json {
            let mut row = json!(verified);
            row["verified"] = Value::from(args.store.to_string_lossy().into_owned());
            writeln!(out, "{row}")?;
        }
        out.flush()
    });
    unless_closed(written)?;
    eprint!("{}", summary(&verified, &kinds, args.repair));
    Ok(if verified.damage == 0 { Exit::Done } else { Exit::Broken })
}

fn mark(level: Level) -> &'static str {
    match level {
        Level::Note => "note: ",
        _ => "",
    }
}

fn failed(error: crawl::store::StoreError) -> Failure {
    use crawl::store::StoreError;
    match error {
        error @ StoreError::InUse { .. } => Failure::new(Exit::InUse, error)
            .hint("a store that is being written cannot be checked: stop the crawl first"),
        error @ StoreError::NoCrawl { .. } => {
            let hint = error.hint().unwrap_or_default();
            Failure::new(Exit::Usage, error).hint(hint)
        }
        error => error.into(),
    }
}

/// What was checked, what to do about each kind of damage, what was mended.
fn summary(verified: &Verified, kinds: &BTreeSet<Kind>, is_repair: bool) -> String {
    let mut text = format!(
        "checked {} pages, {} items, {} files, {} URLs, {} records of body files, {} lines of feeds\n",
        grouped(verified.pages),
        grouped(verified.items),
        grouped(verified.files),
        grouped(verified.urls),
        grouped(verified.records),
        grouped(verified.feed_lines),
    );
    for repair in &verified.repairs {
        text.push_str(&format!("mended: {repair}\n"));
    }
    let damage = kinds.iter().filter(|kind| kind.level() == Level::Damage);
    if !is_repair {
        for kind in damage {
            text.push_str(&format!("{}: {}\n", kind.name(), kind.next()));
        }
    }
    if verified.is_more {
        text.push_str("there is more to mend: run it once more\n");
    }
    text.push_str(&match (verified.damage, verified.repairs.is_empty()) {
        (0, true) => "nothing is damaged\n".to_owned(),
        (0, false) => "checked again: nothing is damaged any more\n".to_owned(),
        (1, true) => "1 finding\n".to_owned(),
        (n, true) => format!("{} findings\n", grouped(n)),
        (n, false) => {
            let left: Vec<_> = verified.findings.keys().copied().collect();
            let are = if n == 1 { "finding is" } else { "findings are" };
            format!("checked again: {} {are} left: {}\n", grouped(n), left.join(", "))
        }
    });
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_summary_says_what_to_do() {
        let mut verified = Verified::default();
        let kinds = BTreeSet::from([Kind::ManifestDamaged, Kind::UncleanStop]);
        assert!(summary(&verified, &BTreeSet::new(), false).ends_with("nothing is damaged\n"));
        verified.damage = 1;
        let text = summary(&verified, &kinds, false);
        assert!(text.ends_with("1 finding\n"), "{text}");
        assert!(text.contains("manifest-damaged: ") && !text.contains("unclean-stop"), "{text}");
        verified.repairs.push("the manifest was written anew".to_owned());
        verified.damage = 0;
        let text = summary(&verified, &kinds, true);
        assert!(text.contains("mended: the manifest") && text.contains("any more"), "{text}");
    }
}
