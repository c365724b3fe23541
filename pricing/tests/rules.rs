//! One test per rule of money.

#![allow(clippy::unwrap_used, reason = "a test's panic is its report")]

use pricing::{
    Cost, CostQuery, CostStatus, PriceBook, PriceList, PriceSource, PricingError, Usage, UsageFormat, cost,
    estimated_usage, explain, read_usage,
};

/// 2026-11-20T12:00:00Z, a Friday.
const FRIDAY_NOON: i64 = 1_795_176_000_000_000_000;
const HOUR: i64 = 3_600_000_000_000;

fn usage(format: &str, json: &str) -> Usage {
    read_usage(UsageFormat::from_name(format).unwrap(), json).unwrap()
}

fn error(format: &str, json: &str) -> String {
    read_usage(UsageFormat::from_name(format).unwrap(), json)
        .unwrap_err()
        .to_string()
}

fn query<'a>(provider: &'a str, model: &'a str) -> CostQuery<'a> {
    CostQuery {
        provider,
        model,
        at_ns: FRIDAY_NOON,
        ..CostQuery::default()
    }
}

fn list(json: &str) -> PriceList {
    PriceList::from_json(json).unwrap()
}

/// The cost of a usage by the prices given.
fn by(prices: &str, usage: &Usage) -> Cost {
    let list = list(prices);
    cost(
        usage,
        &CostQuery {
            custom_pricing: Some(&list),
            ..query("custom", "m")
        },
    )
}

fn usd(cost: &Cost) -> Option<String> {
    cost.usd.map(|usd| usd.to_string())
}

fn reason(cost: &Cost) -> String {
    cost.reason.as_ref().unwrap().to_string()
}

fn chat(input: u64, output: u64) -> Usage {
    usage(
        "openai.chat",
        &format!(r#"{{"prompt_tokens":{input},"completion_tokens":{output}}}"#),
    )
}

#[test]
fn a_cost_carries_its_proof() {
    let json = r#"{"prompt_tokens":19,"completion_tokens":10,"prompt_tokens_details":{"cached_tokens":0}}"#;
    let cost = cost(&usage("openai.chat", json), &query("openai", "gpt-4o-mini"));
    assert_eq!(usd(&cost).as_deref(), Some("0.00000885"));
    assert_eq!(
        (cost.status, cost.price_source),
        (CostStatus::Priced, Some(PriceSource::Table))
    );
    assert_eq!(
        cost.breakdown_json(),
        r#"{"text_in":{"tokens":19,"rate":"0.00000015","usd":"0.00000285"},"text_out":{"tokens":10,"rate":"0.0000006","usd":"0.000006"}}"#
    );
}

#[test]
fn a_part_without_a_rate_has_no_sum() {
    let json = r#"{"prompt_tokens":100,"completion_tokens":1,"prompt_tokens_details":{"cached_tokens":60}}"#;
    let cost = by(
        r#"{"input_cost_per_token":1,"output_cost_per_token":2}"#,
        &usage("openai.chat", json),
    );
    assert_eq!((cost.usd, cost.status), (None, CostStatus::Partial));
    assert_eq!(reason(&cost), "cache_read has no rate: no cache_read_input_token_cost");
    assert_eq!(cost.breakdown.len(), 2, "what is known is still shown");
}

#[test]
fn no_rate_for_anything_is_unpriced_and_zero_is_a_price() {
    assert_eq!(
        by(r#"{"input_cost_per_character":1}"#, &chat(1, 1)).status,
        CostStatus::Unpriced
    );
    let free = by(r#"{"input_cost_per_token":0,"output_cost_per_token":0}"#, &chat(1, 1));
    assert_eq!((usd(&free).as_deref(), free.status), (Some("0"), CostStatus::Priced));
    let json = r#"{"prompt_tokens":9,"completion_tokens":1,"prompt_tokens_details":{"cached_tokens":6}}"#;
    let free = by(
        r#"{"input_cost_per_token":0,"output_cost_per_token":0}"#,
        &usage("openai.chat", json),
    );
    assert_eq!(usd(&free).as_deref(), Some("0"), "a free model's cache is free");
    // No tokens need no rate.
    assert_eq!(
        usd(&by(r#"{"output_cost_per_token":3}"#, &chat(0, 2))).as_deref(),
        Some("6")
    );
}

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
fn a_figure_beyond_128_bits_is_no_figure() {
    let json = format!(r#"{{"prompt_tokens":{},"completion_tokens":0}}"#, u64::MAX);
    let rate = "999999999999999999999999999999";
    let cost = by(
        &format!(r#"{{"input_cost_per_token":{rate},"output_cost_per_token":0}}"#),
        &usage("openai.chat", &json),
    );
    assert_eq!((cost.usd, cost.status), (None, CostStatus::Partial));
    assert_eq!(reason(&cost), "the cost does not fit 128 bits");
}

#[test]
fn a_cliff_is_for_the_whole_request_and_strictly_above() {
    let prices = r#"{"input_cost_per_token":1,"output_cost_per_token":10,
        "input_cost_per_token_above_200k_tokens":2,"output_cost_per_token_above_200k_tokens":20}"#;
    assert_eq!(usd(&by(prices, &chat(200_000, 1))).as_deref(), Some("200010"));
    assert_eq!(usd(&by(prices, &chat(200_001, 1))).as_deref(), Some("400022"));
    // What is read from a cache counts; without a price above the cliff the sum is unknown.
    let json = r#"{"input_tokens":1,"cache_read_input_tokens":200000,"output_tokens":1}"#;
    let with_cache = prices.replacen('{', r#"{"cache_read_input_token_cost":1,"#, 1);
    let cost = by(&with_cache, &usage("anthropic.messages", json));
    assert_eq!(
        reason(&cost),
        "cache_read has no rate: no cache_read_input_token_cost_above_200k_tokens"
    );
}

#[test]
fn tiers_are_those_that_served() {
    let prices = list(
        r#"{"input_cost_per_token":1,"output_cost_per_token":1,
        "input_cost_per_token_flex":0.5,"output_cost_per_token_flex":0.5,"input_cost_per_token_batches":0.25}"#,
    );
    let of = |tier: Option<&str>, batch: bool| {
        let query = CostQuery {
            custom_pricing: Some(&prices),
            service_tier: tier,
            batch,
            ..query("custom", "m")
        };
        cost(&chat(1, 1), &query)
    };
    for tier in [None, Some("default"), Some("standard"), Some("auto"), Some("on_demand")] {
        assert_eq!(usd(&of(tier, false)).as_deref(), Some("2"));
    }
    assert_eq!(usd(&of(Some("flex"), false)).as_deref(), Some("1"));
    assert_eq!(
        reason(&of(None, true)),
        "text_out has no rate: no output_cost_per_token_batches"
    );
    assert_eq!(of(Some("scale"), false).status, CostStatus::Unpriced);
    assert_eq!(of(Some("priority"), false).status, CostStatus::Unpriced);
    // The usage's own word counts where the caller has none.
    let gemini = usage(
        "gemini.generate_content",
        r#"{"promptTokenCount":2,"trafficType":"ON_DEMAND_FLEX"}"#,
    );
    assert_eq!(
        usd(&cost(
            &gemini,
            &CostQuery {
                custom_pricing: Some(&prices),
                ..query("custom", "m")
            }
        ))
        .as_deref(),
        Some("1")
    );
}

#[test]
fn off_peak_windows_have_hours_and_weekdays() {
    let of = |model: &str, hours: i64| {
        let query = CostQuery {
            at_ns: FRIDAY_NOON + hours * HOUR,
            ..query("deepseek", model)
        };
        usd(&cost(&chat(1_000_000, 0), &query)).unwrap()
    };
    let (peak, off_peak) = ("1.32", "0.66");
    // Windows 00-01, 04-06 and 10-24 UTC from Monday to Friday, all of Saturday and Sunday.
    for (hours, expected) in [
        (0, off_peak),
        (-2, off_peak),
        (-3, peak),
        (-6, peak),
        (-8, off_peak),
        (-11, peak),
        (-12, off_peak),
        (18, off_peak),
    ] {
        assert_eq!(of("deepseek-v4-pro", hours), expected, "{hours}");
    }
    // Sunday 19:00 UTC is Monday in Shanghai, where the weekday is told by.
    let tencent = |hours: i64| {
        let query = CostQuery {
            at_ns: FRIDAY_NOON + hours * HOUR,
            ..query("tencent", "deepseek-v4-pro-0813")
        };
        usd(&cost(&chat(1_000_000, 0), &query)).unwrap()
    };
    assert_eq!(tencent(24 - 9), off_peak, "Saturday, 03:00 UTC");
    assert_eq!(tencent(72 - 9), peak, "Monday, 03:00 UTC");
}

#[test]
fn multipliers_compose_and_tools_stay_apart() {
    let json = r#"{"input_tokens":1000000,"output_tokens":0,"speed":"fast","inference_geo":"us",
        "server_tool_use":{"web_search_requests":3}}"#;
    let cost = cost(
        &usage("anthropic.messages", json),
        &query("anthropic", "claude-opus-4-8"),
    );
    // 5 × 1.1 × 2 + 3 × 0.01
    assert_eq!(usd(&cost).as_deref(), Some("11.03"));
    assert_eq!(cost.breakdown[0].multiplier.to_string(), "2.2");
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
fn discounts_are_off_the_list_price_and_the_most_specific_counts() {
    let book = PriceBook::from_json(
        r#"{"discounts":[{"provider":"openai","model":"gpt-4o","off":"0.2"},{"key_alias":"team","provider":"openai","model":"gpt-4o","off":0.5}],
            "cost_discount_config":{"openai":0.05}}"#,
    )
    .unwrap();
    let of = |model: &str, key_alias: Option<&str>| {
        let cost = cost(
            &chat(1_000_000, 0),
            &CostQuery {
                book: Some(&book),
                key_alias,
                ..query("openai", model)
            },
        );
        (cost.computed_usd.unwrap().to_string(), usd(&cost).unwrap())
    };
    assert_eq!(of("gpt-4o", None), ("2.5".to_owned(), "2".to_owned()));
    assert_eq!(of("gpt-4o", Some("team")), ("2.5".to_owned(), "1.25".to_owned()));
    assert_eq!(
        of("gpt-4o-mini", Some("team")),
        ("0.15".to_owned(), "0.1425".to_owned())
    );
    assert!(PriceBook::from_json(r#"{"discounts":[{"provider":"openai","off":1.5}]}"#).is_err());
}

#[test]
fn a_users_prices_and_names_go_first() {
    let book = PriceBook::from_json(
        r#"{"prices":{"azure/eu-west":{"input_cost_per_token":"0.000001","output_cost_per_token":0,"mode":"chat"}},
            "aliases":{"prod":"azure/gpt-4o"}}"#,
    )
    .unwrap();
    let of = |model: &str| {
        cost(
            &chat(1_000_000, 0),
            &CostQuery {
                book: Some(&book),
                ..query("azure", model)
            },
        )
    };
    for model in ["eu-west", "azure/eu-west"] {
        let cost = of(model);
        assert_eq!(
            (usd(&cost).as_deref(), cost.price_source),
            (Some("1"), Some(PriceSource::User))
        );
        assert_eq!(cost.price_key.as_deref(), Some("azure/eu-west"));
    }
    assert_eq!(of("prod").price_key.as_deref(), Some("azure/gpt-4o"));
    assert_eq!(of("test").status, CostStatus::Unpriced);
    assert!(matches!(
        PriceBook::from_json(r#"{"prices":{"m":{"input_cost_per_tokn":1}}}"#),
        Err(PricingError::UnknownPriceField(_))
    ));
}

#[test]
fn units_have_variants() {
    let video = |resolution: &str| {
        let json = format!(r#"{{"duration_seconds":10,"video_resolution":"{resolution}"}}"#);
        by(
            r#"{"output_cost_per_second":1,"output_cost_per_second_720p":2}"#,
            &usage("video.duration", &json),
        )
    };
    assert_eq!(usd(&video("720p")).as_deref(), Some("20"));
    assert_eq!(
        video("1080p").usd,
        None,
        "no price for this resolution, and resolutions matter"
    );
    let plain = by(
        r#"{"output_cost_per_second":1}"#,
        &usage(
            "video.duration",
            r#"{"duration_seconds":10,"video_resolution":"1080p"}"#,
        ),
    );
    assert_eq!(usd(&plain).as_deref(), Some("10"));
    // The same figure per second of input and of output is one price; two figures are two.
    let audio = usage("transcription.duration", r#"{"type":"duration","seconds":1.5}"#);
    assert_eq!(
        usd(&by(r#"{"input_cost_per_second":2,"output_cost_per_second":2}"#, &audio)).as_deref(),
        Some("3")
    );
    assert_eq!(
        usd(&by(r#"{"input_cost_per_second":2,"output_cost_per_second":0}"#, &audio)).as_deref(),
        Some("3")
    );
    assert_eq!(
        usd(&by(r#"{"input_cost_per_second":0,"output_cost_per_second":4}"#, &audio)).as_deref(),
        Some("6")
    );
    let pixels = usage("image.count", r#"{"pixels":1048576}"#);
    assert_eq!(
        usd(&by(r#"{"input_cost_per_pixel":"2.0751953125e-09"}"#, &pixels)).as_deref(),
        Some("0.002176")
    );
}

#[test]
fn one_rounding_half_to_even() {
    // Two lines of half a picodollar each: rounded once they are one, rounded per line they were none.
    let prices = r#"{"input_cost_per_token":"5e-13","output_cost_per_token":"5e-13"}"#;
    assert_eq!(usd(&by(prices, &chat(1, 1))).as_deref(), Some("0.000000000001"));
    assert_eq!(usd(&by(prices, &chat(1, 0))).as_deref(), Some("0"));
    assert_eq!(usd(&by(prices, &chat(3, 0))).as_deref(), Some("0.000000000002"));
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
fn an_explanation_shows_every_step() {
    let usage = chat(1_000_000, 0);
    let explained = explain(&query("openai", "openai/gpt-4o"), Some(&usage));
    let steps: Vec<_> = explained
        .steps
        .iter()
        .map(|step| (step.key.as_str(), &step.outcome))
        .collect();
    assert_eq!(
        steps,
        [
            ("openai/gpt-4o", &pricing::Outcome::NoEntry),
            ("gpt-4o", &pricing::Outcome::Found)
        ]
    );
    assert!(
        explained
            .prices
            .iter()
            .any(|(field, rate)| { field.to_string() == "input_cost_per_token" && rate.to_string() == "0.0000025" })
    );
    assert_eq!(explained.cost.unwrap().usd.unwrap().to_string(), "2.5");
    let explained = explain(&query("mistral", "gpt-4o"), None);
    assert_eq!(explained.key, None);
    assert_eq!(
        explained.steps[1].outcome,
        pricing::Outcome::OtherProvider("openai".to_owned())
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
