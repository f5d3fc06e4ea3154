//! Attributes that there are not, or not together.

use crawl_spider::prelude::*;

#[derive(Item)]
#[item(selct = "article")]
//~^ selct => there is no `selct`; did you mean `select`?
struct Book {
    title: String,
    //~^ title => nothing says where `title` is found: write `#[item(css = "..")]`
    #[item(default = "unknown")]
    shop: String,
    //~^ shop => `value = ..` in place of `default` makes it the same for all
    #[item(ccs = "h3")]
    //~^ ccs => there is no `ccs`; did you mean `css`?
    name: String,
    #[item(colour = "red")]
    //~^ colour => there is no `colour`; a field may have `css`, `xpath`, `each`,
    colour: String,
    #[item(select = "h3")]
    //~^ select => a field is found by `css`; `select` is the struct's
    selected: String,
    #[item(css = "h3", xpath = ".//h3")]
    //~^ xpath => a field has one source, and here are `css` and `xpath`
    both: String,
    #[item(css = "h3", css = "h4")]
    //~^ css => `css` is written twice
    twice: String,
    #[item(css = "h3", html, attr = "id")]
    //~^ attr => only one of `attr`, `html`, `raw` and `text` can be taken
    taken: String,
    #[item(css = h3)]
    //~^ h3 => `css` wants a string in quotes
    bare: String,
    #[item(css)]
    //~^ css => `css` wants a string: `css = ".."`
    empty: String,
    #[item(css = "h3", number = true)]
    //~^ number => `number` takes no value
    flag: f64,
    #[item(css = "h3", default = "x")]
    //~^ default => an `Option` that is not found is `None`; leave out `default`, or the `Option`
    option: Option<String>,
    #[item(css = "h3", required)]
    //~^ required => `required` contradicts `Option`; without `Option` a field is required anyway
    required: Option<String>,
    #[item(css = "h3", required, default)]
    //~^ required => `required` and `default` contradict each other
    neither: String,
    #[item(css = "h3", split = ",")]
    //~^ split => `split` gives many values: make the field a `Vec`, or add `join = ", "` or
    split: String,
    #[item(css = "h3", take = all)]
    //~^ take => `take` gives many values: make the field a `Vec`
    all: String,
    #[item(css = "h3", join = ",")]
    //~^ join => `join` leaves one value, and the field is a `Vec`
    joined: Vec<String>,
    #[item(css = "h3", take = middle)]
    //~^ take => `take` is `first`, `last` or `all`: `take = last`
    middle: String,
    #[item(css = "h3", replace = "a")]
    //~^ replace => `replace` takes two strings: `replace("from", "to")`
    replaced: String,
    #[item(css = "h3", exists)]
    //~^ exists => `exists` says yes or no: the field is a `bool`
    exists: String,
    #[item(each = "li", attr = "id")]
    //~^ attr => `attr` cannot be said of `each`
    nested: Vec<Part>,
    #[item(each = "li", nested)]
    //~^ nested => `each = ".."` alone says where nested items stand
    nested_twice: Vec<Part>,
    #[item(css = "h3", parse, with = part)]
    //~^ parse => `parse` and `with` contradict each other
    made: u8,
    #[item(css = "h3", with = "part")]
    //~^ with => `with` wants a function: `with = path::to::it`
    quoted: u8,
    #[item(url, lower)]
    //~^ lower => `lower` cannot be said of `url`
    url: String,
    #[item(skip, css = "h3")]
    //~^ css => `css` cannot be said of `skip`
    skipped: String,
}

#[derive(Item)]
#[item(css = "li")]
//~^ css => an item is found by `select`, its fields by `css`
struct Part {
    #[item(css = "b")]
    name: String,
}

#[derive(Item)]
#[item(select = "li", version = "2")]
//~^ version => `version` wants a number: `version = 2`
struct Numbered {
    #[item(css = "b", key = "name")]
    //~^ key => `key` takes no value
    name: String,
}

#[derive(Item)]
#[item(select = "li", xpath = "//li")]
//~^ xpath => the item has two selectors
struct Two {
    #[item(css = "b")]
    name: String,
}

fn part(_: &str) -> Option<u8> {
    None
}
