//! The contract again, as naive as it can be said, sharing nothing with the code it judges.
//!
//! Everything is a `String` or a `Vec`, nothing is fast, and each rule is one function.

/// A group: whom it speaks to, what it says, what delays it asks for.
#[derive(Default)]
struct Group {
    agents: Vec<String>,
    rules: Vec<(bool, String)>,
    delays: Vec<String>,
}

/// What is said to one agent.
pub(super) struct Oracle {
    rules: Vec<(bool, String)>,
    pub(super) delay: Option<f64>,
}

impl Oracle {
    pub(super) fn new(file: &[u8], agent: &str) -> Self {
        let groups = groups(file);
        let of = |agent: &str| -> Vec<&Group> {
            let names = |group: &&Group| group.agents.iter().any(|a| *a == agent.to_lowercase());
            groups.iter().filter(names).collect()
        };
        let mut mine = of(agent);
        if mine.is_empty() {
            mine = of("*");
        }
        let numbers = mine.iter().flat_map(|group| &group.delays);
        let numbers = numbers.filter_map(|text| text.parse::<f64>().ok());
        Self {
            delay: numbers.filter(|n| n.is_finite() && *n >= 0.0).reduce(f64::max),
            rules: mine.iter().flat_map(|group| group.rules.clone()).collect(),
        }
    }

    pub(super) fn allows(&self, url: &str) -> bool {
        let path = units(url.split('#').next().unwrap(), false);
        let path = if path.first().is_some_and(|unit| unit == "/") {
            path
        } else {
            [vec!["/".to_owned()], path].concat()
        };
        if path.concat() == "/robots.txt" {
            return true;
        }
        let mut best = (0, true);
        for (allow, pattern) in &self.rules {
            let (pattern, octets) = compiled(pattern);
            if octets > 0 && matches(&pattern, &path) {
                best = best.max((octets, *allow));
            }
        }
        best.1
    }
}

/// Values of the `Sitemap` lines, in order, without repeats.
pub(super) fn sitemaps(file: &[u8]) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for (field, value) in fields(file) {
        if field == "sitemap" && !value.is_empty() && !found.contains(&value) {
            found.push(value);
        }
    }
    found
}

fn groups(file: &[u8]) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    let mut last_was_rule = true;
    for (field, value) in fields(file) {
        match (&*field, groups.last_mut()) {
            ("user-agent", _) => {
                if last_was_rule {
                    groups.push(Group::default());
                }
                last_was_rule = false;
                groups.last_mut().unwrap().agents.push(token(&value));
            }
            ("allow" | "disallow", Some(group)) => {
                last_was_rule = true;
                group.rules.push((field == "allow", value));
            }
            ("crawl-delay", Some(group)) => group.delays.push(value),
            _ => {}
        }
    }
    groups
}

fn token(value: &str) -> String {
    let is_name = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    if value.starts_with('*') && !value[1..].starts_with(is_name) {
        return "*".to_owned();
    }
    value.chars().take_while(|c| is_name(*c)).collect::<String>().to_lowercase()
}

/// All lines that say something: the field by its right name, and the value.
fn fields(file: &[u8]) -> Vec<(String, String)> {
    let file = if file.starts_with(&[0xEF, 0xBB, 0xBF]) { &file[3..] } else { file };
    let mut lines = vec![Vec::new()];
    for byte in file {
        match byte {
            10 | 13 => lines.push(Vec::new()),
            _ => lines.last_mut().unwrap().push(*byte),
        }
    }
    lines.iter().filter_map(|line| field(line)).collect()
}

fn field(line: &[u8]) -> Option<(String, String)> {
    let code: Vec<u8> = line.iter().copied().take_while(|byte| *byte != b'#').collect();
    let code = String::from_utf8(code).ok()?;
    let code = code.trim_matches(is_blank);
    let spellings = [
        ("user-agent", "user-agent useragent user_agent"),
        ("allow", "allow"),
        ("disallow", "disallow dissallow dissalow disalow diasllow disallaw"),
        ("crawl-delay", "crawl-delay"),
        ("sitemap", "sitemap site-map"),
    ];
    for (field, names) in spellings {
        for name in names.split(' ') {
            let name = name.replace('_', " ");
            let Some(head) = code.get(..name.len()) else { continue };
            if head.to_lowercase() != name {
                continue;
            }
            let rest = &code[name.len()..];
            let value = rest.trim_matches(is_blank);
            if let Some(value) = rest.trim_start_matches(is_blank).strip_prefix(':') {
                return Some((field.to_owned(), value.trim_matches(is_blank).to_owned()));
            }
            if rest.starts_with(is_blank) && !value.is_empty() && !value.contains(is_blank) {
                return Some((field.to_owned(), value.to_owned()));
            }
        }
    }
    None
}

fn is_blank(c: char) -> bool {
    c == ' ' || c.is_ascii_control()
}

/// A text as octets in one spelling: each unit is a character or an escape. In a pattern, `*` is
/// kept.
fn units(text: &str, is_pattern: bool) -> Vec<String> {
    let bytes = text.as_bytes();
    let mut units = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        let escape = (bytes[at] == b'%')
            .then(|| bytes.get(at + 1..at + 3))
            .flatten()
            .filter(|digits| digits.iter().all(u8::is_ascii_hexdigit));
        let unit = if let Some(digits) = escape {
            at += 3;
            let byte = u8::from_str_radix(std::str::from_utf8(digits).unwrap(), 16).unwrap();
            match byte {
                b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                    char::from(byte).to_string()
                }
                _ => format!("%{byte:02X}"),
            }
        } else {
            at += 1;
            match bytes[at - 1] {
                b'*' if is_pattern => "*".to_owned(),
                byte if byte.is_ascii_alphanumeric() || b"-._~:/?[]@!&'()+,;=".contains(&byte) => {
                    char::from(byte).to_string()
                }
                byte => format!("%{byte:02X}"),
            }
        };
        units.push(unit);
    }
    units
}

/// A pattern's units, the anchor as `$`, and its octets; a literal `$` is one octet.
fn compiled(pattern: &str) -> (Vec<String>, usize) {
    let (body, is_anchored) = match pattern.strip_suffix('$') {
        Some(body) => (body, true),
        None => (pattern, false),
    };
    let mut units = units(body, true);
    let n_dollars = body.matches('$').count();
    let mut octets = units.iter().map(String::len).sum::<usize>() - 2 * n_dollars;
    if is_anchored {
        units.push("$".to_owned());
        octets += 1;
    }
    (units, octets)
}

/// A table of which prefixes of the pattern match which prefixes of the path.
fn matches(pattern: &[String], path: &[String]) -> bool {
    let mut ends = vec![false; path.len() + 1];
    ends[0] = true;
    for unit in pattern {
        ends = match &**unit {
            "*" => (0..ends.len()).map(|to| ends[..=to].contains(&true)).collect(),
            "$" => (0..ends.len()).map(|to| to == path.len() && ends[to]).collect(),
            _ => {
                (0..ends.len()).map(|to| to > 0 && ends[to - 1] && path[to - 1] == *unit).collect()
            }
        };
    }
    ends.contains(&true)
}
