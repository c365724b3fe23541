//! A stream of message events as OpenAI's chunks.

use std::borrow::Cow;

use bytes::Bytes;
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value, json};

use super::answer::{error_in, estimated, finish_reason};
use super::{JSON_TOOL, usage};
use crate::json_text;
use crate::providers::chunks::Chunks;
use crate::providers::dialect::Events;
use crate::providers::native_usage;
use crate::providers::openai::{EventKind, Facts};
use crate::providers::python_json::dumps;
use crate::providers::raw_object::{RawObject, member};

#[derive(Deserialize)]
struct Event<'a> {
    #[serde(borrow, default, rename = "type")]
    kind: Cow<'a, str>,
    #[serde(default)]
    index: u64,
    #[serde(borrow, default)]
    delta: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Delta<'a> {
    #[serde(borrow, default, rename = "type")]
    kind: Cow<'a, str>,
    #[serde(borrow, default)]
    text: Option<&'a RawValue>,
    #[serde(borrow, default)]
    thinking: Option<&'a RawValue>,
    #[serde(borrow, default)]
    signature: Option<&'a RawValue>,
    #[serde(borrow, default)]
    partial_json: Option<&'a RawValue>,
    #[serde(borrow, default)]
    citation: Option<&'a RawValue>,
}

/// A block that is a tool's call.
#[derive(Debug)]
struct OpenTool {
    block: u64,
    /// Its place among the calls of the answer.
    index: usize,
    has_arguments: bool,
    /// It stands in for `response_format`: what it gets is the answer's text.
    is_answer: bool,
}

#[derive(Debug)]
pub(super) struct MessageEvents {
    chunks: Chunks,
    unwraps_json: bool,
    include_usage: bool,
    usage: RawObject,
    reasoning: String,
    tools: usize,
    open: Option<OpenTool>,
}

impl MessageEvents {
    pub(super) fn new(model: &str, unwraps_json: bool, include_usage: bool) -> Self {
        Self {
            chunks: Chunks::new(model),
            unwraps_json,
            include_usage,
            usage: RawObject::default(),
            reasoning: String::new(),
            tools: 0,
            open: None,
        }
    }

    fn message_starts(&mut self, facts: &mut Facts, event: &Value, raw: &[u8]) {
        let message = &event["message"];
        let text = |name: &str| message[name].as_str().map(str::to_owned);
        (facts.response_id, facts.model) = (text("id"), text("model"));
        self.chunks.identify(facts.response_id.as_deref().unwrap_or_default());
        let usage = member(raw, "message").and_then(|message| member(message.as_bytes(), "usage"));
        self.take_usage(facts, &message["usage"], usage);
        // As an event, until a later one completes it: what a stream left early has counted is the input alone.
        facts.usage = usage.map(native_usage::as_start);
    }

    fn take_usage(&mut self, facts: &mut Facts, usage: &Value, raw: Option<&str>) {
        self.usage.merge(raw.unwrap_or_default().as_bytes());
        if let Some(tier) = usage["service_tier"].as_str() {
            facts.service_tier = Some(tier.to_owned());
        }
    }

    fn message_changes(&mut self, facts: &mut Facts, event: &Value, raw: &[u8], out: &mut Vec<Bytes>) {
        self.take_usage(facts, &event["usage"], member(raw, "usage"));
        facts.usage = (!self.usage.is_empty()).then(|| self.usage.to_json());
        let Some(reason) = event["delta"]["stop_reason"].as_str() else {
            return;
        };
        let mut reason = finish_reason(Some(reason));
        if self.unwraps_json && reason == "tool_calls" {
            reason = "stop";
        }
        facts.finish_reasons = vec![reason.to_owned()];
        out.push(self.chunks.finish(0, reason));
        if self.include_usage {
            let reasoning = estimated(Some(&self.reasoning));
            let usage: Map<String, Value> = serde_json::from_str(&self.usage.to_json()).unwrap_or_default();
            out.push(self.chunks.usage(&usage::translate(&usage, reasoning)));
        }
    }

    fn block_starts(&mut self, facts: &mut Facts, event: &Value, out: &mut Vec<Bytes>) {
        let block = &event["content_block"];
        let at = event["index"].as_u64().unwrap_or(0);
        match block["type"].as_str().unwrap_or_default() {
            "tool_use" | "server_tool_use" | "mcp_tool_use" => {
                let is_answer = self.unwraps_json && block["name"] == JSON_TOOL;
                let whole = block["input"].as_object().filter(|input| !input.is_empty());
                let arguments = whole.map_or_else(String::new, |input| dumps(&Value::Object(input.clone())));
                facts.written.add(block["name"].as_str().unwrap_or_default());
                self.open = Some(OpenTool {
                    block: at,
                    index: self.tools,
                    has_arguments: !arguments.is_empty(),
                    is_answer,
                });
                if is_answer {
                    return;
                }
                let call = json!([{"index": self.tools, "id": block["id"], "type": "function",
                    "function": {"name": block["name"], "arguments": arguments}}]);
                self.tools += 1;
                out.push(self.chunks.delta(0, &format!("\"content\":\"\",\"tool_calls\":{call}")));
            }
            "text" => {
                if let Some(text) = block["text"].as_str().filter(|text| !text.is_empty()) {
                    facts.written.add(text);
                    out.push(self.chunks.delta(0, &format!("\"content\":{}", block["text"])));
                }
            }
            "redacted_thinking" => self.thinking_block(block, "", out),
            "web_search_tool_result" => {
                let fields = json!({"web_search_results": [block]});
                out.push(self.specific(&fields));
            }
            kind if kind.ends_with("_tool_result") => {
                let fields = json!({"tool_results": [block]});
                out.push(self.specific(&fields));
            }
            _ => {}
        }
    }

    fn specific(&mut self, fields: &Value) -> Bytes {
        self.chunks
            .delta(0, &format!("\"content\":\"\",\"provider_specific_fields\":{fields}"))
    }

    fn thinking_block(&mut self, block: &Value, reasoning: &str, out: &mut Vec<Bytes>) {
        let delta = format!(
            "\"reasoning_content\":{},\"thinking_blocks\":[{block}],\"provider_specific_fields\":{{\"thinking_blocks\":[{block}]}},\"content\":\"\"",
            Value::from(reasoning)
        );
        out.push(self.chunks.delta(0, &delta));
    }

    fn block_changes(&mut self, facts: &mut Facts, index: u64, delta: &Delta<'_>, out: &mut Vec<Bytes>) {
        match &*delta.kind {
            "text_delta" => {
                if let Some(raw) = delta.text {
                    facts.written.add(&text_of(raw));
                    out.push(self.chunks.delta(0, &format!("\"content\":{raw}")));
                }
            }
            "thinking_delta" => {
                let text = delta.thinking.map(text_of).unwrap_or_default();
                facts.written.add(&text);
                self.reasoning.push_str(&text);
                self.thinking_block(&json!({"type": "thinking", "thinking": text}), &text, out);
            }
            "signature_delta" => {
                let signature = delta.signature.map(text_of).unwrap_or_default();
                let block = json!({"type": "thinking", "thinking": "", "signature": signature});
                self.thinking_block(&block, "", out);
            }
            "input_json_delta" => {
                if let Some(raw) = delta.partial_json {
                    facts.written.add(&text_of(raw));
                    self.arguments(index, raw.get(), out);
                }
            }
            "citations_delta" => {
                if let Some(citation) = delta.citation {
                    let fields = format!("\"content\":\"\",\"provider_specific_fields\":{{\"citation\":{citation}}}");
                    out.push(self.chunks.delta(0, &fields));
                }
            }
            _ => {}
        }
    }

    /// `json`: a piece of the arguments, as a JSON string.
    fn arguments(&mut self, block: u64, json: &str, out: &mut Vec<Bytes>) {
        let Some(tool) = self.open.as_mut().filter(|tool| tool.block == block) else {
            return;
        };
        tool.has_arguments |= json.len() > 2;
        let delta = if tool.is_answer {
            format!("\"content\":{json}")
        } else {
            format!(
                "\"content\":\"\",\"tool_calls\":[{{\"index\":{},\"type\":\"function\",\"function\":{{\"arguments\":{json}}}}}]",
                tool.index
            )
        };
        out.push(self.chunks.delta(0, &delta));
    }

    /// A call without arguments has an empty object for them, as in a whole answer.
    fn block_stops(&mut self, index: u64, out: &mut Vec<Bytes>) {
        if self
            .open
            .as_ref()
            .is_some_and(|tool| tool.block == index && !tool.has_arguments)
        {
            self.arguments(index, "\"{}\"", out);
        }
        self.open.take_if(|tool| tool.block == index);
    }
}

impl Events for MessageEvents {
    fn read(&mut self, facts: &mut Facts, data: &Bytes, out: &mut Vec<Bytes>) -> EventKind {
        let trimmed = data.trim_ascii();
        if trimmed.is_empty() {
            return EventKind::Empty;
        }
        let invalid = |error: serde_json::Error| {
            EventKind::Invalid(format!("an event of the stream is not the JSON expected: {error}"))
        };
        let event: Event<'_> = match serde_json::from_slice(trimmed) {
            Ok(event) => event,
            Err(error) => return invalid(error),
        };
        match &*event.kind {
            "content_block_delta" => {
                match event.delta.map(|delta| serde_json::from_str::<Delta<'_>>(delta.get())) {
                    Some(Ok(delta)) => self.block_changes(facts, event.index, &delta, out),
                    Some(Err(error)) => return invalid(error),
                    None => {}
                }
                return kind_of(out);
            }
            "content_block_stop" => {
                self.block_stops(event.index, out);
                return kind_of(out);
            }
            "message_stop" => return EventKind::Done,
            "ping" => return EventKind::Empty,
            _ => {}
        }
        let whole: Value = match serde_json::from_slice(trimmed) {
            Ok(whole) => whole,
            Err(error) => return invalid(error),
        };
        match &*event.kind {
            "message_start" => self.message_starts(facts, &whole, trimmed),
            "message_delta" => self.message_changes(facts, &whole, trimmed, out),
            "content_block_start" => self.block_starts(facts, &whole, out),
            _ => {
                if let Some(error) = whole.as_object().and_then(error_in) {
                    return EventKind::Error(error);
                }
            }
        }
        kind_of(out)
    }
}

fn kind_of(out: &[Bytes]) -> EventKind {
    if out.is_empty() {
        EventKind::Empty
    } else {
        EventKind::Chunk
    }
}

/// A JSON string's text.
fn text_of(raw: &RawValue) -> Cow<'_, str> {
    json_text::text_of(raw.get()).unwrap_or_default()
}
