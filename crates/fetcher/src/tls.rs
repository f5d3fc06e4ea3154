//! Whom TLS trusts, and what it offers.

use std::path::Path;
use std::sync::Arc;

use crawl_model::CanonicalUrl;
use rustls::client::Resumption;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio_rustls::TlsConnector;

use crate::{FetchConfig, FetchConfigError};

/// Servers whose sessions are kept for resumption.
const KEPT_SESSIONS: usize = 1024;

/// Sets up TLS: Mozilla's roots and the configured ones, HTTP/2 offered before HTTP/1.1.
pub(crate) fn connector(config: &FetchConfig) -> Result<TlsConnector, FetchConfigError> {
    let mut roots = RootCertStore::empty();
    roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
    for path in &config.extra_roots {
        add_roots(&mut roots, path)
            .map_err(|why| FetchConfigError::ExtraRoot { path: path.clone(), why })?;
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut tls = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| FetchConfigError::Tls(error.into()))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    tls.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    tls.resumption = Resumption::in_memory_sessions(KEPT_SESSIONS);
    Ok(TlsConnector::from(Arc::new(tls)))
}

fn add_roots(roots: &mut RootCertStore, path: &Path) -> Result<(), String> {
    let mut n_added = 0;
    for certificate in CertificateDer::pem_file_iter(path).map_err(|error| error.to_string())? {
        let certificate = certificate.map_err(|error| error.to_string())?;
        roots.add(certificate).map_err(|error| error.to_string())?;
        n_added += 1;
    }
    if n_added == 0 { Err("the file has no certificate in PEM".to_owned()) } else { Ok(()) }
}

/// The name that the server's certificate must be for; `None` if no certificate can be for it.
pub(crate) fn server_name(url: &CanonicalUrl) -> Option<ServerName<'static>> {
    let host = url.host_str().trim_end_matches('.');
    match crate::host_map::address(host) {
        Some(ip) => Some(ServerName::from(ip)),
        None => ServerName::try_from(host.to_owned()).ok(),
    }
}
