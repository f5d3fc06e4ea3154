//! The listener of one fault.
//!
//! Before a page, a crawler asks for robots.txt. What goes wrong below HTTP must let that pass,
//! or the answer would be the same for all of them: so until robots.txt has been served, each
//! listener behaves well.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bytes::Bytes;
use tokio::io::AsyncReadExt;
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

use super::ask::Ask;
use super::line::Line;
use super::script::{End, MOMENT, Script, Step};
use super::{bodies, codings, heads, redirects, rules, statuses};

/// Longest that one connection lives, so that no server outlives what it tests by more.
const LONGEST: Duration = Duration::from_secs(60);

/// Connections that are made to fill a backlog, at most.
const MAX_FILLERS: usize = 16;

/// What happens instead of HTTP once robots.txt has been served.
#[derive(Clone)]
pub(super) enum Wrong {
    /// Nothing: the fault is in what is said.
    Nothing,
    /// TLS of this kind.
    Tls(TlsAcceptor),
    /// Raw bytes in the handshake.
    Bytes(Handshake),
    /// Nobody listens.
    Refused,
    /// Nobody accepts, and the backlog is full.
    Blackhole,
    /// Nobody accepts.
    NeverAccepted,
}

/// What comes in place of a ServerHello.
#[derive(Clone, Copy)]
pub(super) enum Handshake {
    Say(&'static [u8], End),
    Drip(&'static [u8]),
}

/// One fault's listener.
pub(super) struct Host {
    pub(super) name: &'static str,
    /// TLS with a good certificate; `None` for plain HTTP.
    pub(super) tls: Option<TlsAcceptor>,
    pub(super) wrong: Wrong,
    has_robots: AtomicBool,
}

/// What follows a request for a page.
pub(super) fn script(name: &str, ask: &Ask) -> Option<Script> {
    heads::script(name, ask)
        .or_else(|| bodies::script(name))
        .or_else(|| codings::script(name))
        .or_else(|| redirects::script(name, ask))
        .or_else(|| statuses::script(name))
        .or_else(|| rules::page(name, ask))
}

/// What goes wrong in the handshake of the fault of this name.
pub(super) fn handshake(name: &str) -> Option<Handshake> {
    Some(match name {
        "tls-silent" => Handshake::Say(b"", End::Stall),
        // A handshake record of 16 KB begins.
        "tls-drip" => Handshake::Drip(&[
            0x16, 3, 3, 0x40, 0, 2, 0, 0x3f, 0xfc, 3, 3, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13,
            14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 32, 0,
        ]),
        "tls-garbage" => {
            Handshake::Say(&[0xde, 0xad, 0xbe, 0xef, 0xde, 0xad, 0xbe, 0xef], End::Close)
        }
        "tls-plain-http" => Handshake::Say(
            b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
            End::Close,
        ),
        // Fatal: handshake_failure, protocol_version (RFC 8446, section 6).
        "tls-alert" => Handshake::Say(&[0x15, 3, 3, 0, 2, 2, 40], End::Close),
        "tls-old-version" => Handshake::Say(&[0x15, 3, 1, 0, 2, 2, 70], End::Close),
        "tls-closed" => Handshake::Say(b"", End::Close),
        _ => return None,
    })
}

impl Host {
    pub(super) fn new(name: &'static str, tls: Option<TlsAcceptor>, wrong: Wrong) -> Arc<Self> {
        Arc::new(Self { name, tls, wrong, has_robots: AtomicBool::new(false) })
    }

    /// Whether it is time to go wrong.
    fn is_ripe(&self) -> bool {
        !matches!(self.wrong, Wrong::Nothing) && self.has_robots.load(Ordering::Acquire)
    }

    /// Takes connections until it is aborted, which ends them, too.
    pub(super) async fn serve(self: Arc<Self>, listener: TcpListener) {
        let mut connections = JoinSet::new();
        loop {
            let accepted = tokio::select! {
                accepted = listener.accept() => accepted,
                Some(_) = connections.join_next() => {
                    if self.is_ripe() && self.is_port() {
                        break;
                    }
                    continue;
                }
            };
            match accepted {
                Ok((stream, _)) => {
                    let talk = Arc::clone(&self).talk(stream, self.is_ripe());
                    connections.spawn(async move {
                        // How a connection ends is the client's business.
                        let _ = tokio::time::timeout(LONGEST, talk).await;
                    });
                }
                // Out of file descriptors, most likely: better soon than busily.
                Err(_) => tokio::time::sleep(Duration::from_millis(5)).await,
            }
        }
        self.close(listener).await;
    }

    fn is_port(&self) -> bool {
        matches!(self.wrong, Wrong::Refused | Wrong::Blackhole | Wrong::NeverAccepted)
    }

    /// Stays as a port where nobody accepts.
    async fn close(&self, listener: TcpListener) {
        let _fillers = match self.wrong {
            Wrong::Blackhole => fill(&listener).await,
            Wrong::Refused => {
                drop(listener);
                return;
            }
            _ => Vec::new(),
        };
        std::future::pending::<()>().await;
        drop(listener);
    }

    async fn talk(self: Arc<Self>, stream: TcpStream, is_ripe: bool) -> io::Result<()> {
        stream.set_nodelay(true)?;
        let line = match (&self.tls, &self.wrong) {
            (_, Wrong::Bytes(instead)) if is_ripe => return misbehave(stream, *instead).await,
            (_, Wrong::Tls(tls)) if is_ripe => Line::Tls(Box::new(tls.accept(stream).await?)),
            (Some(tls), _) => Line::Tls(Box::new(tls.accept(stream).await?)),
            (None, _) => Line::Plain(stream),
        };
        let mut line = Some(line);
        while let Some(mut open) = line.take() {
            let Some(ask) = Ask::read(&mut open).await? else { return Ok(()) };
            line = open.play(self.answer(&ask)).await?;
        }
        Ok(())
    }

    fn answer(&self, ask: &Ask) -> Script {
        if ask.path == "/robots.txt" {
            let script = rules::robots(self.name);
            return match self.wrong {
                Wrong::Nothing => script,
                _ => {
                    self.has_robots.store(true, Ordering::Release);
                    Script::bare("404 Not Found", &["Connection: close"]).end(End::Close)
                }
            };
        }
        script(self.name, ask).unwrap_or_else(|| Script::page("<p>this should not have been read"))
    }
}

/// Reads the ClientHello and answers it wrongly.
async fn misbehave(mut stream: TcpStream, instead: Handshake) -> io::Result<()> {
    // What is left unread when the stream is closed would make it a reset.
    let mut hello = vec![0; 16 * 1024];
    if stream.read(&mut hello).await? == 0 {
        return Ok(());
    }
    let script = match instead {
        Handshake::Say(bytes, end) => Script::send(bytes).end(end),
        Handshake::Drip(bytes) => {
            Script::nothing(End::Stall).step(Step::Drip(Bytes::from_static(bytes), MOMENT))
        }
    };
    Line::Plain(stream).play(script).await?;
    Ok(())
}

/// A listener at a free port, and what keeps the port taken when the listener has gone: bound,
/// but not listening.
pub(super) fn listen(wrong: &Wrong) -> io::Result<(TcpListener, Option<TcpSocket>)> {
    let any = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let socket = TcpSocket::new_v4()?;
    socket.set_reuseaddr(true)?;
    socket.bind(any)?;
    let keeper = match wrong {
        Wrong::Refused => {
            let keeper = TcpSocket::new_v4()?;
            keeper.set_reuseaddr(true)?;
            keeper.bind(socket.local_addr()?)?;
            Some(keeper)
        }
        _ => None,
    };
    let backlog = if matches!(wrong, Wrong::Blackhole) { 1 } else { 64 };
    Ok((socket.listen(backlog)?, keeper))
}

/// Connects until nobody else can: the kernel drops what comes to a full backlog.
async fn fill(listener: &TcpListener) -> Vec<TcpStream> {
    let mut fillers = Vec::new();
    let Ok(address) = listener.local_addr() else { return fillers };
    while fillers.len() < MAX_FILLERS {
        match tokio::time::timeout(MOMENT, TcpStream::connect(address)).await {
            Ok(Ok(filler)) => fillers.push(filler),
            Ok(Err(_)) | Err(_) => break,
        }
    }
    fillers
}
