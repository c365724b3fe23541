//! A stream of partial answers as OpenAI's chunks.

use bytes::Bytes;
use serde_json::{Map, Value, json};

use super::answer::{METADATA, Parts, finish_reason, searches};
use super::plain_text::PlainText;
use super::usage;
use crate::json_text::text_of;
use crate::providers::chunks::Chunks;
use crate::providers::dialect::Events;
use crate::providers::openai::{EventKind, Facts, read_error};
use crate::providers::raw_object::member;

/// One candidate, as far as it has come.
#[derive(Debug, Default)]
struct Candidate {
    calls: usize,
    finish: Option<String>,
}

#[derive(Debug)]
pub(super) struct ContentEvents {
    chunks: Chunks,
    include_usage: bool,
    candidates: Vec<Candidate>,
    searches: usize,
}

/// A hostile index must not make the list of candidates grow without bound.
const MOST_CANDIDATES: usize = 1024;

impl ContentEvents {
    pub(super) fn new(model: &str, include_usage: bool) -> Self {
        Self {
            chunks: Chunks::new(model),
            include_usage,
            candidates: Vec::new(),
            searches: 0,
        }
    }

    fn open(&mut self, index: u64) -> &mut Candidate {
        let at = usize::try_from(index).unwrap_or(0).min(MOST_CANDIDATES);
        if self.candidates.len() <= at {
            self.candidates.resize_with(at + 1, Candidate::default);
        }
        &mut self.candidates[at]
    }

    fn name(&mut self, facts: &mut Facts, id: Option<&str>, model: Option<&str>) {
        if let Some(id) = id {
            self.chunks.identify(id);
            facts.response_id.get_or_insert_with(|| id.to_owned());
        }
        if let Some(model) = model {
            facts.model.get_or_insert_with(|| model.to_owned());
        }
    }

    fn plain_text(&mut self, facts: &mut Facts, event: &PlainText<'_>, out: &mut Vec<Bytes>) {
        self.name(facts, event.response_id.as_deref(), event.model_version.as_deref());
        count(facts, event.usage());
        let candidate = self.open(event.index());
        if let Some(reason) = event.finish_reason() {
            candidate.finish = Some(reason.to_owned());
        }
        let json = event.json();
        let text = text_of(json).unwrap_or_default();
        if !text.is_empty() {
            facts.written.add(&text);
            out.push(self.chunks.delta(event.index(), &format!("\"content\":{json}")));
        }
    }

    fn candidate(&mut self, facts: &mut Facts, found: &Value, out: &mut Vec<Bytes>) {
        let index = found["index"].as_u64().unwrap_or(0);
        let candidate = self.open(index);
        let parts = Parts::of(found, candidate.calls);
        candidate.calls += parts.tool_calls.len();
        if let Some(reason) = found["finishReason"].as_str() {
            candidate.finish = Some(reason.to_owned());
        }
        self.searches = self.searches.max(searches(found));
        let delta = delta(&parts, facts, found);
        if !delta.is_empty() {
            let text = Value::Object(delta).to_string();
            let inside = text.trim_start_matches('{');
            out.push(self.chunks.delta(index, inside.strip_suffix('}').unwrap_or(inside)));
        }
    }
}

/// Counts are cumulative: the last ones are the whole.
fn count(facts: &mut Facts, usage: Option<&str>) {
    if let Some(usage) = usage {
        usage.clone_into(facts.usage.get_or_insert_default());
    }
}

/// What a chunk says of these parts.
fn delta(parts: &Parts, facts: &mut Facts, found: &Value) -> Map<String, Value> {
    let mut made = Map::new();
    let mut put = |name: &str, value: Value| {
        made.insert(name.to_owned(), value);
    };
    if let Some(text) = parts.text.as_deref().filter(|text| !text.is_empty()) {
        facts.written.add(text);
        put("content", text.into());
    }
    if !parts.thinking.is_empty() {
        facts.written.add(&parts.reasoning);
        put("reasoning_content", parts.reasoning.as_str().into());
        if parts.thinking.iter().any(|block| block.get("signature").is_some()) {
            put("thinking_blocks", parts.thinking.clone().into());
        }
    }
    if !parts.tool_calls.is_empty() {
        for call in &parts.tool_calls {
            facts.written.add(call["function"]["name"].as_str().unwrap_or_default());
            facts
                .written
                .add(call["function"]["arguments"].as_str().unwrap_or_default());
        }
        put("tool_calls", parts.tool_calls.clone().into());
    }
    if !parts.images.is_empty() {
        put("images", parts.images.clone().into());
    }
    if let Some(audio) = &parts.audio {
        put("audio", audio.clone());
    }
    if !parts.signatures.is_empty() {
        put(
            "provider_specific_fields",
            json!({"thought_signatures": parts.signatures}),
        );
    }
    let annotations = super::answer::annotations(&found["groundingMetadata"]);
    if !annotations.is_empty() {
        put("annotations", annotations.into());
    }
    for (googles, name) in METADATA.iter().filter(|(googles, _)| *googles != "safetyRatings") {
        if let Some(value) = found.get(*googles) {
            put(name, json!([value]));
        }
    }
    made
}

impl Events for ContentEvents {
    fn read(&mut self, facts: &mut Facts, data: &Bytes, out: &mut Vec<Bytes>) -> EventKind {
        let trimmed = data.trim_ascii();
        if trimmed.is_empty() {
            return EventKind::Empty;
        }
        if let Some(event) = PlainText::read(trimmed) {
            self.plain_text(facts, &event, out);
            return if out.is_empty() {
                EventKind::Empty
            } else {
                EventKind::Chunk
            };
        }
        let event: Value = match serde_json::from_slice(trimmed) {
            Ok(event @ Value::Object(_)) => event,
            Ok(_) => return EventKind::Invalid("an event of the stream is not a JSON object".to_owned()),
            Err(error) => {
                return EventKind::Invalid(format!("an event of the stream is not the JSON expected: {error}"));
            }
        };
        if event.get("error").is_some_and(|error| !error.is_null()) {
            return EventKind::Error(read_error(trimmed));
        }
        self.name(facts, event["responseId"].as_str(), event["modelVersion"].as_str());
        count(facts, member(trimmed, "usageMetadata"));
        if event["promptFeedback"]["blockReason"].is_string() && self.candidates.is_empty() {
            self.candidates.push(Candidate {
                calls: 0,
                finish: Some("SAFETY".to_owned()),
            });
        }
        for candidate in event["candidates"].as_array().into_iter().flatten() {
            self.candidate(facts, candidate, out);
        }
        if out.is_empty() {
            EventKind::Empty
        } else {
            EventKind::Chunk
        }
    }

    /// The reasons come at the end: a later event may still add to a candidate that has named its own.
    fn end(&mut self, facts: &mut Facts, out: &mut Vec<Bytes>) {
        facts.finish_reasons.clear();
        for (at, candidate) in self.candidates.iter().enumerate() {
            let Some(native) = candidate.finish.as_deref() else {
                continue;
            };
            let reason = finish_reason(Some(native), candidate.calls > 0);
            facts.finish_reasons.push(reason.to_owned());
            out.push(self.chunks.finish(at as u64, reason));
        }
        let counted: Option<Map<String, Value>> =
            facts.usage.as_deref().and_then(|json| serde_json::from_str(json).ok());
        if let Some(counted) = counted.filter(|_| self.include_usage) {
            out.push(self.chunks.usage(&usage::translate(&counted, self.searches)));
        }
    }
}
