//! Certificates: an authority of our own, good ones, and some that are wrong in one way each.

use std::error::Error;
use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair, date_time_ymd};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio_rustls::rustls::server::WebPkiClientVerifier;
use tokio_rustls::rustls::{RootCertStore, ServerConfig, crypto};

type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

/// Who signs.
pub(super) struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
}

impl Authority {
    pub(super) fn new() -> Result<Self> {
        let mut params = CertificateParams::new(Vec::new())?;
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Ok(Self { issuer: CertifiedIssuer::self_signed(params, KeyPair::generate()?)? })
    }

    /// Its own certificate, to be trusted.
    pub(super) fn pem(&self) -> String {
        self.issuer.pem()
    }

    /// TLS for `host` under a good certificate.
    pub(super) fn good(&self, host: &str) -> Result<TlsAcceptor> {
        self.signed(params(host)?, None)
    }

    /// TLS for `host` that goes wrong as the fault of this name does; `None` if it is none of
    /// certificates.
    pub(super) fn wrong(&self, name: &str, host: &str) -> Result<Option<TlsAcceptor>> {
        let mut params = params(host)?;
        Ok(Some(match name {
            "tls-expired" => {
                params.not_before = date_time_ymd(2019, 1, 1);
                params.not_after = date_time_ymd(2020, 1, 1);
                self.signed(params, None)?
            }
            "tls-not-yet" => {
                params.not_before = date_time_ymd(2999, 1, 1);
                params.not_after = date_time_ymd(3000, 1, 1);
                self.signed(params, None)?
            }
            "tls-self-signed" => {
                let key = KeyPair::generate()?;
                acceptor(params.self_signed(&key)?.der().clone(), &key, None)?
            }
            "tls-unknown-issuer" => Self::new()?.signed(params, None)?,
            "tls-wrong-name" => self.signed(self::params("elsewhere.test")?, None)?,
            "deep.tls-wildcard" => self.signed(self::params("*.fault.test")?, None)?,
            "tls-client-certificate" => {
                let mut roots = RootCertStore::empty();
                roots.add(self.issuer.der().clone())?;
                self.signed(params, Some(roots))?
            }
            _ => return Ok(None),
        }))
    }

    fn signed(
        &self,
        params: CertificateParams,
        clients: Option<RootCertStore>,
    ) -> Result<TlsAcceptor> {
        let key = KeyPair::generate()?;
        acceptor(params.signed_by(&key, &self.issuer)?.der().clone(), &key, clients)
    }
}

fn params(host: &str) -> Result<CertificateParams> {
    Ok(CertificateParams::new(vec![host.to_owned()])?)
}

/// Clients must show a certificate of `clients`, if there are any.
fn acceptor(
    certificate: CertificateDer<'static>,
    key: &KeyPair,
    clients: Option<RootCertStore>,
) -> Result<TlsAcceptor> {
    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let provider = Arc::new(crypto::ring::default_provider());
    let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()?;
    let builder = match clients {
        Some(roots) => builder.with_client_cert_verifier(
            WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider).build()?,
        ),
        None => builder.with_no_client_auth(),
    };
    let mut config = builder.with_single_cert(vec![certificate], key)?;
    // A session that was resumed would show no certificate.
    config.send_tls13_tickets = 0;
    config.session_storage = Arc::new(tokio_rustls::rustls::server::NoServerSessionStorage {});
    Ok(TlsAcceptor::from(Arc::new(config)))
}
