//! TLS and HTTP/2, with a certificate authority of the test's own.

use std::path::PathBuf;

use bytes::Bytes;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper_util::rt::{TokioExecutor, TokioIo};
use rcgen::{BasicConstraints, Certificate, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::server::danger::ClientCertVerifier;
use rustls::server::{NoClientAuth, WebPkiClientVerifier};
use rustls::{RootCertStore, ServerConfig};
use tokio_rustls::TlsAcceptor;

use super::*;

/// A certificate authority whose certificate lies in a file.
struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
    folder: tempfile::TempDir,
}

impl Authority {
    fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("ca.pem"), issuer.pem()).unwrap();
        Self { issuer, folder }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("ca.pem")
    }

    /// An acceptor for `host` that speaks the given protocols.
    fn acceptor(&self, params: CertificateParams, protocols: &[&str]) -> TlsAcceptor {
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        acceptor(Arc::new(NoClientAuth), &certificate, &key, protocols)
    }

    /// One that asks for a certificate of this authority.
    fn asking_acceptor(&self, params: CertificateParams) -> TlsAcceptor {
        let mut roots = RootCertStore::empty();
        roots.add(self.issuer.der().clone()).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        acceptor(verifier.build().unwrap(), &certificate, &key, &[])
    }
}

/// An acceptor whose certificate is signed by nobody else.
fn own_acceptor(params: CertificateParams) -> TlsAcceptor {
    let key = KeyPair::generate().unwrap();
    acceptor(Arc::new(NoClientAuth), &params.self_signed(&key).unwrap(), &key, &[])
}

fn acceptor(
    clients: Arc<dyn ClientCertVerifier>,
    certificate: &Certificate,
    key: &KeyPair,
    protocols: &[&str],
) -> TlsAcceptor {
    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_client_cert_verifier(clients)
        .with_single_cert(vec![certificate.der().clone()], key)
        .unwrap();
    config.alpn_protocols = protocols.iter().map(|name| name.as_bytes().to_vec()).collect();
    TlsAcceptor::from(Arc::new(config))
}

fn certificate_for(host: &str) -> CertificateParams {
    CertificateParams::new(vec![host.to_owned()]).unwrap()
}

/// Answers each request with its version and URI, over HTTP/2 if that was agreed on.
async fn serve(acceptor: TlsAcceptor) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let mut n = 0;
        while let Ok((stream, _)) = listener.accept().await {
            n += 1;
            let Ok(stream) = acceptor.accept(stream).await else { continue };
            let is_h2 = stream.get_ref().1.alpn_protocol() == Some(b"h2");
            let service = hyper::service::service_fn(move |request| answer(n, request));
            let io = TokioIo::new(stream);
            tokio::spawn(async move {
                let _ = if is_h2 {
                    hyper::server::conn::http2::Builder::new(TokioExecutor::new())
                        .serve_connection(io, service)
                        .await
                } else {
                    hyper::server::conn::http1::Builder::new().serve_connection(io, service).await
                };
            });
        }
    });
    address
}

async fn answer(
    connection: u32,
    request: hyper::Request<Incoming>,
) -> Result<hyper::Response<Full<Bytes>>, hyper::Error> {
    let mut response = hyper::Response::new(Full::default());
    let field = |name| request.headers().get(name).map(|v| v.to_str().unwrap().to_owned());
    match request.uri().path() {
        path @ ("/long" | "/monster") => {
            let n = if path == "/long" { 20 } else { 600 };
            for n in 0..n {
                let name = hyper::header::HeaderName::try_from(format!("x-{n}")).unwrap();
                response.headers_mut().insert(name, "x".repeat(4000).parse().unwrap());
            }
        }
        "/large" => *response.body_mut() = Full::from(vec![b'x'; 3 << 20]),
        _ => {
            let text = format!(
                "{connection} {:?} {} host={:?} auth={:?}",
                request.version(),
                request.uri(),
                field("host"),
                field("authorization").is_some(),
            );
            *response.body_mut() = Full::from(text);
        }
    }
    Ok(response)
}

fn trusting(authority: &Authority, address: SocketAddr) -> FetchConfig {
    FetchConfig { extra_roots: vec![authority.path()], ..config(address) }
}

#[tokio::test]
async fn a_certificate_of_a_trusted_authority_passes() {
    let authority = Authority::new();
    let address = serve(authority.acceptor(certificate_for("a.test"), &["http/1.1"])).await;
    let fetcher = Fetcher::new(trusting(&authority, address)).unwrap();
    let answer = fetch(&fetcher, "https://a.test/x").await;
    assert!(answer.sent_at.is_some_and(|sent_at| sent_at < answer.done_at));
    assert!(answer.timing.tls.is_some());
    let response = ok(answer);
    assert_eq!(response.version, "HTTP/1.1");
    assert_eq!(response.body, "1 HTTP/1.1 /x host=Some(\"a.test\") auth=false");
    assert_eq!(ok(fetch(&fetcher, "https://a.test/y").await).body[..2], *b"1 ");
}

#[tokio::test]
async fn each_thing_that_can_be_wrong_with_a_certificate_has_its_own_class() {
    use FailureKind::{CertificateExpired, CertificateName, CertificateUntrusted};
    let authority = Authority::new();
    let dated = |from: i32, to: i32| {
        let mut params = certificate_for("a.test");
        params.not_before = rcgen::date_time_ymd(from, 1, 1);
        params.not_after = rcgen::date_time_ymd(to, 1, 1);
        params
    };
    for (params, is_trusted, kind) in [
        (certificate_for("a.test"), false, CertificateUntrusted),
        (certificate_for("b.test"), true, CertificateName),
        (certificate_for("*.a.test"), true, CertificateName),
        (dated(2020, 2021), true, CertificateExpired),
        (dated(2900, 2901), true, CertificateExpired),
    ] {
        let address = serve(authority.acceptor(params, &["h2", "http/1.1"])).await;
        let config = if is_trusted { trusting(&authority, address) } else { config(address) };
        let answer = fetch(&Fetcher::new(config).unwrap(), "https://a.test/").await;
        assert_eq!(answer.sent_at, None);
        check_failure(answer, kind, "no TLS with a.test: invalid peer certificate");
    }
}

#[tokio::test]
async fn a_certificate_that_signs_itself_is_untrusted() {
    for is_ca in [IsCa::NoCa, IsCa::Ca(BasicConstraints::Unconstrained)] {
        let mut params = certificate_for("a.test");
        params.is_ca = is_ca;
        let address = serve(own_acceptor(params)).await;
        let answer = fetch(&Fetcher::new(config(address)).unwrap(), "https://a.test/").await;
        check_failure(answer, FailureKind::CertificateUntrusted, "no TLS with a.test");
    }
}

#[tokio::test]
async fn a_server_without_tls_is_told() {
    let server = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = server.local_addr().unwrap();
    tokio::spawn(async move {
        let (mut stream, _) = server.accept().await.unwrap();
        stream.write_all(&response("400 Bad Request", "", "")).await.unwrap();
        let _ = stream.read_to_end(&mut Vec::new()).await;
    });
    let answer = fetch(&Fetcher::new(config(address)).unwrap(), "https://a.test/").await;
    check_failure(answer, FailureKind::Tls, "no TLS with a.test");
}

#[tokio::test]
async fn a_handshake_that_stalls_or_breaks_is_not_final() {
    let server = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let soon = FetchConfig { tls_timeout: SOON, ..config(server.local_addr().unwrap()) };
    let fetcher = Fetcher::new(soon).unwrap();
    let answer = fetch(&fetcher, "https://a.test/").await;
    check_failure(answer, FailureKind::TlsTimeout, "within 150ms (fetch.tls-timeout)");
    tokio::spawn(async move {
        let _stalled = server.accept().await.unwrap();
        drop(server.accept().await.unwrap());
    });
    let answer = fetch(&fetcher, "https://a.test/").await;
    check_failure(answer, FailureKind::Disconnected, "broke in the TLS handshake");
}

#[tokio::test]
async fn http_2_is_spoken_where_offered_and_its_connection_shared() {
    let authority = Authority::new();
    let address = serve(authority.acceptor(certificate_for("a.test"), &["h2", "http/1.1"])).await;
    let fetcher = Fetcher::new(trusting(&authority, address)).unwrap();
    let answer = fetch(&fetcher, "https://joe:pw@a.test/x?y").await;
    assert!(answer.sent_at.is_some_and(|sent_at| sent_at < answer.done_at));
    let response = ok(answer);
    assert_eq!(response.version, "HTTP/2");
    assert_eq!(response.body, "1 HTTP/2.0 https://a.test/x?y host=None auth=true");
    let tickets = [ticket(get("https://a.test/1")), ticket(get("https://a.test/2"))];
    let (one, two) =
        tokio::join!(fetch_ticket(&fetcher, &tickets[0]), fetch_ticket(&fetcher, &tickets[1]));
    for answer in [one, two] {
        assert!(answer.sent_at.is_some());
        assert_eq!(ok(answer).body[..2], *b"1 ");
    }
    assert_eq!(fetcher.exchange.pool().len(), 1);
}

#[tokio::test]
async fn the_first_requests_to_an_http_2_origin_share_its_first_connection() {
    let authority = Authority::new();
    let address = serve(authority.acceptor(certificate_for("a.test"), &["h2"])).await;
    let fetcher = Fetcher::new(trusting(&authority, address)).unwrap();
    let mut fetches = tokio::task::JoinSet::new();
    for n in 0..16 {
        let fetcher = fetcher.clone();
        fetches.spawn(async move { fetch(&fetcher, &format!("https://a.test/{n}")).await });
    }
    while let Some(answer) = fetches.join_next().await {
        assert_eq!(ok(answer.unwrap()).body[..2], *b"1 ");
    }
}

#[tokio::test]
async fn who_waited_for_http_2_in_vain_connects_at_once() {
    let authority = Authority::new();
    let params = certificate_for("a.test");
    let address = serve(authority.acceptor(params, &["http/1.1"])).await;
    let fetcher = Fetcher::new(trusting(&authority, address)).unwrap();
    let untrusting = Fetcher::new(config(address)).unwrap();
    for (fetcher, is_good) in [(fetcher, true), (untrusting, false)] {
        let tickets = [1, 2, 3].map(|n| ticket(get(&format!("https://a.test/{n}"))));
        let [one, two, three] = &tickets;
        let (one, two, three) = tokio::join!(
            fetch_ticket(&fetcher, one),
            fetch_ticket(&fetcher, two),
            fetch_ticket(&fetcher, three)
        );
        assert!([one, two, three].into_iter().all(|answer| answer.reply.is_ok() == is_good));
    }
}

#[tokio::test]
async fn a_session_is_resumed_unless_none_are_kept() {
    let authority = Authority::new();
    for (tls_sessions, expected) in [(10, "Resumed"), (0, "Full")] {
        let acceptor = authority.acceptor(certificate_for("a.test"), &[]);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let mut stream = acceptor.accept(stream).await.unwrap();
                let kind = format!("{:?}", stream.get_ref().1.handshake_kind().unwrap());
                let mut request = [0; 4096];
                let _ = stream.read(&mut request).await.unwrap();
                let close = response("200 OK", "Connection: close\r\n", kind);
                stream.write_all(&close).await.unwrap();
                let _ = stream.shutdown().await;
            }
        });
        let config = FetchConfig { tls_sessions, ..trusting(&authority, address) };
        let fetcher = Fetcher::new(config).unwrap();
        assert_eq!(ok(fetch(&fetcher, "https://a.test/").await).body, "Full");
        assert_eq!(ok(fetch(&fetcher, "https://a.test/").await).body, expected);
    }
}

#[tokio::test]
async fn a_server_that_asks_for_a_certificate_gets_ours() {
    let authority = Authority::new();
    let key = KeyPair::generate().unwrap();
    let ours = certificate_for("us.test").signed_by(&key, &authority.issuer).unwrap();
    let file = |name: &str, text: &str| {
        let path = authority.folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    };
    let client_cert = file("us.pem", &ours.pem());
    let client_key = file("us.key", &key.serialize_pem());
    let other_key = file("other.key", &KeyPair::generate().unwrap().serialize_pem());
    let address = serve(authority.asking_acceptor(certificate_for("a.test"))).await;

    let with = FetchConfig {
        client_cert: client_cert.clone(),
        client_key,
        ..trusting(&authority, address)
    };
    let fetcher = Fetcher::new(with).unwrap();
    assert_eq!(ok(fetch(&fetcher, "https://a.test/").await).status, 200);

    let without = Fetcher::new(trusting(&authority, address)).unwrap();
    check_failure(fetch(&without, "https://a.test/").await, FailureKind::Tls, "a.test");

    let mixed_up =
        FetchConfig { client_cert, client_key: other_key, ..trusting(&authority, address) };
    let error = Fetcher::new(mixed_up).unwrap_err().to_string();
    assert!(error.contains("`fetch.client-key`") && error.contains("does not fit"), "{error}");
}

#[tokio::test]
async fn what_is_not_http_2_is_told_from_a_connection_that_breaks() {
    let authority = Authority::new();
    for (said, kind) in [
        (&b"HTTP/1.1 400 Bad Request\r\n\r\n"[..], FailureKind::Protocol),
        (&b""[..], FailureKind::Disconnected),
    ] {
        let acceptor = authority.acceptor(certificate_for("a.test"), &["h2"]);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let config = trusting(&authority, listener.local_addr().unwrap());
        tokio::spawn(async move {
            let (stream, _) = listener.accept().await.unwrap();
            let mut stream = acceptor.accept(stream).await.unwrap();
            let _ = stream.read(&mut [0; 4096]).await;
            stream.write_all(said).await.unwrap();
            let _ = stream.shutdown().await;
            let _ = stream.read_to_end(&mut Vec::new()).await;
        });
        let answer = fetch(&Fetcher::new(config).unwrap(), "https://a.test/").await;
        check_failure(answer, kind, "a.test");
    }
}

#[tokio::test]
async fn limits_hold_over_http_2() {
    let authority = Authority::new();
    let address = serve(authority.acceptor(certificate_for("a.test"), &["h2"])).await;
    let limits = FetchConfig { body_limit_bytes: 1 << 20, ..trusting(&authority, address) };
    let fetcher = Fetcher::new(limits).unwrap();
    let answer = fetch(&fetcher, "https://a.test/long").await;
    check_failure(answer, FailureKind::HeaderLimit, "(fetch.header-limit-bytes)");
    let answer = fetch(&fetcher, "https://a.test/monster").await;
    check_failure(answer, FailureKind::HeaderLimit, "(fetch.header-limit-bytes)");
    let response = ok(fetch(&fetcher, "https://a.test/large").await);
    assert_eq!((response.body.len(), response.truncated), (1 << 20, Some(Truncation::Length)));
    assert_eq!(ok(fetch(&fetcher, "https://a.test/x").await).status, 200);
}

/// An HTTP proxy that opens every tunnel it is asked for.
async fn relay() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let request = read_request(&mut stream, &mut Vec::new()).await.unwrap();
                let target = request.strip_prefix("CONNECT ").unwrap().split(' ').next().unwrap();
                let mut target = TcpStream::connect(target).await.unwrap();
                stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await.unwrap();
                let _ = tokio::io::copy_bidirectional(&mut stream, &mut target).await;
            });
        }
    });
    address
}

#[tokio::test]
async fn in_a_tunnel_http_2_is_spoken_and_certificates_are_verified() {
    let authority = Authority::new();
    let address = serve(authority.acceptor(certificate_for("a.test"), &["h2", "http/1.1"])).await;
    let through = |config: FetchConfig, proxy: SocketAddr| FetchConfig {
        proxies: [("p".to_owned(), format!("http://{proxy}").into())].into(),
        proxy: ["p"].into_iter().collect(),
        ..config
    };
    let proxy = relay().await;
    let fetcher = Fetcher::new(through(trusting(&authority, address), proxy)).unwrap();
    let response = ok(fetch(&fetcher, "https://a.test/x").await);
    assert_eq!((response.version, response.remote), ("HTTP/2", None));
    assert_eq!(ok(fetch(&fetcher, "https://a.test/y").await).body[..2], *b"1 ");
    assert_eq!(fetcher.exchange.pool().len(), 1);
    let fetcher = Fetcher::new(through(config(address), proxy)).unwrap();
    let answer = fetch(&fetcher, "https://a.test/").await;
    assert_eq!((answer.sent_at, answer.rest), (None, None));
    assert!(failure(answer).detail.contains("invalid peer certificate"));
}
