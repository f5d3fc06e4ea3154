//! What a spider extracts from every page, read off its `parse`, so that nobody has to say it twice.
//!
//! `Spider::wants` lets the host match items while the page streams by, for a third of what its tree
//! costs. It is a hint: an item that is not found here is extracted all the same.

use proc_macro2::{Delimiter, TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::{ImplItem, ImplItemFn, ItemImpl, Type};

/// Adds `wants` to a spider that has none, if its `parse` extracts items of named types.
pub(crate) fn add(spider: &mut ItemImpl) {
    let is_method = |name: &str, item: &ImplItem| match item {
        ImplItem::Fn(method) => method.sig.ident == name,
        _ => false,
    };
    if spider.items.iter().any(|item| is_method("wants", item)) {
        return;
    }
    let parse = spider.items.iter().find(|item| is_method("parse", item));
    let Some(ImplItem::Fn(parse)) = parse else { return };
    let types = extracted(parse);
    if types.is_empty() {
        return;
    }
    let wants = quote! {
        fn wants(&self) -> ::std::vec::Vec<::crawl_spider::ItemQuery> {
            ::std::vec![#(<#types as ::crawl_spider::PageItem>::query()),*]
        }
    };
    spider.items.extend(syn::parse2(wants).map(ImplItem::Fn));
}

/// The types of all `extract::<Type>` in a method, each once. None if it declares types of its own:
/// they have no name outside of it.
fn extracted(method: &ImplItemFn) -> Vec<Type> {
    let declares = |statement: &syn::Stmt| matches!(statement, syn::Stmt::Item(_));
    let mut types = Vec::new();
    if !method.block.stmts.iter().any(declares) {
        find(method.block.to_token_stream(), &mut types);
    }
    types
}

fn find(tokens: TokenStream, types: &mut Vec<Type>) {
    let tokens: Vec<TokenTree> = tokens.into_iter().collect();
    for (at, token) in tokens.iter().enumerate() {
        match token {
            TokenTree::Group(group) => find(group.stream(), types),
            TokenTree::Ident(name) if *name == "extract" => {
                let text = |found: &Type| found.to_token_stream().to_string();
                let is_new = |found: &Type| types.iter().all(|known| text(known) != text(found));
                let found = argument(&tokens[at + 1..]).filter(is_new);
                types.extend(found);
            }
            _ => {}
        }
    }
}

/// The type of the `::<Type>(` that `tokens` begin with.
fn argument(tokens: &[TokenTree]) -> Option<Type> {
    let is = |at: usize, mark: char| match tokens.get(at) {
        Some(TokenTree::Punct(punct)) => punct.as_char() == mark,
        _ => false,
    };
    let is_call = |token: &TokenTree| match token {
        TokenTree::Group(group) => group.delimiter() == Delimiter::Parenthesis,
        _ => false,
    };
    if !(is(0, ':') && is(1, ':') && is(2, '<')) {
        return None;
    }
    let call = tokens.iter().position(is_call)?;
    let inside = tokens.get(3..call.checked_sub(1)?)?;
    match syn::parse2(inside.iter().cloned().collect()).ok()? {
        Type::Infer(_) => None,
        found => Some(found),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The spider's `wants` as written by the macro.
    fn wants(methods: &TokenStream) -> String {
        let mut spider = syn::parse2(quote! { impl Spider for A { #methods } }).unwrap();
        add(&mut spider);
        let found = spider.items.iter().find_map(|item| match item {
            ImplItem::Fn(method) if method.sig.ident == "wants" => Some(&method.block),
            _ => None,
        });
        found.map(|block| block.to_token_stream().to_string()).unwrap_or_default()
    }

    #[test]
    fn what_parse_extracts_is_wanted_once() {
        let found = wants(&quote! {
            fn parse(&self) {
                out.extract::<Book>(page)?;
                if page.is() {
                    for one in page.extract::<shop::Review<u8>>()? { out.extract::<Book>(page)?; }
                }
            }
        });
        let query = |of: &str| format!("< {of} as :: crawl_spider :: PageItem > :: query ()");
        let (book, review) = (query("Book"), query("shop :: Review < u8 >"));
        assert_eq!(found, format!("{{ :: std :: vec ! [{book} , {review}] }}"));
    }

    #[test]
    fn nothing_is_added_where_it_could_be_wrong() {
        let own = wants(&quote! {
            fn wants(&self) { nothing() }
            fn parse(&self) { out.extract::<Book>(page) }
        });
        assert_eq!(own, "{ nothing () }");
        for methods in [
            quote! { fn parse(&self) { out.item(page.title()) } },
            quote! { fn error(&self) { out.extract::<Book>(page) } },
            quote! { fn parse(&self) { struct Book; out.extract::<Book>(page) } },
            quote! { fn parse(&self) { out.extract::<_>(page); extract(); extract::<3>() } },
        ] {
            assert_eq!(wants(&methods), "", "{methods}");
        }
    }
}
