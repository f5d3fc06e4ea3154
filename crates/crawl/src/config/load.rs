//! From text and `-s` arguments to a value, with every mistake traced to its place.

use std::ops::Range;

use serde::de::DeserializeOwned;
use toml::Table;

use super::error::Mistake;
use super::explain::explain;
use super::overrides::{Override, merge};
use super::source::{Document, Place, hide_credentials};

/// The texts that a config came from.
#[derive(Debug)]
pub(super) struct Sources<'a> {
    document: Document<'a>,
    overrides: Vec<Override>,
}

/// Reads `document` strictly, then lays the `-s` arguments over it.
///
/// Each text is read alone first, so that a mistake is shown where it was written.
pub(super) fn load<'a, T: DeserializeOwned>(
    document: Document<'a>,
    arguments: &[String],
    defaults: &Table,
) -> Result<(T, Sources<'a>), Mistake> {
    let from_file: T = read(document, defaults)?;
    if arguments.is_empty() {
        return Ok((from_file, Sources { document, overrides: Vec::new() }));
    }
    let mut table: Table = read(document, defaults)?;
    let mut overrides = Vec::with_capacity(arguments.len());
    for argument in arguments {
        let over = Override::parse(argument)?;
        check_alone::<T>(&over, defaults)?;
        merge(&mut table, &over.table);
        overrides.push(over);
    }
    let value =
        T::deserialize(table).map_err(|error| merged_mistake(&error, arguments, defaults))?;
    Ok((value, Sources { document, overrides }))
}

impl Sources<'_> {
    /// Puts a mistake about the value at `path` to its place: the last argument that set it,
    /// else the document; of what is written in neither, to the nearest table around it.
    pub(super) fn trace(&self, path: &str, mut mistake: Mistake) -> Mistake {
        let mut path = path;
        while mistake.place.is_none() && !path.is_empty() {
            mistake.place = self.place_of(path).map(Box::new);
            path = path.rfind(['.', '[']).map_or("", |end| &path[..end]);
        }
        mistake
    }

    fn place_of(&self, path: &str) -> Option<Place> {
        let argument = self.overrides.iter().rev().find_map(|over| {
            let name = format!("-s {}", over.argument);
            let document = Document { name: &name, text: &over.line };
            document.locate(path).map(|span| unnumbered(document, &span))
        });
        let in_file = || self.document.locate(path).map(|span| self.document.place(&span));
        argument.or_else(in_file)
    }
}

fn read<T: DeserializeOwned>(document: Document<'_>, defaults: &Table) -> Result<T, Mistake> {
    toml::from_str(document.text).map_err(|error| {
        let path = error.span().and_then(|span| document.path_at(&span));
        let mut mistake = explain(error.message(), path.as_deref(), defaults);
        mistake.place = error.span().map(|span| Box::new(document.place(&span)));
        mistake
    })
}

/// A key that is missing from the argument may be in the file; everything else that is wrong
/// with the argument is wrong by itself.
fn check_alone<T: DeserializeOwned>(over: &Override, defaults: &Table) -> Result<(), Mistake> {
    let Err(error) = toml::from_str::<T>(&over.line) else { return Ok(()) };
    if error.message().starts_with("missing field") {
        return Ok(());
    }
    let name = format!("-s {}", over.argument);
    let document = Document { name: &name, text: &over.line };
    let path = error.span().and_then(|span| document.path_at(&span));
    let mut mistake = explain(error.message(), path.as_deref(), defaults);
    mistake.place = error.span().map(|span| Box::new(unnumbered(document, &span)));
    Err(mistake)
}

/// What is wrong only together, such as a table that an argument began and nothing completed.
fn merged_mistake(error: &toml::de::Error, arguments: &[String], defaults: &Table) -> Mistake {
    let shown = error.to_string();
    let path = shown.rsplit_once("in `").and_then(|(_, rest)| rest.trim_end().strip_suffix('`'));
    let mut mistake = explain(error.message(), path, defaults);
    let arguments: Vec<String> = arguments.iter().map(|a| format!("-s {a}")).collect();
    mistake.message = format!("{} (after {})", mistake.message, arguments.join(" "));
    mistake
}

/// An argument is one line: its number says nothing.
fn unnumbered(document: Document<'_>, span: &Range<usize>) -> Place {
    let mut place = document.place(span);
    place.name = hide_credentials(&place.name);
    place.line = 0;
    place
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::{Deserialize, Serialize};

    #[derive(Debug, Default, Serialize, Deserialize)]
    #[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
    struct Small {
        seeds: Vec<String>,
        scope: Scope,
        feed: Vec<Feed>,
    }

    #[derive(Debug, Default, Serialize, Deserialize)]
    #[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
    struct Scope {
        max_depth: u32,
        #[serde(with = "humantime_serde")]
        delay: std::time::Duration,
    }

    #[derive(Debug, Serialize, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Feed {
        path: String,
    }

    fn try_load(text: &str, arguments: &[&str]) -> Result<Small, Mistake> {
        let arguments: Vec<String> = arguments.iter().map(ToString::to_string).collect();
        let defaults = Table::try_from(Small::default()).unwrap();
        let document = Document { name: "c.toml", text };
        load(document, &arguments, &defaults).map(|(small, _)| small)
    }

    #[track_caller]
    fn check(text: &str, arguments: &[&str], expected: &str) {
        let mistake = try_load(text, arguments).unwrap_err();
        let hint = mistake.hint.as_ref().map_or(String::new(), |hint| format!("\nhint: {hint}"));
        assert_eq!(format!("{mistake}{hint}"), expected);
    }

    #[test]
    fn an_unknown_key_shows_its_line_and_the_nearest_key() {
        check(
            "seeds = []\n\n[scope]\nmax-dept = 3\n",
            &[],
            "unknown key `scope.max-dept`\n \
             --> c.toml:4:1\n  |\n4 | max-dept = 3\n  | ^^^^^^^^\n\
             hint: did you mean `max-depth`?",
        );
    }

    #[test]
    fn a_bad_value_shows_its_line_and_what_is_expected() {
        check(
            "[scope]\nmax-depth = \"three\"\n",
            &[],
            "`scope.max-depth` cannot be string \"three\"; expected a whole number, 0 or more\n \
             --> c.toml:2:13\n  |\n2 | max-depth = \"three\"\n  |             ^^^^^^^",
        );
        check(
            "[scope]\ndelay = \"1 parsec\"\n",
            &[],
            "`scope.delay` cannot be string \"1 parsec\"; expected a time with its unit, such as \
             \"500ms\", \"10s\" or \"1m 30s\"\n \
             --> c.toml:2:9\n  |\n2 | delay = \"1 parsec\"\n  |         ^^^^^^^^^^",
        );
    }

    #[test]
    fn text_that_is_no_toml_shows_where_it_ends_to_be() {
        let mistake = try_load("seeds = [\n\"a\"\n[scope]\n", &[]).unwrap_err();
        assert!(mistake.place.is_some_and(|place| place.line >= 2), "{}", mistake.message);
    }

    #[test]
    fn a_missing_key_names_its_table() {
        check(
            "[[feed]]\n",
            &[],
            "`feed[0]` lacks the key `path`\n --> c.toml:1:1\n  |\n1 | [[feed]]\n  | ^^^^^^^^",
        );
    }

    #[test]
    fn a_mistake_in_an_argument_shows_the_argument() {
        check(
            "",
            &["scope.max-depth=2", "scope.max-dept=3"],
            "unknown key `scope.max-dept`\n \
             --> -s scope.max-dept=3\n |\n | scope.max-dept = 3\n |       ^^^^^^^^\n\
             hint: did you mean `max-depth`?",
        );
        check(
            "",
            &["scope.max-depth=many"],
            "`scope.max-depth` cannot be string \"many\"; expected a whole number, 0 or more\n \
             --> -s scope.max-depth=many\n |\n | scope.max-depth = \"many\"\n |                   ^^^^^^",
        );
    }

    #[test]
    fn arguments_win_over_the_file() {
        let small = try_load("[scope]\nmax-depth = 1\ndelay = '1s'", &["scope.max-depth=7"]);
        let scope = small.unwrap().scope;
        assert_eq!((scope.max_depth, scope.delay.as_secs()), (7, 1));
    }
}
