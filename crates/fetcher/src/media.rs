//! Which media types are downloaded.

use crate::FetchConfigError;

/// The patterns of `fetch.content-types`.
#[derive(Debug)]
pub(crate) struct MediaTypes(Vec<Pattern>);

#[derive(Debug)]
enum Pattern {
    /// `*/*`
    Any,
    /// `text/`
    Prefix(Box<str>),
    /// `+xml`
    Suffix(Box<str>),
    /// `text/html`
    Exact(Box<str>),
}

impl MediaTypes {
    pub(crate) fn new(patterns: &[String]) -> Result<Self, FetchConfigError> {
        let parse = |text: &String| {
            Pattern::parse(&text.to_ascii_lowercase())
                .ok_or_else(|| FetchConfigError::ContentType(text.clone()))
        };
        patterns.iter().map(parse).collect::<Result<_, _>>().map(Self)
    }

    /// Whether a body of this `Content-Type` is wanted. One without a type is: many old servers
    /// send none with their pages.
    pub(crate) fn wants(&self, content_type: &[u8]) -> bool {
        let media_type = essence(content_type);
        media_type.is_empty() || self.0.iter().any(|pattern| pattern.matches(media_type))
    }
}

/// A `Content-Type` without parameters (RFC 9110, section 8.3.1).
pub(crate) fn essence(content_type: &[u8]) -> &[u8] {
    content_type.split(|&byte| byte == b';').next().unwrap_or_default().trim_ascii()
}

impl Pattern {
    fn parse(text: &str) -> Option<Self> {
        let is_token = |part: &str| {
            let is_tchar = |b: u8| b.is_ascii_alphanumeric() || b"!#$&-^_.+".contains(&b);
            !part.is_empty() && part.bytes().all(is_tchar)
        };
        if text == "*/*" {
            return Some(Self::Any);
        }
        if let Some(suffix) = text.strip_prefix('*') {
            let is_suffix = suffix.starts_with('+') && is_token(&suffix[1..]);
            return is_suffix.then(|| Self::Suffix(suffix.into()));
        }
        let (kind, subtype) = text.split_once('/').filter(|(kind, _)| is_token(kind))?;
        match subtype {
            "*" => Some(Self::Prefix(format!("{kind}/").into())),
            _ => is_token(subtype).then(|| Self::Exact(text.into())),
        }
    }

    fn matches(&self, media_type: &[u8]) -> bool {
        let is = |part: Option<&[u8]>, text: &str| {
            part.is_some_and(|part| part.eq_ignore_ascii_case(text.as_bytes()))
        };
        match self {
            Self::Any => true,
            Self::Prefix(text) => is(media_type.get(..text.len()), text),
            Self::Suffix(text) => {
                let start = media_type.len().checked_sub(text.len());
                is(start.map(|start| &media_type[start..]), text)
            }
            Self::Exact(text) => is(Some(media_type), text),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_match_types_without_parameters_in_any_case() {
        let patterns = ["text/*", "*+xml", "application/JSON"].map(str::to_owned);
        let types = MediaTypes::new(&patterns).unwrap();
        for wanted in
            ["", " ; x=1", "Text/HTML; charset=utf-8", "image/svg+XML", "application/json"]
        {
            assert!(types.wants(wanted.as_bytes()), "{wanted}");
        }
        for other in ["image/png", "application/jsonx", "xml", "textx/html", "+xm"] {
            assert!(!types.wants(other.as_bytes()), "{other}");
        }
        assert!(MediaTypes::new(&["*/*".to_owned()]).unwrap().wants(b"image/png"));
    }

    #[test]
    fn what_is_no_pattern_is_refused() {
        for bad in ["html", "*", "*/html", "text/", "/x", "text/html; charset=x", "*+", ""] {
            assert!(MediaTypes::new(&[bad.to_owned()]).is_err(), "{bad}");
        }
    }
}
