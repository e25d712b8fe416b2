use std::sync::Arc;

use rustls::{
    ClientConfig, RootCertStore,
    crypto::ring,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
};

use super::{ConfigError, Tls};

/// The session settings for a [`Tls`]. ALPN is left to the connector.
pub(super) fn session(tls: &Tls) -> Result<ClientConfig, ConfigError> {
    let provider = Arc::new(ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(refused)?
        .with_root_certificates(roots(tls)?);
    match (&tls.client_cert, &tls.client_key) {
        (None, None) => Ok(config.with_no_client_auth()),
        (Some(cert), Some(key)) => {
            let key = PrivateKeyDer::from_pem_slice(key.as_bytes())
                .map_err(|_| ConfigError::Pem("client_key"))?;
            config
                .with_client_auth_cert(certificates(cert, "client_cert")?, key)
                .map_err(refused)
        }
        _ => Err(ConfigError::HalfIdentity),
    }
}

fn roots(tls: &Tls) -> Result<RootCertStore, ConfigError> {
    let Some(ca) = &tls.ca else {
        return Ok(webpki_roots::TLS_SERVER_ROOTS.iter().cloned().collect());
    };
    let mut roots = RootCertStore::empty();
    for certificate in certificates(ca, "ca")? {
        roots.add(certificate).map_err(refused)?;
    }
    Ok(roots)
}

fn certificates(
    pem: &str,
    setting: &'static str,
) -> Result<Vec<CertificateDer<'static>>, ConfigError> {
    let certificates: Vec<_> = CertificateDer::pem_slice_iter(pem.as_bytes())
        .collect::<Result<_, _>>()
        .map_err(|_| ConfigError::Pem(setting))?;
    if certificates.is_empty() {
        return Err(ConfigError::Pem(setting));
    }
    Ok(certificates)
}

fn refused(error: rustls::Error) -> ConfigError {
    ConfigError::Tls(error.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_certificate_without_its_key_is_refused() {
        let tls = Tls {
            client_cert: Some("x".to_owned()),
            ..Tls::default()
        };
        assert!(matches!(session(&tls), Err(ConfigError::HalfIdentity)));
    }

    #[test]
    fn text_without_a_certificate_is_refused_by_its_name() {
        let tls = Tls::default().ca("");
        assert!(matches!(session(&tls), Err(ConfigError::Pem("ca"))));
    }

    #[test]
    fn a_private_key_is_never_printed() {
        let tls = Tls::default().identity("cert", "hush");
        assert!(!format!("{tls:?}").contains("hush"));
    }
}
