//! Whose certificate is trusted: one certificate by its fingerprint, or what an authority has signed. Never just any.

use std::{error::Error as StdError, io, sync::Arc};

use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, OtherError, RootCertStore, SignatureScheme,
    client::{
        WebPkiServerVerifier,
        danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    },
    crypto::{
        CryptoProvider, WebPkiSupportedAlgorithms, ring, verify_tls12_signature, verify_tls13_signature,
    },
    pki_types::{CertificateDer, ServerName, UnixTime, pem::PemObject as _},
};
use sha2::{Digest as _, Sha256};

use super::super::Trust;

/// TLS 1.2 and 1.3 as this trust wants it. The reason where it cannot be had, one clause.
pub fn client_config(trust: &Trust) -> Result<ClientConfig, String> {
    let provider = Arc::new(ring::default_provider());
    let verifier: Arc<dyn ServerCertVerifier> = match trust {
        Trust::Fingerprint(fingerprint) => Arc::new(Pinned {
            fingerprint: *fingerprint,
            algorithms: provider.signature_verification_algorithms,
        }),
        Trust::Ca(path) => {
            let unusable = |why: String| format!("the CA file {} cannot be used: {why}", path.display());
            let mut roots = RootCertStore::empty();
            for certificate in CertificateDer::pem_file_iter(path).map_err(|e| unusable(e.to_string()))? {
                let certificate = certificate.map_err(|e| unusable(e.to_string()))?;
                roots.add(certificate).map_err(|e| unusable(e.to_string()))?;
            }
            if roots.is_empty() {
                return Err(unusable("there is no certificate in it".to_owned()));
            }
            signed_by(roots, &provider).map_err(unusable)?
        }
    };
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|e| e.to_string())?
        // Only the name is dangerous: both verifiers look.
        .dangerous()
        .with_custom_certificate_verifier(verifier)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}

fn signed_by(
    roots: RootCertStore,
    provider: &Arc<CryptoProvider>,
) -> Result<Arc<dyn ServerCertVerifier>, String> {
    let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::clone(provider)).build();
    Ok(verifier.map_err(|e| e.to_string())?)
}

/// Takes one certificate and no other. Its name, dates and signer do not count; that the peer has its private key
/// does.
#[derive(Debug)]
struct Pinned {
    fingerprint: [u8; 32],
    algorithms: WebPkiSupportedAlgorithms,
}

/// The peer has another certificate than the pinned one.
#[derive(Debug, thiserror::Error)]
#[error("its certificate's SHA-256 fingerprint is {seen}, and the one pinned is {pinned}")]
struct OtherCertificate {
    seen: String,
    pinned: String,
}

impl ServerCertVerifier for Pinned {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _name: &ServerName<'_>,
        _ocsp: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let seen: [u8; 32] = Sha256::digest(certificate).into();
        if seen == self.fingerprint {
            return Ok(ServerCertVerified::assertion());
        }
        let other = OtherCertificate { seen: shown(&seen), pinned: shown(&self.fingerprint) };
        Err(CertificateError::Other(OtherError(Arc::new(other))).into())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, certificate, signature, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, certificate, signature, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}

/// As `pvenode cert info` writes it.
fn shown(fingerprint: &[u8; 32]) -> String {
    fingerprint.map(|byte| format!("{byte:02X}")).join(":")
}

/// Why the peer's certificate was not trusted, one clause; `None` where that was not what went wrong.
pub fn distrust(error: &(dyn StdError + 'static)) -> Option<String> {
    let mut source = Some(error);
    while let Some(error) = source {
        if let Some(tls) = error.downcast_ref::<rustls::Error>() {
            return match tls {
                rustls::Error::InvalidCertificate(CertificateError::Other(OtherError(other))) => {
                    Some(other.to_string())
                }
                rustls::Error::InvalidCertificate(_) => Some(tls.to_string()),
                _ => None,
            };
        }
        // An io::Error does not name what it carries as its source.
        let carried = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        source = match carried {
            Some(carried) => Some(carried),
            None => error.source(),
        };
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ca_file_that_cannot_be_used_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("ca.pem");
        let refused = || client_config(&Trust::Ca(path.clone())).unwrap_err();
        assert!(refused().contains("ca.pem cannot be used"), "{}", refused());
        for (text, why) in [
            ("", "no certificate in it"),
            ("not PEM at all", "no certificate in it"),
            ("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "cannot be used"),
            ("-----BEGIN CERTIFICATE-----\nAAAA\n", "cannot be used"),
        ] {
            std::fs::write(&path, text).unwrap();
            assert!(refused().contains(why), "{text:?}: {}", refused());
        }
    }

    #[test]
    fn the_wrong_certificate_is_told_from_other_troubles() {
        let other = OtherCertificate { seen: shown(&[0xAB; 32]), pinned: shown(&[1; 32]) };
        let tls: rustls::Error = CertificateError::Other(OtherError(Arc::new(other))).into();
        let told = distrust(&io::Error::other(tls)).unwrap();
        assert!(told.contains("AB:AB:") && told.contains("pinned is 01:01:"), "{told}");
        let unknown: rustls::Error = CertificateError::UnknownIssuer.into();
        assert!(distrust(&io::Error::other(io::Error::other(unknown))).is_some());
        assert_eq!(distrust(&io::Error::from(io::ErrorKind::ConnectionRefused)), None);
        assert_eq!(distrust(&io::Error::other(rustls::Error::DecryptError)), None);
    }
}
