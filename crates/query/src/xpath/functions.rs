//! Which functions there are, what they take and what they give.

use super::ast::Type;

/// A function of the core library (section 4), of EXSLT's `re` and `set`, or of parsel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Function {
    /// `last()`
    Last,
    /// `position()`
    Position,
    /// `count()`
    Count,
    /// `id()`
    Id,
    /// `local-name()`
    LocalName,
    /// `namespace-uri()`
    NamespaceUri,
    /// `name()`
    Name,
    /// `string()`
    Text,
    /// `concat()`
    Concat,
    /// `starts-with()`
    StartsWith,
    /// `contains()`
    Contains,
    /// `substring-before()`
    SubstringBefore,
    /// `substring-after()`
    SubstringAfter,
    /// `substring()`
    Substring,
    /// `string-length()`
    StringLength,
    /// `normalize-space()`
    NormalizeSpace,
    /// `translate()`
    Translate,
    /// `boolean()`
    Boolean,
    /// `not()`
    Not,
    /// `true()`
    True,
    /// `false()`
    False,
    /// `lang()`
    Lang,
    /// `number()`
    Number,
    /// `sum()`
    Sum,
    /// `floor()`
    Floor,
    /// `ceiling()`
    Ceiling,
    /// `round()`
    Round,
    /// `has-class()`
    HasClass,
    /// `re:test()`
    RegexTest,
    /// `re:match()`
    RegexMatch,
    /// `re:replace()`
    RegexReplace,
    /// `set:difference()`
    Difference,
    /// `set:intersection()`
    Intersection,
    /// `set:distinct()`
    Distinct,
    /// `set:has-same-node()`
    HasSameNode,
    /// `set:leading()`
    Leading,
    /// `set:trailing()`
    Trailing,
}

/// How a function is called.
#[derive(Debug)]
pub struct Signature {
    /// As it is written.
    pub name: &'static str,
    function: Function,
    /// Fewest and most arguments.
    pub takes: (usize, usize),
    /// Whether the arguments must be node-sets; others are converted.
    pub of_nodes: bool,
    /// The type of its result.
    pub gives: Type,
}

const MANY: usize = usize::MAX;

const fn of_any(
    name: &'static str,
    function: Function,
    takes: (usize, usize),
    gives: Type,
) -> Signature {
    Signature { name, function, takes, of_nodes: false, gives }
}

const fn of_nodes(
    name: &'static str,
    function: Function,
    takes: (usize, usize),
    gives: Type,
) -> Signature {
    Signature { name, function, takes, of_nodes: true, gives }
}

/// In the order of [`Function`].
const SIGNATURES: [Signature; 37] = [
    of_any("last", Function::Last, (0, 0), Type::Number),
    of_any("position", Function::Position, (0, 0), Type::Number),
    of_nodes("count", Function::Count, (1, 1), Type::Number),
    of_any("id", Function::Id, (1, 1), Type::Nodes),
    of_nodes("local-name", Function::LocalName, (0, 1), Type::Text),
    of_nodes("namespace-uri", Function::NamespaceUri, (0, 1), Type::Text),
    of_nodes("name", Function::Name, (0, 1), Type::Text),
    of_any("string", Function::Text, (0, 1), Type::Text),
    of_any("concat", Function::Concat, (2, MANY), Type::Text),
    of_any("starts-with", Function::StartsWith, (2, 2), Type::Bool),
    of_any("contains", Function::Contains, (2, 2), Type::Bool),
    of_any("substring-before", Function::SubstringBefore, (2, 2), Type::Text),
    of_any("substring-after", Function::SubstringAfter, (2, 2), Type::Text),
    of_any("substring", Function::Substring, (2, 3), Type::Text),
    of_any("string-length", Function::StringLength, (0, 1), Type::Number),
    of_any("normalize-space", Function::NormalizeSpace, (0, 1), Type::Text),
    of_any("translate", Function::Translate, (3, 3), Type::Text),
    of_any("boolean", Function::Boolean, (1, 1), Type::Bool),
    of_any("not", Function::Not, (1, 1), Type::Bool),
    of_any("true", Function::True, (0, 0), Type::Bool),
    of_any("false", Function::False, (0, 0), Type::Bool),
    of_any("lang", Function::Lang, (1, 1), Type::Bool),
    of_any("number", Function::Number, (0, 1), Type::Number),
    of_nodes("sum", Function::Sum, (1, 1), Type::Number),
    of_any("floor", Function::Floor, (1, 1), Type::Number),
    of_any("ceiling", Function::Ceiling, (1, 1), Type::Number),
    of_any("round", Function::Round, (1, 1), Type::Number),
    of_any("has-class", Function::HasClass, (1, MANY), Type::Bool),
    of_any("re:test", Function::RegexTest, (2, 3), Type::Bool),
    of_any("re:match", Function::RegexMatch, (2, 3), Type::Text),
    of_any("re:replace", Function::RegexReplace, (4, 4), Type::Text),
    of_nodes("set:difference", Function::Difference, (2, 2), Type::Nodes),
    of_nodes("set:intersection", Function::Intersection, (2, 2), Type::Nodes),
    of_nodes("set:distinct", Function::Distinct, (1, 1), Type::Nodes),
    of_nodes("set:has-same-node", Function::HasSameNode, (2, 2), Type::Bool),
    of_nodes("set:leading", Function::Leading, (2, 2), Type::Nodes),
    of_nodes("set:trailing", Function::Trailing, (2, 2), Type::Nodes),
];

impl Function {
    /// The function of this name, prefix included.
    pub(super) fn by_name(name: &str) -> Option<Self> {
        SIGNATURES.iter().find(|signature| signature.name == name).map(|it| it.function)
    }

    /// How it is called.
    #[must_use]
    pub fn signature(self) -> &'static Signature {
        &SIGNATURES[self as usize]
    }

    /// Whether it takes a regular expression.
    #[must_use]
    pub fn is_regex(self) -> bool {
        matches!(self, Self::RegexTest | Self::RegexMatch | Self::RegexReplace)
    }
}

impl Signature {
    /// "2 arguments", "1 to 3 arguments", "at least 1 argument".
    #[must_use]
    pub fn arity(&self) -> String {
        let (least, most) = self.takes;
        let plural = |n: usize| if n == 1 { "" } else { "s" };
        match most {
            0 => "no arguments".to_owned(),
            MANY => format!("at least {least} argument{}", plural(least)),
            _ if least == most => format!("{most} argument{}", plural(most)),
            _ => format!("{least} to {most} arguments"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_function_finds_its_own_signature() {
        for signature in &SIGNATURES {
            assert_eq!(signature.function.signature().name, signature.name);
            assert_eq!(Function::by_name(signature.name), Some(signature.function));
        }
    }
}
