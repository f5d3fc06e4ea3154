//! One field: its attributes, checked against each other and against its type.

use proc_macro2::{Ident, TokenStream};
use quote::quote;
use syn::{Error, Expr, Result, Type};

use super::args::{Arg, Args, Value, unknown};
use super::kind::{Shape, is_named, shape};
use super::processors::processors;
use super::query::{self, Gives, Select};

/// A field that was found to be right.
pub(super) struct Field {
    pub(super) name: Ident,
    pub(super) ty: Type,
    pub(super) shape: Shape,
    /// The type of one value.
    pub(super) inner: Type,
    pub(super) rename: Option<String>,
    /// Whether it tells one item from another.
    pub(super) is_key: bool,
    pub(super) from: From,
    pub(super) default: Default,
    /// What is wanted of the files that it names, if it names any.
    pub(super) file: Option<File>,
}

/// What is wanted of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum File {
    Any,
    Image,
}

/// Where its value comes from.
pub(super) enum From {
    Selector(Selector),
    Nested(Option<Source>),
    Url,
    Meta(String),
    Value(Expr),
    Skip,
}

/// A value that a selector finds.
pub(super) struct Selector {
    pub(super) source: Source,
    pub(super) taken: Taken,
    pub(super) all: bool,
    pub(super) processors: Vec<TokenStream>,
    pub(super) make: Make,
}

#[derive(Debug, Clone)]
pub(super) enum Source {
    Own,
    Css(String),
    XPath(String),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Taken {
    Text,
    Raw,
    Html,
    Attr(String),
}

/// How a value is made of a text.
pub(super) enum Make {
    /// As its type does.
    Text,
    /// With `FromStr`.
    Parse,
    /// With a function.
    With(Expr),
    /// Whether there is one.
    Exists,
}

/// What it is if it is not there.
pub(super) enum Default {
    /// It must be there.
    Required,
    /// What the shape says: `None`, an empty list.
    Shape,
    /// `Default::default()`
    Type,
    Value(Expr),
}

const SOURCES: [&str; 7] = ["css", "xpath", "each", "nested", "url", "meta", "value"];
const TAKERS: [&str; 4] = ["attr", "html", "raw", "text"];
const PROCESSORS: [&str; 14] = [
    "collapse",
    "trim",
    "strip_tags",
    "unescape",
    "lower",
    "upper",
    "replace",
    "strip_prefix",
    "strip_suffix",
    "regex",
    "regex_all",
    "number",
    "link",
    "map",
];
const OTHERS: [&str; 13] = [
    "split", "join", "take", "parse", "with", "exists", "default", "required", "rename", "skip",
    "file", "image", "key",
];

impl Field {
    pub(super) fn new(field: &syn::Field, select: &Select) -> Result<Self> {
        let name =
            field.ident.clone().ok_or_else(|| Error::new(super::here(), "it has no name"))?;
        let args = Args::of(&field.attrs)?;
        let known: Vec<&str> = [&SOURCES[..], &TAKERS, &PROCESSORS, &OTHERS].concat();
        for arg in &args.all {
            let written = arg.name.to_string();
            if written == "select" {
                return Err(arg.error("a field is found by `css`; `select` is the struct's"));
            }
            if !known.contains(&&*written) {
                return Err(unknown(arg, &written, &known, "a field"));
            }
        }
        let (shape, inner) = shape(&field.ty);
        let (ty, inner) = (field.ty.clone(), inner.clone());
        let rename =
            args.get("rename").map(|arg| arg.text().map(|text| text.value())).transpose()?;
        args.get("key").map_or(Ok(()), Arg::flag)?;
        let is_key = args.has("key");
        let default = default(&args, shape)?;
        let from = from(&name, &args, shape, &inner, select)?;
        if let (Some(arg), From::Value(_) | From::Skip | From::Url) =
            (args.get("default").or(args.get("required")), &from)
        {
            return Err(arg.error(format!("`{}` says nothing here: the value is known", arg.name)));
        }
        let file = file(&args, &from)?;
        Ok(Self { name, ty, shape, inner, rename, is_key, from, default, file })
    }
}

/// Whether the field names files, which stand where links do.
fn file(args: &Args, from: &From) -> Result<Option<File>> {
    let (file, image) = (args.get("file"), args.get("image"));
    let (arg, kind) = match (file, image) {
        (None, None) => return Ok(None),
        (Some(_), Some(arg)) => return Err(arg.error("an `image` is a `file`; leave out one")),
        (Some(arg), None) => (arg, File::Any),
        (None, Some(arg)) => (arg, File::Image),
    };
    arg.flag()?;
    match from {
        From::Selector(Selector { make: Make::Text, .. }) => Ok(Some(kind)),
        _ => Err(arg.error("a file is named by a URL on the page: write `css` or `xpath`")),
    }
}

fn default(args: &Args, shape: Shape) -> Result<Default> {
    let required = args.get("required");
    required.map_or(Ok(()), Arg::flag)?;
    let Some(arg) = args.get("default") else {
        return match (required, shape) {
            (Some(arg), Shape::Optional) => Err(arg.error(
                "`required` contradicts `Option`; without `Option` a field is required anyway",
            )),
            (Some(_), _) | (None, Shape::One) => Ok(Default::Required),
            (None, _) => Ok(Default::Shape),
        };
    };
    if let Some(required) = required {
        return Err(required.error("`required` and `default` contradict each other"));
    }
    if shape == Shape::Optional {
        let what = "an `Option` that is not found is `None`; leave out `default`, or the `Option`";
        return Err(arg.error(what));
    }
    match &arg.value {
        Value::None => Ok(Default::Type),
        Value::Expr(expr) => Ok(Default::Value(expr.clone())),
        Value::List(_) => Err(arg.error("`default` takes a value like this: `default = 1`")),
    }
}

impl Field {
    /// Its name in JSON.
    pub(super) fn key(&self) -> String {
        let key = self.rename.clone().unwrap_or_else(|| self.name.to_string());
        key.strip_prefix("r#").map_or(key.clone(), str::to_owned)
    }
}

/// Where the value comes from.
fn from(name: &Ident, args: &Args, shape: Shape, inner: &Type, select: &Select) -> Result<From> {
    if let Some(arg) = args.get("skip") {
        arg.flag()?;
        alone(args, arg, &["rename"])?;
        return Ok(From::Skip);
    }
    let sources: Vec<&Arg> =
        args.all.iter().filter(|arg| SOURCES.contains(&&*arg.name.to_string())).collect();
    if let [first, second, ..] = &*sources {
        let both = (first.name.to_string(), second.name.to_string());
        return Err(second.error(match (both.0.as_str(), both.1.as_str()) {
            ("css" | "each", "nested") | ("nested", "css" | "each") => {
                "`each = \"..\"` alone says where nested items stand".to_owned()
            }
            (first, second) => {
                format!("a field has one source, and here are `{first}` and `{second}`")
            }
        }));
    }
    let Some(source) = sources.first() else {
        let own = args.all.iter().any(|arg| {
            TAKERS.contains(&&*arg.name.to_string())
                || ["link", "exists", "file", "image"].iter().any(|own| arg.name == own)
        });
        return match own {
            true => selector(args, shape, inner, Source::Own, Gives::Elements).map(From::Selector),
            false => Err(Error::new(name.span(), no_source(name, args))),
        };
    };
    let is_within = !matches!(select, Select::Page);
    match source.name.to_string().as_str() {
        "css" => {
            let (css, gives) = query::css(&source.text()?)?;
            selector(args, shape, inner, Source::Css(css), gives).map(From::Selector)
        }
        "xpath" => {
            let (expr, gives) = query::xpath(&source.text()?, is_within)?;
            selector(args, shape, inner, Source::XPath(expr), gives).map(From::Selector)
        }
        "each" => {
            alone(args, source, &["rename", "required", "default"])?;
            let Select::Css(css) = query::select_css(&source.text()?)? else {
                return Err(source.error("`each` is a CSS selector"));
            };
            Ok(From::Nested(Some(Source::Css(css))))
        }
        "nested" => {
            source.flag()?;
            alone(args, source, &["rename", "required", "default"])?;
            Ok(From::Nested(None))
        }
        "url" => {
            source.flag()?;
            alone(args, source, &["rename"])?;
            match shape {
                Shape::One => Ok(From::Url),
                _ => Err(source.error("a page has one URL; leave out the `Option` or `Vec`")),
            }
        }
        "meta" => {
            alone(args, source, &["rename", "required", "default"])?;
            Ok(From::Meta(source.text()?.value()))
        }
        _ => {
            alone(args, source, &["rename"])?;
            match &source.value {
                Value::Expr(expr) => Ok(From::Value(expr.clone())),
                _ => Err(source.error("`value` takes an expression: `value = \"shop\"`")),
            }
        }
    }
}

fn no_source(name: &Ident, args: &Args) -> String {
    let hint = match args.has("default") {
        true => "; `value = ..` in place of `default` makes it the same for all",
        false => "",
    };
    format!(
        "nothing says where `{name}` is found: write `#[item(css = \"..\")]` (or `xpath`, `each`, \
         `url`, `meta`), or `#[item(skip)]` to leave it to `Default`{hint}"
    )
}

/// That nothing but `allowed` stands beside an argument, and `key`, which says nothing of where the
/// value is found.
fn alone(args: &Args, arg: &Arg, allowed: &[&str]) -> Result<()> {
    let is_other = |other: &&Arg| {
        let name = other.name.to_string();
        other.name != arg.name && name != "key" && !allowed.contains(&&*name)
    };
    match args.all.iter().find(is_other) {
        None => Ok(()),
        Some(other) => {
            Err(other.error(format!("`{}` cannot be said of `{}`", other.name, arg.name)))
        }
    }
}

fn selector(
    args: &Args,
    shape: Shape,
    inner: &Type,
    source: Source,
    gives: Gives,
) -> Result<Selector> {
    let mut taken = None;
    for arg in args.all.iter().filter(|arg| TAKERS.contains(&&*arg.name.to_string())) {
        if taken.is_some() {
            return Err(arg.error("only one of `attr`, `html`, `raw` and `text` can be taken"));
        }
        taken = Some(match arg.name.to_string().as_str() {
            "attr" => Taken::Attr(attribute(arg, gives)?),
            "html" if gives == Gives::Values => {
                return Err(arg.error("the selector takes texts or attributes, which have no HTML"));
            }
            name => {
                arg.flag()?;
                match name {
                    "html" => Taken::Html,
                    "raw" => Taken::Raw,
                    _ => Taken::Text,
                }
            }
        });
    }
    let is_url = is_named(inner, "CanonicalUrl");
    let is_file = args.has("file") || args.has("image");
    let is_link = args.has("link") || is_url || is_file;
    let (mut source, mut taken) = (
        source,
        taken.unwrap_or_else(|| match is_link && gives == Gives::Elements {
            true if args.has("image") => Taken::Attr("src".to_owned()),
            true => Taken::Attr("href".to_owned()),
            false => Taken::Text,
        }),
    );
    if let (Source::Css(css), Taken::Text) = (&source, &taken)
        && let Some((css, name)) = query::with_attribute(css)
    {
        (source, taken) = (Source::Css(css), Taken::Attr(name));
    }
    if let Some(arg) = args.get("exists") {
        arg.flag()?;
        alone(args, arg, &["css", "xpath", "attr", "rename"])?;
        if shape != Shape::One || !is_named(inner, "bool") {
            return Err(arg.error("`exists` says yes or no: the field is a `bool`"));
        }
        let (all, processors) = (false, Vec::new());
        return Ok(Selector { source, taken, all, processors, make: Make::Exists });
    }
    let (mut processors, all) = processors(args, shape)?;
    if (is_url || is_file) && !args.has("with") && !args.has("parse") && !args.has("link") {
        processors.push(quote!(Link));
    }
    let make = match (args.get("parse"), args.get("with")) {
        (Some(arg), Some(_)) => return Err(arg.error("`parse` and `with` contradict each other")),
        (Some(arg), None) => arg.flag().map(|()| Make::Parse)?,
        (None, Some(arg)) => Make::With(arg.function()?.clone()),
        (None, None) => Make::Text,
    };
    Ok(Selector { source, taken, all, processors, make })
}

fn attribute(arg: &Arg, gives: Gives) -> Result<String> {
    let text = arg.text()?;
    if gives == Gives::Values {
        return Err(arg.error("the selector takes texts or attributes already; leave one out"));
    }
    let name = text.value().to_ascii_lowercase();
    match is_attribute_name(&name) {
        true => Ok(name),
        false => Err(Error::new(text.span(), format!("`{name}` is no attribute's name"))),
    }
}

pub(super) fn is_attribute_name(name: &str) -> bool {
    !name.is_empty()
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b':' | b'.'))
}
