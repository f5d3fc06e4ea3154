//! SOCKS version 5 (RFC 1928), with user and password (RFC 1929).

use std::io;
use std::net::IpAddr;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

use super::Target;

/// Why there is no tunnel.
#[derive(Debug)]
pub(super) enum Refusal {
    /// It cannot be talked to, or does not know us.
    Proxy(&'static str),
    /// It opens no tunnel to this target.
    Tunnel(String),
    /// It cannot reach the target.
    Target(&'static str),
    /// The connection to the proxy broke.
    Broken(io::Error),
}

impl From<io::Error> for Refusal {
    fn from(error: io::Error) -> Self {
        Self::Broken(error)
    }
}

/// Asks for a tunnel to `target`; afterwards `stream` leads there.
pub(super) async fn open<S: AsyncRead + AsyncWrite + Unpin>(
    stream: &mut S,
    target: Target<'_>,
    login: Option<&(Vec<u8>, Vec<u8>)>,
) -> Result<(), Refusal> {
    let offer: &[u8] = if login.is_some() { &[5, 2, 0, 2] } else { &[5, 1, 0] };
    stream.write_all(offer).await?;
    let [version, method] = read(stream).await?;
    match (version, method, login) {
        (5, 0, _) => {}
        (5, 2, Some((user, password))) => log_in(stream, user, password).await?,
        (5, 0xff, None) => return Err(Refusal::Proxy("it wants user and password")),
        (5, 0xff, Some(_)) => {
            return Err(Refusal::Proxy("it takes no user and password"));
        }
        _ => return Err(Refusal::Proxy("it does not speak SOCKS 5")),
    }
    stream.write_all(&request(target)?).await?;
    let [version, reply, _, kind] = read(stream).await?;
    if version != 5 {
        return Err(Refusal::Proxy("it does not speak SOCKS 5"));
    }
    verdict(reply)?;
    // Where it connected from; of no use, but in the way.
    let n_bytes = match kind {
        1 => 4,
        3 => usize::from(read::<1, _>(stream).await?[0]),
        4 => 16,
        _ => return Err(Refusal::Tunnel(format!("its answer has an address of type {kind}"))),
    };
    stream.read_exact(&mut [0; 257][..n_bytes + 2]).await?;
    Ok(())
}

/// RFC 1929, section 2. The lengths were checked with the config.
async fn log_in<S: AsyncRead + AsyncWrite + Unpin>(
    stream: &mut S,
    user: &[u8],
    password: &[u8],
) -> Result<(), Refusal> {
    let length = |text: &[u8]| u8::try_from(text.len()).unwrap_or(u8::MAX);
    let message = [&[1, length(user)], user, &[length(password)], password].concat();
    stream.write_all(&message).await?;
    match read(stream).await? {
        [_, 0] => Ok(()),
        _ => Err(Refusal::Proxy("it refuses user and password")),
    }
}

/// RFC 1928, section 4.
fn request(target: Target<'_>) -> Result<Vec<u8>, Refusal> {
    let mut request = vec![5, 1, 0];
    let port = match target {
        Target::Address(address) => {
            match address.ip() {
                IpAddr::V4(ip) => {
                    request.push(1);
                    request.extend(ip.octets());
                }
                IpAddr::V6(ip) => {
                    request.push(4);
                    request.extend(ip.octets());
                }
            }
            address.port()
        }
        Target::Name(name, port) => {
            let length = u8::try_from(name.len())
                .map_err(|_| Refusal::Target("its name is longer than SOCKS can say"))?;
            request.extend([3, length]);
            request.extend(name.as_bytes());
            port
        }
    };
    request.extend(port.to_be_bytes());
    Ok(request)
}

/// RFC 1928, section 6.
fn verdict(reply: u8) -> Result<(), Refusal> {
    Err(match reply {
        0 => return Ok(()),
        1 => Refusal::Tunnel("it failed (SOCKS reply 1)".to_owned()),
        2 => Refusal::Tunnel("its rules forbid the connection (SOCKS reply 2)".to_owned()),
        3 => Refusal::Target("network unreachable"),
        4 => Refusal::Target("host unreachable"),
        5 => Refusal::Target("connection refused"),
        6 => Refusal::Target("time to live expired"),
        7 => Refusal::Tunnel("it opens no connections (SOCKS reply 7)".to_owned()),
        8 => Refusal::Tunnel("it does not know this type of address (SOCKS reply 8)".to_owned()),
        other => Refusal::Tunnel(format!("it failed (SOCKS reply {other})")),
    })
}

async fn read<const N: usize, S: AsyncRead + Unpin>(stream: &mut S) -> io::Result<[u8; N]> {
    let mut bytes = [0; N];
    stream.read_exact(&mut bytes).await?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Runs against a proxy that answers with these; gives what it was told.
    async fn talk(
        target: Target<'_>,
        login: Option<(&str, &str)>,
        answers: &[&[u8]],
    ) -> (Result<(), Refusal>, Vec<u8>) {
        let (mut ours, mut theirs) = tokio::io::duplex(4096);
        theirs.write_all(&answers.concat()).await.unwrap();
        theirs.shutdown().await.unwrap();
        let login = login.map(|(user, password)| (user.into(), password.into()));
        let result = open(&mut ours, target, login.as_ref()).await;
        drop(ours);
        let mut told = Vec::new();
        theirs.read_to_end(&mut told).await.unwrap();
        (result, told)
    }

    #[tokio::test]
    async fn a_tunnel_is_asked_for_by_name_or_address() {
        let ok: [&[u8]; 2] = [&[5, 0], &[5, 0, 0, 1, 9, 9, 9, 9, 0, 7]];
        let (result, told) = talk(Target::Name("a.test", 443), None, &ok).await;
        result.unwrap();
        assert_eq!(told, b"\x05\x01\0\x05\x01\0\x03\x06a.test\x01\xbb");
        let ok: [&[u8]; 2] = [&[5, 0], &[5, 0, 0, 3, 2, b'x', b'y', 0, 7]];
        let (result, told) = talk(Target::Address("1.2.3.4:80".parse().unwrap()), None, &ok).await;
        result.unwrap();
        assert_eq!(told, b"\x05\x01\0\x05\x01\0\x01\x01\x02\x03\x04\0\x50");
        let ok: [&[u8]; 2] = [&[5, 0], &[&[5, 0, 0, 4][..], &[0; 18]].concat()];
        let (result, told) = talk(Target::Address("[::1]:80".parse().unwrap()), None, &ok).await;
        result.unwrap();
        assert_eq!(told.len(), 3 + 4 + 16 + 2);
    }

    #[tokio::test]
    async fn user_and_password_are_given_if_asked_for() {
        let ok: [&[u8]; 3] = [&[5, 2], &[1, 0], &[5, 0, 0, 1, 0, 0, 0, 0, 0, 0]];
        let target = Target::Name("a", 1);
        let (result, told) = talk(target, Some(("joe", "pw")), &ok).await;
        result.unwrap();
        assert_eq!(told, b"\x05\x02\0\x02\x01\x03joe\x02pw\x05\x01\0\x03\x01a\0\x01");
    }

    #[tokio::test]
    async fn every_refusal_is_told_from_the_others() {
        let long = "x".repeat(256);
        let name = Target::Name("a", 1);
        for (target, login, answers, expected) in [
            (name, None, &[&[5, 0xff][..]][..], "Proxy(\"it wants user"),
            (name, Some(("u", "p")), &[&[5, 0xff]], "Proxy(\"it takes no user"),
            (name, Some(("u", "p")), &[&[5, 2], &[1, 1]], "Proxy(\"it refuses user"),
            (name, None, &[&[5, 2]], "Proxy(\"it does not speak"),
            (name, None, &[b"HTTP/1.1 400"], "Proxy(\"it does not speak"),
            (name, None, &[&[5, 0], &[5, 1, 0, 1]], "Tunnel(\"it failed"),
            (name, None, &[&[5, 0], &[5, 2, 0, 1]], "Tunnel(\"its rules"),
            (name, None, &[&[5, 0], &[5, 4, 0, 1]], "Target(\"host unreachable"),
            (name, None, &[&[5, 0], &[5, 5, 0, 1]], "Target(\"connection refused"),
            (name, None, &[&[5, 0], &[5, 99, 0, 1]], "Tunnel(\"it failed (SOCKS reply 99)"),
            (name, None, &[&[5, 0], &[5, 0, 0, 9]], "Tunnel(\"its answer has"),
            (name, None, &[&[5, 0], &[5, 0, 0, 3, 255, 1]], "Broken("),
            (name, None, &[&[5, 0], &[4, 0, 0, 1]], "Proxy(\"it does not speak"),
            (name, None, &[], "Broken("),
            (Target::Name(&long, 1), None, &[&[5, 0]], "Target(\"its name is longer"),
        ] {
            let (result, _) = talk(target, login, answers).await;
            let shown = format!("{:?}", result.unwrap_err());
            assert!(shown.starts_with(expected), "{shown}");
        }
    }
}
