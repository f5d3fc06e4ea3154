//! Sending a form: "constructing the entry list" and the ways to write it (HTML Standard,
//! sections 4.10.21.4 to 4.10.21.8).

use std::borrow::Cow;

use crawl_model::{CanonicalUrl, Method, Request};

use super::fill::hint;
use super::{Button, Enctype, FieldKind, Form, FormError, FormTarget};
use crate::SpiderError;

/// Name, value, and whether it stands for a file.
struct Entry {
    name: String,
    value: String,
    is_file: bool,
}

impl Form<'_> {
    /// What would be sent, without a button: names and values in the order of the document.
    #[must_use]
    pub fn entries(&self) -> Vec<(String, String)> {
        self.entry_list().into_iter().map(|entry| (entry.name, entry.value)).collect()
    }

    /// The request that sends it, no button pressed. For
    /// [`Harvest::request`](crate::Harvest::request).
    ///
    /// # Errors
    /// [`SpiderError::Form`] if it is not sent to anything that is crawled, and
    /// [`SpiderError::Url`] if the URL with all values is too long.
    pub fn submit(&self) -> Result<Request, SpiderError> {
        self.request(&self.parts.target, self.entry_list())
    }

    /// The request that sends it when a button is pressed: found by its name, its `id`, or what
    /// is written on it, in this order.
    ///
    /// # Errors
    /// As for [`submit`](Self::submit), and if there is no such button or it is disabled.
    pub fn submit_with(&self, button: &str) -> Result<Request, SpiderError> {
        let buttons = &self.parts.buttons;
        let by = |what: fn(&Button) -> &str| buttons.iter().find(|b| what(b) == button);
        let found = by(|b| &b.name).or_else(|| by(|b| &b.id)).or_else(|| by(|b| &b.label));
        let Some(found) = found else {
            let known = buttons.iter().map(|b| [&b.name, &b.id, &b.label].map(String::as_str));
            let known = known.filter_map(|names| names.into_iter().find(|name| !name.is_empty()));
            let name = button.to_owned();
            return Err(FormError::UnknownButton { name, hint: hint(button, known) }.into());
        };
        self.press(found)
    }

    /// The request that sends it when this one of its [`buttons`](Self::buttons) is pressed.
    ///
    /// # Errors
    /// As for [`submit`](Self::submit), and if the button is disabled.
    pub fn press(&self, button: &Button) -> Result<Request, SpiderError> {
        if button.disabled {
            let name = if button.name.is_empty() { &button.label } else { &button.name };
            return Err(FormError::Disabled { name: name.clone() }.into());
        }
        let mut entries = self.entry_list();
        if button.is_image {
            let prefix =
                if button.name.is_empty() { String::new() } else { format!("{}.", button.name) };
            for axis in ["x", "y"] {
                let name = format!("{prefix}{axis}");
                entries.push(Entry { name, value: "0".to_owned(), is_file: false });
            }
        } else if !button.name.is_empty() {
            let (name, value) = (button.name.clone(), button.value.clone());
            entries.push(Entry { name, value, is_file: false });
        }
        self.request(&button.target, entries)
    }

    /// "Constructing the entry list" (section 4.10.21.4).
    fn entry_list(&self) -> Vec<Entry> {
        let mut entries = Vec::with_capacity(self.parts.fields.len());
        for field in self.parts.fields.iter().filter(|field| field.chosen && !field.disabled) {
            let entry = |value: &str| Entry {
                name: field.name.clone(),
                value: value.to_owned(),
                is_file: field.kind == FieldKind::File,
            };
            match field.kind {
                FieldKind::Select | FieldKind::SelectMultiple => {
                    let sent = field.options.iter().filter(|o| o.selected && !o.disabled);
                    entries.extend(sent.map(|option| entry(&option.value)));
                }
                FieldKind::Hidden if field.name.eq_ignore_ascii_case("_charset_") => {
                    entries.push(entry(&self.parts.charset));
                }
                FieldKind::File => entries.push(entry("")),
                _ => entries.push(entry(&field.value)),
            }
        }
        entries
    }

    fn request(&self, target: &FormTarget, entries: Vec<Entry>) -> Result<Request, SpiderError> {
        let method = target.method.ok_or(FormError::Dialog)?;
        let url = target.checked()?.clone();
        if method != Method::Post {
            // "Mutate action URL": the query is replaced (section 4.10.21.3).
            let text = url.as_str();
            let path = text.split_once('?').map_or(text, |(path, _)| path);
            let url = CanonicalUrl::parse(&format!("{path}?{}", self.url_encoded(&entries)))?;
            return Ok(Request::get(url));
        }
        let (content_type, body) = match target.enctype {
            Enctype::UrlEncoded => {
                (Enctype::UrlEncoded.as_str().to_owned(), self.url_encoded(&entries).into_bytes())
            }
            Enctype::Multipart => self.multipart(&entries),
            Enctype::Plain => (Enctype::Plain.as_str().to_owned(), self.plain(&entries)),
        };
        let mut request = Request::get(url);
        request.method = Method::Post;
        request.headers.push(("content-type".to_owned(), content_type));
        request.body = body;
        Ok(request)
    }

    fn encode<'t>(&self, text: &'t str) -> Cow<'t, [u8]> {
        self.services.encode(text, &self.parts.charset)
    }

    /// The `application/x-www-form-urlencoded` serializer (URL Standard, section 5.2).
    fn url_encoded(&self, entries: &[Entry]) -> String {
        let mut out = String::new();
        for entry in entries {
            if !out.is_empty() {
                out.push('&');
            }
            percent_encode(&mut out, &self.encode(&with_crlf(&entry.name)));
            out.push('=');
            percent_encode(&mut out, &self.encode(&with_crlf(&entry.value)));
        }
        out
    }

    /// `text/plain` (section 4.10.21.7).
    fn plain(&self, entries: &[Entry]) -> Vec<u8> {
        let mut out = Vec::new();
        for entry in entries {
            let line = format!("{}={}\r\n", with_crlf(&entry.name), with_crlf(&entry.value));
            out.extend_from_slice(&self.encode(&line));
        }
        out
    }

    /// `multipart/form-data` (section 4.10.21.6): content type and body.
    fn multipart(&self, entries: &[Entry]) -> (String, Vec<u8>) {
        let parts: Vec<Vec<u8>> = entries.iter().map(|entry| self.part(entry)).collect();
        let boundary = boundary(&parts);
        let mut body = Vec::new();
        for part in &parts {
            body.extend_from_slice(format!("--{boundary}\r\n").as_bytes());
            body.extend_from_slice(part);
            body.extend_from_slice(b"\r\n");
        }
        body.extend_from_slice(format!("--{boundary}--\r\n").as_bytes());
        (format!("{}; boundary={boundary}", Enctype::Multipart.as_str()), body)
    }

    fn part(&self, entry: &Entry) -> Vec<u8> {
        let name = with_crlf(&entry.name);
        let name = name.replace('\r', "%0D").replace('\n', "%0A").replace('"', "%22");
        let mut part = b"Content-Disposition: form-data; name=\"".to_vec();
        part.extend_from_slice(&self.encode(&name));
        part.extend_from_slice(if entry.is_file {
            b"\"; filename=\"\"\r\nContent-Type: application/octet-stream\r\n\r\n"
        } else {
            b"\"\r\n\r\n"
        });
        part.extend_from_slice(&self.encode(&with_crlf(&entry.value)));
        part
    }
}

/// Makes every line end CR LF ("converting an entry list", section 4.10.21.5).
fn with_crlf(text: &str) -> Cow<'_, str> {
    if !text.contains(['\r', '\n']) {
        return Cow::Borrowed(text);
    }
    let lines = text.replace("\r\n", "\n").replace('\r', "\n");
    Cow::Owned(lines.replace('\n', "\r\n"))
}

/// Escapes by the `application/x-www-form-urlencoded` percent-encode set, a space as `+`.
pub(crate) fn percent_encode(out: &mut String, bytes: &[u8]) {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    for &byte in bytes {
        match byte {
            b' ' => out.push('+'),
            b'*' | b'-' | b'.' | b'_' => out.push(char::from(byte)),
            _ if byte.is_ascii_alphanumeric() => out.push(char::from(byte)),
            _ => {
                let [high, low] = [byte >> 4, byte & 15].map(|half| HEX[usize::from(half)]);
                out.extend(['%', char::from(high), char::from(low)]);
            }
        }
    }
}

/// A boundary that none of the parts holds. Made from what they hold, so that one and the same
/// submission is one and the same request, and known when it comes again.
fn boundary(parts: &[Vec<u8>]) -> String {
    // FNV-1a.
    let mix = |hash: u64, byte: &u8| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
    let mut hash = parts.iter().flatten().fold(0xcbf2_9ce4_8422_2325, mix);
    // Short of a text that was made for it, the first one is never found.
    loop {
        let boundary = format!("form-boundary-{hash:016x}");
        let is_in = |part: &Vec<u8>| {
            part.windows(boundary.len()).any(|window| window == boundary.as_bytes())
        };
        if !parts.iter().any(is_in) {
            return boundary;
        }
        hash = hash.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(0x1405_7b7e_f767_814f);
    }
}
