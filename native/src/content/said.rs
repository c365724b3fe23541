//! What a model answered, whole or in pieces, as the conventions' output messages: one for each choice.

use std::collections::BTreeMap;

use bytes::Bytes;
use serde_json::{Map, Value, json};

use super::parts::{message, text_parts};
use crate::surface::Surface;

/// The output messages of an answer, or of a stream's events.
pub(super) fn output(surface: Surface, said: &[Bytes], failed: bool) -> Vec<Value> {
    let documents: Vec<Value> = said
        .iter()
        .filter_map(|data| serde_json::from_slice(data).ok())
        .collect();
    match surface {
        Surface::Responses => response(&documents, failed),
        Surface::Messages => anthropic(&documents, failed),
        Surface::Chat | Surface::TextCompletion | Surface::Provider => choices(&documents, failed),
        _ => Vec::new(),
    }
}

/// The conventions' word for why a model stopped.
fn finish_reason(reason: Option<&str>, failed: bool) -> &str {
    match reason {
        Some("tool_calls" | "function_call" | "tool_use") => "tool_call",
        Some("end_turn" | "stop_sequence" | "completed" | "pause_turn") => "stop",
        Some("max_tokens" | "max_output_tokens" | "incomplete" | "model_length") => "length",
        Some("refusal") => "content_filter",
        Some("failed") => "error",
        Some(other) => other,
        None if failed => "error",
        None => "stop",
    }
}

fn finished(mut message: Value, reason: Option<&str>, failed: bool) -> Value {
    message["finish_reason"] = Value::from(finish_reason(reason, failed));
    message
}

fn choices(documents: &[Value], failed: bool) -> Vec<Value> {
    let mut whole: BTreeMap<u64, (Map<String, Value>, Option<String>)> = BTreeMap::new();
    for (at, choice) in documents
        .iter()
        .filter_map(|document| document["choices"].as_array())
        .flat_map(|choices| choices.iter().enumerate())
    {
        let index = choice["index"].as_u64().unwrap_or(at as u64);
        let (message, reason) = whole.entry(index).or_default();
        if let Some(said) = choice["finish_reason"].as_str() {
            *reason = Some(said.to_owned());
        }
        let piece = ["message", "delta"]
            .into_iter()
            .find_map(|name| choice[name].as_object());
        for (name, value) in piece.into_iter().flatten() {
            add(message, name, value);
        }
        if let Some(text) = choice.get("text").filter(|text| text.is_string()) {
            add(message, "content", text);
        }
    }
    let made = whole.into_values().map(|(mut said, reason)| {
        said.insert("role".to_owned(), Value::from("assistant"));
        finished(message(&said), reason.as_deref(), failed)
    });
    made.collect()
}

/// Adds a piece of a message to what came before it: texts go on, tool calls by their index.
fn add(message: &mut Map<String, Value>, name: &str, value: &Value) {
    match (message.get_mut(name), value) {
        (_, Value::Null) => {}
        (Some(Value::String(text)), Value::String(more)) => text.push_str(more),
        (Some(Value::Array(calls)), Value::Array(more)) if name == "tool_calls" => {
            more.iter().for_each(|call| add_call(calls, call));
        }
        (None, Value::Array(more)) if name == "tool_calls" => {
            let mut calls = Vec::new();
            more.iter().for_each(|call| add_call(&mut calls, call));
            message.insert(name.to_owned(), Value::Array(calls));
        }
        (Some(Value::Array(items)), Value::Array(more)) => items.extend(more.iter().cloned()),
        _ => {
            message.insert(name.to_owned(), value.clone());
        }
    }
}

fn add_call(calls: &mut Vec<Value>, call: &Value) {
    let known = call["index"]
        .as_u64()
        .and_then(|index| calls.iter_mut().find(|known| known["index"].as_u64() == Some(index)));
    let Some(known) = known else {
        calls.push(call.clone());
        return;
    };
    if let (Some(text), Some(more)) = (
        known["function"]["arguments"].as_str(),
        call["function"]["arguments"].as_str(),
    ) {
        known["function"]["arguments"] = Value::from(format!("{text}{more}"));
    }
}

fn response(documents: &[Value], failed: bool) -> Vec<Value> {
    let whole = documents
        .iter()
        .rev()
        .find_map(|document| match document.get("response") {
            Some(response) => response["output"]
                .as_array()
                .filter(|output| !output.is_empty())
                .map(|_| response),
            None => document.get("output").map(|_| document),
        });
    let Some(whole) = whole else {
        let text: String = documents
            .iter()
            .filter(|document| document["type"] == "response.output_text.delta")
            .filter_map(|document| document["delta"].as_str())
            .collect();
        let message = json!({"role": "assistant", "parts": text_parts(&Value::from(text)).collect::<Vec<_>>()});
        return if documents.is_empty() {
            Vec::new()
        } else {
            vec![finished(message, None, failed)]
        };
    };
    let parts: Vec<Value> = whole["output"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_object)
        .flat_map(|item| match message(item)["parts"].take() {
            Value::Array(parts) => parts,
            _ => Vec::new(),
        })
        .collect();
    let calls = parts.iter().any(|part| part["type"] == "tool_call");
    let reason = if calls {
        Some("tool_calls")
    } else {
        whole["status"].as_str()
    };
    vec![finished(json!({"role": "assistant", "parts": parts}), reason, failed)]
}

fn anthropic(documents: &[Value], failed: bool) -> Vec<Value> {
    let mut blocks: BTreeMap<u64, Value> = BTreeMap::new();
    let mut reason = None;
    for document in documents {
        let index = document["index"].as_u64().unwrap_or(0);
        match document["type"].as_str() {
            Some("message") => {
                let content = document["content"].as_array().into_iter().flatten();
                blocks.extend((0..).zip(content.cloned()));
                reason = document["stop_reason"].as_str();
            }
            Some("content_block_start") => {
                blocks.insert(index, document["content_block"].clone());
            }
            Some("content_block_delta") => {
                let Some(block) = blocks.get_mut(&index) else { continue };
                for (piece, name) in [("text", "text"), ("thinking", "thinking"), ("partial_json", "input")] {
                    if let Some(more) = document["delta"][piece].as_str() {
                        let before = block[name].as_str().unwrap_or_default();
                        block[name] = Value::from(format!("{before}{more}"));
                    }
                }
            }
            Some("message_delta") => reason = document["delta"]["stop_reason"].as_str().or(reason),
            _ => {}
        }
    }
    let blocks = Value::Array(blocks.into_values().collect());
    let parts: Vec<Value> = text_parts(&blocks).collect();
    if documents.is_empty() {
        return Vec::new();
    }
    vec![finished(json!({"role": "assistant", "parts": parts}), reason, failed)]
}
