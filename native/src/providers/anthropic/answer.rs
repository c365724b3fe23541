//! A whole message as OpenAI's chat completion.

use serde_json::{Map, Value, json};

use super::{JSON_TOOL, usage};
use crate::estimate::TextSize;
use crate::ids;
use crate::providers::dialect::{Answered, bytes_of, object};
use crate::providers::openai::{Facts, ProviderError};
use crate::providers::python_json::dumps;
use crate::providers::raw_object::member;

pub(super) fn read(body: &[u8], unwraps_json: bool) -> Result<Answered, String> {
    let message = object(body)?;
    if let Some(error) = error_in(&message) {
        return Ok(Answered::Error(error));
    }
    let text = |name: &str| message.get(name).and_then(Value::as_str).map(str::to_owned);
    let mut blocks = Blocks::default();
    for block in message.get("content").and_then(Value::as_array).into_iter().flatten() {
        blocks.add(block);
    }
    let mut reason = finish_reason(message.get("stop_reason").and_then(Value::as_str)).to_owned();
    let mut made = blocks.into_message();
    if unwraps_json && let Some(content) = unwrapped(&made) {
        made = json!({"role": "assistant", "content": content});
        reason = "stop".to_owned();
    }
    let facts = Facts {
        response_id: text("id"),
        model: text("model"),
        finish_reasons: vec![reason.clone()],
        usage: member(body, "usage").map(str::to_owned),
        service_tier: message
            .get("usage")
            .and_then(|usage| usage["service_tier"].as_str())
            .map(str::to_owned),
        ..Facts::default()
    };
    let reasoning = estimated(made["reasoning_content"].as_str());
    let mut answer = json!({
        "id": facts.response_id, "created": ids::wall_clock_ns() / 1_000_000_000, "model": facts.model,
        "object": "chat.completion",
        "choices": [{"finish_reason": reason, "index": 0, "message": made}],
    });
    if let Some(usage) = message.get("usage").and_then(Value::as_object) {
        answer["usage"] = usage::translate(usage, reasoning);
    }
    Ok(Answered::Whole(facts, bytes_of(&answer)))
}

/// An error object, whatever the status it came with.
pub(super) fn error_in(message: &Map<String, Value>) -> Option<ProviderError> {
    let error = message.get("error").filter(|error| !error.is_null())?;
    let code = error["type"].as_str().map(str::to_owned);
    Some(ProviderError {
        message: error["message"]
            .as_str()
            .map_or_else(|| error.to_string(), str::to_owned),
        status: code.as_deref().and_then(status_of),
        code,
    })
}

/// The statuses that Anthropic documents for its types of errors (docs.anthropic.com/en/api/errors); litellm raises an
/// overload as 500.
fn status_of(kind: &str) -> Option<u16> {
    Some(match kind {
        "invalid_request_error" => 400,
        "authentication_error" => 401,
        "permission_error" => 403,
        "not_found_error" => 404,
        "request_too_large" => 413,
        "rate_limit_error" => 429,
        "api_error" | "overloaded_error" => 500,
        "timeout_error" => 504,
        _ => return None,
    })
}

pub(super) fn finish_reason(reason: Option<&str>) -> &str {
    match reason {
        Some("end_turn" | "stop_sequence" | "pause_turn") | None => "stop",
        Some("max_tokens" | "model_context_window_exceeded" | "compaction") => "length",
        Some("tool_use") => "tool_calls",
        Some("refusal") => "content_filter",
        Some(other) => other,
    }
}

pub(super) fn estimated(reasoning: Option<&str>) -> u64 {
    let mut size = TextSize::default();
    size.add(reasoning.unwrap_or_default());
    size.tokens()
}

/// The text of the one call of the tool that stands in for `response_format`.
fn unwrapped(message: &Value) -> Option<String> {
    let calls = message["tool_calls"].as_array()?;
    let call = calls.iter().find(|call| call["function"]["name"] == JSON_TOOL)?;
    call["function"]["arguments"].as_str().map(str::to_owned)
}

/// A message's blocks, sorted by what they become.
#[derive(Default)]
struct Blocks {
    count: usize,
    text: String,
    has_text: bool,
    reasoning: String,
    thinking: Vec<Value>,
    tool_calls: Vec<Value>,
    citations: Vec<Value>,
    search_results: Vec<Value>,
    other_results: Vec<Value>,
}

impl Blocks {
    fn add(&mut self, block: &Value) {
        let at = self.count;
        self.count += 1;
        match block["type"].as_str().unwrap_or_default() {
            "text" => {
                let text = block["text"].as_str().unwrap_or_default();
                self.has_text = true;
                self.text.push_str(text);
                self.cite(block, text);
            }
            "thinking" => {
                self.reasoning.push_str(block["thinking"].as_str().unwrap_or_default());
                self.thinking.push(block.clone());
            }
            "redacted_thinking" => self.thinking.push(block.clone()),
            "tool_use" | "server_tool_use" | "mcp_tool_use" => {
                let function = json!({"name": block["name"], "arguments": dumps(&block["input"])});
                self.tool_calls
                    .push(json!({"index": at, "id": block["id"], "type": "function", "function": function}));
            }
            "web_search_tool_result" => self.search_results.push(block.clone()),
            kind if kind.ends_with("_tool_result") => self.other_results.push(block.clone()),
            _ => {}
        }
    }

    fn cite(&mut self, block: &Value, text: &str) {
        let Some(citations) = block["citations"].as_array() else {
            return;
        };
        let cited = citations.iter().map(|citation| {
            let mut citation = citation.clone();
            citation["supported_text"] = text.into();
            citation
        });
        self.citations.push(cited.collect());
    }

    fn into_message(self) -> Value {
        let mut message = json!({"role": "assistant", "content": null});
        if self.has_text {
            message["content"] = self.text.into();
        }
        let searches: Vec<Value> = self
            .search_results
            .iter()
            .filter_map(|result| search_call(result, &self.tool_calls))
            .collect();
        let mut fields = Map::new();
        let mut keep = |name: &str, list: Vec<Value>| {
            let value = if list.is_empty() {
                Value::Null
            } else {
                Value::Array(list)
            };
            if !value.is_null() || name == "citations" || name == "thinking_blocks" {
                fields.insert(name.to_owned(), value);
            }
        };
        keep("citations", self.citations);
        keep("thinking_blocks", self.thinking.clone());
        keep("web_search_results", self.search_results);
        keep("web_search_calls", searches);
        keep("tool_results", self.other_results);
        message["provider_specific_fields"] = Value::Object(fields);
        if !self.tool_calls.is_empty() {
            message["tool_calls"] = self.tool_calls.into();
        }
        if !self.thinking.is_empty() {
            message["thinking_blocks"] = self.thinking.into();
            message["reasoning_content"] = self.reasoning.into();
        }
        message
    }
}

/// A search as OpenAI's responses describe one.
fn search_call(result: &Value, calls: &[Value]) -> Option<Value> {
    let id = result["tool_use_id"].as_str()?;
    let call = calls.iter().find(|call| call["id"] == id)?;
    let arguments: Value = serde_json::from_str(call["function"]["arguments"].as_str()?).ok()?;
    let query = &arguments["query"];
    let sources: Vec<Value> = result["content"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|found| json!({"type": "url", "url": found["url"]}))
        .collect();
    Some(
        json!({"id": format!("ws_{id}"), "type": "web_search_call", "status": "completed",
        "action": {"type": "search", "queries": [query], "query": query, "sources": sources}}),
    )
}
