//! Real proxies carry whole crawls: tinyproxy (HTTP) and microsocks (SOCKS 5), both of Debian.
//!
//! Each listens on a free port of loopback, wants a user and a password, and is ended with the
//! test. The proxy's log tells that the crawl went through it; that nothing goes past it is seen
//! when it is dead.
//!
//! On a machine without these programs the tests say so and do nothing, unless
//! `CRAWL_REAL_PROXIES` is set, as the gate does; then they fail. (The fetcher's own tests speak
//! both protocols with servers of their own.)

use std::fs::{self, File};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use crawl::{Crawl, Report};
use crawl_testsite::TestSite;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};

use crate::support::{LIMIT, Scratch};

/// Pages of each host.
const PAGES: usize = 8;

/// Whether the proxy `program` can be run.
fn is_here(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let is_here = std::env::split_paths(&path).any(|folder| folder.join(program).is_file());
    if !is_here {
        let what = format!("{program} is not here: apt-get install tinyproxy-bin microsocks");
        assert!(std::env::var_os("CRAWL_REAL_PROXIES").is_none(), "{what}");
        eprintln!("not run: {what}");
    }
    is_here
}

/// A proxy as a child process.
struct Proxy {
    child: Child,
    address: SocketAddr,
    log: PathBuf,
}

impl Proxy {
    /// `command` makes the command that serves at a port and logs to a file or, if it does not,
    /// to its standard error. A port may be taken in between, so several are tried.
    fn start(scratch: &Scratch, command: impl Fn(u16, &Path) -> Command) -> Self {
        for attempt in 0..5 {
            let free = TcpListener::bind("127.0.0.1:0").unwrap();
            let address = free.local_addr().unwrap();
            drop(free);
            let log = scratch.path(&format!("proxy{attempt}.log"));
            let mut command = command(address.port(), &log);
            command.stdin(Stdio::null()).stdout(Stdio::null());
            command.stderr(File::options().create(true).append(true).open(&log).unwrap());
            let child = command.spawn().unwrap_or_else(|error| {
                let name = command.get_program().display();
                panic!("{name} cannot be started: {error}")
            });
            let mut proxy = Self { child, address, log };
            if proxy.listens() {
                return proxy;
            }
        }
        panic!("no proxy after five attempts");
    }

    fn listens(&mut self) -> bool {
        let start = Instant::now();
        while start.elapsed() < Duration::from_secs(10) {
            if self.child.try_wait().unwrap().is_some() {
                return false;
            }
            if TcpStream::connect(self.address).is_ok() {
                return true;
            }
            thread::sleep(Duration::from_millis(10));
        }
        false
    }

    fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap()
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn tinyproxy(scratch: &Scratch, tunnels: &[u16]) -> Proxy {
    Proxy::start(scratch, |port, log| {
        let mut config = format!(
            "Port {port}\nListen 127.0.0.1\nAllow 127.0.0.1\nTimeout 60\nMaxClients 100\n\
             BasicAuth joe secret\nLogFile \"{}\"\nLogLevel Connect\n",
            log.display()
        );
        for port in tunnels {
            config.push_str(&format!("ConnectPort {port}\n"));
        }
        let path = scratch.write("tinyproxy.conf", &config);
        let mut command = Command::new("tinyproxy");
        command.args(["-d", "-c", &path]);
        command
    })
}

fn microsocks(scratch: &Scratch) -> Proxy {
    Proxy::start(scratch, |port, _| {
        let mut command = Command::new("microsocks");
        let port = port.to_string();
        command.args(["-i", "127.0.0.1", "-p", &port, "-u", "joe", "-P", "secret"]);
        command
    })
}

/// A site that every host name leads to.
fn site() -> TestSite {
    let links: String = (1..PAGES).map(|i| format!("<a href=/p{i}>x</a>")).collect();
    let mut builder = TestSite::builder().page("/", links);
    for i in 1..PAGES {
        builder = builder.page(&format!("/p{i}"), "a page");
    }
    TestSite::spawn_thread(builder)
}

/// A certificate for `host` by an authority whose own certificate is written to `ca`.
fn acceptor(host: &str, ca: &Path) -> TlsAcceptor {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
    fs::write(ca, issuer.pem()).unwrap();
    let key = KeyPair::generate().unwrap();
    let params = CertificateParams::new(vec![host.to_owned()]).unwrap();
    let certificate = params.signed_by(&key, &issuer).unwrap();
    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let provider = Arc::new(tokio_rustls::rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], key)
        .unwrap();
    TlsAcceptor::from(Arc::new(config))
}

/// Takes TLS off what comes and passes it on to `site`.
async fn serve_tls(acceptor: TlsAcceptor, site: SocketAddr) -> SocketAddr {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let acceptor = acceptor.clone();
            tokio::spawn(async move {
                // Who is not served fails in the test.
                let Ok(mut inner) = acceptor.accept(stream).await else { return };
                let Ok(mut outer) = tokio::net::TcpStream::connect(site).await else { return };
                let _ = tokio::io::copy_bidirectional(&mut inner, &mut outer).await;
            });
        }
    });
    address
}

/// What a crawl through a proxy needs to know.
struct Web<'a> {
    scratch: &'a Scratch,
    site: &'a TestSite,
    tls: SocketAddr,
    proxy: String,
}

impl Web<'_> {
    async fn crawl(&self, folder: &str, seeds: &[String]) -> Report {
        let mut builder = Crawl::builder().folder(self.scratch.path(folder));
        for seed in seeds {
            builder = builder.seed(seed);
        }
        let crawl = builder.configure(|config| {
            let fetch = &mut config.fetch;
            fetch.allow_private_addresses = true;
            fetch.resolve.insert("plain.test".into(), self.site.addr.to_string());
            fetch.resolve.insert("secure.test".into(), self.tls.to_string());
            fetch.extra_roots = vec![self.scratch.path("ca.pem")];
            fetch.proxies.insert("it".into(), self.proxy.clone().into());
            fetch.proxy = ["it"].into_iter().collect();
            config.frontier.politeness.delay = Duration::ZERO;
            config.frontier.politeness.robots_attempts = 1.try_into().unwrap();
            config.frontier.retry.max_attempts = 1.try_into().unwrap();
        });
        let mut running = crawl.build().unwrap().launch().await.unwrap();
        tokio::time::timeout(LIMIT, running.finish()).await.expect("the crawl ends").unwrap()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_real_http_proxy_carries_a_crawl_of_http_and_https() {
    if !is_here("tinyproxy") {
        return;
    }
    let (scratch, site) = (Scratch::new(), site());
    let tls = serve_tls(acceptor("secure.test", &scratch.path("ca.pem")), site.addr).await;
    let port = site.addr.port();
    let proxy = tinyproxy(&scratch, &[port, tls.port()]);
    let url = format!("http://joe:secret@{}", proxy.address);
    let web = Web { scratch: &scratch, site: &site, tls, proxy: url };
    let seeds = [
        "http://plain.test/".to_owned(),
        "https://secure.test/".to_owned(),
        site.url("/"),
        site.url_on("localhost", "/"),
    ];
    let report = web.crawl("store", &seeds).await;
    let log = proxy.log();
    assert_eq!(report.counts.pages as usize, PAGES * seeds.len(), "{report:?}\n{log}");
    // Whole requests for what it resolves itself, tunnels for all else.
    for i in 1..PAGES {
        assert!(log.contains(&format!("GET {} ", site.url(&format!("/p{i}")))), "{log}");
        assert!(log.contains(&format!("GET http://localhost:{port}/p{i} ")), "{log}");
    }
    for address in [site.addr, tls] {
        assert!(log.contains(&format!("CONNECT {address} ")), "{log}");
    }
    for host in ["plain.test", "secure.test"] {
        assert_eq!(site.requests_to(host).len(), PAGES + 1, "{host}");
        assert!(!log.contains(host), "{log}");
    }
    nothing_goes_past(proxy, &web, &seeds).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_real_socks_proxy_carries_a_crawl_of_http_and_https() {
    if !is_here("microsocks") {
        return;
    }
    let (scratch, site) = (Scratch::new(), site());
    let tls = serve_tls(acceptor("secure.test", &scratch.path("ca.pem")), site.addr).await;
    let proxy = microsocks(&scratch);
    for scheme in ["socks5", "socks5h"] {
        let url = format!("{scheme}://joe:secret@{}", proxy.address);
        let web = Web { scratch: &scratch, site: &site, tls, proxy: url };
        let seeds =
            ["http://plain.test/".to_owned(), "https://secure.test/".to_owned(), site.url("/")];
        let report = web.crawl(scheme, &seeds).await;
        let log = proxy.log();
        assert_eq!(report.counts.pages as usize, PAGES * seeds.len(), "{report:?}\n{log}");
        for address in [site.addr, tls] {
            assert!(log.contains(&format!("connected to {address}")), "{log}");
        }
    }
    let url = format!("socks5://joe:secret@{}", proxy.address);
    let web = Web { scratch: &scratch, site: &site, tls, proxy: url };
    nothing_goes_past(proxy, &web, &["http://plain.test/".to_owned()]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_real_proxy_that_gets_a_wrong_password_passes_nothing_on() {
    if !(is_here("tinyproxy") && is_here("microsocks")) {
        return;
    }
    let (scratch, site) = (Scratch::new(), site());
    let tls = serve_tls(acceptor("secure.test", &scratch.path("ca.pem")), site.addr).await;
    let http = tinyproxy(&scratch, &[site.addr.port()]);
    let socks = microsocks(&scratch);
    for (folder, proxy) in [
        ("http", format!("http://joe:wrong@{}", http.address)),
        ("socks", format!("socks5://joe:wrong@{}", socks.address)),
    ] {
        let web = Web { scratch: &scratch, site: &site, tls, proxy };
        let report = web.crawl(folder, &[site.url("/"), "http://plain.test/".to_owned()]).await;
        // tinyproxy says 401 where the standard has 407, so a whole request ends with the proxy's
        // page; but nothing comes from the site.
        assert_eq!(site.served(), 0, "{report:?}");
    }
}

/// The same crawl when the proxy is dead reaches nothing.
async fn nothing_goes_past(proxy: Proxy, web: &Web<'_>, seeds: &[String]) {
    let served = web.site.served();
    drop(proxy);
    let report = web.crawl("dead", seeds).await;
    assert_eq!((report.counts.pages, web.site.served()), (0, served), "{report:?}");
}
