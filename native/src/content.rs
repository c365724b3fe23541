//! What was asked and answered, in the conventions' own form: kept only where the program wants its content recorded.
//!
//! Schemas: `gen-ai-input-messages.json`, `-output-messages.json`, `-system-instructions.json` and `-tool-definitions.json`
//! of the conventions 1.42.

mod limit;
mod parts;
mod said;

use bytes::Bytes;
use serde_json::{Map, Value, json};

use self::parts::{message, text_parts};
use crate::surface::Surface;

/// Bytes of an answer that are kept, and of a call's content once it is in its form.
const MOST_SAID: usize = 4 << 20;
const MOST_RECORDED: usize = 256 << 10;

/// Where content goes: `OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT`. Wherever it goes, it goes into the ledger too.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Capture {
    #[default]
    Nowhere = 0,
    Spans = 1,
    Events = 2,
    SpansAndEvents = 3,
}

impl Capture {
    /// OpenTelemetry's values, and the old `true`; None for a text that is none of them.
    pub(crate) fn named(name: &str) -> Option<Self> {
        match name.trim().to_ascii_lowercase().as_str() {
            "no_content" | "none" | "false" | "0" | "off" => Some(Self::Nowhere),
            "event_only" => Some(Self::Events),
            "span_only" | "true" | "1" | "on" => Some(Self::Spans),
            "span_and_event" => Some(Self::SpansAndEvents),
            _ => None,
        }
    }

    pub(crate) fn on_spans(self) -> bool {
        matches!(self, Self::Spans | Self::SpansAndEvents)
    }

    pub(crate) fn on_events(self) -> bool {
        matches!(self, Self::Events | Self::SpansAndEvents)
    }
}

/// The content of a call under way: the request's parts as JSON, and the answer as it came.
#[derive(Clone, Debug, Default)]
pub(crate) struct Content {
    /// A JSON object with the request's own names: `messages`, `input`, `prompt`, `system`, `instructions`, `tools`.
    asked: String,
    said: Vec<Bytes>,
    said_bytes: usize,
}

impl Content {
    pub(crate) fn new(asked: String) -> Self {
        Self {
            asked,
            said: Vec::new(),
            said_bytes: 0,
        }
    }

    /// Keeps an answer, which takes the place of an earlier attempt's.
    pub(crate) fn answer(&mut self, body: &Bytes) {
        self.said.clear();
        self.said_bytes = 0;
        self.chunk(body);
    }

    /// Keeps an event of a stream.
    pub(crate) fn chunk(&mut self, data: &Bytes) {
        if self.said_bytes + data.len() <= MOST_SAID {
            self.said_bytes += data.len();
            self.said.push(data.clone());
        }
    }

    pub(crate) fn weight(&self) -> usize {
        self.asked.len() + self.said_bytes
    }

    /// The column `content`: a JSON object of `input`, `output`, `system_instructions` and `tool_definitions`; None where
    /// nothing is known.
    pub(crate) fn into_json(self, surface: Surface, failed: bool) -> Option<String> {
        let asked: Map<String, Value> = serde_json::from_str(&self.asked).unwrap_or_default();
        let mut content = Map::new();
        let input = input(&asked);
        if !input.is_empty() {
            content.insert("input".to_owned(), Value::Array(input));
        }
        let output = said::output(surface, &self.said, failed);
        if !output.is_empty() {
            content.insert("output".to_owned(), Value::Array(output));
        }
        let instructions: Vec<Value> = ["system", "instructions"]
            .into_iter()
            .filter_map(|name| asked.get(name))
            .flat_map(text_parts)
            .collect();
        if !instructions.is_empty() {
            content.insert("system_instructions".to_owned(), Value::Array(instructions));
        }
        let tools = parts::tool_definitions(asked.get("tools"));
        if !tools.is_empty() {
            content.insert("tool_definitions".to_owned(), Value::Array(tools));
        }
        (!content.is_empty()).then(|| limit::fitted(content, MOST_RECORDED))
    }
}

/// The messages that a model was given.
fn input(asked: &Map<String, Value>) -> Vec<Value> {
    let given = ["messages", "input", "prompt"]
        .into_iter()
        .find_map(|name| asked.get(name));
    match given {
        Some(Value::Array(items)) => items
            .iter()
            .map(|item| match item {
                Value::Object(item) => message(item),
                // A list of texts: of embeddings, or of completions.
                other => json!({"role": "user", "parts": text_parts(other).collect::<Vec<_>>()}),
            })
            .filter(|message| message["parts"].as_array().is_some_and(|parts| !parts.is_empty()))
            .collect(),
        Some(text @ Value::String(_)) => {
            vec![json!({"role": "user", "parts": text_parts(text).collect::<Vec<_>>()})]
        }
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn content(asked: &Value, said: &[Value], surface: Surface) -> Value {
        let mut content = Content::new(asked.to_string());
        for data in said {
            content.chunk(&Bytes::from(data.to_string()));
        }
        serde_json::from_str(&content.into_json(surface, false).unwrap()).unwrap()
    }

    #[test]
    fn chat() {
        let asked = json!({"messages": [
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": [{"type": "text", "text": "What is it?"},
                {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}]},
            {"role": "assistant", "content": null, "tool_calls": [
                {"id": "c1", "type": "function", "function": {"name": "look", "arguments": "{\"at\":1}"}}]},
            {"role": "tool", "tool_call_id": "c1", "content": "a cat"},
        ]});
        let answer = json!({"choices": [{"index": 0, "finish_reason": "stop",
            "message": {"role": "assistant", "content": "A cat.", "reasoning_content": "Hm."}}]});
        assert_eq!(
            content(&asked, &[answer], Surface::Chat),
            json!({
                "input": [
                    {"role": "system", "parts": [{"type": "text", "content": "Be brief."}]},
                    {"role": "user", "parts": [{"type": "text", "content": "What is it?"},
                        {"type": "blob", "modality": "image", "mime_type": "image/png", "content": "AAAA"}]},
                    {"role": "assistant", "parts": [
                        {"type": "tool_call", "id": "c1", "name": "look", "arguments": {"at": 1}}]},
                    {"role": "tool", "parts": [{"type": "tool_call_response", "id": "c1", "response": "a cat"}]},
                ],
                "output": [{"role": "assistant", "finish_reason": "stop", "parts": [
                    {"type": "reasoning", "content": "Hm."}, {"type": "text", "content": "A cat."}]}],
            })
        );
    }

    #[test]
    fn a_stream_is_put_together() {
        let chunk =
            |delta: Value, finish: Value| json!({"choices": [{"index": 0, "delta": delta, "finish_reason": finish}]});
        let call = |name: Value, arguments: &str| json!({"tool_calls": [{"index": 0, "id": "c1", "function": {"name": name, "arguments": arguments}}]});
        let said = [
            chunk(json!({"role": "assistant", "content": "A "}), Value::Null),
            chunk(json!({"content": "cat."}), Value::Null),
            chunk(call(json!("look"), "{\"at\""), Value::Null),
            chunk(call(Value::Null, ":1}"), json!("tool_calls")),
        ];
        let found = content(&json!({"messages": []}), &said, Surface::Chat);
        assert_eq!(
            found["output"],
            json!([{"role": "assistant", "finish_reason": "tool_call", "parts": [
                {"type": "text", "content": "A cat."},
                {"type": "tool_call", "id": "c1", "name": "look", "arguments": {"at": 1}}]}])
        );
    }

    #[test]
    fn other_dialects() {
        let asked = json!({"system": "Brief.", "messages": [{"role": "user", "content": [
            {"type": "tool_result", "tool_use_id": "t1", "content": "4"}]}]});
        let said = [
            json!({"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}}),
            json!({"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "Four."}}),
            json!({"type": "message_delta", "delta": {"stop_reason": "end_turn"}}),
        ];
        let found = content(&asked, &said, Surface::Messages);
        assert_eq!(
            found["system_instructions"],
            json!([{"type": "text", "content": "Brief."}])
        );
        assert_eq!(
            found["input"][0]["parts"],
            json!([{"type": "tool_call_response", "id": "t1", "response": "4"}])
        );
        assert_eq!(
            found["output"],
            json!([{"role": "assistant", "finish_reason": "stop", "parts": [{"type": "text", "content": "Four."}]}])
        );
        let said = [
            json!({"type": "response.completed", "response": {"status": "completed", "output": [
            {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "Hi."}]}]}}),
        ];
        let found = content(&json!({"input": "Hello"}), &said, Surface::Responses);
        assert_eq!(
            found["input"],
            json!([{"role": "user", "parts": [{"type": "text", "content": "Hello"}]}])
        );
        assert_eq!(found["output"][0]["parts"], json!([{"type": "text", "content": "Hi."}]));
    }

    #[test]
    fn tools_of_every_dialect() {
        let tools = json!([
            {"type": "function", "function": {"name": "look", "parameters": {}}},
            {"type": "function", "name": "typed", "parameters": {}},
            {"name": "anthropic", "input_schema": {}},
            {"type": "web_search_20250305", "name": "web_search"},
            {"type": "web_search"},
            {"no": "name"},
            "none",
        ]);
        let found = content(&json!({"input": "Hello", "tools": tools}), &[], Surface::Responses);
        let named = |kind: &str, name: &str| json!({"type": kind, "name": name});
        assert_eq!(
            found["tool_definitions"],
            json!([
                named("function", "look"),
                named("function", "typed"),
                named("function", "anthropic"),
                named("web_search_20250305", "web_search"),
                named("web_search", "web_search"),
            ])
        );
    }

    #[test]
    fn what_is_too_long_is_cut_and_stays_json() {
        let messages: Vec<Value> = (0..2_000)
            .map(|n| json!({"role": "user", "content": format!("{n}{}", "é".repeat(2_000))}))
            .collect();
        let mut long = Content::new(json!({ "messages": messages }).to_string());
        long.chunk(&Bytes::from_static(
            br#"{"choices":[{"message":{"content":"yes"},"finish_reason":"stop"}]}"#,
        ));
        let text = long.into_json(Surface::Chat, false).unwrap();
        assert!(text.len() <= MOST_RECORDED);
        let found: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(found["output"][0]["parts"][0]["content"], "yes");
        // The last messages are what the answer is about.
        let last = found["input"].as_array().unwrap().last().unwrap();
        assert!(last["parts"][0]["content"].as_str().unwrap().starts_with("1999"));
    }
}
