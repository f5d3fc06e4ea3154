//! Fields whose types cannot be read.

use crawl_spider::prelude::*;

struct Genre;

#[derive(Item)]
#[item(no_serialize)]
struct Book {
    #[item(css = ".genre")]
    genre: Genre,
    //~^ Genre => a field of an item cannot be a `Genre`
    #[item(css = ".genre")]
    genres: Vec<Genre>,
    //~^ Genre => write `parse` in its `#[item(..)]` if it implements `FromStr`
    #[item(css = ".genre", parse)]
    parsed: Genre,
    //~^ Genre => the trait bound `Genre: FromStr` is not satisfied
    #[item(each = ".genre")]
    nested: Vec<Genre>,
    //~^ Genre => `#[derive(Item)]` makes it one
    #[item(css = ".n", with = half)]
    //~^ half => a function that reads values cannot return `u8`
    half: u8,
    #[item(css = ".n", map = half)]
    //~^ half => a function that changes texts cannot return `u8`
    text: String,
    #[item(css = ".n", default = 1.5)]
    //~^ 1.5 => mismatched types
    n: u8,
    #[item(skip)]
    skipped: Genre,
    //~^ Genre => the trait bound `Genre: Default` is not satisfied
}

#[derive(Item)]
struct Shelf {
    #[item(css = ".genre", with = genre)]
    genre: Genre,
    //~^ Genre => `Genre: serde::Serialize` is not satisfied
}

fn half(_: &str) -> u8 {
    0
}

fn genre(_: &str) -> Option<Genre> {
    Some(Genre)
}
