//! What the tests share: a record, folders that go away, and the reader's side of a spool.

#![allow(
    dead_code,
    unused_imports,
    reason = "every test file is a crate of its own and uses a part of this"
)]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a panic is a test's report"
)]

mod records;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use exporters::{Recorder, RecorderSettings, spool_folder};
pub(crate) use records::{cost, full, line_of, number_of, record, text_of};
use serde_json::Value;

/// A folder of its own for one test, removed when the test passed.
pub(crate) struct Folder(pub(crate) PathBuf);

impl Folder {
    pub(crate) fn new() -> Self {
        Self::under(&std::env::temp_dir())
    }

    pub(crate) fn under(parent: &Path) -> Self {
        static MADE: AtomicU64 = AtomicU64::new(0);
        let number = MADE.fetch_add(1, Ordering::Relaxed);
        let path = parent.join(format!("edgequake-test-{}-{number}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    pub(crate) fn ledger(&self) -> PathBuf {
        self.0.join("ledger.duckdb")
    }

    pub(crate) fn spool(&self) -> PathBuf {
        spool_folder(&self.ledger())
    }

    pub(crate) fn recorder(&self) -> Recorder {
        recorder(&self.ledger())
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            let _ = fs::remove_dir_all(&self.0);
        }
    }
}

/// What a reader finds in a folder: the lines that are whole, and how many are not.
#[derive(Debug, Default)]
pub(crate) struct Found {
    pub(crate) lines: Vec<Value>,
    pub(crate) torn: usize,
    pub(crate) files: usize,
}

impl Found {
    pub(crate) fn in_folder(folder: &Path) -> Self {
        Self::in_files(&spool_files(folder))
    }

    pub(crate) fn in_files(paths: &[PathBuf]) -> Self {
        let mut found = Self::default();
        for path in paths {
            found.files += 1;
            for line in fs::read(path)
                .unwrap()
                .split(|byte| *byte == b'\n')
                .filter(|line| !line.is_empty())
            {
                match serde_json::from_slice(line) {
                    Ok(line) => found.lines.push(line),
                    Err(_) => found.torn += 1,
                }
            }
        }
        found
    }

    /// The records' numbers, sorted; a number that stands twice was written twice.
    pub(crate) fn numbers(&self) -> Vec<u64> {
        let mut numbers: Vec<u64> = self.lines.iter().map(number_of).collect();
        numbers.sort_unstable();
        numbers
    }
}

/// Those that readers look at: a file is made under another name.
pub(crate) fn spool_files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten();
    let mut paths: Vec<PathBuf> = entries
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().unwrap() == "jsonl" && !is_the_empty_one(path))
        .collect();
    paths.sort();
    paths
}

fn is_the_empty_one(path: &Path) -> bool {
    path.file_name().unwrap() == "0-none.v2.jsonl"
}

/// Waits for what a background thread does; tells whether it did it in time.
pub(crate) fn within(longest: Duration, mut condition: impl FnMut() -> bool) -> bool {
    let deadline = Instant::now() + longest;
    loop {
        if condition() {
            return true;
        }
        if Instant::now() >= deadline {
            return false;
        }
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// Whether the lock was had.
#[cfg(unix)]
pub(crate) fn flock(file: &fs::File, operation: i32) -> bool {
    use std::os::fd::AsRawFd as _;
    // SAFETY: the descriptor is open as long as `file` is.
    unsafe { libc::flock(file.as_raw_fd(), operation) == 0 }
}

/// Clears the owner's write bit, as a fold does first.
#[cfg(unix)]
pub(crate) fn close_to_writers(path: &Path) {
    use std::os::unix::fs::PermissionsExt as _;
    let mode = fs::metadata(path).unwrap().permissions().mode();
    fs::set_permissions(path, fs::Permissions::from_mode(mode & !0o200)).unwrap();
}

/// What a fold does with the files: close, wait for the writers inside, read, unlink. Returns how many lines were torn.
#[cfg(unix)]
pub(crate) fn fold(spool: &Path, numbers: &mut Vec<u64>) -> usize {
    let mut torn = 0;
    for path in spool_files(spool) {
        close_to_writers(&path);
        assert!(flock(&fs::File::open(&path).unwrap(), libc::LOCK_EX));
        let found = Found::in_files(std::slice::from_ref(&path));
        numbers.extend(found.numbers());
        torn += found.torn;
        fs::remove_file(path).unwrap();
    }
    torn
}

pub(crate) fn recorder(ledger: &Path) -> Recorder {
    Recorder::start(RecorderSettings {
        ledger: Some(ledger.to_owned()),
        ..RecorderSettings::default()
    })
}

/// The descriptors of this process for spool files in the folder. The folder itself and the empty file, which a thread of
/// the parent may just have been looking at when a child was forked, bear no lock.
pub(crate) fn descriptors_of(folder: &Path) -> Vec<i32> {
    let mut numbers: Vec<i32> = Vec::new();
    for entry in fs::read_dir("/proc/self/fd").into_iter().flatten().flatten() {
        let Ok(target) = fs::read_link(entry.path()) else {
            continue;
        };
        if target.parent() == Some(folder) && target.to_string_lossy().contains(".jsonl") && !is_the_empty_one(&target)
        {
            numbers.push(entry.file_name().to_str().unwrap().parse().unwrap());
        }
    }
    numbers.sort_unstable();
    numbers
}
