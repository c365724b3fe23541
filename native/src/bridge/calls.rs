//! `completion`, `embedding` and their asynchronous kin, as the facade calls them.

use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

use pyo3::prelude::*;
use pyo3::types::PyDict;

use super::classes;
use super::counting::{self, Wanted};
use super::errors::exception;
use super::event_loop::EventLoop;
use super::forms::Form;
use super::hidden::Hidden;
use super::listening::{self, Announced};
use super::mocked;
use super::propagation;
use super::request::{self, Operation};
use super::spans;
use super::streams::{ChunkStream, StreamFacts};
use super::tries::Tries;
use crate::call::{Ending, OpenCall};
use crate::client::{self, Reply, Request};
use crate::core::core;
use crate::failure::{Failure, FailureKind};
use crate::io;
use crate::loops::Delivery;
use crate::providers::responses;
use crate::surface::Surface;

/// Between two looks at signals: Ctrl-C is answered within this.
const SIGNAL_CHECK: Duration = Duration::from_millis(100);

/// What of a call is needed to turn its reply into Python objects.
#[derive(Clone, Debug)]
pub(crate) struct Made {
    operation: Operation,
    provider: Arc<str>,
    model: Option<Arc<str>>,
    form: Form,
    /// Of a stream whose usage the caller wants.
    usage_wanted: Wanted,
}

impl Made {
    pub(crate) fn reply(&self, py: Python<'_>, reply: Result<Reply, Failure>) -> PyResult<Py<PyAny>> {
        spans::end_those_over(py);
        match reply {
            Ok(Reply::Answer(answer)) => {
                let hidden = Hidden::new(answer.call, Arc::clone(&self.provider), answer.headers);
                classes::whole(py, self.operation, answer.body, hidden, self.form)
            }
            Ok(Reply::Stream(stream, headers)) => {
                let chunks = ChunkStream::new(stream, self.stream_facts(), headers);
                Ok(Py::new(py, chunks)?.into_any())
            }
            Err(failure) => Err(exception(py, &failure, &self.provider, self.model.as_deref(), false)),
        }
    }

    fn stream_facts(&self) -> StreamFacts {
        StreamFacts {
            provider: Arc::clone(&self.provider),
            model: self.model.clone(),
            form: self.form,
            names_types: !self.operation.is_in_dialects(),
            usage_wanted: self.usage_wanted.clone(),
        }
    }
}

#[derive(Debug, Default)]
struct Slot {
    reply: Mutex<Option<Result<Reply, Failure>>>,
    there: Condvar,
}

fn no_thread() -> Failure {
    Failure::new(
        FailureKind::Connection,
        "the system refused the thread or the descriptors that a request needs",
    )
}

/// A call whose arguments have been read.
struct Asked {
    prepared: request::Prepared,
    mock: Option<mocked::Mock>,
    /// Of a call that asks several models in turn.
    tries: Option<Py<Tries>>,
    /// The same call, which one of them has failed.
    under_way: Option<Arc<OpenCall>>,
}

/// What becomes of a call that has begun.
#[expect(
    clippy::large_enum_variant,
    reason = "it is on the stack for a moment; a box would cost each call more"
)]
enum Next {
    Request(Request),
    /// At once: a mock has its answer, wrong arguments have their failure.
    Reply(Result<Reply, Failure>),
}

/// Reads a call's arguments, and finds out who listens.
#[expect(clippy::too_many_arguments, reason = "as many as the Python functions have")]
fn ask(
    py: Python<'_>,
    op: &str,
    model: &Bound<'_, PyAny>,
    input: &Bound<'_, PyAny>,
    params: &Bound<'_, PyDict>,
    settings: &Bound<'_, PyDict>,
    caller: Option<&Bound<'_, PyAny>>,
    asynchronous: bool,
    tries: Option<&Bound<'_, Tries>>,
) -> PyResult<(Asked, Made)> {
    let operation = Operation::named(op);
    let mut prepared = request::prepare(operation, model, input, params, settings, caller)?;
    let mock = mocked::read(&prepared.start, params)?;
    if mock.is_some() {
        prepared.start.mocked = true;
        prepared.start.scope = None;
    }
    let tries = tries.filter(|_| mock.is_none()).map(|tries| tries.clone().unbind());
    let under_way = tries.as_ref().and_then(|tries| tries.get().call());
    if under_way.is_none() {
        prepared.start.listener = listening::listener(
            py,
            &Announced {
                start: &prepared.start,
                asynchronous,
                input: Some(input),
                params: Some(params),
                has_own: prepared.has_own_callbacks,
            },
        );
    }
    let made = Made {
        operation,
        provider: Arc::clone(&prepared.start.provider),
        model: prepared.start.request_model.clone(),
        form: if mock.is_some() {
            Form::Own
        } else {
            Form::of(&prepared.start.provider)
        },
        usage_wanted: counting::wanted(prepared.start.streaming, input, params)?,
    };
    let asked = Asked {
        prepared,
        mock,
        tries,
        under_way,
    };
    Ok((asked, made))
}

impl Asked {
    fn begin(mut self, py: Python<'_>) -> (Arc<OpenCall>, Next) {
        let start = &mut self.prepared.start;
        let by_chat = start.surface == Surface::Responses && !responses::is_native(&start.provider);
        let call = match self.under_way {
            Some(call) => {
                call.goes_on(self.prepared.start);
                call
            }
            None => {
                start.live = spans::begin(py, start, start.surface.operation(), None);
                OpenCall::begin(self.prepared.start)
            }
        };
        if let Some(tries) = &self.tries {
            tries.get().began(&call);
        }
        if by_chat {
            call.with_state(|state| state.asks_on(Surface::Chat));
        }
        let next = match (self.mock, self.prepared.request) {
            (Some(mock), _) => Next::Reply(mocked::reply(mock, Arc::clone(&call))),
            (None, Ok(mut request)) => {
                propagation::add(py, &call, &mut request.outgoing.headers);
                request.is_one_of_several = self.tries.is_some();
                Next::Request(request)
            }
            (None, Err(failure)) if self.tries.is_some() => Next::Reply(Err(call.try_failed(failure))),
            (None, Err(failure)) => Next::Reply(Err(call.fail(failure))),
        };
        (call, next)
    }
}

/// Performs a call and waits for its reply.
#[pyfunction]
#[pyo3(signature = (op, model, input, params, settings, caller, tries=None))]
#[expect(clippy::too_many_arguments, reason = "as many as the Python function has")]
pub(crate) fn call_sync(
    py: Python<'_>,
    op: &str,
    model: &Bound<'_, PyAny>,
    input: &Bound<'_, PyAny>,
    params: &Bound<'_, PyDict>,
    settings: &Bound<'_, PyDict>,
    caller: Option<&Bound<'_, PyAny>>,
    tries: Option<&Bound<'_, Tries>>,
) -> PyResult<Py<PyAny>> {
    let (asked, made) = ask(py, op, model, input, params, settings, caller, false, tries)?;
    let (call, next) = asked.begin(py);
    match next {
        Next::Reply(reply) => made.reply(py, reply),
        Next::Request(request) if request.streaming => leave_and_wait(py, request, call, made),
        Next::Request(request) => drive_and_wait(py, request, call, made),
    }
}

/// A call whose work ends with its reply: this thread does it.
fn drive_and_wait(py: Python<'_>, request: Request, call: Arc<OpenCall>, made: Made) -> PyResult<Py<PyAny>> {
    let Some(io) = core().io() else {
        return made.reply(py, Err(call.fail(no_thread())));
    };
    let their_call = Arc::clone(&call);
    let mut work = Box::pin(async {
        io::settle().await;
        let mut reply = None;
        client::run(&core().http, request, their_call, |given| reply = Some(given)).await;
        reply
    });
    let reply = loop {
        if let Some(reply) = py.detach(|| io.drive(work.as_mut(), SIGNAL_CHECK)) {
            break reply.unwrap_or_else(|| Err(call.fail(no_thread())));
        }
        if let Err(interrupt) = py.check_signals() {
            call.finish(Ending::cancelled());
            spans::end_those_over(py);
            drop(work);
            py.detach(|| io.settle());
            return Err(interrupt);
        }
    };
    if reply.is_err() {
        py.detach(|| io.settle());
    }
    made.reply(py, reply)
}

/// A call whose work goes on behind its reply: the I/O thread does it.
fn leave_and_wait(py: Python<'_>, request: Request, call: Arc<OpenCall>, made: Made) -> PyResult<Py<PyAny>> {
    let Some(io) = core().io_thread() else {
        return made.reply(py, Err(call.fail(no_thread())));
    };
    let slot = Arc::new(Slot::default());
    let (their_slot, their_call) = (Arc::clone(&slot), Arc::clone(&call));
    let task = io.spawn(async move {
        client::run(&core().http, request, their_call, |reply| {
            *their_slot.reply.lock().unwrap_or_else(PoisonError::into_inner) = Some(reply);
            their_slot.there.notify_one();
        })
        .await;
    });
    loop {
        let reply = py.detach(|| {
            let reply = slot.reply.lock().unwrap_or_else(PoisonError::into_inner);
            let waited = slot
                .there
                .wait_timeout_while(reply, SIGNAL_CHECK, |reply| reply.is_none());
            waited.unwrap_or_else(PoisonError::into_inner).0.take()
        });
        if let Some(reply) = reply {
            return made.reply(py, reply);
        }
        if let Err(interrupt) = py.check_signals() {
            call.finish(Ending::cancelled());
            spans::end_those_over(py);
            task.abort();
            return Err(interrupt);
        }
    }
}

/// An asynchronous call under way.
#[pyclass(frozen, module = "edgequake_obs._native")]
#[derive(Debug)]
pub(crate) struct Pending {
    call: Arc<OpenCall>,
    task: Option<tokio::task::AbortHandle>,
    future: Py<PyAny>,
}

#[pymethods]
impl Pending {
    /// The future that the reply resolves.
    #[getter]
    fn future(&self, py: Python<'_>) -> Py<PyAny> {
        self.future.clone_ref(py)
    }

    /// The awaiting task was cancelled: the request is aborted and its connection closed.
    fn abort(&self, py: Python<'_>) {
        self.call.finish(Ending::cancelled());
        spans::end_those_over(py);
        if let Some(task) = &self.task {
            task.abort();
        }
    }
}

/// Begins a call whose reply resolves a future of `event_loop`.
#[pyfunction]
#[pyo3(signature = (op, model, input, params, settings, caller, event_loop, tries=None))]
#[expect(clippy::too_many_arguments, reason = "as many as the Python function has")]
pub(crate) fn call_async(
    py: Python<'_>,
    op: &str,
    model: &Bound<'_, PyAny>,
    input: &Bound<'_, PyAny>,
    params: &Bound<'_, PyDict>,
    settings: &Bound<'_, PyDict>,
    caller: Option<&Bound<'_, PyAny>>,
    event_loop: &Bound<'_, EventLoop>,
    tries: Option<&Bound<'_, Tries>>,
) -> PyResult<Pending> {
    let (asked, made) = ask(py, op, model, input, params, settings, caller, true, tries)?;
    let (ticket, future) = event_loop.get().expect_reply(py, made)?;
    let (call, next) = asked.begin(py);
    let queue = Arc::clone(&event_loop.get().queue);
    let deliver = move |reply| queue.deliver(ticket, Delivery::Answered(Box::new(reply)));
    let task = match next {
        Next::Request(request) => match core().io_thread() {
            Some(io) => {
                let their_call = Arc::clone(&call);
                let task = io.spawn(async move { client::run(&core().http, request, their_call, deliver).await });
                Some(task.abort_handle())
            }
            None => {
                deliver(Err(call.fail(no_thread())));
                None
            }
        },
        Next::Reply(reply) => {
            deliver(reply);
            None
        }
    };
    Ok(Pending { call, task, future })
}
