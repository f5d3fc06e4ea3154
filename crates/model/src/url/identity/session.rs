//! Session ids in URLs: servers write them into every link for visitors without cookies, so that one
//! page has as many URLs as there were visits.

use std::borrow::Cow;

use super::config::NoParameter;
use super::query::Names;

/// Parameters that hold nothing else: PHP, Java, ColdFusion, Perl's CGI::Session, osCommerce and
/// its heirs, ASP with eight letters that differ from server to server.
const ALWAYS: &str =
    "phpsessid phpsessionid jsessionid cfid cftoken cgisessid oscsid xtcsid zenid aspsessionid*";

/// Parameters that hold something else on other sites: they count if the value looks like an id.
const SOMETIMES: &str = "sid s sess sessid session sessionid session_id";

/// Fewest characters of a session id. Those of PHP have 26 or 32, of ASP.NET 24.
const MIN_ID: usize = 20;

/// The names of session ids.
#[derive(Debug, Clone)]
pub(super) struct Sessions {
    always: Names,
    sometimes: Names,
}

impl Sessions {
    pub(super) fn new() -> Result<Self, NoParameter> {
        let names = |text: &str| {
            let list: Vec<String> = text.split(' ').map(str::to_owned).collect();
            Names::new(&list)
        };
        Ok(Self { always: names(ALWAYS)?, sometimes: names(SOMETIMES)? })
    }

    /// Whether a parameter is a session id.
    pub(super) fn has(&self, name: &str, value: &str) -> bool {
        self.always.contains(name) || (looks_random(value) && self.sometimes.contains(name))
    }

    /// A path without session ids: without parameters such as `;jsessionid=…` and without segments
    /// such as `(S(…))`.
    pub(super) fn out_of<'a>(&self, path: &'a str) -> Cow<'a, str> {
        let mut out = String::new();
        // The piece before the first slash is empty.
        let mut segments = path.split('/');
        out.push_str(segments.next().unwrap_or_default());
        let mut is_last_gone = false;
        for segment in segments {
            let kept = self.out_of_segment(segment);
            is_last_gone = is_aspnet(&kept);
            if !is_last_gone {
                out.push('/');
                out.push_str(&kept);
            }
        }
        if is_last_gone {
            out.push('/'); // what it stood in is a folder still
        }
        if out == path { Cow::Borrowed(path) } else { Cow::Owned(out) }
    }

    /// A segment without the parameters that are session ids.
    fn out_of_segment<'a>(&self, segment: &'a str) -> Cow<'a, str> {
        let mut parts = segment.split(';');
        let name = parts.next().unwrap_or_default();
        let is_id = |part: &str| {
            let (name, value) = part.split_once('=').unwrap_or((part, ""));
            self.has(name, value)
        };
        // Dots alone would be read otherwise than they were here.
        if matches!(name, "." | "..") || !parts.clone().any(is_id) {
            return Cow::Borrowed(segment);
        }
        let mut out = name.to_owned();
        for part in parts.filter(|part| !is_id(part)) {
            out.push(';');
            out.push_str(part);
        }
        Cow::Owned(out)
    }
}

/// Whether a value has the length and the mixture of an id: no word, no number.
fn looks_random(value: &str) -> bool {
    value.len() >= MIN_ID
        && value.bytes().all(|b| b.is_ascii_alphanumeric())
        && value.bytes().any(|b| b.is_ascii_digit())
        && value.bytes().any(|b| b.is_ascii_alphabetic())
}

/// Whether a segment is an id of ASP.NET without cookies: `(S(…))` with other letters beside it,
/// such as `(A(…)S(…)F(…))`, or of its first version, 24 characters in brackets.
fn is_aspnet(segment: &str) -> bool {
    let Some(inner) = segment.strip_prefix('(').and_then(|rest| rest.strip_suffix(')')) else {
        return false;
    };
    let is_first_version =
        inner.len() == 24 && inner.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
    is_first_version || is_lettered(inner)
}

/// Whether a text is one or more of `A(…)`, `F(…)`, `S(…)`.
fn is_lettered(mut text: &str) -> bool {
    if text.is_empty() {
        return false;
    }
    while !text.is_empty() {
        let opened = ["A(", "F(", "S("].iter().find_map(|start| text.strip_prefix(start));
        let Some((id, rest)) = opened.and_then(|inner| inner.split_once(')')) else { return false };
        if id.is_empty() || id.contains('(') {
            return false;
        }
        text = rest;
    }
    true
}
