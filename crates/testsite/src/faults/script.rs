//! What a server does after a request, as a list of steps.
//!
//! HTTP libraries do not let a server misbehave, so scripts speak in bytes.

use std::time::Duration;

use bytes::Bytes;

/// A pause within which an honest client does not lose patience.
pub(super) const MOMENT: Duration = Duration::from_millis(100);

/// What is done after one request.
#[derive(Debug)]
pub(super) struct Script {
    pub(super) steps: Vec<Step>,
    pub(super) end: End,
}

/// One thing done.
#[derive(Debug)]
pub(super) enum Step {
    /// Sends these bytes at once.
    Send(Bytes),
    /// Sends them one by one, with a pause after each.
    Drip(Bytes, Duration),
    /// Sends them again and again until the client has gone, with a pause after each time.
    Forever(Bytes, Duration),
    /// Waits.
    Pause(Duration),
}

/// What becomes of the connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// It takes the next request.
    Keep,
    /// It is closed as it should be, in TLS with an alert.
    Close,
    /// It is closed without the alert.
    Cut,
    /// It is reset (RFC 9293, section 3.5.2).
    Reset,
    /// It stays, in silence, until the client has gone.
    Stall,
}

impl Script {
    /// Sends `bytes` and keeps the connection.
    pub(super) fn send(bytes: impl Into<Bytes>) -> Self {
        Self { steps: vec![Step::Send(bytes.into())], end: End::Keep }
    }

    /// Says nothing.
    pub(super) fn nothing(end: End) -> Self {
        Self { steps: Vec::new(), end }
    }

    /// A response: status with reason, fields without their line ends, body.
    pub(super) fn response(status: &str, fields: &[&str], body: &[u8]) -> Self {
        Self::send(response(status, fields, body))
    }

    /// The head of a web page whose fields end with `fields`.
    pub(super) fn html(fields: &[&str]) -> Self {
        let mut all = vec!["Content-Type: text/html"];
        all.extend(fields);
        Self::response("200 OK", &all, b"")
    }

    /// A whole web page.
    pub(super) fn page(body: &str) -> Self {
        let length = format!("Content-Length: {}", body.len());
        Self::html(&[&length]).then(body.as_bytes().to_vec())
    }

    /// A whole answer without a body.
    pub(super) fn bare(status: &str, fields: &[&str]) -> Self {
        let mut all = vec!["Content-Length: 0"];
        all.extend(fields);
        Self::response(status, &all, b"")
    }

    pub(super) fn then(mut self, bytes: impl Into<Bytes>) -> Self {
        self.steps.push(Step::Send(bytes.into()));
        self
    }

    pub(super) fn step(mut self, step: Step) -> Self {
        self.steps.push(step);
        self
    }

    pub(super) fn drip(self, bytes: impl Into<Bytes>) -> Self {
        self.step(Step::Drip(bytes.into(), MOMENT))
    }

    /// Without end, as fast as it is taken.
    pub(super) fn forever(self, bytes: impl Into<Bytes>) -> Self {
        self.step(Step::Forever(bytes.into(), Duration::ZERO)).end(End::Close)
    }

    /// Without end, piece by piece.
    pub(super) fn steadily(self, bytes: impl Into<Bytes>) -> Self {
        self.step(Step::Forever(bytes.into(), MOMENT)).end(End::Close)
    }

    pub(super) fn end(self, end: End) -> Self {
        Self { end, ..self }
    }
}

/// A response as it goes over the wire.
fn response(status: &str, fields: &[&str], body: &[u8]) -> Vec<u8> {
    let mut bytes = format!("HTTP/1.1 {status}\r\n").into_bytes();
    for field in fields {
        bytes.extend_from_slice(field.as_bytes());
        bytes.extend_from_slice(b"\r\n");
    }
    bytes.extend_from_slice(b"\r\n");
    bytes.extend_from_slice(body);
    bytes
}

/// A chunk (RFC 9112, section 7.1).
pub(super) fn chunk(data: &[u8]) -> Vec<u8> {
    let mut bytes = format!("{:x}\r\n", data.len()).into_bytes();
    bytes.extend_from_slice(data);
    bytes.extend_from_slice(b"\r\n");
    bytes
}
