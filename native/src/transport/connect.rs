//! Connections: TCP, TLS, a proxy where the environment names one, and how often each was used.

use std::error::Error;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::task::{Context, Poll};

use http::Uri;
use hyper::rt::{Read, ReadBufCursor, Write};
use hyper_rustls::HttpsConnector;
use hyper_util::client::legacy::connect::proxy::{SocksV4, SocksV5, Tunnel};
use hyper_util::client::legacy::connect::{Connected, Connection, HttpConnector};
use hyper_util::client::proxy::matcher::Intercept;
use rustls::ClientConfig;
use tower_service::Service;

use super::proxy::{Proxies, ProxyError};

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

pub(super) type Failed = Box<dyn Error + Send + Sync>;

/// Opens connections. A proxy is looked for once a connection, not once a request.
#[derive(Clone, Debug)]
pub(super) struct Connector {
    tcp: HttpConnector,
    tls: Option<Arc<ClientConfig>>,
    proxies: Arc<Proxies>,
}

/// What a connection goes over: a socket, TLS over it, TLS over a tunnel over it.
trait Io: Connection + Read + Write + Send + Unpin {}
impl<T: Connection + Read + Write + Send + Unpin> Io for T {}

pub(super) struct TrackedIo {
    io: Box<dyn Io>,
    /// The other end is a proxy, which wants to be told the whole URL.
    is_proxy: bool,
    uses: Uses,
}

impl Connector {
    /// Without `tls` it is for plain HTTP only.
    pub(super) fn new(tls: Option<Arc<ClientConfig>>, proxies: Arc<Proxies>) -> Self {
        let mut tcp = HttpConnector::new();
        tcp.set_nodelay(true);
        tcp.enforce_http(false);
        Self { tcp, tls, proxies }
    }

    /// The connector that adds TLS to what `inner` opens, where the URL asks for it.
    fn secured<C>(&self, inner: C) -> Result<HttpsConnector<C>, Failed> {
        let tls = self.tls.clone().ok_or("no TLS was set up for this connection")?;
        Ok(HttpsConnector::from((inner, tls)))
    }

    async fn open(mut self, uri: Uri) -> Result<TrackedIo, Failed> {
        let is_secure = uri.scheme_str() == Some("https");
        let (io, is_proxy): (Box<dyn Io>, bool) = match self.proxies.of(&uri) {
            None if is_secure => (Box::new(self.secured(self.tcp.clone())?.call(uri).await?), false),
            None => (Box::new(self.tcp.call(uri).await?), false),
            Some(proxy) => {
                let name = proxy.uri().authority().map(ToString::to_string);
                self.through(&proxy, uri, is_secure)
                    .await
                    .map_err(|source| ProxyError {
                        proxy: name.unwrap_or_default(),
                        source,
                    })?
            }
        };
        Ok(TrackedIo {
            io,
            is_proxy,
            uses: Uses::default(),
        })
    }

    async fn through(mut self, proxy: &Intercept, uri: Uri, is_secure: bool) -> Result<(Box<dyn Io>, bool), Failed> {
        let at = proxy.uri().clone();
        let to_proxy = self.tcp.clone();
        Ok(match at.scheme_str() {
            Some("socks5" | "socks5h") => {
                let mut socks = SocksV5::new(at, to_proxy);
                if let Some((user, password)) = proxy.raw_auth() {
                    socks = socks.with_auth(user.to_owned(), password.to_owned());
                }
                (self.over(socks, uri, is_secure).await?, false)
            }
            Some("socks4" | "socks4a") => (self.over(SocksV4::new(at, to_proxy), uri, is_secure).await?, false),
            // The proxy itself may be reached by TLS.
            Some("https") if is_secure => {
                let tunnel = authorised(Tunnel::new(at, self.secured(to_proxy)?), proxy);
                (self.over(tunnel, uri, true).await?, false)
            }
            Some("https") => (Box::new(self.secured(to_proxy)?.call(at).await?), true),
            _ if is_secure => {
                let tunnel = authorised(Tunnel::new(at, to_proxy), proxy);
                (self.over(tunnel, uri, true).await?, false)
            }
            _ => (Box::new(self.tcp.call(at).await?), true),
        })
    }

    /// A connection to `uri` over what `way` opens.
    async fn over<C>(&self, mut way: C, uri: Uri, is_secure: bool) -> Result<Box<dyn Io>, Failed>
    where
        C: Service<Uri> + Send + 'static,
        C::Response: Connection + Read + Write + Send + Unpin + 'static,
        C::Future: Send + 'static,
        C::Error: Into<Failed>,
    {
        if is_secure {
            return Ok(Box::new(self.secured(way)?.call(uri).await?));
        }
        Ok(Box::new(way.call(uri).await.map_err(Into::into)?))
    }
}

fn authorised<C>(tunnel: Tunnel<C>, proxy: &Intercept) -> Tunnel<C> {
    match proxy.basic_auth() {
        Some(password) => tunnel.with_auth(password.clone()),
        None => tunnel,
    }
}

impl Service<Uri> for Connector {
    type Response = TrackedIo;
    type Error = Failed;
    type Future = Pin<Box<dyn Future<Output = Result<TrackedIo, Failed>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Failed>> {
        self.tcp.poll_ready(cx).map_err(Into::into)
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        Box::pin(self.clone().open(uri))
    }
}

impl Connection for TrackedIo {
    fn connected(&self) -> Connected {
        self.io.connected().proxy(self.is_proxy).extra(self.uses.clone())
    }
}

impl Read for TrackedIo {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: ReadBufCursor<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_read(cx, buffer)
    }
}

impl Write for TrackedIo {
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
