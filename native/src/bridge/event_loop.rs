//! One bridge per event loop: futures wait in it, and the loop's reader resolves them.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use pyo3::exceptions::PyOSError;
use pyo3::intern;
use pyo3::prelude::*;

use super::calls::Made;
use crate::fork;
use crate::loops::{Delivery, LoopQueue};

/// The bridge of one loop. Python keeps it for as long as the loop lives; only the loop's own thread uses it.
#[pyclass(frozen, weakref, module = "edgequake_obs._native")]
#[derive(Debug)]
pub(crate) struct EventLoop {
    pub(crate) queue: Arc<LoopQueue>,
    create_future: Py<PyAny>,
    waiting: Mutex<HashMap<u64, Waiting>>,
    next_ticket: AtomicU64,
    generation: u64,
}

#[derive(Debug)]
struct Waiting {
    future: Py<PyAny>,
    /// None: a stream's wake-up, whose future resolves to nothing.
    made: Option<Made>,
}

impl EventLoop {
    fn wait(&self, py: Python<'_>, made: Option<Made>) -> PyResult<(u64, Py<PyAny>)> {
        let future = self.create_future.call0(py)?;
        let ticket = self.next_ticket.fetch_add(1, Ordering::Relaxed);
        let waiting = Waiting {
            future: future.clone_ref(py),
            made,
        };
        self.waiting
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(ticket, waiting);
        Ok((ticket, future))
    }

    pub(crate) fn expect_reply(&self, py: Python<'_>, made: Made) -> PyResult<(u64, Py<PyAny>)> {
        self.wait(py, Some(made))
    }

    pub(crate) fn expect_wake_up(&self, py: Python<'_>) -> PyResult<(u64, Py<PyAny>)> {
        self.wait(py, None)
    }

    pub(crate) fn forget(&self, ticket: u64) {
        self.waiting
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(&ticket);
    }
}

#[pymethods]
impl EventLoop {
    /// `create_future`: the loop's method. The loop itself is not held: its bridge goes with it.
    #[new]
    fn new(create_future: Py<PyAny>) -> PyResult<Self> {
        let queue = LoopQueue::new().map_err(|error| PyOSError::new_err(error.to_string()))?;
        Ok(Self {
            queue,
            create_future,
            waiting: Mutex::default(),
            next_ticket: AtomicU64::new(0),
            generation: fork::generation(),
        })
    }

    fn fileno(&self) -> i32 {
        self.queue.descriptor()
    }

    /// Whether the process has forked since: the descriptor is shared with the parent, and no reply will come here.
    #[getter]
    fn is_stale(&self) -> bool {
        self.generation != fork::generation()
    }

    /// The loop's reader: resolves every future whose reply is there.
    fn drain(&self, py: Python<'_>) -> PyResult<()> {
        for (ticket, delivery) in self.queue.drain() {
            let Some(waiting) = self
                .waiting
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .remove(&ticket)
            else {
                continue;
            };
            let future = waiting.future.bind(py);
            if future.call_method0(intern!(py, "done"))?.is_truthy()? {
                continue;
            }
            match (delivery, waiting.made) {
                (Delivery::Answered(reply), Some(made)) => match made.reply(py, *reply) {
                    Ok(value) => future.call_method1(intern!(py, "set_result"), (value,))?,
                    Err(error) => future.call_method1(intern!(py, "set_exception"), (error.into_value(py),))?,
                },
                _ => future.call_method1(intern!(py, "set_result"), (py.None(),))?,
            };
        }
        Ok(())
    }
}
