//! `crawl check`: what a spider's callbacks give for the pages that were recorded.

use std::fmt::Write as _;
use std::io;

use crawl::Config;
use crawl::feeds::stdout;
use crawl_spidertest::{Case, CaseEnd, Folder, FolderError, Mode, Report, SpiderTest};
use serde_json::{Value, json};

use super::args::CheckArgs;
use super::fixtures_of;
use crate::cli::failure::{Exit, Failure, unless_closed};
use crate::cli::run::keep_stdout;
use crate::cli::table::printable;

/// Runs the callbacks, and says how they compare.
pub(crate) fn check(args: &CheckArgs) -> Result<Exit, Failure> {
    let config = Config::load(&args.config, &args.set)?;
    let folder = Folder::new(args.fixtures.clone().unwrap_or_else(|| fixtures_of(&args.config)));
    keep_stdout(&config)?;
    let spider = config.make_spider()?;
    let agent = crawl_robots::product_token(&config.fetch.user_agent);
    let test = SpiderTest::shared(spider).with_settings(
        config.parse.clone(),
        config.fetch.max_redirects,
        agent,
    );
    let mode = match (args.update, folder.has_snapshots()) {
        (true, _) => Mode::Update,
        (false, true) => Mode::Check,
        (false, false) => Mode::Show,
    };
    let report = test.over(&folder, mode).map_err(|error| failure(error, args))?;
    let text = if args.json { lines(&report) } else { text(&report, mode) };
    unless_closed(stdout::write(text.as_bytes()))?;
    match mode {
        Mode::Show => eprintln!(
            "hint: there are no snapshots to compare with; `crawl check {} --update` writes them",
            args.config.display()
        ),
        Mode::Check if !report.is_same() => eprintln!(
            "hint: if it is right now, `crawl check {} --update` keeps it",
            args.config.display()
        ),
        _ => {}
    }
    Ok(if report.is_same() { Exit::Done } else { Exit::Broken })
}

fn failure(error: FolderError, args: &CheckArgs) -> Failure {
    let hint = match &error {
        FolderError::Empty { .. } => true,
        FolderError::Read { source, .. } => source.kind() == io::ErrorKind::NotFound,
        _ => false,
    };
    let failure = Failure::new(Exit::Broken, error);
    match hint {
        true => {
            failure.hint(format!("`crawl record {}` fetches some pages", args.config.display()))
        }
        false => failure,
    }
}

/// For scripts: an object a line.
fn lines(report: &Report) -> String {
    let mut text = String::new();
    for case in &report.cases {
        let (end, diff) = match &case.end {
            CaseEnd::Same => ("same", None),
            CaseEnd::Differs(diff) => ("differs", Some(diff)),
            CaseEnd::New => ("new", None),
            CaseEnd::Written => ("written", None),
            CaseEnd::Shown => ("shown", None),
        };
        let line = json!({
            "name": case.name, "url": case.url, "end": end, "diff": diff, "outcome": case.json,
        });
        let _ = writeln!(text, "{line}");
    }
    text
}

fn text(report: &Report, mode: Mode) -> String {
    let mut text = String::new();
    let mut n_good = 0;
    for case in &report.cases {
        let end = match &case.end {
            CaseEnd::Same => "same",
            CaseEnd::Differs(_) => "differs",
            CaseEnd::New => "new",
            CaseEnd::Written => "written",
            CaseEnd::Shown => "shown",
        };
        n_good += u32::from(matches!(case.end, CaseEnd::Same | CaseEnd::Written));
        let _ = writeln!(text, "{end:<8} {}: {}", case.name, summary(case));
        match &case.end {
            CaseEnd::Differs(diff) => diff.lines().for_each(|line| {
                let _ = writeln!(text, "    {}", printable(line));
            }),
            CaseEnd::New | CaseEnd::Shown => {
                let shown = serde_json::to_string_pretty(&case.json).unwrap_or_default();
                shown.lines().for_each(|line| {
                    let _ = writeln!(text, "    {}", printable(line));
                });
            }
            CaseEnd::Same | CaseEnd::Written => {}
        }
    }
    if mode == Mode::Check {
        let n = report.cases.len();
        let _ = writeln!(text, "{n_good} of {n} callbacks as in the snapshots");
    }
    text
}

fn summary(case: &Case) -> String {
    let outcome = &case.outcome;
    let count = |n: usize, what: &str| match n {
        1 => format!("1 {what}"),
        n => format!("{n} {what}s"),
    };
    let n_log = case.json.get("log").and_then(Value::as_array).map_or(0, Vec::len);
    let mut parts =
        vec![count(outcome.items.len(), "item"), count(outcome.requests.len(), "request")];
    if n_log > 0 {
        parts.push(count(n_log, "warning"));
    }
    if outcome.verdict != crawl::Verdict::Ok {
        parts.insert(0, outcome.verdict.name().to_owned());
    }
    if !outcome.error.is_empty() {
        parts.push(printable(&outcome.error));
    }
    parts.join(", ")
}
