//! A condition of its text, by recursive descent.

use std::str::FromStr;

use super::{Condition, Node, Test, Wanted};

/// Deepest nesting of parentheses and `not`.
const MOST_NESTED: usize = 64;

impl FromStr for Condition {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut parser = Parser { rest: text, n_nested: 0 };
        let root = parser.any().and_then(|root| match parser.word() {
            None if parser.rest.is_empty() => Ok(root),
            _ => Err("`and`, `or` or the end".to_owned()),
        });
        let root = root.map_err(|expected| {
            let at = text.len() - parser.rest.len();
            let place = if parser.rest.is_empty() { "its end" } else { parser.rest };
            format!(
                "in `{text}`, at byte {at} (`{place}`): expected {expected}; \
                 write `status=404 and host~shop`, values with spaces in quotes"
            )
        })?;
        Ok(Self { text: text.to_owned(), root })
    }
}

struct Parser<'a> {
    rest: &'a str,
    n_nested: usize,
}

/// The operators, longer ones first.
const OPERATORS: [(&str, Test, bool); 8] = [
    ("!=", Test::Equals, false),
    ("!~", Test::Contains, false),
    ("<=", Test::AtMost, true),
    (">=", Test::AtLeast, true),
    ("=", Test::Equals, true),
    ("~", Test::Contains, true),
    ("<", Test::Less, true),
    (">", Test::Greater, true),
];

impl<'a> Parser<'a> {
    fn any(&mut self) -> Result<Node, String> {
        let parts = self.chain("or", Self::all)?;
        Ok(if parts.len() == 1 { parts.into_iter().next().expect("one") } else { Node::Any(parts) })
    }

    fn all(&mut self) -> Result<Node, String> {
        let parts = self.chain("and", Self::one)?;
        Ok(if parts.len() == 1 { parts.into_iter().next().expect("one") } else { Node::All(parts) })
    }

    fn chain(
        &mut self,
        joint: &str,
        part: fn(&mut Self) -> Result<Node, String>,
    ) -> Result<Vec<Node>, String> {
        let mut parts = vec![part(self)?];
        while self.eat_word(joint) {
            parts.push(part(self)?);
        }
        Ok(parts)
    }

    fn one(&mut self) -> Result<Node, String> {
        self.n_nested += 1;
        if self.n_nested > MOST_NESTED {
            return Err(format!("no more than {MOST_NESTED} conditions within each other"));
        }
        let node = self.unnested();
        self.n_nested -= 1;
        node
    }

    fn unnested(&mut self) -> Result<Node, String> {
        if self.eat_word("not") {
            return Ok(Node::Not(Box::new(self.one()?)));
        }
        if self.eat("(") {
            let node = self.any()?;
            return if self.eat(")") { Ok(node) } else { Err("`)`".to_owned()) };
        }
        let is_joint = matches!(self.word(), Some("and" | "or"));
        let field = if is_joint { None } else { self.text(|c| "=!<>~()".contains(c))? };
        let field = field.ok_or("a field's name")?;
        self.skip_space();
        let Some((op, test, is_plain)) =
            OPERATORS.into_iter().find(|(op, ..)| self.rest.starts_with(op))
        else {
            return Ok(Node::Has(field));
        };
        self.rest = &self.rest[op.len()..];
        let wanted = self.text(|c| c == ')')?.ok_or("a value; an empty one is \"\"")?;
        let node = Node::Is { field, test, wanted: Wanted::new(wanted) };
        Ok(if is_plain { node } else { Node::Not(Box::new(node)) })
    }

    /// A quoted text, or one that ends at a space or where `ends` says so; `None` if it is empty.
    fn text(&mut self, ends: impl Fn(char) -> bool) -> Result<Option<String>, String> {
        self.skip_space();
        if let Some(quote) = self.rest.chars().next().filter(|c| matches!(c, '"' | '\'')) {
            return self.quoted(quote).map(Some);
        }
        let ends = |c: char| c.is_whitespace() || ends(c);
        let (word, rest) = self.rest.split_at(self.rest.find(ends).unwrap_or(self.rest.len()));
        self.rest = rest;
        Ok((!word.is_empty()).then(|| word.to_owned()))
    }

    /// What stands in quotes; a backslash makes the next character stand for itself.
    fn quoted(&mut self, quote: char) -> Result<String, String> {
        let mut text = String::new();
        let mut chars = self.rest.char_indices().skip(1);
        while let Some((at, c)) = chars.next() {
            match c {
                '\\' => text.extend(chars.next().map(|(_, c)| c)),
                c if c == quote => {
                    self.rest = &self.rest[at + 1..];
                    return Ok(text);
                }
                c => text.push(c),
            }
        }
        Err(format!("a closing {quote}"))
    }

    fn skip_space(&mut self) {
        self.rest = self.rest.trim_start();
    }

    fn eat(&mut self, token: &str) -> bool {
        self.skip_space();
        let rest = self.rest.strip_prefix(token);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }

    /// The letters that come next, if they stand for themselves and are no field's name.
    fn word(&mut self) -> Option<&'a str> {
        self.skip_space();
        let end = self.rest.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(self.rest.len());
        let (word, behind) = self.rest.split_at(end);
        let is_word = behind.is_empty() || behind.starts_with(['(', ')']) || {
            let next = behind.trim_start();
            next.len() < behind.len() && !OPERATORS.iter().any(|(op, ..)| next.starts_with(op))
        };
        (is_word && !word.is_empty()).then_some(word)
    }

    fn eat_word(&mut self, wanted: &str) -> bool {
        let is_it = self.word() == Some(wanted);
        if is_it {
            self.rest = &self.rest[wanted.len()..];
        }
        is_it
    }
}
