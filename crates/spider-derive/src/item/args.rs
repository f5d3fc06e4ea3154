//! The lists in `#[item(..)]`: names with and without values.

use proc_macro2::Ident;
use syn::ext::IdentExt;
use syn::parse::{Parse, ParseStream};
use syn::punctuated::Punctuated;
use syn::{Attribute, Error, Expr, ExprLit, Lit, LitStr, Result, Token, parenthesized};

/// All arguments of the `#[item(..)]` attributes of one struct or field, as they are written.
#[derive(Default)]
pub(super) struct Args {
    pub(super) all: Vec<Arg>,
}

/// `name`, `name = value`, `name(value, value)`.
pub(super) struct Arg {
    pub(super) name: Ident,
    pub(super) value: Value,
}

pub(super) enum Value {
    None,
    Expr(Expr),
    List(Vec<Expr>),
}

impl Args {
    pub(super) fn of(attributes: &[Attribute]) -> Result<Self> {
        let mut all: Vec<Arg> = Vec::new();
        for attribute in attributes.iter().filter(|it| it.path().is_ident("item")) {
            let list = attribute.parse_args_with(Punctuated::<Arg, Token![,]>::parse_terminated)?;
            for arg in list {
                let may_repeat = matches!(&*arg.name.to_string(), "replace" | "map" | "regex")
                    || matches!(&*arg.name.to_string(), "strip_prefix" | "strip_suffix");
                if !may_repeat && all.iter().any(|known| known.name == arg.name) {
                    return Err(arg.error(format!("`{}` is written twice", arg.name)));
                }
                all.push(arg);
            }
        }
        Ok(Self { all })
    }

    /// The argument of this name.
    pub(super) fn get(&self, name: &str) -> Option<&Arg> {
        self.all.iter().find(|arg| arg.name == name)
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.get(name).is_some()
    }
}

impl Parse for Arg {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let name = input.call(Ident::parse_any)?;
        let value = if input.parse::<Option<Token![=]>>()?.is_some() {
            Value::Expr(input.parse()?)
        } else if input.peek(syn::token::Paren) {
            let list;
            parenthesized!(list in input);
            Value::List(
                Punctuated::<Expr, Token![,]>::parse_terminated(&list)?.into_iter().collect(),
            )
        } else {
            Value::None
        };
        Ok(Self { name, value })
    }
}

impl Arg {
    /// An error at its name.
    pub(super) fn error(&self, what: impl std::fmt::Display) -> Error {
        Error::new(self.name.span(), what)
    }

    /// Its value, which must be a string.
    pub(super) fn text(&self) -> Result<LitStr> {
        match &self.value {
            Value::Expr(expr) => string(expr).cloned().ok_or_else(|| {
                Error::new_spanned(expr, format!("`{}` wants a string in quotes", self.name))
            }),
            _ => Err(self.error(format!("`{0}` wants a string: `{0} = \"..\"`", self.name))),
        }
    }

    /// That it has no value.
    pub(super) fn flag(&self) -> Result<()> {
        match &self.value {
            Value::None => Ok(()),
            _ => Err(self.error(format!("`{}` takes no value", self.name))),
        }
    }

    /// Its value, which must be a whole number.
    pub(super) fn integer(&self) -> Result<u32> {
        let number = match &self.value {
            Value::Expr(Expr::Lit(ExprLit { lit: Lit::Int(number), .. })) => {
                number.base10_parse().ok()
            }
            _ => None,
        };
        let what = || self.error(format!("`{0}` wants a number: `{0} = 2`", self.name));
        number.ok_or_else(what)
    }

    /// Its value, which must be the path of a function, or a closure.
    pub(super) fn function(&self) -> Result<&Expr> {
        match &self.value {
            Value::Expr(expr @ (Expr::Path(_) | Expr::Closure(_))) => Ok(expr),
            _ => {
                Err(self.error(format!("`{0}` wants a function: `{0} = path::to::it`", self.name)))
            }
        }
    }
}

/// The string that an expression is.
pub(super) fn string(expr: &Expr) -> Option<&LitStr> {
    match expr {
        Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) => Some(text),
        // What a macro by example puts around its arguments.
        Expr::Group(group) => string(&group.expr),
        _ => None,
    }
}

/// An error for a name that is none, with the one that was perhaps meant.
pub(super) fn unknown(arg: &Arg, name: &str, known: &[&str], of: &str) -> Error {
    let nearest = known.iter().map(|it| (distance(name, it), it)).min();
    match nearest {
        Some((distance, it)) if distance <= 1 + it.len() / 4 => {
            arg.error(format!("there is no `{name}`; did you mean `{it}`?"))
        }
        _ => arg.error(format!("there is no `{name}`; {of} may have {}", listed(known))),
    }
}

fn listed(names: &[&str]) -> String {
    let quoted: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    quoted.join(", ")
}

/// How many letters must be added, left out, changed or exchanged with their neighbour to make one
/// word the other.
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut rows = vec![vec![0; b.len() + 1]; a.len() + 1];
    for i in 0..=a.len() {
        for j in 0..=b.len() {
            rows[i][j] = if i == 0 || j == 0 {
                i + j
            } else {
                let change = rows[i - 1][j - 1] + usize::from(a[i - 1] != b[j - 1]);
                let mut least = change.min(rows[i - 1][j] + 1).min(rows[i][j - 1] + 1);
                if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                    least = least.min(rows[i - 2][j - 2] + 1);
                }
                least
            };
        }
    }
    rows[a.len()][b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_count_letters() {
        for (a, b, n) in [("css", "css", 0), ("ccs", "css", 1), ("sc", "cs", 1), ("", "ab", 2)] {
            assert_eq!(distance(a, b), n, "{a} {b}");
        }
    }
}
