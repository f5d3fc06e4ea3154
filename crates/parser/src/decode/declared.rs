//! What a server says of a body: its `Content-Type`, and whether it wants it taken at its word.

use crawl_model::Response;
use encoding_rs::Encoding;

use super::mime::{self, MimeType};

/// What comes with a body.
#[derive(Debug, Clone, Default)]
pub(crate) struct Declared {
    mime: Option<MimeType>,
    is_apache_default: bool,
    nosniff: bool,
}

/// The values that old Apaches sent for files they did not know (MIME Sniffing Standard, section
/// 5.1): taken with a grain of salt, and only if they are exactly so.
const APACHE_DEFAULTS: [&[u8]; 4] = [
    b"text/plain",
    b"text/plain; charset=ISO-8859-1",
    b"text/plain; charset=iso-8859-1",
    b"text/plain; charset=UTF-8",
];

impl Declared {
    /// What a response's header says, whatever bytes are in it.
    pub(crate) fn of_response(response: &Response) -> Self {
        let all = |name: &str| -> Vec<&[u8]> {
            let named = response.headers.iter().filter(|(key, _)| **key == *name);
            named.map(|(_, value)| &value[..]).collect()
        };
        let options = all("x-content-type-options");
        // "Determine nosniff" (Fetch, section 3.6): the first value counts.
        let first = mime::split(&options).into_iter().next().unwrap_or_default();
        let nosniff = first.eq_ignore_ascii_case(b"nosniff");
        Self { nosniff, ..Self::of_values(&all("content-type")) }
    }

    /// What a `Content-Type` header says.
    pub(crate) fn of_header(content_type: Option<&str>) -> Self {
        let values: Vec<&[u8]> = content_type.iter().map(|value| value.as_bytes()).collect();
        Self::of_values(&values)
    }

    fn of_values(values: &[&[u8]]) -> Self {
        let is_apache_default =
            values.last().is_some_and(|value| APACHE_DEFAULTS.contains(&value.trim_ascii()));
        Self { mime: mime::extract(values), is_apache_default, nosniff: false }
    }

    /// The MIME type without parameters, in lower case; `None` if there is none that parses.
    pub(crate) fn essence(&self) -> Option<&str> {
        self.mime.as_ref().map(MimeType::essence)
    }

    /// "Legacy extract an encoding" (Fetch, section 2.2.2): what `charset` names; `None` if it
    /// names none of the Encoding Standard's.
    pub(crate) fn charset(&self) -> Option<&'static Encoding> {
        Encoding::for_label(self.mime.as_ref()?.charset()?)
    }

    /// Whether a CSV body has no line of names.
    pub(crate) fn has_no_header(&self) -> bool {
        self.mime.as_ref().is_some_and(MimeType::has_no_header)
    }

    /// The check-for-apache-bug flag.
    pub(crate) fn is_apache_default(&self) -> bool {
        self.is_apache_default
    }

    /// Whether the server forbids guessing (`X-Content-Type-Options: nosniff`).
    pub(crate) fn nosniff(&self) -> bool {
        self.nosniff
    }

    /// The same, with guessing forbidden.
    #[cfg(test)]
    pub(crate) fn strictly(self) -> Self {
        Self { nosniff: true, ..self }
    }
}

/// Whether it is an XML MIME type (MIME Sniffing Standard, section 4.6).
pub(crate) fn is_xml(essence: &str) -> bool {
    essence.ends_with("+xml") || matches!(essence, "text/xml" | "application/xml")
}

/// Whether it is a JSON MIME type (section 4.6).
pub(crate) fn is_json(essence: &str) -> bool {
    essence.ends_with("+json") || matches!(essence, "application/json" | "text/json")
}
