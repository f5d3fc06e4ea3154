//! The URL Standard's parser, state by state and character by character, as slow as it reads.
//!
//! The parser in `crawl_model::url` finds its way through a reference by scanning for
//! delimiters. This one is the text of the standard (section 4.4, "basic URL parser"), for
//! http and https only, and exists to be compared with. Only the host parser is shared.

use std::collections::VecDeque;

/// A URL record (section 4.1).
#[derive(Clone, Default)]
pub(super) struct Record {
    scheme: String,
    username: String,
    password: String,
    host: String,
    port: Option<u16>,
    path: Vec<String>,
    query: Option<String>,
    fragment: Option<String>,
}

enum State {
    SchemeStart,
    Scheme,
    NoScheme,
    SpecialRelativeOrAuthority,
    Relative,
    RelativeSlash,
    SpecialAuthoritySlashes,
    SpecialAuthorityIgnoreSlashes,
    Authority,
    Host,
    Port,
    PathStart,
    Path,
    Query,
    Fragment,
}

/// Parses; `None` is the standard's failure, or another scheme.
pub(super) fn parse(input: &str, base: Option<&Record>) -> Option<Record> {
    let trimmed = input.trim_matches(|c| c <= ' ');
    let input: Vec<char> = trimmed.chars().filter(|c| !matches!(c, '\t' | '\n' | '\r')).collect();
    let mut url = Record::default();
    let mut state = State::SchemeStart;
    let mut buffer = String::new();
    let (mut at_sign_seen, mut in_brackets, mut password_seen) = (false, false, false);
    let mut pointer: isize = 0;
    loop {
        let c = input.get(pointer as usize).copied();
        let remaining = |n: isize| input.get((pointer + n) as usize).copied();
        match state {
            State::SchemeStart => match c {
                Some(c) if c.is_ascii_alphabetic() => {
                    buffer.push(c.to_ascii_lowercase());
                    state = State::Scheme;
                }
                _ => {
                    state = State::NoScheme;
                    pointer -= 1;
                }
            },
            State::Scheme => match c {
                Some(c) if c.is_ascii_alphanumeric() || "+-.".contains(c) => {
                    buffer.push(c.to_ascii_lowercase());
                }
                Some(':') => {
                    url.scheme = std::mem::take(&mut buffer);
                    if url.scheme != "http" && url.scheme != "https" {
                        return None;
                    }
                    state = if base.is_some_and(|base| base.scheme == url.scheme) {
                        State::SpecialRelativeOrAuthority
                    } else {
                        State::SpecialAuthoritySlashes
                    };
                }
                _ => {
                    buffer.clear();
                    state = State::NoScheme;
                    pointer = -1;
                }
            },
            State::NoScheme => {
                base?;
                state = State::Relative;
                pointer -= 1;
            }
            State::SpecialRelativeOrAuthority => {
                if c == Some('/') && remaining(1) == Some('/') {
                    state = State::SpecialAuthorityIgnoreSlashes;
                    pointer += 1;
                } else {
                    state = State::Relative;
                    pointer -= 1;
                }
            }
            State::Relative => {
                let base = base?;
                url.scheme.clone_from(&base.scheme);
                if matches!(c, Some('/' | '\\')) {
                    state = State::RelativeSlash;
                } else {
                    let scheme = std::mem::take(&mut url.scheme);
                    url = Record { scheme, fragment: None, ..base.clone() };
                    match c {
                        Some('?') => {
                            url.query = Some(String::new());
                            state = State::Query;
                        }
                        Some('#') => {
                            url.fragment = Some(String::new());
                            state = State::Fragment;
                        }
                        Some(_) => {
                            url.query = None;
                            url.path.pop();
                            state = State::Path;
                            pointer -= 1;
                        }
                        None => {}
                    }
                }
            }
            State::RelativeSlash => {
                if matches!(c, Some('/' | '\\')) {
                    state = State::SpecialAuthorityIgnoreSlashes;
                } else {
                    let base = base?;
                    url.username.clone_from(&base.username);
                    url.password.clone_from(&base.password);
                    url.host.clone_from(&base.host);
                    url.port = base.port;
                    state = State::Path;
                    pointer -= 1;
                }
            }
            State::SpecialAuthoritySlashes => {
                state = State::SpecialAuthorityIgnoreSlashes;
                if c == Some('/') && remaining(1) == Some('/') {
                    pointer += 1;
                } else {
                    pointer -= 1;
                }
            }
            State::SpecialAuthorityIgnoreSlashes => {
                if !matches!(c, Some('/' | '\\')) {
                    state = State::Authority;
                    pointer -= 1;
                }
            }
            State::Authority => match c {
                Some('@') => {
                    if at_sign_seen {
                        buffer.insert_str(0, "%40");
                    }
                    at_sign_seen = true;
                    for c in buffer.chars() {
                        if c == ':' && !password_seen {
                            password_seen = true;
                            continue;
                        }
                        let part =
                            if password_seen { &mut url.password } else { &mut url.username };
                        encode(part, c, is_userinfo);
                    }
                    buffer.clear();
                }
                None | Some('/' | '?' | '#' | '\\') => {
                    if at_sign_seen && buffer.is_empty() {
                        return None;
                    }
                    pointer -= buffer.chars().count() as isize + 1;
                    buffer.clear();
                    state = State::Host;
                }
                Some(c) => buffer.push(c),
            },
            State::Host => match c {
                Some(':') if !in_brackets => {
                    if buffer.is_empty() {
                        return None;
                    }
                    url.host = url::Host::parse(&buffer).ok()?.to_string();
                    buffer.clear();
                    state = State::Port;
                }
                None | Some('/' | '?' | '#' | '\\') => {
                    pointer -= 1;
                    if buffer.is_empty() {
                        return None;
                    }
                    url.host = url::Host::parse(&buffer).ok()?.to_string();
                    buffer.clear();
                    state = State::PathStart;
                }
                Some(c) => {
                    in_brackets = c == '[' || (in_brackets && c != ']');
                    buffer.push(c);
                }
            },
            State::Port => match c {
                Some(c) if c.is_ascii_digit() => buffer.push(c),
                None | Some('/' | '?' | '#' | '\\') => {
                    if !buffer.is_empty() {
                        let port = buffer.chars().try_fold(0u32, |port, c| {
                            let port = port * 10 + c.to_digit(10)?;
                            (port <= 0xffff).then_some(port)
                        })?;
                        let default = if url.scheme == "https" { 443 } else { 80 };
                        url.port = (port != default).then_some(port as u16);
                        buffer.clear();
                    }
                    state = State::PathStart;
                    pointer -= 1;
                }
                Some(_) => return None,
            },
            State::PathStart => {
                state = State::Path;
                if !matches!(c, Some('/' | '\\')) {
                    pointer -= 1;
                }
            }
            State::Path => match c {
                None | Some('/' | '\\' | '?' | '#') => {
                    let is_slash = matches!(c, Some('/' | '\\'));
                    match buffer.to_ascii_lowercase().replace("%2e", ".").as_str() {
                        ".." => {
                            url.path.pop();
                            if !is_slash {
                                url.path.push(String::new());
                            }
                        }
                        "." if !is_slash => url.path.push(String::new()),
                        "." => {}
                        _ => url.path.push(buffer.clone()),
                    }
                    buffer.clear();
                    if c == Some('?') {
                        url.query = Some(String::new());
                        state = State::Query;
                    } else if c == Some('#') {
                        url.fragment = Some(String::new());
                        state = State::Fragment;
                    }
                }
                Some(c) => encode(&mut buffer, c, is_path),
            },
            State::Query => match c {
                None | Some('#') => {
                    let query = url.query.as_mut()?;
                    buffer.chars().for_each(|c| encode(query, c, is_special_query));
                    buffer.clear();
                    if c.is_some() {
                        url.fragment = Some(String::new());
                        state = State::Fragment;
                    }
                }
                Some(c) => buffer.push(c),
            },
            State::Fragment => {
                if let Some(c) = c {
                    encode(url.fragment.as_mut()?, c, is_fragment);
                }
            }
        }
        if pointer >= input.len() as isize {
            return Some(url);
        }
        pointer += 1;
    }
}

impl Record {
    /// Section 4.5, without and with the fragment.
    pub(super) fn serialize(&self) -> (String, String) {
        let mut out: VecDeque<&str> = VecDeque::from([self.scheme.as_str(), "://"]);
        if !self.username.is_empty() || !self.password.is_empty() {
            out.push_back(&self.username);
            if !self.password.is_empty() {
                out.extend([":", &self.password]);
            }
            out.push_back("@");
        }
        out.push_back(&self.host);
        let port = self.port.map(|port| format!(":{port}")).unwrap_or_default();
        out.push_back(&port);
        for segment in &self.path {
            out.extend(["/", segment]);
        }
        if let Some(query) = &self.query {
            out.extend(["?", query]);
        }
        let url: String = out.into_iter().collect();
        let whole = match &self.fragment {
            Some(fragment) => format!("{url}#{fragment}"),
            None => url.clone(),
        };
        (url, whole)
    }
}

/// "UTF-8 percent-encode" (section 1.3).
fn encode(out: &mut String, c: char, is_in_set: fn(char) -> bool) {
    if is_in_set(c) {
        let mut bytes = [0; 4];
        for byte in c.encode_utf8(&mut bytes).bytes() {
            out.push_str(&format!("%{byte:02X}"));
        }
    } else {
        out.push(c);
    }
}

fn is_c0_control(c: char) -> bool {
    c <= '\x1f' || c > '~'
}

fn is_fragment(c: char) -> bool {
    is_c0_control(c) || " \"<>`".contains(c)
}

fn is_query(c: char) -> bool {
    is_c0_control(c) || " \"#<>".contains(c)
}

fn is_special_query(c: char) -> bool {
    is_query(c) || c == '\''
}

fn is_path(c: char) -> bool {
    is_query(c) || "?^`{}".contains(c)
}

fn is_userinfo(c: char) -> bool {
    is_path(c) || "/:;=@|".contains(c) || ('['..=']').contains(&c)
}
