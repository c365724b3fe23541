//! A disk that fills up and has room again.

#![cfg(target_os = "linux")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a panic is a test's report"
)]

mod common;

use std::fs;
use std::time::Duration;

use common::{Folder, Found, record, within};

const LONG: Duration = Duration::from_secs(20);

/// A file system of half a megabyte, if this machine lets us have one.
struct SmallDisk(Folder);

impl SmallDisk {
    fn mount() -> Option<Self> {
        let folder = Folder::new();
        let path = std::ffi::CString::new(folder.0.to_str()?).ok()?;
        // SAFETY: all pointers are C strings that outlive the call.
        let mounted = unsafe {
            libc::mount(
                c"tmpfs".as_ptr(),
                path.as_ptr(),
                c"tmpfs".as_ptr(),
                0,
                c"size=512k".as_ptr().cast(),
            ) == 0
        };
        mounted.then(|| Self(folder))
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let path = std::ffi::CString::new(self.0.0.to_str().unwrap_or_default()).unwrap_or_default();
        // SAFETY: the path is a C string that outlives the call.
        unsafe { libc::umount2(path.as_ptr(), libc::MNT_DETACH) };
    }
}

#[test]
fn a_full_disk_delays_and_loses_nothing() {
    let Some(disk) = SmallDisk::mount() else {
        eprintln!("SKIPPED a_full_disk_delays_and_loses_nothing: this user may not mount a tmpfs");
        return;
    };
    let folder = &disk.0;
    let filler = folder.0.join("filler");
    fs::write(&filler, vec![0; 300 << 10]).unwrap();
    let recorder = folder.recorder();
    for number in 0..400 {
        recorder.push(record(number));
    }
    assert!(!recorder.flush(LONG));
    let stats = recorder.stats();
    assert!(stats.written > 0 && stats.queued_records > 0, "{stats:?}");
    assert!(stats.last_error.unwrap().contains("space") && recorder.take_warning().is_some());
    let (whole, torn) = (
        Found::in_folder(&folder.spool()).lines.len() as u64,
        Found::in_folder(&folder.spool()).torn,
    );
    assert_eq!((whole, torn), (stats.written, 1), "the cut line does not count");
    fs::remove_file(filler).unwrap();
    assert!(
        within(LONG, || recorder.stats().queued_records == 0),
        "{:?}",
        recorder.stats()
    );
    let found = Found::in_folder(&folder.spool());
    assert_eq!(found.numbers(), (0..400).collect::<Vec<_>>());
    assert_eq!((found.torn, found.files), (1, 1));
}
