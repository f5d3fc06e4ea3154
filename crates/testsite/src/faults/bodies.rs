//! Faults of the body: how long it is, how it is framed, how fast it comes.

use super::script::{End, MOMENT, Script, Step, chunk};

const CHUNKED: &str = "Transfer-Encoding: chunked";
const BODY: &str = "<!doctype html>\n<title>half</title>\n<p>the beginning of a page\n";

pub(super) fn script(name: &str) -> Option<Script> {
    cut(name).or_else(|| slow(name)).or_else(|| endless(name)).or_else(|| misframed(name))
}

fn chunked() -> Script {
    Script::html(&[CHUNKED])
}

fn cut(name: &str) -> Option<Script> {
    let longer = || Script::html(&["Content-Length: 1000"]);
    Some(match name {
        "short-body" => longer().then(BODY).end(End::Close),
        "length-then-close" => longer().end(End::Close),
        "length-then-silence" => longer().end(End::Stall),
        "last-chunk-missing" => chunked().then(chunk(BODY.as_bytes())).end(End::Close),
        "chunk-cut" => chunked().then("3e8\r\n").then(BODY).end(End::Close),
        "reset-in-body" => longer().then(BODY).step(Step::Pause(MOMENT)).end(End::Reset),
        "tls-cut" => Script::html(&["Connection: close"]).then(BODY).end(End::Cut),
        _ => return None,
    })
}

fn slow(name: &str) -> Option<Script> {
    let bytes = || Step::Forever("x".into(), MOMENT);
    let piece = vec![b' '; 2048];
    Some(match name {
        "stall-in-body" => Script::html(&["Content-Length: 1000"]).then(BODY).end(End::Stall),
        "stall-in-chunk-size" => chunked().then(chunk(BODY.as_bytes())).then("4").end(End::Stall),
        "stall-before-trailers" => {
            chunked().then(chunk(BODY.as_bytes())).then("0\r\n").end(End::Stall)
        }
        "drip-body" => Script::html(&["Content-Length: 100000"]).step(bytes()).end(End::Close),
        "drip-chunks" => chunked().steadily(chunk(b"x")),
        "steady-body" => Script::html(&[]).then(BODY).steadily(piece),
        "steady-chunks" => chunked().steadily(chunk(&piece)),
        _ => return None,
    })
}

fn endless(name: &str) -> Option<Script> {
    let text = b"<p>and on it goes\n".repeat(1000);
    Some(match name {
        "endless-body" => Script::html(&[]).forever(text),
        "endless-chunks" => chunked().forever(chunk(&text)),
        "terabyte" => Script::html(&["Content-Length: 1000000000000"]).forever(text),
        "endless-video" => {
            Script::response("200 OK", &["Content-Type: video/mp4"], b"").forever(text)
        }
        _ => return None,
    })
}

fn misframed(name: &str) -> Option<Script> {
    let begun = || chunked().then(chunk(BODY.as_bytes()));
    Some(match name {
        "chunk-size-garbage" => begun().then("ten\r\n0123456789\r\n0\r\n\r\n"),
        "chunk-size-overflow" => begun().then("1ffffffffffffffff\r\n").then(BODY),
        "chunk-size-negative" => begun().then("-5\r\nhello\r\n0\r\n\r\n"),
        "chunk-end-missing" => begun().then("5\r\nhello and more\r\n0\r\n\r\n"),
        "chunk-extensions" => begun().then("5").forever(";name=value".repeat(1000)),
        "endless-trailers" => begun().then("0\r\n").forever("X-Trailer: and on\r\n".repeat(500)),
        _ => return None,
    })
    .map(|script| if script.end == End::Keep { script.end(End::Stall) } else { script })
}
