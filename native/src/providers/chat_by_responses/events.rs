//! A response's events as chat's chunks.

use bytes::Bytes;
use serde_json::{Map, Value, json};

use super::answer::{finish_reason, usage};
use crate::providers::chunks::Chunks;
use crate::providers::dialect::Events;
use crate::providers::openai::{EventKind, Facts};
use crate::surface::Surface;

#[derive(Debug)]
pub(super) struct ChatEvents {
    chunks: Chunks,
    include_usage: bool,
    /// Of each tool call that has begun: its place among the output's items.
    calls: Vec<u64>,
}

impl ChatEvents {
    pub(super) fn new(model: &str, include_usage: bool) -> Self {
        Self {
            chunks: Chunks::new(model),
            include_usage,
            calls: Vec::new(),
        }
    }

    fn take(&mut self, facts: &mut Facts, event: &Value, out: &mut Vec<Bytes>) {
        let delta = &event["delta"];
        match event["type"].as_str().unwrap_or_default() {
            "response.created" => self
                .chunks
                .identify(event["response"]["id"].as_str().unwrap_or_default()),
            "response.output_text.delta" => out.push(self.chunks.delta(0, &format!("\"content\":{delta}"))),
            "response.refusal.delta" => out.push(self.chunks.delta(0, &format!("\"refusal\":{delta}"))),
            "response.reasoning_summary_text.delta" | "response.reasoning_text.delta" => {
                out.push(self.chunks.delta(0, &format!("\"reasoning_content\":{delta}")));
            }
            "response.output_item.added" if event["item"]["type"] == "function_call" => {
                let item = &event["item"];
                let call = json!([{"index": self.calls.len(), "id": item["call_id"], "type": "function",
                    "function": {"name": item["name"], "arguments": ""}}]);
                self.calls.push(event["output_index"].as_u64().unwrap_or_default());
                facts.called_tools = true;
                out.push(self.chunks.delta(0, &format!("\"tool_calls\":{call}")));
            }
            "response.function_call_arguments.delta" => {
                let item = event["output_index"].as_u64().unwrap_or_default();
                if let Some(index) = self.calls.iter().position(|begun| *begun == item) {
                    let call = json!([{"index": index, "function": {"arguments": delta}}]);
                    out.push(self.chunks.delta(0, &format!("\"tool_calls\":{call}")));
                }
            }
            "response.completed" | "response.incomplete" => self.over(facts, &event["response"], out),
            _ => {}
        }
    }

    fn over(&mut self, facts: &mut Facts, response: &Value, out: &mut Vec<Bytes>) {
        let nothing = Map::new();
        let response = response.as_object().unwrap_or(&nothing);
        let reason = finish_reason(response, !self.calls.is_empty());
        facts.finish_reasons = vec![reason.to_owned()];
        out.push(self.chunks.finish(0, reason));
        let counted = response.get("usage").and_then(Value::as_object).map(usage);
        facts.usage = counted.as_ref().map(Value::to_string);
        if let Some(counted) = counted.filter(|_| self.include_usage) {
            out.push(self.chunks.usage(&counted));
        }
    }
}

impl Events for ChatEvents {
    fn read(&mut self, facts: &mut Facts, data: &Bytes, out: &mut Vec<Bytes>) -> EventKind {
        let kind = Surface::Responses.read_event(facts, data);
        if !matches!(kind, EventKind::Chunk | EventKind::Last) {
            return kind;
        }
        // It has been read as JSON already.
        let event: Value = serde_json::from_slice(data.trim_ascii()).unwrap_or_default();
        self.take(facts, &event, out);
        match kind {
            EventKind::Chunk if out.is_empty() => EventKind::Empty,
            kind => kind,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_response_streams_as_chunks() {
        let mut events = ChatEvents::new("o3-pro", true);
        let (mut facts, mut chunks) = (Facts::default(), Vec::new());
        let mut last = EventKind::Empty;
        for event in [
            r#"{"type":"response.created","response":{"id":"resp_1","model":"o3-pro-2025-06-10"}}"#,
            r#"{"type":"response.in_progress","response":{"id":"resp_1"}}"#,
            r#"{"type":"response.reasoning_summary_text.delta","output_index":0,"delta":"hm"}"#,
            r#"{"type":"response.output_text.delta","output_index":1,"delta":"Hi"}"#,
            r#"{"type":"response.output_item.added","output_index":2,"item":{"type":"function_call","call_id":"c","name":"f"}}"#,
            r#"{"type":"response.function_call_arguments.delta","output_index":2,"delta":"{}"}"#,
            r#"{"type":"response.completed","response":{"id":"resp_1","status":"completed","output":[],
                "usage":{"input_tokens":3,"output_tokens":2,"total_tokens":5}}}"#,
        ] {
            last = events.read(&mut facts, &Bytes::from(event), &mut chunks);
        }
        assert_eq!(last, EventKind::Last);
        let read: Vec<Value> = chunks
            .iter()
            .map(|chunk| serde_json::from_slice(chunk).expect("JSON"))
            .collect();
        let delta = |at: usize| &read[at]["choices"][0]["delta"];
        assert_eq!(delta(0)["reasoning_content"], "hm");
        assert_eq!((&delta(1)["content"], &read[1]["id"]), (&json!("Hi"), &json!("resp_1")));
        assert_eq!(delta(2)["tool_calls"][0]["id"], "c");
        assert_eq!(delta(3)["tool_calls"][0]["function"]["arguments"], "{}");
        assert_eq!(read[4]["choices"][0]["finish_reason"], "tool_calls");
        assert_eq!(read[5]["usage"]["prompt_tokens"], 3);
        assert_eq!(facts.model.as_deref(), Some("o3-pro-2025-06-10"));
        assert!(facts.usage.is_some_and(|usage| usage.contains("completion_tokens")));
    }
}
