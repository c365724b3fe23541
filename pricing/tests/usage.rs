//! One test per rule of usage.

#![allow(clippy::unwrap_used, reason = "a test's panic is its report")]

mod common;

use common::{by, error, query, reason, usage, usd};
use pricing::{Cost, CostStatus, PricingError, cost, estimated_usage};

#[test]
fn absent_is_not_zero() {
    for json in ["null", "{}", "[]", r#"{"prompt_tokens":null}"#] {
        let cost = cost(&usage("openai.chat", json), &query("openai", "gpt-4o"));
        assert_eq!((cost.usd, cost.status), (None, CostStatus::NoUsage), "{json}");
    }
    let read = usage("openai.chat", r#"{"prompt_tokens":3,"completion_tokens":0}"#);
    assert_eq!((read.tokens().output, read.tokens().cache_read), (Some(0), None));
    // The input alone is not the cost of a call whose output nobody counted.
    let cost = cost(
        &usage("openai.chat", r#"{"prompt_tokens":3}"#),
        &query("openai", "gpt-4o"),
    );
    assert_eq!((cost.usd, cost.status), (None, CostStatus::Partial));
    // A total tells what the output was.
    assert_eq!(
        usage("openai.chat", r#"{"prompt_tokens":3,"total_tokens":3}"#)
            .tokens()
            .output,
        Some(0)
    );
}

#[test]
fn contradictions_are_errors_with_figures() {
    for (format, json, expected) in [
        (
            "openai.chat",
            r#"{"prompt_tokens":23,"completion_tokens":1,"prompt_tokens_details":{"cached_tokens":158}}"#,
            "contradictory usage: prompt_tokens is 23, but its parts add up to 158",
        ),
        (
            "openai.chat",
            r#"{"prompt_tokens":-1}"#,
            "malformed usage: invalid value: integer `-1`, expected u64",
        ),
        (
            "openai.chat",
            r#"{"prompt_tokens":"12"}"#,
            "malformed usage: invalid type: string \"12\", expected u64",
        ),
        (
            "openai.chat",
            r#"{"prompt_tokens":99999999999999999999}"#,
            "malformed usage: invalid type: floating point `1e+20`",
        ),
        (
            "anthropic.messages",
            r#"{"input_tokens":1,"cache_creation_input_tokens":5,"cache_creation":{"ephemeral_1h_input_tokens":6}}"#,
            "contradictory usage: cache_creation_input_tokens is 5, but its parts add up to 6",
        ),
        (
            "anthropic.messages",
            r#"{"input_tokens":18446744073709551615,"cache_read_input_tokens":1,"output_tokens":0}"#,
            "contradictory usage: input_tokens does not fit 64 bits",
        ),
        (
            "deepseek.chat",
            r#"{"prompt_tokens":10,"prompt_cache_hit_tokens":3,"prompt_cache_miss_tokens":3,"completion_tokens":1}"#,
            "contradictory usage: prompt_tokens is 10, but its parts add up to 6",
        ),
        (
            "openrouter.chat",
            r#"{"prompt_tokens":1,"cost":-0.5}"#,
            "not a non-negative decimal number: -0.5",
        ),
        (
            "transcription.duration",
            r#"{"seconds":"ten"}"#,
            "not a non-negative decimal number",
        ),
        (
            "bedrock.converse",
            r#"{"cacheDetails":[{"ttl":"1y","inputTokens":1}]}"#,
            "malformed usage: cacheDetails",
        ),
    ] {
        let text = error(format, json);
        assert!(text.starts_with(expected), "{text}");
        let cost = Cost::of_invalid_usage(PricingError::Malformed(text));
        assert_eq!((cost.usd, cost.status), (None, CostStatus::NoUsage));
    }
}

#[test]
fn a_provider_that_states_its_charge_is_believed() {
    let json = r#"{"prompt_tokens":1000,"completion_tokens":100,"total_tokens":1100,"cost_in_usd_ticks":12345678901}"#;
    let cost = cost(&usage("xai.chat", json), &query("xai", "xai/grok-4.20"));
    assert_eq!(
        (usd(&cost).as_deref(), cost.status),
        (Some("1.2345678901"), CostStatus::Reported)
    );
    assert_eq!(
        cost.computed_usd.unwrap().to_string(),
        "0.0015",
        "our own figure stands beside it"
    );
    // Counts that make no sense do not change what was charged.
    let json = r#"{"prompt_tokens":28,"completion_tokens":9,"cost":0.001,"completion_tokens_details":{"reasoning_tokens":75}}"#;
    let cost = pricing::cost(
        &usage("openrouter.chat", json),
        &query("openrouter", "google/gemini-3-pro-preview"),
    );
    assert_eq!(
        (usd(&cost).as_deref(), cost.status),
        (Some("0.001"), CostStatus::Reported)
    );
    assert!(reason(&cost).starts_with("contradictory usage"));
    let json = r#"{"prompt_tokens":80,"completion_tokens":68,"cost":{"request_cost":0.005,"total_cost":0.00515}}"#;
    let cost = pricing::cost(&usage("perplexity.chat", json), &query("perplexity", "sonar"));
    assert_eq!(usd(&cost).as_deref(), Some("0.00515"));
}

#[test]
fn estimates_are_marked() {
    let cost = cost(&estimated_usage(1_000_000, 0), &query("openai", "gpt-4o"));
    assert_eq!(
        (usd(&cost).as_deref(), cost.status),
        (Some("2.5"), CostStatus::Estimated)
    );
}

#[test]
fn a_compaction_is_billed_beside_the_message() {
    let json = r#"{"input_tokens":162,"output_tokens":11,"iterations":[
        {"type":"compaction","input_tokens":99195,"output_tokens":81},
        {"type":"message","input_tokens":162,"output_tokens":11}]}"#;
    let read = usage("anthropic.messages", json);
    assert_eq!((read.tokens().input, read.tokens().output), (Some(99_357), Some(92)));
    let json = r#"{"input_tokens":1,"output_tokens":1,"iterations":[{"type":"advisor_message","model":"claude-fable-5","input_tokens":9}]}"#;
    let cost = cost(
        &usage("anthropic.messages", json),
        &query("anthropic", "claude-opus-4-8"),
    );
    assert_eq!(reason(&cost), "another model served a part of the call");
}

#[test]
fn cached_tokens_of_unknown_modality_have_no_certain_rate() {
    let json = r#"{"input_tokens":110,"output_tokens":0,
        "input_token_details":{"text_tokens":10,"audio_tokens":100,"cached_tokens":50}}"#;
    let cost = by(
        r#"{"input_cost_per_token":1,"input_cost_per_audio_token":1}"#,
        &usage("openai.realtime", json),
    );
    assert_eq!(reason(&cost), "unsplit_in has no certain rate");
    let json = json.replace("\"text_tokens\":10,", "").replace("110", "100");
    let prices = r#"{"input_cost_per_audio_token":2,"cache_read_input_audio_token_cost":1}"#;
    assert_eq!(
        usd(&by(prices, &usage("openai.realtime", &json))).as_deref(),
        Some("150")
    );
}

#[test]
fn a_stream_that_broke_off_is_an_estimate() {
    let start = r#"{"type":"message_start","message":{"usage":{"input_tokens":397,"output_tokens":1}}}"#;
    let delta = r#"{"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":524}}"#;
    let of = |events: &str| {
        cost(
            &usage("anthropic.messages.stream", &format!("[{events}]")),
            &query("anthropic", "claude-haiku-4-5"),
        )
    };
    assert_eq!(of(start).status, CostStatus::Estimated);
    assert_eq!(of(&format!("{start},{delta}")).status, CostStatus::Priced);
    assert_eq!(reason(&of(delta)), "the provider reported no input tokens");
    let (whole, output) = usage("anthropic.messages.stream", &format!("[{start}]")).with_estimated_output(200);
    assert_eq!(
        (whole.tokens().input, whole.tokens().output, output),
        (Some(397), None, 200)
    );
    let cost_of_200 = cost(&whole, &query("anthropic", "claude-haiku-4-5"));
    assert_eq!(usd(&cost_of_200).as_deref(), Some("0.001397"));
    // Behind Bedrock, whose own counts come last.
    let of = |events: &str| {
        cost(
            &usage("bedrock.converse.stream", &format!("[{events}]")),
            &query("bedrock", "anthropic.claude-haiku-4-5-20251001-v1:0"),
        )
    };
    let stop =
        r#"{"type":"message_stop","amazon-bedrock-invocationMetrics":{"inputTokenCount":397,"outputTokenCount":9}}"#;
    assert_eq!(of(start).status, CostStatus::Estimated);
    assert_eq!(of(&format!("{start},{stop}")).status, CostStatus::Priced);
}

#[test]
fn gemini_names_its_enumerations_by_number_too() {
    let json = r#"{"promptTokenCount":10,"candidatesTokenCount":1,"trafficType":1,
        "promptTokensDetails":[{"modality":1,"tokenCount":4},{"modality":4,"tokenCount":6}]}"#;
    let read = usage("gemini.generate_content", json);
    assert_eq!((read.buckets().text_in, read.buckets().audio_in), (Some(4), Some(6)));
    assert_eq!(
        cost(&read, &query("gemini", "gemini-2.5-flash")).status,
        CostStatus::Priced
    );
    let provisioned = json.replace("\"trafficType\":1", "\"trafficType\":\"PROVISIONED_THROUGHPUT\"");
    let cost = cost(
        &usage("gemini.generate_content", &provisioned),
        &query("gemini", "gemini-2.5-flash"),
    );
    assert_eq!(cost.status, CostStatus::Unpriced);
}

#[test]
fn an_object_of_another_shape_is_read_by_its_own() {
    let json = r#"{"input_tokens":5,"output_tokens":2,"cache_read_input_tokens":1}"#;
    let read = usage("bedrock.converse", json);
    assert_eq!((read.tokens().input, read.tokens().cache_read), (Some(6), Some(1)));
    let json = r#"{"prompt_tokens":5,"completion_tokens":2}"#;
    assert_eq!(usage("anthropic.messages", json).tokens().input, Some(5));
}

#[test]
fn counts_beside_the_whole_are_told_by_the_total() {
    // Voxtral counts audio beside the prompt, some gateways reasoning beside the completion.
    let json = r#"{"prompt_tokens":9,"completion_tokens":248,"total_tokens":632,"prompt_tokens_details":{"audio_tokens":375}}"#;
    let read = usage("openai.chat", json);
    assert_eq!((read.tokens().input, read.buckets().text_in), (Some(384), Some(9)));
    let json = r#"{"prompt_tokens":9,"completion_tokens":10,"total_tokens":39,"completion_tokens_details":{"reasoning_tokens":20}}"#;
    let read = usage("openai.chat", json);
    assert_eq!((read.tokens().output, read.buckets().text_out), (Some(30), Some(10)));
}

/// Each protocol carries its usage somewhere else in its events.
#[test]
fn every_stream_is_read_where_its_usage_stands() {
    for (format, events) in [
        (
            "openai.chat.stream",
            r#"[{"usage":null},{"choices":[],"usage":{"prompt_tokens":7,"completion_tokens":2}}]"#,
        ),
        (
            "openai.chat.stream",
            r#"[{"x_groq":{"usage":{"prompt_tokens":7,"completion_tokens":2}}}]"#,
        ),
        (
            "openai.responses.stream",
            r#"[{"type":"response.output_text.delta","delta":"a"},
                {"type":"response.completed","response":{"usage":{"input_tokens":7,"output_tokens":2}}}]"#,
        ),
        (
            "bedrock.converse.stream",
            r#"[{"metadata":{"usage":{"inputTokens":7,"outputTokens":2}}}]"#,
        ),
        (
            "bedrock.converse.stream",
            r#"[{"amazon-bedrock-invocationMetrics":{"inputTokenCount":7,"outputTokenCount":2}}]"#,
        ),
        (
            "cohere.chat.stream",
            r#"[{"type":"message-end","delta":{"usage":{"billed_units":{"input_tokens":7.0,"output_tokens":2}}}}]"#,
        ),
        (
            "gemini.generate_content.stream",
            r#"[{"usageMetadata":{"promptTokenCount":7}},{"usageMetadata":{"promptTokenCount":7,"candidatesTokenCount":2}}]"#,
        ),
    ] {
        let by_shape = pricing::read_usage_by_shape(events).unwrap().1;
        for read in [usage(format, events), by_shape] {
            assert_eq!(
                (read.tokens().input, read.tokens().output),
                (Some(7), Some(2)),
                "{format} {events}"
            );
        }
    }
}
