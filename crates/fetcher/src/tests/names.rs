//! Names, asked of a name server on loopback.

use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::net::UdpSocket;

use super::*;

/// What the name server says of a name.
enum Says {
    Is(&'static [[u8; 4]]),
    Code(u8),
    Nothing,
}

/// Starts a name server; counts the questions it gets.
async fn name_server(says: fn(&str) -> Says) -> (SocketAddr, Arc<AtomicUsize>) {
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let address = socket.local_addr().unwrap();
    let n_asked = Arc::new(AtomicUsize::new(0));
    let counter = n_asked.clone();
    tokio::spawn(async move {
        let mut buffer = [0; 1500];
        loop {
            let (n, from) = socket.recv_from(&mut buffer).await.unwrap();
            counter.fetch_add(1, Ordering::Relaxed);
            if let Some(answer) = answer(&buffer[..n], says) {
                socket.send_to(&answer, from).await.unwrap();
            }
        }
    });
    (address, n_asked)
}

/// Builds the answer to a question (RFC 1035, section 4).
fn answer(question: &[u8], says: fn(&str) -> Says) -> Option<Vec<u8>> {
    let mut labels = Vec::new();
    let mut at = 12;
    while question[at] != 0 {
        let end = at + 1 + usize::from(question[at]);
        labels.push(std::str::from_utf8(&question[at + 1..end]).unwrap().to_ascii_lowercase());
        at = end;
    }
    let is_a = question[at + 1..at + 3] == [0, 1];
    let section = &question[12..at + 5];
    let (code, addresses) = match says(&labels.join(".")) {
        Says::Nothing => return None,
        Says::Code(code) => (code, &[][..]),
        Says::Is(addresses) => (0, if is_a { addresses } else { &[] }),
    };
    let mut answer = question[..2].to_vec();
    answer.extend([0x81, 0x80 | code, 0, 1, 0, addresses.len() as u8, 0, 0, 0, 0]);
    answer.extend(section);
    for address in addresses {
        answer.extend([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4]);
        answer.extend(address);
    }
    Some(answer)
}

async fn asking(says: fn(&str) -> Says) -> (FetchConfig, Arc<AtomicUsize>) {
    let (address, n_asked) = name_server(says).await;
    let config = FetchConfig {
        name_servers: vec![address.to_string()],
        dns_timeout: Duration::from_secs(1),
        ..FetchConfig::default()
    };
    (config, n_asked)
}

#[tokio::test]
async fn a_name_is_looked_up_once_while_its_answer_lives() {
    let (config, n_asked) = asking(|name| match name {
        "site.example" => Says::Is(&[[127, 0, 0, 1]]),
        _ => Says::Code(3),
    })
    .await;
    let server = Server::start(vec![vec![page("1")], vec![page("2")]]).await;
    let no_pool =
        FetchConfig { allow_private_addresses: true, keep_alive: Duration::ZERO, ..config };
    let fetcher = Fetcher::new(no_pool).unwrap();
    let url = format!("http://site.example:{}/", server.address.port());
    assert_eq!(ok(fetch(&fetcher, &url).await).body, "1");
    let n_first = n_asked.load(Ordering::Relaxed);
    assert_eq!(ok(fetch(&fetcher, &url).await).body, "2");
    assert_eq!(n_asked.load(Ordering::Relaxed), n_first);
}

#[tokio::test]
async fn names_that_do_not_resolve_are_told_from_servers_that_do_not_answer() {
    let (config, _) = asking(|name| match name {
        "none.example" => Says::Code(3),
        "empty.example" => Says::Is(&[]),
        "broken.example" => Says::Code(2),
        "refused.example" => Says::Code(5),
        _ => Says::Nothing,
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
    let (mut config, _) = asking(|_| Says::Nothing).await;
    config.dns_timeout = SOON;
    let answer = fetch(&Fetcher::new(config).unwrap(), "http://silent.example/").await;
    check_failure(answer, FailureKind::DnsTimeout, "silent.example");
}

#[tokio::test]
async fn a_name_that_resolves_to_a_private_address_is_refused() {
    let (config, _) = asking(|_| Says::Is(&[[10, 0, 0, 1], [169, 254, 169, 254]])).await;
    let answer = fetch(&Fetcher::new(config).unwrap(), "http://inside.example/").await;
    check_failure(answer, FailureKind::PrivateAddress, "inside.example is at 10.0.0.1");
}
