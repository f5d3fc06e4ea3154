//! `#[spider]`: one static beside the `impl`, by which a host finds the plugin.
//!
//! The static's name carries that of the crate, so that several plugins can be linked into one
//! program. All code behind it is the SDK's; what is written here must be fine in any edition and
//! under `forbid(unsafe_code)`, which does not look into macros.

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote};
use syn::{Error, Item, ItemImpl, Type};

use crate::wanted;

pub(crate) fn spider(args: TokenStream, item: TokenStream) -> TokenStream {
    match check(&args, &item) {
        Ok(mut spider) => {
            let export = export(&spider.self_ty);
            wanted::add(&mut spider);
            quote! { #spider #export }
        }
        Err(error) => {
            // The item stays whatever is wrong, or each use of the type would be one more error.
            let error = error.into_compile_error();
            quote! { #item #error }
        }
    }
}

/// The `impl` that it stands on.
fn check(args: &TokenStream, item: &TokenStream) -> Result<ItemImpl, Error> {
    if !args.is_empty() {
        return Err(Error::new_spanned(args, "`#[spider]` takes no arguments"));
    }
    let wrong = |at: &dyn ToTokens| {
        let text = "`#[spider]` stands on `impl Spider for Type`";
        Err(Error::new_spanned(at.to_token_stream(), text))
    };
    let item = match syn::parse2::<Item>(item.clone()) {
        Ok(Item::Impl(item)) => item,
        Ok(Item::Struct(item)) => return wrong(&item.ident),
        Ok(Item::Enum(item)) => return wrong(&item.ident),
        Ok(Item::Fn(item)) => return wrong(&item.sig),
        Ok(other) => return wrong(&other),
        // The compiler says so itself, of the item.
        Err(error) => return Err(error),
    };
    let ItemImpl { trait_, self_ty, generics, .. } = &item;
    let Some((path, _)) = trait_ else { return wrong(self_ty) };
    if path.segments.last().is_none_or(|last| last.ident != "Spider") {
        return wrong(path);
    }
    if !generics.params.is_empty() {
        let text = "a plugin's spider has no type parameters: write `#[spider]` on the `impl` of \
                    one type";
        return Err(Error::new_spanned(generics, text));
    }
    Ok(item)
}

fn export(spider: &Type) -> TokenStream {
    let name = std::env::var("CARGO_CRATE_NAME").unwrap_or_else(|_| "plugin".to_owned());
    let symbol = syn::LitStr::new(&format!("crawl_plugin_{name}"), Span::call_site());
    quote! {
        const _: () = {
            #[unsafe(export_name = #symbol)]
            #[used]
            static PLUGIN: ::crawl_spider::abi::layout::Header =
                ::crawl_spider::abi::layout::Header::of::<#spider>(
                    ::core::env!("CARGO_PKG_NAME"),
                    ::core::env!("CARGO_PKG_VERSION"),
                    ::core::cfg!(panic = "unwind"),
                );
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(args: TokenStream, item: TokenStream) -> String {
        check(&args, &item).map(|_| ()).unwrap_err().to_string()
    }

    #[test]
    fn it_stands_on_the_impl_of_one_type_and_nowhere_else() {
        let none = TokenStream::new();
        let place = "`#[spider]` stands on `impl Spider for Type`";
        for item in [
            quote! { struct A; },
            quote! { enum A { B } },
            quote! { fn a() {} },
            quote! { impl A {} },
            quote! { impl Default for A {} },
            quote! { mod a {} },
        ] {
            assert_eq!(error(none.clone(), item), place);
        }
        let generic = error(none.clone(), quote! { impl<T> Spider for A<T> {} });
        assert!(generic.contains("type parameters"), "{generic}");
        assert!(error(quote! { name = "x" }, quote! { impl Spider for A {} }).contains("takes no"));
        for item in [
            quote! { impl Spider for A {} },
            quote! { impl crawl_spider::Spider for a::A {} },
            quote! { impl Spider for A<u8> {} },
        ] {
            assert!(check(&none, &item).is_ok());
        }
    }
}
