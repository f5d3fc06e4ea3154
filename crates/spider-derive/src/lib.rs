//! The macros of the spider SDK, which re-exports them; nobody depends on this crate directly.

mod item;

use proc_macro::TokenStream;

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
