//! The runtime of a process, and who drives it: a thread in a blocking call does so itself, since handing its request to
//! another thread and the answer back costs two wake-ups, a third of what a call takes on one machine. For all other
//! work a thread of its own does, while there is any.

use std::future::Future;
use std::pin::Pin;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::{self, Thread};
use std::time::Duration;

use tokio::runtime::{Builder, Runtime};
use tokio::sync::Notify;
use tokio::task::{JoinHandle, yield_now};
use tokio::time::{sleep, timeout};

/// How long the thread stays after its last work: a program that has some more soon need not wake it again, and one
/// that waits itself drives by itself from then on.
const LINGER: Duration = Duration::from_millis(20);

#[derive(Debug)]
pub(crate) struct Io {
    runtime: Runtime,
    thread: OnceLock<Option<Thread>>,
    /// Work of the thread that is not done.
    under_way: AtomicUsize,
    done: Notify,
}

impl Io {
    /// None where the system refuses the descriptors that it needs.
    pub(crate) fn new() -> Option<Self> {
        let runtime = Builder::new_current_thread()
            .enable_io()
            .enable_time()
            .max_blocking_threads(8) // name look-ups; more at once would only queue at the resolver
            .thread_name("edgequake-resolve")
            .on_thread_start(block_signals)
            .build()
            .ok()?;
        Some(Self {
            runtime,
            thread: OnceLock::new(),
            under_way: AtomicUsize::new(0),
            done: Notify::new(),
        })
    }

    /// Whether there is an I/O thread, or now is: the system may refuse to start it.
    pub(crate) fn has_thread(&'static self) -> bool {
        self.thread.get_or_init(|| self.start_thread()).is_some()
    }

    /// Runs work to its end on the I/O thread, which must be there.
    pub(crate) fn spawn(&'static self, work: impl Future<Output = ()> + Send + 'static) -> JoinHandle<()> {
        let was_idle = self.under_way.fetch_add(1, Ordering::SeqCst) == 0;
        let until_dropped = UnderWay(self);
        let task = self.runtime.spawn(async move {
            let _until_dropped = until_dropped;
            if was_idle {
                settle().await;
            }
            work.await;
        });
        if let Some(Some(thread)) = self.thread.get()
            && was_idle
        {
            thread.unpark();
        }
        task
    }

    /// Drives `work`, and all else that waits, on this thread for up to `limit`; None where it is not done by then.
    pub(crate) fn drive<F: Future>(&self, work: Pin<&mut F>, limit: Duration) -> Option<F::Output> {
        self.runtime.block_on(async { timeout(limit, work).await.ok() })
    }

    /// Lets connections be closed whose requests were given up.
    pub(crate) fn settle(&self) {
        self.runtime.block_on(settle());
    }

    fn start_thread(&'static self) -> Option<Thread> {
        let started = thread::Builder::new()
            .name("edgequake-io".to_owned())
            .stack_size(1 << 20)
            .spawn(move || {
                block_signals();
                self.serve();
            });
        started.ok().map(|handle| handle.thread().clone())
    }

    fn serve(&self) {
        loop {
            while self.under_way.load(Ordering::SeqCst) == 0 {
                thread::park();
            }
            self.runtime.block_on(async {
                loop {
                    while self.under_way.load(Ordering::SeqCst) > 0 {
                        self.done.notified().await;
                    }
                    sleep(LINGER).await;
                    if self.under_way.load(Ordering::SeqCst) == 0 {
                        return;
                    }
                }
            });
        }
    }
}

struct UnderWay(&'static Io);

impl Drop for UnderWay {
    fn drop(&mut self) {
        if self.0.under_way.fetch_sub(1, Ordering::SeqCst) == 1 {
            self.0.done.notify_one();
        }
    }
}

/// Lets connections notice what came while nobody drove: that the server closed them, that they are free again.
pub(crate) async fn settle() {
    // The first return is behind a look at the sockets, the second behind the tasks that this look woke.
    yield_now().await;
    yield_now().await;
}

/// Signals are the interpreter's: its main thread must be the one they wake.
fn block_signals() {
    #[cfg(unix)]
    // SAFETY: both calls only fill and read a set on this thread's stack.
    unsafe {
        let mut all = std::mem::zeroed();
        libc::sigfillset(&raw mut all);
        libc::pthread_sigmask(libc::SIG_SETMASK, &raw const all, std::ptr::null_mut());
    }
}
