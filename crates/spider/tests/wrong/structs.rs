//! Types that cannot be items.

use crawl_spider::prelude::*;

#[derive(Item)]
enum Either {
    //~^ Either => an item is a struct, whose fields are found on a page
    A,
}

#[derive(Item)]
struct Pair(String, String);
//~^ Pair => an item is a struct whose fields have names, which its JSON has, too

#[derive(Item)]
struct Empty {}
//~^ Empty => an item without fields has nothing to take

#[derive(Item)]
struct Borrowed<'a> {
    //~^ 'a => an item has no generic parameters: it owns what was found
    #[item(css = "h1")]
    title: &'a str,
}
