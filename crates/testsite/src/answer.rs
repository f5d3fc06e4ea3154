//! Answers one request after another on a connection; goes wrong where it is told to.
//!
//! What hyper would never send (garbage, half a body) is written around it: the service hands out
//! an [`Order`] and waits for ever, the connection's task takes the socket out of hyper's hands.

use std::convert::Infallible;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http_body_util::{BodyExt, Limited};
use hyper::body::{Body, Frame, Incoming, SizeHint};
use hyper::header::{CONTENT_LENGTH, CONTENT_TYPE, HOST, HeaderValue, USER_AGENT};
use hyper::http::request::Parts;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{HeaderMap, Request, Response};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio::time::Sleep;

use crate::record::{Open, Recorded};
use crate::server::{Counted, Shared};
use crate::{Fault, Reply, Site, SiteRequest};

/// Bytes of a request's body that are read; more is refused with 413.
const BODY_LIMIT: usize = 1 << 20;

/// Pace of [`Fault::SlowBody`].
const DRIP: Duration = Duration::from_millis(20);

/// Serves `stream` until one side closes it.
pub(crate) async fn connection(stream: TcpStream, shared: Arc<Shared>, counted: Counted) {
    // Responses are written whole; waiting for more would only add to the latency.
    let _ = stream.set_nodelay(true);
    let number = counted.number;
    let (orders, mut ordered) = mpsc::channel(1);
    let service =
        service_fn(move |request| answer(Arc::clone(&shared), number, orders.clone(), request));
    let mut connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .serve_connection(TokioIo::new(stream), service);
    let order: Option<Order> = tokio::select! {
        // An error here is the client's way to leave; the record has what it asked for.
        _ = &mut connection => None,
        order = ordered.recv() => order,
    };
    if let Some(order) = order {
        order.carry_out(connection.into_parts().io.into_inner()).await;
    }
    drop(counted);
}

async fn answer(
    shared: Arc<Shared>,
    connection: u64,
    orders: mpsc::Sender<Order>,
    request: Request<Incoming>,
) -> Result<Response<Payload>, Infallible> {
    let at = Instant::now();
    let (parts, body) = request.into_parts();
    let authority = authority(&parts);
    let host = host_of(authority);
    let record = || Recorded {
        at,
        at_unix_us: 0,
        done_unix_us: 0,
        host: host.clone(),
        path: path_of(&parts).to_owned(),
        method: parts.method.as_str().to_owned(),
        user_agent: header(&parts.headers, USER_AGENT).to_owned(),
        connection,
        status: 0,
    };
    let open = shared.log.begin(record);
    let pages = shared.hosts.find(&host);
    let reply = match read(body).await {
        Ok(body) => {
            let mut request = SiteRequest::get(&host, path_of(&parts)).with_headers(&parts.headers);
            request.authority = authority;
            request.method = parts.method.as_str();
            request.body = &body;
            pages.respond(&request).unless_known(&request)
        }
        Err(status) => Reply::status(status),
    };
    let latency = reply.latency.or(pages.latency).unwrap_or(shared.latency);
    if !latency.is_zero() {
        tokio::time::sleep(latency).await;
    }
    Ok(respond(reply, open, &orders).await)
}

async fn respond(reply: Reply, mut open: Open, orders: &mpsc::Sender<Order>) -> Response<Payload> {
    let logged = match reply.fault {
        None => open.answered(reply.status),
        Some(Fault::SlowBody) => {
            if open.begun(reply.status).is_ok() {
                return head(&reply).map(|bytes| Payload::drip(bytes, open));
            }
            Err(io::ErrorKind::Other.into())
        }
        Some(fault) => {
            let status = if fault.has_head() { reply.status } else { 0 };
            if fault == Fault::Hang || open.begun(status).is_ok() {
                // If nobody takes it, the connection is going away, and this with it.
                let _ = orders.send(Order { bytes: raw(fault, &reply), fault, _open: open }).await;
                std::future::pending::<()>().await;
            }
            Err(io::ErrorKind::Other.into())
        }
    };
    match logged {
        Ok(()) => head(&reply).map(|bytes| Payload::Whole(Some(bytes))),
        // The log is somebody's oracle: what is not in it must not look served.
        Err(_) => head(&Reply { body: "cannot write the log file\n".into(), ..Reply::status(500) })
            .map(|bytes| Payload::Whole(Some(bytes))),
    }
}

/// The response, its body still bytes.
fn head(reply: &Reply) -> Response<Bytes> {
    let build = || {
        let mut builder = Response::builder()
            .status(reply.status)
            .header(CONTENT_LENGTH, HeaderValue::from(reply.body.len()));
        if !reply.content_type.is_empty() {
            builder = builder.header(CONTENT_TYPE, reply.content_type.as_ref());
        }
        for (name, value) in &reply.headers {
            builder = builder.header(name, value);
        }
        builder.body(reply.body.clone())
    };
    build().unwrap_or_else(|error| {
        let mut response = Response::new(Bytes::from(format!("this reply is no HTTP: {error}\n")));
        *response.status_mut() = hyper::StatusCode::INTERNAL_SERVER_ERROR;
        response
    })
}

/// What is written around hyper.
fn raw(fault: Fault, reply: &Reply) -> Vec<u8> {
    match fault {
        Fault::Close | Fault::Hang => Vec::new(),
        Fault::NotHttp => b"\x00\x17SSH-2.0-testsite\r\n\xff\xfe this is no HTTP\r\n\r\n".to_vec(),
        Fault::CutBody | Fault::Stall | Fault::SlowBody => {
            let mut out = format!("HTTP/1.1 {} Fault\r\n", reply.status);
            let length = reply.body.len().to_string();
            let fields = [("content-type", &*reply.content_type), ("content-length", &length)];
            let more = reply.headers.iter().map(|(name, value)| (&**name, &**value));
            for (name, value) in fields.into_iter().chain(more) {
                out += &format!("{name}: {value}\r\n");
            }
            out += "\r\n";
            [out.as_bytes(), &reply.body[..reply.body.len() / 2]].concat()
        }
    }
}

/// What is to be done with the socket.
struct Order {
    bytes: Vec<u8>,
    fault: Fault,
    /// Done when the socket is.
    _open: Open,
}

impl Order {
    async fn carry_out(self, mut stream: TcpStream) {
        if stream.write_all(&self.bytes).await.is_err() {
            return;
        }
        if matches!(self.fault, Fault::Stall | Fault::Hang) {
            let mut ignored = [0; 512];
            while stream.read(&mut ignored).await.is_ok_and(|n| n > 0) {}
        }
        let _ = stream.shutdown().await;
    }
}

/// A response's body: at once, or drop by drop.
pub(crate) enum Payload {
    Whole(Option<Bytes>),
    Drip { rest: Bytes, pause: Pin<Box<Sleep>>, _open: Open },
}

impl Payload {
    fn drip(rest: Bytes, open: Open) -> Self {
        Self::Drip { rest, pause: Box::pin(tokio::time::sleep(DRIP)), _open: open }
    }

    fn left(&self) -> usize {
        match self {
            Self::Whole(bytes) => bytes.as_ref().map_or(0, Bytes::len),
            Self::Drip { rest, .. } => rest.len(),
        }
    }
}

impl Body for Payload {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let drop = match self.get_mut() {
            Self::Whole(bytes) => bytes.take(),
            Self::Drip { rest, .. } if rest.is_empty() => None,
            Self::Drip { rest, pause, .. } => {
                ready!(pause.as_mut().poll(context));
                pause.as_mut().reset(tokio::time::Instant::now() + DRIP);
                Some(rest.split_to(1))
            }
        };
        Poll::Ready(drop.map(|bytes| Ok(Frame::data(bytes))))
    }

    fn is_end_stream(&self) -> bool {
        self.left() == 0
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left() as u64)
    }
}

/// The whole body of a request, or the status that refuses it.
async fn read(body: Incoming) -> Result<Bytes, u16> {
    if body.is_end_stream() {
        return Ok(Bytes::new());
    }
    match Limited::new(body, BODY_LIMIT).collect().await {
        Ok(body) => Ok(body.to_bytes()),
        Err(error) if error.is::<http_body_util::LengthLimitError>() => Err(413),
        Err(_) => Err(400),
    }
}

/// The `Host` header (RFC 9110, section 7.2), or the authority of an absolute request target.
fn authority(parts: &Parts) -> &str {
    match parts.uri.authority() {
        Some(authority) => authority.as_str(),
        None => header(&parts.headers, HOST),
    }
}

/// `authority` in lower case without its port; an IPv6 address keeps its brackets.
fn host_of(authority: &str) -> String {
    let port = authority.rfind(':').filter(|colon| !authority[*colon..].contains(']'));
    authority[..port.unwrap_or(authority.len())].to_ascii_lowercase()
}

fn path_of(parts: &Parts) -> &str {
    parts.uri.path_and_query().map_or("/", |path| path.as_str())
}

fn header(headers: &HeaderMap, name: hyper::header::HeaderName) -> &str {
    headers.get(name).and_then(|value| std::str::from_utf8(value.as_bytes()).ok()).unwrap_or("")
}
