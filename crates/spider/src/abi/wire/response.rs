//! Responses as bytes: the head, which is small, apart from the body, which is not copied where
//! both ends share their memory.

use std::net::{IpAddr, SocketAddr};

use bytes::Bytes;
use crawl_model::{Response, Truncation};

use super::bytes::{Reader, Wire, WireError, put_bytes, put_uint, wire_enum};

/// Writes a response, its body behind its head.
pub fn put_response(out: &mut Vec<u8>, response: &Response) {
    put_head(out, response);
    put_bytes(out, &response.body);
}

/// Reads what [`put_response`] wrote; the body is copied.
///
/// # Errors
/// [`WireError`] if the bytes are no response.
pub fn get_response(from: &mut Reader<'_>) -> Result<Response, WireError> {
    let mut response = get_head(from, Bytes::copy_from_slice)?;
    response.body = Bytes::copy_from_slice(from.slice()?);
    Ok(response)
}

/// Writes all of a response but its body.
pub(crate) fn put_head(out: &mut Vec<u8>, response: &Response) {
    let Response { status, version, headers, body: _, truncated, remote } = response;
    status.put(out);
    put_bytes(out, version.as_bytes());
    put_uint(out, headers.len() as u64);
    for (name, value) in headers {
        put_bytes(out, name.as_bytes());
        put_bytes(out, value);
    }
    truncated.put(out);
    remote.put(out);
}

/// Reads all of a response but its body; `keep` makes a header's value.
pub(crate) fn get_head<'a>(
    from: &mut Reader<'a>,
    keep: impl Fn(&'a [u8]) -> Bytes,
) -> Result<Response, WireError> {
    let status = from.get()?;
    let version = version(from.text()?);
    let count = from.count()?;
    let mut headers = Vec::with_capacity(count.min(64));
    for _ in 0..count {
        headers.push((from.get()?, keep(from.slice()?)));
    }
    let (truncated, remote) = (from.get()?, from.get()?);
    Ok(Response { status, version, headers, body: Bytes::new(), truncated, remote })
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
