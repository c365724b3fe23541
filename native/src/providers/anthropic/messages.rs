//! A conversation in Anthropic's words: system blocks apart, and messages whose roles alternate.

use serde_json::{Map, Value, json};

use super::Betas;
use crate::failure::Failure;
use crate::providers::dialect::refused;
use crate::providers::parts::{self, Source};

/// The API refuses empty text; litellm sends this in its place.
const EMPTY: &str = "[System: Empty message content sanitised to satisfy protocol]";
/// What a system message amid the conversation is introduced by, as in litellm.
const AMID: &str =
    "Operator note (not from the user): the following was originally a mid-conversation system-role reminder.";

/// The system blocks and the messages.
pub(super) fn translate(messages: Option<Value>, betas: &mut Betas) -> Result<(Vec<Value>, Vec<Value>), Failure> {
    let Some(Value::Array(messages)) = messages else {
        return Err(refused("messages must be a list of messages"));
    };
    let mut system = Vec::new();
    let mut turns = Turns::default();
    let last = messages.len().saturating_sub(1);
    for (at, message) in messages.into_iter().enumerate() {
        let Value::Object(message) = message else {
            return Err(refused("each message must be a dict with role and content"));
        };
        let role = message.get("role").and_then(Value::as_str).unwrap_or_default();
        match role {
            "system" | "developer" if turns.is_empty() => system_blocks(&message, &mut system),
            "system" | "developer" => {
                let mut blocks = vec![text_block(AMID)];
                system_blocks(&message, &mut blocks);
                turns.add("user", blocks);
            }
            "user" => turns.add("user", content_blocks(&message, betas)?),
            "tool" | "function" => turns.add("user", vec![tool_result(&message, betas)?]),
            "assistant" => {
                let blocks = assistant_blocks(&message, at == last)?;
                if blocks.is_empty() {
                    // Whoever says nothing still ends the turn before.
                    turns.end();
                } else {
                    turns.add("assistant", blocks);
                }
            }
            other => {
                return Err(refused(format!(
                    "messages with the role '{other}' cannot be sent to Anthropic"
                )));
            }
        }
    }
    Ok((system, turns.done))
}

/// What stands for the caller where there is nothing but a system message; litellm's words.
pub(super) fn go_on() -> Value {
    json!({"role": "user", "content": [text_block("Please continue.")]})
}

/// Whether tools were called in the conversation.
pub(super) fn use_tools(messages: &[Value]) -> bool {
    messages.iter().any(|message| {
        message["content"]
            .as_array()
            .is_some_and(|blocks| blocks.iter().any(|block| block["type"] == "tool_use"))
    })
}

/// Messages of one role in a row are one message.
#[derive(Default)]
struct Turns {
    done: Vec<Value>,
    ended: bool,
}

impl Turns {
    fn is_empty(&self) -> bool {
        self.done.is_empty()
    }

    fn end(&mut self) {
        self.ended = true;
    }

    fn add(&mut self, role: &str, mut blocks: Vec<Value>) {
        let ended = std::mem::take(&mut self.ended);
        if let Some(message) = self.done.last_mut().filter(|message| !ended && message["role"] == role)
            && let Some(content) = message["content"].as_array_mut()
        {
            content.append(&mut blocks);
            return;
        }
        self.done.push(json!({"role": role, "content": blocks}));
    }
}

fn text_block(text: &str) -> Value {
    let text = if text.trim().is_empty() { EMPTY } else { text };
    json!({"type": "text", "text": text})
}

fn with_cache(mut block: Value, holder: &Map<String, Value>) -> Value {
    if let Some(control) = holder.get("cache_control").filter(|control| !control.is_null()) {
        block["cache_control"] = control.clone();
    }
    block
}

fn system_blocks(message: &Map<String, Value>, out: &mut Vec<Value>) {
    match message.get("content") {
        Some(Value::String(text)) if !text.is_empty() => {
            out.push(with_cache(json!({"type": "text", "text": text}), message));
        }
        Some(Value::Array(parts)) => {
            for part in parts.iter().filter_map(Value::as_object) {
                if let Some(text) = part.get("text").and_then(Value::as_str).filter(|text| !text.is_empty()) {
                    out.push(with_cache(json!({"type": "text", "text": text}), part));
                }
            }
        }
        _ => {}
    }
}

fn content_blocks(message: &Map<String, Value>, betas: &mut Betas) -> Result<Vec<Value>, Failure> {
    match message.get("content") {
        Some(Value::Array(parts)) => {
            let mut blocks = Vec::with_capacity(parts.len());
            for part in parts {
                blocks.push(block(part, betas)?);
            }
            // A mark on the message is meant for its end.
            if let Some(last) = blocks.pop() {
                blocks.push(with_cache(last, message));
            }
            Ok(blocks)
        }
        Some(Value::String(text)) => Ok(vec![with_cache(text_block(text), message)]),
        None | Some(Value::Null) => Ok(vec![text_block("")]),
        Some(_) => Err(refused("the content of a message must be a text or a list of parts")),
    }
}

/// One part of a message's content.
fn block(part: &Value, betas: &mut Betas) -> Result<Value, Failure> {
    let Some(fields) = part.as_object() else {
        return part
            .as_str()
            .map(text_block)
            .ok_or_else(|| refused("a part of a message must be a dict or a text"));
    };
    let made = match fields.get("type").and_then(Value::as_str) {
        Some("text") => text_block(fields.get("text").and_then(Value::as_str).unwrap_or_default()),
        Some("image_url") => {
            let source = parts::image(part).ok_or_else(|| refused("an image_url part has no url"))?;
            source_block(&source, betas)
        }
        Some("file") => {
            let source = parts::file(part).ok_or_else(|| refused("a file part needs file_data or file_id"))?;
            source_block(&source, betas)
        }
        Some("input_audio") => return Err(refused("Anthropic takes no audio: leave out the input_audio part")),
        // Anthropic's own blocks: documents, images, search results.
        _ => return Ok(part.clone()),
    };
    Ok(with_cache(made, fields))
}

fn source_block(source: &Source<'_>, betas: &mut Betas) -> Value {
    match source {
        Source::Data { media_type, base64 } => {
            let kind = if media_type.starts_with("image/") {
                "image"
            } else {
                "document"
            };
            let form = if *media_type == "text/plain" { "text" } else { "base64" };
            json!({"type": kind, "source": {"type": form, "media_type": media_type, "data": base64}})
        }
        Source::Url(url) => {
            let path = url.split(['?', '#']).next().unwrap_or_default();
            let kind = if path.to_ascii_lowercase().ends_with(".pdf") {
                "document"
            } else {
                "image"
            };
            json!({"type": kind, "source": {"type": "url", "url": url}})
        }
        Source::Id(id) => {
            betas.add("files-api-2025-04-14");
            json!({"type": "container_upload", "file_id": id})
        }
    }
}

fn tool_result(message: &Map<String, Value>, betas: &mut Betas) -> Result<Value, Failure> {
    let id = ["tool_call_id", "name"]
        .iter()
        .find_map(|name| message.get(*name).and_then(Value::as_str));
    let content = match message.get("content") {
        Some(Value::Array(parts)) => {
            let blocks = parts
                .iter()
                .map(|part| block(part, betas))
                .collect::<Result<Vec<_>, _>>()?;
            Value::Array(blocks)
        }
        Some(Value::String(text)) => text.as_str().into(),
        None | Some(Value::Null) => "".into(),
        Some(other) => other.to_string().into(),
    };
    let made = json!({"type": "tool_result", "tool_use_id": id, "content": content});
    Ok(with_cache(made, message))
}

fn assistant_blocks(message: &Map<String, Value>, is_last: bool) -> Result<Vec<Value>, Failure> {
    let list = |name: &str| message.get(name).and_then(Value::as_array).into_iter().flatten();
    // Reasoning comes first, with its signature, or the API refuses the turn.
    let mut blocks: Vec<Value> = list("thinking_blocks").cloned().collect();
    match message.get("content") {
        Some(Value::String(text)) => {
            // The API refuses an answer begun for it that ends in white space.
            let text = if is_last { text.trim_end() } else { text };
            blocks.push(with_cache(text_block(text), message));
        }
        Some(Value::Array(parts)) => {
            for part in parts {
                let text = part["text"].as_str().unwrap_or_default();
                match part.get("type").and_then(Value::as_str) {
                    // Between the parts of an answer there may be empty ones, which the API gives but does not take.
                    Some("text") if text.trim().is_empty() => {}
                    Some("text") if part.get("citations").is_none_or(Value::is_null) => {
                        blocks.push(with_cache(text_block(text), part.as_object().unwrap_or(message)));
                    }
                    // Anthropic's own blocks, kept from an earlier answer; a block of reasoning only once.
                    _ if blocks.contains(part) => {}
                    _ => blocks.push(part.clone()),
                }
            }
        }
        _ => {}
    }
    for call in list("tool_calls") {
        blocks.push(with_cache(tool_use(call)?, call.as_object().unwrap_or(message)));
        blocks.extend(result_of(call, message));
    }
    if let Some(function) = message.get("function_call").filter(|function| function.is_object()) {
        blocks.push(tool_use(&json!({"id": function["name"], "function": function}))?);
    }
    Ok(blocks)
}

fn is_the_servers(id: &str) -> bool {
    id.starts_with("srvtoolu_")
}

fn tool_use(call: &Value) -> Result<Value, Failure> {
    let arguments = call["function"]["arguments"].as_str().unwrap_or_default();
    let input: Value = if arguments.trim().is_empty() {
        json!({})
    } else {
        serde_json::from_str(arguments)
            .map_err(|_| refused("the arguments of a tool call in the messages are not JSON"))?
    };
    let id = call["id"].as_str().unwrap_or_default();
    let kind = if is_the_servers(id) {
        "server_tool_use"
    } else {
        "tool_use"
    };
    Ok(json!({"type": kind, "id": id, "name": call["function"]["name"], "input": input}))
}

/// What a tool of the server's found stands right behind its call; litellm keeps it in `provider_specific_fields`.
fn result_of(call: &Value, message: &Map<String, Value>) -> Option<Value> {
    let id = call["id"].as_str().filter(|id| is_the_servers(id))?;
    let fields = message.get("provider_specific_fields")?;
    ["web_search_results", "tool_results"]
        .iter()
        .filter_map(|name| fields.get(*name)?.as_array())
        .flatten()
        .find(|result| result["tool_use_id"] == id)
        .cloned()
}
