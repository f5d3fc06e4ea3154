//! The macros of the spider SDK, which re-exports them; nobody depends on this crate directly.

use proc_macro::TokenStream;

mod export;
mod item;
mod wanted;

/// Makes a spider the one that its crate exports as a plugin.
///
/// Stands on `impl Spider for Type`, once in a crate. If its `parse` extracts derived items and it has
/// no `wants`, it gets one, so that they are matched while pages stream by. With
/// `crate-type = ["cdylib", "rlib"]` the crate is then a shared library that `crawl run` loads,
/// and a library that programs link, from one source.
///
/// A type with a [`Default`] takes no arguments; for others, implement `FromArgs`.
///
/// ```
/// use crawl_spider::prelude::*;
///
/// #[derive(Default)]
/// struct Titles;
///
/// #[spider]
/// impl Spider for Titles {
///     fn parse(&self, page: &Page<'_>, out: &mut Harvest) -> Result<(), SpiderError> {
///         out.item(page.title())
///     }
/// }
/// ```
#[proc_macro_attribute]
pub fn spider(args: TokenStream, item: TokenStream) -> TokenStream {
    export::spider(args.into(), item.into()).into()
}

// What it does is documented where it is re-exported, by the SDK.
#[allow(missing_docs)]
#[proc_macro_derive(Item, attributes(item))]
pub fn item(input: TokenStream) -> TokenStream {
    item::derive(input.into(), "::crawl_spider").into()
}

/// The same for programs that depend on `crawl` and not on the SDK; it is re-exported there as
/// `Item`.
#[proc_macro_derive(EmbeddedItem, attributes(item))]
pub fn embedded_item(input: TokenStream) -> TokenStream {
    item::derive(input.into(), "::crawl::spider").into()
}
