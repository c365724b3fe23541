//! Prints what a call costs in time: `cargo run --release -p pricing --example nanoseconds`.

use std::hint::black_box;
use std::time::Instant;

use pricing::{CostQuery, Snapshot, UsageFormat, cost, read_usage};

const ROUNDS: u32 = 400;
const CALLS: u32 = 1_000;

const OPENAI: &str = r#"{"prompt_tokens":2006,"completion_tokens":300,"total_tokens":2306,"prompt_tokens_details":{"cached_tokens":1920,"audio_tokens":0},"completion_tokens_details":{"reasoning_tokens":0,"audio_tokens":0,"accepted_prediction_tokens":0,"rejected_prediction_tokens":0}}"#;
const ANTHROPIC: &str = r#"{"input_tokens":299,"cache_creation_input_tokens":9366,"cache_read_input_tokens":1938,"output_tokens":809,"service_tier":"standard","cache_creation":{"ephemeral_5m_input_tokens":2763,"ephemeral_1h_input_tokens":6603}}"#;
const GEMINI: &str = r#"{"promptTokenCount":7922,"candidatesTokenCount":47,"totalTokenCount":7969,"promptTokensDetails":[{"modality":"TEXT","tokenCount":736},{"modality":"AUDIO","tokenCount":7186}]}"#;

/// The quickest of some rounds: on a shared machine the others measure the neighbours.
fn measure(name: &str, mut call: impl FnMut()) {
    let quickest = (0..ROUNDS).map(|_| {
        let started = Instant::now();
        (0..CALLS).for_each(|_| call());
        started.elapsed().as_nanos() / u128::from(CALLS)
    });
    println!("{:>7} ns  {name}", quickest.min().unwrap_or_default());
}

fn main() {
    let started = Instant::now();
    let snapshot = Snapshot::embedded();
    println!(
        "{:>7} ns  open the snapshot: {snapshot:?}",
        started.elapsed().as_nanos()
    );
    let started = Instant::now();
    let found = snapshot.entry("gpt-4o").is_some();
    println!(
        "{:>7} ns  first lookup, from cold pages (found: {found})",
        started.elapsed().as_nanos()
    );

    let calls = [
        (UsageFormat::OpenAiChat, OPENAI, "openai", "gpt-4o"),
        (UsageFormat::OpenAiChat, OPENAI, "groq", "openai/gpt-oss-120b"),
        (
            UsageFormat::AnthropicMessages,
            ANTHROPIC,
            "anthropic",
            "claude-haiku-4-5",
        ),
        (UsageFormat::GeminiGenerateContent, GEMINI, "gemini", "gemini-2.5-flash"),
    ];
    for (format, json, provider, model) in calls {
        let query = CostQuery {
            provider,
            model,
            at_ns: 1_795_000_000_000_000_000,
            ..CostQuery::default()
        };
        let Ok(usage) = read_usage(format, json) else {
            continue;
        };
        println!(
            "{provider}/{model}: {:?}",
            cost(&usage, &query).usd.map(|usd| usd.to_string())
        );
        measure("read_usage + cost", || {
            let usage = read_usage(format, black_box(json));
            black_box(usage.map(|usage| cost(&usage, black_box(&query)))).ok();
        });
        measure("read_usage", || {
            black_box(read_usage(format, black_box(json))).ok();
        });
        measure("cost", || {
            black_box(cost(black_box(&usage), black_box(&query)));
        });
        measure("resolve", || {
            black_box(pricing::resolve(black_box(provider), black_box(model)));
        });
        let cost = cost(&usage, &query);
        measure("breakdown_json", || {
            black_box(cost.breakdown_json());
        });
    }
}
