//! Answers and lines of a stream, as OpenAI's dialect has them.

use bytes::Bytes;
use serde_json::{Map, Value, json};

use crate::ids;
use crate::json_scan;
use crate::providers::chunks::Chunks;
use crate::providers::dialect::{Answered, Events, bytes_of, object};
use crate::providers::openai::{EventKind, Facts, read_error};
use crate::providers::python_json::dumps;

fn new_call_id() -> String {
    format!("call_{}", ids::uuid_text(&ids::call_uid(ids::wall_clock_ns())))
}

/// What Ollama says of tokens and times stands among the answer's own fields.
fn usage(body: &[u8]) -> Option<String> {
    let fields: Vec<String> = json_scan::members(body)
        .filter(|(name, _)| name.ends_with(b"_count") || name.ends_with(b"_duration"))
        .map(|(name, value)| {
            format!(
                "\"{}\":{}",
                String::from_utf8_lossy(name),
                String::from_utf8_lossy(value)
            )
        })
        .collect();
    let counts = fields.iter().any(|field| field.contains("eval_count"));
    counts.then(|| format!("{{{}}}", fields.join(",")))
}

pub(in crate::providers) fn counted(answer: &Map<String, Value>) -> Option<Value> {
    let count = |name: &str| answer.get(name).and_then(Value::as_u64);
    let (prompt, completion) = (count("prompt_eval_count"), count("eval_count"));
    prompt.or(completion)?;
    let (prompt, completion) = (prompt.unwrap_or(0), completion.unwrap_or(0));
    Some(json!({"prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": prompt + completion}))
}

fn finish_reason(native: Option<&str>, has_calls: bool) -> &str {
    match native {
        _ if has_calls => "tool_calls",
        Some("load" | "unload") | None => "stop",
        Some(other) => other,
    }
}

/// Tool calls with the ids that Ollama does not give. `first`: how many the answer has had before.
fn tool_calls(message: &Value, first: usize) -> Vec<Value> {
    let calls = message["tool_calls"].as_array().into_iter().flatten();
    calls
        .enumerate()
        .map(|(at, call)| {
            let id = call["id"].as_str().map_or_else(new_call_id, str::to_owned);
            json!({"index": first + at, "id": id, "type": "function",
                "function": {"name": call["function"]["name"], "arguments": dumps(&call["function"]["arguments"])}})
        })
        .collect()
}

pub(super) fn read(body: &[u8], model: &str) -> Result<Answered, String> {
    let answer = object(body)?;
    if answer.get("error").is_some_and(|error| !error.is_null()) {
        return Ok(Answered::Error(read_error(body)));
    }
    let message = answer.get("message").unwrap_or(&Value::Null);
    let said = message["content"]
        .as_str()
        .or_else(|| answer.get("response").and_then(Value::as_str));
    let mut content = said.unwrap_or_default();
    let mut reasoning = message["thinking"]
        .as_str()
        .or_else(|| answer.get("thinking").and_then(Value::as_str));
    // Models that think aloud put it before their answer.
    if reasoning.is_none()
        && let Some((thought, rest)) = content
            .strip_prefix("<think>")
            .and_then(|rest| rest.split_once("</think>"))
    {
        (reasoning, content) = (Some(thought), rest);
    }
    let calls = tool_calls(message, 0);
    let reason = finish_reason(answer.get("done_reason").and_then(Value::as_str), !calls.is_empty()).to_owned();
    let mut made = json!({"role": "assistant", "content": content});
    if !calls.is_empty() {
        made["tool_calls"] = calls.into();
    }
    if let Some(reasoning) = reasoning.filter(|text| !text.is_empty()) {
        made["reasoning_content"] = reasoning.into();
    }
    let facts = Facts {
        model: answer.get("model").and_then(Value::as_str).map(str::to_owned),
        finish_reasons: vec![reason.clone()],
        usage: usage(body),
        ..Facts::default()
    };
    let mut whole = json!({
        "id": ids::completion_id(), "created": ids::wall_clock_ns() / 1_000_000_000, "model": model,
        "object": "chat.completion", "choices": [{"index": 0, "finish_reason": reason, "message": made}],
    });
    if let Some(counts) = counted(&answer) {
        whole["usage"] = counts;
    }
    Ok(Answered::Whole(facts, bytes_of(&whole)))
}

pub(super) fn vectors(body: &[u8], model: &str) -> Result<Answered, String> {
    let answer = object(body)?;
    if answer.get("error").is_some_and(|error| !error.is_null()) {
        return Ok(Answered::Error(read_error(body)));
    }
    let many = answer.get("embeddings").and_then(Value::as_array).map(Vec::as_slice);
    let vectors = many.unwrap_or_else(|| answer.get("embedding").map_or(&[], std::slice::from_ref));
    let data: Vec<Value> = vectors
        .iter()
        .enumerate()
        .map(|(at, vector)| json!({"object": "embedding", "index": at, "embedding": vector}))
        .collect();
    let tokens = answer.get("prompt_eval_count").and_then(Value::as_u64).unwrap_or(0);
    let facts = Facts {
        model: answer.get("model").and_then(Value::as_str).map(str::to_owned),
        usage: usage(body),
        ..Facts::default()
    };
    let whole = json!({"object": "list", "model": model, "data": data,
        "usage": {"prompt_tokens": tokens, "completion_tokens": 0, "total_tokens": tokens}});
    Ok(Answered::Whole(facts, bytes_of(&whole)))
}

/// The lines of one stream.
#[derive(Debug)]
pub(super) struct Lines {
    chunks: Chunks,
    include_usage: bool,
    calls: usize,
    /// Inside of `<think>`.
    thinks: bool,
}

impl Lines {
    pub(super) fn new(model: &str, include_usage: bool) -> Self {
        Self {
            chunks: Chunks::new(model),
            include_usage,
            calls: 0,
            thinks: false,
        }
    }

    fn say(&mut self, name: &str, text: &str, facts: &mut Facts, out: &mut Vec<Bytes>) {
        if !text.is_empty() {
            facts.written.add(text);
            out.push(self.chunks.delta(0, &format!("\"{name}\":{}", Value::from(text))));
        }
    }
}

impl Events for Lines {
    fn read(&mut self, facts: &mut Facts, data: &Bytes, out: &mut Vec<Bytes>) -> EventKind {
        let trimmed = data.trim_ascii();
        if trimmed.is_empty() {
            return EventKind::Empty;
        }
        let line = match object(trimmed) {
            Ok(line) => line,
            Err(message) => return EventKind::Invalid(message),
        };
        if line.get("error").is_some_and(|error| !error.is_null()) {
            return EventKind::Error(read_error(trimmed));
        }
        if let Some(model) = line.get("model").and_then(Value::as_str) {
            facts.model.get_or_insert_with(|| model.to_owned());
        }
        let message = line.get("message").unwrap_or(&Value::Null);
        let thought = message["thinking"]
            .as_str()
            .or_else(|| line.get("thinking").and_then(Value::as_str));
        self.say("reasoning_content", thought.unwrap_or_default(), facts, out);
        let said = message["content"]
            .as_str()
            .or_else(|| line.get("response").and_then(Value::as_str));
        match said.unwrap_or_default() {
            "<think>" => self.thinks = true,
            "</think>" => self.thinks = false,
            text => self.say(
                if self.thinks { "reasoning_content" } else { "content" },
                text,
                facts,
                out,
            ),
        }
        let calls = tool_calls(message, self.calls);
        if !calls.is_empty() {
            self.calls += calls.len();
            for call in &calls {
                facts
                    .written
                    .add(call["function"]["arguments"].as_str().unwrap_or_default());
            }
            out.push(self.chunks.delta(0, &format!("\"tool_calls\":{}", Value::from(calls))));
        }
        if line.get("done") == Some(&Value::Bool(true)) {
            let reason = finish_reason(line.get("done_reason").and_then(Value::as_str), self.calls > 0);
            facts.finish_reasons = vec![reason.to_owned()];
            out.push(self.chunks.finish(0, reason));
            facts.usage = usage(trimmed);
            if let Some(counts) = counted(&line).filter(|_| self.include_usage) {
                out.push(self.chunks.usage(&counts));
            }
            return EventKind::Done;
        }
        if out.is_empty() {
            EventKind::Empty
        } else {
            EventKind::Chunk
        }
    }
}
