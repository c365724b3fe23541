//! Ollama's dialect: its native chat, generate and embed, with streams of JSON lines.

use bytes::Bytes;
use serde_json::{Map, Value, json};

use super::Operation;
use super::dialect::{Answered, Asked, Dialect, Events, Reading, Worded, refused, secret_header};
use super::parameters::{keep_supported, unsupported};
use crate::failure::Failure;

mod answer;
mod prompt;

pub(super) use answer::counted;

/// What stands beside the options in a request.
const TOP: &[&str] = &["format", "keep_alive", "think", "raw", "template", "system", "suffix"];
/// litellm sends no more than these.
const MOST_STOPS: usize = 4;

/// How a conversation is put: as messages (`ollama_chat`), or as litellm's prompt for a completion (`ollama`).
#[derive(Debug)]
pub(crate) struct Ollama {
    pub as_messages: bool,
}

impl Dialect for Ollama {
    fn word(&self, asked: Asked<'_>) -> Result<Worded, Failure> {
        let Asked { mut body, wishes, .. } = asked;
        let headers = match asked.key {
            Some(key) => vec![(http::header::AUTHORIZATION, secret_header(&format!("Bearer {key}"))?)],
            None => Vec::new(),
        };
        let reading = |embeds| -> Option<Box<dyn Reading>> {
            Some(Box::new(Generated {
                model: wishes.model.to_owned(),
                prefixed: format!("{}/{}", wishes.provider, wishes.model),
                include_usage: asked.include_usage,
                embeds,
            }))
        };
        let mut out = Map::new();
        out.insert("model".to_owned(), wishes.model.into());
        if asked.operation == Operation::Embeddings {
            embed(&mut body, &mut out, &wishes)?;
            return Ok(Worded {
                uri: asked.endpoint.with_path("/api/embed"),
                headers,
                body: Value::Object(out),
                reading: reading(true),
            });
        }
        keep_supported(&mut body, &wishes, supports)?;
        body.remove("cache_control_injection_points");
        // Taken, as litellm takes it, and not sent.
        body.remove("user");
        // Which tool is called cannot be said.
        body.remove("tool_choice");
        let functions = body.remove("functions");
        let tools = body
            .remove("tools")
            .or_else(|| functions.map(|functions| as_tools(&functions)));
        let tools = tools.filter(|tools| tools.as_array().is_some_and(|tools| !tools.is_empty()));
        let messages = body.remove("messages");
        // A prompt has no place for tools: with them the conversation goes as messages.
        let as_messages = self.as_messages || tools.is_some();
        if as_messages {
            out.insert("messages".to_owned(), prompt::messages(messages)?.into());
        } else {
            let (prompt, images) = prompt::of(messages)?;
            out.insert("prompt".to_owned(), prompt.into());
            out.insert("images".to_owned(), images.into());
        }
        if let Some(tools) = tools {
            out.insert("tools".to_owned(), tools);
        }
        settings(&mut body, &mut out, wishes.model);
        for (name, value) in &mut body {
            if TOP.contains(&name.as_str()) || asked.extra.contains(name) {
                out.insert(name.clone(), value.take());
            }
        }
        body.retain(|_, value| !value.is_null());
        let mut options = out.remove("options").unwrap_or_else(|| json!({}));
        if let Some(options) = options.as_object_mut() {
            options.append(&mut body);
        }
        out.insert("options".to_owned(), options);
        out.insert("stream".to_owned(), asked.streaming.into());
        let path = if as_messages { "/api/chat" } else { "/api/generate" };
        Ok(Worded {
            uri: asked.endpoint.with_path(path),
            headers,
            body: Value::Object(out),
            reading: reading(false),
        })
    }

    fn has_strict_schemas(&self) -> bool {
        true
    }
}

fn supports(name: &str) -> bool {
    matches!(
        name,
        "frequency_penalty"
            | "functions"
            | "max_completion_tokens"
            | "max_tokens"
            | "reasoning_effort"
            | "response_format"
            | "seed"
            | "stop"
            | "temperature"
            | "tool_choice"
            | "tools"
            | "top_p"
            | "user"
    )
}

fn as_tools(functions: &Value) -> Value {
    let functions = functions.as_array().into_iter().flatten();
    functions
        .map(|function| json!({"type": "function", "function": function}))
        .collect()
}

fn settings(body: &mut Map<String, Value>, out: &mut Map<String, Value>, model: &str) {
    let mut options = Map::new();
    for (name, ollamas) in [
        ("temperature", "temperature"),
        ("top_p", "top_p"),
        ("seed", "seed"),
        ("frequency_penalty", "repeat_penalty"),
        ("max_tokens", "num_predict"),
        ("max_completion_tokens", "num_predict"),
    ] {
        if let Some(value) = body.remove(name) {
            options.insert(ollamas.to_owned(), value);
        }
    }
    if let Some(mut stop) = body.remove("stop") {
        if let Some(stops) = stop.as_array_mut() {
            stops.truncate(MOST_STOPS);
        }
        options.insert("stop".to_owned(), stop);
    }
    out.insert("options".to_owned(), Value::Object(options));
    if let Some(format) = body.remove("response_format") {
        if let Some(schema) = format["json_schema"].get("schema") {
            out.insert("format".to_owned(), schema.clone());
        } else if format["type"] == "json_object" {
            out.insert("format".to_owned(), "json".into());
        }
    }
    if let Some(effort) = body.remove("reasoning_effort") {
        let effort = effort
            .as_str()
            .or_else(|| effort["effort"].as_str())
            .unwrap_or_default();
        let thinks = !matches!(effort, "none" | "minimal" | "disable");
        // OpenAI's open models take the level itself.
        let think = if thinks && model.starts_with("gpt-oss") {
            json!(effort)
        } else {
            json!(thinks)
        };
        out.insert("think".to_owned(), think);
    }
}

fn embed(
    body: &mut Map<String, Value>,
    out: &mut Map<String, Value>,
    wishes: &super::parameters::Wishes<'_>,
) -> Result<(), Failure> {
    for name in ["encoding_format", "user"] {
        if body.remove(name).is_some() && !wishes.drop_params {
            return Err(unsupported(format!(
                "{} does not support {name} for embeddings. To leave it out, set drop_params=True",
                wishes.provider
            )));
        }
    }
    let input = body.remove("input").unwrap_or_else(|| json!([]));
    let is_text = |input: &Value| input.is_string();
    if !is_text(&input) && !input.as_array().is_some_and(|inputs| inputs.iter().all(is_text)) {
        return Err(refused(
            "the input of Ollama's embeddings must be a text or a list of texts, not tokens",
        ));
    }
    out.insert("input".to_owned(), input);
    for name in ["dimensions", "keep_alive", "truncate"] {
        if let Some(value) = body.remove(name) {
            out.insert(name.to_owned(), value);
        }
    }
    if !body.is_empty() {
        out.insert("options".to_owned(), Value::Object(std::mem::take(body)));
    }
    Ok(())
}

/// How the answer to one request is read.
#[derive(Debug)]
struct Generated {
    model: String,
    /// With litellm's prefix, as its whole answers name the model.
    prefixed: String,
    include_usage: bool,
    embeds: bool,
}

impl Reading for Generated {
    fn answer(&self, body: &Bytes) -> Result<Answered, String> {
        if self.embeds {
            answer::vectors(body, &self.prefixed)
        } else {
            answer::read(body, &self.prefixed)
        }
    }

    fn events(&self) -> Box<dyn Events> {
        Box::new(answer::Lines::new(&self.model, self.include_usage))
    }

    fn streams_lines(&self) -> bool {
        true
    }
}
