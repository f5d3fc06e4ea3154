//! The macros of the spider SDK, which re-exports them; nobody depends on this crate directly.

use proc_macro::TokenStream;

mod export;

/// Makes a spider the one that its crate exports as a plugin.
///
/// Stands on `impl Spider for Type`, once in a crate, and leaves it as it is. With
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
