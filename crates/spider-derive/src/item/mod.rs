//! `#[derive(Item)]`: a type that says where its fields stand on a page.
//!
//! Attributes are read (`args`), checked and sorted per field (`field`, `processors`, `query`), and become a
//! table and a function that reads one item by it (`code`). Whatever can be wrong is said at
//! the place where it is written, all errors at once; a type with errors still implements the
//! traits, so that nothing else is reported that is not wrong.

mod args;
mod field;
mod kind;
mod processors;
mod query;

mod code;

use proc_macro2::{Span, TokenStream};
use syn::{Data, DeriveInput, Error, Fields, Path, Result};

use args::{Args, Value, unknown};
use field::Field;
use query::Select;

/// A struct that is an item.
struct Item {
    name: syn::Ident,
    root: Path,
    select: Select,
    serialize: bool,
    /// As its author numbers it.
    version: Option<u32>,
    fields: Vec<Field>,
}

/// The names of the struct's own attributes.
const NAMES: [&str; 5] = ["select", "xpath", "version", "no_serialize", "crate"];

pub(crate) fn derive(input: TokenStream, root: &str) -> TokenStream {
    let input: DeriveInput = match syn::parse2(input) {
        Ok(input) => input,
        Err(error) => return error.into_compile_error(),
    };
    let mut errors = Errors::default();
    let (root, serialize, item) = read(&input, root, &mut errors);
    match (item, errors.0) {
        (Some(item), None) => code::item(&item),
        (_, error) => {
            let error = error.map(Error::into_compile_error);
            let rest = code::in_place_of(&input, &root, serialize);
            quote::quote!(#error #rest)
        }
    }
}

/// What is wrong, gathered.
#[derive(Default)]
struct Errors(Option<Error>);

impl Errors {
    fn add(&mut self, error: Error) {
        match &mut self.0 {
            Some(errors) => errors.combine(error),
            none => *none = Some(error),
        }
    }

    /// The value, if there is no error.
    fn take<T>(&mut self, result: Result<T>) -> Option<T> {
        result.map_err(|error| self.add(error)).ok()
    }
}

fn read(input: &DeriveInput, root: &str, errors: &mut Errors) -> (Path, bool, Option<Item>) {
    let mut root: Path = syn::parse_str(root).expect("the roots in this crate are paths");
    let (mut select, mut serialize, mut version) = (Select::Page, true, None);
    let args = errors.take(Args::of(&input.attrs)).unwrap_or_default();
    for arg in args.all {
        let is_second = !matches!(select, Select::Page);
        let read = match (arg.name.to_string().as_str(), &arg.value) {
            ("select" | "xpath", _) if is_second => {
                Err(arg.error("the item has two selectors; `,` in a CSS selector means either"))
            }
            ("select", _) => arg.text().and_then(|css| query::select_css(&css)).map(|found| {
                select = found;
            }),
            ("xpath", _) => arg.text().and_then(|expr| query::select_xpath(&expr)).map(|found| {
                select = found;
            }),
            ("version", _) => arg.integer().map(|number| version = Some(number)),
            ("no_serialize", Value::None) => {
                serialize = false;
                Ok(())
            }
            ("crate", Value::Expr(syn::Expr::Path(path))) => {
                root = path.path.clone();
                Ok(())
            }
            ("crate", _) => Err(arg.error("`crate` wants a path: `crate = crawl::spider`")),
            ("css", _) => Err(arg.error(
                "an item is found by `select`, its fields by `css`: \
                 `#[item(select = \"article\")]`",
            )),
            (name, _) => Err(unknown(&arg, name, &NAMES, "a struct")),
        };
        errors.take(read);
    }
    let fields = errors.take(named_fields(input));
    let Some(fields) = fields else { return (root, serialize, None) };
    let mut read = Vec::new();
    for field in fields {
        read.extend(errors.take(Field::new(field, &select)));
    }
    let (name, fields) = (input.ident.clone(), read);
    let item = Item { name, root: root.clone(), select, serialize, version, fields };
    (root, serialize, Some(item))
}

fn named_fields(input: &DeriveInput) -> Result<impl Iterator<Item = &syn::Field>> {
    let wrong = |what: &str| Err(Error::new(input.ident.span(), what));
    if let Some(parameter) = input.generics.params.first() {
        let what = "an item has no generic parameters: it owns what was found";
        return Err(Error::new_spanned(parameter, what));
    }
    match &input.data {
        Data::Struct(data) => match &data.fields {
            Fields::Named(fields) if fields.named.is_empty() => {
                wrong("an item without fields has nothing to take")
            }
            Fields::Named(fields) => Ok(fields.named.iter()),
            Fields::Unnamed(_) | Fields::Unit => {
                wrong("an item is a struct whose fields have names, which its JSON has, too")
            }
        },
        Data::Enum(_) | Data::Union(_) => {
            wrong("an item is a struct, whose fields are found on a page")
        }
    }
}

/// The place of a derive as a whole.
fn here() -> Span {
    Span::call_site()
}
