//! Whom TLS trusts, what it offers, and who we say we are.

use std::path::Path;
use std::sync::Arc;

use crawl_model::CanonicalUrl;
use rustls::client::Resumption;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio_rustls::TlsConnector;

use crate::{FetchConfig, FetchConfigError};

/// Sets up TLS: Mozilla's roots and the configured ones, HTTP/2 offered before HTTP/1.1.
pub(crate) fn connector(config: &FetchConfig) -> Result<TlsConnector, FetchConfigError> {
    let mut roots = RootCertStore::empty();
    roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
    for path in &config.extra_roots {
        add_roots(&mut roots, path)
            .map_err(|why| FetchConfigError::ExtraRoot { path: path.clone(), why })?;
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let tls = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| FetchConfigError::Tls(error.into()))?
        .with_root_certificates(roots);
    let mut tls = match identity(config)? {
        None => tls.with_no_client_auth(),
        Some((chain, key)) => tls.with_client_auth_cert(chain, key).map_err(|error| {
            client_key(config)(format!("it does not fit `fetch.client-cert`: {error}"))
        })?,
    };
    tls.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    tls.resumption = match config.tls_sessions {
        0 => Resumption::disabled(),
        n => Resumption::in_memory_sessions(n),
    };
    Ok(TlsConnector::from(Arc::new(tls)))
}

/// The certificate that is shown to servers that ask for one, and its key.
fn identity(config: &FetchConfig) -> Result<Option<Identity>, FetchConfigError> {
    let (cert, key) = (&config.client_cert, &config.client_key);
    match (cert.as_os_str().is_empty(), key.as_os_str().is_empty()) {
        (true, true) => return Ok(None),
        (true, false) => {
            let why = "`fetch.client-key` is set: name the certificate of that key, too";
            return Err(client_cert(config)(why.to_owned()));
        }
        (false, true) => {
            let why = "`fetch.client-cert` is set: name the key of that certificate, too";
            return Err(client_key(config)(why.to_owned()));
        }
        (false, false) => {}
    }
    let chain = certificates(cert).map_err(client_cert(config))?;
    let key = PrivateKeyDer::from_pem_file(key)
        .map_err(|error| client_key(config)(format!("no private key can be read: {error}")))?;
    Ok(Some((chain, key)))
}

type Identity = (Vec<CertificateDer<'static>>, PrivateKeyDer<'static>);

fn client_cert(config: &FetchConfig) -> impl Fn(String) -> FetchConfigError {
    |why| FetchConfigError::Client { key: "client-cert", path: config.client_cert.clone(), why }
}

fn client_key(config: &FetchConfig) -> impl Fn(String) -> FetchConfigError {
    |why| FetchConfigError::Client { key: "client-key", path: config.client_key.clone(), why }
}

/// The certificates in a PEM file, one at least.
fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, String> {
    let read = CertificateDer::pem_file_iter(path).map_err(|error| error.to_string())?;
    let all = read.collect::<Result<Vec<_>, _>>().map_err(|error| error.to_string())?;
    if all.is_empty() { Err("the file has no certificate in PEM".to_owned()) } else { Ok(all) }
}

fn add_roots(roots: &mut RootCertStore, path: &Path) -> Result<(), String> {
    for certificate in certificates(path)? {
        roots.add(certificate).map_err(|error| error.to_string())?;
    }
    Ok(())
}

/// The name that the server's certificate must be for; `None` if no certificate can be for it.
pub(crate) fn server_name(url: &CanonicalUrl) -> Option<ServerName<'static>> {
    let host = url.host_str().trim_end_matches('.');
    match crate::host_map::address(host) {
        Some(ip) => Some(ServerName::from(ip)),
        None => ServerName::try_from(host.to_owned()).ok(),
    }
}
