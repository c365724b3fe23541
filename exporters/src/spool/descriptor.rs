//! The number of the open spool file, for the one place that cannot ask its owner: a forked child.

#![cfg_attr(not(unix), allow(dead_code, reason = "there is no fork"))]

use std::sync::atomic::{AtomicI32, AtomicU64, Ordering};

const NONE: i32 = -1;
/// No file has this inode.
const UNKNOWN: u64 = 0;

/// Written by the thread that owns the file, read by a child of a fork in which that thread does not exist.
#[derive(Debug)]
pub(crate) struct Descriptor {
    number: AtomicI32,
    device: AtomicU64,
    inode: AtomicU64,
}

impl Default for Descriptor {
    fn default() -> Self {
        Self {
            number: AtomicI32::new(NONE),
            device: AtomicU64::new(0),
            inode: AtomicU64::new(0),
        }
    }
}

impl Descriptor {
    /// Comes right after the open: a child that is forked in between keeps the file open for life.
    pub(super) fn publish(&self, number: i32) {
        self.inode.store(UNKNOWN, Ordering::Relaxed);
        self.number.store(number, Ordering::Release);
    }

    pub(super) fn identify(&self, (device, inode): (u64, u64)) {
        self.device.store(device, Ordering::Relaxed);
        self.inode.store(inode, Ordering::Release);
    }

    /// Comes before the close: a number that is closed already may be another file's by the time a child looks.
    pub(super) fn retract(&self) {
        self.number.store(NONE, Ordering::Release);
    }

    /// Closes the child's copy and leaves the lock to the parent, whose it is. Async-signal-safe.
    #[cfg(unix)]
    pub(crate) fn close_in_child(&self) {
        let number = self.number.swap(NONE, Ordering::Acquire);
        if number == NONE {
            return;
        }
        let inode = self.inode.load(Ordering::Acquire);
        let ours = (self.device.load(Ordering::Relaxed), inode);
        // SAFETY: `stat` is plain integers, for which zero is a value, and is not read unless `fstat` filled it; `fstat`
        // and `close` take any number. The file is ours (a program that closes descriptors wholesale may have given the
        // number to another), and its owner, a thread of the parent, does not exist here.
        unsafe {
            let mut stat: libc::stat = std::mem::zeroed();
            if inode == UNKNOWN || (libc::fstat(number, &raw mut stat) == 0 && file_id(&stat) == ours) {
                libc::close(number);
            }
        }
    }

    #[cfg(not(unix))]
    pub(crate) fn close_in_child(&self) {
        self.retract();
    }
}

/// As `std::os::unix::fs::MetadataExt` gives them.
#[cfg(unix)]
#[allow(
    clippy::unnecessary_cast,
    clippy::cast_sign_loss,
    reason = "the fields' types differ between systems"
)]
fn file_id(stat: &libc::stat) -> (u64, u64) {
    (stat.st_dev as u64, stat.st_ino as u64)
}
