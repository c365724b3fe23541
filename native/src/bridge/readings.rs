//! What litellm makes of the fields that providers of OpenAI's dialect send: renamed, moved, filled in. It happens when
//! somebody first looks into the object that holds them.

use bytes::Bytes;
use serde_json::{Map, Value};

use super::content::{Fields, Key, Slot};
use crate::json_scan;

/// What a message of litellm's has; everything else that a provider sends stands in `provider_specific_fields`.
const OF_MESSAGES: &[&str] = &[
    "content",
    "role",
    "tool_calls",
    "function_call",
    "audio",
    "images",
    "annotations",
    "reasoning_content",
    "reasoning_items",
    "thinking_blocks",
    "provider_specific_fields",
];
const FINISH_REASONS: &[&str] = &["stop", "length", "tool_calls", "function_call", "content_filter"];
const OWN: &str = "provider_specific_fields";

fn find<'a>(fields: &'a Fields, name: &str) -> Option<&'a Bytes> {
    fields
        .iter()
        .find(|(key, _)| key.as_str() == name)
        .and_then(|(_, slot)| match slot {
            Slot::Json(json) if json.as_ref() != b"null" => Some(json),
            _ => None,
        })
}

fn put(fields: &mut Fields, name: &'static str, json: Bytes) {
    match fields.iter_mut().find(|(key, _)| key.as_str() == name) {
        Some((_, slot)) => *slot = Slot::Json(json),
        None => fields.push((Key::Known(name), Slot::Json(json))),
    }
}

fn text(json: &str) -> Bytes {
    Bytes::from(Value::from(json).to_string())
}

/// A message as litellm reads it from JSON.
pub(super) fn message(fields: &mut Fields) {
    read_message(fields, false);
}

/// A message as litellm gets it from the openai package, whose messages always have a `refusal`.
pub(super) fn sdk_message(fields: &mut Fields) {
    read_message(fields, true);
}

fn read_message(fields: &mut Fields, by_sdk: bool) {
    let mut own: Vec<(String, Bytes)> = Vec::new();
    fields.retain_mut(|(key, slot)| {
        let Slot::Json(json) = slot else { return true };
        let stays = OF_MESSAGES.contains(&key.as_str());
        if !stays {
            own.push((key.as_str().to_owned(), json.clone()));
        }
        stays
    });
    if find(fields, "reasoning_content").is_none() {
        let reasoning = own.iter().find(|(name, _)| name == "reasoning");
        if let Some((_, reasoning)) = reasoning.filter(|(_, json)| json.starts_with(b"\"")) {
            put(fields, "reasoning_content", reasoning.clone());
        } else if let Some((reasoning, rest)) = find(fields, "content").and_then(|content| thought(content)) {
            put(fields, "reasoning_content", text(&reasoning));
            put(fields, "content", text(&rest));
        }
    }
    if by_sdk && !own.iter().any(|(name, _)| name == "refusal") {
        own.push(("refusal".to_owned(), Bytes::from_static(b"null")));
    }
    if own.is_empty() {
        return;
    }
    // Put together from the bytes that came: a number must stay the number it is.
    let given = find(fields, OWN).filter(|json| json.starts_with(b"{")).cloned();
    let given = given.iter().flat_map(|json| json_scan::members(json));
    let given = given.map(|(name, value)| [b"\"", name, b"\":", value].concat());
    let own = own
        .iter()
        .map(|(name, json)| [Value::from(name.as_str()).to_string().as_bytes(), b":", json].concat());
    let members: Vec<Vec<u8>> = given.chain(own).collect();
    put(
        fields,
        OWN,
        Bytes::from([b"{", members.join(&b',').as_slice(), b"}"].concat()),
    );
}

/// Reasoning that stands in tags before the answer, and the answer.
fn thought(content: &[u8]) -> Option<(String, String)> {
    let tag = ["think", "thinking"]
        .into_iter()
        .find(|tag| content.starts_with(format!("\"<{tag}>").as_bytes()))?;
    let whole = json_scan::text_of(content)?;
    let (reasoning, rest) = whole
        .strip_prefix(&format!("<{tag}>"))?
        .split_once(&format!("</{tag}>"))?;
    Some((reasoning.to_owned(), rest.to_owned()))
}

/// A choice of a whole answer: it always has a reason, and one of OpenAI's.
pub(super) fn choice(fields: &mut Fields) {
    if find(fields, "finish_reason").is_none() {
        put(fields, "finish_reason", Bytes::from_static(b"\"stop\""));
    } else {
        name_reason(fields);
    }
}

/// A choice of a chunk: a reason, if it has one, is one of OpenAI's.
pub(super) fn streaming_choice(fields: &mut Fields) {
    name_reason(fields);
}

fn name_reason(fields: &mut Fields) {
    let Some(sent) = find(fields, "finish_reason").and_then(|json| json_scan::text_of(json)) else {
        return;
    };
    if FINISH_REASONS.contains(&&*sent) {
        return;
    }
    let ours = match &*sent {
        "max_tokens" | "MAX_TOKENS" | "model_length" => "length",
        "tool_use" => "tool_calls",
        "content_filtered" | "ERROR_TOXIC" | "SAFETY" | "RECITATION" | "refusal" => "content_filter",
        _ => "stop",
    };
    let native = Value::from(Map::from_iter([(
        "native_finish_reason".to_owned(),
        Value::from(&*sent),
    )]));
    put(fields, OWN, Bytes::from(native.to_string()));
    put(fields, "finish_reason", text(ours));
}

/// A chunk's part of a message: some providers call the reasoning otherwise.
pub(super) fn delta(fields: &mut Fields) {
    let Some(at) = fields.iter().position(|(key, _)| key.as_str() == "reasoning") else {
        return;
    };
    if find(fields, "reasoning_content").is_none() && find(fields, "reasoning").is_some_and(|r| r.starts_with(b"\"")) {
        let (_, reasoning) = fields.remove(at);
        if let Slot::Json(json) = reasoning {
            put(fields, "reasoning_content", json);
        }
    }
}

/// DeepSeek's count of cached tokens, where OpenAI's has its place.
pub(super) fn usage(fields: &mut Fields) {
    if let Some(hits) = find(fields, "prompt_cache_hit_tokens").filter(|json| json.as_ref() != b"0")
        && find(fields, "prompt_tokens_details").is_none()
    {
        let details = [b"{\"cached_tokens\":", hits.as_ref(), b"}"].concat();
        put(fields, "prompt_tokens_details", Bytes::from(details));
    }
}

/// A whole answer: without a usage it has one of zeros.
pub(super) fn response(fields: &mut Fields) {
    if find(fields, "usage").is_none() && find(fields, "choices").is_some() {
        let zeros = b"{\"completion_tokens\":0,\"prompt_tokens\":0,\"total_tokens\":0}";
        put(fields, "usage", Bytes::from_static(zeros));
    }
}

/// The model that answered, with the provider's name before it.
pub(super) fn prefix_model(fields: &mut Fields, prefix: &str) {
    if let Some(model) = find(fields, "model").and_then(|json| json_scan::text_of(json)) {
        let named = format!("{prefix}/{model}");
        put(fields, "model", text(&named));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bridge::content::key_for;
    use crate::bridge::kinds;

    fn read(json: &'static str, by: fn(&mut Fields)) -> Value {
        let json = Bytes::from_static(json.as_bytes());
        let mut fields: Fields = json_scan::members(&json)
            .map(|(name, value)| {
                let name = String::from_utf8_lossy(name);
                (key_for(&kinds::MESSAGE, &name), Slot::Json(json.slice_ref(value)))
            })
            .collect();
        by(&mut fields);
        let mut out = Map::new();
        for (key, slot) in fields {
            if let Slot::Json(json) = slot {
                out.insert(key.as_str().to_owned(), serde_json::from_slice(&json).expect("JSON"));
            }
        }
        Value::from(out)
    }

    #[test]
    fn what_no_message_of_openais_has_stands_apart() {
        let read = read(r#"{"content":"a","reasoning":"b\n","odd":{"x":1}}"#, sdk_message);
        assert_eq!(read["reasoning_content"], "b\n");
        assert_eq!(read["odd"], Value::Null);
        assert_eq!(
            read[OWN].to_string(),
            r#"{"reasoning":"b\n","odd":{"x":1},"refusal":null}"#
        );
    }

    #[test]
    fn reasoning_in_tags_is_taken_out_of_the_text() {
        let whole = read(r#"{"content":"<think>a \"b\"</think>c"}"#, message);
        assert_eq!(
            (&whole["reasoning_content"], &whole["content"]),
            (&"a \"b\"".into(), &"c".into())
        );
        let open = read(r#"{"content":"<think>a"}"#, message);
        assert_eq!(open["content"], "<think>a");
    }

    #[test]
    fn every_choice_has_a_reason_of_openais() {
        assert_eq!(read(r#"{"finish_reason":null}"#, choice)["finish_reason"], "stop");
        let odd = read(r#"{"finish_reason":"eos"}"#, choice);
        assert_eq!(odd["finish_reason"], "stop");
        assert_eq!(odd[OWN]["native_finish_reason"], "eos");
        assert_eq!(
            read(r#"{"finish_reason":null}"#, streaming_choice)["finish_reason"],
            Value::Null
        );
    }
}
