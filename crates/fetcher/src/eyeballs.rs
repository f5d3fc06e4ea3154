//! One TCP connection to a host of several addresses (RFC 8305, "happy eyeballs").
//!
//! Addresses are tried one after the other, each a little after the one before or at its
//! failure, IPv6 and IPv4 in turns: where one family leads nowhere, a page is late by a quarter
//! of a second and not by a timeout. The family that won last goes first, since what is broken
//! is mostly our own way out.

use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::task::JoinSet;

/// The next address is tried when the one before has not answered for so long
/// (RFC 8305, section 5).
const STAGGER: Duration = Duration::from_millis(250);

/// Opens TCP connections.
#[derive(Debug)]
pub(crate) struct Eyeballs {
    /// Whether IPv6 is tried first.
    is_v6_first: AtomicBool,
}

impl Default for Eyeballs {
    /// IPv6 first, as the RFC has it in section 4.
    fn default() -> Self {
        Self { is_v6_first: AtomicBool::new(true) }
    }
}

impl Eyeballs {
    /// A connection to the first of `addresses` that answers.
    pub(crate) async fn open(
        &self,
        addresses: &[SocketAddr],
    ) -> io::Result<(TcpStream, SocketAddr)> {
        if let [only] = *addresses {
            return open(only).await;
        }
        let (v6, v4): (Vec<_>, Vec<_>) = addresses.iter().partition(|a| a.is_ipv6());
        if v6.is_empty() || v4.is_empty() {
            return first_to_answer(addresses.iter().copied()).await;
        }
        let is_v6_first = self.is_v6_first.load(Ordering::Relaxed);
        let (first, second) = if is_v6_first { (v6, v4) } else { (v4, v6) };
        let opened = first_to_answer(in_turns(first, second).into_iter()).await?;
        self.is_v6_first.store(opened.1.is_ipv6(), Ordering::Relaxed);
        Ok(opened)
    }
}

/// One of the first, one of the second, and so on.
fn in_turns(first: Vec<SocketAddr>, second: Vec<SocketAddr>) -> Vec<SocketAddr> {
    let n = first.len() + second.len();
    let (mut first, mut second) = (first.into_iter(), second.into_iter());
    let mut all = Vec::with_capacity(n);
    while all.len() < n {
        all.extend(first.next());
        all.extend(second.next());
    }
    all
}

async fn first_to_answer(
    mut waiting: impl ExactSizeIterator<Item = SocketAddr>,
) -> io::Result<(TcpStream, SocketAddr)> {
    let mut attempts = JoinSet::new();
    let mut failed = io::Error::other("no address to connect to");
    loop {
        if let Some(next) = waiting.next() {
            attempts.spawn(open(next));
        }
        let ended = if waiting.len() == 0 {
            attempts.join_next().await
        } else {
            match tokio::time::timeout(STAGGER, attempts.join_next()).await {
                Ok(ended) => ended,
                Err(_) => continue,
            }
        };
        match ended {
            Some(Ok(Ok(connected))) => return Ok(connected),
            Some(Ok(Err(error))) => failed = error,
            Some(Err(error)) => failed = io::Error::other(error),
            None => return Err(failed),
        }
    }
}

async fn open(address: SocketAddr) -> io::Result<(TcpStream, SocketAddr)> {
    let stream = TcpStream::connect(address).await?;
    // A request is written whole, so there is nothing to wait for.
    stream.set_nodelay(true)?;
    Ok((stream, address))
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;

    use super::*;

    async fn dead_and_alive() -> (SocketAddr, SocketAddr, TcpListener) {
        let closed = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let dead = closed.local_addr().unwrap();
        drop(closed);
        let open = TcpListener::bind("127.0.0.1:0").await.unwrap();
        (dead, open.local_addr().unwrap(), open)
    }

    #[tokio::test]
    async fn the_next_address_is_tried_when_one_refuses() {
        let (dead, alive, _open) = dead_and_alive().await;
        let eyeballs = Eyeballs::default();
        let (_, remote) = eyeballs.open(&[dead, dead, alive]).await.unwrap();
        assert_eq!(remote, alive);
        let error = eyeballs.open(&[dead, dead]).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::ConnectionRefused);
        assert!(eyeballs.open(&[]).await.is_err());
    }

    #[tokio::test]
    async fn the_family_that_won_goes_first_the_next_time() {
        let (_, alive, _open) = dead_and_alive().await;
        // Nobody listens on port 1 of IPv6's loopback, if there is one at all.
        let dead_v6: SocketAddr = "[::1]:1".parse().unwrap();
        let eyeballs = Eyeballs::default();
        assert!(eyeballs.is_v6_first.load(Ordering::Relaxed));
        eyeballs.open(&[alive, dead_v6]).await.unwrap();
        assert!(!eyeballs.is_v6_first.load(Ordering::Relaxed));
    }

    #[test]
    fn families_take_turns() {
        let of = |texts: &[&str]| texts.iter().map(|t| t.parse().unwrap()).collect::<Vec<_>>();
        let (v6, v4) = (of(&["[::1]:1", "[::2]:1"]), of(&["1.0.0.1:1", "1.0.0.2:1", "1.0.0.3:1"]));
        let expected = of(&["[::1]:1", "1.0.0.1:1", "[::2]:1", "1.0.0.2:1", "1.0.0.3:1"]);
        assert_eq!(in_turns(v6.clone(), v4.clone()), expected);
        assert_eq!(in_turns(v4, v6)[..2], [expected[1], expected[0]]);
    }
}
