//! The recorder: nothing is lost on the way, nobody waits, what does not fit is counted.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a panic is a test's report"
)]

mod common;

use std::fs;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use common::{Folder, Found, record, within};
use exporters::{Recorder, RecorderSettings, RecorderStats};

const LONG: Duration = Duration::from_secs(10);

fn recorder(ledger: PathBuf, queue_bytes: usize) -> Recorder {
    Recorder::start(RecorderSettings {
        ledger: Some(ledger),
        queue_bytes,
        service_name: None,
    })
}

/// Every record is somewhere.
fn assert_sound(stats: &RecorderStats) {
    let accounted = stats.written
        + stats.dropped_queue_full
        + stats.dropped_unwritable
        + stats.dropped_internal
        + stats.discarded
        + stats.queued_records;
    assert_eq!(stats.recorded, accounted, "{stats:?}");
}

#[test]
fn what_was_pushed_before_a_flush_is_in_the_spool() {
    let folder = Folder::new();
    let recorder = folder.recorder();
    for number in 0..1_000 {
        recorder.push(record(number));
    }
    assert!(recorder.flush(LONG));
    let found = Found::in_folder(&folder.spool());
    assert_eq!(found.numbers(), (0..1_000).collect::<Vec<_>>());
    assert_eq!((found.files, found.torn), (1, 0));
    let stats = recorder.stats();
    assert_eq!(
        (stats.recorded, stats.written, stats.queued_records, stats.queued_bytes),
        (1_000, 1_000, 0, 0)
    );
    assert_eq!((stats.last_error, stats.ledger_path), (None, Some(folder.ledger())));
}

#[test]
fn nothing_happens_before_the_first_record() {
    let folder = Folder::new();
    let recorder = folder.recorder();
    assert!(recorder.flush(Duration::ZERO));
    assert!(!folder.spool().exists());
    assert_eq!(recorder.take_warning(), None);
}

#[test]
fn a_record_is_in_the_spool_soon_without_a_flush() {
    let folder = Folder::new();
    let recorder = folder.recorder();
    for number in 0..20 {
        let pushed = Instant::now();
        recorder.push(record(number));
        assert!(within(LONG, || Found::in_folder(&folder.spool()).lines.len() as u64
            == number + 1));
        // 50 ms is the promise; the rest is for machines that do other things besides.
        assert!(pushed.elapsed() < Duration::from_millis(500), "{:?}", pushed.elapsed());
    }
}

#[test]
fn many_threads_push_and_flush_at_once() {
    const THREADS: u64 = 8;
    const EACH: u64 = 1_000;
    let folder = Folder::new();
    let recorder = folder.recorder();
    std::thread::scope(|scope| {
        for thread in 0..THREADS {
            let (recorder, folder) = (&recorder, &folder);
            scope.spawn(move || {
                for number in 0..EACH {
                    recorder.push(record(thread * EACH + number));
                    if number % 500 == 499 {
                        assert!(recorder.flush(LONG));
                        let found = Found::in_folder(&folder.spool());
                        let mine = found
                            .numbers()
                            .into_iter()
                            .filter(|found| found / EACH == thread)
                            .count();
                        assert_eq!(mine as u64, number + 1);
                    }
                }
            });
        }
    });
    assert_eq!(
        Found::in_folder(&folder.spool()).numbers(),
        (0..THREADS * EACH).collect::<Vec<_>>()
    );
    assert_sound(&recorder.stats());
}

#[test]
fn records_are_written_in_the_order_they_came() {
    let folder = Folder::new();
    let recorder = folder.recorder();
    (0..5_000).for_each(|number| recorder.push(record(number)));
    assert!(recorder.flush(LONG));
    let found: Vec<u64> = Found::in_folder(&folder.spool())
        .lines
        .iter()
        .map(common::number_of)
        .collect();
    assert!(found.is_sorted());
}

#[test]
fn a_full_queue_drops_and_counts() {
    let folder = Folder::new();
    let recorder = recorder(folder.ledger(), 20_000);
    (0..1_000).for_each(|number| recorder.push(record(number)));
    let stats = recorder.stats();
    assert!(stats.queued_bytes <= 20_000, "{stats:?}");
    assert!(
        stats.dropped_queue_full > 0 && stats.dropped_unwritable == 0,
        "{stats:?}"
    );
    assert_sound(&stats);
    assert!(recorder.flush(LONG));
    let stats = recorder.stats();
    assert_eq!(Found::in_folder(&folder.spool()).lines.len() as u64, stats.written);
    assert_eq!(stats.queued_bytes, 0);
    assert_sound(&stats);
}

#[test]
fn a_record_above_the_bound_passes_an_empty_queue() {
    let folder = Folder::new();
    let recorder = recorder(folder.ledger(), 20_000);
    let mut large = record(7);
    large.content = Some(format!("\"{}\"", "x".repeat(3 << 20)));
    recorder.push(large);
    assert!(recorder.flush(LONG));
    let found = Found::in_folder(&folder.spool());
    assert_eq!(
        (found.numbers(), found.lines[0]["cut"][0].as_str()),
        (vec![7], Some("content"))
    );
}

#[test]
fn an_unwritable_ledger_warns_once_keeps_what_it_can_and_recovers() {
    let folder = Folder::new();
    let obstacle = folder.0.join("obstacle");
    fs::write(&obstacle, "").unwrap();
    let ledger = obstacle.join("ledger.duckdb");
    let recorder = recorder(ledger.clone(), 50_000);
    (0..10).for_each(|number| recorder.push(record(number)));
    // A disk that says no is not waited for.
    let started = Instant::now();
    assert!(!recorder.flush(LONG));
    assert!(started.elapsed() < Duration::from_secs(2), "{:?}", started.elapsed());
    let warning = recorder.take_warning().expect("a warning");
    assert!(
        warning.contains("EDGEQUAKE_OBS_LEDGER") && warning.contains("obstacle"),
        "{warning}"
    );
    (10..1_000).for_each(|number| recorder.push(record(number)));
    assert!(!recorder.flush(LONG));
    assert_eq!(recorder.take_warning(), None);
    let stats = recorder.stats();
    assert!(
        stats.last_error.is_some() && stats.dropped_unwritable > 0 && stats.queued_bytes <= 50_000,
        "{stats:?}"
    );
    assert_eq!((stats.written, stats.dropped_queue_full), (0, 0));
    assert_sound(&stats);
    fs::remove_file(&obstacle).unwrap();
    assert!(
        within(LONG, || recorder.stats().queued_records == 0),
        "tries again by itself"
    );
    let stats = recorder.stats();
    assert_eq!(stats.last_error, None);
    assert_sound(&stats);
    let found = Found::in_folder(&exporters::spool_folder(&ledger)).numbers();
    assert_eq!(found, (0..stats.written).collect::<Vec<_>>());
}

#[test]
fn without_a_ledger_records_are_counted_only() {
    let recorder = Recorder::start(RecorderSettings::default());
    (0..3).for_each(|number| recorder.push(record(number)));
    assert!(recorder.flush(Duration::ZERO));
    let stats = recorder.stats();
    assert_eq!(
        (
            stats.recorded,
            stats.discarded,
            stats.written,
            stats.ledger_path.as_ref()
        ),
        (3, 3, 0, None)
    );
    assert_sound(&stats);
    recorder.after_fork_in_child();
}

#[test]
fn a_closed_recorder_ends_its_thread_and_still_takes_late_records() {
    let folder = Folder::new();
    let recorder = folder.recorder();
    recorder.push(record(0));
    recorder.close();
    assert!(within(LONG, || common::descriptors_of(&folder.spool()).is_empty()
        && recorder.stats().written == 1));
    recorder.push(record(1));
    assert!(recorder.flush(LONG));
    assert_eq!(Found::in_folder(&folder.spool()).numbers(), [0, 1]);
    fs::remove_dir_all(folder.spool()).unwrap();
    fs::write(folder.spool(), "").unwrap();
    recorder.push(record(2));
    assert!(within(LONG, || recorder.stats().queued_records == 0));
    let stats = recorder.stats();
    assert_eq!((stats.written, stats.dropped_unwritable, stats.queued_bytes), (2, 1, 0));
    assert_sound(&stats);
}

#[test]
fn dropping_the_recorder_loses_nothing() {
    let folder = Folder::new();
    let recorder = folder.recorder();
    (0..100).for_each(|number| recorder.push(record(number)));
    drop(recorder);
    assert!(within(LONG, || Found::in_folder(&folder.spool()).lines.len() == 100));
}

#[cfg(target_os = "linux")]
mod thread {
    use super::*;

    /// The status of the thread that writes for `recorder`, the newest of that name.
    fn status(task: &std::path::Path, key: &str) -> String {
        let status = fs::read_to_string(task.join("status")).unwrap();
        status
            .lines()
            .find_map(|line| line.strip_prefix(key)?.strip_prefix(':'))
            .unwrap()
            .trim()
            .to_owned()
    }

    fn tasks() -> Vec<PathBuf> {
        fs::read_dir("/proc/self/task")
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .collect()
    }

    fn switches(task: &std::path::Path) -> u64 {
        status(task, "voluntary_ctxt_switches").parse().unwrap()
    }

    /// In one test, because others start writers too: this one runs in a process of its own.
    #[test]
    fn the_writer_is_deaf_to_signals_sleeps_when_idle_and_wakes_rarely() {
        let is_child = std::env::var_os("EDGEQUAKE_TEST_CHILD").is_some();
        if !is_child {
            let name = "thread::the_writer_is_deaf_to_signals_sleeps_when_idle_and_wakes_rarely";
            let status = std::process::Command::new(std::env::current_exe().unwrap())
                .args(["--exact", name, "--nocapture"])
                .env("EDGEQUAKE_TEST_CHILD", "1")
                .status();
            assert!(status.unwrap().success());
            return;
        }
        let folder = Folder::new();
        let recorder = folder.recorder();
        let own = "/proc/thread-self";
        let before = status(own.as_ref(), "SigBlk");
        recorder.push(record(0));
        assert_eq!(
            status(own.as_ref(), "SigBlk"),
            before,
            "the caller's signals are as they were"
        );
        assert!(recorder.flush(LONG));
        let writers: Vec<_> = tasks()
            .into_iter()
            .filter(|task| status(task, "Name") == "edgequake-write")
            .collect();
        let [writer] = &writers[..] else { panic!("{writers:?}") };
        let blocked = u64::from_str_radix(&status(writer, "SigBlk"), 16).unwrap();
        for signal in [
            libc::SIGINT,
            libc::SIGTERM,
            libc::SIGCHLD,
            libc::SIGUSR1,
            libc::SIGALRM,
            libc::SIGXFSZ,
            libc::SIGPROF,
        ] {
            assert!(blocked & (1 << (signal - 1)) != 0, "{signal} in {blocked:x}");
        }
        // It looks around for a second before it sleeps for good.
        std::thread::sleep(Duration::from_millis(1_300));
        let idle = switches(writer);
        std::thread::sleep(Duration::from_millis(500));
        assert_eq!(switches(writer), idle, "none when idle");
        let (started, mut number) = (Instant::now(), 1);
        while started.elapsed() < Duration::from_secs(1) {
            recorder.push(record(number));
            number += 1;
            std::thread::sleep(Duration::from_micros(300));
        }
        assert!(switches(writer) - idle < 250, "{}", switches(writer) - idle);
    }
}
