//! Cases from what Google documents of its own reading, where the RFC leaves it open.

use super::{check, check_file, check_match};

#[test]
fn its_table_of_paths() {
    for (pattern, matched, others) in [
        ("/", &["/", "/a", "/?q"][..], &[][..]),
        ("/*", &["/", "/a", "/?q"], &[]),
        ("/$", &["/"], &["/a", "/?q"]),
        (
            "/fish",
            &["/fish", "/fish.html", "/fish/salmon.html", "/fishheads", "/fish.php?id=1"],
            &["/Fish.asp", "/catfish", "/?id=fish", "/desert/fish"],
        ),
        (
            "/fish*",
            &[
                "/fish",
                "/fish.html",
                "/fish/salmon.html",
                "/fishheads/yummy.html",
                "/fish.php?id=1",
            ],
            &["/Fish.asp", "/catfish", "/?id=fish", "/desert/fish"],
        ),
        (
            "/fish/",
            &["/fish/", "/fish/?id=1", "/fish/salmon.htm"],
            &["/fish", "/fish.html", "/animals/fish/", "/Fish/Salmon.asp"],
        ),
        (
            "/*.php",
            &["/index.php", "/a/b.php", "/a/b.php?c", "/a/any.php.file.html", "/b.php/"],
            &["/", "/windows.PHP"],
        ),
        ("/*.php$", &["/b.php", "/a/b.php"], &["/b.php?c", "/b.php/", "/b.php5", "/windows.PHP"]),
        ("/fish*.php", &["/fish.php", "/fishheads/catfish.php?c"], &["/Fish.PHP", "/fish"]),
    ] {
        for path in matched {
            check_match(pattern, path, true);
        }
        for path in others {
            check_match(pattern, path, false);
        }
    }
}

#[test]
fn its_table_of_precedence() {
    for (rules, path, allowed) in [
        ("allow: /p; disallow: /", "/page", true),
        ("allow: /folder; disallow: /folder", "/folder/page", true),
        ("allow: /page; disallow: /*.htm", "/page.htm", false),
        ("allow: /page; disallow: /*.ph", "/page.php5", true),
        ("allow: /$; disallow: /", "/", true),
        ("allow: /$; disallow: /", "/page.htm", false),
    ] {
        check(rules, path, allowed);
    }
}

#[test]
fn its_examples_of_groups() {
    let lists = "user-agent: a\ndisallow: /c\n\nuser-agent: b\ndisallow: /d\n\n\
                 user-agent: e\nuser-agent: f\ndisallow: /g\n\nuser-agent: h\n";
    for (agent, path, allowed) in [
        ("a", "/c", false),
        ("a", "/d", true),
        ("b", "/d", false),
        ("e", "/g", false),
        ("f", "/g", false),
        ("f", "/c", true),
        ("h", "/g", true),
    ] {
        check_file(lists, agent, path, allowed);
    }
    let merged = "user-agent: news\ndisallow: /fish\n\nuser-agent: *\ndisallow: /carrots\n\n\
                  user-agent: news\ndisallow: /shrimp\n";
    for (agent, path, allowed) in [
        ("news", "/fish", false),
        ("news", "/shrimp", false),
        ("news", "/carrots", true),
        ("other", "/carrots", false),
        ("other", "/fish", true),
    ] {
        check_file(merged, agent, path, allowed);
    }
    let over_sitemaps = "user-agent: a\nsitemap: https://h/s.xml\n\nuser-agent: b\ndisallow: /\n";
    check_file(over_sitemaps, "a", "/x", false);
    check_file(over_sitemaps, "b", "/x", false);
}

#[test]
fn its_forgiveness() {
    for name in ["disallow", "dissallow", "dissalow", "disalow", "diasllow", "disallaw"] {
        for line in [
            format!("{name}: /x"),
            format!("{name} : /x"),
            format!("{name} /x"),
            format!("{}:/x", name.to_uppercase()),
        ] {
            check(&line, "/x", false);
            check(&line, "/y", true);
        }
    }
    for name in ["user-agent", "useragent", "user agent", "User Agent", "USERAGENT"] {
        for sign in [":", " : ", " ", "\t:\t"] {
            check_file(&format!("{name}{sign}a\ndisallow: /x\n"), "a", "/x", false);
        }
    }
}
