//! Which class names a person would write into a selector, and what a field is called.
//!
//! Style sheets made by tools name classes by hashes, and frameworks by what things look like:
//! neither says what something is, and the first changes with the next build.

use super::field::Kind;

/// How good a class is for a selector: less is better; `None`: not to be used at all.
pub(super) fn rank_of(class: &str) -> Option<u8> {
    let is_name = class.len() >= 2
        && class.len() <= 40
        && class.starts_with(|c: char| c.is_ascii_alphabetic())
        && class.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'));
    if !is_name || is_made(class) || is_state(class) {
        return None;
    }
    Some(if is_looks(class) { 1 } else { 0 })
}

/// Made by a tool: `css-1q2w3e`, `sc-bdVaJa`, `Card_root__x7Yz1`.
fn is_made(class: &str) -> bool {
    const PREFIXES: [&str; 6] = ["css-", "sc-", "jsx-", "jss", "svelte-", "ng-"];
    if PREFIXES.iter().any(|prefix| class.starts_with(prefix)) {
        return true;
    }
    class.split(['-', '_']).any(|part| {
        let bytes = part.as_bytes();
        let turns = bytes.windows(2).filter(|pair| is_turn(pair[0], pair[1])).count();
        let n_digits = bytes.iter().filter(|byte| byte.is_ascii_digit()).count();
        part.len() >= 5 && (turns >= 3 || (n_digits >= 2 && n_digits < part.len() && turns >= 2))
            || (n_digits == part.len() && part.len() >= 3)
    })
}

/// Where a random word changes its kind of letter: words that people write seldom do.
fn is_turn(a: u8, b: u8) -> bool {
    let digit = a.is_ascii_digit() != b.is_ascii_digit();
    digit || (a.is_ascii_uppercase() && b.is_ascii_uppercase() && a != b)
}

/// What an element is at the moment, not what it is.
fn is_state(class: &str) -> bool {
    const STATES: [&str; 18] = [
        "odd", "even", "first", "last", "active", "selected", "current", "hidden", "visible",
        "open", "closed", "disabled", "new", "alt", "hover", "focus", "loaded", "lazy",
    ];
    STATES.contains(&class) || class.starts_with("is-") || class.starts_with("has-")
}

/// What an element looks like: classes of Bootstrap, Tailwind and their kin.
fn is_looks(class: &str) -> bool {
    const WORDS: [&str; 44] = [
        "col",
        "row",
        "container",
        "wrapper",
        "inner",
        "outer",
        "clearfix",
        "pull",
        "float",
        "flex",
        "grid",
        "d",
        "m",
        "p",
        "mt",
        "mb",
        "ml",
        "mr",
        "mx",
        "my",
        "pt",
        "pb",
        "pl",
        "pr",
        "px",
        "py",
        "w",
        "h",
        "bg",
        "border",
        "rounded",
        "shadow",
        "btn",
        "small",
        "large",
        "left",
        "right",
        "center",
        "justify",
        "items",
        "align",
        "gap",
        "font",
        "xs",
    ];
    let first = class.split(['-', '_']).next().unwrap_or_default();
    WORDS.contains(&first) && (class.len() == first.len() || class[first.len()..].len() <= 9)
}

/// Whether a name (of a class, an id, a role) says that something leads about the site.
pub(super) fn is_about_site(name: &str) -> bool {
    const WORDS: [&str; 22] = [
        "nav",
        "navbar",
        "navigation",
        "menu",
        "sidebar",
        "breadcrumb",
        "breadcrumbs",
        "footer",
        "header",
        "pager",
        "pagination",
        "paginator",
        "social",
        "share",
        "toolbar",
        "tabs",
        "cookie",
        "banner",
        "toc",
        "login",
        "languages",
        "facets",
    ];
    name.to_ascii_lowercase().split(['-', '_', ' ']).any(|word| WORDS.contains(&word))
}

/// Whether a name says that something is one of many.
pub(super) fn is_item(name: &str) -> bool {
    const WORDS: [&str; 20] = [
        "item", "product", "card", "post", "entry", "result", "quote", "article", "book", "story",
        "listing", "offer", "job", "event", "record", "review", "comment", "tile", "teaser", "hit",
    ];
    name.to_ascii_lowercase().split(['-', '_']).any(|word| WORDS.contains(&word))
}

/// Whether a field of this name is worth having even if all items agree.
pub(super) fn is_telling(name: &str) -> bool {
    const WORDS: [&str; 12] = [
        "price",
        "availability",
        "stock",
        "author",
        "category",
        "brand",
        "rating",
        "date",
        "status",
        "location",
        "condition",
        "currency",
    ];
    name.split('_').any(|word| WORDS.contains(&word))
}

/// The name of a field: what its microdata or its class says, else what kind of thing it is.
/// `item`: the class of the items, whose words the fields' names need not repeat.
pub(super) fn of_field(said: Option<&str>, kind: Kind, item: &str) -> String {
    let said = said.map(|said| plain(said, item)).filter(|said| said.len() >= 2);
    match (kind, said) {
        (Kind::Price, Some(said)) if said.contains("price") => said,
        (Kind::Price, None) => "price".to_owned(),
        (_, Some(said)) if !TAGS.contains(&&*said) => said,
        (Kind::Title, _) => "title".to_owned(),
        (Kind::Price, _) => "price".to_owned(),
        (Kind::Link, _) => "link".to_owned(),
        (Kind::Image, _) => "image".to_owned(),
        (Kind::Date, _) => "date".to_owned(),
        (Kind::Number, _) => "number".to_owned(),
        (Kind::List, _) => "tags".to_owned(),
        (Kind::Text | Kind::Class, _) => "text".to_owned(),
    }
}

/// Classes that say no more than the element's name does.
const TAGS: [&str; 9] = ["link", "url", "a", "span", "div", "img", "p", "content", "value"];

/// Whether a class says what its element is.
pub(super) fn says(class: &str) -> bool {
    !TAGS.contains(&class)
}

/// A class as a field's name: `product-card__title` is `title`, `price_color` is `price`.
fn plain(class: &str, item: &str) -> String {
    let last = class.rsplit("__").next().unwrap_or(class);
    let mut lower = String::with_capacity(last.len() + 4);
    let mut before = None;
    for c in last.chars() {
        if c.is_ascii_uppercase() && before.is_some_and(|c: char| c.is_ascii_lowercase()) {
            lower.push('_');
        }
        before = Some(c);
        lower.push(if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '_' });
    }
    const LOOKS: [&str; 12] = [
        "color",
        "colour",
        "wrapper",
        "container",
        "box",
        "inner",
        "block",
        "text",
        "label",
        "col",
        "cell",
        "field",
    ];
    let of_item: Vec<_> = item.split(['-', '_']).map(str::to_ascii_lowercase).collect();
    let words: Vec<_> = lower.split('_').filter(|word| !word.is_empty()).collect();
    let is_of_item = |word: &&&str| of_item.iter().any(|of| of == **word) || is_item(word);
    let own: Vec<_> = words.iter().filter(|word| !is_of_item(word)).collect();
    let own: Vec<&str> = if own.is_empty() { words } else { own.into_iter().copied().collect() };
    let telling: Vec<&str> = own.iter().filter(|word| !LOOKS.contains(word)).copied().collect();
    let kept = if telling.is_empty() { own } else { telling };
    let name = kept.join("_");
    match &*name {
        "fn" => "name".to_owned(), // a microformat's "formatted name"
        name if name.starts_with(|c: char| c.is_ascii_digit()) => format!("n_{name}"),
        _ => name,
    }
}

/// Words of a page (a table's head, say) as a field's name; empty if nothing is left of them.
pub(super) fn of_words(words: &str) -> String {
    let mut name = String::new();
    for c in words.trim().chars().take(60) {
        if c.is_alphanumeric() {
            name.extend(c.to_lowercase().filter(char::is_ascii_alphanumeric));
        } else if !name.is_empty() && !name.ends_with('_') {
            name.push('_');
        }
    }
    let name: String = name.trim_end_matches('_').chars().take(30).collect();
    if name.starts_with(|c: char| c.is_ascii_digit()) { format!("n_{name}") } else { name }
}

/// Adds a number to a name that is taken.
pub(super) fn unlike(name: String, taken: impl Fn(&str) -> bool) -> String {
    if !taken(&name) {
        return name;
    }
    let next = (2..).map(|n: u32| format!("{name}_{n}")).find(|name| !taken(name));
    next.unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_that_people_give_are_used() {
        for good in ["product_pod", "quote", "price", "Card", "entry-title", "h2h", "post2"] {
            assert_eq!(rank_of(good), Some(0), "{good}");
        }
        for looks in ["col-xs-6", "row", "mt-4", "d-flex", "btn-primary"] {
            assert_eq!(rank_of(looks), Some(1), "{looks}");
        }
        for bad in ["css-1q2w3e", "sc-bdVaJa", "odd", "is-open", "x", "3col", "a:b", "k3j4h5"] {
            assert_eq!(rank_of(bad), None, "{bad}");
        }
    }

    #[test]
    fn fields_are_called_what_their_class_says() {
        for (class, kind, item, name) in [
            (Some("price_color"), Kind::Price, "product_pod", "price"),
            (Some("product-card__title"), Kind::Text, "product-card", "title"),
            (Some("authorName"), Kind::Text, "quote", "author_name"),
            (Some("text"), Kind::Text, "quote", "text"),
            (Some("span"), Kind::Text, "", "text"),
            (Some("amount"), Kind::Price, "", "amount"),
            (None, Kind::Date, "", "date"),
        ] {
            assert_eq!(of_field(class, kind, item), name, "{class:?}");
        }
        assert_eq!(of_words(" Rank (2020) "), "rank_2020");
        assert_eq!(of_words("2020"), "n_2020");
        assert_eq!(unlike("a".into(), |name| name == "a" || name == "a_2"), "a_3");
    }
}
