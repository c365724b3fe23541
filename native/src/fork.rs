//! What a forked child must do before anything else: forget the parent's threads and descriptors.

use std::sync::Once;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::core;

static GENERATION: AtomicU64 = AtomicU64::new(0);
static REGISTERED: Once = Once::new();

/// How many forks lie between this process and the one that loaded the library.
pub(crate) fn generation() -> u64 {
    GENERATION.load(Ordering::Relaxed)
}

#[cfg(unix)]
extern "C" fn in_child() {
    GENERATION.fetch_add(1, Ordering::Relaxed);
    core::forget_parents();
}

/// Installs the handler, once a process tree.
pub(crate) fn register() {
    REGISTERED.call_once(|| {
        // SAFETY: `in_child` is async-signal-safe as POSIX asks of a child handler: it touches two atomics and closes one
        // descriptor; it takes no lock, allocates nothing and frees nothing.
        #[cfg(unix)]
        unsafe {
            libc::pthread_atfork(None, None, Some(in_child));
        }
    });
}
