//! Chat's messages, tools and format as a response takes them.

use serde_json::{Map, Value, json};

use crate::failure::Failure;
use crate::providers::dialect::refused;

/// Instructions, which chat has as system messages, and the items of the conversation.
pub(super) fn items(messages: Option<Value>) -> Result<(String, Vec<Value>), Failure> {
    let Some(Value::Array(messages)) = messages else {
        return Err(refused("messages must be a list of dicts"));
    };
    let (mut instructions, mut items) = (String::new(), Vec::with_capacity(messages.len()));
    for message in &messages {
        let content = &message["content"];
        match message["role"].as_str() {
            Some("system" | "developer") => {
                if !instructions.is_empty() {
                    instructions.push(' ');
                }
                instructions.push_str(&text_of(content));
            }
            Some("user") => items.push(said("user", parts(content, "input_text")?)),
            Some("assistant") => {
                let parts = parts(content, "output_text")?;
                if !parts.is_empty() {
                    items.push(said("assistant", parts));
                }
                for call in message["tool_calls"].as_array().into_iter().flatten() {
                    let function = &call["function"];
                    items.push(
                        json!({"type": "function_call", "call_id": call["id"], "name": function["name"],
                        "arguments": function["arguments"]}),
                    );
                }
            }
            Some("tool") => items.push(
                json!({"type": "function_call_output", "call_id": message["tool_call_id"],
                "output": parts(content, "input_text")?}),
            ),
            role => {
                return Err(refused(format!(
                    "a message of role {role:?} has no place in a response's input: use system, user, assistant or tool"
                )));
            }
        }
    }
    Ok((instructions, items))
}

fn said(role: &str, content: Vec<Value>) -> Value {
    json!({"type": "message", "role": role, "content": content})
}

fn text_of(content: &Value) -> String {
    match content {
        Value::String(text) => text.clone(),
        Value::Array(parts) => parts.iter().filter_map(|part| part["text"].as_str()).collect(),
        _ => String::new(),
    }
}

fn parts(content: &Value, text_type: &str) -> Result<Vec<Value>, Failure> {
    match content {
        Value::String(text) if text.is_empty() && text_type == "output_text" => Ok(Vec::new()),
        Value::String(text) => Ok(vec![json!({"type": text_type, "text": text})]),
        Value::Array(parts) => parts.iter().map(|part| translated(part, text_type)).collect(),
        _ => Ok(Vec::new()),
    }
}

fn translated(part: &Value, text_type: &str) -> Result<Value, Failure> {
    Ok(match part["type"].as_str() {
        Some("text") => json!({"type": text_type, "text": part["text"]}),
        Some("refusal") => part.clone(),
        Some("image_url") => {
            let image = &part["image_url"];
            let url = if image.is_string() { image } else { &image["url"] };
            let detail = image["detail"].as_str().unwrap_or("auto");
            json!({"type": "input_image", "image_url": url, "detail": detail})
        }
        Some("file") => {
            let mut file = part["file"].as_object().cloned().unwrap_or_default();
            file.remove("format");
            file.insert("type".to_owned(), "input_file".into());
            Value::Object(file)
        }
        // In a response's words already.
        Some("input_text" | "output_text" | "input_image" | "input_file") => part.clone(),
        kind => {
            return Err(refused(format!(
                "a part of type {kind:?} has no place in a response's input: use text, image_url or file"
            )));
        }
    })
}

/// Functions one level up; tools in a response's words as they are.
pub(super) fn tools(tools: Option<Value>) -> Vec<Value> {
    let Some(Value::Array(tools)) = tools else {
        return Vec::new();
    };
    tools.into_iter().map(flat).collect()
}

fn flat(mut tool: Value) -> Value {
    let Some(Value::Object(mut function)) = tool.get_mut("function").map(Value::take) else {
        return tool;
    };
    function.insert("type".to_owned(), "function".into());
    // A response is strict where it is not said: chat is not.
    function.entry("strict").or_insert(Value::Null);
    Value::Object(function)
}

pub(super) fn tool_choice(choice: Value) -> Value {
    match choice["function"]["name"].as_str() {
        Some(name) => json!({"type": "function", "name": name}),
        None => choice,
    }
}

/// `response_format`: a schema one level up.
pub(super) fn format(format: Value) -> Value {
    let Some(Value::Object(schema)) = format.get("json_schema").cloned() else {
        return format;
    };
    let mut flat = Map::new();
    flat.insert("type".to_owned(), "json_schema".into());
    flat.extend(schema);
    Value::Object(flat)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_conversation_is_items() {
        let messages = json!([
            {"role": "system", "content": "Be terse."},
            {"role": "user", "content": [{"type": "text", "text": "Look"}, {"type": "image_url", "image_url": {"url": "https://h/a.png"}}]},
            {"role": "assistant", "content": null, "tool_calls": [
                {"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}]},
            {"role": "tool", "tool_call_id": "c", "content": "21"},
        ]);
        let (instructions, items) = items(Some(messages)).expect("items");
        assert_eq!(instructions, "Be terse.");
        let kinds: Vec<_> = items
            .iter()
            .map(|item| item["type"].as_str().unwrap_or_default())
            .collect();
        assert_eq!(kinds, ["message", "function_call", "function_call_output"]);
        assert_eq!(items[0]["content"][1]["image_url"], "https://h/a.png");
        assert_eq!(items[2]["output"][0]["text"], "21");
        assert!(super::items(Some(json!([{"role": "narrator", "content": "x"}]))).is_err());
    }
}
