//! Connections: TCP, TLS with the system's trust store, and how often each was used.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::task::{Context, Poll};

use http::Uri;
use hyper::rt::{Read, ReadBufCursor, Write};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::connect::{Connected, Connection, HttpConnector};
use rustls::{ClientConfig, RootCertStore};
use tower_service::Service;

use super::CONNECT_TIMEOUT;

/// How many requests a connection has answered.
#[derive(Clone, Debug, Default)]
pub(crate) struct Uses(Arc<AtomicU32>);

impl Uses {
    pub(crate) fn another(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn is_reused(&self) -> bool {
        self.0.load(Ordering::Relaxed) > 0
    }
}

/// A connector whose connections know how often they were used.
#[derive(Clone, Debug)]
pub(crate) struct Tracked<C>(C);

#[derive(Debug)]
pub(crate) struct TrackedIo<T> {
    io: T,
    uses: Uses,
}

pub(crate) fn plain() -> Tracked<HttpConnector> {
    Tracked(tcp(true))
}

pub(crate) fn secure() -> Tracked<HttpsConnector<HttpConnector>> {
    Tracked(
        HttpsConnectorBuilder::new()
            .with_tls_config(tls())
            .https_or_http()
            .enable_http1()
            .wrap_connector(tcp(false)),
    )
}

fn tcp(only_http: bool) -> HttpConnector {
    let mut connector = HttpConnector::new();
    connector.set_nodelay(true);
    connector.enforce_http(only_http);
    connector.set_connect_timeout(Some(CONNECT_TIMEOUT));
    connector
}

/// The system's certificates (`SSL_CERT_FILE` and `SSL_CERT_DIR` win, as with OpenSSL), Mozilla's where it has none.
fn tls() -> ClientConfig {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if roots.is_empty() {
        roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
    }
    ClientConfig::builder()
        .with_root_certificates(roots)
        .with_no_client_auth()
}

impl<C> Service<Uri> for Tracked<C>
where
    C: Service<Uri>,
    C::Future: Send + 'static,
{
    type Response = TrackedIo<C::Response>;
    type Error = C::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, C::Error>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), C::Error>> {
        self.0.poll_ready(cx)
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let connecting = self.0.call(uri);
        Box::pin(async move {
            Ok(TrackedIo {
                io: connecting.await?,
                uses: Uses::default(),
            })
        })
    }
}

impl<T: Connection> Connection for TrackedIo<T> {
    fn connected(&self) -> Connected {
        self.io.connected().extra(self.uses.clone())
    }
}

impl<T: Read + Unpin> Read for TrackedIo<T> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: ReadBufCursor<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_read(cx, buffer)
    }
}

impl<T: Write + Unpin> Write for TrackedIo<T> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write_vectored(cx, slices)
    }
}
