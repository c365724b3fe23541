//! A stream between the I/O thread, which fills it, and its consumer, who may be slow, leave early or never come.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::Notify;

use crate::call::{Ending, OpenCall};
use crate::failure::Failure;
use crate::loops::{Delivery, LoopQueue};

/// What waits for a slow consumer; above it the I/O thread stops reading, and TCP slows the provider down.
const BUFFER_BYTES: usize = 256 << 10;

#[derive(Debug)]
pub(crate) struct Stream {
    pub call: Arc<OpenCall>,
    inner: Mutex<Inner>,
    arrived: Condvar,
    drained: Notify,
    abandoned: Notify,
}

#[derive(Debug, Default)]
struct Inner {
    chunks: VecDeque<Bytes>,
    bytes: usize,
    end: Option<End>,
    /// The consumer asked for a chunk at least once.
    read: bool,
    closed: bool,
    waiter: Option<(Arc<LoopQueue>, u64)>,
}

#[derive(Debug)]
enum End {
    Whole,
    Failed(Box<Failure>),
}

/// What a consumer gets.
#[derive(Debug)]
pub(crate) enum Taken {
    Chunks(Vec<Bytes>),
    /// Nothing there yet.
    Nothing,
    End,
    Failed(Box<Failure>),
}

impl Stream {
    #[must_use]
    pub(crate) fn new(call: Arc<OpenCall>) -> Arc<Self> {
        Arc::new(Self {
            call,
            inner: Mutex::default(),
            arrived: Condvar::new(),
            drained: Notify::new(),
            abandoned: Notify::new(),
        })
    }

    /// A stream that has arrived already.
    #[must_use]
    pub(crate) fn whole(call: Arc<OpenCall>, chunks: Vec<Bytes>) -> Arc<Self> {
        let stream = Self::new(call);
        {
            let mut inner = stream.lock();
            inner.bytes = chunks.iter().map(Bytes::len).sum();
            inner.chunks = chunks.into();
            inner.end = Some(End::Whole);
        }
        stream
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    // --- the I/O thread's side -------------------------------------------------------------------------------------

    /// Hands a chunk on, waiting while the consumer is far behind. False once there is no consumer any more.
    pub(crate) async fn push(&self, chunk: Bytes) -> bool {
        self.call.hear_chunk(&chunk);
        let mut chunk = Some(chunk);
        loop {
            {
                let mut inner = self.lock();
                if inner.closed {
                    return false;
                }
                // A chunk above the bound still goes through, alone.
                if inner.bytes < BUFFER_BYTES {
                    if let Some(chunk) = chunk.take() {
                        inner.bytes += chunk.len();
                        inner.chunks.push_back(chunk);
                    }
                    self.wake(inner);
                    return true;
                }
            }
            self.drained.notified().await;
        }
    }

    pub(crate) fn end_whole(&self) {
        let mut inner = self.lock();
        inner.end.get_or_insert(End::Whole);
        self.wake(inner);
    }

    /// The stream broke. The record is made now: whether the consumer reads up to here changes nothing of it.
    pub(crate) fn fail(&self, failure: Failure) {
        let failure = self.call.fail(failure);
        let mut inner = self.lock();
        inner.end.get_or_insert(End::Failed(Box::new(failure)));
        self.wake(inner);
    }

    /// Resolves when the consumer has gone.
    pub(crate) async fn left(&self) {
        self.abandoned.notified().await;
    }

    fn wake(&self, mut inner: MutexGuard<'_, Inner>) {
        let waiter = inner.waiter.take();
        drop(inner);
        match waiter {
            Some((queue, ticket)) => queue.deliver(ticket, Delivery::Ready),
            None => self.arrived.notify_one(),
        }
    }

    // --- the consumer's side ---------------------------------------------------------------------------------------

    /// Up to `most` chunks that are there; `wait`: how long to wait for a first one.
    pub(crate) fn take(&self, most: usize, wait: Duration) -> Taken {
        let mut inner = self.lock();
        inner.read = true;
        if inner.chunks.is_empty() && inner.end.is_none() && !inner.closed && !wait.is_zero() {
            inner = self
                .arrived
                .wait_timeout(inner, wait)
                .unwrap_or_else(PoisonError::into_inner)
                .0;
        }
        if inner.closed {
            return Taken::End;
        }
        if inner.chunks.is_empty() {
            return self.at_the_end(inner);
        }
        let count = inner.chunks.len().min(most);
        let chunks: Vec<Bytes> = inner.chunks.drain(..count).collect();
        let was_full = inner.bytes >= BUFFER_BYTES;
        inner.bytes -= chunks.iter().map(Bytes::len).sum::<usize>();
        if was_full && inner.bytes < BUFFER_BYTES {
            self.drained.notify_one();
        }
        Taken::Chunks(chunks)
    }

    fn at_the_end(&self, mut inner: MutexGuard<'_, Inner>) -> Taken {
        match inner.end.take() {
            None => Taken::Nothing,
            Some(End::Whole) => {
                inner.end = Some(End::Whole);
                drop(inner);
                self.call.finish(Ending::Completed);
                Taken::End
            }
            Some(End::Failed(failure)) => {
                // Raised once; whoever goes on asking gets the plain end, as from a generator.
                inner.end = Some(End::Whole);
                Taken::Failed(failure)
            }
        }
    }

    /// Registers for a wake-up on a loop; false where there is something to take already.
    pub(crate) fn wait_on(&self, queue: &Arc<LoopQueue>, ticket: u64) -> bool {
        let mut inner = self.lock();
        if !inner.chunks.is_empty() || inner.end.is_some() || inner.closed {
            return false;
        }
        inner.waiter = Some((Arc::clone(queue), ticket));
        true
    }

    /// The consumer leaves, and says so.
    pub(crate) fn close(&self) {
        self.leave(Ending::ClosedEarly);
    }

    /// The consumer is gone without a word. One that had begun to read left the stream; one that never did forgot it.
    pub(crate) fn dropped(&self) {
        let read = self.lock().read;
        self.leave(if read { Ending::ClosedEarly } else { Ending::Abandoned });
    }

    fn leave(&self, ending: Ending) {
        {
            let mut inner = self.lock();
            if inner.closed {
                return;
            }
            inner.closed = true;
            inner.chunks.clear();
            inner.bytes = 0;
        }
        self.call.finish(ending);
        self.abandoned.notify_one();
        self.drained.notify_one();
        self.arrived.notify_one();
    }
}
