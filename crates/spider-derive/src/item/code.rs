//! The code that is written for an item.

use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{DeriveInput, Path};

use super::Item;
use super::field::{Default, Field, File, From, Make, Selector, Source, Taken};
use super::kind::Shape;
use super::query::Select;

/// The implementations for an item.
pub(super) fn item(item: &Item) -> TokenStream {
    let Item { name, root, .. } = item;
    let table = table(item);
    let read = read(item);
    let serialize = item.serialize.then(|| serialize(item));
    let files = files(item);
    quote! {
        #[allow(unused_qualifications, unused_mut, clippy::all)]
        const _: () = {
            use #root::rt as __rt;

            #[automatically_derived]
            impl #root::PageItem for #name {
                fn table() -> &'static __rt::Table {
                    #table
                    &TABLE
                }

                fn read(
                    at: &__rt::At<'_>,
                ) -> ::core::result::Result<::core::option::Option<Self>, #root::SpiderError> {
                    #read
                }

                #files
            }

            #serialize
        };
    }
}

/// What asks for the files that its fields name; nothing if none does.
fn files(item: &Item) -> Option<TokenStream> {
    let root = &item.root;
    let calls: Vec<_> = item.fields.iter().filter_map(|field| {
        let kind = match field.file? {
            File::Any => quote!(__rt::FileKind::File),
            File::Image => quote!(__rt::FileKind::Image),
        };
        let (name, ty) = (&field.name, &field.ty);
        let called = field.rename.clone().unwrap_or_else(|| field.name.to_string());
        Some(quote_spanned!(ty.span()=> __rt::files(&self.#name, #called, #kind, page, &mut all);))
    }).collect();
    (!calls.is_empty()).then(|| {
        quote! {
            fn files(&self, page: &#root::Page<'_>) -> ::std::vec::Vec<#root::FileAsk> {
                let mut all = ::std::vec::Vec::new();
                #(#calls)*
                all
            }
        }
    })
}

/// Implementations that are there only so that nobody misses them.
pub(super) fn in_place_of(input: &DeriveInput, root: &Path, serialize: bool) -> TokenStream {
    let name = &input.ident;
    let (parameters, arguments, wheres) = input.generics.split_for_impl();
    let serialize = serialize.then(|| {
        quote! {
            impl #parameters __rt::serde::Serialize for #name #arguments #wheres {
                fn serialize<S: __rt::serde::Serializer>(
                    &self,
                    _: S,
                ) -> ::core::result::Result<S::Ok, S::Error> {
                    ::core::unreachable!()
                }
            }
        }
    });
    quote! {
        const _: () = {
            use #root::rt as __rt;

            impl #parameters #root::PageItem for #name #arguments #wheres {
                fn table() -> &'static __rt::Table {
                    ::core::unreachable!()
                }

                fn read(
                    _: &__rt::At<'_>,
                ) -> ::core::result::Result<::core::option::Option<Self>, #root::SpiderError> {
                    ::core::unreachable!()
                }
            }

            #serialize
        };
    }
}

fn table(item: &Item) -> TokenStream {
    let name = item.name.to_string();
    let select = match &item.select {
        Select::Page => quote!(__rt::Select::Page),
        Select::Css(css) => quote!(__rt::Select::Css(#css)),
        Select::XPath(expr) => quote!(__rt::Select::XPath(#expr)),
    };
    let fields = item.fields.iter().filter_map(table_field);
    let version = version(item);
    let key = item.fields.iter().filter(|field| field.is_key).map(Field::key);
    let is_rows = !matches!(item.select, Select::XPath(_)) && item.fields.iter().all(is_in_rows);
    quote! {
        static TABLE: __rt::Table = __rt::Table {
            name: #name,
            select: #select,
            fields: &[#(#fields),*],
            is_rows: #is_rows,
            version: #version,
            key: &[#(#key),*],
            made: __rt::Made::new(),
        };
    }
}

/// The number that the author gave, or a hash (FNV-1a) over the names and types of the fields.
fn version(item: &Item) -> String {
    if let Some(number) = item.version {
        return number.to_string();
    }
    let mut hash = 0x811c_9dc5_u32;
    for field in &item.fields {
        let ty = &field.ty;
        let text = format!("{}:{};", field.key(), quote!(#ty));
        for byte in text.bytes().filter(|byte| !byte.is_ascii_whitespace()) {
            hash = (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193);
        }
    }
    format!("#{hash:08x}")
}

/// Whether rows of a query can have it.
fn is_in_rows(field: &Field) -> bool {
    match &field.from {
        From::Nested(_) => false,
        From::Selector(Selector { source, taken, .. }) => {
            !matches!(source, Source::XPath(_)) && *taken != Taken::Raw
        }
        From::Url | From::Meta(_) | From::Value(_) | From::Skip => true,
    }
}

/// Whether it stands in the table.
fn is_in_table(field: &Field) -> bool {
    matches!(field.from, From::Selector(_) | From::Nested(_))
}

fn table_field(field: &Field) -> Option<TokenStream> {
    let (source, taken, all, processors) = match &field.from {
        From::Selector(Selector { source, taken, all, processors, .. }) => {
            (source, taken, *all, &processors[..])
        }
        From::Nested(source) => {
            (source.as_ref().unwrap_or(&Source::Own), &Taken::Text, false, &[][..])
        }
        From::Url | From::Meta(_) | From::Value(_) | From::Skip => return None,
    };
    let name = field.name.to_string();
    let source = match source {
        Source::Own => quote!(__rt::Source::Own),
        Source::Css(css) => quote!(__rt::Source::Css(#css)),
        Source::XPath(expr) => quote!(__rt::Source::XPath(#expr)),
    };
    let taken = match taken {
        Taken::Text => quote!(__rt::Taken::Text),
        Taken::Raw => quote!(__rt::Taken::Raw),
        Taken::Html => quote!(__rt::Taken::Html),
        Taken::Attr(name) => quote!(__rt::Taken::Attr(#name)),
    };
    Some(quote! {
        __rt::Field {
            name: #name,
            source: #source,
            taken: #taken,
            all: #all,
            processors: &[#(__rt::Processor::#processors),*],
        }
    })
}

fn read(item: &Item) -> TokenStream {
    let (mut reads, mut values) = (Vec::new(), Vec::new());
    let mut index = 0_usize;
    for field in &item.fields {
        let (read, value) = read_field(field, index);
        index += usize::from(is_in_table(field));
        reads.push(read);
        let name = &field.name;
        values.push(quote!(#name: #value));
    }
    quote! {
        let mut reader = at.reader::<Self>();
        #(#reads)*
        if !reader.found() {
            return ::core::result::Result::Ok(::core::option::Option::None);
        }
        ::core::result::Result::Ok(::core::option::Option::Some(Self { #(#values),* }))
    }
}

/// How a field is read, and what its value is once it is known that there is an item.
fn read_field(field: &Field, index: usize) -> (TokenStream, TokenStream) {
    let variable = format_ident!("field_{}", field.name);
    let (inner, name) = (&field.inner, field.name.to_string());
    // What a type lacks is said where the type is written.
    let span = field.ty.span();
    let read = match &field.from {
        From::Skip => {
            return (quote!(), quote_spanned!(span=> ::core::default::Default::default()));
        }
        From::Value(expr) => return (quote!(), converted(expr)),
        From::Url => {
            let ty = &field.ty;
            return (quote!(), quote_spanned!(span=> reader.url::<#ty>(#name)?));
        }
        From::Meta(key) if field.shape == Shape::Optional => {
            quote_spanned!(span=> reader.meta::<#inner>(#name, #key)?)
        }
        From::Meta(key) => {
            let ty = &field.ty;
            quote_spanned!(span=> reader.meta::<#ty>(#name, #key)?)
        }
        From::Nested(source) => {
            let is_own = source.is_none();
            match field.shape {
                Shape::Many => quote_spanned!(span=> reader.nested_all::<#inner>(#index, #is_own)?),
                _ => quote_spanned!(span=> reader.nested::<#inner>(#index, #is_own)?),
            }
        }
        From::Selector(Selector { make: Make::Exists, .. }) => {
            return (quote!(let #variable = reader.exists(#index)?;), quote!(#variable));
        }
        From::Selector(Selector { make, .. }) => {
            let make = match make {
                Make::With(function) => {
                    let span = function.span();
                    quote_spanned! {span=>
                        |text: &str, _: &_| __rt::Answer::<#inner>::answer((#function)(text))
                    }
                }
                Make::Parse => {
                    quote_spanned!(span=> |text: &str, _: &_| __rt::parse::<#inner>(text))
                }
                Make::Text | Make::Exists => {
                    quote_spanned!(span=> |text: &str, page: &_| __rt::text::<#inner>(text, page))
                }
            };
            match field.shape {
                Shape::Many => quote!(reader.many(#index, #make)?),
                _ => quote!(reader.one(#index, #make)?),
            }
        }
    };
    let value = value(field, index, &variable);
    (quote!(let #variable = #read;), value)
}

/// The value of what was read.
fn value(field: &Field, index: usize, variable: &Ident) -> TokenStream {
    let (name, is_many) = (field.name.to_string(), field.shape == Shape::Many);
    let is_meta = matches!(field.from, From::Meta(_));
    let or = |default: TokenStream| match is_many && !is_meta {
        true => quote! {
            if #variable.is_empty() { #default } else { #variable }
        },
        false => quote! {
            match #variable {
                ::core::option::Option::Some(value) => value,
                ::core::option::Option::None => #default,
            }
        },
    };
    match (&field.default, &field.from) {
        (Default::Required, From::Meta(key)) => {
            quote!(reader.required_meta(#name, #key, #variable)?)
        }
        (Default::Required, _) if is_many => quote!(reader.some(#index, #variable)?),
        (Default::Required, _) => quote!(reader.required(#index, #variable)?),
        (Default::Shape, _) if is_many && is_meta => {
            or(quote!(::core::default::Default::default()))
        }
        (Default::Shape, _) => quote!(#variable),
        (Default::Type, _) => {
            let span = field.ty.span();
            or(quote_spanned!(span=> ::core::default::Default::default()))
        }
        (Default::Value(expr), _) => {
            let (ty, expr) = (&field.ty, converted(expr));
            or(quote!({ let default: #ty = #expr; default }))
        }
    }
}

/// A value that is written in an attribute; strings become what the field is.
fn converted(expr: &syn::Expr) -> TokenStream {
    match super::args::string(expr) {
        Some(text) => {
            quote_spanned!(text.span()=> <_ as ::core::convert::From<&'static str>>::from(#text))
        }
        None => quote!(#expr),
    }
}

fn serialize(item: &Item) -> TokenStream {
    let root = &item.root;
    let (name, text, n_fields) = (&item.name, item.name.to_string(), item.fields.len());
    let fields = item.fields.iter().map(|field| {
        let key = field.key();
        let span = field.ty.span();
        let mut name = field.name.clone();
        name.set_span(span.located_at(span).resolved_at(name.span()));
        quote_spanned! {span=>
            __rt::serde::ser::SerializeStruct::serialize_field(&mut fields, #key, &self.#name)?;
        }
    });
    quote! {
        #[automatically_derived]
        impl __rt::serde::Serialize for #name {
            fn serialize<S: __rt::serde::Serializer>(
                &self,
                serializer: S,
            ) -> ::core::result::Result<S::Ok, S::Error> {
                __rt::note(<Self as #root::PageItem>::table());
                let mut fields = serializer.serialize_struct(#text, #n_fields)?;
                #(#fields)*
                __rt::serde::ser::SerializeStruct::end(fields)
            }
        }
    }
}
