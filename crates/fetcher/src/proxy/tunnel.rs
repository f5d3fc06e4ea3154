//! A tunnel through an HTTP proxy: CONNECT (RFC 9110, section 9.3.6).

use std::io;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

/// Longest head of a proxy's answer.
const HEAD_BYTES: usize = 16 * 1024;

/// Why there is no tunnel.
#[derive(Debug)]
pub(super) enum Refusal {
    /// It answered with this status.
    Status(u16),
    /// It answered with something else.
    Garbage(&'static str),
    /// The connection to it broke.
    Broken(io::Error),
}

impl From<io::Error> for Refusal {
    fn from(error: io::Error) -> Self {
        Self::Broken(error)
    }
}

/// Asks for a tunnel to `target` (host and port); afterwards `stream` leads there.
///
/// `login`: the value of `Proxy-Authorization`.
pub(super) async fn open<S: AsyncRead + AsyncWrite + Unpin>(
    stream: &mut S,
    target: &str,
    login: Option<&[u8]>,
) -> Result<(), Refusal> {
    let mut request = format!("CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n").into_bytes();
    if let Some(login) = login {
        request.extend_from_slice(b"Proxy-Authorization: ");
        request.extend_from_slice(login);
        request.extend_from_slice(b"\r\n");
    }
    request.extend_from_slice(b"\r\n");
    stream.write_all(&request).await?;
    let status = status(stream).await?;
    if (200..300).contains(&status) { Ok(()) } else { Err(Refusal::Status(status)) }
}

/// Reads the head of the answer. Nothing may follow it: at the tunnel's other end nobody speaks
/// before we do.
async fn status<S: AsyncRead + Unpin>(stream: &mut S) -> Result<u16, Refusal> {
    let mut head = Vec::with_capacity(512);
    loop {
        if stream.read_buf(&mut head).await? == 0 {
            return Err(Refusal::Broken(io::ErrorKind::UnexpectedEof.into()));
        }
        let end = head.windows(4).position(|four| four == b"\r\n\r\n");
        if end.is_none() && head.len() <= HEAD_BYTES {
            continue;
        }
        let status = status_of(&head).ok_or(Refusal::Garbage("what it answers is not HTTP"))?;
        return match end {
            None => Err(Refusal::Garbage("the head of its answer has no end")),
            // A refusal may have a body; an open tunnel is silent.
            Some(end) if status < 300 && head.len() > end + 4 => {
                Err(Refusal::Garbage("it speaks out of turn"))
            }
            Some(_) => Ok(status),
        };
    }
}

/// `HTTP/1.1 200 Connection established`.
fn status_of(head: &[u8]) -> Option<u16> {
    let rest = head.strip_prefix(b"HTTP/1.")?;
    let digits = rest.get(2..5).filter(|_| rest[1] == b' ')?;
    std::str::from_utf8(digits).ok()?.parse().ok().filter(|status| (200..600).contains(status))
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn talk(login: Option<&str>, answer: &[u8]) -> (Result<(), Refusal>, String) {
        let (mut ours, mut theirs) = tokio::io::duplex(64 * 1024);
        theirs.write_all(answer).await.unwrap();
        theirs.shutdown().await.unwrap();
        let result = open(&mut ours, "a.test:443", login.map(str::as_bytes)).await;
        drop(ours);
        let mut told = String::new();
        theirs.read_to_string(&mut told).await.unwrap();
        (result, told)
    }

    #[tokio::test]
    async fn a_tunnel_is_asked_for_by_host_and_port() {
        let (result, told) = talk(None, b"HTTP/1.0 200 OK\r\nVia: x\r\n\r\n").await;
        result.unwrap();
        assert_eq!(told, "CONNECT a.test:443 HTTP/1.1\r\nHost: a.test:443\r\n\r\n");
        let (result, told) = talk(Some("Basic eA=="), b"HTTP/1.1 204\r\n\r\n").await;
        result.unwrap();
        assert!(told.ends_with("\r\nProxy-Authorization: Basic eA==\r\n\r\n"), "{told}");
    }

    #[tokio::test]
    async fn every_refusal_is_told_from_the_others() {
        let endless = [&b"HTTP/1.1 200 OK\r\nX: "[..], &[b'x'; HEAD_BYTES]].concat();
        for (answer, expected) in [
            (&b"HTTP/1.1 407 No\r\n\r\n"[..], "Status(407)"),
            (b"HTTP/1.1 502 Bad\r\nContent-Length: 1\r\n\r\nx", "Status(502)"),
            (b"HTTP/1.1 302 Found\r\n\r\n", "Status(302)"),
            (b"HTTP/1.1 200 OK\r\n\r\nhello", "Garbage(\"it speaks"),
            (b"HTTP/2 200 OK\r\n\r\n", "Garbage(\"what it"),
            (b"SSH-2.0-x\r\n\r\n", "Garbage(\"what it"),
            (b"HTTP/1.\r\n\r\n", "Garbage(\"what it"),
            (b"HTTP/1.1 2\r\n\r\n", "Garbage(\"what it"),
            (b"HTTP/1.1 099 OK\r\n\r\n", "Garbage(\"what it"),
            (&endless, "Garbage(\"the head"),
            (b"HTTP/1.1 200 OK\r\n", "Broken("),
            (b"", "Broken("),
        ] {
            let shown = format!("{:?}", talk(None, answer).await.0.unwrap_err());
            assert!(shown.starts_with(expected), "{shown}");
        }
    }
}
