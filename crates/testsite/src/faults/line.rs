//! A connection, in the clear or within TLS, that can also be ended rudely.

use std::io;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::server::TlsStream;

use super::script::{End, Script, Step};

/// Most bytes that one answer without end gives: nothing that is still there then will ever go.
const MOST: u64 = 1024 * 1024 * 1024;

/// One end of a connection.
pub(super) enum Line {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

impl Line {
    pub(super) async fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Plain(stream) => stream.read(into).await,
            Self::Tls(stream) => stream.read(into).await,
        }
    }

    async fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        match self {
            Self::Plain(stream) => stream.write_all(bytes).await,
            Self::Tls(stream) => {
                stream.write_all(bytes).await?;
                stream.flush().await
            }
        }
    }

    fn tcp(&self) -> &TcpStream {
        match self {
            Self::Plain(stream) => stream,
            Self::Tls(stream) => stream.get_ref().0,
        }
    }

    /// Does the steps; the line comes back if it takes another request.
    pub(super) async fn play(mut self, script: Script) -> io::Result<Option<Self>> {
        for step in script.steps {
            match step {
                Step::Send(bytes) => self.write(&bytes).await?,
                Step::Drip(bytes, pause) => {
                    for byte in bytes {
                        self.write(&[byte]).await?;
                        tokio::time::sleep(pause).await;
                    }
                }
                Step::Forever(bytes, pause) => self.repeat(&bytes, pause).await?,
                Step::Pause(pause) => tokio::time::sleep(pause).await,
            }
        }
        self.end(script.end).await
    }

    async fn repeat(&mut self, bytes: &[u8], pause: Duration) -> io::Result<()> {
        let mut n_sent = 0;
        while n_sent < MOST {
            self.write(bytes).await?;
            n_sent += bytes.len() as u64;
            // So that nobody else on this thread waits for a client that reads fast.
            tokio::task::yield_now().await;
            if !pause.is_zero() {
                tokio::time::sleep(pause).await;
            }
        }
        Ok(())
    }

    async fn end(mut self, end: End) -> io::Result<Option<Self>> {
        match end {
            End::Keep => return Ok(Some(self)),
            End::Close => match &mut self {
                Self::Plain(stream) => stream.shutdown().await?,
                Self::Tls(stream) => stream.shutdown().await?,
            },
            // TCP ends when the stream is dropped, and TLS is told nothing.
            End::Cut => {}
            End::Reset => self.tcp().set_zero_linger()?,
            End::Stall => self.wait_for_goodbye().await?,
        }
        Ok(None)
    }

    async fn wait_for_goodbye(&mut self) -> io::Result<()> {
        let mut unheard = [0; 1024];
        while self.read(&mut unheard).await? > 0 {}
        Ok(())
    }
}
