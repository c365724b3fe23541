//! Records, and the lines they become.

use std::sync::Arc;

use exporters::line::MAX_LINE;
use exporters::{Attempt, CallRecord, Labels, Outcome, Process, write_line};
use serde_json::Value;

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
        api_type: None,
        provider: Arc::from("openai"),
        request_model: Some(Arc::clone(&model)),
        response_model: Some("gpt-4o-mini-2024-07-18".to_owned()),
        response_id: Some("chatcmpl-AbCdEfGhIjKlMnOpQrSt".to_owned()),
        server_address: Some(Arc::from("api.openai.com")),
        server_port: Some(443),
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
        parent_sampled: None,
        labels: None,
        user: Some("u1".to_owned()),
        tags: vec![("feature".to_owned(), "search".to_owned())],
        api_key_id: Some(Arc::from("k_12ab34cd")),
        metadata: None,
        request_params: Some(r#"{"temperature":0.2,"max_tokens":512}"#.to_owned()),
        provider_details: None,
        content: None,
        content_on_spans: false,
        content_on_events: false,
    })
}

/// The number that a line's record was made with.
pub(crate) fn number_of(line: &Value) -> u64 {
    let uid = line["call_uid"].as_str().unwrap().replace('-', "");
    u64::from_str_radix(&uid[16..], 16).unwrap()
}

/// What the engine says of a call, with another amount.
pub(crate) fn cost(picos: i128) -> pricing::Cost {
    let usage = r#"{"prompt_tokens":1200,"completion_tokens":340}"#;
    let usage = pricing::read_usage_by_shape(usage).unwrap().1;
    let query = pricing::CostQuery {
        provider: "openai",
        model: "gpt-4o-mini",
        ..pricing::CostQuery::default()
    };
    let amount = Some(pricing::Usd::from_picos(picos));
    let cost = pricing::cost(&usage, &query);
    assert!(!cost.breakdown.is_empty() && cost.price_key.is_some());
    pricing::Cost {
        usd: amount,
        computed_usd: amount,
        ..cost
    }
}

/// The record's line without its newline.
pub(crate) fn text_of(record: &CallRecord) -> String {
    let process = Process {
        service_name: Some("shop".to_owned()),
        host: Some("host1".to_owned()),
        pid: 4711,
    };
    let mut out = b"before".to_vec();
    write_line(record, &process, &mut out);
    let text = String::from_utf8(out).unwrap();
    let line = text.strip_prefix("before").unwrap();
    assert!(line.len() <= MAX_LINE, "{} bytes", line.len());
    assert_eq!(line.matches(['\n', '\r']).count(), 1);
    line.strip_suffix('\n').unwrap().to_owned()
}

pub(crate) fn line_of(record: &CallRecord) -> Value {
    serde_json::from_str(&text_of(record)).unwrap()
}

/// A record with everything in it.
pub(crate) fn full() -> CallRecord {
    CallRecord {
        call_uid: 0x0193_4a5b_6c7d_7e8f_9a0b_1c2d_3e4f_5061_u128.to_be_bytes(),
        time_to_first_chunk_ns: Some(99),
        streaming: true,
        cached: true,
        chunks: Some(17),
        tokens: pricing::Tokens {
            input: Some(1),
            output: Some(2),
            cache_read: Some(0),
            cache_write_5m: Some(4),
            cache_write_1h: Some(5),
            reasoning: Some(6),
            audio_input: Some(7),
            audio_output: Some(8),
            image_input: Some(9),
            image_output: Some(u64::MAX),
        },
        estimated_input_tokens: Some(11),
        estimated_output_tokens: Some(12),
        cost: Some(cost(2_500_000_000)),
        requested_service_tier: Some("flex".to_owned()),
        outcome: Outcome::ClosedEarly,
        error_type: Some("timeout".to_owned()),
        error_message: Some("no answer".to_owned()),
        attempts: vec![
            Attempt {
                error_type: Some("503".to_owned()),
                http_status: Some(503),
                ..Attempt::default()
            },
            Attempt {
                start_ns: 5,
                duration_ns: 6,
                provider: Arc::from("azure"),
                model: Some(Arc::from("gpt-4o")),
                server_address: Some(Arc::from("example.com")),
                http_status: Some(200),
                error_type: None,
                request_id: Some("r2".to_owned()),
                usage: Some(r#"{"total_tokens": 3}"#.to_owned()),
                cost_usd: Some(pricing::Usd::from_picos(1)),
            },
        ],
        parent_span_id: Some([0, 0, 0, 0, 0, 0, 0, 0xAB]),
        labels: Some(Arc::new(Labels {
            user: Some("outer".to_owned()),
            session: Some("s1".to_owned()),
            tags: vec![
                ("a".to_owned(), "outer".to_owned()),
                ("feature".to_owned(), "outer".to_owned()),
            ],
            metadata: Some(r#"{"a": 1, "b": {"deep": [1, 2]}}"#.to_owned()),
        })),
        metadata: Some(r#"{"b": null, "c": "own"}"#.to_owned()),
        provider_details: Some(r#"{"region":"eu"}"#.to_owned()),
        content: Some(r#"{"messages":[{"role":"user","content":"hi"}]}"#.to_owned()),
        ..*record(1)
    }
}
