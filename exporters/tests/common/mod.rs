//! What the tests share: a record, folders that go away, and the reader's side of a spool.

#![allow(
    dead_code,
    reason = "every test file is a crate of its own and uses a part of this"
)]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a panic is a test's report"
)]

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use exporters::{Attempt, CallRecord, Outcome, Recorder, RecorderSettings, spool_folder};
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
        Recorder::start(RecorderSettings {
            ledger: Some(self.ledger()),
            ..RecorderSettings::default()
        })
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            let _ = fs::remove_dir_all(&self.0);
        }
    }
}

/// A chat call as it usually is, told from others by `number` in its id.
pub(crate) fn record(number: u64) -> Box<CallRecord> {
    let mut call_uid = [0; 16];
    call_uid[8..].copy_from_slice(&number.to_be_bytes());
    let model: Arc<str> = Arc::from("gpt-4o-mini");
    Box::new(CallRecord {
        call_uid,
        start_ns: 1_795_254_000_123_456_789,
        duration_ns: 812_345_678,
        time_to_first_chunk_ns: None,
        origin: "openai",
        origin_version: Some(Arc::from("2.3.0")),
        operation: "chat",
        provider: Arc::from("openai"),
        request_model: Some(Arc::clone(&model)),
        response_model: Some("gpt-4o-mini-2024-07-18".to_owned()),
        response_id: Some("chatcmpl-AbCdEfGhIjKlMnOpQrSt".to_owned()),
        server_address: Some(Arc::from("api.openai.com")),
        streaming: false,
        cached: false,
        chunks: None,
        tokens: pricing::Tokens { input: Some(1_200), output: Some(340), ..pricing::Tokens::default() },
        estimated_input_tokens: None,
        estimated_output_tokens: None,
        usage: Some(
            r#"{"prompt_tokens":1200,"completion_tokens":340,"total_tokens":1540,"prompt_tokens_details":{"cached_tokens":0}}"#
                .to_owned(),
        ),
        cost: None,
        service_tier: Some("default".to_owned()),
        requested_service_tier: None,
        outcome: Outcome::Completed,
        error_type: None,
        error_message: None,
        http_status: Some(200),
        attempts: vec![Attempt {
            start_ns: 1_795_254_000_123_556_789,
            duration_ns: 812_000_000,
            provider: Arc::from("openai"),
            model: Some(model),
            server_address: Some(Arc::from("api.openai.com")),
            http_status: Some(200),
            request_id: Some("req_0123456789abcdef".to_owned()),
            ..Attempt::default()
        }],
        finish_reasons: vec!["stop".to_owned()],
        trace_id: [1; 16],
        span_id: [2; 8],
        parent_span_id: None,
        labels: None,
        user: Some("u1".to_owned()),
        tags: vec![("feature".to_owned(), "search".to_owned())],
        api_key_id: Some(Arc::from("k_12ab34cd")),
        metadata: None,
        request_params: Some(r#"{"temperature":0.2,"max_tokens":512}"#.to_owned()),
        provider_details: None,
        content: None,
    })
}

/// The number that a line's record was made with.
pub(crate) fn number_of(line: &Value) -> u64 {
    let uid = line["call_uid"].as_str().unwrap().replace('-', "");
    u64::from_str_radix(&uid[16..], 16).unwrap()
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
        let mut found = Self::default();
        for path in spool_files(folder) {
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

pub(crate) fn spool_files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten();
    let mut paths: Vec<PathBuf> = entries
        .map(|entry| entry.unwrap().path())
        .filter(|path| !is_the_empty_one(path))
        .collect();
    paths.sort();
    paths
}

fn is_the_empty_one(path: &Path) -> bool {
    path.file_name().unwrap() == "0-none.v1.jsonl"
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
