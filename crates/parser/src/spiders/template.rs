//! Texts with places for arguments and ranges of numbers.

use crawl_spider::{Args, SpiderError, Value};

/// Most texts that one template may give.
pub(crate) const MAX_TEXTS: usize = 100_000;

/// A text with places in braces, compiled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Template(Vec<Part>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Text(String),
    /// An argument.
    Name(String),
    /// First and last number, and how many digits they have at least.
    Range(u64, u64, usize),
}

impl Template {
    /// Reads a text. A name is made of letters, digits, `-` and `_`.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(crate) fn read(text: &str) -> Result<Self, String> {
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some(open) = rest.find('{') {
            let (before, after) = rest.split_at(open);
            let Some(close) = after.find('}') else {
                return Err("has a `{` without a `}`; write `%7B` for a brace in a URL".to_owned());
            };
            if !before.is_empty() {
                parts.push(Part::Text(before.to_owned()));
            }
            parts.push(place(&after[1..close])?);
            rest = &after[close + 1..];
        }
        if !rest.is_empty() {
            parts.push(Part::Text(rest.to_owned()));
        }
        let template = Self(parts);
        let n: u128 = template.0.iter().map(Part::n_numbers).product();
        if n > MAX_TEXTS as u128 {
            return Err(format!("gives {n} requests; {MAX_TEXTS} is the most"));
        }
        Ok(template)
    }

    /// All texts that it gives, the last place changing first. `encode` is applied to arguments.
    ///
    /// # Errors
    /// [`SpiderError::Other`] if an argument is missing or no text, or if there are too many.
    pub(crate) fn expand(
        &self,
        args: &Args,
        encode: impl Fn(&str) -> String,
    ) -> Result<Vec<String>, SpiderError> {
        let mut texts = vec![String::new()];
        for part in &self.0 {
            let choices = match part {
                Part::Text(text) => vec![text.clone()],
                Part::Range(first, last, width) => {
                    (*first..=*last).map(|n| format!("{n:0width$}")).collect()
                }
                Part::Name(name) => {
                    let texts = texts_of(name, args)?;
                    texts.iter().map(|text| encode(text)).collect()
                }
            };
            if texts.len().saturating_mul(choices.len()) > MAX_TEXTS {
                let text =
                    format!("the arguments give more than {MAX_TEXTS} requests to begin with");
                return Err(SpiderError::Other(text));
            }
            texts = match &choices[..] {
                [one] => {
                    texts.iter_mut().for_each(|text| text.push_str(one));
                    texts
                }
                many => {
                    let all = texts
                        .iter()
                        .flat_map(|text| many.iter().map(move |c| format!("{text}{c}")));
                    all.collect()
                }
            };
        }
        Ok(texts)
    }

    /// Its one text.
    ///
    /// # Errors
    /// As for [`expand`](Self::expand), and if an argument is a list.
    pub(crate) fn fill(&self, args: &Args) -> Result<String, SpiderError> {
        let mut texts = self.expand(args, str::to_owned)?;
        match (texts.pop(), texts.is_empty()) {
            (Some(text), true) => Ok(text),
            _ => Err("a list stands in for several requests only in the URL".into()),
        }
    }

    /// Whether it has ranges.
    pub(crate) fn has_ranges(&self) -> bool {
        self.0.iter().any(|part| matches!(part, Part::Range(..)))
    }
}

impl Part {
    fn n_numbers(&self) -> u128 {
        match self {
            Self::Range(first, last, _) => u128::from(last - first) + 1,
            Self::Text(_) | Self::Name(_) => 1,
        }
    }
}

/// What stands between braces.
fn place(text: &str) -> Result<Part, String> {
    if let Some((first, last)) = text.split_once("..") {
        let number = |text: &str| text.trim().parse::<u64>().ok();
        return match (number(first), number(last)) {
            (Some(a), Some(b)) if a <= b => {
                let first = first.trim();
                let width = if first.starts_with('0') { first.len() } else { 0 };
                Ok(Part::Range(a, b, width))
            }
            _ => Err(format!("`{{{text}}}` is no range; write it as `{{1..20}}`")),
        };
    }
    let is_name = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_');
    if text.is_empty() || !text.bytes().all(is_name) {
        return Err(format!("`{{{text}}}` is neither the name of an argument nor a range"));
    }
    Ok(Part::Name(text.to_owned()))
}

/// The texts of an argument: one, or those of a list.
fn texts_of(name: &str, args: &Args) -> Result<Vec<String>, SpiderError> {
    let text = |value: &Value| match value {
        Value::String(text) => Ok(text.clone()),
        Value::Number(_) | Value::Bool(_) => Ok(value.to_string()),
        _ => Err(SpiderError::Other(format!("the argument `{name}` is no text and no number"))),
    };
    match args.get(name) {
        None => Err(SpiderError::Other(format!(
            "the argument `{name}` is missing; set it in the table `[spider.args]`, or with \
             `-a {name}=..`"
        ))),
        Some(Value::Array(list)) if !list.is_empty() => list.iter().map(text).collect(),
        Some(value) => Ok(vec![text(value)?]),
    }
}

#[cfg(test)]
mod tests {
    use crawl_spider::json;

    use super::*;

    fn args() -> Args {
        serde_json::from_value(json!({"tag": "a b", "n": 3, "list": ["x", "y"], "bad": {}}))
            .unwrap()
    }

    #[track_caller]
    fn check(text: &str, expected: &[&str]) {
        let encode = |text: &str| text.replace(' ', "%20");
        let texts = Template::read(text).unwrap().expand(&args(), encode).unwrap();
        assert_eq!(texts, expected);
    }

    #[test]
    fn places_are_filled() {
        check("http://h/{tag}/{n}", &["http://h/a%20b/3"]);
        check("{list}{1..2}", &["x1", "x2", "y1", "y2"]);
        check("{08..10}", &["08", "09", "10"]);
        check("", &[""]);
    }

    #[test]
    fn what_cannot_be_filled_is_said() {
        for (text, expected) in [
            ("{", "without a `}`"),
            ("{}", "neither"),
            ("{a b}", "neither"),
            ("{3..1}", "no range"),
            ("{1..x}", "no range"),
            ("{1..1000}{1..1000}", "gives 1000000 requests"),
            ("{0..18446744073709551615}", "18446744073709551616 requests"),
        ] {
            let error = Template::read(text).unwrap_err();
            assert!(error.contains(expected), "{error}");
        }
        let missing = Template::read("{nope}").unwrap().expand(&args(), str::to_owned).unwrap_err();
        assert!(missing.to_string().contains("-a nope=.."), "{missing}");
        assert!(Template::read("{bad}").unwrap().fill(&args()).is_err());
        assert!(Template::read("{list}").unwrap().fill(&args()).is_err());
        assert_eq!(Template::read("{n}x").unwrap().fill(&args()).unwrap(), "3x");
    }
}
