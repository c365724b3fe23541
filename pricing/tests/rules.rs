//! One test per rule of money.

#![allow(clippy::unwrap_used, reason = "a test's panic is its report")]

mod common;

use common::{FRIDAY_NOON, HOUR, by, chat, list, query, reason, usage, usd};
use pricing::{CostQuery, CostStatus, PriceBook, PriceSource, PricingError, cost, explain};

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
fn a_users_prices_may_hold_for_some_prompts_or_hours() {
    let book = PriceBook::from_json(
        r#"{"prices":{"tiers":{"output_cost_per_token":0,"tiered_pricing":[
                {"range":[0,1000],"input_cost_per_token":"0.001"},{"range":[1000,5000],"input_cost_per_token":0.002}]},
            "azure/nights":{"input_cost_per_token":2,"output_cost_per_token":0,
                "off_peak_pricing":{"windows":[{"hours_utc":"11:00-13:00"}],"input_cost_per_token":1}}}}"#,
    )
    .unwrap();
    let of = |model: &str, prompt: u64, hours: i64| {
        let cost = cost(
            &chat(prompt, 0),
            &CostQuery {
                book: Some(&book),
                at_ns: FRIDAY_NOON + hours * HOUR,
                ..query("azure", model)
            },
        );
        assert_eq!(cost.price_source, Some(PriceSource::User));
        usd(&cost)
    };
    assert_eq!(of("tiers", 1000, 0).as_deref(), Some("1"));
    assert_eq!(of("azure/tiers", 2000, 0).as_deref(), Some("4"));
    assert_eq!(of("tiers", 6000, 0), None, "longer than the last row");
    assert_eq!(of("nights", 1, 0).as_deref(), Some("1"));
    assert_eq!(of("nights", 1, 2).as_deref(), Some("2"));
    for wrong in [
        r#"{"prices":{"m":{"tiered_pricing":[{"input_cost_per_token":1}]}}}"#,
        r#"{"prices":{"m":{"tiered_pricing":[{"range":[0,1],"input_cost_per_tokn":1}]}}}"#,
        r#"{"prices":{"m":{"off_peak_pricing":{"windows":[{"hours_utc":"noon"}]}}}}"#,
    ] {
        assert!(
            matches!(PriceBook::from_json(wrong), Err(PricingError::Source(_))),
            "{wrong}"
        );
    }
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
