//! HTTP/1.1 for every provider: one pool a process, a fresh connection where a pooled one has gone stale.

mod body;
mod connect;
mod proxy;
mod redirect;
mod timeouts;
mod tls;

use std::collections::HashMap;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::task::Poll;
use std::time::Duration;

use bytes::Bytes;
use http::header::PROXY_AUTHORIZATION;
use http::{HeaderMap, Method, Request, Response, Uri};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper_util::client::legacy::connect::capture_connection;
use hyper_util::client::legacy::{Client, Error};
use hyper_util::rt::{TokioExecutor, TokioTimer};
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::{Instant, timeout_at};

pub(crate) use self::body::{Body, BodyError};
use self::connect::{Connector, Uses};
use self::proxy::Proxies;
pub(crate) use self::timeouts::{Phase, Timeouts, UNLIMITED};
pub(crate) use self::tls::{Certificate, TlsSettings, Verify, config as tls_config};

const IDLE_FOR: Duration = Duration::from_secs(90);
const IDLE_CONNECTIONS_PER_HOST: usize = 128;
/// Requests under way in a process, each of which has a connection; more wait for their turn.
const MOST_AT_ONCE: usize = 4096;
/// TLS settings that have a pool of their own; a program that has more loses their idle connections.
const MOST_SETTINGS: usize = 32;

type Pool = Client<Connector, Full<Bytes>>;

#[derive(Debug)]
pub(crate) struct Http {
    turns: Semaphore,
    proxies: OnceLock<Arc<Proxies>>,
    plain: OnceLock<Pool>,
    /// Reads the system's trust store, which takes milliseconds: on the first https call.
    secure: OnceLock<Pool>,
    /// For calls that said something of TLS.
    particular: Mutex<HashMap<TlsSettings, Pool>>,
}

#[derive(Clone, Debug)]
pub(crate) struct Outgoing {
    pub method: Method,
    pub uri: Uri,
    pub headers: HeaderMap,
    pub body: Bytes,
    /// What the call, or the program, says of TLS.
    pub tls: Option<Arc<TlsSettings>>,
}

/// A request that got no response.
#[derive(Debug)]
pub(crate) enum SendError {
    /// It was not sent: what was said of TLS or of proxies cannot be done.
    Settings(String),
    Connect(String),
    /// It went out on a pooled connection and not a byte came back: the server had closed it, the request was not seen.
    Stale(String),
    Lost(String),
    TimedOut(Phase),
    Redirects(String),
}

impl Default for Http {
    fn default() -> Self {
        Self {
            turns: Semaphore::new(MOST_AT_ONCE),
            proxies: OnceLock::new(),
            plain: OnceLock::new(),
            secure: OnceLock::new(),
            particular: Mutex::default(),
        }
    }
}

impl Http {
    /// Sends a request, and what redirects make of it, until the headers of an answer are there.
    pub(crate) async fn send(
        &'static self,
        outgoing: &Outgoing,
        timeouts: &Timeouts,
        end: Instant,
    ) -> Result<Response<Body>, SendError> {
        let turn = self.turn(timeouts, end).await?;
        let mut response = self.once(outgoing, timeouts, end).await?;
        let mut redirects = 0;
        let mut redirected = redirect::next(outgoing, response.status(), response.headers());
        while let Some(next) = redirected {
            redirects += 1;
            if redirects > redirect::MOST_REDIRECTS {
                let most = redirect::MOST_REDIRECTS;
                return Err(SendError::Redirects(format!("it redirected more than {most} times")));
            }
            response = self.once(&next, timeouts, end).await?;
            redirected = redirect::next(&next, response.status(), response.headers());
        }
        let (parts, incoming) = response.into_parts();
        let body = Body::new(incoming, &parts.headers, turn);
        Ok(Response::from_parts(parts, body))
    }

    async fn turn(&'static self, timeouts: &Timeouts, end: Instant) -> Result<SemaphorePermit<'static>, SendError> {
        if let Ok(turn) = self.turns.try_acquire() {
            return Ok(turn);
        }
        let (by, phase) = Timeouts::nearer(timeouts.pool, Phase::Pool, end);
        match timeout_at(by, self.turns.acquire()).await {
            Ok(Ok(turn)) => Ok(turn),
            Ok(Err(_)) | Err(_) => Err(SendError::TimedOut(phase)),
        }
    }

    async fn once(
        &self,
        outgoing: &Outgoing,
        timeouts: &Timeouts,
        end: Instant,
    ) -> Result<Response<Incoming>, SendError> {
        let pool = self.pool(outgoing).map_err(SendError::Settings)?;
        let mut request = Request::new(Full::new(outgoing.body.clone()));
        *request.method_mut() = outgoing.method.clone();
        *request.uri_mut() = outgoing.uri.clone();
        *request.headers_mut() = outgoing.headers.clone();
        if let Some(password) = self.proxies().password(&outgoing.uri) {
            request.headers_mut().insert(PROXY_AUTHORIZATION, password);
        }
        let mut connection = capture_connection(&mut request);
        let mut connected = pin!(connection.wait_for_connection_metadata());
        let mut sent = pin!(pool.request(request));
        let (connect_by, _) = Timeouts::nearer(timeouts.connect, Phase::Connect, end);
        let until_connected = poll_fn(|context| match sent.as_mut().poll(context) {
            Poll::Ready(done) => Poll::Ready(Some(done)),
            Poll::Pending => connected.as_mut().poll(context).map(|_| None),
        });
        let sent = match timeout_at(connect_by, until_connected).await {
            // The connection was still to come, whichever limit it was that ended the waiting.
            Err(_) => return Err(SendError::TimedOut(Phase::Connect)),
            Ok(Some(done)) => done,
            Ok(None) => {
                let (answer_by, phase) = Timeouts::nearer(timeouts.read, Phase::Read, end);
                timeout_at(answer_by, sent)
                    .await
                    .map_err(|_| SendError::TimedOut(phase))?
            }
        };
        let response = sent.map_err(|error| describe(&error))?;
        if let Some(uses) = response.extensions().get::<Uses>() {
            uses.another();
        }
        Ok(response)
    }

    fn proxies(&self) -> &Arc<Proxies> {
        self.proxies.get_or_init(|| Arc::new(Proxies::of_environment()))
    }

    fn pool(&self, outgoing: &Outgoing) -> Result<Pool, String> {
        let is_secure = outgoing.uri.scheme_str() == Some("https");
        let proxies = self.proxies();
        if !is_secure {
            if let Some(pool) = self.plain.get() {
                return Ok(pool.clone());
            }
            // A proxy may be reached by TLS where the server is not.
            let by_tls = proxies
                .of(&outgoing.uri)
                .is_some_and(|proxy| proxy.uri().scheme_str() == Some("https"));
            let tls = by_tls.then(|| tls::config(&TlsSettings::default())).transpose()?;
            return Ok(self
                .plain
                .get_or_init(|| client(Connector::new(tls, Arc::clone(proxies))))
                .clone());
        }
        let made = |settings: &TlsSettings| -> Result<Pool, String> {
            let tls = tls::config(settings)?;
            Ok(client(Connector::new(Some(tls), Arc::clone(proxies))))
        };
        let Some(settings) = outgoing.tls.as_deref() else {
            return Ok(match self.secure.get() {
                Some(pool) => pool.clone(),
                None => {
                    let pool = made(&TlsSettings::default())?;
                    self.secure.get_or_init(|| pool).clone()
                }
            });
        };
        let mut particular = self.particular.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(pool) = particular.get(settings) {
            return Ok(pool.clone());
        }
        let pool = made(settings)?;
        if particular.len() >= MOST_SETTINGS {
            particular.clear();
        }
        particular.insert(settings.clone(), pool.clone());
        Ok(pool)
    }
}

fn client(connector: Connector) -> Pool {
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
    let mut message = chain(error);
    if message.contains("UnknownIssuer") {
        message.push_str(" (name the authority's PEM file in SSL_CERT_FILE, or in ssl_verify)");
    }
    if error.is_connect() {
        SendError::Connect(message)
    } else if reused && unanswered {
        SendError::Stale(message)
    } else {
        SendError::Lost(message)
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
