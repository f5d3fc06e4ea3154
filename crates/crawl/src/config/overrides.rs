//! Reads `-s key.path=value` and lays it over the config's table.

use toml::{Table, Value};

use super::error::Mistake;

/// One `-s` argument.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Override {
    /// The argument as given.
    pub(super) argument: String,
    /// The same as a line of TOML: bare words have become strings.
    pub(super) line: String,
    /// The same as a table.
    pub(super) table: Table,
}

impl Override {
    /// Reads an argument. What is behind the first `=` is a TOML value, or else a string as it
    /// stands: `-s store.path=data`, `-s scope.max-depth=3`, `-s 'seeds=["https://a.example/"]'`.
    pub(super) fn parse(argument: &str) -> Result<Self, Mistake> {
        let usage = "write it as `-s key.path=value`, such as `-s scope.max-depth=3`";
        let Some((key, value)) = split_at_equals(argument) else {
            return Err(Mistake::new(format!("`-s {argument}` has no `=`")).hint(usage));
        };
        let line = format!("{} = {value}", key.trim());
        let read = |line: &str| line.parse::<Table>().ok().filter(|t| !holds_datetime(t));
        if is_toml_value(value)
            && let Some(table) = read(&line)
        {
            return Ok(Self { argument: argument.to_owned(), line, table });
        }
        let line = format!("{} = {}", key.trim(), Value::String(value.to_owned()));
        match read(&line) {
            Some(table) => Ok(Self { argument: argument.to_owned(), line, table }),
            None => Err(Mistake::new(format!("`-s {argument}`: `{key}` is no key")).hint(usage)),
        }
    }
}

/// Lays `over` on `base`: tables are merged key by key, everything else is replaced.
pub(super) fn merge(base: &mut Table, over: &Table) {
    for (key, value) in over {
        match (base.get_mut(key), value) {
            (Some(Value::Table(below)), Value::Table(above)) => merge(below, above),
            _ => {
                base.insert(key.clone(), value.clone());
            }
        }
    }
}

/// Splits at the first `=` that is not within a quoted key.
fn split_at_equals(argument: &str) -> Option<(&str, &str)> {
    let mut quote = None;
    for (i, c) in argument.char_indices() {
        match (quote, c) {
            (None, '=') => return Some((&argument[..i], argument[i + 1..].trim_start())),
            (None, '"' | '\'') => quote = Some(c),
            (Some(open), _) if open == c => quote = None,
            _ => {}
        }
    }
    None
}

/// A `#` in a bare word would begin a comment in TOML and vanish; a line break would begin
/// another key.
fn is_toml_value(value: &str) -> bool {
    let structured = value.starts_with(['"', '\'', '[', '{']);
    !value.contains(['\n', '\r']) && (structured || !value.contains('#'))
}

/// No key of the config is a date, so what looks like one is a word.
fn holds_datetime(table: &Table) -> bool {
    table.values().any(|value| match value {
        Value::Datetime(_) => true,
        Value::Table(inner) => holds_datetime(inner),
        _ => false,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(argument: &str, expected: &str) {
        let parsed = Override::parse(argument).unwrap();
        assert_eq!(parsed.table, expected.parse::<Table>().unwrap());
    }

    #[test]
    fn a_value_is_toml_or_else_a_string() {
        check("scope.max-depth=3", "scope.max-depth = 3");
        check("politeness.delay=2s", "politeness.delay = '2s'");
        check("store.path=/data/a=b #1", "store.path = '/data/a=b #1'");
        check("store.path=2024-01-01", "store.path = '2024-01-01'");
        check("politeness.robots=false", "politeness.robots = false");
        check("seeds=[\"http://h/#a\"]", "seeds = ['http://h/#a']");
        check("store.path=", "store.path = ''");
        check(
            "fetch.resolve.\"a=b.test\"=127.0.0.1:80",
            "fetch.resolve.'a=b.test' = '127.0.0.1:80'",
        );
    }

    #[test]
    fn an_argument_without_key_or_sign_is_refused() {
        for argument in ["scope", "=3", "a b=3", "", "a..b=1"] {
            assert!(Override::parse(argument).unwrap_err().hint.is_some(), "{argument}");
        }
    }

    #[test]
    fn tables_merge_and_values_replace() {
        let mut base: Table =
            "seeds = ['a', 'b']\n[scope]\nmax-depth = 1\nmax-pages = 2".parse().unwrap();
        merge(&mut base, &Override::parse("scope.max-depth=9").unwrap().table);
        merge(&mut base, &Override::parse("seeds=['c']").unwrap().table);
        let expected = "seeds = ['c']\n[scope]\nmax-depth = 9\nmax-pages = 2";
        assert_eq!(base, expected.parse::<Table>().unwrap());
    }
}
