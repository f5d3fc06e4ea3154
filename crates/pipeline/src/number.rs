//! Arithmetic over fields: `{price} * {amount} + 1`, `round({total} / 1.19, 2)`.
//!
//! Numbers, fields in braces, `+ - * / %`, parentheses, and a handful of functions. Where a field
//! is no number, or the result is none (a division by zero), the result is null. Texts do not
//! count as numbers: what looks like one should be made one by the spider.

use crawl_spider::PageInfo;
use serde_json::{Number, Value};

use crate::PipelineError;
use crate::template::Place;

/// How deep parentheses and signs may nest.
const MAX_DEPTH: usize = 64;
/// Above this not every whole number is a float.
const MAX_EXACT: f64 = 9_007_199_254_740_992.0;

/// An expression, parsed once.
#[derive(Debug)]
pub(crate) struct Expression(Node);

#[derive(Debug)]
enum Node {
    Number(f64),
    Place(Place),
    Negative(Box<Node>),
    /// Operands of one rank, from left to right.
    Chain(Box<Node>, Vec<(char, Node)>),
    Call(Function, Vec<Node>),
}

#[derive(Debug, Clone, Copy)]
enum Function {
    Round,
    Floor,
    Ceil,
    Abs,
    Min,
    Max,
}

impl Function {
    fn named(name: &str) -> Option<Self> {
        Some(match name {
            "round" => Self::Round,
            "floor" => Self::Floor,
            "ceil" => Self::Ceil,
            "abs" => Self::Abs,
            "min" => Self::Min,
            "max" => Self::Max,
            _ => return None,
        })
    }

    /// How many arguments it takes, at least and at most.
    fn arguments(self) -> (usize, usize) {
        match self {
            Self::Round => (1, 2),
            Self::Floor | Self::Ceil | Self::Abs => (1, 1),
            Self::Min | Self::Max => (1, 16),
        }
    }

    fn apply(self, arguments: &[f64]) -> Option<f64> {
        let first = *arguments.first()?;
        Some(match self {
            Self::Round => {
                let digits = arguments.get(1).copied().unwrap_or(0.0).clamp(-15.0, 15.0);
                let scale = 10_f64.powi(digits as i32);
                (first * scale).round() / scale
            }
            Self::Floor => first.floor(),
            Self::Ceil => first.ceil(),
            Self::Abs => first.abs(),
            Self::Min => arguments.iter().copied().fold(first, f64::min),
            Self::Max => arguments.iter().copied().fold(first, f64::max),
        })
    }
}

impl Expression {
    /// Reads an expression; `key` is where it was written.
    pub(crate) fn new(text: &str, key: &str) -> Result<Self, PipelineError> {
        let mut reader = Reader { text, at: 0, depth: 0, key };
        let node = reader.sum()?;
        match reader.peek() {
            None => Ok(Self(node)),
            Some(c) => Err(reader.wrong(&format!("`{c}` was not expected"))),
        }
    }

    /// What it comes to; null if that is no number. A whole number is one without a fraction.
    pub(crate) fn value(&self, item: &Value, page: &PageInfo<'_>) -> Value {
        match self.0.value(item, page).filter(|number| number.is_finite()) {
            Some(number) if number.fract() == 0.0 && number.abs() < MAX_EXACT => {
                (number as i64).into()
            }
            Some(number) => Number::from_f64(number).map_or(Value::Null, Value::Number),
            None => Value::Null,
        }
    }
}

impl Node {
    fn value(&self, item: &Value, page: &PageInfo<'_>) -> Option<f64> {
        match self {
            Self::Number(number) => Some(*number),
            Self::Place(place) => place.value(item, page)?.as_f64(),
            Self::Negative(node) => Some(-node.value(item, page)?),
            Self::Chain(first, rest) => {
                rest.iter().try_fold(first.value(item, page)?, |left, (operator, right)| {
                    let right = right.value(item, page)?;
                    Some(match operator {
                        '+' => left + right,
                        '-' => left - right,
                        '*' => left * right,
                        '/' => left / right,
                        _ => left % right,
                    })
                })
            }
            Self::Call(function, arguments) => {
                let values = arguments.iter().map(|argument| argument.value(item, page));
                function.apply(&values.collect::<Option<Vec<_>>>()?)
            }
        }
    }
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
    depth: usize,
    key: &'a str,
}

impl<'a> Reader<'a> {
    fn wrong(&self, problem: &str) -> PipelineError {
        let column = self.text[..self.at].chars().count() + 1;
        let problem = format!("`= {}`: {problem} (character {column} after `= `)", self.text);
        PipelineError::new(self.key, problem)
    }

    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    /// The next character that is no space.
    fn peek(&mut self) -> Option<char> {
        self.at += self.rest().len() - self.rest().trim_start().len();
        self.rest().chars().next()
    }

    fn take(&mut self, wanted: &[char]) -> Option<char> {
        let next = self.peek().filter(|c| wanted.contains(c))?;
        self.at += next.len_utf8();
        Some(next)
    }

    /// Takes the longest beginning of which each character fits; the place may be its end.
    fn word(&mut self, fits: impl Fn(char) -> bool) -> &'a str {
        let rest = self.rest();
        let end = rest.find(|c| !fits(c)).unwrap_or(rest.len());
        self.at += end;
        &rest[..end]
    }

    fn sum(&mut self) -> Result<Node, PipelineError> {
        self.chain(&['+', '-'], Self::product)
    }

    fn product(&mut self) -> Result<Node, PipelineError> {
        self.chain(&['*', '/', '%'], Self::signed)
    }

    fn chain(
        &mut self,
        operators: &[char],
        operand: fn(&mut Self) -> Result<Node, PipelineError>,
    ) -> Result<Node, PipelineError> {
        let first = operand(self)?;
        let mut rest = Vec::new();
        while let Some(operator) = self.take(operators) {
            rest.push((operator, operand(self)?));
        }
        Ok(if rest.is_empty() { first } else { Node::Chain(Box::new(first), rest) })
    }

    fn signed(&mut self) -> Result<Node, PipelineError> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(self.wrong("nests too deep"));
        }
        let node = match self.take(&['-']) {
            Some(_) => Node::Negative(Box::new(self.signed()?)),
            None => self.atom()?,
        };
        self.depth -= 1;
        Ok(node)
    }

    fn atom(&mut self) -> Result<Node, PipelineError> {
        match self.peek() {
            Some('(') => {
                self.at += 1;
                let node = self.sum()?;
                self.expect(')')?;
                Ok(node)
            }
            Some('{') => {
                self.at += 1;
                let name = self.word(|c| c != '}');
                self.expect('}')?;
                Place::new(name, self.key).map(Node::Place)
            }
            Some(c) if c.is_ascii_digit() || c == '.' => {
                let start = self.at;
                let digits = self.word(|c| c.is_ascii_digit() || c == '.');
                digits.parse().map(Node::Number).map_err(|_| {
                    self.at = start;
                    self.wrong(&format!("`{digits}` is no number"))
                })
            }
            Some(c) if c.is_alphabetic() => self.call(),
            Some(c) => Err(self.wrong(&format!("`{c}` was not expected"))),
            None => Err(self.wrong("something is missing at the end")),
        }
    }

    fn call(&mut self) -> Result<Node, PipelineError> {
        let start = self.at;
        let name = self.word(|c| c.is_alphanumeric() || c == '_' || c == '.');
        let Some(function) = Function::named(name) else {
            self.at = start;
            let text = format!(
                "there is no function `{name}`; fields stand in braces ({{{name}}}), and the \
                 functions are round, floor, ceil, abs, min and max"
            );
            return Err(self.wrong(&text));
        };
        self.expect('(')?;
        let mut arguments = vec![self.sum()?];
        while self.take(&[',']).is_some() {
            arguments.push(self.sum()?);
        }
        self.expect(')')?;
        let (least, most) = function.arguments();
        if !(least..=most).contains(&arguments.len()) {
            self.at = start;
            return Err(self.wrong(&format!("`{name}` takes {least} to {most} numbers")));
        }
        Ok(Node::Call(function, arguments))
    }

    fn expect(&mut self, wanted: char) -> Result<(), PipelineError> {
        match self.take(&[wanted]) {
            Some(_) => Ok(()),
            None => Err(self.wrong(&format!("a `{wanted}` is missing"))),
        }
    }
}

#[cfg(test)]
mod tests {
    use crawl_spider::{CanonicalUrl, Request};
    use serde_json::json;

    use super::*;

    #[track_caller]
    fn check(text: &str, expected: Value) {
        let request = Request::get(CanonicalUrl::parse("http://h/").unwrap());
        let item = json!({"a": 6, "b": 2.5, "t": "7", "o": {"n": -4}, "none": null});
        let expression = Expression::new(text, "k").unwrap();
        assert_eq!(expression.value(&item, &PageInfo::new(&request, Some(200))), expected);
    }

    #[test]
    fn arithmetic_is_as_at_school() {
        check("1 + 2 * 3", json!(7));
        check("(1 + 2) * 3 - -1", json!(10));
        check("8 / 4 / 2", json!(1));
        check("{a} * {b}", json!(15));
        check("{a} / 4", json!(1.5));
        check("7 % {a}", json!(1));
        check("round({b} * 1.1, 1) + min(3, {a}, 9) * max(1, 0)", json!(5.8));
        check("round(1234.5, -2) + abs({o.n}) + floor(1.9) + ceil(.1)", json!(1206));
        check("{@depth} + {@status}", json!(200));
    }

    #[test]
    fn what_is_no_number_is_null() {
        for text in ["{t} + 1", "{none}", "{x} * 2", "1 / 0", "0 / 0"] {
            check(text, Value::Null);
        }
    }

    #[test]
    fn mistakes_are_shown_with_their_place() {
        for (text, part) in [
            ("1 +", "missing at the end"),
            ("price * 2", "fields stand in braces ({price})"),
            ("(1", "a `)` is missing"),
            ("1 2", "`2` was not expected (character 3"),
            ("1..2", "`1..2` is no number"),
            ("round()", "`)` was not expected"),
            ("abs(1, 2)", "takes 1 to 1"),
            ("{a", "a `}` is missing"),
            ("", "missing at the end"),
        ] {
            let problem = Expression::new(text, "k").unwrap_err().problem;
            assert!(problem.contains(part), "{text}: {problem}");
        }
    }

    #[test]
    fn what_nests_too_deep_is_refused() {
        for text in ["(".repeat(10_000), "-".repeat(10_000)] {
            assert!(Expression::new(&text, "k").is_err());
        }
        check(&vec!["1"; 10_000].join("+"), json!(10_000));
    }
}
