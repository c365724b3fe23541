//! A whole response as a chat completion.

use bytes::Bytes;
use serde_json::{Map, Value, json};

use crate::ids;
use crate::providers::dialect::{Answered, bytes_of, object};
use crate::surface::{AnswerProblem, Surface};

pub(super) fn read(body: &Bytes, asked_model: &str) -> Result<Answered, String> {
    let mut facts = match Surface::Responses.read_answer(body) {
        Ok(facts) => facts,
        Err(AnswerProblem::Failed(_, error)) => return Ok(Answered::Error(error)),
        Err(AnswerProblem::Unreadable(why)) => return Err(why),
    };
    let response = object(body)?;
    let message = message(&response);
    let reason = finish_reason(&response, message.get("tool_calls").is_some());
    facts.finish_reasons = vec![reason.to_owned()];
    let usage = response.get("usage").and_then(Value::as_object).map(usage);
    facts.usage = usage.as_ref().map(Value::to_string);
    let id = facts.response_id.clone();
    let mut made = json!({
        "id": id.unwrap_or_else(ids::completion_id),
        "created": ids::wall_clock_ns() / 1_000_000_000,
        "model": facts.model.as_deref().unwrap_or(asked_model),
        "object": "chat.completion",
        "choices": [{"index": 0, "finish_reason": reason, "message": message}],
    });
    if let Some(usage) = usage {
        made["usage"] = usage;
    }
    Ok(Answered::Whole(facts, bytes_of(&made)))
}

fn items(response: &Map<String, Value>) -> impl Iterator<Item = &Value> {
    response.get("output").and_then(Value::as_array).into_iter().flatten()
}

fn message(response: &Map<String, Value>) -> Map<String, Value> {
    let (mut text, mut reasoning) = (None::<String>, String::new());
    let (mut calls, mut thoughts, mut annotations) = (Vec::new(), Vec::new(), Vec::new());
    let mut message = Map::new();
    for item in items(response) {
        match item["type"].as_str() {
            Some("message") => {
                for part in item["content"].as_array().into_iter().flatten() {
                    if let Some(written) = part["text"].as_str() {
                        text.get_or_insert_default().push_str(written);
                    }
                    if let Some(refusal) = part.get("refusal") {
                        message.insert("refusal".to_owned(), refusal.clone());
                    }
                    annotations.extend(part["annotations"].as_array().into_iter().flatten().cloned());
                }
            }
            Some("function_call") => calls
                .push(json!({"index": calls.len(), "id": item["call_id"], "type": "function",
                "function": {"name": item["name"], "arguments": item["arguments"]}})),
            Some("reasoning") => {
                let summary = item["summary"].as_array().into_iter().flatten();
                reasoning.extend(summary.filter_map(|part| part["text"].as_str()));
                thoughts.push(json!({"type": "reasoning", "id": item["id"],
                    "encrypted_content": item["encrypted_content"], "summary": item["summary"]}));
            }
            _ => {}
        }
    }
    message.insert("role".to_owned(), "assistant".into());
    message.insert("content".to_owned(), text.map_or(Value::Null, Value::from));
    for (name, list) in [
        ("tool_calls", calls),
        ("annotations", annotations),
        ("reasoning_items", thoughts),
    ] {
        if !list.is_empty() {
            message.insert(name.to_owned(), list.into());
        }
    }
    if !reasoning.is_empty() {
        message.insert("reasoning_content".to_owned(), reasoning.into());
    }
    message
}

pub(super) fn finish_reason(response: &Map<String, Value>, has_calls: bool) -> &'static str {
    let cut = response
        .get("incomplete_details")
        .and_then(|details| details["reason"].as_str());
    match cut {
        Some("max_output_tokens") => "length",
        Some("content_filter") => "content_filter",
        _ if has_calls => "tool_calls",
        _ => "stop",
    }
}

/// A response's usage in chat's words.
pub(super) fn usage(usage: &Map<String, Value>) -> Value {
    let mut made = Map::new();
    for (theirs, chats) in [
        ("input_tokens", "prompt_tokens"),
        ("output_tokens", "completion_tokens"),
        ("total_tokens", "total_tokens"),
        ("input_tokens_details", "prompt_tokens_details"),
        ("output_tokens_details", "completion_tokens_details"),
    ] {
        if let Some(value) = usage.get(theirs).filter(|value| !value.is_null()) {
            made.insert(chats.to_owned(), value.clone());
        }
    }
    // What else a provider counts, such as its own price.
    for (name, value) in usage {
        if !name.starts_with("input_tokens") && !name.starts_with("output_tokens") {
            made.entry(name.clone()).or_insert_with(|| value.clone());
        }
    }
    Value::Object(made)
}
