//! Anthropic's dialect: messages.

use bytes::Bytes;
use http::{HeaderName, HeaderValue};
use serde_json::{Map, Value, json};

use super::Operation;
use super::dialect::{Answered, Asked, Dialect, Events, Reading, Worded, refused, secret_header};
use super::model_facts::ModelFacts;
use super::parameters::{Wishes, keep_supported, unsupported};
use crate::failure::Failure;

mod answer;
mod messages;
mod schema;
mod stream;
mod thinking;
mod tools;
pub(super) mod usage;

/// The version of the API that this dialect is written for (docs.anthropic.com/en/api/versioning).
const VERSION: &str = "2023-06-01";
/// Where the model's own limit is not known: litellm's default.
const DEFAULT_MAX_TOKENS: u64 = 4096;
/// The tool that stands in for `response_format` with models that have no structured output; litellm's name for it.
pub(super) const JSON_TOOL: &str = "json_tool_call";

#[derive(Debug)]
pub(crate) struct Anthropic;

impl Dialect for Anthropic {
    fn word(&self, asked: Asked<'_>) -> Result<Worded, Failure> {
        if asked.operation == Operation::Embeddings {
            return Err(refused("Anthropic has no embeddings: use another provider's model"));
        }
        let Asked { mut body, wishes, .. } = asked;
        let facts = ModelFacts::of(wishes.provider, wishes.model);
        apply_injection_points(&mut body);
        let can_reason = if facts.is_known() {
            facts.can("supports_reasoning")
        } else {
            !is_old(wishes.model)
        };
        keep_supported(&mut body, &wishes, |name| supports(name, can_reason))?;
        let mut betas = Betas::default();
        let mut out = Map::new();
        out.insert("model".to_owned(), wishes.model.into());
        let (system, mut messages) = messages::translate(body.remove("messages"), &mut betas)?;
        if messages.is_empty() && wishes.modify_params {
            messages.push(messages::go_on());
        }
        if messages.is_empty() {
            return Err(refused(
                "Anthropic needs at least one message that is no system message",
            ));
        }
        let uses_tools = messages::use_tools(&messages);
        out.insert("messages".to_owned(), messages.into());
        if !system.is_empty() {
            out.insert("system".to_owned(), system.into());
        }
        sampling(&mut body, &mut out, facts, &wishes)?;
        tools::translate(&mut body, &mut out, &mut betas, facts, &wishes)?;
        if uses_tools && !out.contains_key("tools") {
            // The API refuses a conversation with tool calls whose tools are not named.
            out.insert("tools".to_owned(), json!([tools::placeholder()]));
        }
        let unwraps_json = schema::translate(&mut body, &mut out, &mut betas, facts, wishes.model);
        thinking::translate(&mut body, &mut out, facts, wishes.model)?;
        limit(&mut body, &mut out, facts);
        user(&mut body, &mut out, asked.metadata_user);
        // What is left is Anthropic's own: `top_k`, `context_management`, `mcp_servers`, …
        out.append(&mut body);
        if asked.streaming {
            out.insert("stream".to_owned(), true.into());
        }
        Ok(Worded {
            uri: asked.endpoint.with_versioned_path("/v1", "/messages"),
            headers: headers(asked.key, &betas)?,
            body: Value::Object(out),
            reading: Some(Box::new(Messages {
                model: wishes.model.to_owned(),
                unwraps_json,
                include_usage: asked.include_usage,
            })),
        })
    }
}

/// Models that the table has dropped, and that neither reason nor know structured output.
fn is_old(model: &str) -> bool {
    let is_third = model.starts_with("claude-3-") && !model.starts_with("claude-3-7");
    is_third || model.starts_with("claude-2") || model.starts_with("claude-instant")
}

fn supports(name: &str, can_reason: bool) -> bool {
    match name {
        "reasoning_effort" | "thinking" => can_reason,
        "max_completion_tokens"
        | "max_tokens"
        | "parallel_tool_calls"
        | "response_format"
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

/// Names for the header `anthropic-beta`.
#[derive(Debug, Default)]
struct Betas(Vec<&'static str>);

impl Betas {
    fn add(&mut self, name: &'static str) {
        if !self.0.contains(&name) {
            self.0.push(name);
        }
    }
}

fn headers(key: Option<&str>, betas: &Betas) -> Result<Vec<(HeaderName, HeaderValue)>, Failure> {
    let mut headers = vec![(
        HeaderName::from_static("anthropic-version"),
        HeaderValue::from_static(VERSION),
    )];
    if let Some(key) = key {
        // A token of a subscription is no API key; the API tells them apart by the header.
        if key.starts_with("sk-ant-oat") {
            headers.push((http::header::AUTHORIZATION, secret_header(&format!("Bearer {key}"))?));
        } else {
            headers.push((HeaderName::from_static("x-api-key"), secret_header(key)?));
        }
    }
    if !betas.0.is_empty()
        && let Ok(value) = HeaderValue::from_str(&betas.0.join(","))
    {
        headers.push((HeaderName::from_static("anthropic-beta"), value));
    }
    Ok(headers)
}

/// litellm's `cache_control_injection_points`: marks messages by role or index.
fn apply_injection_points(body: &mut Map<String, Value>) {
    let Some(points) = body.remove("cache_control_injection_points") else {
        return;
    };
    let Some(messages) = body.get_mut("messages").and_then(Value::as_array_mut) else {
        return;
    };
    for point in points.as_array().into_iter().flatten() {
        let control = point.get("control").cloned().unwrap_or(json!({"type": "ephemeral"}));
        let role = point.get("role").and_then(Value::as_str);
        let index = point.get("index").and_then(Value::as_i64).map(|index| {
            let from_end = i64::try_from(messages.len()).unwrap_or(0) + index;
            usize::try_from(if index < 0 { from_end } else { index }).unwrap_or(usize::MAX)
        });
        for (at, message) in messages.iter_mut().enumerate() {
            let is_meant = index.map_or_else(
                || role.is_some() && message["role"].as_str() == role,
                |index| index == at,
            );
            if let Some(message) = message.as_object_mut().filter(|_| is_meant) {
                match message.get_mut("content").and_then(Value::as_array_mut) {
                    Some(parts) => {
                        if let Some(part) = parts.last_mut().and_then(Value::as_object_mut) {
                            part.insert("cache_control".to_owned(), control.clone());
                        }
                    }
                    None => {
                        message.insert("cache_control".to_owned(), control.clone());
                    }
                }
            }
        }
    }
}

fn sampling(
    body: &mut Map<String, Value>,
    out: &mut Map<String, Value>,
    facts: ModelFacts,
    wishes: &Wishes<'_>,
) -> Result<(), Failure> {
    for name in ["temperature", "top_p"] {
        let Some(value) = body.remove(name) else { continue };
        if facts.cannot("supports_sampling_params") && value.as_f64() != Some(1.0) {
            if wishes.drop_params {
                continue;
            }
            return Err(unsupported(format!(
                "{} does not support {name}={value}; only 1 is supported. To leave it out, set drop_params=True",
                wishes.model
            )));
        }
        out.insert(name.to_owned(), value);
    }
    match body.remove("stop") {
        Some(Value::String(stop)) => {
            out.insert("stop_sequences".to_owned(), json!([stop]));
        }
        Some(stops) => {
            out.insert("stop_sequences".to_owned(), stops);
        }
        None => {}
    }
    Ok(())
}

/// The API takes no request without a limit: the model's own, where the caller set none.
fn limit(body: &mut Map<String, Value>, out: &mut Map<String, Value>, facts: ModelFacts) {
    let (old, new) = (body.remove("max_tokens"), body.remove("max_completion_tokens"));
    let given = new.or(old);
    let limit = given.unwrap_or_else(|| {
        let thinks = out
            .get("thinking")
            .and_then(|thinking| thinking["budget_tokens"].as_u64());
        match thinks {
            // The budget is a part of the limit.
            Some(budget) => budget + DEFAULT_MAX_TOKENS,
            None => facts.number("max_output_tokens").unwrap_or(DEFAULT_MAX_TOKENS),
        }
        .into()
    });
    out.insert("max_tokens".to_owned(), limit);
}

fn user(body: &mut Map<String, Value>, out: &mut Map<String, Value>, metadata_user: Option<String>) {
    let user = body.remove("user").and_then(|user| user.as_str().map(str::to_owned));
    // Anthropic forbids names and addresses there; litellm leaves out what looks like one.
    let user = user.filter(|user| !user.contains('@')).or(metadata_user);
    if let Some(user) = user {
        out.insert("metadata".to_owned(), json!({"user_id": user}));
    }
}

/// How the answer to one request is read.
#[derive(Debug)]
struct Messages {
    /// The model asked for: what litellm's chunks name.
    model: String,
    unwraps_json: bool,
    include_usage: bool,
}

impl Reading for Messages {
    fn answer(&self, body: &Bytes) -> Result<Answered, String> {
        answer::read(body, self.unwraps_json)
    }

    fn events(&self) -> Box<dyn Events> {
        Box::new(stream::MessageEvents::new(
            &self.model,
            self.unwraps_json,
            self.include_usage,
        ))
    }
}
