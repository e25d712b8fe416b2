//! Certificates of our own, and a provider that shows and asks for them.

use std::{net::SocketAddr, sync::Arc};

use aigw_backends::client::{Client, Config, Protocol, Tls};
use aigw_core::outcome::{Fault, FaultKind};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{
        RootCertStore, ServerConfig,
        crypto::ring,
        pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
        server::WebPkiClientVerifier,
    },
};

use crate::{
    ask, fault_of,
    server::{Seen, listen, serve, url},
};

/// An authority and what it signs, in PEM.
struct Authority {
    pem: String,
    issuer: Issuer<'static, KeyPair>,
}

impl Authority {
    fn new() -> Self {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new([]).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let pem = params.self_signed(&key).unwrap().pem();
        Self {
            pem,
            issuer: Issuer::new(params, key),
        }
    }

    /// A certificate and its key.
    fn sign(&self, name: &str) -> (String, String) {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new([name.to_owned()]).unwrap();
        let cert = params.signed_by(&key, &self.issuer).unwrap();
        (cert.pem(), key.serialize_pem())
    }
}

/// A provider whose certificate the authority signed, and which asks its callers for one.
async fn provider(authority: &Authority) -> (SocketAddr, Seen) {
    let crypto = Arc::new(ring::default_provider());
    let mut roots = RootCertStore::empty();
    let root = CertificateDer::from_pem_slice(authority.pem.as_bytes()).unwrap();
    roots.add(root).unwrap();
    let verifier = WebPkiClientVerifier::builder_with_provider(roots.into(), Arc::clone(&crypto))
        .build()
        .unwrap();
    let (cert, key) = authority.sign("127.0.0.1");
    let mut config = ServerConfig::builder_with_provider(crypto)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_client_cert_verifier(verifier)
        .with_single_cert(
            vec![CertificateDer::from_pem_slice(cert.as_bytes()).unwrap()],
            PrivateKeyDer::from_pem_slice(key.as_bytes()).unwrap(),
        )
        .unwrap();
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    let acceptor = TlsAcceptor::from(Arc::new(config));

    let seen = Seen::default();
    let served = seen.clone();
    let address = listen(move |stream| {
        let (acceptor, seen) = (acceptor.clone(), served.clone());
        async move {
            if let Ok(stream) = acceptor.accept(stream).await {
                serve(stream, seen).await;
            }
        }
    })
    .await;
    (address, seen)
}

#[tokio::test]
async fn a_private_authority_and_a_client_certificate_open_the_door() {
    let authority = Authority::new();
    let (address, seen) = provider(&authority).await;
    let (cert, key) = authority.sign("gateway");
    let tls = Tls::default().ca(authority.pem).identity(cert, key);

    let config = Config::default().tls(tls.clone());
    let client = Client::try_new(config).unwrap();
    let told = ask(&client, url("https", address, "/echo")).await.unwrap();
    assert!(told.starts_with("HTTP/2.0"), "{told}");

    let config = Config::default().tls(tls).protocol(Protocol::Http1);
    let client = Client::try_new(config).unwrap();
    let told = ask(&client, url("https", address, "/echo")).await.unwrap();
    assert!(told.starts_with("HTTP/1.1"), "{told}");
    assert_eq!(seen.connections(), 2);
}

#[tokio::test]
async fn an_unknown_authority_is_no_tls_session() {
    let (address, _) = provider(&Authority::new()).await;
    let client = Client::try_new(Config::default()).unwrap();
    let fault = fault_of(&client, url("https", address, "/echo")).await;
    assert_eq!(fault, Fault::undispatched(FaultKind::Tls));
}

#[tokio::test]
async fn a_missing_client_certificate_is_a_fault() {
    let authority = Authority::new();
    let (address, seen) = provider(&authority).await;
    let tls = Tls::default().ca(authority.pem);
    let client = Client::try_new(Config::default().tls(tls)).unwrap();
    // TLS 1.3 lets the client believe in the session until the provider's alert comes in.
    fault_of(&client, url("https", address, "/echo")).await;
    assert_eq!(seen.connections(), 0);
}
