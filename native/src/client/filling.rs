//! Reading a stream's body into the stream that its consumer holds.

use std::future::poll_fn;
use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use http::Response;
use tokio::time::timeout;

use super::framing::Framing;
use super::{LONGEST_BODY, Reply, Request, cut, read_answer};
use crate::failure::{Failure, FailureKind};
use crate::providers::dialect::{Answered as Read, Events};
use crate::providers::openai::{self, EventKind};
use crate::stream::Stream;
use crate::transport::{Body, Phase};

/// The news that a stream is open: told with its first chunk, where that is there already, so that the caller crosses once
/// for both; at the latest when there is nothing to read.
pub(super) struct Announcement<F: FnOnce(Result<Reply, Failure>)> {
    pub(super) opened: Option<(F, Reply)>,
}

impl<F: FnOnce(Result<Reply, Failure>)> Announcement<F> {
    fn tell(&mut self) {
        if let Some((reply, opened)) = self.opened.take() {
            reply(Ok(opened));
        }
    }
}

impl<F: FnOnce(Result<Reply, Failure>)> Drop for Announcement<F> {
    /// However the filling ends: the caller waits for this.
    fn drop(&mut self) {
        self.tell();
    }
}

/// Reads the stream into `stream` until its end, its failure, or until the consumer has gone.
pub(super) async fn fill<F: FnOnce(Result<Reply, Failure>)>(
    stream: &Stream,
    response: Response<Body>,
    request: &Request,
    mut announced: Announcement<F>,
) {
    let mut body = response.into_body().limited(LONGEST_BODY);
    let by_lines = request.reading.as_ref().is_some_and(|reading| reading.streams_lines());
    let mut framing = Framing::new(by_lines);
    // Each line is a document of its own.
    let mut is_document = by_lines.then_some(false);
    let mut document = BytesMut::new();
    let mut events = request.reading.as_ref().map(|reading| reading.events());
    loop {
        let next = poll_fn(|context| {
            let polled = body.poll_data(context);
            if polled.is_pending() {
                announced.tell();
            }
            polled
        });
        let data = match timeout(request.timeouts.read, next).await {
            Err(_) => return stream.fail(request.timed_out(Phase::Read)),
            Ok(None) => break,
            Ok(Some(Err(error))) => return stream.fail(cut("stream", &error)),
            Ok(Some(Ok(data))) => data,
        };
        // Asked for a stream, some servers send the whole answer. Their content type cannot be trusted: others call a
        // stream of events JSON.
        if is_document.is_none() {
            is_document = data.trim_ascii_start().first().map(|first| *first == b'{');
        }
        if is_document == Some(true) {
            document.extend_from_slice(&data);
            continue;
        }
        if let Err(failure) = framing.push(data) {
            return stream.fail(failure);
        }
        while let Some(data) = framing.next() {
            let handed_on = match &mut events {
                Some(events) => hand_on_translated(stream, &data, events.as_mut()).await,
                None => hand_on(stream, data, request).await,
            };
            announced.tell();
            match handed_on {
                Next::More => {}
                Next::Done => {
                    drain(&mut body).await;
                    return end(stream, events, request).await;
                }
                Next::Stop => return,
            }
        }
    }
    if is_document == Some(true) {
        return whole_answer(stream, &document.freeze(), request).await;
    }
    if let Some(data) = framing.finish() {
        let handed_on = match &mut events {
            Some(events) => hand_on_translated(stream, &data, events.as_mut()).await,
            None => hand_on(stream, data, request).await,
        };
        if matches!(handed_on, Next::Stop) {
            return;
        }
    }
    end(stream, events, request).await;
}

/// The end of a stream that came whole, after the chunks that only its end lets one write.
async fn end(stream: &Stream, events: Option<Box<dyn Events>>, request: &Request) {
    let mut chunks = Vec::new();
    stream.call.with_state(|state| match (events, &request.closing_model) {
        (Some(mut events), _) => events.end(&mut state.facts, &mut chunks),
        (None, Some(model)) => chunks.extend(openai::closing_chunk(&state.facts, model)),
        (None, None) => {}
    });
    for chunk in chunks {
        if !stream.push(chunk).await {
            return;
        }
    }
    stream.end_whole();
}

/// An answer that came whole though a stream was asked for: one chunk.
async fn whole_answer(stream: &Stream, body: &Bytes, request: &Request) {
    match read_answer(request.reading.as_deref(), body) {
        Ok(Read::Whole(facts, body)) => {
            stream.call.with_state(|state| {
                state.facts = facts;
                state.events_arrived(1, Instant::now());
            });
            if stream.push(openai::as_chunk(&body)).await {
                stream.end_whole();
            }
        }
        Ok(Read::Error(error) | Read::Failed(_, _, error)) => stream.fail(of_provider(error)),
        Err(message) => stream.fail(Failure::new(FailureKind::InvalidResponse, message)),
    }
}

/// The failure that an error event, or an error in a whole answer, stands for.
fn of_provider(error: openai::ProviderError) -> Failure {
    Failure {
        status: error.status,
        code: error.code,
        ..Failure::new(FailureKind::Status, error.message)
    }
}

/// Reads what follows `[DONE]` (the last, empty HTTP chunk), so that the connection can be used again.
async fn drain(body: &mut Body) {
    let _ = timeout(Duration::from_millis(100), async {
        while let Some(Ok(_)) = body.data().await {}
    })
    .await;
}

enum Next {
    More,
    Done,
    Stop,
}

async fn hand_on(stream: &Stream, data: Bytes, request: &Request) -> Next {
    let read = stream.call.with_state(|state| {
        let kind = openai::read_event(&mut state.facts, &data);
        if matches!(kind, EventKind::Chunk | EventKind::UsageOnly | EventKind::Last) {
            state.events_arrived(1, Instant::now());
        }
        kind
    });
    match read {
        None => Next::Stop,
        Some(EventKind::Done) => Next::Done,
        Some(EventKind::Empty) => Next::More,
        Some(EventKind::UsageOnly) if request.hide_usage => Next::More,
        Some(EventKind::Chunk | EventKind::UsageOnly | EventKind::Last) => {
            if stream.push(data).await {
                Next::More
            } else {
                Next::Stop
            }
        }
        Some(EventKind::Error(error)) => {
            stream.fail(of_provider(error));
            Next::Stop
        }
        Some(EventKind::Invalid(message)) => {
            stream.fail(Failure::new(FailureKind::InvalidResponse, message));
            Next::Stop
        }
    }
}

/// An event of another dialect: what chunks it makes, if any.
async fn hand_on_translated(stream: &Stream, data: &Bytes, events: &mut dyn Events) -> Next {
    let mut chunks = Vec::new();
    let read = stream.call.with_state(|state| {
        let kind = events.read(&mut state.facts, data, &mut chunks);
        state.events_arrived(u32::try_from(chunks.len()).unwrap_or(u32::MAX), Instant::now());
        kind
    });
    let Some(kind) = read else { return Next::Stop };
    for chunk in chunks {
        if !stream.push(chunk).await {
            return Next::Stop;
        }
    }
    match kind {
        EventKind::Done => Next::Done,
        EventKind::Empty | EventKind::Chunk | EventKind::Last | EventKind::UsageOnly => Next::More,
        EventKind::Error(error) => {
            stream.fail(of_provider(error));
            Next::Stop
        }
        EventKind::Invalid(message) => {
            stream.fail(Failure::new(FailureKind::InvalidResponse, message));
            Next::Stop
        }
    }
}
