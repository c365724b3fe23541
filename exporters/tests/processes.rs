//! Many processes and one spool: killed, stopped, limited. Every record is there once, whole.

#![cfg(unix)]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a panic is a test's report"
)]

mod common;

use std::fs::{self, File};
use std::io::{BufRead as _, BufReader, Lines};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use common::{Folder, Found, flock, fold, record, spool_files};

const LONG: Duration = Duration::from_secs(20);
/// Each process's records have numbers of their own.
const SPAN: u64 = 1_000_000;

/// Another process that runs `child` below in a role.
struct Process {
    child: Child,
    said: Lines<BufReader<ChildStdout>>,
}

impl Process {
    fn start(role: &str, folder: &Folder, number: u64) -> Self {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "child", "--ignored", "--nocapture", "--test-threads=1"])
            .env("EDGEQUAKE_TEST_ROLE", role)
            .env("EDGEQUAKE_TEST_LEDGER", folder.ledger())
            .env("EDGEQUAKE_TEST_NUMBER", number.to_string())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let said = BufReader::new(child.stdout.take().unwrap()).lines();
        Self { child, said }
    }

    /// The next number that it says after `word`.
    fn hear(&mut self, word: &str) -> Option<u64> {
        self.said
            .by_ref()
            .map_while(Result::ok)
            .find_map(|line| line.strip_prefix(word)?.trim().parse().ok())
    }

    fn signal(&self, signal: i32) {
        // SAFETY: no memory is passed; the process is ours and not yet waited for.
        unsafe { libc::kill(self.child.id().cast_signed(), signal) };
    }

    fn succeeded(mut self) -> bool {
        self.said.by_ref().for_each(drop);
        self.child.wait().unwrap().success()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What the processes of these tests do; not a test.
#[test]
#[ignore = "the other tests start it as a process of its own"]
fn child() {
    let role = std::env::var("EDGEQUAKE_TEST_ROLE").unwrap();
    let ledger = PathBuf::from(std::env::var_os("EDGEQUAKE_TEST_LEDGER").unwrap());
    let first = SPAN * std::env::var("EDGEQUAKE_TEST_NUMBER").unwrap().parse::<u64>().unwrap();
    // The harness has begun a line.
    println!();
    match role.as_str() {
        "write" => write(&ledger, first),
        "write for ever" => write_for_ever(&ledger, first),
        "push for ever" => push_for_ever(&ledger, first),
        "hold exclusively" => hold(&ledger, libc::LOCK_EX),
        "hold shared" => hold(&ledger, libc::LOCK_SH),
        "have small files" => have_small_files(&ledger, first),
        "close descriptors" => close_descriptors(&ledger, first),
        "have a strange umask" => have_a_strange_umask(&ledger, first),
        "be a stranger" => be_a_stranger(&ledger, first),
        _ => panic!("{role}"),
    }
}

fn write(ledger: &Path, first: u64) {
    let recorder = common::recorder(ledger);
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let recorder = &recorder;
            scope.spawn(move || {
                for number in 0..1_500 {
                    recorder.push(record(first + thread * 1_500 + number));
                    if number % 20 == 0 {
                        std::thread::sleep(Duration::from_millis(5));
                    }
                }
            });
        }
    });
    assert!(recorder.flush(LONG));
}

fn write_for_ever(ledger: &Path, first: u64) {
    let recorder = common::recorder(ledger);
    for number in first.. {
        let mut record = record(number);
        record.content = Some(format!("\"{}\"", "x".repeat(20_000)));
        recorder.push(record);
        if number % 50 == 49 {
            assert!(recorder.flush(LONG));
            println!("flushed {number}");
        }
    }
}

fn push_for_ever(ledger: &Path, first: u64) {
    let recorder = common::recorder(ledger);
    for number in first.. {
        recorder.push(record(number));
        println!("pushed {number}");
        std::thread::sleep(Duration::from_millis(1));
    }
}

fn hold(ledger: &Path, operation: i32) {
    let file = spool_files(&exporters::spool_folder(ledger)).pop().unwrap();
    let file = File::open(file).unwrap();
    assert!(flock(&file, operation));
    println!("held 1");
    std::thread::sleep(LONG);
}

fn have_small_files(ledger: &Path, first: u64) {
    let limit = libc::rlimit {
        rlim_cur: 3 << 19,
        rlim_max: 3 << 19,
    };
    // SAFETY: `limit` outlives the call; ignoring a signal installs no code. This process does nothing else.
    unsafe {
        libc::signal(libc::SIGXFSZ, libc::SIG_IGN);
        assert_eq!(libc::setrlimit(libc::RLIMIT_FSIZE, &raw const limit), 0);
    }
    let recorder = common::recorder(ledger);
    (first..first + 5_000).for_each(|number| recorder.push(record(number)));
    assert!(recorder.flush(LONG), "{:?}", recorder.stats());
}

fn close_descriptors(ledger: &Path, first: u64) {
    let recorder = common::recorder(ledger);
    recorder.push(record(first));
    assert!(recorder.flush(LONG));
    let number = common::descriptors_of(&exporters::spool_folder(ledger))[0];
    let strangers = ledger.with_file_name("strangers");
    File::create(&strangers).unwrap();
    let path = std::ffi::CString::new(strangers.to_str().unwrap()).unwrap();
    // SAFETY: the number is closed behind the recorder's back on purpose, and is the next to be given.
    let stranger = unsafe {
        libc::close(number);
        libc::open(path.as_ptr(), libc::O_RDWR)
    };
    assert_eq!(stranger, number);
    recorder.push(record(first + 1));
    assert!(recorder.flush(LONG));
    assert_eq!(fs::metadata(&strangers).unwrap().len(), 0);
    let number = *common::descriptors_of(&exporters::spool_folder(ledger)).last().unwrap();
    // SAFETY: as above; this time nobody takes the number.
    unsafe { libc::close(number) };
    recorder.push(record(first + 2));
    assert!(recorder.flush(LONG));
    // SAFETY: the stranger's number, which the recorder must not have closed.
    assert_eq!(unsafe { libc::close(stranger) }, 0);
}

fn have_a_strange_umask(ledger: &Path, first: u64) {
    // SAFETY: no memory is passed; this process does nothing else.
    unsafe { libc::umask(0o277) };
    let recorder = common::recorder(ledger);
    recorder.push(record(first));
    assert!(recorder.flush(LONG));
    for path in spool_files(&exporters::spool_folder(ledger)) {
        assert_eq!(fs::metadata(path).unwrap().permissions().mode() & 0o777, 0o600);
    }
}

fn be_a_stranger(ledger: &Path, first: u64) {
    // SAFETY: no memory is passed but an empty list; this process does nothing else.
    unsafe {
        assert_eq!(libc::setgroups(0, std::ptr::null()), 0);
        assert_eq!((libc::setgid(4_245), libc::setuid(4_245)), (0, 0));
    }
    let recorder = common::recorder(ledger);
    recorder.push(record(first));
    assert!(!recorder.flush(LONG));
    let warning = recorder.take_warning().unwrap();
    assert!(warning.contains("by a group that both are in") && warning.contains("EDGEQUAKE_OBS_LEDGER"));
}

#[test]
fn processes_write_every_line_once_while_a_fold_takes_the_files() {
    const PROCESSES: u64 = 4;
    let folder = Folder::new();
    let mut processes: Vec<_> = (0..PROCESSES)
        .map(|number| Process::start("write", &folder, number))
        .collect();
    let (mut folded, mut torn, mut most) = (Vec::new(), 0, 0);
    while processes
        .iter_mut()
        .any(|process| process.child.try_wait().unwrap().is_none())
    {
        std::thread::sleep(Duration::from_millis(40));
        most = most.max(spool_files(&folder.spool()).len());
        torn += fold(&folder.spool(), &mut folded);
    }
    assert!(processes.into_iter().all(Process::succeeded));
    torn += fold(&folder.spool(), &mut folded);
    folded.sort_unstable();
    let expected: Vec<u64> = (0..PROCESSES)
        .flat_map(|process| process * SPAN..process * SPAN + 6_000)
        .collect();
    assert_eq!(folded.len(), expected.len());
    assert_eq!((folded, torn), (expected, 0));
    println!("at most {most} files at once");
}

#[test]
fn a_kill_harms_no_line_but_the_last_of_its_own() {
    let folder = Folder::new();
    let mut steady = Process::start("write for ever", &folder, 0);
    let mut flushed = Vec::new();
    for number in 1..=15 {
        let mut process = Process::start("write for ever", &folder, number);
        let mut last = process.hear("flushed").unwrap();
        std::thread::sleep(Duration::from_micros(number * 777));
        process.signal(libc::SIGKILL);
        while let Some(later) = process.hear("flushed") {
            last = later;
        }
        flushed.push((number * SPAN, last));
    }
    flushed.push((0, steady.hear("flushed").unwrap()));
    drop(steady);
    let found = Found::in_folder(&folder.spool());
    let numbers = found.numbers();
    assert!(numbers.is_sorted_by(|one, next| one < next), "none twice");
    for (first, last) in flushed {
        let there = numbers.iter().filter(|number| (first..=last).contains(number)).count() as u64;
        assert_eq!(there, last - first + 1, "all that was flushed");
    }
    assert!(found.torn <= 16, "{}", found.torn);
}

#[test]
fn what_was_pushed_50_ms_before_a_kill_is_there() {
    let folder = Folder::new();
    for process_number in 0..8 {
        let mut process = Process::start("push for ever", &folder, process_number);
        let mut last = 0;
        for _ in 0..100 {
            last = process.hear("pushed").unwrap();
        }
        std::thread::sleep(Duration::from_millis(50));
        drop(process);
        let numbers = Found::in_folder(&folder.spool()).numbers();
        let first = process_number * SPAN;
        assert!(
            (first..=last).all(|number| numbers.binary_search(&number).is_ok()),
            "up to {last}"
        );
    }
}

#[test]
fn a_stopped_process_with_the_lock_keeps_nobody() {
    for (role, delay) in [("hold exclusively", 100), ("hold shared", 0)] {
        let folder = Folder::new();
        let recorder = folder.recorder();
        recorder.push(record(0));
        assert!(recorder.flush(LONG));
        let mut process = Process::start(role, &folder, 0);
        process.hear("held").unwrap();
        process.signal(libc::SIGSTOP);
        let started = Instant::now();
        for number in 1..=50 {
            recorder.push(record(number));
            assert!(recorder.flush(LONG));
        }
        let waited = started.elapsed().as_millis();
        assert!(waited >= delay && waited < delay + 500, "{role}: {waited} ms");
        let found = Found::in_folder(&folder.spool());
        assert_eq!(found.numbers(), (0..=50).collect::<Vec<_>>());
        assert_eq!(found.files, if delay > 0 { 2 } else { 1 }, "{role}");
    }
}

#[test]
fn a_limit_on_file_size_makes_more_files() {
    let folder = Folder::new();
    assert!(Process::start("have small files", &folder, 0).succeeded());
    let found = Found::in_folder(&folder.spool());
    assert_eq!(found.numbers(), (0..5_000).collect::<Vec<_>>());
    assert!(
        found.files > 1 && found.torn < found.files,
        "{} files, {} torn",
        found.files,
        found.torn
    );
}

#[test]
#[cfg(target_os = "linux")]
fn a_descriptor_that_somebody_closed_is_not_written_to() {
    let folder = Folder::new();
    assert!(Process::start("close descriptors", &folder, 0).succeeded());
    assert_eq!(Found::in_folder(&folder.spool()).numbers(), [0, 1, 2]);
}

#[test]
fn the_umask_does_not_close_the_files() {
    let folder = Folder::new();
    // Made before: the folders on the way to it are the program's own affair.
    fs::create_dir(folder.spool()).unwrap();
    fs::set_permissions(folder.spool(), fs::Permissions::from_mode(0o700)).unwrap();
    assert!(Process::start("have a strange umask", &folder, 0).succeeded());
    assert_eq!(Found::in_folder(&folder.spool()).numbers(), [0]);
}

/// Everybody may write into the folder, but the ledger's owner could not read what a stranger writes: one such file would
/// fail every query.
#[test]
fn a_stranger_leaves_no_file_in_anothers_spool() {
    // SAFETY: no memory is passed.
    if unsafe { libc::geteuid() } != 0 {
        eprintln!("SKIPPED a_stranger_leaves_no_file_in_anothers_spool: only root can be several users");
        return;
    }
    let folder = Folder::new();
    fs::create_dir(folder.spool()).unwrap();
    fs::set_permissions(folder.spool(), fs::Permissions::from_mode(0o777)).unwrap();
    fs::set_permissions(&folder.0, fs::Permissions::from_mode(0o755)).unwrap();
    assert!(Process::start("be a stranger", &folder, 0).succeeded());
    assert!(spool_files(&folder.spool()).is_empty());
}
