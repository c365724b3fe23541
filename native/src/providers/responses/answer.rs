//! A whole answer of chat's as a response.

use bytes::Bytes;
use serde_json::{Map, Value, json};

use crate::ids;
use crate::providers::dialect::bytes_of;

/// What of a request its response says again.
const ECHOED: &[&str] = &[
    "instructions",
    "metadata",
    "max_output_tokens",
    "parallel_tool_calls",
    "reasoning",
    "temperature",
    "text",
    "tool_choice",
    "tools",
    "top_p",
    "user",
];

/// What of its request a response says again.
#[derive(Clone, Debug)]
pub(crate) struct Echo(Map<String, Value>);

impl Echo {
    pub(super) fn of(body: &Map<String, Value>) -> Self {
        let mut echo = Map::new();
        // What it is where the request does not say.
        for (name, value) in [
            ("metadata", json!({})),
            ("parallel_tool_calls", false.into()),
            ("text", json!({})),
            ("tool_choice", "auto".into()),
            ("tools", json!([])),
        ] {
            echo.insert(name.to_owned(), value);
        }
        for (name, value) in body {
            if ECHOED.contains(&name.as_str()) {
                echo.insert(name.clone(), value.clone());
            }
        }
        Self(echo)
    }

    /// A response; `output`: its items.
    pub(super) fn response(&self, id: &str, created: &Value, model: &Value, status: &str, output: Vec<Value>) -> Value {
        let mut response = json!({"id": id, "object": "response", "created_at": created, "status": status,
            "error": null, "incomplete_details": null, "model": model, "output": output, "usage": null});
        if let Some(fields) = response.as_object_mut() {
            fields.extend(self.0.clone());
        }
        response
    }

    /// The response that a whole answer of chat's stands for.
    pub(super) fn response_of(&self, chat: &[u8]) -> Result<Bytes, String> {
        let answer: Value =
            serde_json::from_slice(chat).map_err(|error| format!("the body is not the JSON expected: {error}"))?;
        let choice = &answer["choices"][0];
        let (status, details) = status_of(choice["finish_reason"].as_str());
        let id = answer["id"].as_str().map_or_else(|| named("resp"), str::to_owned);
        let output = items(&choice["message"]);
        let mut response = self.response(&id, &answer["created"], &answer["model"], status, output);
        response["incomplete_details"] = details;
        response["usage"] = usage_of(&answer["usage"]);
        Ok(bytes_of(&response))
    }
}

/// An id of ours, for what the provider does not name.
pub(super) fn named(kind: &str) -> String {
    format!("{kind}_{:016x}{:016x}", ids::random_u64(), ids::random_u64())
}

/// The status of a response, and what is to be said of an incomplete one.
pub(super) fn status_of(finish_reason: Option<&str>) -> (&'static str, Value) {
    match finish_reason {
        Some("length") => ("incomplete", json!({"reason": "max_output_tokens"})),
        Some("content_filter") => ("incomplete", json!({"reason": "content_filter"})),
        _ => ("completed", Value::Null),
    }
}

fn items(message: &Value) -> Vec<Value> {
    let mut items = Vec::new();
    let text = |name: &str| message[name].as_str().filter(|text| !text.is_empty());
    if let Some(reasoning) = text("reasoning_content").or_else(|| text("reasoning")) {
        items.push(reasoning_item(&named("rs"), reasoning));
    }
    if let Some(said) = text("content") {
        let annotations = &message["annotations"];
        let annotations = annotations.as_array().cloned().unwrap_or_default();
        items.push(message_item(
            &named("msg"),
            "completed",
            vec![text_part(said, annotations)],
        ));
    }
    for call in message["tool_calls"].as_array().into_iter().flatten() {
        let (id, function) = (call["id"].as_str().unwrap_or_default(), &call["function"]);
        let arguments = function["arguments"].as_str().unwrap_or_default();
        items.push(call_item(
            id,
            function["name"].as_str().unwrap_or_default(),
            arguments,
            "completed",
        ));
    }
    items
}

pub(super) fn text_part(text: &str, annotations: Vec<Value>) -> Value {
    json!({"type": "output_text", "text": text, "annotations": annotations})
}

pub(super) fn message_item(id: &str, status: &str, content: Vec<Value>) -> Value {
    json!({"type": "message", "id": id, "status": status, "role": "assistant", "content": content})
}

pub(super) fn reasoning_item(id: &str, text: &str) -> Value {
    json!({"type": "reasoning", "id": id, "summary": [{"type": "summary_text", "text": text}]})
}

pub(super) fn call_item(call_id: &str, name: &str, arguments: &str, status: &str) -> Value {
    json!({"type": "function_call", "id": format!("fc_{call_id}"), "call_id": call_id, "name": name,
        "arguments": arguments, "status": status})
}

/// Chat's usage in the words of responses; null where there is none.
pub(super) fn usage_of(usage: &Value) -> Value {
    let Some(usage) = usage.as_object().filter(|usage| !usage.is_empty()) else {
        return Value::Null;
    };
    let mut said = Map::new();
    for (name, value) in usage {
        let name = match name.as_str() {
            "prompt_tokens" => "input_tokens",
            "completion_tokens" => "output_tokens",
            "prompt_tokens_details" => "input_tokens_details",
            "completion_tokens_details" => "output_tokens_details",
            "total_tokens" => "total_tokens",
            _ => continue,
        };
        said.insert(name.to_owned(), value.clone());
    }
    Value::Object(said)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_of_chat_becomes_a_response() {
        let asked = json!({"input": "x", "temperature": 0.5});
        let echo = Echo::of(asked.as_object().unwrap_or(&Map::new()));
        let chat = json!({"id": "c1", "created": 7, "model": "m", "choices": [{"finish_reason": "length", "message": {
            "content": "Hi.", "reasoning_content": "Hm.",
            "tool_calls": [{"id": "t", "function": {"name": "f", "arguments": "{}"}}]}}],
            "usage": {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5}});
        let body = echo.response_of(chat.to_string().as_bytes()).expect("a response");
        let response: Value = serde_json::from_slice(&body).expect("JSON");
        let kinds: Vec<&str> = response["output"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|i| i["type"].as_str())
            .collect();
        assert_eq!(kinds, ["reasoning", "message", "function_call"]);
        assert_eq!(
            (&response["id"], &response["status"]),
            (&"c1".into(), &"incomplete".into())
        );
        assert_eq!(
            response["usage"],
            json!({"input_tokens": 3, "output_tokens": 2, "total_tokens": 5})
        );
        assert_eq!(
            (&response["temperature"], &response["tool_choice"]),
            (&0.5.into(), &"auto".into())
        );
    }
}
