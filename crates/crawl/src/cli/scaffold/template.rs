//! The files of a new spider.

use std::path::Path;

use super::args::Template;

/// A name as it is needed in its places.
pub(super) struct Names {
    /// Of the crate and the files: `tea-shop`.
    pub(super) kebab: String,
    /// Of the crate in Rust: `tea_shop`.
    pub(super) snake: String,
    /// Of the type: `TeaShop`.
    pub(super) camel: String,
}

/// Words that no crate may be called.
const KEYWORDS: [&str; 50] = [
    "abstract", "as", "async", "await", "become", "box", "break", "const", "continue", "crate",
    "do", "dyn", "else", "enum", "extern", "false", "final", "fn", "for", "gen", "if", "impl",
    "in", "let", "loop", "macro", "match", "mod", "move", "mut", "override", "priv", "pub", "ref",
    "return", "self", "static", "struct", "super", "trait", "true", "try", "type", "typeof",
    "unsafe", "unsized", "use", "virtual", "where", "while",
];

/// Names that a crate can have, but that would hide one it is built with.
const TAKEN: [&str; 10] = [
    "core",
    "std",
    "alloc",
    "test",
    "proc_macro",
    "crawl",
    "crawl_spider",
    "crawl_spidertest",
    "serde",
    "serde_json",
];

impl Names {
    /// Checks a name; the error is another one that would do.
    pub(super) fn of(name: &str) -> Result<Self, String> {
        let snake = name.replace('-', "_");
        let is_name = name.starts_with(|c: char| c.is_ascii_lowercase())
            && name
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'-' | b'_'))
            && name.len() <= 64;
        let is_free = !KEYWORDS.contains(&&*snake) && !TAKEN.contains(&&*snake);
        if !is_name || !is_free {
            return Err(proposal(name));
        }
        let camel: String = snake.split('_').map(capital).collect();
        // A type may not hide what the spider's source is written with.
        const TYPES: [&str; 24] = [
            "Page",
            "Spider",
            "Harvest",
            "Link",
            "Node",
            "Request",
            "Value",
            "Rule",
            "Rules",
            "Args",
            "Item",
            "SpiderError",
            "CanonicalUrl",
            "Book",
            "Article",
            "String",
            "Result",
            "Option",
            "Vec",
            "Ok",
            "Err",
            "Some",
            "None",
            "Default",
        ];
        let camel = if TYPES.contains(&&*camel) { format!("{camel}Spider") } else { camel };
        Ok(Self { kebab: name.to_owned(), snake, camel })
    }
}

fn capital(word: &str) -> String {
    let mut chars = word.chars();
    chars.next().map(|c| c.to_ascii_uppercase()).into_iter().chain(chars).collect()
}

/// A name that would do in place of this one.
fn proposal(name: &str) -> String {
    let mut plain = String::new();
    for c in name.chars().take(60) {
        match c {
            'A'..='Z' => {
                if plain.ends_with(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit()) {
                    plain.push('-');
                }
                plain.push(c.to_ascii_lowercase());
            }
            'a'..='z' | '0'..='9' | '_' => plain.push(c),
            _ if !plain.is_empty() && !plain.ends_with('-') => plain.push('-'),
            _ => {}
        }
    }
    let plain = plain.trim_matches(['-', '_']);
    let plain = match plain.chars().next() {
        None => "my-spider".to_owned(),
        Some(c) if c.is_ascii_digit() => format!("spider-{plain}"),
        Some(_) => plain.to_owned(),
    };
    let is_taken = |name: &str| {
        let snake = name.replace('-', "_");
        KEYWORDS.contains(&&*snake) || TAKEN.contains(&&*snake)
    };
    if !is_taken(&plain) {
        return plain;
    }
    let longer = format!("{plain}-spider");
    if is_taken(&longer) { format!("my-{plain}") } else { longer }
}

/// One file: its path in the folder, and its text.
pub(super) type File = (String, String);

/// The one file of a declarative spider.
pub(super) fn declarative(names: &Names) -> File {
    (format!("{}.toml", names.kebab), filled(include_str!("templates/declarative.toml"), names))
}

/// The files of a spider in Rust; `sdk` is the repository of the crawler.
pub(super) fn crate_files(template: Template, names: &Names, sdk: &Path) -> Vec<File> {
    let (lib, config, pages): (_, _, &[(&str, &str)]) = match template {
        Template::Basic | Template::Declarative => (
            include_str!("templates/basic.rs"),
            include_str!("templates/basic.toml"),
            &[
                ("list.http", include_str!("templates/basic/list.http")),
                ("list.json", include_str!("templates/basic/list.json")),
            ],
        ),
        Template::Rules => (
            include_str!("templates/rules.rs"),
            include_str!("templates/rules.toml"),
            &[
                ("list.http", include_str!("templates/basic/list.http")),
                ("list.json", include_str!("templates/rules/list.json")),
                ("book.http", include_str!("templates/rules/book.http")),
                ("book.json", include_str!("templates/rules/book.json")),
            ],
        ),
        Template::Sitemap => (
            include_str!("templates/sitemap.rs"),
            include_str!("templates/sitemap.toml"),
            &[
                ("article.http", include_str!("templates/sitemap/article.http")),
                ("article.json", include_str!("templates/sitemap/article.json")),
            ],
        ),
        Template::Login => (
            include_str!("templates/login.rs"),
            include_str!("templates/login.toml"),
            &[
                ("start.json", include_str!("templates/login/start.json")),
                ("form.http", include_str!("templates/login/form.http")),
                ("form.json", include_str!("templates/login/form.json")),
                ("quotes.http", include_str!("templates/login/quotes.http")),
                ("quotes.json", include_str!("templates/login/quotes.json")),
            ],
        ),
    };
    let manifest = include_str!("templates/Cargo.toml.in")
        .replace("{sdk-spider}", &quoted(&sdk.join("crates/spider")))
        .replace("{sdk-spidertest}", &quoted(&sdk.join("crates/spidertest")));
    let mut files = vec![
        ("Cargo.toml".to_owned(), filled(&manifest, names)),
        ("src/lib.rs".to_owned(), filled(lib, names)),
        (format!("{}.toml", names.kebab), filled(config, names)),
        ("tests/spider.rs".to_owned(), filled(include_str!("templates/test.rs"), names)),
        ("README.md".to_owned(), filled(include_str!("templates/README.md.in"), names)),
        (".gitignore".to_owned(), "/target\n/crawl-data\n/items.jsonl\n".to_owned()),
    ];
    let page =
        |(name, text): &(&str, &str)| (format!("tests/{}/{name}", names.kebab), (*text).to_owned());
    files.extend(pages.iter().map(page));
    files
}

fn filled(text: &str, names: &Names) -> String {
    text.replace("{name}", &names.kebab)
        .replace("crate_name", &names.snake)
        .replace("SpiderName", &names.camel)
}

/// A path as a TOML string: escapes of JSON are escapes of TOML.
fn quoted(path: &Path) -> String {
    serde_json::Value::from(path.to_string_lossy()).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_crates() {
        let names = Names::of("tea-shop2").map_err(drop).unwrap();
        assert_eq!((&*names.snake, &*names.camel), ("tea_shop2", "TeaShop2"));
        assert_eq!(Names::of("link").map_err(drop).unwrap().camel, "LinkSpider");
        for (wrong, better) in [
            ("TeaShop", "tea-shop"),
            ("tea shop!", "tea-shop"),
            ("2tea", "spider-2tea"),
            ("", "my-spider"),
            ("été", "t"),
            ("../x", "x"),
            ("match", "match-spider"),
            ("crawl", "my-crawl"),
            ("serde-json", "serde-json-spider"),
        ] {
            let proposed = Names::of(wrong).map(|_| ()).unwrap_err();
            assert_eq!(proposed, better, "{wrong}");
            assert!(Names::of(&proposed).is_ok());
        }
    }

    #[test]
    fn spiders_are_as_short_as_is_promised() {
        let names = Names::of("books").map_err(drop).unwrap();
        let sdk = Path::new("/a \"b\"");
        let files = crate_files(Template::Basic, &names, sdk);
        let text = |name: &str| &files.iter().find(|(path, _)| path == name).unwrap().1;
        assert!(text("src/lib.rs").lines().count() <= 15);
        assert!(text("Cargo.toml").contains(r#"{ path = "/a \"b\"/crates/spider" }"#));
        assert!(declarative(&names).1.lines().count() <= 12);
        for (path, text) in &files {
            assert!(!text.contains("SpiderName") && !text.contains("{name}"), "{path}");
        }
    }
}
