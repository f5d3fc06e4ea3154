//! Which names belong to many: the public suffix list, compiled in.
//!
//! Without it `a.co.uk` could set a cookie for all of `co.uk`.

use std::net::Ipv4Addr;

/// Whether names below `domain` belong to different people: `com`, `co.uk`, `github.io`, and
/// every name without a dot.
pub(super) fn is_public(domain: &str) -> bool {
    psl::suffix_str(domain).is_none_or(|suffix| suffix.len() == domain.len())
}

/// Whether the list names `domain` itself as belonging to many.
pub(crate) fn is_listed(domain: &str) -> bool {
    psl::suffix(domain.as_bytes())
        .is_some_and(|suffix| suffix.is_known() && suffix.as_bytes().len() == domain.len())
}

/// The registered domain that `host` is in; the host itself if it is in none.
pub(super) fn site(host: &str) -> &str {
    if is_address(host) { host } else { psl::domain_str(host).unwrap_or(host) }
}

/// Whether a host of a canonical URL is an address.
pub(super) fn is_address(host: &str) -> bool {
    host.ends_with(']')
        || (host.ends_with(|c: char| c.is_ascii_digit()) && host.parse::<Ipv4Addr>().is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_knows_its_rules_wildcards_and_exceptions() {
        for (host, expected) in [
            ("example.com", "example.com"),
            ("a.b.example.com", "example.com"),
            ("a.b.example.co.uk", "example.co.uk"),
            ("com", "com"),
            ("co.uk", "co.uk"),
            ("joe.github.io", "joe.github.io"),
            ("a.joe.github.io", "joe.github.io"),
            ("a.b.c.kobe.jp", "b.c.kobe.jp"),
            ("a.city.kobe.jp", "city.kobe.jp"),
            ("a.b.xn--55qx5d.cn", "b.xn--55qx5d.cn"),
            ("a.shop.test", "shop.test"),
            ("localhost", "localhost"),
            ("127.0.0.1", "127.0.0.1"),
            ("[::1]", "[::1]"),
        ] {
            assert_eq!(site(host), expected, "{host}");
        }
        for (domain, public, listed) in [
            ("com", true, true),
            ("co.uk", true, true),
            ("github.io", true, true),
            ("c.kobe.jp", true, true),
            ("city.kobe.jp", false, false),
            ("test", true, false),
            ("shop.test", false, false),
            ("", true, false),
        ] {
            assert_eq!((is_public(domain), is_listed(domain)), (public, listed), "{domain}");
        }
    }
}
