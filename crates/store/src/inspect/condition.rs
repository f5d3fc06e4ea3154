//! Conditions on rows: `status=404 and host~shop and not (bytes<1000 or title)`.
//!
//! ```text
//! any  = all ("or" all)*
//! all  = one ("and" one)*
//! one  = "not" one | "(" any ")" | field [op value]
//! op   = "=" | "!=" | "<" | "<=" | ">" | ">=" | "~" (contains) | "!~"
//! ```
//!
//! Fields and values are words or `"quoted"`, `'quoted'`. Two numbers are compared as numbers, all
//! else as texts; `status=4xx` means the class. A dot goes into an object or a list. A field by
//! itself holds if it is there and neither null, false, nor empty. `a!=b` is `not a=b`: it holds
//! where there is no `a`.
//!
//! A condition can be asked of rows of which only some fields are known yet: then it may be
//! undecided (Kleene's logic of three values).

mod parse;
#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// What must hold of a row: see `crawl inspect --help`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Condition {
    text: String,
    root: Node,
}

#[derive(Debug, Clone)]
enum Node {
    All(Vec<Self>),
    Any(Vec<Self>),
    Not(Box<Self>),
    Has(String),
    Is { field: String, test: Test, wanted: Wanted },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Test {
    Equals,
    Contains,
    Less,
    AtMost,
    Greater,
    AtLeast,
}

#[derive(Debug, Clone)]
struct Wanted {
    text: String,
    /// What it is as a number.
    number: Option<f64>,
    /// The hundreds, of `4xx`.
    class: Option<f64>,
}

/// What a row says of a field.
pub(super) enum Field<'a> {
    /// Nothing yet.
    Unknown,
    Absent,
    Number(f64),
    Text(Cow<'a, str>),
    Value(&'a Value),
}

/// Something with fields.
pub(super) trait Row {
    fn field(&self, name: &str) -> Field<'_>;
}

impl Row for Value {
    /// `host` is that of the `url` where there is no such field.
    fn field(&self, name: &str) -> Field<'_> {
        match (inner(self, name), name) {
            (Some(value), _) => Field::Value(value),
            (None, "host") => match self.get("url").and_then(Value::as_str).and_then(host_of) {
                Some(host) => Field::Text(host.into()),
                None => Field::Absent,
            },
            (None, _) => Field::Absent,
        }
    }
}

/// The value under `name` in a row or an item: dots lead into objects and lists, unless a field is
/// called so as a whole. `None` if there is none.
#[must_use]
pub fn inner<'a>(row: &'a Value, name: &str) -> Option<&'a Value> {
    row.get(name).or_else(|| {
        name.split('.').try_fold(row, |value, part| match value {
            Value::Array(list) => part.parse().ok().and_then(|at: usize| list.get(at)),
            other => other.get(part),
        })
    })
}

/// The host of a URL that is known to be one, without its port.
pub(crate) fn host_of(url: &str) -> Option<&str> {
    let rest = &url[url.find("://")? + 3..];
    let authority = &rest[..rest.find(['/', '?', '#']).unwrap_or(rest.len())];
    let host = &authority[authority.rfind('@').map_or(0, |at| at + 1)..];
    let past = if host.starts_with('[') { host.find(']')? } else { 0 };
    Some(&host[..host[past..].find(':').map_or(host.len(), |at| past + at)])
}

/// A field of a row as conditions see it: of an item its own ones first, then its page's; dots lead
/// inwards; `host` is that of the URL where there is no such field. `None` if there is none.
#[must_use]
pub fn field_of(row: &Value, name: &str) -> Option<Value> {
    let own = row.get("item").filter(|item| item.is_object()).and_then(|item| inner(item, name));
    match own.map_or_else(|| row.field(name), Field::Value) {
        Field::Value(value) => Some(value.clone()),
        Field::Text(text) => Some(text.into_owned().into()),
        Field::Number(number) => Some(number.into()),
        Field::Unknown | Field::Absent => None,
    }
}

impl Condition {
    /// The names of the fields that it asks of, some perhaps more than once.
    #[must_use]
    pub fn fields(&self) -> Vec<&str> {
        let mut names = Vec::new();
        self.root.each_field(&mut |name| names.push(name));
        names
    }

    /// The numbers, both ends included, beyond which it never holds of `field`.
    pub(super) fn range(&self, field: &str) -> (f64, f64) {
        self.root.range(field)
    }

    /// Whether it holds; `None` if that hangs on a field that is not known yet.
    pub(super) fn judge(&self, row: &impl Row) -> Option<bool> {
        self.root.judge(row)
    }

    /// Whether it holds of a row of which all is known.
    #[must_use]
    pub fn matches(&self, row: &Value) -> bool {
        self.judge(row) == Some(true)
    }
}

impl Node {
    fn each_field<'a>(&'a self, each: &mut dyn FnMut(&'a str)) {
        match self {
            Self::All(parts) | Self::Any(parts) => {
                parts.iter().for_each(|part| part.each_field(each));
            }
            Self::Not(part) => part.each_field(each),
            Self::Has(field) | Self::Is { field, .. } => each(field),
        }
    }

    fn range(&self, name: &str) -> (f64, f64) {
        const ALL: (f64, f64) = (f64::NEG_INFINITY, f64::INFINITY);
        let ranges = |parts: &[Self]| parts.iter().map(|part| part.range(name)).collect::<Vec<_>>();
        match self {
            Self::All(parts) => {
                ranges(parts).into_iter().fold(ALL, |a, b| (a.0.max(b.0), a.1.min(b.1)))
            }
            Self::Any(parts) => {
                let ranges = ranges(parts).into_iter();
                ranges.reduce(|a, b| (a.0.min(b.0), a.1.max(b.1))).unwrap_or(ALL)
            }
            Self::Is { field, test, wanted: Wanted { number: Some(number), .. } }
                if field == name =>
            {
                match test {
                    Test::Equals => (*number, *number),
                    Test::Less | Test::AtMost => (ALL.0, *number),
                    Test::Greater | Test::AtLeast => (*number, ALL.1),
                    Test::Contains => ALL,
                }
            }
            Self::Is { .. } | Self::Has(_) | Self::Not(_) => ALL,
        }
    }

    fn judge(&self, row: &impl Row) -> Option<bool> {
        match self {
            Self::All(parts) => decide(parts, row, false),
            Self::Any(parts) => decide(parts, row, true),
            Self::Not(part) => part.judge(row).map(|holds| !holds),
            Self::Has(name) => match row.field(name) {
                Field::Unknown => None,
                Field::Absent => Some(false),
                Field::Number(_) => Some(true),
                Field::Text(text) => Some(!text.is_empty()),
                Field::Value(value) => Some(is_something(value)),
            },
            Self::Is { field, test, wanted } => match row.field(field) {
                Field::Unknown => None,
                Field::Absent => Some(false),
                Field::Number(number) => Some(wanted.suits_number(*test, number)),
                Field::Text(text) => Some(wanted.suits_text(*test, &text)),
                Field::Value(Value::String(text)) => Some(wanted.suits_text(*test, text)),
                Field::Value(value) => Some(match value.as_f64() {
                    Some(number) if *test != Test::Contains => wanted.suits_number(*test, number),
                    _ => wanted.suits_text(*test, &value.to_string()),
                }),
            },
        }
    }
}

/// `early` if one part says so, undecided if one is undecided, the other thing if all agree on it.
fn decide(parts: &[Node], row: &impl Row, early: bool) -> Option<bool> {
    let mut verdict = Some(!early);
    for part in parts {
        match part.judge(row) {
            Some(holds) if holds == early => return Some(early),
            Some(_) => {}
            None => verdict = None,
        }
    }
    verdict
}

fn is_something(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Bool(yes) => *yes,
        Value::Number(_) => true,
        Value::String(text) => !text.is_empty(),
        Value::Array(list) => !list.is_empty(),
        Value::Object(fields) => !fields.is_empty(),
    }
}

impl Wanted {
    fn new(text: String) -> Self {
        let class = text.strip_suffix("xx").and_then(|digit| digit.parse::<u8>().ok());
        let number = text.parse().ok();
        Self { number, class: class.map(f64::from), text }
    }

    fn suits_number(&self, test: Test, number: f64) -> bool {
        match (self.number, self.class, test) {
            (Some(wanted), ..) => test.holds(number.partial_cmp(&wanted)),
            (None, Some(class), Test::Equals) => (number / 100.0).floor() == class,
            (None, ..) => test.holds(number.to_string().as_str().partial_cmp(self.text.as_str())),
        }
    }

    fn suits_text(&self, test: Test, text: &str) -> bool {
        match test {
            Test::Equals => text == self.text,
            Test::Contains => text.contains(&self.text),
            _ => match (text.trim().parse::<f64>().ok(), self.number) {
                (Some(number), Some(wanted)) => test.holds(number.partial_cmp(&wanted)),
                _ => test.holds(text.partial_cmp(self.text.as_str())),
            },
        }
    }
}

impl Test {
    fn holds(self, order: Option<std::cmp::Ordering>) -> bool {
        order.is_some_and(|order| match self {
            Self::Equals => order.is_eq(),
            Self::Less => order.is_lt(),
            Self::AtMost => order.is_le(),
            Self::Greater => order.is_gt(),
            Self::AtLeast => order.is_ge(),
            Self::Contains => false,
        })
    }
}

impl PartialEq for Condition {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for Condition {}

impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl From<Condition> for String {
    fn from(condition: Condition) -> Self {
        condition.text
    }
}

impl TryFrom<String> for Condition {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}
