//! The table and the servers agree, and the servers do what their names say.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use super::ask::Ask;
use super::*;

#[test]
fn there_are_many_faults_and_at_most_six_share_a_verdict() {
    let mut verdicts = BTreeMap::<&str, usize>::new();
    let mut names = BTreeSet::new();
    for row in TABLE {
        *verdicts.entry(row.verdict).or_default() += 1;
        assert!(names.insert(row.name), "{} is there twice", row.name);
        let says = ["RFC ", "HTML, ", "URL Standard, "];
        assert!(says.iter().any(|book| row.section.starts_with(book)), "{}", row.section);
    }
    assert!(TABLE.len() >= 75, "{}", TABLE.len());
    for (verdict, n) in verdicts {
        assert!(n <= 6, "{verdict}: {n}");
    }
}

#[test]
fn each_verdict_of_the_table_is_one_of_the_crawlers() {
    let known = crawl_model::Verdict::ALL.iter().map(|verdict| verdict.name());
    let known: BTreeSet<_> =
        known.chain(crawl_model::FilterReason::ALL.iter().map(|reason| reason.name())).collect();
    for row in TABLE {
        assert!(known.contains(row.verdict), "{}: {}", row.name, row.verdict);
    }
}

#[test]
fn each_fault_of_the_table_has_its_server() {
    let authority = Authority::new().unwrap();
    for row in TABLE {
        let is_there = match row.place {
            Place::Http | Place::Https => serve::script(row.name, &Ask::get("/")).is_some(),
            Place::Tls => !matches!(wrong(row, "x.test", &authority).unwrap(), Wrong::Nothing),
            Place::Port | Place::Name | Place::Literal => true,
        };
        assert!(is_there, "{}", row.name);
    }
}

fn address(faults: &Faults, name: &str) -> SocketAddr {
    let host = format!("{name}.fault.test");
    faults.resolve().iter().find(|(known, _)| *known == host).unwrap().1
}

/// Sends a request on a connection of its own; up to `most` bytes of what comes.
fn ask(to: SocketAddr, path: &str, most: u64) -> io::Result<Vec<u8>> {
    let mut stream = TcpStream::connect_timeout(&to, Duration::from_millis(500))?;
    stream.set_read_timeout(Some(Duration::from_millis(500)))?;
    write!(stream, "GET {path} HTTP/1.1\r\nHost: x.test\r\n\r\n")?;
    let mut bytes = Vec::new();
    let read = stream.take(most).read_to_end(&mut bytes);
    if bytes.is_empty() {
        read?;
    }
    Ok(bytes)
}

#[test]
fn a_port_refuses_or_swallows_connections_once_robots_has_been_served() {
    let faults = Faults::start().unwrap();
    for (name, expected) in [
        ("refused", io::ErrorKind::ConnectionRefused),
        ("blackhole", io::ErrorKind::TimedOut),
        ("never-accepted", io::ErrorKind::WouldBlock),
    ] {
        let to = address(&faults, name);
        let robots = ask(to, "/robots.txt", 1000).unwrap();
        assert!(robots.starts_with(b"HTTP/1.1 404"), "{name}");
        std::thread::sleep(Duration::from_millis(300));
        let error = ask(to, "/", 1000).unwrap_err();
        assert_eq!(error.kind(), expected, "{name}: {error}");
    }
}

#[test]
fn answers_without_end_stop_when_the_client_goes_and_all_stops_when_dropped() {
    let faults = Faults::start().unwrap();
    for name in ["endless-body", "gzip-bomb", "endless-trailers", "field-without-end"] {
        let bytes = ask(address(&faults, name), "/", 100_000).unwrap();
        assert_eq!(bytes.len(), 100_000, "{name}");
    }
    let silent = TcpStream::connect(address(&faults, "silent")).unwrap();
    let to = silent.peer_addr().unwrap();
    let begun = Instant::now();
    drop(faults);
    assert!(begun.elapsed() < Duration::from_secs(5));
    assert!(TcpStream::connect(to).is_err());
}

#[test]
fn the_bomb_of_brotli_is_one() {
    let mut bytes = Vec::new();
    let mut decoder = brotli::Decompressor::new(codings::BROTLI_BOMB, 4096);
    decoder.read_to_end(&mut bytes).unwrap();
    assert_eq!(bytes.len(), 64 * 1024 * 1024);
    assert!(bytes.iter().all(|&byte| byte == 0));
}

#[test]
fn bombs_of_gzip_go_on_in_both_layers() {
    let (first, more) = codings::gzip_without_end(b"text");
    let bytes = [first, more.clone(), more].concat();
    let mut decoded = Vec::new();
    // It has no end, and says so.
    let error = flate2::read::GzDecoder::new(&bytes[..]).read_to_end(&mut decoded).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof);
    assert_eq!(decoded.len(), 4 + 2 * 1024 * 1024);
    assert!(decoded.starts_with(b"text"));
}
