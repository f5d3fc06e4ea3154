//! What is said of a run when it is over: how it ended, what there is now, where to look.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io;
use std::path::{Path, PathBuf};

use crawl::feeds::{FeedConfig, stdout};
use crawl::store::Drift;
use crawl::{Change, Config, End, Recrawled, Report, TrapSighting};

use super::progress::{grouped, seconds};

/// Traps that are listed.
const MOST_TRAPS: usize = 10;

/// Where a run puts things.
#[derive(Debug, Clone)]
pub(crate) struct Places {
    store: PathBuf,
    feeds: Vec<String>,
}

impl Places {
    /// The places that `config` names.
    pub(crate) fn of(config: &Config) -> Self {
        Self {
            store: config.store.path.clone(),
            feeds: config.feed.iter().map(FeedConfig::name).collect(),
        }
    }
}

/// The summary for people.
pub(crate) fn text(report: &Report, places: &Places, was_interrupted: bool) -> String {
    let mut text = String::new();
    for note in &report.notes {
        line(&mut text, "note", note);
    }
    for Change { key, old, new } in &report.changed {
        line(&mut text, "changed", &format!("{key}: {old} -> {new}"));
    }
    if let Some(resumed) = &report.resumed {
        for (n, what) in [
            (resumed.readmitted, "URLs admitted that were refused before"),
            (resumed.newly_filtered, "URLs refused that waited"),
            (resumed.poisoned, "URLs given up: the process died three times with them in hand"),
        ] {
            if n > 0 {
                line(&mut text, "resumed", &format!("{} {what}", grouped(n)));
            }
        }
    }
    if let Some(read) = &report.seeds {
        let crawl::Seeded { admitted, known, filtered } = read.seeded;
        let [admitted, known, filtered] =
            [admitted, known, filtered].map(|n| grouped(n.try_into().unwrap_or(u64::MAX)));
        let what = format!("{admitted} admitted, {known} known, {filtered} filtered");
        line(&mut text, "seeds", &what);
    }
    if let Some(Recrawled { due, revisited }) = &report.recrawled {
        let revisits = [
            ("changed", revisited.changed),
            ("unchanged", revisited.unchanged),
            ("gone", revisited.gone),
            ("failed", revisited.failed),
        ];
        let came = revisits.into_iter().filter(|(_, n)| *n > 0);
        let came: Vec<_> = came.map(|(what, n)| format!("{what} {}", grouped(n))).collect();
        let came = if came.is_empty() { String::new() } else { format!(": {}", came.join(", ")) };
        line(&mut text, "recrawl", &format!("{} pages were due again{came}", grouped(*due)));
    }
    line(&mut text, "crawl", &how_it_ended(report, was_interrupted));
    figures(&mut text, report);
    traps(&mut text, report);
    for drift in &report.drifts {
        line(&mut text, "warning", &drifted(drift));
    }
    line(&mut text, "store", &places.store.display().to_string());
    for feed in &places.feeds {
        line(&mut text, "feed", feed);
    }
    let looks = [
        "",
        " pages",
        " items --limit 5",
        " items --dropped --limit 5",
        " fields",
        " urls --verdict queued",
    ];
    for what in looks {
        let wanted = match what {
            " items --limit 5" => report.counts.items > 0,
            " items --dropped --limit 5" => report.dropped.n_dropped() > 0,
            " fields" => !report.drifts.is_empty(),
            " urls --verdict queued" => report.counts.queued > 0,
            _ => true,
        };
        if wanted {
            let command = format!("{} inspect {}{what}", program(), quoted(&places.store));
            line(&mut text, "look", &command);
        }
    }
    text
}

/// The report as one line of JSON on stdout.
pub(crate) fn print_json(report: &Report, places: &Places) -> io::Result<()> {
    let (end, limit) = match report.end {
        End::Finished => ("finished", None),
        End::LimitReached(key) => ("limit-reached", Some(key)),
        End::Closed => ("closed", None),
    };
    let changes: Vec<_> = report
        .changed
        .iter()
        .map(|Change { key, old, new }| serde_json::json!({ "key": key, "old": old, "new": new }))
        .collect();
    let seeds = report.seeds.as_ref().map(|read| {
        serde_json::json!({
            "lines": read.lines,
            "admitted": read.seeded.admitted,
            "known": read.seeded.known,
            "filtered": read.seeded.filtered,
            "bad": read.bad,
            "first_bad": read.first_bad,
            "is_whole": read.is_whole,
        })
    });
    let json = serde_json::json!({
        "end": end,
        "limit": limit,
        "resumed": report.resumed.is_some(),
        "recrawl": report.recrawled.map(|recrawled| serde_json::json!({
            "due": recrawled.due,
            "revisited": recrawled.revisited,
        })),
        "settled_this_run": report.settled_this_run,
        "pages_this_run": report.pages_this_run,
        "items_this_run": report.items_this_run,
        "elapsed_ms": u64::try_from(report.elapsed.as_millis()).unwrap_or(u64::MAX),
        "counts": report.counts,
        "conserved": report.counts.is_conserved(),
        "traps": report.traps,
        "changed": changes,
        "notes": report.notes,
        "stopped": report.stopped,
        "seeds_file": seeds,
        "dropped": report.dropped.by_reason(),
        "dropped_this_run": report.dropped_this_run,
        "dropped_left_out": report.dropped.left_out,
        "fields": report.fields,
        "drifts": report.drifts,
        "spider": report.spider_stats,
        "store": places.store,
        "feeds": places.feeds,
    });
    stdout::write(format!("{json}\n").as_bytes())
}

fn how_it_ended(report: &Report, was_interrupted: bool) -> String {
    let left = report.counts.queued + report.counts.pending;
    let nothing_new = report.resumed.is_some() && report.settled_this_run == 0;
    if let Some(reason) = &report.stopped {
        let rest = match left {
            0 => "nothing is left to fetch".to_owned(),
            n => format!("{} URLs stay queued", grouped(n)),
        };
        return format!("stopped by the spider: {reason}; {rest}");
    }
    match report.end {
        End::Finished if nothing_new && report.recrawled.is_some() => {
            "was finished before, and no page is due again; nothing was fetched. `--fresh` throws it \
             away and starts over"
                .to_owned()
        }
        End::Finished if nothing_new => {
            "was finished before; nothing was fetched. `recrawl.after` asks again for what is older \
             than that, `--fresh` throws all away and starts over"
                .to_owned()
        }
        End::Finished => "finished: nothing is left to fetch".to_owned(),
        End::LimitReached(key) if nothing_new => format!(
            "had reached {key} before; nothing was fetched. Raise it to go on, or start over with \
             `--fresh`"
        ),
        End::LimitReached(key) => {
            format!("reached {key}; {} URLs stay queued, raise it to go on", grouped(left))
        }
        End::Closed if was_interrupted => {
            format!("interrupted; {} URLs stay queued, the same command goes on", grouped(left))
        }
        End::Closed => format!("closed; {} URLs stay queued", grouped(left)),
    }
}

fn figures(text: &mut String, report: &Report) {
    let counts = &report.counts;
    let rate = report.pages_this_run as f64 / report.elapsed.as_secs_f64().max(0.001);
    let run = format!(
        "{} pages, {} items in {} ({rate:.1} pages/s)",
        grouped(report.pages_this_run),
        grouped(report.items_this_run),
        seconds(report.elapsed),
    );
    line(text, "this run", &run);
    line(text, "pages", &grouped(counts.pages));
    line(text, "items", &grouped(counts.items));
    line(text, "settled", &by_name(&counts.settled));
    if !counts.filtered.is_empty() {
        line(text, "filtered", &by_name(&counts.filtered));
    }
    if report.dropped.n_dropped() > 0 {
        line(text, "dropped", &by_name(&report.dropped.by_reason()));
    }
    if counts.retries > 0 {
        line(text, "retries", &grouped(counts.retries));
    }
    for (name, n) in &report.spider_stats {
        line(text, "spider", &format!("{name} {n}"));
    }
}

/// The traps of one kind on the hosts that had the most of it.
fn traps(text: &mut String, report: &Report) {
    for TrapSighting { host, reason, place, n_refused } in report.traps.iter().take(MOST_TRAPS) {
        let refused = match n_refused {
            1 => "1 URL refused".to_owned(),
            n => format!("{} URLs refused", grouped(*n)),
        };
        line(text, "trap", &format!("host {host}: {reason} under {place}, {refused}"));
    }
    let n_more = report.traps.len().saturating_sub(MOST_TRAPS);
    if n_more > 0 {
        line(text, "trap", &format!("and {} more", grouped(n_more as u64)));
    }
}

/// What a drift comes to, in a sentence.
fn drifted(drift: &Drift) -> String {
    let items = match &*drift.kind {
        "" => "items".to_owned(),
        kind => format!("items of `{kind}`"),
    };
    let percent = |share: f64| (share * 100.0).round();
    match &drift.field {
        Some(field) => format!(
            "`{field}` is filled in {}% of the {items}; in the run before it was in {}%",
            percent(drift.now),
            percent(drift.before)
        ),
        None => format!("there are no {items}; in the run before there were"),
    }
}

/// `ok 1,050, redirected 2`: the most frequent first.
fn by_name(counts: &BTreeMap<String, u64>) -> String {
    let mut sorted: Vec<(&String, &u64)> = counts.iter().collect();
    sorted.sort_by_key(|(_, count)| std::cmp::Reverse(**count));
    let words: Vec<String> =
        sorted.iter().map(|(name, count)| format!("{name} {}", grouped(**count))).collect();
    if words.is_empty() { "none".to_owned() } else { words.join(", ") }
}

fn line(text: &mut String, name: &str, value: &str) {
    writeln!(text, "{name:>9}  {value}").expect("a String takes all that is written to it");
}

/// This program as it was called, so that the commands shown can be copied.
fn program() -> String {
    std::env::args_os().next().map_or_else(|| "crawl".to_owned(), |name| quoted(Path::new(&name)))
}

/// A path as a POSIX shell takes it.
fn quoted(path: &Path) -> String {
    let text = path.to_string_lossy();
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "/._-+,:@%=".contains(c);
    if !text.is_empty() && text.chars().all(is_plain) {
        return text.into_owned();
    }
    format!("'{}'", text.replace('\'', "'\\''"))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use crawl::store::DropCounts;
    use crawl::{Counts, FilterReason};
    use crawl_model::FieldCounts;

    use super::*;

    fn report() -> Report {
        let mut counts = Counts { pages: 1050, items: 1000, queued: 3, ..Counts::default() };
        counts.settled = BTreeMap::from([("ok".into(), 1049), ("http-error".into(), 1)]);
        counts.filtered = BTreeMap::from([("robots".into(), 2)]);
        Report {
            end: End::Finished,
            traps: vec![TrapSighting {
                host: "shop.test".into(),
                reason: FilterReason::TrapCalendar,
                place: "/cal/".into(),
                n_refused: 1412,
            }],
            counts,
            settled_this_run: 1050,
            pages_this_run: 1050,
            items_this_run: 1000,
            elapsed: Duration::from_millis(2100),
            resumed: None,
            recrawled: None,
            changed: Vec::new(),
            notes: Vec::new(),
            dropped_this_run: 0,
            dropped: DropCounts::default(),
            fields: FieldCounts::default(),
            drifts: Vec::new(),
            spider_stats: BTreeMap::from([("sold-out".into(), 7)]),
            stopped: None,
            seeds: None,
        }
    }

    fn places() -> Places {
        Places { store: "data/my shop".into(), feeds: vec!["i.jsonl".into()] }
    }

    #[test]
    fn a_summary_says_how_it_ended_what_there_is_and_where_to_look() {
        let said = text(&report(), &places(), false);
        for part in [
            "    crawl  finished: nothing is left to fetch\n",
            " this run  1,050 pages, 1,000 items in 2.1s (500.0 pages/s)\n",
            "  settled  ok 1,049, http-error 1\n",
            " filtered  robots 2\n",
            "     trap  host shop.test: trap-calendar under /cal/, 1,412 URLs refused\n",
            "   spider  sold-out 7\n",
            "    store  data/my shop\n",
            "     feed  i.jsonl\n",
            " inspect 'data/my shop' items --limit 5\n",
        ] {
            assert!(said.contains(part), "`{part}` is not in:\n{said}");
        }
    }

    #[test]
    fn a_finished_crawl_names_the_way_to_start_over() {
        let mut report = report();
        report.settled_this_run = 0;
        report.resumed = Some(Default::default());
        assert!(text(&report, &places(), false).contains("--fresh"));
        report.end = End::LimitReached("scope.max-pages");
        assert!(text(&report, &places(), false).contains("Raise it to go on"));
    }

    #[test]
    fn a_spiders_reason_to_stop_is_told() {
        let mut report = report();
        (report.end, report.stopped) = (End::Closed, Some("enough".into()));
        let said = text(&report, &places(), false);
        assert!(said.contains("crawl  stopped by the spider: enough; 3 URLs stay"), "{said}");
    }

    #[test]
    fn changed_limits_are_listed() {
        let mut report = report();
        let (old, new) = ("1".to_owned(), "2".to_owned());
        report.changed = vec![Change { key: "scope.max-depth".into(), old, new }];
        let said = text(&report, &places(), false);
        assert!(said.contains("  changed  scope.max-depth: 1 -> 2\n"), "{said}");
    }

    #[test]
    fn paths_are_quoted_for_the_shell_only_where_they_must_be() {
        assert_eq!(quoted(Path::new("a/b-1")), "a/b-1");
        assert_eq!(quoted(Path::new("it's")), "'it'\\''s'");
    }
}
