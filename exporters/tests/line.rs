//! The line of a record: what a reader gets back is what was recorded, whatever the texts contain.

// One `json!` holds every column.
#![recursion_limit = "256"]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a panic is a test's report"
)]

mod common;

use std::sync::Arc;

use common::{cost, full, line_of, record, text_of};
use exporters::Labels;
use serde_json::{Value, json};

#[test]
fn every_column_comes_back() {
    assert_eq!(
        line_of(&full()),
        json!({
            "call_uid": "01934a5b-6c7d-7e8f-9a0b-1c2d3e4f5061",
            "trace_id": "01010101010101010101010101010101",
            "span_id": "0202020202020202",
            "parent_span_id": "00000000000000ab",
            "session_id": "s1",
            "user_id": "u1",
            "api_key_id": "k_12ab34cd",
            "tags": {"a": "outer", "feature": "search"},
            "metadata": {"a": 1, "b": null, "c": "own"},
            "start_ns": 1_795_254_000_123_456_789_i64,
            "duration_ns": 812_345_678,
            "time_to_first_chunk_ns": 99,
            "origin": "openai",
            "origin_version": "2.3.0",
            "operation": "chat",
            "provider": "openai",
            "request_model": "gpt-4o-mini",
            "response_model": "gpt-4o-mini-2024-07-18",
            "response_id": "chatcmpl-AbCdEfGhIjKlMnOpQrSt",
            "server_address": "api.openai.com",
            "streaming": true,
            "cached": true,
            "chunks": 17,
            "request_params": {"temperature": 0.2, "max_tokens": 512},
            "provider_details": {"region": "eu"},
            "content": {"messages": [{"role": "user", "content": "hi"}]},
            "input_tokens": 1,
            "output_tokens": 2,
            "cache_read_tokens": 0,
            "cache_write_5m_tokens": 4,
            "cache_write_1h_tokens": 5,
            "reasoning_tokens": 6,
            "audio_input_tokens": 7,
            "audio_output_tokens": 8,
            "image_input_tokens": 9,
            "image_output_tokens": i64::MAX,
            "estimated_input_tokens": 11,
            "estimated_output_tokens": 12,
            "usage": {
                "prompt_tokens": 1200, "completion_tokens": 340, "total_tokens": 1540,
                "prompt_tokens_details": {"cached_tokens": 0}
            },
            "service_tier": "default",
            "requested_service_tier": "flex",
            "cost_status": "priced",
            "cost_usd": "0.0025",
            "computed_cost_usd": "0.0025",
            "price_key": cost(0).price_key,
            "price_version": pricing::price_version(),
            "cost_breakdown": serde_json::from_str::<Value>(&cost(2_500_000_000).breakdown_json()).unwrap(),
            "outcome": "closed_early",
            "error_type": "timeout",
            "error_message": "no answer",
            "http_status": 200,
            "finish_reasons": ["stop"],
            "attempts": [
                {"start_ns": 0, "duration_ns": 0, "provider": "", "http_status": 503, "error_type": "503"},
                {
                    "start_ns": 5, "duration_ns": 6, "provider": "azure", "model": "gpt-4o",
                    "server_address": "example.com", "http_status": 200, "request_id": "r2",
                    "usage": {"total_tokens": 3}, "cost_usd": "0.000000000001"
                }
            ],
            "service_name": "shop",
            "host": "host1",
            "pid": 4711,
        })
    );
}

#[test]
fn what_is_not_known_is_absent_and_never_zero() {
    let mut record = record(1);
    record.tokens = pricing::Tokens::default();
    record.tags.clear();
    record.attempts.clear();
    record.finish_reasons.clear();
    record.user = None;
    let line = line_of(&record);
    for column in [
        "input_tokens",
        "cost_usd",
        "price_version",
        "tags",
        "finish_reasons",
        "user_id",
        "chunks",
        "cut",
    ] {
        assert_eq!(line.get(column), None, "{column}");
    }
    // A call that was refused before it was sent has none: that is known.
    assert_eq!(line["attempts"], json!([]));
    assert_eq!(line["cost_status"], "no_usage");
    assert_eq!((&line["streaming"], &line["cached"]), (&json!(false), &json!(false)));
}

#[test]
fn the_calls_own_labels_lie_over_the_contexts() {
    let labels = |user: Option<&str>, metadata: Option<&str>| {
        Some(Arc::new(Labels {
            user: user.map(str::to_owned),
            metadata: metadata.map(str::to_owned),
            ..Labels::default()
        }))
    };
    let mut record = record(1);
    record.user = None;
    record.labels = labels(Some("outer"), Some("{\"k\":\n\"outer\"}"));
    record.tags = vec![
        ("k".to_owned(), "first".to_owned()),
        ("k".to_owned(), "last".to_owned()),
    ];
    let line = line_of(&record);
    assert_eq!(
        (&line["user_id"], &line["metadata"]),
        (&json!("outer"), &json!({"k": "outer"}))
    );
    // A key that stood twice would make DuckDB refuse the map, and with it the whole line.
    assert!(text_of(&record).contains(r#""tags":{"k":"last"}"#));
    // What is no object cannot be laid over one.
    for (outer, own, merged) in [
        (r#"{"a":1}"#, "[1]", json!([1])),
        ("oops", r#"{"a":1}"#, json!({"a": 1})),
        (r#"{"a":1}"#, "oops", json!("oops")),
        (r#"{"a\ud800":1}"#, "{\"b\r\n\":1}", json!("{\"b\r\n\":1}")),
        (r#"{"a\ud800":1}"#, "{\"b\":\r\n1}", json!({"a\u{FFFD}": 1, "b": 1})),
    ] {
        record.labels = labels(None, Some(outer));
        record.metadata = Some(own.to_owned());
        assert_eq!(line_of(&record)["metadata"], merged, "{outer} under {own}");
    }
}

#[test]
fn texts_come_back_whatever_they_contain() {
    for text in [
        "",
        "a\nb\r\nc\td",
        "\u{0}\u{1}\u{1f}\u{7f}\u{85}\u{2028}\u{2029}",
        r#"quote " backslash \ slash / \n \u0041 \"#,
        "ü 漢 😀 \u{FFFD} \u{10FFFF} \u{FEFF}",
        "\",\"call_uid\":\"",
    ] {
        let mut record = record(1);
        record.error_message = Some(text.to_owned());
        record.provider = Arc::from(text);
        record.finish_reasons = vec![text.to_owned(), text.to_owned()];
        record.tags = vec![(text.to_owned(), text.to_owned())];
        record.labels = Some(Arc::new(Labels {
            session: Some(text.to_owned()),
            ..Labels::default()
        }));
        record.attempts[0].request_id = Some(text.to_owned());
        let line = line_of(&record);
        assert_eq!(line["error_message"], text);
        assert_eq!(line["provider"], text);
        assert_eq!(line["finish_reasons"], json!([text, text]));
        assert_eq!(line["tags"], json!({text: text}));
        assert_eq!(line["session_id"], text);
        assert_eq!(line["attempts"][0]["request_id"], text);
    }
}

#[test]
fn json_from_elsewhere_stays_on_the_line() {
    for (text, expected) in [
        ("{\n  \"a\" : [ 1,\r\n 2 ]\n}\n", json!({"a": [1, 2]})),
        (r#"{"a\nb":"c\r\n\"\\"}"#, json!({"a\nb": "c\r\n\"\\"})),
        ("\t[]\r", json!([])),
        ("1.50", json!(1.5)),
        (
            r#"{"pair":"\ud83d\ude00","high":"\ud83d","low":"\uDE00 ","both":"\ud83d\ud83d\ude00"}"#,
            json!({
                "pair": "😀", "high": "\u{FFFD}", "low": "\u{FFFD} ", "both": "\u{FFFD}😀"
            }),
        ),
        (r#"["\\ud83d","\\\ud83d"]"#, json!(["\\ud83d", "\\\u{FFFD}"])),
    ] {
        let mut record = record(1);
        record.usage = Some(text.to_owned());
        record.attempts[0].usage = Some(text.to_owned());
        let line = line_of(&record);
        assert_eq!(
            (&line["usage"], &line["attempts"][0]["usage"]),
            (&expected, &expected),
            "{text}"
        );
    }
}

#[test]
fn what_is_not_json_becomes_a_string() {
    for text in [
        "",
        "{",
        "{\"a\":NaN}",
        "{\"a\":1}{",
        "{'a':1}",
        "{\"a\":\"raw\nbreak\"}",
        "\\\n",
        "nul",
        "01",
        "\"\\x\"",
        "\u{0}",
    ] {
        let mut record = record(1);
        record.content = Some(text.to_owned());
        assert_eq!(line_of(&record)["content"], text, "{text}");
    }
}

#[test]
fn numbers_and_repeated_keys_of_others_stay_as_they_are() {
    let text = r#"{"a":0.1000000000000000055511151231257827,"b":123456789012345678901234567890,"a":1E400}"#;
    let mut record = record(1);
    record.usage = Some(text.to_owned());
    assert!(text_of(&record).contains(text));
}
