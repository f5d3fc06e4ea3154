//! Faults of the head: slow, long, broken, or none.

use super::ask::Ask;
use super::script::{End, MOMENT, Script, Step};

/// An unfinished head.
const BEGINNING: &str = "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n";
const MEGABYTE: usize = 1024 * 1024;

pub(super) fn script(name: &str, ask: &Ask) -> Option<Script> {
    odd(name, ask).or_else(|| slow(name)).or_else(|| long(name)).or_else(|| no_http(name))
}

/// What is to be taken.
fn odd(name: &str, ask: &Ask) -> Option<Script> {
    const TYPE: &str = "Content-Type: text/html";
    Some(match name {
        "missing-reason" => Script::response("200 ", &[TYPE, "Content-Length: 7"], b"<p>fine"),
        "coding-and-length" => Script::html(&["Content-Length: 3", "Transfer-Encoding: chunked"])
            .then("9\r\n<p>fine\n\n\r\n0\r\n\r\n")
            .end(End::Close),
        "early-hints" => {
            let hints = "HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\n\r\n";
            let more = Script::page("<p>fine").steps;
            let first = Script::send(format!("HTTP/1.1 102 Processing\r\n\r\n{hints}"));
            more.into_iter().fold(first.step(Step::Pause(MOMENT)), Script::step)
        }
        "no-content-with-body" => {
            Script::response("204 No Content", &[TYPE, "Content-Length: 7"], b"<p>fine")
        }
        "poisoned-connection" if ask.path == "/" => {
            let poison = "HTTP/1.1 404 Not Found\r\nContent-Length: 6\r\n\r\npoison";
            Script::page("<p>fine").then(poison)
        }
        "poisoned-connection" => Script::page("<p>fine, too"),
        "not-modified-unasked" => {
            Script::response("304 Not Modified", &["Content-Length: 7"], b"<p>fine")
        }
        "switching-unasked" => {
            let fields = ["Connection: upgrade", "Upgrade: websocket"];
            Script::response("101 Switching Protocols", &fields, b"\x81\x02hi").end(End::Stall)
        }
        _ => return None,
    })
}

fn slow(name: &str) -> Option<Script> {
    let rest = "Content-Length: 7\r\n\r\n<p>fine";
    Some(match name {
        "silent" => Script::nothing(End::Stall),
        "drip-head" => Script::nothing(End::Keep).drip(format!("{BEGINNING}{rest}")),
        "half-a-line" => Script::send("HTTP/1.1 20").end(End::Stall),
        "continue-flood" => Script::nothing(End::Close)
            .step(Step::Forever("HTTP/1.1 100 Continue\r\n\r\n".into(), MOMENT / 20)),
        "hints-flood" => Script::nothing(End::Close).step(Step::Forever(
            "HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\n\r\n\
             HTTP/1.1 102 Processing\r\n\r\n"
                .into(),
            MOMENT / 20,
        )),
        "closed-at-once" => Script::nothing(End::Close),
        "closed-in-head" => Script::send(BEGINNING).end(End::Close),
        "reset-before-head" => Script::nothing(End::Reset),
        // The pause lets the client see the bytes before the reset takes them away.
        "reset-in-head" => Script::send(BEGINNING).step(Step::Pause(MOMENT)).end(End::Reset),
        "continue-then-close" => Script::send("HTTP/1.1 100 Continue\r\n\r\n").end(End::Close),
        _ => return None,
    })
}

fn long(name: &str) -> Option<Script> {
    let fields = |n: usize| -> Vec<u8> {
        let mut head = BEGINNING.as_bytes().to_vec();
        head.extend(std::iter::repeat_n(b"X-N: 1\r\n", n).flatten());
        head.extend_from_slice(b"Content-Length: 7\r\n\r\n<p>fine");
        head
    };
    let a_lot = vec![b'x'; MEGABYTE / 64];
    Some(match name {
        "field-of-a-megabyte" => Script::send(format!("{BEGINNING}X-Long: "))
            .then(vec![b'x'; MEGABYTE])
            .then("\r\nContent-Length: 7\r\n\r\n<p>fine"),
        "field-without-end" => Script::send(format!("{BEGINNING}X-Long: ")).forever(a_lot),
        "reason-without-end" => Script::send("HTTP/1.1 200 ").forever(a_lot),
        "fields-1000" => Script::send(fields(1_000)),
        "fields-100000" => Script::send(fields(100_000)),
        _ => return None,
    })
}

fn no_http(name: &str) -> Option<Script> {
    let garbage: Vec<u8> = (0..4096_u32).map(|i| (i * 167 % 251) as u8 | 0x80).collect();
    let page = |head: &str| Script::send(format!("{head}\r\n\r\n<p>fine")).end(End::Close);
    Some(match name {
        "garbage" => Script::send(garbage).end(End::Close),
        "http-09" => Script::send("<!doctype html>\n<p>no head\n").end(End::Close),
        "http-3-version" => page("HTTP/3.0 200 OK\r\nContent-Length: 7"),
        "lengths-conflict" => page("HTTP/1.1 200 OK\r\nContent-Length: 7\r\nContent-Length: 70"),
        "length-negative" => page("HTTP/1.1 200 OK\r\nContent-Length: -7"),
        _ => return None,
    })
}
