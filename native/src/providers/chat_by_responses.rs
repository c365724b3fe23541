//! Chat with models that only have the Responses API: the request as a response's, what comes back as chat's.

mod answer;
mod events;
mod input;

use std::collections::HashMap;
use std::sync::{LazyLock, Mutex};

use bytes::Bytes;
use http::header::AUTHORIZATION;
use serde_json::{Map, Value, json};

use super::dialect::{Answered, Asked, Dialect, Events, Reading, Worded, secret_header};
use super::model_facts::ModelFacts;
use super::operation::Operation;
use super::parameters::keep_supported;
use crate::failure::Failure;

/// litellm's prefix of models that are to be asked so, behind the provider's.
const PREFIX: &str = "responses/";

/// Parameters of chat's that a response has by the same name.
const SAME: &[&str] = &[
    "include",
    "instructions",
    "parallel_tool_calls",
    "previous_response_id",
    "prompt_cache_key",
    "prompt_cache_retention",
    "reasoning",
    "safety_identifier",
    "service_tier",
    "store",
    "temperature",
    "text",
    "top_logprobs",
    "top_p",
    "truncation",
    "user",
];

/// A model without litellm's prefix, where it has it.
pub(crate) fn bare_model(provider: &str, model: &str) -> Option<String> {
    let bare = model.strip_prefix(PREFIX).filter(|_| provider == "openai")?;
    Some(bare.to_owned())
}

/// More models than a program asks.
const MOST_KNOWN: usize = 1024;

/// What the table says of models that were asked: a look into it takes over a microsecond, and every call would pay it.
static KNOWN: LazyLock<Mutex<HashMap<String, bool>>> = LazyLock::new(Mutex::default);

fn has_responses_alone(model: &str) -> bool {
    let look = || ModelFacts::of("openai", model).is_for("responses");
    // Not to be had: in a child that was forked while another thread held it, never again.
    let Ok(mut known) = KNOWN.try_lock() else {
        return look();
    };
    if let Some(answer) = known.get(model) {
        return *answer;
    }
    if known.len() >= MOST_KNOWN {
        known.clear();
    }
    let answer = look();
    known.insert(model.to_owned(), answer);
    answer
}

/// Whether the provider answers this chat only as a response: by the table, or because xAI searches the web only there.
pub(crate) fn is_needed(provider: &str, model: &str, searches_the_web: bool) -> bool {
    match provider {
        "openai" => has_responses_alone(model),
        "xai" => searches_the_web,
        _ => false,
    }
}

#[derive(Debug)]
pub(crate) struct ChatByResponses;

impl Dialect for ChatByResponses {
    fn word(&self, asked: Asked<'_>) -> Result<Worded, Failure> {
        let Asked { mut body, wishes, .. } = asked;
        keep_supported(&mut body, &wishes, supports)?;
        let (instructions, input) = input::items(body.remove("messages"))?;
        let mut out = Map::new();
        out.insert("model".to_owned(), wishes.model.into());
        out.insert("input".to_owned(), input.into());
        if !instructions.is_empty() {
            out.insert("instructions".to_owned(), instructions.into());
        }
        let mut tools = input::tools(body.remove("tools"));
        if let Some(options) = body.remove("web_search_options") {
            tools.push(web_search(wishes.provider, &options));
        }
        if !tools.is_empty() {
            out.insert("tools".to_owned(), tools.into());
        }
        if let Some(choice) = body.remove("tool_choice") {
            out.insert("tool_choice".to_owned(), input::tool_choice(choice));
        }
        let mut text = Map::new();
        if let Some(format) = body.remove("response_format") {
            text.insert("format".to_owned(), input::format(format));
        }
        if let Some(verbosity) = body.remove("verbosity") {
            text.insert("verbosity".to_owned(), verbosity);
        }
        if !text.is_empty() {
            out.insert("text".to_owned(), Value::Object(text));
        }
        let limit = body
            .remove("max_completion_tokens")
            .or_else(|| body.remove("max_tokens"));
        if let Some(limit) = limit {
            out.insert("max_output_tokens".to_owned(), limit);
        }
        match body.remove("reasoning_effort") {
            Some(effort @ Value::String(_)) => {
                out.insert("reasoning".to_owned(), json!({"effort": effort}));
            }
            Some(whole) => {
                out.insert("reasoning".to_owned(), whole);
            }
            None => {}
        }
        for (name, value) in body {
            if SAME.contains(&name.as_str()) || asked.extra.contains(&name) {
                out.insert(name, value);
            }
        }
        if asked.streaming {
            out.insert("stream".to_owned(), true.into());
        }
        let headers = match asked.key {
            Some(key) => vec![(AUTHORIZATION, secret_header(&format!("Bearer {key}"))?)],
            None => Vec::new(),
        };
        Ok(Worded {
            uri: asked.endpoint.with_path(Operation::Responses.path()),
            headers,
            body: Value::Object(out),
            reading: Some(Box::new(Responded {
                model: wishes.model.to_owned(),
                include_usage: asked.include_usage,
            })),
        })
    }

    fn has_strict_schemas(&self) -> bool {
        true
    }
}

fn supports(name: &str) -> bool {
    SAME.contains(&name)
        || matches!(
            name,
            "max_completion_tokens"
                | "max_tokens"
                | "reasoning_effort"
                | "response_format"
                | "tool_choice"
                | "tools"
                | "verbosity"
                | "web_search_options"
        )
}

/// The tool that stands for chat's option. Of its settings xAI takes none.
fn web_search(provider: &str, options: &Value) -> Value {
    let mut tool = json!({"type": "web_search"});
    for name in ["search_context_size", "user_location"] {
        if let Some(value) = options
            .get(name)
            .filter(|value| provider == "openai" && !value.is_null())
        {
            // Chat puts the place one level deeper.
            tool[name] = match value.get("approximate") {
                Some(Value::Object(place)) => {
                    let mut place = place.clone();
                    place.insert("type".to_owned(), "approximate".into());
                    Value::Object(place)
                }
                _ => value.clone(),
            };
        }
    }
    tool
}

/// How the answer to one request is read.
#[derive(Debug)]
struct Responded {
    model: String,
    include_usage: bool,
}

impl Reading for Responded {
    fn answer(&self, body: &Bytes) -> Result<Answered, String> {
        answer::read(body, &self.model)
    }

    fn events(&self) -> Box<dyn Events> {
        Box::new(events::ChatEvents::new(&self.model, self.include_usage))
    }
}
