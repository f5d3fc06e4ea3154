//! Functions that give numbers, strings and booleans (section 4), and parsel's.

use std::borrow::Cow;
use std::rc::Rc;

use crawl_query::xpath::Function;
use crawl_spider::NodeId;
use regex::Regex;

use super::{Context, Evaluator, Stop, Want};
use crate::dom::{Flavour, NodeKind};
use crate::xpath::Expr;
use crate::xpath::{regexes, text};

/// What compiling a regular expression costs.
const REGEX_STEPS: u64 = 50_000;

impl<'a> Evaluator<'a> {
    /// An argument as a string; the string-value of the context node if there is none.
    fn argument(
        &mut self,
        arguments: &'a [Expr],
        n: usize,
        context: Context,
    ) -> Result<Cow<'a, str>, Stop> {
        match arguments.get(n) {
            Some(expr) => self.text(expr, context),
            None => self.string_value(context.node),
        }
    }

    pub(super) fn call_for_number(
        &mut self,
        function: Function,
        arguments: &'a [Expr],
        context: Context,
    ) -> Result<f64, Stop> {
        match (function, arguments) {
            (Function::Last, _) => Ok(context.size as f64),
            (Function::Position, _) => Ok(context.position as f64),
            (Function::Count, [nodes]) => Ok(self.nodes(nodes, context, Want::All)?.len() as f64),
            (Function::Sum, [nodes]) => {
                let nodes = self.nodes(nodes, context, Want::All)?;
                // Not from -0, which Rust's own sum begins with.
                nodes.iter().try_fold(0.0, |sum, &node| {
                    Ok(sum + text::to_number(&self.string_value(node)?))
                })
            }
            (Function::StringLength, _) => {
                Ok(self.argument(arguments, 0, context)?.chars().count() as f64)
            }
            (Function::Floor, [number]) => Ok(self.number(number, context)?.floor()),
            (Function::Ceiling, [number]) => Ok(self.number(number, context)?.ceil()),
            (Function::Round, [number]) => Ok(text::round(self.number(number, context)?)),
            (Function::Number, [expr]) => self.number(expr, context),
            // `number()` of the context node.
            _ => Ok(text::to_number(&self.string_value(context.node)?)),
        }
    }

    pub(super) fn call_for_text(
        &mut self,
        function: Function,
        arguments: &'a [Expr],
        context: Context,
    ) -> Result<Cow<'a, str>, Stop> {
        let result = match function {
            Function::LocalName | Function::NamespaceUri | Function::Name => {
                let node = match arguments.first() {
                    Some(nodes) => self.nodes(nodes, context, Want::First)?.first().copied(),
                    None => Some(context.node),
                };
                return Ok(node.map_or(Cow::Borrowed(""), |node| self.name_of(function, node)));
            }
            Function::Concat => return self.concat(arguments, context),
            Function::SubstringBefore => {
                let text = self.argument(arguments, 0, context)?;
                text::before(&text, &self.argument(arguments, 1, context)?)
            }
            Function::SubstringAfter => {
                let text = self.argument(arguments, 0, context)?;
                text::after(&text, &self.argument(arguments, 1, context)?)
            }
            Function::Substring => {
                let string = self.argument(arguments, 0, context)?;
                let [_, start, len @ ..] = arguments else { return Ok(string) };
                let start = self.number(start, context)?;
                let len = len.first().map(|len| self.number(len, context)).transpose()?;
                text::substring(&string, start, len)
            }
            Function::NormalizeSpace => text::normalized(self.argument(arguments, 0, context)?),
            Function::Translate => {
                let text = self.argument(arguments, 0, context)?;
                let from = self.argument(arguments, 1, context)?;
                self.charge_text(&from)?;
                text::translated(text, &from, &self.argument(arguments, 2, context)?)
            }
            // `string()`
            _ => self.argument(arguments, 0, context)?,
        };
        self.charge_text(&result)?;
        Ok(result)
    }

    fn concat(&mut self, arguments: &'a [Expr], context: Context) -> Result<Cow<'a, str>, Stop> {
        let mut whole = String::new();
        for argument in arguments {
            let part = self.text(argument, context)?;
            self.charge_text(&part)?;
            whole.push_str(&part);
        }
        Ok(Cow::Owned(whole))
    }

    /// Section 4.1. In HTML, elements have no prefixes.
    fn name_of(&self, function: Function, node: NodeId) -> Cow<'a, str> {
        let dom = self.dom;
        let (name, kind) = match dom.kind(node) {
            Some(NodeKind::Element) => (dom.element(node).map(|it| &it.name), NodeKind::Element),
            Some(NodeKind::Attribute) => {
                (dom.attribute(node).map(|(name, _)| name), NodeKind::Attribute)
            }
            Some(NodeKind::Instruction) if function != Function::NamespaceUri => {
                return Cow::Borrowed(dom.target(node));
            }
            _ => return Cow::Borrowed(""),
        };
        let Some(name) = name else { return Cow::Borrowed("") };
        let prefix = name.prefix.as_deref().filter(|prefix| {
            let has_prefixes = dom.flavour() == Flavour::Xml || kind == NodeKind::Attribute;
            has_prefixes && !prefix.is_empty() && function == Function::Name
        });
        match (function, prefix) {
            (Function::NamespaceUri, _) => Cow::Borrowed(&*name.ns),
            (_, Some(prefix)) => Cow::Owned(format!("{prefix}:{}", name.local)),
            (_, None) => Cow::Borrowed(&*name.local),
        }
    }

    pub(super) fn call_for_truth(
        &mut self,
        function: Function,
        arguments: &'a [Expr],
        context: Context,
    ) -> Result<bool, Stop> {
        match (function, arguments) {
            (Function::True, _) => Ok(true),
            (Function::Boolean, [expr]) => self.truth(expr, context),
            (Function::Not, [expr]) => Ok(!self.truth(expr, context)?),
            (Function::StartsWith, [text, start]) => {
                let text = self.text(text, context)?;
                Ok(text.starts_with(&*self.text(start, context)?))
            }
            (Function::Contains, [text, part]) => {
                let text = self.text(text, context)?;
                Ok(text.contains(&*self.text(part, context)?))
            }
            (Function::Lang, [language]) => {
                let language = self.text(language, context)?;
                self.is_of_language(&language, context.node)
            }
            (Function::HasClass, classes) => self.has_classes(classes, context),
            (Function::HasSameNode, [left, right]) => {
                let left = self.nodes(left, context, Want::All)?;
                let right = self.nodes(right, context, Want::All)?;
                self.charge(left.len() as u64)?;
                Ok(left.iter().any(|&node| right.has(node)))
            }
            // `false()`
            _ => Ok(false),
        }
    }

    /// parsel's `has-class`: whether the context node has all of the classes. White space between
    /// classes is HTML's.
    fn has_classes(&mut self, classes: &'a [Expr], context: Context) -> Result<bool, Stop> {
        let Some(value) = self.dom.attr(context.node, "class") else { return Ok(false) };
        for class in classes {
            self.charge(1 + value.len() as u64 / 8)?;
            let class = self.text(class, context)?;
            if !value.split_ascii_whitespace().any(|word| word == class) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    pub(super) fn regex_test(
        &mut self,
        arguments: &'a [Expr],
        regex: Option<&'a Regex>,
        context: Context,
    ) -> Result<bool, Stop> {
        let text = self.argument(arguments, 0, context)?;
        self.charge_text(&text)?;
        match regex {
            Some(regex) => Ok(regex.is_match(&text)),
            None => Ok(self.regex(arguments, context)?.is_match(&text)),
        }
    }

    pub(super) fn regex_for_text(
        &mut self,
        function: Function,
        arguments: &'a [Expr],
        regex: Option<&'a Regex>,
        context: Context,
    ) -> Result<Cow<'a, str>, Stop> {
        let string = self.argument(arguments, 0, context)?;
        self.charge_text(&string)?;
        let made;
        let regex = match regex {
            Some(regex) => regex,
            None => {
                made = self.regex(arguments, context)?;
                &made
            }
        };
        if function == Function::RegexMatch {
            return Ok(Cow::Owned(regexes::first_match(regex, &string)));
        }
        let flags = self.argument(arguments, 2, context)?;
        let replacement = self.argument(arguments, 3, context)?;
        self.charge_text(&replacement)?;
        let room = usize::try_from(self.left.saturating_mul(8)).unwrap_or(usize::MAX);
        let replaced = regexes::replaced(regex, &string, &flags, &replacement, room)
            .map_err(Stop::Wrong)?
            .ok_or(Stop::Steps)?;
        self.charge_text(&replaced)?;
        Ok(Cow::Owned(replaced))
    }

    /// The regular expression of a call whose pattern or flags are computed.
    fn regex(&mut self, arguments: &'a [Expr], context: Context) -> Result<Rc<Regex>, Stop> {
        let pattern = self.argument(arguments, 1, context)?.into_owned();
        let flags = match arguments.get(2) {
            Some(flags) => self.text(flags, context)?.into_owned(),
            None => String::new(),
        };
        let key = (pattern, flags);
        if let Some(regex) = self.regexes.get(&key) {
            return Ok(Rc::clone(regex));
        }
        self.charge(REGEX_STEPS + key.0.len() as u64)?;
        let regex = Rc::new(regexes::compiled(&key.0, &key.1).map_err(Stop::Wrong)?);
        // Each may take some memory, and few are asked for twice if there are many.
        if self.regexes.len() >= 16 {
            self.regexes.clear();
        }
        self.regexes.insert(key, Rc::clone(&regex));
        Ok(regex)
    }
}
