//! Connections to PostgreSQL: where to, with or without TLS, and which errors pass.

use std::env;
use std::fs;
use std::sync::Arc;
use std::time::Duration;

use postgres::config::{Host, SslMode};
use postgres::error::SqlState;
use postgres::{Client, Config, NoTls};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::FeedError;
use crate::config::split_password;

/// Longest wait for a server's answer to a connection.
const CONNECT: Duration = Duration::from_secs(10);
/// After so long without a word the server is asked whether it is still there ..
const KEEPALIVE: Duration = Duration::from_secs(30);
/// .. and after so long without an answer it is not.
const GONE: Duration = Duration::from_secs(60);
/// A file with further certificates, as libpq has it.
const ROOTS: &str = "PGSSLROOTCERT";

/// Connects. To another machine by TLS, with the server's certificate checked, unless the URL says
/// `sslmode=disable`; on this machine without, unless it says `sslmode=require`.
pub(super) fn connect(url: &str, name: &str) -> Result<Client, FeedError> {
    let refused =
        |problem: String| FeedError::Refused { name: name.to_owned(), source: problem.into() };
    let (url, password) = split_password(url)
        .map_err(|variable| refused(format!("the environment variable {variable} is not set")))?;
    // What the parser says could show a part of a password.
    let unreadable = "its URL cannot be read: postgres://user@host:port/database?sslmode=require, \
                      where sslmode is disable, prefer or require";
    let mut config: Config = url.parse().map_err(|_| refused(unreadable.to_owned()))?;
    let password = password.or_else(|| env::var("PGPASSWORD").ok());
    if let Some(password) = password.filter(|_| config.get_password().is_none()) {
        config.password(password);
    }
    config.connect_timeout(CONNECT).keepalives_idle(KEEPALIVE).tcp_user_timeout(GONE);
    config.application_name("crawl");
    let says_mode = url.contains("sslmode=");
    let is_here = config.get_hosts().iter().all(is_local);
    let wants_tls = match config.get_ssl_mode() {
        SslMode::Disable => false,
        SslMode::Prefer if !says_mode => !is_here,
        _ => true,
    };
    let connected = if wants_tls {
        config.ssl_mode(SslMode::Require);
        config.connect(MakeRustlsConnect::new(tls().map_err(refused)?))
    } else {
        config.ssl_mode(SslMode::Disable);
        config.connect(NoTls)
    };
    connected.map_err(|source| error(name, source))
}

fn is_local(host: &Host) -> bool {
    match host {
        Host::Tcp(name) => {
            name == "localhost" || name.parse().is_ok_and(|ip: std::net::IpAddr| ip.is_loopback())
        }
        #[cfg(unix)]
        Host::Unix(_) => true,
    }
}

/// Mozilla's roots, and those of [`ROOTS`].
fn tls() -> Result<ClientConfig, String> {
    let mut roots = RootCertStore::from_iter(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
    if let Ok(path) = env::var(ROOTS) {
        let text = fs::read(&path).map_err(|error| format!("{ROOTS}={path}: {error}"))?;
        for certificate in CertificateDer::pem_slice_iter(&text) {
            let certificate = certificate.map_err(|error| format!("{ROOTS}={path}: {error}"))?;
            roots.add(certificate).map_err(|error| format!("{ROOTS}={path}: {error}"))?;
        }
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder =
        ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let builder = builder.map_err(|error| error.to_string())?;
    Ok(builder.with_root_certificates(roots).with_no_client_auth())
}

/// Whether the server says that later it may work: it restarts, is full, or another transaction was
/// in the way (classes 08, 40, 53, 57 of appendix A of its manual). Without a word of it the line is
/// broken, which passes, too.
pub(super) fn error(name: &str, error: postgres::Error) -> FeedError {
    let name = name.to_owned();
    let is_passing = match error.code() {
        Some(&SqlState::QUERY_CANCELED) => false,
        Some(code) => ["08", "40", "53", "57", "55P03"].iter().any(|c| code.code().starts_with(c)),
        None => true,
    };
    let source = said(error);
    match is_passing {
        true => FeedError::Unreachable { name, source },
        false => FeedError::Refused { name, source },
    }
}

/// What the server said; the crate's own text is only "db error".
fn said(error: postgres::Error) -> Box<dyn std::error::Error + Send + Sync> {
    match error.as_db_error() {
        Some(db) => format!("{} ({})", db.message(), db.code().code()).into(),
        None => error.into(),
    }
}
