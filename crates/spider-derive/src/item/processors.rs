//! What is done with the texts of a field, in the order it is written.

use proc_macro2::{Ident, TokenStream};
use quote::{quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{Expr, Result};

use super::args::{Arg, Args, Value, string};
use super::kind::Shape;
use super::query;

/// The processors in the order they are written, and whether all matches are wanted.
pub(super) fn processors(args: &Args, shape: Shape) -> Result<(Vec<TokenStream>, bool)> {
    let all = shape == Shape::Many || args.has("take") || args.has("join");
    let (mut processors, mut is_many) = (Vec::new(), all);
    let mut last = None;
    for arg in &args.all {
        let name = arg.name.to_string();
        let simple = |processor: TokenStream| arg.flag().map(|()| processor);
        let processor = match name.as_str() {
            "collapse" => simple(quote!(Collapse))?,
            "trim" => simple(quote!(Trim))?,
            "strip_tags" => simple(quote!(StripTags))?,
            "unescape" => simple(quote!(Unescape))?,
            "lower" => simple(quote!(Lower))?,
            "upper" => simple(quote!(Upper))?,
            "number" => simple(quote!(Number))?,
            "link" => simple(quote!(Link))?,
            "strip_prefix" => with_text(quote!(StripPrefix), &arg.text()?.value()),
            "strip_suffix" => with_text(quote!(StripSuffix), &arg.text()?.value()),
            "regex" => with_text(quote!(Regex), &query::regex(&arg.text()?)?),
            "regex_all" => with_text(quote!(RegexAll), &query::regex(&arg.text()?)?),
            "split" => with_text(quote!(Split), &arg.text()?.value()),
            "join" => with_text(quote!(Join), &arg.text()?.value()),
            "replace" => {
                let texts = match &arg.value {
                    Value::List(list) => list.iter().filter_map(string).collect(),
                    _ => Vec::new(),
                };
                let [from, to] = &*texts else {
                    return Err(
                        arg.error("`replace` takes two strings: `replace(\"from\", \"to\")`")
                    );
                };
                quote!(Replace(__rt::Cow::Borrowed(#from), __rt::Cow::Borrowed(#to)))
            }
            "map" => {
                let function = arg.function()?;
                let span = function.span();
                quote_spanned!(span=> Map(|text: &str| __rt::Mapped::mapped((#function)(text))))
            }
            "take" => match take(arg)? {
                Some(processor) => processor,
                None => continue,
            },
            _ => continue,
        };
        match name.as_str() {
            "split" | "regex_all" => is_many = true,
            "join" | "take" => is_many = false,
            _ => {}
        }
        if matches!(name.as_str(), "split" | "regex_all" | "join" | "take") {
            last = Some(arg);
        }
        processors.push(processor);
    }
    let take_all = args.get("take").filter(|arg| matches!(take(arg), Ok(None)));
    match (is_many, shape, last.or(take_all)) {
        (true, Shape::One | Shape::Optional, Some(arg)) => Err(arg.error(format!(
            "`{}` gives many values: make the field a `Vec`, or add `join = \", \"` or `take = first`",
            arg.name
        ))),
        (false, Shape::Many, Some(arg)) => Err(arg.error(format!(
            "`{}` leaves one value, and the field is a `Vec`",
            arg.name
        ))),
        _ => Ok((processors, all)),
    }
}

/// Which of several values is taken; `None` for all of them.
fn take(arg: &Arg) -> Result<Option<TokenStream>> {
    let which = match &arg.value {
        Value::Expr(Expr::Path(path)) => path.path.get_ident().map(Ident::to_string),
        Value::Expr(expr) => string(expr).map(syn::LitStr::value),
        _ => None,
    };
    match which.as_deref() {
        Some("first") => Ok(Some(quote!(First))),
        Some("last") => Ok(Some(quote!(Last))),
        Some("all") => Ok(None),
        _ => Err(arg.error("`take` is `first`, `last` or `all`: `take = last`")),
    }
}

fn with_text(processor: TokenStream, text: &str) -> TokenStream {
    quote!(#processor(__rt::Cow::Borrowed(#text)))
}
