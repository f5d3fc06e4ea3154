//! Prints how many items a spider of each kind must find, for `.ci/examples`: one name, one number
//! a line.

use crawl_testsite::{Directory, News, Quotes};

fn main() {
    let quotes = Quotes::quotes().len();
    for (name, n_items) in [
        ("quotes", quotes),
        ("scroll", quotes),
        ("login", quotes),
        ("authors", Quotes::authors().len()),
        ("books", 60), // what its config asks for
        ("covers", 60),
        ("sitemap", News::articles().len()),
        ("multi_domain", Directory::events().len()),
    ] {
        println!("{name} {n_items}");
    }
}
