//! Embeddings: one request of many texts.

use bytes::Bytes;
use serde_json::{Map, Value, json};

use super::NoEvents;
use crate::estimate::TextSize;
use crate::failure::Failure;
use crate::providers::dialect::{Answered, Events, Reading, bytes_of, object, refused};
use crate::providers::openai::{Facts, read_error};
use crate::providers::parameters::{Wishes, keep_supported};
use crate::providers::parts::Source;
use crate::providers::raw_object::member;

/// The body, and how much text it holds.
pub(super) fn word(body: &mut Map<String, Value>, wishes: &Wishes<'_>) -> Result<(Value, TextSize), Failure> {
    if body.get("encoding_format").is_some_and(|format| format == "float") {
        body.remove("encoding_format");
    }
    keep_supported(body, wishes, |name| name == "dimensions")?;
    let inputs = match body.remove("input") {
        Some(Value::Array(inputs)) => inputs,
        Some(one) => vec![one],
        None => Vec::new(),
    };
    let mut size = TextSize::default();
    let mut requests = Vec::with_capacity(inputs.len());
    for input in &inputs {
        let Some(text) = input.as_str() else {
            return Err(refused("the input of Gemini's embeddings must be texts, not tokens"));
        };
        let part = match Source::of_url(text, "") {
            Source::Data { media_type, base64 } if !media_type.is_empty() => {
                json!({"inline_data": {"mime_type": media_type, "data": base64}})
            }
            _ => {
                size.add(text);
                json!({"text": text})
            }
        };
        let mut request = json!({"model": format!("models/{}", wishes.model), "content": {"parts": [part]}});
        for (name, googles) in [
            ("dimensions", "outputDimensionality"),
            ("input_type", "taskType"),
            ("task_type", "taskType"),
            ("title", "title"),
        ] {
            if let Some(value) = body.get(name) {
                request[googles] = value.clone();
            }
        }
        requests.push(request);
    }
    Ok((json!({"requests": requests}), size))
}

/// How the answer is read.
#[derive(Debug)]
pub(super) struct Vectors {
    pub model: String,
    pub input: TextSize,
}

impl Reading for Vectors {
    fn answer(&self, body: &Bytes) -> Result<Answered, String> {
        let answer = object(body)?;
        if answer.get("error").is_some_and(|error| !error.is_null()) {
            return Ok(Answered::Error(read_error(body)));
        }
        let many = answer.get("embeddings").and_then(Value::as_array).map(Vec::as_slice);
        let vectors = many.unwrap_or_else(|| answer.get("embedding").map_or(&[], std::slice::from_ref));
        let data: Vec<Value> = vectors
            .iter()
            .enumerate()
            .map(|(at, vector)| json!({"object": "embedding", "index": at, "embedding": vector["values"]}))
            .collect();
        let reported = member(body, "usageMetadata");
        let counted = answer
            .get("usageMetadata")
            .and_then(|usage| usage["promptTokenCount"].as_u64());
        // Most answers count nothing: an estimate, as litellm gives; the record does not take it for a count.
        let tokens = counted.unwrap_or_else(|| self.input.tokens());
        let made = json!({"object": "list", "model": self.model, "data": data,
            "usage": {"prompt_tokens": tokens, "completion_tokens": 0, "total_tokens": tokens}});
        let facts = Facts {
            usage: reported.map(str::to_owned),
            ..Facts::default()
        };
        Ok(Answered::Whole(facts, bytes_of(&made)))
    }

    fn events(&self) -> Box<dyn Events> {
        Box::new(NoEvents)
    }
}
