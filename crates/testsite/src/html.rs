//! How texts get into pages.

/// A whole page; `body` is markup, `title` is text.
pub(crate) fn document(title: &str, body: &str) -> String {
    let mut html = String::with_capacity(body.len() + title.len() + 160);
    html += "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<title>";
    escape(&mut html, title);
    html += "</title>\n</head>\n<body>\n";
    html += body;
    html += "</body>\n</html>\n";
    html
}

/// The text as it stands in markup, also that of XML.
pub(crate) fn escaped(text: &str) -> String {
    let mut html = String::with_capacity(text.len() + 16);
    escape(&mut html, text);
    html
}

/// Writes text or an attribute's value, what needs no escape in one go.
pub(crate) fn escape(html: &mut String, text: &str) {
    let mut rest = text;
    while let Some(at) = rest.find(['&', '<', '>', '"', '\'']) {
        html.push_str(&rest[..at]);
        *html += match rest.as_bytes()[at] {
            b'&' => "&amp;",
            b'<' => "&lt;",
            b'>' => "&gt;",
            b'"' => "&quot;",
            _ => "&#39;",
        };
        rest = &rest[at + 1..];
    }
    html.push_str(rest);
}
