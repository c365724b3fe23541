//! Gemini's usage in litellm's words.

use serde_json::{Map, Value, json};

/// The tokens of one kind (`TEXT`, `IMAGE`, ...) that a list of details counts; None where it has no such count.
pub(super) fn of_kind(usage: &Map<String, Value>, list: &str, kind: &str) -> Option<u64> {
    let details = usage.get(list)?.as_array()?;
    let of_kind = details.iter().filter(|detail| detail["modality"] == kind);
    let counts: Vec<u64> = of_kind.filter_map(|detail| detail["tokenCount"].as_u64()).collect();
    (!counts.is_empty()).then(|| counts.iter().sum())
}

/// `searches`: web searches that the answer's grounding names.
pub(in crate::providers) fn translate(usage: &Map<String, Value>, searches: usize) -> Value {
    let count = |name: &str| usage.get(name).and_then(Value::as_u64);
    let zero = |name: &str| count(name).unwrap_or(0);
    let prompt = zero("promptTokenCount") + zero("toolUsePromptTokenCount");
    let (written, thoughts) = (zero("candidatesTokenCount"), count("thoughtsTokenCount"));
    // Some models count thoughts among what they wrote: then the total says so.
    let total = count("totalTokenCount");
    let includes_thoughts = total == Some(prompt + written);
    let completion = if includes_thoughts {
        written
    } else {
        written + thoughts.unwrap_or(0)
    };
    let kinds = |list: &str, text: Option<u64>| {
        let mut details = Map::new();
        for (kind, name) in [
            ("TEXT", "text_tokens"),
            ("AUDIO", "audio_tokens"),
            ("IMAGE", "image_tokens"),
            ("VIDEO", "video_tokens"),
        ] {
            let tokens = of_kind(usage, list, kind).or(if kind == "TEXT" { text } else { None });
            if let Some(tokens) = tokens {
                details.insert(name.to_owned(), tokens.into());
            }
        }
        details
    };
    let mut out_of = kinds("candidatesTokensDetails", Some(written));
    if let Some(thoughts) = thoughts {
        out_of.insert("reasoning_tokens".to_owned(), thoughts.into());
    }
    let mut into = kinds("promptTokensDetails", None);
    let cached = count("cachedContentTokenCount");
    if let Some(cached) = cached {
        into.insert("cached_tokens".to_owned(), cached.into());
    }
    if searches > 0 {
        into.insert("web_search_requests".to_owned(), searches.into());
    }
    let mut made = json!({
        "prompt_tokens": prompt,
        "completion_tokens": completion,
        "total_tokens": total.unwrap_or(prompt + completion),
        "completion_tokens_details": out_of,
        "prompt_tokens_details": into,
    });
    if let Some(cached) = cached {
        made["cache_read_input_tokens"] = cached.into();
    }
    made
}
