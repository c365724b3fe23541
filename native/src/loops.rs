//! From the I/O thread to an event loop: finished work goes into the loop's queue, and a descriptor that the loop
//! watches is written to only when the queue was empty. The I/O thread never touches the interpreter.

use std::sync::{Arc, Mutex, PoisonError};

use crate::client::Reply;
use crate::failure::Failure;
use crate::wake::Wake;

/// What a ticket's holder gets.
#[derive(Debug)]
pub(crate) enum Delivery {
    /// A call is answered.
    Answered(Box<Result<Reply, Failure>>),
    /// A stream has something to take.
    Ready,
}

#[derive(Debug)]
pub(crate) struct LoopQueue {
    waiting: Mutex<Vec<(u64, Delivery)>>,
    wake: Wake,
}

impl LoopQueue {
    /// # Errors
    /// Where the system has no descriptor left.
    pub(crate) fn new() -> std::io::Result<Arc<Self>> {
        Ok(Arc::new(Self {
            waiting: Mutex::default(),
            wake: Wake::new()?,
        }))
    }

    /// The descriptor for `loop.add_reader`.
    #[must_use]
    pub(crate) fn descriptor(&self) -> i32 {
        self.wake.descriptor()
    }

    pub(crate) fn deliver(&self, ticket: u64, delivery: Delivery) {
        let was_empty = {
            let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
            waiting.push((ticket, delivery));
            waiting.len() == 1
        };
        if was_empty {
            self.wake.signal();
        }
    }

    /// Everything delivered so far, in order.
    #[must_use]
    pub(crate) fn drain(&self) -> Vec<(u64, Delivery)> {
        // The signal is cleared first: a delivery in between signals again, which costs a wake-up, never a loss.
        self.wake.clear();
        std::mem::take(&mut *self.waiting.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
