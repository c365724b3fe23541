//! The limit of a line: what a record above it loses, in which order, and that it always fits in the end.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a panic is a test's report"
)]

mod common;

use std::sync::Arc;

use common::{full, line_of, text_of};
use exporters::line::MAX_LINE;
use exporters::{Attempt, CallRecord};
use serde_json::json;

#[test]
fn a_record_above_one_mebibyte_loses_parts_in_order() {
    let large = || Some(format!("[\"{}\"]", "x".repeat(400_000)));
    let mut record = CallRecord {
        content: large(),
        ..full()
    };
    assert_eq!(line_of(&record).get("cut"), None);
    record.request_params = large();
    record.usage = large();
    let line = line_of(&record);
    assert_eq!(line["cut"], json!(["content"]));
    assert!(line.get("content").is_none() && line.get("usage").is_some() && line.get("metadata").is_some());
    record.metadata = large();
    let line = line_of(&record);
    assert_eq!(line["cut"], json!(["content", "metadata"]));
    record.provider_details = large();
    record.error_message = Some("x".repeat(200_000));
    let line = line_of(&record);
    assert_eq!(line["cut"], json!(["content", "metadata", "request_params"]));
    record.error_message = Some("x".repeat(600_000));
    let line = line_of(&record);
    assert_eq!(line["cut"], json!(["content", "metadata", "request_params", "usage"]));
    // Only what was there is named.
    record.content = None;
    record.request_params = None;
    assert_eq!(line_of(&record)["cut"], json!(["metadata", "usage"]));
}

#[test]
fn a_line_ends_exactly_at_the_limit() {
    let mut record = full();
    record.content = None;
    let rest = text_of(&record).len() + r#""content":"","#.len() + 1;
    record.content = Some(format!("\"{}\"", "x".repeat(MAX_LINE - rest)));
    assert_eq!(text_of(&record).len() + 1, MAX_LINE);
    record.content = Some(format!("\"{}\"", "x".repeat(MAX_LINE - rest + 1)));
    assert_eq!(line_of(&record)["cut"], json!(["content"]));
}

#[test]
fn no_record_makes_a_line_that_readers_refuse() {
    let huge = "\u{1}😀".repeat(1 << 18);
    let attempt = Attempt {
        usage: Some(huge.clone()),
        request_id: Some(huge.clone()),
        ..Attempt::default()
    };
    let record = CallRecord {
        provider: Arc::from(huge.as_str()),
        error_message: Some(huge.clone()),
        response_id: Some(huge.clone()),
        finish_reasons: vec![huge.clone()],
        tags: vec![(huge.clone(), huge.clone())],
        attempts: vec![attempt],
        ..full()
    };
    let line = line_of(&record);
    assert_eq!(line["call_uid"], "01934a5b-6c7d-7e8f-9a0b-1c2d3e4f5061");
    assert_eq!(line["error_message"], "\u{1}😀".repeat(500));
    assert_eq!(line["cost_usd"], "0.0025");
    assert!(line["cut"].as_array().unwrap().contains(&json!("strings")));
}
