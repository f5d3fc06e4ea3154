//! URLs as keys of an index: Sort-friendly URI Reordering Transform, as the Python package `surt`
//! makes them, and pywb and the Wayback Machine look for them.
//!
//! `http://www.Example.com/b/?y=2&x=1` becomes `com,example)/b?x=1&y=2`: the host's labels turned
//! round, all in lower case, without `www`, session ids, the last slash, and what comes to the same.

/// The key of a URL; another URI is its own key, in lower case.
pub(crate) fn surt(uri: &str) -> String {
    let Some(rest) = strip_scheme(uri) else { return uri.to_ascii_lowercase() };
    let rest = rest.split('#').next().unwrap_or_default();
    let end = rest.find(['/', '?', '\\']).unwrap_or(rest.len());
    let (authority, rest) = rest.split_at(end);
    let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
    let is_https = uri.len() > 4 && uri.as_bytes()[4].eq_ignore_ascii_case(&b's');
    let mut key = host_key(authority, if is_https { "443" } else { "80" });
    key.push_str(&path_key(path));
    let query = query_key(query);
    if !query.is_empty() {
        key.push('?');
        key.push_str(&query);
    }
    key
}

fn strip_scheme(uri: &str) -> Option<&str> {
    let (scheme, rest) = uri.split_once("://")?;
    ["http", "https"].iter().any(|known| scheme.eq_ignore_ascii_case(known)).then_some(rest)
}

fn host_key(authority: &str, default_port: &str) -> String {
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host).to_ascii_lowercase();
    let (host, port) = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => (name, port),
        _ => (host.as_str(), ""),
    };
    let port = Some(port).filter(|port| !port.is_empty() && *port != default_port);
    let key = match host.strip_prefix('[') {
        Some(address) => address.trim_end_matches(']').to_owned(),
        None => {
            let name = without_www(host.trim_matches('.'));
            let labels: Vec<&str> = name.rsplit('.').filter(|label| !label.is_empty()).collect();
            labels.join(",")
        }
    };
    match port {
        Some(port) => format!("{key}:{port})"),
        None => format!("{key})"),
    }
}

fn without_www(host: &str) -> &str {
    let Some(rest) = host.strip_prefix("www") else { return host };
    let rest = rest.trim_start_matches(|c: char| c.is_ascii_digit());
    rest.strip_prefix('.').unwrap_or(host)
}

fn path_key(path: &str) -> String {
    let plain = unescape(path.as_bytes());
    let text = escape(&plain);
    let mut parts: Vec<&str> = Vec::new();
    for part in text.split(['/', '\\']) {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    format!("/{}", parts.join("/"))
}

fn query_key(query: &str) -> String {
    let query = escape(&unescape(query.as_bytes()));
    let mut parts: Vec<&str> = query.split('&').collect();
    parts.retain(|part| !is_session(part));
    parts.sort_by_key(|part| part.find('=').map_or((*part, ""), |at| part.split_at(at)));
    parts.join("&")
}

/// Whether a parameter only says who asks.
fn is_session(part: &str) -> bool {
    let Some((name, value)) = part.split_once('=') else { return false };
    let is_id = |len| value.len() == len && value.bytes().all(|byte| byte.is_ascii_alphanumeric());
    match name {
        "jsessionid" | "phpsessid" | "sid" => is_id(32),
        name => name.starts_with("aspsessionid") && name.len() == 20 && is_id(24),
    }
}

/// Takes percent escapes back, also of escapes.
fn unescape(text: &[u8]) -> Vec<u8> {
    let mut text = text.to_vec();
    loop {
        let mut plain = Vec::with_capacity(text.len());
        let mut rest = text.as_slice();
        while let Some((&first, tail)) = rest.split_first() {
            let digit = |i: usize| tail.get(i).and_then(|b| char::from(*b).to_digit(16));
            match (first, digit(0), digit(1)) {
                (b'%', Some(high), Some(low)) => {
                    plain.push(u8::try_from(high << 4 | low).unwrap_or(b'%'));
                    rest = &tail[2..];
                }
                _ => {
                    plain.push(first);
                    rest = tail;
                }
            }
        }
        if plain.len() == text.len() {
            return plain;
        }
        text = plain;
    }
}

/// Escapes what Google's Safe Browsing rules say, in lower case.
fn escape(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    for &byte in bytes {
        match byte {
            0..=0x20 | 0x7f.. | b'#' | b'%' => text.push_str(&format!("%{byte:02x}")),
            byte => text.push(char::from(byte).to_ascii_lowercase()),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_those_of_the_python_package() {
        for (url, key) in [
            ("http://www.Example.com:80/A/b/?b=2&a=1#x", "com,example)/a/b?a=1&b=2"),
            ("https://user:pw@example.com:8443/x/", "com,example:8443)/x"),
            ("http://127.0.0.1:8080/", "1,0,0,127:8080)/"),
            ("http://example.com/?", "com,example)/"),
            ("http://example.com", "com,example)/"),
            ("http://www2.example.co.uk/x%2fy%20z?q=%E9", "uk,co,example)/x/y%20z?q=%e9"),
            ("http://example.com//a//b/", "com,example)/a/b"),
            ("http://[::1]/x", "::1)/x"),
            (
                "http://example.com/a?PHPSESSID=0123456789abcdef0123456789abcdef&z=1",
                "com,example)/a?z=1",
            ),
            ("http://example.com/?b&a=&a", "com,example)/?a&a=&b"),
            ("http://example.com./x", "com,example)/x"),
            ("http://example.com/ü?ü", "com,example)/%c3%bc?%c3%bc"),
            ("https://example.com:443/index.html", "com,example)/index.html"),
            ("http://example.com/a?sid=0123456789abcdef0123456789abcdef", "com,example)/a"),
            ("http://example.com/?a=1&&b=2", "com,example)/?&a=1&b=2"),
            ("http://example.com/%7Eb/%41", "com,example)/~b/a"),
            ("dns:Example.com", "dns:example.com"),
        ] {
            assert_eq!(surt(url), key, "{url}");
        }
    }
}
