//! A whole answer as OpenAI's chat completion; and what its candidates hold, for streams too.

use serde_json::{Map, Value, json};

use super::usage;
use crate::ids;
use crate::providers::dialect::{Answered, bytes_of, object};
use crate::providers::openai::{Facts, read_error};
use crate::providers::python_json::dumps;
use crate::providers::raw_object::member;

pub(super) fn read(body: &[u8], asked_model: &str) -> Result<Answered, String> {
    let answer = object(body)?;
    if answer.get("error").is_some_and(|error| !error.is_null()) {
        return Ok(Answered::Error(read_error(body)));
    }
    let text = |name: &str| answer.get(name).and_then(Value::as_str).map(str::to_owned);
    let candidates = answer
        .get("candidates")
        .and_then(Value::as_array)
        .map_or(&[][..], Vec::as_slice);
    let mut choices: Vec<Value> = candidates
        .iter()
        .enumerate()
        .map(|(at, candidate)| choice(at, candidate))
        .collect();
    if candidates.is_empty() && answer.get("promptFeedback").is_some() {
        // The prompt was blocked: there is no candidate, and still an answer.
        choices.push(
            json!({"index": 0, "finish_reason": "content_filter", "message": {"role": "assistant", "content": null}}),
        );
    }
    let is_blocked = choices
        .first()
        .is_some_and(|choice| choice["finish_reason"] == "content_filter");
    let facts = Facts {
        response_id: text("responseId"),
        model: text("modelVersion"),
        finish_reasons: choices
            .iter()
            .filter_map(|choice| choice["finish_reason"].as_str().map(str::to_owned))
            .collect(),
        usage: member(body, "usageMetadata").map(str::to_owned),
        ..Facts::default()
    };
    let mut made = json!({
        "id": facts.response_id.clone().unwrap_or_else(ids::completion_id), "created": ids::wall_clock_ns() / 1_000_000_000,
        "model": facts.model.as_deref().unwrap_or(asked_model), "object": "chat.completion", "choices": choices,
    });
    if let Some(counts) = answer.get("usageMetadata").and_then(Value::as_object) {
        let mut counts = usage::translate(counts, candidates.iter().map(searches).sum());
        if let Some(counts) = counts.as_object_mut().filter(|_| is_blocked) {
            counts.retain(|name, _| !name.ends_with("_details"));
        }
        made["usage"] = counts;
    }
    for (googles, name) in METADATA {
        let found: Vec<&Value> = candidates
            .iter()
            .filter_map(|candidate| candidate.get(*googles))
            .collect();
        if !found.is_empty() {
            made[*name] = json!(found);
        }
    }
    Ok(Answered::Whole(facts, bytes_of(&made)))
}

/// What a candidate says beside its content, and litellm's names for it.
pub(super) const METADATA: &[(&str, &str)] = &[
    ("groundingMetadata", "vertex_ai_grounding_metadata"),
    ("urlContextMetadata", "vertex_ai_url_context_metadata"),
    ("safetyRatings", "vertex_ai_safety_results"),
    ("citationMetadata", "vertex_ai_citation_metadata"),
];

pub(super) fn searches(candidate: &Value) -> usize {
    candidate["groundingMetadata"]["webSearchQueries"]
        .as_array()
        .map_or(0, |queries| queries.len().min(1))
}

fn choice(at: usize, candidate: &Value) -> Value {
    let parts = Parts::of(candidate, 0);
    let native = candidate["finishReason"].as_str();
    let reason = finish_reason(native, !parts.tool_calls.is_empty());
    let is_blocked = reason == "content_filter";
    let mut message = parts.into_message();
    let annotations = annotations(&candidate["groundingMetadata"]);
    if !annotations.is_empty() {
        message["annotations"] = annotations.into();
    }
    let mut made =
        json!({"index": candidate["index"].as_u64().unwrap_or(at as u64), "finish_reason": reason, "message": message});
    if let Some(native) = native.filter(|_| !is_blocked) {
        made["provider_specific_fields"] = json!({"native_finish_reason": native});
    }
    if let Some(logprobs) = candidate.get("logprobsResult") {
        made["logprobs"] = self::logprobs(logprobs);
    }
    made
}

/// ai.google.dev/api/generate-content#FinishReason: what is neither an end nor a limit is a filter's work.
pub(super) fn finish_reason(native: Option<&str>, has_calls: bool) -> &'static str {
    match native {
        Some("MAX_TOKENS") => "length",
        None
        | Some(
            "STOP"
            | "FINISH_REASON_UNSPECIFIED"
            | "OTHER"
            | "MALFORMED_FUNCTION_CALL"
            | "UNEXPECTED_TOOL_CALL"
            | "TOO_MANY_TOOL_CALLS"
            | "MISSING_THOUGHT_SIGNATURE"
            | "MALFORMED_RESPONSE",
        ) => {
            if has_calls {
                "tool_calls"
            } else {
                "stop"
            }
        }
        Some(_) => "content_filter",
    }
}

/// A candidate's parts, sorted by what they become.
#[derive(Debug, Default)]
pub(super) struct Parts {
    pub text: Option<String>,
    pub reasoning: String,
    pub thinking: Vec<Value>,
    pub tool_calls: Vec<Value>,
    pub signatures: Vec<Value>,
    pub images: Vec<Value>,
    pub audio: Option<Value>,
}

impl Parts {
    /// `calls`: how many tool calls the candidate has made before.
    pub(super) fn of(candidate: &Value, calls: usize) -> Self {
        let mut parts = Self::default();
        for part in candidate["content"]["parts"].as_array().into_iter().flatten() {
            parts.add(part, calls);
        }
        parts
    }

    fn add(&mut self, part: &Value, calls: usize) {
        let signature = part.get("thoughtSignature").filter(|signature| signature.is_string());
        if let Some(call) = part.get("functionCall") {
            let arguments = call.get("args").map_or_else(|| "{}".to_owned(), dumps);
            let id = call["id"].as_str().map_or_else(call_id, str::to_owned);
            let mut made = json!({"index": calls + self.tool_calls.len(), "id": id, "type": "function",
                "function": {"name": call["name"], "arguments": arguments}});
            if let Some(signature) = signature {
                made["provider_specific_fields"] = json!({"thought_signature": signature});
            }
            self.tool_calls.push(made);
            return;
        }
        if let Some(text) = part["text"].as_str() {
            if part["thought"] == true {
                self.reasoning.push_str(text);
                let mut block = json!({"type": "thinking", "thinking": text});
                if let Some(signature) = signature {
                    block["signature"] = signature.clone();
                }
                self.thinking.push(block);
                return;
            }
            self.text.get_or_insert_default().push_str(text);
        }
        if let Some(data) = part.get("inlineData") {
            self.take_data(data);
        }
        self.signatures.extend(signature.cloned());
    }

    fn take_data(&mut self, data: &Value) {
        let mime_type = data["mimeType"].as_str().unwrap_or_default();
        let base64 = data["data"].as_str().unwrap_or_default();
        if mime_type.starts_with("audio/") {
            self.audio = Some(json!({"id": ids::completion_id(), "data": base64, "expires_at": 0, "transcript": ""}));
        } else {
            let url = json!({"url": format!("data:{mime_type};base64,{base64}"), "detail": "auto"});
            self.images
                .push(json!({"index": self.images.len(), "type": "image_url", "image_url": url}));
        }
    }

    fn into_message(self) -> Value {
        let mut message = json!({"role": "assistant", "content": self.text.filter(|text| !text.is_empty())});
        if !self.tool_calls.is_empty() {
            message["tool_calls"] = self.tool_calls.into();
        }
        if !self.thinking.is_empty() {
            message["reasoning_content"] = self.reasoning.into();
            message["thinking_blocks"] = self.thinking.into();
        }
        if !self.signatures.is_empty() {
            message["provider_specific_fields"] = json!({"thought_signatures": self.signatures});
        }
        if !self.images.is_empty() {
            message["images"] = self.images.into();
        }
        if let Some(audio) = self.audio {
            message["audio"] = audio;
        }
        message
    }
}

/// Gemini's calls seldom have an id, and OpenAI's must.
fn call_id() -> String {
    format!(
        "call_{}",
        ids::uuid_text(&ids::call_uid(ids::wall_clock_ns())).replace('-', "")
    )
}

/// What the grounding says of pieces of the text, as OpenAI's annotations.
pub(super) fn annotations(grounding: &Value) -> Vec<Value> {
    let chunks = &grounding["groundingChunks"];
    let supports = grounding["groundingSupports"].as_array().into_iter().flatten();
    supports
        .filter_map(|support| {
            let chunk = support["groundingChunkIndices"].get(0)?.as_u64()?;
            let web = chunks.get(usize::try_from(chunk).ok()?)?.get("web")?;
            let segment = &support["segment"];
            Some(json!({"type": "url_citation", "url_citation": {
                "start_index": segment["startIndex"].as_u64().unwrap_or(0), "end_index": segment["endIndex"],
                "title": web["title"], "url": web["uri"],
            }}))
        })
        .collect()
}

fn logprobs(result: &Value) -> Value {
    let token = |candidate: &Value| -> Map<String, Value> {
        let mut made = Map::new();
        made.insert("token".to_owned(), candidate["token"].clone());
        made.insert("logprob".to_owned(), candidate["logProbability"].clone());
        made
    };
    let chosen = result["chosenCandidates"].as_array().into_iter().flatten();
    let content: Vec<Value> = chosen
        .enumerate()
        .map(|(at, candidate)| {
            let mut made = token(candidate);
            let top = result["topCandidates"][at]["candidates"]
                .as_array()
                .into_iter()
                .flatten();
            made.insert(
                "top_logprobs".to_owned(),
                top.map(|one| Value::Object(token(one))).collect(),
            );
            Value::Object(made)
        })
        .collect();
    json!({"content": content})
}
