//! Forks: the child's recorder is its own, and it keeps nothing of its parent's.

#![cfg(unix)]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a panic is a test's report"
)]

mod common;

use std::time::{Duration, Instant};

use common::{Folder, Found, descriptors_of, fold, record};

const LONG: Duration = Duration::from_secs(20);
/// Each process's records have numbers of their own.
const SPAN: u64 = 1_000_000;

/// Forks; the child does what it is told and ends without a trace of the test harness.
fn fork(child: impl FnOnce() -> bool) -> i32 {
    // SAFETY: the child runs only code that needs none of the threads it lacks: glibc makes malloc usable after a fork,
    // the recorder it uses is its own, and it ends by `_exit`.
    unsafe {
        match libc::fork() {
            0 => {
                let good = std::panic::catch_unwind(std::panic::AssertUnwindSafe(child)).unwrap_or(false);
                libc::_exit(i32::from(!good))
            }
            pid => pid,
        }
    }
}

fn ended_well(pid: i32) -> bool {
    let mut status = 0;
    let deadline = Instant::now() + LONG;
    loop {
        // SAFETY: `status` outlives the call.
        let ended = unsafe { libc::waitpid(pid, &raw mut status, libc::WNOHANG) };
        if ended == pid {
            return libc::WIFEXITED(status) && libc::WEXITSTATUS(status) == 0;
        }
        if Instant::now() > deadline {
            // SAFETY: no memory is passed; the process is ours and not yet waited for.
            unsafe { libc::kill(pid, libc::SIGKILL) };
            return false;
        }
        std::thread::sleep(Duration::from_millis(1));
    }
}

#[test]
fn forks_under_load_share_nothing_and_lose_nothing() {
    const FORKS: u64 = 40;
    let folder = Folder::new();
    let inherited = folder.recorder();
    let done = std::sync::atomic::AtomicBool::new(false);
    let pushed = std::thread::scope(|scope| {
        let load = scope.spawn(|| {
            let mut number = 0;
            while !done.load(std::sync::atomic::Ordering::Relaxed) {
                inherited.push(record(number));
                number += 1;
                if number.is_multiple_of(100) {
                    std::thread::sleep(Duration::from_millis(1));
                }
            }
            number
        });
        let mut failed = 0;
        for fork_number in 1..=FORKS {
            let pid = fork(|| {
                inherited.after_fork_in_child();
                if !descriptors_of(&folder.spool()).is_empty() {
                    return false;
                }
                let own = folder.recorder();
                (0..50).for_each(|number| own.push(record(fork_number * SPAN + number)));
                own.flush(LONG)
            });
            failed += u32::from(!ended_well(pid));
        }
        done.store(true, std::sync::atomic::Ordering::Relaxed);
        // Not before: the scope waits for the load to end.
        assert_eq!(failed, 0);
        load.join().unwrap()
    });
    assert!(inherited.flush(LONG));
    let stats = inherited.stats();
    assert_eq!(stats.written + stats.dropped_queue_full, pushed);
    let found = Found::in_folder(&folder.spool());
    let numbers = found.numbers();
    assert!(numbers.is_sorted_by(|one, next| one < next), "none twice");
    assert_eq!(
        numbers.iter().filter(|number| **number < SPAN).count() as u64,
        stats.written
    );
    assert_eq!(
        numbers.iter().filter(|number| **number >= SPAN).count() as u64,
        FORKS * 50
    );
    assert_eq!(found.torn, 0);
}

#[test]
fn a_child_leaves_the_parents_lock_alone_and_does_not_keep_it() {
    let folder = Folder::new();
    let parent = folder.recorder();
    parent.push(record(0));
    assert!(parent.flush(LONG));
    let pid = fork(|| {
        parent.after_fork_in_child();
        std::thread::sleep(Duration::from_millis(300));
        true
    });
    // While the child lives, a fold can have the file to itself, and the parent goes on in another.
    let mut folded = Vec::new();
    fold(&folder.spool(), &mut folded);
    parent.push(record(1));
    assert!(parent.flush(LONG));
    fold(&folder.spool(), &mut folded);
    assert_eq!(folded, [0, 1]);
    assert!(ended_well(pid));
}
