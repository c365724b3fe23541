//! Gemini's dialect: generateContent of Google AI Studio.

use bytes::Bytes;
use http::HeaderName;
use serde_json::{Map, Value, json};

use super::Operation;
use super::dialect::{Answered, Asked, Dialect, Events, Reading, Worded, refused, secret_header};
use super::model_facts::ModelFacts;
use super::parameters::{Wishes, keep_supported};
use crate::failure::Failure;

mod answer;
mod contents;
mod embeddings;
mod images;
mod plain_text;
mod schema;
mod settings;
mod stream;
mod tools;
pub(super) mod usage;

/// Fields of the request beside contents, tools and the settings of the generation: Google's names and the ways that
/// Python programs write them.
const TOP: &[(&str, &str)] = &[
    ("safety_settings", "safetySettings"),
    ("safetySettings", "safetySettings"),
    ("cached_content", "cachedContent"),
    ("cachedContent", "cachedContent"),
];

#[derive(Debug)]
pub(crate) struct Gemini;

/// What a model can do, by the table or, where it lacks the model, by its name.
#[derive(Clone, Copy, Debug)]
struct Abilities<'a> {
    model: &'a str,
    reasons: bool,
    takes_system: bool,
    /// The third generation: levels of thinking instead of budgets.
    has_levels: bool,
}

impl<'a> Abilities<'a> {
    fn of(wishes: &Wishes<'a>) -> Self {
        let (model, facts) = (wishes.model, ModelFacts::of(wishes.provider, wishes.model));
        let is_old = ["gemini-1", "gemini-2.0", "gemma"]
            .iter()
            .any(|old| model.starts_with(old));
        let can = |ability| if facts.is_known() { facts.can(ability) } else { !is_old };
        Self {
            model,
            reasons: can("supports_reasoning"),
            takes_system: can("supports_system_messages"),
            has_levels: model.starts_with("gemini-3"),
        }
    }

    fn supports(&self, name: &str) -> bool {
        match name {
            "reasoning_effort" | "thinking" => self.reasons,
            "audio"
            | "frequency_penalty"
            | "presence_penalty"
            | "functions"
            | "logprobs"
            | "max_completion_tokens"
            | "max_tokens"
            | "modalities"
            | "n"
            | "parallel_tool_calls"
            | "response_format"
            | "seed"
            | "service_tier"
            | "stop"
            | "temperature"
            | "tool_choice"
            | "tools"
            | "top_p"
            | "user"
            | "web_search_options" => true,
            _ => false,
        }
    }
}

impl Dialect for Gemini {
    fn words(&self, operation: Operation) -> bool {
        operation.is_in_dialects() || operation == Operation::ImageGeneration
    }

    fn word(&self, asked: Asked<'_>) -> Result<Worded, Failure> {
        let Asked {
            mut body, mut wishes, ..
        } = asked;
        wishes.model = wishes.model.strip_prefix("models/").unwrap_or(wishes.model);
        let headers = match asked.key {
            Some(key) => vec![(HeaderName::from_static("x-goog-api-key"), secret_header(key)?)],
            None => Vec::new(),
        };
        let method = match (asked.operation, asked.streaming) {
            (Operation::Embeddings, _) => "batchEmbedContents",
            (Operation::ImageGeneration, _) => images::method(wishes.model),
            (_, false) => "generateContent",
            (_, true) => "streamGenerateContent",
        };
        let path = format!("/models/{}:{method}", wishes.model);
        let stream_query = (asked.streaming && asked.operation == Operation::Chat).then_some("alt=sse");
        let uri = asked.endpoint.with_path_and_query(&path, stream_query);
        if asked.operation == Operation::Embeddings {
            let (body, input) = embeddings::word(&mut body, &wishes)?;
            let reading: Option<Box<dyn Reading>> = Some(Box::new(embeddings::Vectors {
                model: wishes.model.to_owned(),
                input,
            }));
            return Ok(Worded {
                uri,
                headers,
                body,
                reading,
            });
        }
        if asked.operation == Operation::ImageGeneration {
            return Ok(Worded {
                uri,
                headers,
                body: images::word(&mut body, &wishes, asked.extra)?,
                reading: Some(Box::new(images::Painted)),
            });
        }
        let abilities = Abilities::of(&wishes);
        keep_supported(&mut body, &wishes, |name| abilities.supports(name))?;
        body.remove("cache_control_injection_points");
        let mut out = Map::new();
        let spoken = contents::translate(body.remove("messages"), &abilities)?;
        out.insert("contents".to_owned(), spoken.contents.into());
        if !spoken.system.is_empty() {
            out.insert("system_instruction".to_owned(), json!({"parts": spoken.system}));
        }
        tools::translate(&mut body, &mut out);
        let settings = settings::translate(&mut body, &abilities, spoken.resolution)?;
        if !settings.is_empty() {
            out.insert("generationConfig".to_owned(), Value::Object(settings));
        }
        if let Some(tier) = body.remove("service_tier") {
            // litellm's: whoever lets the provider choose gets its fast lane.
            let tier = if tier == "auto" { json!("priority") } else { tier };
            out.insert("serviceTier".to_owned(), tier);
        }
        for (name, value) in body {
            if let Some((_, googles)) = TOP.iter().find(|(known, _)| *known == name) {
                out.insert((*googles).to_owned(), value);
            } else if asked.extra.contains(&name) {
                // The API refuses what it does not know: only what was given in `extra_body` goes out unknown.
                out.insert(name, value);
            }
        }
        Ok(Worded {
            uri,
            headers,
            body: Value::Object(out),
            reading: Some(Box::new(Content {
                model: wishes.model.to_owned(),
                include_usage: asked.include_usage,
            })),
        })
    }
}

/// How the answer to one request is read.
#[derive(Debug)]
struct Content {
    model: String,
    include_usage: bool,
}

impl Reading for Content {
    fn answer(&self, body: &Bytes) -> Result<Answered, String> {
        answer::read(body, &self.model)
    }

    fn events(&self) -> Box<dyn Events> {
        Box::new(stream::ContentEvents::new(&self.model, self.include_usage))
    }
}

/// Embeddings and images come whole.
#[derive(Debug)]
pub(super) struct NoEvents;

impl Events for NoEvents {
    fn read(&mut self, _: &mut super::openai::Facts, _: &Bytes, _: &mut Vec<Bytes>) -> super::openai::EventKind {
        super::openai::EventKind::Invalid("this answer does not come as a stream".to_owned())
    }
}

/// A part that is not what a message may hold.
fn odd_part() -> Failure {
    refused("a part of a message must be a dict with a type that Gemini takes: text, image_url, file, input_audio")
}
