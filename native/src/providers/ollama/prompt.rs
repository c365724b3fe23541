//! A conversation as Ollama takes it: messages with images apart, or one prompt.

use serde_json::{Map, Value, json};

use crate::failure::Failure;
use crate::providers::dialect::refused;
use crate::providers::parts::{self, Source};

fn list(messages: Option<Value>) -> Result<Vec<Map<String, Value>>, Failure> {
    let Some(Value::Array(messages)) = messages else {
        return Err(refused("messages must be a list of messages"));
    };
    messages
        .into_iter()
        .map(|message| match message {
            Value::Object(message) => Ok(message),
            _ => Err(refused("each message must be a dict with role and content")),
        })
        .collect()
}

/// The text of a message, and the base64 of its images. `separated`: a line for each part.
fn content(message: &Map<String, Value>, separated: bool) -> (String, Vec<Value>) {
    let (mut text, mut images) = (String::new(), Vec::new());
    match message.get("content") {
        Some(Value::String(content)) => text.clone_from(content),
        Some(Value::Array(parts)) => {
            for part in parts {
                if let Some(piece) = part["text"].as_str() {
                    if separated && !text.is_empty() {
                        text.push('\n');
                    }
                    text.push_str(piece);
                }
                match parts::image(part) {
                    Some(Source::Data { base64, .. }) => images.push(base64.into()),
                    Some(Source::Url(url) | Source::Id(url)) => images.push(url.into()),
                    None => {}
                }
            }
        }
        _ => {}
    }
    (text, images)
}

fn calls(message: &Map<String, Value>) -> Result<Vec<Value>, Failure> {
    let calls = message
        .get("tool_calls")
        .and_then(Value::as_array)
        .into_iter()
        .flatten();
    calls
        .map(|call| {
            let text = call["function"]["arguments"].as_str().unwrap_or_default();
            let arguments: Value = if text.trim().is_empty() {
                json!({})
            } else {
                serde_json::from_str(text)
                    .map_err(|_| refused("the arguments of a tool call in the messages are not JSON"))?
            };
            Ok(json!({"name": call["function"]["name"], "arguments": arguments}))
        })
        .collect()
}

pub(super) fn messages(given: Option<Value>) -> Result<Vec<Value>, Failure> {
    let mut made = Vec::new();
    for message in list(given)? {
        let (text, images) = content(&message, false);
        let mut one = json!({"role": message.get("role"), "content": text, "images": images});
        if let Some(thinking) = message.get("reasoning_content").filter(|text| text.is_string()) {
            one["thinking"] = thinking.clone();
        }
        let calls: Vec<Value> = calls(&message)?
            .into_iter()
            .map(|call| json!({"function": call}))
            .collect();
        if !calls.is_empty() {
            one["tool_calls"] = calls.into();
        }
        for (name, ollamas) in [("tool_call_id", "tool_call_id"), ("name", "tool_name")] {
            if let Some(value) = message
                .get(name)
                .filter(|_| message.get("role").is_some_and(|role| role == "tool"))
            {
                one[ollamas] = value.clone();
            }
        }
        made.push(one);
    }
    Ok(made)
}

/// litellm's prompt for models that only complete, and the images in it.
pub(super) fn of(given: Option<Value>) -> Result<(String, Vec<Value>), Failure> {
    let mut turns: Vec<(&str, String)> = Vec::new();
    let mut images = Vec::new();
    for message in list(given)? {
        let heading = match message.get("role").and_then(Value::as_str).unwrap_or_default() {
            "system" | "developer" => "System",
            "assistant" => "Assistant",
            _ => "User",
        };
        let (mut text, mut of_message) = content(&message, heading == "User");
        images.append(&mut of_message);
        for call in calls(&message)? {
            if !text.is_empty() {
                text.push('\n');
            }
            text.push_str(&crate::providers::python_json::dumps(&call));
        }
        match turns.last_mut() {
            _ if text.is_empty() => {}
            Some((last, said)) if *last == heading => {
                if heading == "User" {
                    said.push('\n');
                }
                said.push_str(&text);
            }
            _ => turns.push((heading, text)),
        }
    }
    let prompt = turns
        .iter()
        .map(|(heading, text)| format!("### {heading}:\n{text}\n\n"))
        .collect();
    Ok((prompt, images))
}
