//! Conditions on the fields of an item.

use std::cmp::Ordering;
use std::fmt;

use indexmap::IndexMap;
use regex::Regex;
use serde_json::Value;

use crate::PipelineError;
use crate::config::{ConditionConfig, ConditionSpec};
use crate::path::FieldPath;
use crate::value::{compare, from_config, is_equal, is_filled};

/// Conditions that hold together, or do not.
#[derive(Debug, Default)]
pub(crate) struct Conditions(Vec<Condition>);

#[derive(Debug)]
struct Condition {
    field: FieldPath,
    tests: Vec<Test>,
}

#[derive(Debug)]
enum Test {
    Equals(Value),
    Not(Value),
    OneOf(Vec<Value>),
    Matches(Regex),
    Less(Value),
    Greater(Value),
    Missing(bool),
}

impl Conditions {
    /// Compiles what is written at `key`.
    pub(crate) fn new(
        config: &IndexMap<String, ConditionConfig>,
        key: &str,
    ) -> Result<Self, PipelineError> {
        let condition = |(field, config): (&String, &ConditionConfig)| {
            let key = format!("{key}.{field}");
            let tests = match config {
                ConditionConfig::Equals(value) => vec![Test::Equals(from_config(value))],
                ConditionConfig::Long(spec) => tests(spec, &key)?,
            };
            Ok(Condition { field: FieldPath::new(field, &key)?, tests })
        };
        config.iter().map(condition).collect::<Result<_, _>>().map(Self)
    }

    /// Whether all of them hold.
    pub(crate) fn hold(&self, item: &Value) -> bool {
        self.broken(item).is_none()
    }

    /// The first that does not hold, in words.
    pub(crate) fn broken(&self, item: &Value) -> Option<String> {
        self.0.iter().find_map(|condition| {
            let value = condition.field.get(item).unwrap_or(&Value::Null);
            let test = condition.tests.iter().find(|test| !test.holds(value))?;
            Some(format!("{} {test}", condition.field.as_str()))
        })
    }
}

impl fmt::Display for Conditions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut first = true;
        for condition in &self.0 {
            for test in &condition.tests {
                let and = if first { "" } else { " and " };
                write!(f, "{and}{} {test}", condition.field.as_str())?;
                first = false;
            }
        }
        Ok(())
    }
}

fn tests(spec: &ConditionSpec, key: &str) -> Result<Vec<Test>, PipelineError> {
    let ConditionSpec { equals, not, one_of, matches, less, greater, missing } = spec;
    let mut tests = Vec::new();
    tests.extend(equals.as_ref().map(|value| Test::Equals(from_config(value))));
    tests.extend(not.as_ref().map(|value| Test::Not(from_config(value))));
    tests.extend(one_of.as_ref().map(|list| Test::OneOf(list.iter().map(from_config).collect())));
    if let Some(pattern) = matches {
        let regex = Regex::new(pattern).map_err(|error| {
            PipelineError::new(format!("{key}.matches"), format!("`{pattern}`: {error}"))
        })?;
        tests.push(Test::Matches(regex));
    }
    for (name, bound) in [("less", less), ("greater", greater)] {
        let Some(bound) = bound.as_ref().map(from_config) else { continue };
        if !bound.is_number() && !bound.is_string() {
            let problem = format!("{bound} is neither a number nor a text");
            return Err(PipelineError::new(format!("{key}.{name}"), problem));
        }
        tests.push(if name == "less" { Test::Less(bound) } else { Test::Greater(bound) });
    }
    tests.extend(missing.map(Test::Missing));
    if tests.is_empty() {
        let problem = "is empty: write a value or a table like { less = 10 }";
        return Err(PipelineError::new(key, problem));
    }
    Ok(tests)
}

impl Test {
    fn holds(&self, value: &Value) -> bool {
        match self {
            Self::Equals(wanted) => is_equal(value, wanted),
            Self::Not(wanted) => !is_equal(value, wanted),
            Self::OneOf(list) => list.iter().any(|wanted| is_equal(value, wanted)),
            Self::Matches(regex) => value.as_str().is_some_and(|text| regex.is_match(text)),
            Self::Less(bound) => compare(value, bound) == Some(Ordering::Less),
            Self::Greater(bound) => compare(value, bound) == Some(Ordering::Greater),
            Self::Missing(wanted) => is_filled(value) != *wanted,
        }
    }
}

impl fmt::Display for Test {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Equals(value) => write!(f, "= {value}"),
            Self::Not(value) => write!(f, "!= {value}"),
            Self::OneOf(list) => write!(f, "in {}", Value::from(list.as_slice())),
            Self::Matches(regex) => write!(f, "~ {}", regex.as_str()),
            Self::Less(bound) => write!(f, "< {bound}"),
            Self::Greater(bound) => write!(f, "> {bound}"),
            Self::Missing(true) => f.write_str("is missing"),
            Self::Missing(false) => f.write_str("is there"),
        }
    }
}

#[cfg(test)]
mod tests_of_conditions {
    use serde_json::json;

    use super::*;

    fn conditions(text: &str) -> Result<Conditions, PipelineError> {
        Conditions::new(&toml::from_str(text).unwrap(), "k")
    }

    #[track_caller]
    fn check(text: &str, item: &Value, expected: bool) {
        assert_eq!(conditions(text).unwrap().hold(item), expected, "{text}");
    }

    #[test]
    fn each_test_holds_where_it_should() {
        let item = json!({"n": 5, "t": "long text", "e": "", "o": {"d": "2024-05-01"}, "b": true});
        for (text, expected) in [
            ("n = 5", true),
            ("n = 5.0", true),
            ("n = '5'", false),
            ("b = true", true),
            ("none = 1", false),
            ("n = { not = 4 }", true),
            ("none = { not = 4 }", true),
            ("n = { one-of = [1, 5] }", true),
            ("t = { matches = '^long\\b' }", true),
            ("n = { matches = '5' }", false),
            ("n = { less = 6, greater = 4 }", true),
            ("n = { less = 5 }", false),
            ("t = { less = 6 }", false),
            ("none = { less = 6 }", false),
            ("'o.d' = { greater = 2024-01-01 }", true),
            ("e = { missing = true }", true),
            ("t = { missing = true }", false),
            ("t = { missing = false }\nn = 4", false),
        ] {
            check(text, &item, expected);
        }
    }

    #[test]
    fn a_condition_that_makes_no_sense_names_its_key() {
        for (text, key) in [
            ("a = { matches = '(' }", "k.a.matches"),
            ("a = { less = true }", "k.a.less"),
            ("a = {}", "k.a"),
        ] {
            assert_eq!(conditions(text).unwrap_err().key, key);
        }
    }

    #[test]
    fn conditions_say_in_words_what_they_ask() {
        let all = conditions("n = { less = 3 }\nt = 'x'").unwrap();
        assert_eq!(all.to_string(), r#"n < 3 and t = "x""#);
        assert_eq!(all.broken(&json!({"n": 1, "t": "y"})).unwrap(), r#"t = "x""#);
    }
}
