//! Responses as bytes: the head, which is small, apart from the body, which is not copied where
//! both ends share their memory.

use std::net::{IpAddr, SocketAddr};

use bytes::Bytes;
use crawl_model::{Request, Response, Truncation};

use super::bytes::{Reader, Wire, WireError, put_bytes, put_uint, wire_enum};
use crate::Page;

/// Writes a response, its body behind its head.
pub fn put_response(out: &mut Vec<u8>, response: &Response) {
    let Response { status, version, headers, body, truncated, remote } = response;
    put_bytes(out, version.as_bytes());
    remote.put(out);
    put_head(out, *status, *truncated, headers);
    put_bytes(out, body);
}

/// Reads what [`put_response`] wrote; the body is copied.
///
/// # Errors
/// [`WireError`] if the bytes are no response.
pub fn get_response(from: &mut Reader<'_>) -> Result<Response, WireError> {
    let (version, remote) = (version(from.text()?), from.get()?);
    let head = get_page_head(from, Bytes::copy_from_slice)?;
    let body = Bytes::copy_from_slice(from.slice()?);
    Ok(Response { version, remote, body, ..head })
}

/// Writes the request of a page and what a spider can see of its response, but for the body.
pub fn put_page_head(out: &mut Vec<u8>, page: &Page<'_>) {
    page.request().put(out);
    let Response { status, headers, truncated, .. } = page.response();
    put_head(out, *status, *truncated, headers);
}

/// Writes a page as a request and a response, for a process that has services of its own.
pub fn put_page(out: &mut Vec<u8>, page: &Page<'_>) {
    page.request().put(out);
    put_response(out, page.response());
}

/// Reads what [`put_page`] wrote; the body is copied.
///
/// # Errors
/// [`WireError`] if the bytes are no page.
pub fn get_page(from: &mut Reader<'_>) -> Result<(Request, Response), WireError> {
    Ok((from.get()?, get_response(from)?))
}

fn put_head(
    out: &mut Vec<u8>,
    status: u16,
    truncated: Option<Truncation>,
    headers: &[(Box<str>, Bytes)],
) {
    status.put(out);
    truncated.put(out);
    put_uint(out, headers.len() as u64);
    for (name, value) in headers {
        put_bytes(out, name.as_bytes());
        put_bytes(out, value);
    }
}

/// Reads the response of a page, without its body; `keep` makes a header's value.
pub(crate) fn get_page_head<'a>(
    from: &mut Reader<'a>,
    keep: impl Fn(&'a [u8]) -> Bytes,
) -> Result<Response, WireError> {
    let (status, truncated) = (from.get()?, from.get()?);
    let count = from.count()?;
    let mut headers = Vec::with_capacity(count.min(64));
    for _ in 0..count {
        headers.push((from.get()?, keep(from.slice()?)));
    }
    let (version, body) = ("HTTP", Bytes::new());
    Ok(Response { status, version, headers, body, truncated, remote: None })
}

/// The text that lives as long as the program.
fn version(text: &str) -> &'static str {
    const ALL: [&str; 5] = ["HTTP/1.1", "HTTP/2", "HTTP/1.0", "HTTP/3", "HTTP/0.9"];
    ALL.into_iter().find(|&known| known == text).unwrap_or("HTTP")
}

wire_enum! {
    Truncation, "truncation":
    Length = 0, Coded = 1, Ratio = 2, Time = 3, Idle = 4, Slow = 5, Disconnect = 6, Coding = 7,
    Window = 8, Nesting = 9, Framing = 10,
}

impl Wire for SocketAddr {
    fn put(&self, out: &mut Vec<u8>) {
        match self.ip() {
            IpAddr::V4(ip) => put_bytes(out, &ip.octets()),
            IpAddr::V6(ip) => put_bytes(out, &ip.octets()),
        }
        self.port().put(out);
    }

    fn get(from: &mut Reader<'_>) -> Result<Self, WireError> {
        let octets = from.slice()?;
        let ip = match (<[u8; 4]>::try_from(octets), <[u8; 16]>::try_from(octets)) {
            (Ok(four), _) => IpAddr::from(four),
            (_, Ok(sixteen)) => IpAddr::from(sixteen),
            _ => return Err(WireError::Wrong("address")),
        };
        Ok(Self::new(ip, from.get()?))
    }
}
