//! Turns serde's messages into ones that name the key, what is expected and the nearest right word.
//!
//! serde speaks of Rust types ("expected u32") and lists all fields; people asked for a number
//! and a spelling. Messages that are not known here are passed on as they are.

use toml::Table;

use super::error::Mistake;
use super::source::bare_or_quoted;

/// Words less alike than this are not worth suggesting (Jaro-Winkler, 0 to 1).
const ALIKE: f64 = 0.75;

/// Explains serde's `message` about the key or value at `path`.
///
/// `defaults` is the default config as a table: a key that exists in another table is pointed to.
pub(super) fn explain(message: &str, path: Option<&str>, defaults: &Table) -> Mistake {
    let message = message.trim_end();
    let key = path.unwrap_or_default();
    if let Some(rest) = message.strip_prefix("unknown field ") {
        return unknown_key(rest, key, defaults);
    }
    if let Some(rest) = message.strip_prefix("unknown variant ") {
        return unknown_word(rest, key);
    }
    if let Some(name) = message.strip_prefix("missing field ") {
        let owner = if key.is_empty() { "the config".to_owned() } else { format!("`{key}`") };
        return Mistake::new(format!("{owner} lacks the key {name}"));
    }
    if let Some(rest) = message.strip_prefix("invalid type: ") {
        return bad_value(rest, key);
    }
    if let Some(rest) = message.strip_prefix("invalid value: ") {
        return bad_value(rest, key);
    }
    if key.is_empty() { Mistake::new(message) } else { Mistake::new(format!("`{key}`: {message}")) }
}

/// `rest` is `` `max-dept`, expected one of `a`, `b` `` or `` .., there are no fields ``.
fn unknown_key(rest: &str, path: &str, defaults: &Table) -> Mistake {
    let mut words = backticked(rest);
    let Some(name) = words.next() else { return Mistake::new(format!("unknown key {rest}")) };
    let known: Vec<&str> = words.collect();
    let shown = if path.is_empty() { bare_or_quoted(name) } else { path.to_owned() };
    let mistake = Mistake::new(format!("unknown key `{shown}`"));
    if let Some(table) = table_with(name, defaults) {
        return mistake.hint(format!("`{name}` belongs in the table `[{table}]`"));
    }
    let here = nearest(name, &known);
    let elsewhere = keys_of_tables(defaults)
        .filter_map(|(table, key)| Some((likeness(name, key)?, format!("{table}.{key}"))))
        .max_by(|a, b| a.0.total_cmp(&b.0));
    match (here, elsewhere) {
        // A key of another table must be clearly nearer to be what was meant.
        (Some((here, _)), Some((there, key))) if there > here + 0.05 => {
            mistake.hint(format!("did you mean `{key}`?"))
        }
        (Some((_, near)), _) => mistake.hint(format!("did you mean `{near}`?")),
        (None, Some((_, key))) => mistake.hint(format!("did you mean `{key}`?")),
        (None, None) if known.is_empty() => mistake,
        (None, None) => mistake.hint(format!("known keys here: {}", known.join(", "))),
    }
}

fn unknown_word(rest: &str, path: &str) -> Mistake {
    let mut words = backticked(rest);
    let Some(name) = words.next() else { return Mistake::new(format!("`{path}`: {rest}")) };
    let known: Vec<&str> = words.collect();
    let all: Vec<String> = known.iter().map(|word| format!("\"{word}\"")).collect();
    let mistake =
        Mistake::new(format!("`{path}` cannot be \"{name}\"; expected one of {}", all.join(", ")));
    match nearest(name, &known) {
        Some((_, near)) => mistake.hint(format!("did you mean \"{near}\"?")),
        None => mistake,
    }
}

/// `rest` is `string "x", expected u32`.
fn bad_value(rest: &str, path: &str) -> Mistake {
    let Some((got, expected)) = rest.rsplit_once(", expected ") else {
        return Mistake::new(format!("`{path}`: {rest}"));
    };
    let mistake =
        Mistake::new(format!("`{path}` cannot be {got}; expected {}", in_toml_words(expected)));
    if expected == "a sequence" && got.starts_with("string ") {
        return mistake.hint(format!("write it in brackets: {path} = [{}]", &got[7..]));
    }
    mistake
}

/// Says in TOML's words what serde expects in Rust's.
fn in_toml_words(expected: &str) -> String {
    let words = match expected {
        "u8" => "a whole number from 0 to 255",
        "u16" => "a whole number from 0 to 65535",
        "u32" | "u64" | "usize" => "a whole number, 0 or more",
        "i8" | "i16" | "i32" | "i64" | "isize" => "a whole number",
        "a nonzero u32" | "a nonzero u64" | "a nonzero usize" => "a whole number, 1 or more",
        "f32" | "f64" => "a number",
        "a duration" => "a time with its unit, such as \"500ms\", \"10s\" or \"1m 30s\"",
        "a boolean" => "true or false",
        "a string" | "a borrowed string" => "a text in quotes",
        "a sequence" => "an array",
        "a map" => "a table",
        other if other.starts_with("struct ") => "a table",
        other => other,
    };
    words.to_owned()
}

/// The words between backticks, in order.
fn backticked(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2)
}

/// The word most like `name`, if any is like it, and how like it is.
fn nearest<'a>(name: &str, known: &[&'a str]) -> Option<(f64, &'a str)> {
    known
        .iter()
        .filter_map(|word| Some((likeness(name, word)?, *word)))
        .max_by(|a, b| a.0.total_cmp(&b.0))
}

/// How like two words are, 0 to 1; `None` if it is not worth a word.
fn likeness(written: &str, word: &str) -> Option<f64> {
    let written = written.to_ascii_lowercase().replace('_', "-");
    Some(strsim::jaro_winkler(&written, word)).filter(|likeness| *likeness >= ALIKE)
}

/// The table of the config that has a key of exactly this name.
fn table_with<'a>(name: &str, defaults: &'a Table) -> Option<&'a str> {
    keys_of_tables(defaults).find_map(|(table, key)| (key == name).then_some(table))
}

/// Table and key, for all tables of the config.
fn keys_of_tables(defaults: &Table) -> impl Iterator<Item = (&str, &str)> {
    defaults
        .iter()
        .filter_map(|(table, value)| Some((table, value.as_table()?)))
        .flat_map(|(table, keys)| keys.keys().map(move |key| (table.as_str(), key.as_str())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(message: &str, path: &str, expected: &str, hint: &str) {
        let defaults: Table = "[scope]\nmax-depth = 0".parse().unwrap();
        let path = Some(path).filter(|path| !path.is_empty());
        let mistake = explain(message, path, &defaults);
        assert_eq!(mistake.message, expected);
        assert_eq!(mistake.hint.as_deref().unwrap_or_default(), hint);
    }

    #[test]
    fn a_misspelt_key_gets_the_nearest_one() {
        let known = "expected one of `max-depth`, `max-pages`, `include`";
        let message = format!("unknown field `max_dept`, {known}");
        check(
            &message,
            "scope.max_dept",
            "unknown key `scope.max_dept`",
            "did you mean `max-depth`?",
        );
    }

    #[test]
    fn a_key_in_the_wrong_table_is_sent_to_its_own() {
        check(
            "unknown field `max-depth`, expected `seeds` or `scope`",
            "max-depth",
            "unknown key `max-depth`",
            "`max-depth` belongs in the table `[scope]`",
        );
    }

    #[test]
    fn a_misspelt_key_of_another_table_is_sent_there() {
        let message = "unknown field `max-depht`, expected `max-ratio` or `resolve`";
        let hint = "did you mean `scope.max-depth`?";
        check(message, "fetch.max-depht", "unknown key `fetch.max-depht`", hint);
    }

    #[test]
    fn a_key_like_no_other_gets_the_list() {
        let message = "unknown field `zzz`, expected `seeds` or `scope`";
        check(message, "zzz", "unknown key `zzz`", "known keys here: seeds, scope");
    }

    #[test]
    fn a_bad_value_names_key_and_expectation() {
        check(
            "invalid type: string \"ten\", expected u32",
            "scope.max-depth",
            "`scope.max-depth` cannot be string \"ten\"; expected a whole number, 0 or more",
            "",
        );
        check(
            "invalid value: string \"1 parsec\", expected a duration",
            "politeness.delay",
            "`politeness.delay` cannot be string \"1 parsec\"; expected a time with its unit, \
             such as \"500ms\", \"10s\" or \"1m 30s\"",
            "",
        );
        check(
            "invalid type: string \"http://h/\", expected a sequence",
            "seeds",
            "`seeds` cannot be string \"http://h/\"; expected an array",
            "write it in brackets: seeds = [\"http://h/\"]",
        );
    }

    #[test]
    fn a_misspelt_word_gets_the_nearest_one() {
        check(
            "unknown variant `htm`, expected one of `none`, `html`, `all`",
            "store.bodies",
            "`store.bodies` cannot be \"htm\"; expected one of \"none\", \"html\", \"all\"",
            "did you mean \"html\"?",
        );
    }
}
