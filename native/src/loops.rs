//! From the I/O thread to an event loop: finished work goes into the loop's queue, and a descriptor that the loop
//! watches is written to only when the queue was empty. The I/O thread never touches the interpreter.

use std::sync::{Arc, Mutex, PoisonError};

use crate::client::Reply;
use crate::failure::Failure;

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
        self.wake.reader
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

/// An eventfd, or a pipe where there is none.
#[derive(Debug)]
struct Wake {
    reader: i32,
    writer: i32,
}

#[cfg(unix)]
impl Wake {
    fn new() -> std::io::Result<Self> {
        #[cfg(target_os = "linux")]
        {
            // SAFETY: takes numbers, gives a number.
            let fd = unsafe { libc::eventfd(0, libc::EFD_CLOEXEC | libc::EFD_NONBLOCK) };
            if fd < 0 {
                Err(std::io::Error::last_os_error())
            } else {
                Ok(Self { reader: fd, writer: fd })
            }
        }
        #[cfg(not(target_os = "linux"))]
        {
            let mut ends = [0i32; 2];
            // SAFETY: `ends` has room for the two descriptors that pipe writes.
            if unsafe { libc::pipe(ends.as_mut_ptr()) } < 0 {
                return Err(std::io::Error::last_os_error());
            }
            for end in ends {
                // SAFETY: both descriptors were just opened by this function.
                unsafe {
                    libc::fcntl(end, libc::F_SETFD, libc::FD_CLOEXEC);
                    libc::fcntl(end, libc::F_SETFL, libc::O_NONBLOCK);
                }
            }
            Ok(Self {
                reader: ends[0],
                writer: ends[1],
            })
        }
    }

    fn signal(&self) {
        let one = 1u64.to_ne_bytes();
        // SAFETY: `one` is 8 readable bytes. A full pipe or counter means that a wake-up is pending already.
        unsafe { libc::write(self.writer, one.as_ptr().cast(), one.len()) };
    }

    fn clear(&self) {
        let mut buffer = [0u8; 64];
        // SAFETY: `buffer` has room for the bytes asked for; the descriptor does not block.
        unsafe { libc::read(self.reader, buffer.as_mut_ptr().cast(), buffer.len()) };
    }
}

#[cfg(unix)]
impl Drop for Wake {
    fn drop(&mut self) {
        // SAFETY: the descriptors were opened by `new` and belong to this value alone.
        unsafe {
            libc::close(self.reader);
            if self.writer != self.reader {
                libc::close(self.writer);
            }
        }
    }
}

#[cfg(not(unix))]
impl Wake {
    fn new() -> std::io::Result<Self> {
        Err(std::io::Error::new(
            std::io::ErrorKind::Unsupported,
            "asynchronous calls are not supported on this platform yet",
        ))
    }

    fn signal(&self) {}

    fn clear(&self) {}
}
