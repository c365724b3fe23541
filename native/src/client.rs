//! A call of our own, on the I/O thread: attempts, deadlines, the answer or the stream.

mod filling;
mod framing;

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, Response};
use tokio::time::{Instant, timeout_at};

use self::filling::{Announcement, fill};
use crate::call::{Ending, OpenCall};
use crate::failure::{Failure, FailureKind};
use crate::headers::ResponseFacts;
use crate::providers::dialect::Answered as Read;
use crate::providers::{Reading, openai};
use crate::retry;
use crate::stream::Stream;
use crate::transport::{Body, BodyError, Http, Outgoing, Phase, SendError, Timeouts};

/// An answer or a stream above this is cut off: no provider sends one, and a server that never ends must not fill the
/// memory.
const LONGEST_BODY: usize = 256 << 20;
const LONGEST_ERROR_BODY: usize = 1 << 20;
/// Stale connections that a request may meet in the pool before it counts as failed.
const MOST_STALE: usize = 8;

#[derive(Debug)]
pub(crate) struct Request {
    pub outgoing: Outgoing,
    pub timeouts: Timeouts,
    pub max_retries: u32,
    pub streaming: bool,
    /// The caller did not ask for a stream's usage: the event that carries nothing else is not the caller's.
    pub hide_usage: bool,
    /// What a chunk calls the model that ends a stream of OpenAI's dialect in the provider's place.
    pub closing_model: Option<String>,
    /// How the answer is read where it is not OpenAI's dialect.
    pub reading: Option<Box<dyn Reading>>,
    /// Another model may be asked where this one fails: the call goes on.
    pub is_one_of_several: bool,
}

/// What a call comes back with.
#[derive(Debug)]
pub(crate) enum Reply {
    Answer(Answer),
    Stream(Arc<Stream>, HeaderMap),
}

#[derive(Debug)]
pub(crate) struct Answer {
    pub body: Bytes,
    pub headers: HeaderMap,
    pub call: Arc<OpenCall>,
}

/// Runs the call to its answer; `reply` is called once. A stream goes on filling after its reply.
pub(crate) async fn run(
    http: &'static Http,
    request: Request,
    call: Arc<OpenCall>,
    reply: impl FnOnce(Result<Reply, Failure>),
) {
    let response = match attempts(http, &request, &call).await {
        Ok(Answered::Plain(body, headers, ending)) => {
            call.hear_answer(&body, &headers);
            call.finish(ending);
            return reply(Ok(Reply::Answer(Answer { body, headers, call })));
        }
        Ok(Answered::Stream(response)) => response,
        Err(mut failure) => {
            failure.retries = call.with_state(|state| state.attempts_so_far()).unwrap_or(0);
            let failure = if request.is_one_of_several {
                call.try_failed(failure)
            } else {
                call.fail(failure)
            };
            return reply(Err(failure));
        }
    };
    let stream = Stream::new(Arc::clone(&call));
    let announced = Announcement {
        opened: Some((reply, Reply::Stream(Arc::clone(&stream), response.headers().clone()))),
    };
    let mut filling = pin!(fill(&stream, response, &request, announced));
    let mut left = pin!(stream.left());
    poll_fn(|context| {
        if left.as_mut().poll(context).is_ready() {
            Poll::Ready(())
        } else {
            filling.as_mut().poll(context)
        }
    })
    .await;
}

enum Answered {
    Plain(Bytes, HeaderMap, Ending),
    Stream(Response<Body>),
}

async fn attempts(http: &'static Http, request: &Request, call: &OpenCall) -> Result<Answered, Failure> {
    let (mut failed, mut stale) = (0u32, 0usize);
    loop {
        let (failure, headers, again) = match attempt(http, request, call).await {
            Ok(answered) => return Ok(answered),
            Err(Attempted::Stale(failure)) if stale < MOST_STALE => {
                stale += 1;
                call.with_state(|state| {
                    state.attempt_failed(None, Some("stale_connection".to_owned()), None);
                    state.attempt_begins();
                });
                drop(failure);
                continue;
            }
            Err(Attempted::Stale(failure)) => (failure, None, true),
            Err(Attempted::Failed {
                failure,
                headers,
                again,
            }) => (failure, headers, again),
        };
        if !again || failed >= request.max_retries {
            return Err(failure);
        }
        failed += 1;
        call.with_state(|state| {
            let request_id = headers
                .as_ref()
                .and_then(|h| response_facts(failure.status.unwrap_or_default(), h).request_id);
            state.attempt_failed(failure.status, Some(failure.error_type()), request_id);
        });
        tokio::time::sleep(retry::delay(failed, headers.as_ref())).await;
        call.with_state(super::call::State::attempt_begins);
    }
}

enum Attempted {
    /// The pooled connection was dead; the server has not seen the request.
    Stale(Failure),
    Failed {
        failure: Failure,
        headers: Option<HeaderMap>,
        again: bool,
    },
}

impl Attempted {
    fn final_one(failure: Failure) -> Self {
        Self::Failed {
            failure,
            headers: None,
            again: false,
        }
    }

    fn worth_another(failure: Failure) -> Self {
        Self::Failed {
            failure,
            headers: None,
            again: true,
        }
    }
}

async fn attempt(http: &'static Http, request: &Request, call: &OpenCall) -> Result<Answered, Attempted> {
    let end = Instant::now() + request.timeouts.total;
    let response = match http.send(&request.outgoing, &request.timeouts, end).await {
        Ok(response) => response,
        Err(error) => return Err(unsent(request, error)),
    };
    let status = response.status().as_u16();
    call.with_state(|state| state.answered(response_facts(status, response.headers())));
    if status >= 300 {
        return Err(error_answer(response, request, end).await);
    }
    if request.streaming {
        return Ok(Answered::Stream(response));
    }
    let headers = response.headers().clone();
    let body = match read_body(response.into_body().limited(LONGEST_BODY), request, end).await {
        Ok(body) => body,
        // What is too long or unreadable once is so again.
        Err(failure) if failure.kind == FailureKind::InvalidResponse => return Err(Attempted::final_one(failure)),
        Err(failure) => return Err(Attempted::worth_another(failure)),
    };
    match read_answer(request.reading.as_deref(), &body) {
        Ok(Read::Whole(facts, body)) => {
            call.with_state(|state| state.facts = facts);
            Ok(Answered::Plain(body, headers, Ending::Completed))
        }
        Ok(Read::Failed(facts, body, error)) => {
            call.with_state(|state| state.facts = facts);
            let ending = Ending::Failed {
                error_type: error.code.unwrap_or_else(|| "failed".to_owned()),
                message: error.message,
                status: Some(status),
            };
            Ok(Answered::Plain(body, headers, ending))
        }
        Ok(Read::Error(error)) => Err(Attempted::final_one(Failure {
            status: error.status.or(Some(status)),
            code: error.code,
            headers: readable(&headers),
            body: String::from_utf8_lossy(&body).into_owned(),
            ..Failure::new(FailureKind::Status, error.message)
        })),
        Err(message) => Err(Attempted::final_one(Failure {
            status: Some(status),
            headers: readable(&headers),
            body: shortened(&body),
            ..Failure::new(FailureKind::InvalidResponse, message)
        })),
    }
}

/// A whole answer: what the record needs of it, and OpenAI's JSON for the caller.
fn read_answer(reading: Option<&dyn Reading>, body: &Bytes) -> Result<Read, String> {
    match reading {
        Some(reading) => reading.answer(body),
        None => openai::read_answer(body).map(|(facts, error)| match error {
            Some(error) => Read::Error(error),
            None => Read::Whole(facts, body.clone()),
        }),
    }
}

impl Request {
    fn host(&self) -> &str {
        let authority = self.outgoing.uri.authority();
        authority.map_or("the server", |authority| authority.as_str())
    }

    fn timed_out(&self, phase: Phase) -> Failure {
        Failure::new(FailureKind::Timeout, self.timeouts.message(phase, self.host()))
    }
}

/// The failure of a request that got no response.
fn unsent(request: &Request, error: SendError) -> Attempted {
    let host = request.host();
    let lost = |text: String| Failure::new(FailureKind::Connection, text);
    match error {
        SendError::Settings(message) => Attempted::final_one(Failure {
            status: Some(400),
            ..Failure::new(FailureKind::InvalidRequest, message)
        }),
        SendError::Stale(message) => Attempted::Stale(lost(message)),
        SendError::Connect(message) => {
            Attempted::worth_another(lost(format!("could not connect to {host}: {message}")))
        }
        SendError::Lost(message) => Attempted::worth_another(lost(format!("lost the connection to {host}: {message}"))),
        SendError::Redirects(message) => Attempted::final_one(lost(format!("no answer from {host}: {message}"))),
        SendError::TimedOut(phase) => Attempted::worth_another(request.timed_out(phase)),
    }
}

/// The failure of a body that did not come whole; `what` it is of.
fn cut(what: &str, error: &BodyError) -> Failure {
    let kind = match error {
        BodyError::Broken(_) => FailureKind::Connection,
        BodyError::TooLong(_) | BodyError::Undecodable(_) => FailureKind::InvalidResponse,
    };
    Failure::new(kind, format!("the {what} cannot be read: {error}"))
}

fn shortened(body: &[u8]) -> String {
    crate::redact::shorten(&String::from_utf8_lossy(body), 4096).to_owned()
}

async fn error_answer(response: Response<Body>, request: &Request, end: Instant) -> Attempted {
    let (parts, body) = response.into_parts();
    let status = parts.status.as_u16();
    // An error whose body does not come is still that error.
    let body = read_body(body.limited(LONGEST_ERROR_BODY), request, end)
        .await
        .unwrap_or_default();
    let error = openai::read_error(&body);
    let message = if error.message.is_empty() {
        format!("the provider answered with status {status}")
    } else {
        error.message
    };
    let failure = Failure {
        status: Some(status),
        code: error.code,
        headers: readable(&parts.headers),
        body: String::from_utf8_lossy(&body).into_owned(),
        ..Failure::new(FailureKind::Status, message)
    };
    Attempted::Failed {
        failure,
        again: retry::is_worth_another(status, &parts.headers),
        headers: Some(parts.headers),
    }
}

async fn read_body(mut body: Body, request: &Request, end: Instant) -> Result<Bytes, Failure> {
    let mut first: Option<Bytes> = None;
    let mut rest = BytesMut::new();
    loop {
        let (by, phase) = Timeouts::nearer(request.timeouts.read, Phase::Read, end);
        let data = match timeout_at(by, body.data()).await {
            Err(_) => return Err(request.timed_out(phase)),
            Ok(None) => break,
            Ok(Some(Err(error))) => return Err(cut("answer", &error)),
            Ok(Some(Ok(data))) => data,
        };
        match (&first, rest.is_empty()) {
            // Most answers come in one piece: it is handed on as it is.
            (None, true) => first = Some(data),
            (Some(piece), true) => {
                rest.extend_from_slice(piece);
                rest.extend_from_slice(&data);
            }
            _ => rest.extend_from_slice(&data),
        }
    }
    Ok(if rest.is_empty() {
        first.unwrap_or_default()
    } else {
        rest.freeze()
    })
}

fn response_facts(status: u16, headers: &HeaderMap) -> ResponseFacts {
    let mut facts = ResponseFacts::new(status);
    for (name, value) in headers {
        if let Ok(value) = value.to_str() {
            facts.take(name.as_str().as_bytes(), value);
        }
    }
    facts
}

fn readable(headers: &HeaderMap) -> Vec<(String, String)> {
    headers
        .iter()
        .map(|(name, value)| {
            (
                name.as_str().to_owned(),
                String::from_utf8_lossy(value.as_bytes()).into_owned(),
            )
        })
        .collect()
}
