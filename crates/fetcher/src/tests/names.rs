//! Names, asked of a name server on loopback.

use std::collections::HashMap;

use tokio::net::UdpSocket;

use super::*;
use crate::resolve::Names;

/// What the name server says of a name.
pub(super) enum Says {
    /// Its addresses, for a minute.
    Is(&'static [[u8; 4]]),
    /// Its addresses, for no time at all.
    IsNow(&'static [[u8; 4]]),
    Code(u8),
    Nothing,
}

use Says::{Code, Is, IsNow, Nothing};

/// Says something of a name that was asked for so many times before.
type Oracle = fn(&str, usize) -> Says;

/// The name server's book: how often it was asked for the IPv4 addresses of each name.
type Book = Arc<Mutex<HashMap<String, usize>>>;

/// Starts a name server.
async fn name_server(says: Oracle) -> (SocketAddr, Book) {
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let address = socket.local_addr().unwrap();
    let book = Book::default();
    let asked = book.clone();
    tokio::spawn(async move {
        let mut buffer = [0; 1500];
        loop {
            let (n, from) = socket.recv_from(&mut buffer).await.unwrap();
            if let Some(answer) = answer(&buffer[..n], says, &asked) {
                socket.send_to(&answer, from).await.unwrap();
            }
        }
    });
    (address, book)
}

/// Builds the answer to a question (RFC 1035, section 4).
fn answer(question: &[u8], says: Oracle, book: &Book) -> Option<Vec<u8>> {
    let mut labels = Vec::new();
    let mut at = 12;
    while question[at] != 0 {
        let end = at + 1 + usize::from(question[at]);
        labels.push(std::str::from_utf8(&question[at + 1..end]).unwrap().to_ascii_lowercase());
        at = end;
    }
    let is_a = question[at + 1..at + 3] == [0, 1];
    let section = &question[12..at + 5];
    let name = labels.join(".");
    let mut book = book.lock().unwrap();
    let n_asked = book.entry(name.clone()).or_default();
    let said = says(&name, *n_asked);
    *n_asked += usize::from(is_a);
    let (code, addresses, ttl) = match said {
        Nothing => return None,
        Code(code) => (code, &[][..], 0),
        Is(addresses) => (0, if is_a { addresses } else { &[] }, 60),
        IsNow(addresses) => (0, if is_a { addresses } else { &[] }, 0),
    };
    let mut answer = question[..2].to_vec();
    answer.extend([0x81, 0x80 | code, 0, 1, 0, addresses.len() as u8, 0, 0, 0, 0]);
    answer.extend(section);
    for address in addresses {
        answer.extend([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, ttl, 0, 4]);
        answer.extend(address);
    }
    Some(answer)
}

pub(super) async fn asking(says: Oracle) -> (FetchConfig, Book) {
    let (address, book) = name_server(says).await;
    let config = FetchConfig {
        name_servers: vec![address.to_string()],
        dns_timeout: Duration::from_secs(1),
        ..FetchConfig::default()
    };
    (config, book)
}

/// How often the name server was asked for a name.
fn n_asked(book: &Book, name: &str) -> usize {
    book.lock().unwrap().get(name).copied().unwrap_or(0)
}

fn url(text: &str) -> CanonicalUrl {
    CanonicalUrl::parse(text).unwrap()
}

#[tokio::test]
async fn a_name_is_looked_up_once_while_its_answer_lives() {
    let (config, book) = asking(|name, _| match name {
        "site.example" => Is(&[[127, 0, 0, 1]]),
        _ => Code(3),
    })
    .await;
    let server = Server::start(vec![vec![page("1")], vec![page("2")]]).await;
    let no_pool =
        FetchConfig { allow_private_addresses: true, keep_alive: Duration::ZERO, ..config };
    let fetcher = Fetcher::new(no_pool).unwrap();
    let url = format!("http://site.example:{}/", server.address.port());
    for body in ["1", "2"] {
        assert_eq!(ok(fetch(&fetcher, &url).await).body, body);
        assert_eq!(n_asked(&book, "site.example"), 1);
    }
}

#[tokio::test]
async fn an_answer_for_no_time_is_asked_for_again_but_not_by_those_who_waited_for_it() {
    let (config, book) = asking(|_, _| IsNow(&[[127, 0, 0, 1]])).await;
    for (min, expected) in [(Duration::ZERO, 2), (Duration::from_secs(10), 1)] {
        book.lock().unwrap().clear();
        let config =
            FetchConfig { allow_private_addresses: true, dns_min_ttl: min, ..config.clone() };
        let names = Names::new(&config).unwrap();
        let site = url("http://site.example/");
        for _ in 0..2 {
            let lookups = tokio::join!(
                names.addresses(&site),
                names.addresses(&site),
                names.addresses(&site)
            );
            assert!(lookups.0.is_ok() && lookups.1.is_ok() && lookups.2.is_ok());
        }
        assert_eq!(n_asked(&book, "site.example"), expected);
    }
}

#[tokio::test]
async fn an_old_answer_stands_in_for_servers_that_fail() {
    use FailureKind::{Dns, DnsTimeout, Unresolvable};
    let (config, _) = asking(|name, n_asked| match (name, n_asked) {
        (_, 0) => IsNow(&[[1, 1, 1, 1]]),
        ("silent.example", _) => Nothing,
        ("broken.example", _) => Code(2),
        _ => Code(3),
    })
    .await;
    let hosts = ["silent.example", "broken.example", "gone.example"];
    let now = FetchConfig { dns_min_ttl: Duration::ZERO, ..config };
    let names = Names::new(&now).unwrap();
    let without = Names::new(&FetchConfig { dns_stale: Duration::ZERO, ..now }).unwrap();
    let kinds = [DnsTimeout, Dns, Unresolvable];
    let expected = [Ok(()), Ok(()), Err(Unresolvable)];
    for ((host, kind), expected) in hosts.into_iter().zip(kinds).zip(expected) {
        let site = url(&format!("http://{host}/"));
        assert!(names.addresses(&site).await.is_ok());
        let again = names.addresses(&site).await;
        assert_eq!(again.map(drop).map_err(|failure| failure.kind), expected, "{host}");
        assert_eq!(without.addresses(&site).await.unwrap_err().kind, kind, "{host}");
    }
}

#[tokio::test]
async fn a_name_that_changes_to_a_private_address_is_refused_at_its_next_lookup() {
    let (config, book) = asking(|_, n_asked| match n_asked {
        0 => IsNow(&[[1, 1, 1, 1]]),
        1 => IsNow(&[[10, 0, 0, 1], [1, 1, 1, 1]]),
        _ => IsNow(&[[127, 0, 0, 1]]),
    })
    .await;
    let names = Names::new(&FetchConfig { dns_min_ttl: Duration::ZERO, ..config }).unwrap();
    let site = url("http://rebind.example/");
    let public: SocketAddr = "1.1.1.1:80".parse().unwrap();
    // What is judged is what is given to be connected to: the private one is not among them.
    for _ in 0..2 {
        assert_eq!(names.addresses(&site).await.unwrap(), [public]);
    }
    let refused = names.addresses(&site).await.unwrap_err();
    assert_eq!(refused.kind, FailureKind::PrivateAddress);
    assert!(refused.detail.contains("rebind.example is at 127.0.0.1"), "{refused}");
    assert_eq!(n_asked(&book, "rebind.example"), 3);
}

#[tokio::test]
async fn a_fetch_connects_to_what_it_looked_up_and_asks_no_second_time() {
    let (config, book) = asking(|_, n_asked| match n_asked {
        0 => IsNow(&[[127, 0, 0, 1]]),
        _ => IsNow(&[[127, 0, 0, 2]]),
    })
    .await;
    let server = Server::once(page("1")).await;
    let config =
        FetchConfig { allow_private_addresses: true, dns_min_ttl: Duration::ZERO, ..config };
    let fetcher = Fetcher::new(config).unwrap();
    let site = format!("http://rebind.example:{}/", server.address.port());
    let answer = fetch(&fetcher, &site).await;
    assert!(answer.timing.dns.is_some());
    assert_eq!(ok(answer).remote, Some(server.address));
    assert_eq!(n_asked(&book, "rebind.example"), 1);
}

#[tokio::test]
async fn names_that_do_not_resolve_are_told_from_servers_that_do_not_answer() {
    let (config, _) = asking(|name, _| match name {
        "none.example" => Code(3),
        "empty.example" => Is(&[]),
        "broken.example" => Code(2),
        "refused.example" => Code(5),
        _ => Nothing,
    })
    .await;
    let fetcher = Fetcher::new(config).unwrap();
    for (host, kind, part) in [
        ("none.example", FailureKind::Unresolvable, "none.example does not exist (NXDOMAIN)"),
        ("empty.example", FailureKind::Unresolvable, "empty.example has no address"),
        ("broken.example", FailureKind::Dns, "name lookup of broken.example failed"),
        ("refused.example", FailureKind::Dns, "name lookup of refused.example failed"),
        ("silent.example", FailureKind::DnsTimeout, "silent.example"),
    ] {
        let answer = fetch(&fetcher, &format!("http://{host}/")).await;
        assert_eq!(answer.sent_at, None);
        check_failure(answer, kind, part);
    }
    let long = format!("http://{}.example/", "x".repeat(64));
    check_failure(fetch(&fetcher, &long).await, FailureKind::Unresolvable, "not a name");
}

#[tokio::test]
async fn silence_of_all_name_servers_ends_at_the_limit() {
    let (mut config, _) = asking(|_, _| Nothing).await;
    config.dns_timeout = SOON;
    let answer = fetch(&Fetcher::new(config).unwrap(), "http://silent.example/").await;
    check_failure(answer, FailureKind::DnsTimeout, "silent.example");
}
