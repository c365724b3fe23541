//! Whom a connection trusts, and by what certificate it shows who it is.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme};

use crate::settings;

/// What a call, or the program, says of TLS; what is None is the environment's.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct TlsSettings {
    pub verify: Option<Verify>,
    pub certificate: Option<Certificate>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Verify {
    /// `SSL_CERT_FILE` and `SSL_CERT_DIR`, as with OpenSSL; else the system's certificates; else Mozilla's.
    System,
    /// Any certificate will do.
    Nothing,
    /// The certificates of a PEM file, or of the files in a folder, and no others.
    Authorities(PathBuf),
}

/// A client certificate: PEM files; without a key's file the key stands in the certificate's.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Certificate {
    pub chain: PathBuf,
    pub key: Option<PathBuf>,
}

impl Verify {
    /// litellm's `SSL_VERIFY`, and `ssl_verify` where it is a text.
    pub(crate) fn of_text(text: &str) -> Self {
        match text.trim().to_ascii_lowercase().as_str() {
            "true" | "1" | "yes" | "" => Self::System,
            "false" | "0" | "no" => Self::Nothing,
            _ => Self::Authorities(settings::absolute(Path::new(text))),
        }
    }
}

/// How connections with these settings are secured, or what is wrong with the settings.
pub(crate) fn config(settings: &TlsSettings) -> Result<Arc<ClientConfig>, String> {
    let provider = Arc::new(ring::default_provider());
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(|error| format!("TLS is not available: {error}"))?;
    let verify = settings
        .verify
        .clone()
        .unwrap_or_else(|| settings::variable("SSL_VERIFY").map_or(Verify::System, |value| Verify::of_text(&value)));
    let builder = match verify {
        Verify::Nothing => builder
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(AnyCertificate(provider))),
        Verify::System => builder.with_root_certificates(system()?),
        Verify::Authorities(path) => builder.with_root_certificates(authorities(&path)?),
    };
    let certificate = settings.certificate.clone().or_else(|| {
        settings::variable("SSL_CERTIFICATE").map(|path| Certificate {
            chain: settings::absolute(Path::new(&path)),
            key: None,
        })
    });
    let Some(certificate) = certificate else {
        return Ok(Arc::new(builder.with_no_client_auth()));
    };
    let chain = certificates(&certificate.chain)?;
    let key_file = certificate.key.as_ref().unwrap_or(&certificate.chain);
    let key = PrivateKeyDer::from_pem_file(key_file).map_err(|error| unreadable_key(key_file, &error))?;
    builder
        .with_client_auth_cert(chain, key)
        .map(Arc::new)
        .map_err(|error| {
            format!(
                "the client certificate {} does not do: {error}",
                certificate.chain.display()
            )
        })
}

fn unreadable_key(file: &Path, error: &rustls::pki_types::pem::Error) -> String {
    // PKCS 8 says so in its label, the older form in a header below it.
    if std::fs::read(file).is_ok_and(|text| memchr::memmem::find(&text, b"ENCRYPTED").is_some()) {
        return format!(
            "the private key in {} is encrypted, and there is nobody to ask for its password: give a file that openssl \
             pkey has written without one",
            file.display()
        );
    }
    format!("{} holds no private key that can be read: {error}", file.display())
}

fn system() -> Result<RootCertStore, String> {
    let mut roots = RootCertStore::empty();
    let found = rustls_native_certs::load_native_certs();
    roots.add_parsable_certificates(found.certs);
    if !roots.is_empty() {
        return Ok(roots);
    }
    // What somebody named must not be replaced by what they did not name.
    for name in ["SSL_CERT_FILE", "SSL_CERT_DIR"] {
        if let Some(path) = settings::variable(name) {
            return Err(format!("{name} is {path}, where no certificate can be read"));
        }
    }
    roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
    Ok(roots)
}

fn authorities(path: &Path) -> Result<RootCertStore, String> {
    let mut roots = RootCertStore::empty();
    if path.is_dir() {
        let files = std::fs::read_dir(path).map_err(|error| format!("{} cannot be read: {error}", path.display()))?;
        for file in files.flatten() {
            // Such a folder holds lists and links beside the certificates.
            roots.add_parsable_certificates(certificates(&file.path()).unwrap_or_default());
        }
    } else {
        roots.add_parsable_certificates(certificates(path)?);
    }
    if roots.is_empty() {
        return Err(format!("{} holds no certificate that can be read", path.display()));
    }
    Ok(roots)
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, String> {
    let unreadable =
        |error: &dyn std::fmt::Display| format!("the certificates in {} cannot be read: {error}", path.display());
    let found: Vec<_> = CertificateDer::pem_file_iter(path)
        .map_err(|error| unreadable(&error))?
        .collect::<Result<_, _>>()
        .map_err(|error| unreadable(&error))?;
    if found.is_empty() {
        return Err(unreadable(&"it holds none"));
    }
    Ok(found)
}

/// `ssl_verify=False`: the connection is encrypted, to whomever it is.
#[derive(Debug)]
struct AnyCertificate(Arc<CryptoProvider>);

impl ServerCertVerifier for AnyCertificate {
    fn verify_server_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, cert, signature, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, cert, signature, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
