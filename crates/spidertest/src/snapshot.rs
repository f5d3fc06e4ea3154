//! What a callback gave, as a text to be kept beside its fixture.

use std::path::{Path, PathBuf};
use std::time::SystemTime;
use std::{env, fs, io};

use crawl_model::Request;
use crawl_spider::{LogLevel, Value};
use serde_json::{Map, json};

use crate::outcome::pretty;
use crate::test::millis;
use crate::{Outcome, diff};

/// The environment variable that lets tests write their snapshots anew, if it is not empty.
pub const UPDATE: &str = "CRAWL_UPDATE";

/// By what times in an outcome are told: the clock stands at the fixture's time.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SinceStart {
    /// When the callback began, in truth.
    real_ms: u64,
    /// When the fixture was fetched.
    fixture_ms: u64,
}

impl SinceStart {
    pub(crate) fn now(fixture_ms: u64) -> Self {
        Self { real_ms: millis(SystemTime::now()), fixture_ms }
    }

    /// How long a request is to wait, in seconds: what it says is a time, made from the real
    /// clock by `delay`, or from the page's time.
    fn wait(self, not_before_ms: u64) -> Value {
        match not_before_ms.checked_sub(self.real_ms) {
            Some(wait) => json!((wait + 500) / 1000),
            None => json!(not_before_ms.saturating_sub(self.fixture_ms) as f64 / 1000.0),
        }
    }
}

impl Outcome {
    /// The outcome as JSON for people: what is as usual is left out.
    #[must_use]
    pub fn to_json(&self) -> Value {
        self.to_json_since(SinceStart::now(0))
    }

    pub(crate) fn to_json_since(&self, since: SinceStart) -> Value {
        let mut map = Map::new();
        map.insert("verdict".to_owned(), self.verdict.name().into());
        if !self.error.is_empty() {
            map.insert("error".to_owned(), self.error.as_str().into());
        }
        map.insert("items".to_owned(), Value::Array(self.items.clone()));
        let requests = self.requests.iter().map(|request| request_json(request, since));
        map.insert("requests".to_owned(), requests.collect());
        let logs: Vec<Value> = self
            .logs
            .iter()
            .filter(|line| line.level >= LogLevel::Warn)
            .map(|line| format!("{}: {}", line.level.name(), line.text).into())
            .collect();
        if !logs.is_empty() {
            map.insert("log".to_owned(), logs.into());
        }
        if !self.stats.is_empty() {
            map.insert("stats".to_owned(), json!(self.stats));
        }
        if let Some(reason) = &self.stop {
            map.insert("stop".to_owned(), reason.as_str().into());
        }
        Value::Object(map)
    }

    /// Compares the outcome with `tests/snapshots/NAME.json` of the crate under test. With the
    /// environment variable `CRAWL_UPDATE=1` it is written instead.
    ///
    /// # Panics
    /// If it differs, or there is no such file yet; the message says what differs and what to do.
    #[track_caller]
    pub fn check_snapshot(&self, name: &str) {
        let root = env::var_os("CARGO_MANIFEST_DIR").unwrap_or_else(|| ".".into());
        let path = Path::new(&root).join("tests/snapshots").join(format!("{name}.json"));
        let text = text_of(&self.to_json());
        if let Err(problem) = check(&path, &text, wants_update()) {
            panic!("{problem}");
        }
    }
}

/// Whether the environment asks for new snapshots.
pub(crate) fn wants_update() -> bool {
    env::var_os(UPDATE).is_some_and(|value| !value.is_empty() && value != "0")
}

/// A snapshot's file contents.
pub(crate) fn text_of(value: &Value) -> String {
    pretty(value) + "\n"
}

/// Compares, or writes; the error is for people.
fn check(path: &Path, text: &str, update: bool) -> Result<(), String> {
    let shown = path.display();
    if update {
        let folder = path.parent().map_or(Ok(()), fs::create_dir_all);
        return folder
            .and_then(|()| fs::write(path, text))
            .map_err(|error| format!("{shown} cannot be written: {error}"));
    }
    let hint = format!("{UPDATE}=1 cargo test");
    match fs::read_to_string(path) {
        Ok(known) if known == text => Ok(()),
        Ok(known) => Err(format!(
            "not as in {shown} (- there, + now)\n{}\nif it is right now: {hint}",
            diff::diff(&known, text)
        )),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            Err(format!("{shown} is not there yet\nto write it: {hint}\n{text}"))
        }
        Err(error) => Err(format!("{shown} cannot be read: {error}")),
    }
}

/// A request: its URL alone if that is all there is to it.
fn request_json(request: &Request, since: SinceStart) -> Value {
    let url = Value::from(request.url.without_credentials().as_str());
    let Ok(Value::Object(mut map)) = serde_json::to_value(request) else { return url };
    for key in ["depth", "referrer", "chain", "url"] {
        map.remove(key);
    }
    if let Some(body) = map.get_mut("body") {
        *body = String::from_utf8_lossy(&request.body).into();
    }
    if let Some(Value::Object(mut options)) = map.remove("options") {
        if options.remove("unique").is_some() {
            options.insert("dont_filter".to_owned(), true.into());
        }
        if options.remove("not_before_ms").is_some() {
            options.insert("wait_s".to_owned(), since.wait(request.options().not_before_ms));
        }
        options.remove("cookies_changed");
        map.extend(options);
    }
    if map.is_empty() {
        return url;
    }
    let mut whole = Map::from_iter([("url".to_owned(), url)]);
    whole.extend(map);
    Value::Object(whole)
}

/// Where the snapshot of a fixture stands.
pub(crate) fn beside(fixture: &Path) -> PathBuf {
    fixture.with_extension("json")
}
