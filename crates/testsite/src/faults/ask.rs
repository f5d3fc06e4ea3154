//! Reads a request, as far as a fault wants to know.

use std::io;

use super::line::Line;

/// Longest head that is read.
const MAX_HEAD: usize = 64 * 1024;

/// A request without a body.
#[derive(Debug, Default)]
pub(super) struct Ask {
    /// Path and query.
    pub(super) path: String,
    /// `Host`, with its port if it has one.
    pub(super) host: String,
    /// All `Cookie` fields.
    cookies: String,
}

impl Ask {
    /// The next request; `None` if the client has gone or does not speak HTTP.
    pub(super) async fn read(line: &mut Line) -> io::Result<Option<Self>> {
        let mut head = Vec::new();
        let mut piece = [0; 4096];
        while !head.ends_with(b"\r\n\r\n") {
            let n = line.read(&mut piece).await?;
            if n == 0 || head.len() > MAX_HEAD {
                return Ok(None);
            }
            head.extend_from_slice(&piece[..n]);
        }
        Ok(Self::parse(&String::from_utf8_lossy(&head)))
    }

    fn parse(head: &str) -> Option<Self> {
        let mut lines = head.split("\r\n");
        let path = lines.next()?.split(' ').nth(1)?.to_owned();
        let mut ask = Self { path, ..Self::default() };
        for (name, value) in lines.filter_map(|line| line.split_once(':')) {
            if name.eq_ignore_ascii_case("host") {
                ask.host = value.trim().to_owned();
            } else if name.eq_ignore_ascii_case("cookie") {
                ask.cookies.push_str(value);
                ask.cookies.push(';');
            }
        }
        Some(ask)
    }

    /// The value of a cookie that came back (RFC 6265, section 4.2).
    pub(super) fn cookie(&self, name: &str) -> Option<&str> {
        let pairs = self.cookies.split(';').filter_map(|pair| pair.trim().split_once('='));
        pairs.into_iter().find(|(key, _)| *key == name).map(|(_, value)| value)
    }
}

#[cfg(test)]
impl Ask {
    /// A request for `path`.
    pub(super) fn get(path: &str) -> Self {
        Self { path: path.to_owned(), host: "x.fault.test".to_owned(), ..Self::default() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn path_host_and_cookies_are_read() {
        let ask = Ask::parse("GET /a?b HTTP/1.1\r\nhost: x.test:1\r\nCookie: a=1; b=2\r\n\r\n");
        let ask = ask.unwrap();
        assert_eq!((ask.path.as_str(), ask.host.as_str()), ("/a?b", "x.test:1"));
        assert_eq!((ask.cookie("b"), ask.cookie("c")), (Some("2"), None));
        assert!(Ask::parse("nonsense").is_none());
    }
}
