//! The append protocol in one process: which file a batch goes to, and what becomes of it when somebody interferes.

#![cfg(unix)]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a panic is a test's report"
)]

mod common;

use std::fs::{self, File, OpenOptions, Permissions};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use common::{Folder, Found, close_to_writers, flock, record};
use exporters::{Error, Process, Spool, write_line};

/// Writes the record with this number, alone.
fn append(spool: &mut Spool, number: u64) -> PathBuf {
    let mut batch = b"\n".to_vec();
    write_line(&record(number), &Process::current(None), &mut batch);
    assert_eq!(spool.append(&batch).expect("written"), batch.len());
    spool.current_file().expect("a file").to_owned()
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().mode() & 0o7777
}

/// Locks the file by a descriptor of its own; the lock ends with it.
fn locked(path: &Path, operation: i32) -> File {
    let file = File::open(path).unwrap();
    assert!(flock(&file, operation | libc::LOCK_NB));
    file
}

#[test]
fn nothing_is_touched_before_the_first_batch() {
    let folder = Folder::new();
    let _spool = Spool::open(&folder.ledger());
    assert!(!folder.spool().exists());
}

#[test]
fn all_append_to_the_newest_open_file_of_our_schema() {
    let folder = Folder::new();
    let (mut one, mut two) = (Spool::open(&folder.ledger()), Spool::open(&folder.ledger()));
    let file = append(&mut one, 1);
    assert_eq!(append(&mut two, 2), file);
    let name = |name: &str| {
        let path = folder.spool().join(name);
        File::create(&path).unwrap();
        path
    };
    name("9999999999999-aa.v9.jsonl");
    name("9999999999999-aa.v2.jsonl.gz");
    name("zzz-aa.v2.jsonl");
    fs::create_dir(folder.spool().join("9999999999999-bb.v2.jsonl")).unwrap();
    std::os::unix::fs::symlink("/dev/null", folder.spool().join("9999999999999-cc.v2.jsonl")).unwrap();
    let closed = name("9999999999998-aa.v2.jsonl");
    close_to_writers(&closed);
    assert_eq!(append(&mut Spool::open(&folder.ledger()), 3), file);
    let newest = name("9999999999997-aa.v2.jsonl");
    let older = name("9999999999-aa.v2.jsonl");
    assert_eq!(append(&mut Spool::open(&folder.ledger()), 4), newest);
    // Who has a file stays with it: moving would gain nothing.
    assert_eq!(append(&mut one, 5), file);
    close_to_writers(&file);
    close_to_writers(&newest);
    assert_eq!(append(&mut one, 6), older);
}

#[test]
fn names_and_rights_are_the_protocols() {
    let folder = Folder::new();
    let file = append(&mut Spool::open(&folder.ledger()), 1);
    let empty = folder.spool().join("0-none.v2.jsonl");
    assert_eq!(
        (mode(&folder.spool()), mode(&file), mode(&empty)),
        (0o700, 0o600, 0o600)
    );
    assert_eq!(fs::metadata(empty).unwrap().len(), 0);
    let name = file.file_name().unwrap().to_str().unwrap();
    let (made, random) = name.strip_suffix(".v2.jsonl").unwrap().split_once('-').unwrap();
    let now = std::time::UNIX_EPOCH.elapsed().unwrap().as_millis();
    assert!(now - made.parse::<u128>().unwrap() < 60_000);
    assert_eq!(random.len(), 16);
    let text = fs::read_to_string(file).unwrap();
    assert!(text.starts_with("\n{") && text.ends_with("}\n"), "{text}");
}

#[test]
fn a_folder_shared_by_a_group_has_files_of_the_group() {
    let folder = Folder::new();
    fs::create_dir(folder.spool()).unwrap();
    // SAFETY: no memory is passed.
    let root = unsafe { libc::geteuid() } == 0;
    if root {
        std::os::unix::fs::chown(folder.spool(), Some(4_242), Some(4_343)).unwrap();
    }
    fs::set_permissions(folder.spool(), Permissions::from_mode(0o770)).unwrap();
    let file = append(&mut Spool::open(&folder.ledger()), 1);
    let of_folder = fs::metadata(folder.spool()).unwrap();
    for path in [file, folder.spool().join("0-none.v2.jsonl")] {
        let of_file = fs::metadata(&path).unwrap();
        assert_eq!(mode(&path), 0o660);
        // Root's files belong to the folder's owner, who could not read them otherwise.
        assert_eq!((of_file.uid(), of_file.gid()), (of_folder.uid(), of_folder.gid()));
    }
}

#[test]
fn a_file_that_a_fold_closed_is_left_at_once() {
    let folder = Folder::new();
    let mut spool = Spool::open(&folder.ledger());
    let first = append(&mut spool, 1);
    close_to_writers(&first);
    // Also while the fold waits for the lock, or has it.
    let _fold = locked(&first, libc::LOCK_EX);
    let started = Instant::now();
    let second = append(&mut spool, 2);
    assert!(started.elapsed() < Duration::from_millis(80), "{:?}", started.elapsed());
    assert_ne!(first, second);
    assert_eq!(Found::in_folder(&folder.spool()).numbers(), [1, 2]);
}

#[test]
fn a_file_that_was_unlinked_is_left_at_once() {
    let folder = Folder::new();
    let mut spool = Spool::open(&folder.ledger());
    fs::remove_file(append(&mut spool, 1)).unwrap();
    append(&mut spool, 2);
    assert_eq!(Found::in_folder(&folder.spool()).numbers(), [2]);
}

#[test]
fn a_folder_that_was_removed_is_made_again() {
    let folder = Folder::new();
    let mut spool = Spool::open(&folder.ledger());
    append(&mut spool, 1);
    fs::remove_dir_all(folder.spool()).unwrap();
    append(&mut spool, 2);
    assert_eq!(Found::in_folder(&folder.spool()).numbers(), [2]);
    assert!(folder.spool().join("0-none.v2.jsonl").exists());
    // With all that was above it, and although somebody made it again by hand.
    fs::remove_dir_all(&folder.0).unwrap();
    append(&mut spool, 3);
    fs::remove_dir_all(folder.spool()).unwrap();
    fs::create_dir(folder.spool()).unwrap();
    append(&mut spool, 4);
    assert_eq!(Found::in_folder(&folder.spool()).numbers(), [4]);
    assert!(folder.spool().join("0-none.v2.jsonl").exists());
}

#[test]
fn a_folder_that_was_moved_is_missed_within_a_second() {
    let folder = Folder::new();
    let mut spool = Spool::open(&folder.ledger());
    append(&mut spool, 1);
    let moved = folder.0.join("moved");
    fs::rename(folder.spool(), &moved).unwrap();
    append(&mut spool, 2);
    std::thread::sleep(Duration::from_millis(1_000));
    append(&mut spool, 3);
    assert_eq!(Found::in_folder(&moved).numbers(), [1, 2]);
    assert_eq!(Found::in_folder(&folder.spool()).numbers(), [3]);
}

#[test]
fn a_full_file_is_closed() {
    let folder = Folder::new();
    let mut spool = Spool::open(&folder.ledger());
    let first = append(&mut spool, 1);
    OpenOptions::new()
        .write(true)
        .open(&first)
        .unwrap()
        .set_len((64 << 20) + 1)
        .unwrap();
    let second = append(&mut spool, 2);
    assert_ne!(first, second);
    assert_eq!((mode(&first), mode(&second)), (0o400, 0o600));
    // Somebody else's, which we cannot close, is not taken up again either.
    fs::set_permissions(&first, Permissions::from_mode(0o600)).unwrap();
    close_to_writers(&second);
    assert!(![first, second].contains(&append(&mut spool, 3)));
}

#[test]
fn a_lock_that_stays_taken_costs_100_ms_once() {
    let folder = Folder::new();
    let (mut spool, mut late) = (Spool::open(&folder.ledger()), Spool::open(&folder.ledger()));
    let first = append(&mut spool, 1);
    append(&mut late, 2);
    let stopped = locked(&first, libc::LOCK_EX);
    let started = Instant::now();
    let second = append(&mut spool, 3);
    let waited = started.elapsed();
    assert!(
        waited >= Duration::from_millis(100) && waited < Duration::from_millis(400),
        "{waited:?}"
    );
    assert_ne!(second, first);
    let started = Instant::now();
    assert_eq!(append(&mut spool, 4), second);
    assert!(started.elapsed() < Duration::from_millis(80));
    // Others go to the file that is open now.
    assert_eq!(append(&mut late, 5), second);
    drop(stopped);
    assert_eq!(Found::in_folder(&folder.spool()).numbers(), [1, 2, 3, 4, 5]);
    // Another writer's lock is in nobody's way.
    let _writer = locked(&second, libc::LOCK_SH);
    let started = Instant::now();
    append(&mut spool, 6);
    assert!(started.elapsed() < Duration::from_millis(80));
}

#[test]
fn a_folder_that_cannot_be_made_says_so() {
    let folder = Folder::new();
    fs::write(folder.0.join("file"), "").unwrap();
    let error = Spool::open(&folder.0.join("file/ledger.duckdb"))
        .append(b"\n{}\n")
        .unwrap_err();
    assert!(matches!(error, Error::Folder { .. }), "{error}");
    assert!(!error.is_busy());
}

#[test]
fn the_descriptor_is_not_inherited_by_commands() {
    let folder = Folder::new();
    let mut spool = Spool::open(&folder.ledger());
    let file = append(&mut spool, 1);
    let output = std::process::Command::new("ls").args(["-l", "/proc/self/fd"]).output();
    let Ok(output) = output.map(|output| String::from_utf8_lossy(&output.stdout).into_owned()) else {
        return;
    };
    assert!(!output.contains(file.to_str().unwrap()), "{output}");
}

#[test]
fn many_threads_write_every_line_once_while_files_are_closed_and_taken_away() {
    const THREADS: u64 = 8;
    const EACH: u64 = 1_000;
    let folder = Folder::new();
    let mut folded = Vec::new();
    std::thread::scope(|scope| {
        let writers: Vec<_> = (0..THREADS)
            .map(|thread| {
                let ledger = folder.ledger();
                scope.spawn(move || {
                    let mut spool = Spool::open(&ledger);
                    for number in 0..EACH {
                        append(&mut spool, thread * EACH + number);
                    }
                })
            })
            .collect();
        while !writers.iter().all(std::thread::ScopedJoinHandle::is_finished) {
            std::thread::sleep(Duration::from_millis(5));
            common::fold(&folder.spool(), &mut folded);
        }
    });
    common::fold(&folder.spool(), &mut folded);
    folded.sort_unstable();
    assert_eq!(folded, (0..THREADS * EACH).collect::<Vec<_>>());
}
