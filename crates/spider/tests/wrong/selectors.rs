//! Selectors and expressions that do not parse, or do not give what is asked of them.

use crawl_spider::prelude::*;

#[derive(Item)]
#[item(select = "article.")]
//~^ "article." => `article.` is not a CSS selector: the name of a class is missing
struct Book {
    #[item(css = "h3 a:frist-child")]
    //~^ "h3 a:frist-child" => the pseudo-class `:frist-child` is not known, at character 5
    title: String,
    #[item(css = "h3 >", attr = "title")]
    //~^ "h3 >" => `h3 >` is not a CSS selector: a combinator has nothing behind it
    full: String,
    #[item(xpath = ".//a[@href")]
    //~^ ".//a[@href" => `.//a[@href` is not an XPath expression: `]` is expected, but it ends
    link: String,
    #[item(xpath = "ends-with(a, 'x')")]
    //~^ "ends-with(a, 'x')" => there is no function `ends-with()` (character 1)
    end: String,
    #[item(css = ".star", attr = "class", regex = r"star (\w+")]
    //~^ r"star (\w+" => `star (\w+` is not a regular expression: unclosed group, at character 6
    rating: Option<String>,
    #[item(xpath = "re:test(., '[z-a]')")]
    //~^ "re:test(., '[z-a]')" => `[z-a]` is no regular expression: invalid character class range
    is_new: bool,
}

#[derive(Item)]
#[item(select = "li")]
struct Row {
    #[item(xpath = "//a/@href")]
    //~^ "//a/@href" => finds the same for each item; write `.//a/@href`, or `(//a/@href)` if
    link: String,
    #[item(xpath = "(//title)")]
    title: String,
    #[item(each = "b::text")]
    //~^ "b::text" => an item stands in an element; leave out `::text` and `::attr(..)`
    parts: Vec<Part>,
}

#[derive(Item)]
#[item(xpath = "count(//li)")]
//~^ "count(//li)" => an item stands in an element, and this gives texts, attributes or plain values
struct Part {
    #[item(css = "a::attr(href)", attr = "title")]
    //~^ attr => the selector takes texts or attributes already; leave one out
    name: String,
    #[item(css = "a", attr = "no name")]
    //~^ "no name" => `no name` is no attribute's name
    other: String,
}
