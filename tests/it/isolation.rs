//! Real shared libraries that do what a plugin must not do, in whole crawls of the real binary: in
//! its process, as far as that can be survived, and in child processes.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output};
use std::thread;
use std::time::{Duration, Instant};

use crawl_testsite::TestSite;
use serde_json::Value;

use crate::built::built;
use crate::support::{LIMIT, Scratch, crawl, finish, inspect, interrupt, run, stderr};

/// Good pages beside the one that the plugin does something on; the seed is one of them.
const GOOD: usize = 21;

fn site(latency: Duration) -> TestSite {
    let links: String = (1..GOOD).map(|i| format!("<a href=/p{i}>x</a>")).collect();
    let root = format!("<a href=/bad>x</a>{links}");
    let mut site = TestSite::builder().page("/", root).page("/bad", "x").latency(latency);
    for i in 1..GOOD {
        site = site.page(&format!("/p{i}"), "<a href=/>back</a>");
    }
    TestSite::spawn_thread(site)
}

/// One crawl of that site: its folder, and its config.
struct Rig {
    scratch: Scratch,
    site: TestSite,
    store: PathBuf,
    config: String,
}

const IN_PROCESS: &str = "none";
const APART: &str = "process";

impl Rig {
    fn new(plugin: &str, args: &str, isolation: &str, more: &str) -> Self {
        Self::of(&built(plugin), args, isolation, more, Duration::ZERO)
    }

    fn of(library: &Path, args: &str, isolation: &str, more: &str, latency: Duration) -> Self {
        let (scratch, site) = (Scratch::new(), site(latency));
        let store = scratch.path("store");
        let config = format!(
            r#"
seeds = ["http://a.test/"]
politeness = {{ delay = "0s", per-host = 4 }}
fetch = {{ allow-private-addresses = true, resolve = {{ "a.test" = "{}" }} }}
store = {{ path = "{}" }}
[spider]
plugin = "{}"
isolation = "{isolation}"
memory-mib = 128
args = {{ {args} }}
{more}
"#,
            site.addr,
            store.display(),
            library.display(),
        );
        let config = scratch.write("crawl.toml", &config);
        Self { scratch, site, store, config }
    }

    /// The plugin does this on the page `/bad`.
    fn bad(how: &str, isolation: &str, more: &str) -> Self {
        Self::new("bad", &format!(r#"how = "{how}", on = "/bad""#), isolation, more)
    }

    fn start(&self, more: &[&str]) -> Child {
        crawl(&["run", &self.config]).args(more).spawn().unwrap()
    }

    #[track_caller]
    fn run_ok(&self) -> Output {
        let output = run(&["run", &self.config]);
        assert!(output.status.success(), "{}: {}", output.status, stderr(&output));
        output
    }

    /// All good pages have ended well, with their items, and `/bad` so: its verdict and error.
    #[track_caller]
    fn ending_of_bad(&self) -> (String, String) {
        let rows = inspect(&self.store, &["pages"]);
        let (bad, good): (Vec<&Value>, Vec<&Value>) =
            rows.iter().partition(|row| row["url"] == "http://a.test/bad");
        assert_eq!((bad.len(), good.len()), (1, GOOD), "{rows:?}");
        assert!(good.iter().all(|row| row["verdict"] == "ok"), "{good:?}");
        assert_eq!(inspect(&self.store, &["stats"])[0]["conserved"], true);
        let n_items = inspect(&self.store, &["items"]).len();
        let is_ok = bad[0]["verdict"] == "ok";
        assert_eq!(n_items, GOOD + usize::from(is_ok));
        let text = |field: &str| bad[0][field].as_str().unwrap_or_default().to_owned();
        (text("verdict"), text("error"))
    }
}

#[track_caller]
fn check(how: &str, isolation: &str, verdict: &str, error: &[&str]) {
    // A panic's backtrace may take longer.
    let is_endless = matches!(how, "loop" | "sleep");
    let limit = if is_endless { "[parse]\nmax-time = \"700ms\"" } else { "" };
    let rig = Rig::bad(how, isolation, limit);
    rig.run_ok();
    let (its_verdict, its_error) = rig.ending_of_bad();
    assert_eq!(its_verdict, verdict, "{how}, {isolation}: {its_error}");
    for word in error {
        assert!(its_error.contains(word), "{how}, {isolation}: no `{word}` in `{its_error}`");
    }
}

#[test]
fn what_can_be_caught_in_process_costs_one_page() {
    check("panic", IN_PROCESS, "spider-panic", &["bad in parse"]);
    check("error", IN_PROCESS, "spider-error", &["wrong in parse"]);
    check("loop", IN_PROCESS, "spider-timeout", &["did not return within 700ms"]);
    check("sleep", IN_PROCESS, "spider-timeout", &["did not return within 700ms"]);
}

#[test]
fn apart_from_the_crawl_everything_costs_one_page() {
    check("panic", APART, "spider-panic", &["bad in parse"]);
    check("error", APART, "spider-error", &["wrong in parse"]);
    check("loop", APART, "spider-timeout", &["did not return within 700ms"]);
    check("sleep", APART, "spider-timeout", &["did not return within 700ms"]);
    check("stack", APART, "spider-crash", &["was killed by SIG"]);
    check("alloc", APART, "spider-crash", &["SIGABRT", "128 MiB (spider.memory-mib)"]);
    check("abort", APART, "spider-crash", &["was killed by SIGABRT"]);
    check("segfault", APART, "spider-crash", &["was killed by SIGSEGV"]);
    check("exit", APART, "spider-crash", &["ended with exit code 0"]);
}

#[test]
fn frames_that_are_noise_are_errors_of_their_pages() {
    for isolation in [IN_PROCESS, APART] {
        // It follows nothing, so one page it is.
        let rig = Rig::new("garbage", r#"answer = "ffffffff""#, isolation, "");
        rig.run_ok();
        let rows = inspect(&rig.store, &["pages"]);
        assert_eq!((rows.len(), &rows[0]["verdict"]), (1, &Value::from("spider-error")));
        let error = rows[0]["error"].as_str().unwrap();
        assert!(error.contains("makes no sense"), "{error}");
    }
}

#[test]
fn what_a_plugin_prints_does_not_stand_among_the_results() {
    for isolation in [IN_PROCESS, APART] {
        let rig = Rig::bad("print", isolation, "");
        let output = finish(rig.start(&["-o", "-"]));
        assert!(output.status.success(), "{}", stderr(&output));
        let said = String::from_utf8(output.stdout.clone()).unwrap();
        let items: Vec<Value> =
            said.lines().map(|line| serde_json::from_str(line).expect(line)).collect();
        assert_eq!(items.len(), GOOD + 1);
        assert!(stderr(&output).contains("printed in parse"), "{}", stderr(&output));

        let rig = Rig::bad("print", isolation, "");
        let output = finish(rig.start(&["--json"]));
        let report: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(report["end"], "finished");
        assert_eq!(report["spider"]["pages"], GOOD + 1, "counts come through");
        assert!(stderr(&output).contains("http://a.test/bad: before"), "log lines come through");
    }
}

#[test]
fn an_overflown_stack_in_process_kills_three_times_and_then_the_crawl_finishes() {
    let rig = Rig::bad("stack", IN_PROCESS, "");
    let mut deaths = 0;
    loop {
        let output = run(&["run", &rig.config]);
        if output.status.success() {
            break;
        }
        assert_eq!(output.status.code(), None, "killed by a signal: {}", stderr(&output));
        deaths += 1;
        assert!(deaths <= 3, "the page still kills: {}", stderr(&output));
    }
    assert_eq!(deaths, 3);
    assert_eq!(rig.ending_of_bad().0, "poisoned");
}

#[test]
fn ctrl_c_ends_a_crawl_whose_callback_hangs_and_leaves_no_child_behind() {
    for isolation in [IN_PROCESS, APART] {
        // The callback may take longer than the crawl is given to end.
        let rig = Rig::bad("loop", isolation, "[run]\ngrace = \"1s\"");
        let child = rig.start(&[]);
        wait_for(|| served_bad(&rig));
        thread::sleep(Duration::from_millis(200));
        let children = children_of(child.id());
        assert_eq!(children.is_empty(), isolation == IN_PROCESS, "{children:?}");
        let begun = Instant::now();
        interrupt(&child);
        let output = finish(child);
        let took = begun.elapsed();
        println!("{isolation}: ended {took:?} after Ctrl-C, grace time 1s");
        assert_eq!(output.status.code(), Some(130), "{}", stderr(&output));
        assert!(took < Duration::from_secs(4), "{took:?}");
        wait_for(|| children.iter().all(|pid| has_ended(*pid)));
        // It is not judged: the next run fetches it again.
        let stats = &inspect(&rig.store, &["stats"])[0];
        assert_eq!((&stats["queued"], &stats["conserved"]), (&1.into(), &true.into()), "{stats}");
    }
}

#[test]
fn a_killed_crawl_leaves_no_child_behind_and_children_have_nothing_of_its() {
    let rig = Rig::bad("loop", APART, "");
    let mut child = rig.start(&[]);
    wait_for(|| served_bad(&rig) && !children_of(child.id()).is_empty());
    thread::sleep(Duration::from_millis(200));
    let children = children_of(child.id());
    let parents = open_files(child.id());
    for pid in &children {
        let open = open_files(*pid);
        assert!(!open.iter().any(|path| path.contains("store")), "{open:?}");
        // Its end of the pair, and the copy of it by which it sees that its parent has gone.
        let sockets = open.iter().filter(|path| path.starts_with("socket:"));
        assert!(sockets.clone().count() >= 2, "{open:?}");
        assert!(sockets.clone().all(|socket| !parents.contains(socket)), "{open:?}");
    }
    child.kill().unwrap();
    child.wait().unwrap();
    wait_for(|| children.iter().all(|pid| has_ended(*pid)));
}

#[test]
fn a_running_crawl_takes_another_build_and_goes_on_with_its_frontier() {
    for isolation in [IN_PROCESS, APART] {
        let rig = Rig::of(
            &built("bad"),
            "",
            isolation,
            "[run]\ngrace = \"1s\"",
            Duration::from_millis(150),
        );
        let child = rig.start(&[]);
        wait_for(|| rig.site.requests().len() > 4);
        let reload = |path: &str| {
            let path = Path::new(path).to_str().unwrap().to_owned();
            run(&["plugin", "reload", rig.store.to_str().unwrap(), &path])
        };
        let no_plugin = rig.scratch.write("no-plugin.so", "nothing");
        let refused = reload(&no_plugin);
        assert_eq!(refused.status.code(), Some(1));
        let said = stderr(&refused);
        assert!(said.contains("is not a shared library"), "{said}");
        assert!(said.contains("goes on with the spider that it had"), "{said}");
        let done = reload(built("plain").to_str().unwrap());
        assert!(done.status.success(), "{}", stderr(&done));
        assert_eq!(done.stdout, b"the crawl goes on with the new `plain`\n");
        let output = finish(child);
        assert!(output.status.success(), "{}", stderr(&output));
        let said = stderr(&output);
        assert!(said.contains("info bad http://a.test/: before"), "{said}");
        assert!(said.contains("info plain http://a.test/"), "{said}");
        assert_eq!(rig.ending_of_bad().0, "ok");
    }
}

#[test]
fn a_plugin_that_does_not_begin_says_why_and_nothing_is_fetched() {
    for isolation in [IN_PROCESS, APART] {
        for (args, words) in [
            (r#"how = "panic", when = "args""#, "bad in args"),
            (r#"how = "error", when = "start""#, "wrong in start"),
            (r#"what = 1"#, "unknown field `what`"),
        ] {
            let rig = Rig::new("bad", args, isolation, "");
            let output = run(&["run", &rig.config]);
            let said = stderr(&output);
            assert!(matches!(output.status.code(), Some(1 | 2)), "{said}");
            assert!(said.contains(words), "{isolation}: no `{words}` in {said}");
            assert!(rig.site.requests().is_empty());
        }
    }
}

#[test]
fn a_child_sees_what_the_crawl_itself_sees() {
    // `good` asks each page everything that can be asked.
    let limits = "[scope]\nmax-depth = 1\n[retry]\nmax-attempts = 1";
    let of = |isolation: &str| {
        let rig = Rig::new("good", "", isolation, limits);
        rig.run_ok();
        let rows = inspect(&rig.store, &["items"]).into_iter().map(|mut row| {
            // The two crawls have dates of their own, and settle in an order of their own.
            row["n"] = Value::Null;
            ["first_seen", "last_seen"].iter().for_each(|name| row[*name] = Value::Null);
            if let Some(item) = row["item"].as_object_mut() {
                ["headers", "fetched"].iter().for_each(|key| drop(item.remove(*key)));
            }
            // Each site has a port of its own.
            row.to_string().replace(&rig.site.addr.to_string(), "ADDR")
        });
        let mut rows: Vec<String> = rows.collect();
        rows.sort();
        rows
    };
    let (inside, apart) = (of(IN_PROCESS), of(APART));
    assert!(inside.len() > 20, "{inside:?}");
    for (inside, apart) in inside.iter().zip(&apart) {
        assert_eq!(inside, apart);
    }
    assert_eq!(inside.len(), apart.len());
}

fn served_bad(rig: &Rig) -> bool {
    rig.site.requests().iter().any(|path| path == "/bad")
}

#[track_caller]
fn wait_for(is_so: impl Fn() -> bool) {
    let begun = Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < LIMIT, "it never came to be");
        thread::sleep(Duration::from_millis(5));
    }
}

fn stat(pid: u32) -> Option<(char, u32)> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let mut fields = stat.rsplit_once(") ")?.1.split(' ');
    Some((fields.next()?.chars().next()?, fields.next()?.parse().ok()?))
}

fn children_of(parent: u32) -> Vec<u32> {
    let all = std::fs::read_dir("/proc").unwrap().flatten();
    let pids = all.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    pids.filter(|pid| stat(*pid).is_some_and(|(_, its)| its == parent)).collect()
}

/// Gone, or a corpse that nobody has looked at yet.
fn has_ended(pid: u32) -> bool {
    stat(pid).is_none_or(|(state, _)| state == 'Z')
}

fn open_files(pid: u32) -> Vec<String> {
    let files = std::fs::read_dir(format!("/proc/{pid}/fd")).unwrap().flatten();
    let targets = files.filter_map(|entry| std::fs::read_link(entry.path()).ok());
    targets.map(|target| target.to_string_lossy().into_owned()).collect()
}

#[test]
fn the_word_for_children_is_not_for_people() {
    let output = Command::new(env!("CARGO_BIN_EXE_crawl")).arg("plugin-child").output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains("hint: "), "{}", stderr(&output));
}
