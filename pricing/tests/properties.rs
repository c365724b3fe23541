//! What holds for every usage, not only for the cases somebody wrote down.

#![allow(clippy::unwrap_used, reason = "a test's panic is its report")]

use pricing::{
    Buckets, Cost, CostQuery, Decimal, PriceBook, PriceList, Snapshot, Usage, UsageFormat, cost, explain, read_usage,
    read_usage_by_shape,
};
use proptest::prelude::*;

const FORMATS: [&str; 22] = [
    "openai.chat",
    "openai.embeddings",
    "openai.responses",
    "openai.realtime",
    "openai.images",
    "openai.transcription",
    "anthropic.messages",
    "gemini.generate_content",
    "bedrock.converse",
    "xai.chat",
    "deepseek.chat",
    "ollama.chat",
    "cohere.chat",
    "cohere.rerank",
    "openrouter.chat",
    "perplexity.chat",
    "mistral.ocr",
    "image.count",
    "video.duration",
    "speech.characters",
    "search",
    "transcription.duration",
];

/// Names that some format gives a meaning to: random ones would never get past "unknown field".
const NAMES: [&str; 40] = [
    "prompt_tokens",
    "completion_tokens",
    "total_tokens",
    "input_tokens",
    "output_tokens",
    "cached_tokens",
    "prompt_tokens_details",
    "completion_tokens_details",
    "input_tokens_details",
    "output_tokens_details",
    "input_token_details",
    "output_token_details",
    "cached_tokens_details",
    "reasoning_tokens",
    "audio_tokens",
    "text_tokens",
    "image_tokens",
    "cache_write_tokens",
    "cache_read_input_tokens",
    "cache_creation_input_tokens",
    "cache_creation",
    "ephemeral_5m_input_tokens",
    "ephemeral_1h_input_tokens",
    "promptTokenCount",
    "candidatesTokenCount",
    "thoughtsTokenCount",
    "cachedContentTokenCount",
    "totalTokenCount",
    "promptTokensDetails",
    "inputTokens",
    "outputTokens",
    "cacheDetails",
    "billed_units",
    "search_units",
    "cost",
    "cost_in_usd_ticks",
    "seconds",
    "type",
    "usage",
    "iterations",
];

fn any_number() -> impl Strategy<Value = String> {
    prop_oneof![
        (0u64..5_000).prop_map(|count| count.to_string()),
        any::<u64>().prop_map(|count| count.to_string()),
        any::<i64>().prop_map(|count| count.to_string()),
        any::<f64>()
            .prop_filter("JSON has no infinity", |one| one.is_finite())
            .prop_map(|one| one.to_string()),
        Just("1e308".to_owned()),
        Just("99999999999999999999999999".to_owned()),
    ]
}

fn any_json() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        6 => any_number(),
        1 => Just("null".to_owned()),
        1 => Just("true".to_owned()),
        1 => Just("\"tokens\"".to_owned()),
        1 => Just("\"d\\u00e9\"".to_owned()),
    ];
    leaf.prop_recursive(3, 24, 6, |inner| {
        let fields = proptest::collection::vec((prop::sample::select(&NAMES[..]), inner.clone()), 0..6);
        prop_oneof![
            3 => fields.prop_map(|fields| {
                let fields: Vec<_> = fields.iter().map(|(name, value)| format!("\"{name}\":{value}")).collect();
                format!("{{{}}}", fields.join(","))
            }),
            1 => proptest::collection::vec(inner, 0..4).prop_map(|values| format!("[{}]", values.join(","))),
        ]
    })
}

fn prices(rates: &[(&str, &str)]) -> PriceList {
    PriceList::new(rates.iter().copied()).unwrap()
}

fn all_prices() -> PriceList {
    prices(&[
        ("input_cost_per_token", "0.00000125"),
        ("cache_read_input_token_cost", "0.000000125"),
        ("cache_creation_input_token_cost", "0.0000015625"),
        ("input_cost_per_audio_token", "0.0000100000000001"),
        ("output_cost_per_token", "0.00001"),
        ("output_cost_per_audio_token", "0.000088"),
    ])
}

fn priced(usage: &Usage, list: &PriceList) -> Cost {
    cost(
        usage,
        &CostQuery {
            provider: "custom",
            model: "m",
            custom_pricing: Some(list),
            ..CostQuery::default()
        },
    )
}

/// A usage object of OpenAI's chat from its parts.
fn chat(text: u64, cached: u64, audio: u64, output: u64, reasoning: u64) -> Usage {
    let json = format!(
        r#"{{"prompt_tokens":{},"completion_tokens":{},"prompt_tokens_details":{{"cached_tokens":{cached},"audio_tokens":{audio}}},"completion_tokens_details":{{"reasoning_tokens":{reasoning}}}}}"#,
        text + cached + audio,
        output + reasoning
    );
    read_usage(UsageFormat::OpenAiChat, &json).unwrap()
}

fn whole(buckets: &Buckets) -> u128 {
    [
        buckets.text_in,
        buckets.cache_read,
        buckets.cache_write_5m,
        buckets.cache_write_1h,
        buckets.audio_in,
        buckets.audio_cached,
        buckets.image_in,
        buckets.image_cached,
        buckets.video_in,
        buckets.unsplit_in,
    ]
    .iter()
    .flatten()
    .map(|count| u128::from(*count))
    .sum()
}

fn written(buckets: &Buckets) -> u128 {
    let parts = [
        buckets.text_out,
        buckets.reasoning,
        buckets.audio_out,
        buckets.image_out,
    ];
    parts.iter().flatten().map(|count| u128::from(*count)).sum()
}

/// Every reading of one text: by each format and by shape.
fn readings(json: &str) -> Vec<Usage> {
    let formats = FORMATS.iter().map(|name| UsageFormat::from_name(name).unwrap());
    let by_format = formats.filter_map(|format| read_usage(format, json).ok());
    by_format
        .chain(read_usage_by_shape(json).ok().map(|(_, usage)| usage))
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_usage_panics_or_costs_less_than_nothing(json in any_json()) {
        for usage in readings(&json) {
            for (provider, model) in [("openai", "gpt-4o"), ("gemini", "gemini-2.5-pro"), ("xai", "grok-4.20")] {
                let cost = cost(&usage, &CostQuery { provider, model, ..CostQuery::default() });
                prop_assert!(cost.usd.is_none_or(|usd| usd.as_picos() >= 0), "{json}");
                prop_assert!(cost.usd.is_some() || cost.reason.is_some(), "{json}");
                serde_json::from_str::<serde_json::Value>(&cost.breakdown_json()).unwrap();
            }
        }
    }

    #[test]
    fn text_that_is_not_json_is_an_error(text in "[^\\[{n].{0,40}") {
        for name in FORMATS {
            let read = read_usage(UsageFormat::from_name(name).unwrap(), &text);
            prop_assert!(read.is_err(), "{text}");
        }
    }

    #[test]
    fn buckets_add_up_to_the_whole(json in any_json()) {
        for usage in readings(&json) {
            let (tokens, buckets) = (usage.tokens(), usage.buckets());
            if *buckets != Buckets::default() {
                prop_assert_eq!(u128::from(tokens.input.unwrap_or(0)), whole(buckets), "{}", &json);
                prop_assert_eq!(u128::from(tokens.output.unwrap_or(0)), written(buckets), "{}", &json);
            }
        }
    }

    #[test]
    fn more_tokens_never_cost_less(
        counts in proptest::array::uniform5(0u64..2_000_000_000),
        more in 0u64..1_000_000,
        bucket in 0usize..5,
    ) {
        let list = all_prices();
        let mut larger = counts;
        larger[bucket] += more;
        let of = |[text, cached, audio, output, reasoning]: [u64; 5]| {
            priced(&chat(text, cached, audio, output, reasoning), &list).usd.unwrap()
        };
        prop_assert!(of(larger) >= of(counts));
    }

    #[test]
    fn a_split_call_costs_the_same_but_for_rounding(
        counts in proptest::array::uniform5(0u64..2_000_000_000),
        parts in proptest::array::uniform5(0u64..=100),
    ) {
        let list = all_prices();
        let of = |[text, cached, audio, output, reasoning]: [u64; 5]| {
            priced(&chat(text, cached, audio, output, reasoning), &list).usd.unwrap().as_picos()
        };
        let first: [u64; 5] = std::array::from_fn(|one| counts[one] * parts[one] / 100);
        let rest: [u64; 5] = std::array::from_fn(|one| counts[one] - first[one]);
        let difference = of(counts) - of(first) - of(rest);
        prop_assert!(difference.abs() <= 1, "{difference} picodollars");
    }

    #[test]
    fn ten_times_the_rate_is_ten_times_the_cost(tokens in 1u64..4_000_000_000, mantissa in 1u64..1_000_000_000, shift in 0u32..5) {
        // 1e-12 and coarser: nothing is rounded, so the scaling is exact.
        let rate = |power: u32| format!("{}e-12", u128::from(mantissa) * 10u128.pow(power));
        let of = |rate: &str| {
            let list = prices(&[("input_cost_per_token", rate), ("output_cost_per_token", "0")]);
            priced(&chat(tokens, 0, 0, 7, 0), &list).usd.unwrap().as_picos()
        };
        prop_assert_eq!(of(&rate(0)) * 10i128.pow(shift), of(&rate(shift)));
    }

    #[test]
    fn decimals_keep_every_digit(mantissa in any::<u64>(), scale in 0u32..30) {
        let number = Decimal::parse(&format!("{mantissa}e-{scale}")).unwrap();
        prop_assert_eq!(Decimal::parse(&number.to_string()).unwrap(), number);
        let digits = number.to_string().replace('.', "");
        let expected = mantissa.to_string();
        prop_assert_eq!(digits.trim_matches('0'), expected.trim_matches('0'));
    }

    #[test]
    fn a_damaged_snapshot_harms_nobody(damage in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..40)) {
        let mut bytes = include_bytes!("../data/prices.bin").to_vec();
        for (place, value) in damage {
            let place = place.index(bytes.len());
            bytes[place] = value;
        }
        if let Ok(snapshot) = Snapshot::open(bytes) {
            let book = PriceBook::default().with_snapshot(snapshot);
            for (provider, model) in [("openai", "gpt-4o"), ("deepseek", "deepseek-v4-pro"), ("xai", "grok-4.20")] {
                let query = CostQuery { provider, model, book: Some(&book), ..CostQuery::default() };
                let _ = cost(&chat(1_000_000, 7, 0, 5, 0), &query).breakdown_json();
                let _ = explain(&query, None);
            }
        }
    }

    #[test]
    fn an_unknown_model_has_no_price(name in "[a-z0-9-]{1,24}") {
        let usage = chat(10, 0, 0, 5, 0);
        let query = CostQuery { provider: "no-such-provider", model: &name, ..CostQuery::default() };
        let cost = cost(&usage, &query);
        prop_assert_eq!(cost.usd, None);
        prop_assert_eq!(cost.status.as_str(), "unpriced");
    }
}
