//! Cuts an expression into tokens (section 3.7).
//!
//! Whether `*` multiplies and whether `div` is an operator depends only on the token before,
//! which is decided here; whether a name is a function, an axis or an element depends on what
//! follows, which the parser sees.

/// What an expression is made of.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Token<'e> {
    Open,
    Close,
    OpenBracket,
    CloseBracket,
    Dot,
    DotDot,
    At,
    Comma,
    ColonColon,
    Operator(Operator),
    /// A name, perhaps with a prefix.
    Name(Option<&'e str>, &'e str),
    /// `*` that stands for any name, perhaps with a prefix.
    Any(Option<&'e str>),
    Literal(&'e str),
    Number(f64),
    Variable(&'e str),
    /// Behind the last one.
    End,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Operator {
    Slash,
    DoubleSlash,
    Pipe,
    Plus,
    Minus,
    Equal,
    Unequal,
    Less,
    AtMost,
    Greater,
    AtLeast,
    Multiply,
    Divide,
    Modulo,
    And,
    Or,
}

/// What is wrong with an expression, and at which byte.
#[derive(Debug)]
pub(super) struct Wrong {
    pub(super) reason: String,
    pub(super) at: usize,
}

impl Wrong {
    pub(super) fn new(reason: impl Into<String>, at: usize) -> Self {
        Self { reason: reason.into(), at }
    }
}

/// All tokens, each with the byte it begins at, [`Token::End`] last.
pub(super) fn tokens(source: &str) -> Result<Vec<(Token<'_>, usize)>, Wrong> {
    let mut lexer = Lexer { source, at: 0, tokens: Vec::new() };
    while let Some((token, len)) = lexer.next()? {
        lexer.tokens.push((token, lexer.at));
        lexer.at += len;
    }
    lexer.tokens.push((Token::End, source.len()));
    Ok(lexer.tokens)
}

struct Lexer<'e> {
    source: &'e str,
    at: usize,
    tokens: Vec<(Token<'e>, usize)>,
}

impl<'e> Lexer<'e> {
    /// The next token and its length.
    fn next(&mut self) -> Result<Option<(Token<'e>, usize)>, Wrong> {
        let blank = |c| matches!(c, ' ' | '\t' | '\r' | '\n');
        let rest = self.source[self.at..].trim_start_matches(blank);
        self.at = self.source.len() - rest.len();
        let Some(first) = rest.chars().next() else { return Ok(None) };
        let second = rest.as_bytes().get(1).copied();
        let operator = |operator, len| Ok(Some((Token::Operator(operator), len)));
        let token = |token, len| Ok(Some((token, len)));
        match (first, second) {
            ('(', _) => token(Token::Open, 1),
            (')', _) => token(Token::Close, 1),
            ('[', _) => token(Token::OpenBracket, 1),
            (']', _) => token(Token::CloseBracket, 1),
            ('@', _) => token(Token::At, 1),
            (',', _) => token(Token::Comma, 1),
            (':', Some(b':')) => token(Token::ColonColon, 2),
            ('.', Some(b'.')) => token(Token::DotDot, 2),
            ('.', Some(b'0'..=b'9')) | ('0'..='9', _) => Ok(Some(number(rest))),
            ('.', _) => token(Token::Dot, 1),
            ('/', Some(b'/')) => operator(Operator::DoubleSlash, 2),
            ('/', _) => operator(Operator::Slash, 1),
            ('|', _) => operator(Operator::Pipe, 1),
            ('+', _) => operator(Operator::Plus, 1),
            ('-', _) => operator(Operator::Minus, 1),
            ('=', _) => operator(Operator::Equal, 1),
            ('!', Some(b'=')) => operator(Operator::Unequal, 2),
            ('<', Some(b'=')) => operator(Operator::AtMost, 2),
            ('<', _) => operator(Operator::Less, 1),
            ('>', Some(b'=')) => operator(Operator::AtLeast, 2),
            ('>', _) => operator(Operator::Greater, 1),
            ('*', _) if self.wants_operator() => operator(Operator::Multiply, 1),
            ('*', _) => token(Token::Any(None), 1),
            ('"' | '\'', _) => self.literal(rest, first),
            ('$', _) => token(Token::Variable(qname(&rest[1..])), 1 + qname(&rest[1..]).len()),
            _ if is_name_start(first) => self.name(rest),
            _ => Err(Wrong::new(format!("`{}` is not expected", first.escape_debug()), self.at)),
        }
    }

    /// Section 3.7: "if there is a preceding token and the preceding token is not one of `@`,
    /// `::`, `(`, `[`, `,` or an Operator".
    fn wants_operator(&self) -> bool {
        !matches!(
            self.tokens.last(),
            None | Some((
                Token::At
                    | Token::ColonColon
                    | Token::Open
                    | Token::OpenBracket
                    | Token::Comma
                    | Token::Operator(_),
                _
            ))
        )
    }

    fn literal(&self, rest: &'e str, quote: char) -> Result<Option<(Token<'e>, usize)>, Wrong> {
        match rest[1..].split_once(quote) {
            Some((text, _)) => Ok(Some((Token::Literal(text), text.len() + 2))),
            None => Err(Wrong::new(format!("the string has no closing {quote}"), self.at)),
        }
    }

    fn name(&self, rest: &'e str) -> Result<Option<(Token<'e>, usize)>, Wrong> {
        let name = ncname(rest);
        if self.wants_operator() {
            let operator = match name {
                "and" => Operator::And,
                "or" => Operator::Or,
                "div" => Operator::Divide,
                "mod" => Operator::Modulo,
                _ => {
                    let reason = format!("an operator is expected instead of `{name}`");
                    return Err(Wrong::new(reason, self.at));
                }
            };
            return Ok(Some((Token::Operator(operator), name.len())));
        }
        let behind = match rest[name.len()..].strip_prefix(':') {
            Some(behind) if behind.starts_with('*') => {
                return Ok(Some((Token::Any(Some(name)), name.len() + 2)));
            }
            Some(behind) if behind.starts_with(is_name_start) => behind,
            _ => return Ok(Some((Token::Name(None, name), name.len()))),
        };
        let local = ncname(behind);
        Ok(Some((Token::Name(Some(name), local), name.len() + 1 + local.len())))
    }
}

/// `Digits ('.' Digits?)? | '.' Digits`
fn number(rest: &str) -> (Token<'_>, usize) {
    let digits = |text: &str| text.bytes().take_while(u8::is_ascii_digit).count();
    let mut len = digits(rest);
    if rest[len..].starts_with('.') {
        len += 1 + digits(&rest[len + 1..]);
    }
    (Token::Number(rest[..len].parse().unwrap_or(f64::NAN)), len)
}

/// The name without colons that a text begins with (Namespaces in XML 1.0, production 4).
fn ncname(text: &str) -> &str {
    let end = text.find(|c| !is_name_char(c)).unwrap_or(text.len());
    &text[..end]
}

fn qname(text: &str) -> &str {
    let end = text.find(|c| !is_name_char(c) && c != ':').unwrap_or(text.len());
    &text[..end]
}

/// XML 1.0 (fifth edition), production 4, without the colon.
pub(super) fn is_name_start(c: char) -> bool {
    matches!(c,
        'A'..='Z' | '_' | 'a'..='z'
        | '\u{C0}'..='\u{D6}' | '\u{D8}'..='\u{F6}' | '\u{F8}'..='\u{2FF}'
        | '\u{370}'..='\u{37D}' | '\u{37F}'..='\u{1FFF}' | '\u{200C}'..='\u{200D}'
        | '\u{2070}'..='\u{218F}' | '\u{2C00}'..='\u{2FEF}' | '\u{3001}'..='\u{D7FF}'
        | '\u{F900}'..='\u{FDCF}' | '\u{FDF0}'..='\u{FFFD}' | '\u{10000}'..='\u{EFFFF}')
}

/// Production 4a, without the colon.
fn is_name_char(c: char) -> bool {
    is_name_start(c)
        || matches!(c, '-' | '.' | '0'..='9' | '\u{B7}' | '\u{300}'..='\u{36F}'
            | '\u{203F}'..='\u{2040}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(source: &str, expected: &[Token<'_>]) {
        let mut found: Vec<_> = tokens(source).unwrap().into_iter().map(|(it, _)| it).collect();
        assert_eq!(found.pop(), Some(Token::End));
        assert_eq!(found, expected, "{source}");
    }

    #[test]
    fn stars_and_words_are_operators_only_behind_operands() {
        let name = |name| Token::Name(None, name);
        let operator = Token::Operator;
        check("* * *", &[Token::Any(None), operator(Operator::Multiply), Token::Any(None)]);
        check("div div div", &[name("div"), operator(Operator::Divide), name("div")]);
        let root = operator(Operator::Slash);
        check("/ * 5", &[root, Token::Any(None), Token::Number(5.0)]);
        check("a-b", &[name("a-b")]);
        check("a -b", &[name("a"), operator(Operator::Minus), name("b")]);
        check("p:a::b", &[Token::Name(Some("p"), "a"), Token::ColonColon, name("b")]);
        check("p:*", &[Token::Any(Some("p"))]);
        check("@*", &[Token::At, Token::Any(None)]);
    }

    #[test]
    fn numbers_take_as_many_digits_as_there_are() {
        check("1.", &[Token::Number(1.0)]);
        check(".5", &[Token::Number(0.5)]);
        check("1.5.5", &[Token::Number(1.5), Token::Number(0.5)]);
    }
}
