//! HTTP/1.1 for every provider: one pool a process, a fresh connection where a pooled one has gone stale.

mod connect;

use std::sync::OnceLock;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Method, Request, Response, Uri};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper_rustls::HttpsConnector;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::{Client, Error};
use hyper_util::rt::{TokioExecutor, TokioTimer};

use self::connect::{Tracked, Uses};

const IDLE_FOR: Duration = Duration::from_secs(90);
const IDLE_CONNECTIONS_PER_HOST: usize = 128;
const CONNECT_TIMEOUT: Duration = Duration::from_secs(60);

type Plain = Client<Tracked<HttpConnector>, Full<Bytes>>;
type Secure = Client<Tracked<HttpsConnector<HttpConnector>>, Full<Bytes>>;

#[derive(Debug, Default)]
pub(crate) struct Http {
    plain: OnceLock<Plain>,
    /// Reads the system's trust store, which takes milliseconds: on the first https call.
    secure: OnceLock<Secure>,
}

#[derive(Clone, Debug)]
pub(crate) struct Outgoing {
    pub uri: Uri,
    pub headers: HeaderMap,
    pub body: Bytes,
}

/// A request that got no response.
#[derive(Debug)]
pub(crate) struct SendError {
    pub message: String,
    pub connect: bool,
    /// It went out on a pooled connection and not a byte came back: the server had closed it, the request was not seen.
    pub stale: bool,
}

impl Http {
    pub(crate) async fn send(&self, outgoing: &Outgoing) -> Result<Response<Incoming>, SendError> {
        let mut request = Request::new(Full::new(outgoing.body.clone()));
        *request.method_mut() = Method::POST;
        *request.uri_mut() = outgoing.uri.clone();
        *request.headers_mut() = outgoing.headers.clone();
        let sent = if outgoing.uri.scheme_str() == Some("https") {
            self.secure
                .get_or_init(|| client(connect::secure()))
                .request(request)
                .await
        } else {
            self.plain
                .get_or_init(|| client(connect::plain()))
                .request(request)
                .await
        };
        let response = sent.map_err(|error| describe(&error))?;
        if let Some(uses) = response.extensions().get::<Uses>() {
            uses.another();
        }
        Ok(response)
    }
}

fn client<C>(connector: Tracked<C>) -> Client<Tracked<C>, Full<Bytes>>
where
    Tracked<C>: hyper_util::client::legacy::connect::Connect + Clone,
{
    Client::builder(TokioExecutor::new())
        .pool_timer(TokioTimer::new())
        .pool_idle_timeout(IDLE_FOR)
        .pool_max_idle_per_host(IDLE_CONNECTIONS_PER_HOST)
        // Its own silent retry would be an attempt that the record does not know of.
        .retry_canceled_requests(false)
        .build(connector)
}

fn describe(error: &Error) -> SendError {
    let reused = error.connect_info().is_some_and(|info| {
        let mut extensions = http::Extensions::new();
        info.get_extras(&mut extensions);
        extensions.get::<Uses>().is_some_and(Uses::is_reused)
    });
    let hyper_error = std::error::Error::source(error).and_then(|source| source.downcast_ref::<hyper::Error>());
    // A reset is an I/O error, a close an incomplete message, a connection found closed a cancelled request.
    let unanswered = hyper_error.is_some_and(|e| {
        e.is_incomplete_message()
            || e.is_canceled()
            || e.is_closed()
            || std::error::Error::source(e).is_some_and(|s| s.is::<std::io::Error>())
    });
    SendError {
        message: chain(error),
        connect: error.is_connect(),
        stale: reused && unanswered,
    }
}

/// An error and its causes in one sentence: hyper's own text alone is "client error (Connect)".
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        if !text.ends_with(&cause_text) {
            text.push_str(": ");
            text.push_str(&cause_text);
        }
        source = cause.source();
    }
    text
}
