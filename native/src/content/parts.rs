//! Messages of every dialect as the conventions' messages: a role, and parts by their kind.

use serde_json::{Map, Value, json};

type Object = Map<String, Value>;

fn text_of<'a>(object: &'a Object, name: &str) -> Option<&'a str> {
    object.get(name).and_then(Value::as_str)
}

/// The parts of a content that is a text, or a list of texts and blocks.
pub(super) fn text_parts(content: &Value) -> Box<dyn Iterator<Item = Value> + '_> {
    match content {
        Value::String(text) if text.is_empty() => Box::new(std::iter::empty()),
        Value::String(text) => Box::new(std::iter::once(json!({"type": "text", "content": text}))),
        Value::Array(items) => Box::new(items.iter().flat_map(|item| match item {
            Value::Object(block) => Box::new(part(block).into_iter()),
            other => text_parts(other),
        })),
        Value::Null => Box::new(std::iter::empty()),
        // Tokens instead of a text.
        other => Box::new(std::iter::once(json!({"type": "text", "content": other.to_string()}))),
    }
}

/// What a model was given to call: type and name. Descriptions and parameters are long, and the conventions advise
/// against them.
pub(super) fn tool_definitions(tools: Option<&Value>) -> Vec<Value> {
    let given = tools.and_then(Value::as_array).into_iter().flatten();
    given
        .filter_map(Value::as_object)
        .filter_map(|tool| {
            let kind = text_of(tool, "type");
            let own_name = text_of(tool, "name");
            let nested = kind.and_then(|kind| text_of(tool.get(kind)?.as_object()?, "name"));
            // A provider's own tool may have no other name than its type, one of Anthropic's no type.
            let name = own_name.or(nested).or(kind)?;
            Some(json!({"type": kind.unwrap_or("function"), "name": name}))
        })
        .collect()
}

/// A message, or an item of the Responses API that stands for one.
pub(super) fn message(object: &Object) -> Value {
    let mut parts = Vec::new();
    let role = match text_of(object, "type") {
        Some("function_call" | "custom_tool_call") => {
            let arguments = object.get("arguments").or_else(|| object.get("input"));
            parts.push(tool_call(object.get("call_id"), object.get("name"), arguments));
            "assistant"
        }
        Some("function_call_output" | "custom_tool_call_output") => {
            parts.push(tool_response(object.get("call_id"), object.get("output")));
            "tool"
        }
        Some("reasoning") => {
            parts.extend(part(object));
            "assistant"
        }
        _ => text_of(object, "role").unwrap_or("user"),
    };
    for name in ["reasoning_content", "reasoning"] {
        if let Some(text) = text_of(object, name).filter(|text| !text.is_empty()) {
            parts.push(json!({"type": "reasoning", "content": text}));
            break;
        }
    }
    if role == "tool" && parts.is_empty() {
        parts.push(tool_response(object.get("tool_call_id"), object.get("content")));
    } else if let Some(content) = object.get("content").filter(|_| role != "tool") {
        parts.extend(text_parts(content));
    }
    if let Some(refusal) = text_of(object, "refusal") {
        parts.push(json!({"type": "refusal", "content": refusal}));
    }
    for call in object.get("tool_calls").and_then(Value::as_array).into_iter().flatten() {
        let function = &call["function"];
        parts.push(tool_call(
            call.get("id"),
            function.get("name"),
            function.get("arguments"),
        ));
    }
    let mut message = json!({"role": role, "parts": parts});
    if let Some(name) = object
        .get("name")
        .filter(|name| name.is_string() && object.contains_key("role"))
    {
        message["name"] = name.clone();
    }
    message
}

fn tool_call(id: Option<&Value>, name: Option<&Value>, arguments: Option<&Value>) -> Value {
    // Arguments are an object; as a text only where that text is no JSON.
    let arguments = match arguments {
        Some(Value::String(text)) => serde_json::from_str(text).unwrap_or_else(|_| Value::from(text.as_str())),
        Some(other) => other.clone(),
        None => Value::Null,
    };
    json!({"type": "tool_call", "id": id, "name": name, "arguments": arguments})
}

fn tool_response(id: Option<&Value>, response: Option<&Value>) -> Value {
    json!({"type": "tool_call_response", "id": id, "response": response})
}

/// A block of a content; None for one that says nothing to anybody.
pub(super) fn part(block: &Object) -> Option<Value> {
    let text = |name: &str| text_of(block, name).unwrap_or_default();
    Some(match text_of(block, "type").unwrap_or_default() {
        "text" | "input_text" | "output_text" | "summary_text" => {
            let text = text("text");
            (!text.is_empty()).then(|| json!({"type": "text", "content": text}))?
        }
        "refusal" => json!({"type": "refusal", "content": text("refusal")}),
        "thinking" => json!({"type": "reasoning", "content": text("thinking")}),
        "reasoning" => {
            let said: Vec<&str> = ["summary", "content"]
                .into_iter()
                .filter_map(|name| block.get(name)?.as_array())
                .flatten()
                .filter_map(|item| item["text"].as_str())
                .collect();
            (!said.is_empty()).then(|| json!({"type": "reasoning", "content": said.join("\n")}))?
        }
        "redacted_thinking" => return None,
        "tool_use" | "server_tool_use" => tool_call(block.get("id"), block.get("name"), block.get("input")),
        "tool_result" => tool_response(block.get("tool_use_id"), block.get("content")),
        "image_url" | "input_image" => {
            let given = &block.get("image_url").unwrap_or(&Value::Null);
            let url = given.as_str().or_else(|| given["url"].as_str());
            match (url, text_of(block, "file_id")) {
                (Some(url), _) => at_url("image", url),
                (None, id) => json!({"type": "file", "modality": "image", "file_id": id}),
            }
        }
        kind @ ("image" | "document") => {
            let modality = if kind == "image" { "image" } else { "document" };
            let source = block.get("source").unwrap_or(&Value::Null);
            match source["type"].as_str() {
                Some("base64") => json!({"type": "blob", "modality": modality, "mime_type": source["media_type"],
                    "content": source["data"]}),
                Some("url") => json!({"type": "uri", "modality": modality, "uri": source["url"]}),
                Some("file") => json!({"type": "file", "modality": modality, "file_id": source["file_id"]}),
                _ => json!({"type": "text", "content": source["data"].as_str().unwrap_or_default()}),
            }
        }
        "input_audio" => {
            let audio = block.get("input_audio").unwrap_or(&Value::Null);
            let kind = format!("audio/{}", audio["format"].as_str().unwrap_or("wav"));
            json!({"type": "blob", "modality": "audio", "mime_type": kind, "content": audio["data"]})
        }
        "file" | "input_file" => {
            let file = block.get("file").unwrap_or(&Value::Null);
            let data = file["file_data"].as_str().or_else(|| text_of(block, "file_data"));
            match data {
                Some(data) => at_url("document", data),
                None => {
                    let id = file.get("file_id").or_else(|| block.get("file_id"));
                    json!({"type": "file", "modality": "document", "file_id": id})
                }
            }
        }
        "" => return None,
        // A kind of its own: the schema lets it stand as it is.
        _ => Value::Object(block.clone()),
    })
}

fn at_url(modality: &str, url: &str) -> Value {
    match url.strip_prefix("data:").and_then(|rest| rest.split_once(";base64,")) {
        Some((mime, data)) => json!({"type": "blob", "modality": modality, "mime_type": mime, "content": data}),
        None => json!({"type": "uri", "modality": modality, "uri": url}),
    }
}
