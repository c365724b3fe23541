//! What a request of the Responses API asks, as chat's messages and parameters.

use serde_json::{Map, Value, json};

use crate::failure::Failure;
use crate::providers::dialect::refused;

/// Parameters that concern only the server that keeps responses.
const KEPT_RESPONSES_ONLY: &[&str] = &["store", "truncation", "include", "background", "metadata", "prompt"];

pub(super) fn as_chat(mut body: Map<String, Value>) -> Result<Map<String, Value>, Failure> {
    for name in ["previous_response_id", "conversation"] {
        if body.get(name).is_some_and(|id| !id.is_null()) {
            return Err(refused(format!(
                "'{name}' needs a provider that keeps responses: give the whole conversation as input"
            )));
        }
    }
    KEPT_RESPONSES_ONLY.iter().for_each(|name| drop(body.remove(*name)));
    let mut messages = Vec::new();
    if let Some(instructions) = body.remove("instructions").filter(Value::is_string) {
        messages.push(json!({"role": "system", "content": instructions}));
    }
    match body.remove("input") {
        Some(Value::Array(items)) => {
            for item in items {
                add_item(&mut messages, item)?;
            }
        }
        Some(text @ Value::String(_)) => messages.push(json!({"role": "user", "content": text})),
        _ => return Err(refused("input must be a text, or a list of items")),
    }
    let mut chat = Map::new();
    chat.insert("messages".to_owned(), messages.into());
    for (name, value) in body {
        add_parameter(&mut chat, &name, value)?;
    }
    Ok(chat)
}

fn add_item(messages: &mut Vec<Value>, item: Value) -> Result<(), Failure> {
    let kind = item.get("type").and_then(Value::as_str).unwrap_or("message");
    match kind {
        "message" => messages.push(message(&item)),
        "function_call" => {
            let call = json!({
                "id": item.get("call_id"),
                "type": "function",
                "function": {"name": item.get("name"), "arguments": item.get("arguments")},
            });
            // What a model said and called in one turn is one message of chat's.
            match messages.last_mut().filter(|last| last["role"] == "assistant") {
                Some(last) => match last.get_mut("tool_calls").and_then(Value::as_array_mut) {
                    Some(calls) => calls.push(call),
                    None => last["tool_calls"] = json!([call]),
                },
                None => messages.push(json!({"role": "assistant", "tool_calls": [call]})),
            }
        }
        "function_call_output" => messages.push(json!({
            "role": "tool",
            "content": content(item.get("output")),
            "tool_call_id": item.get("call_id"),
        })),
        // What a model thought in an earlier turn, chat is not told.
        "reasoning" => {}
        other => {
            return Err(refused(format!(
                "items of the type '{other}' have no form in this provider's chat"
            )));
        }
    }
    Ok(())
}

fn message(item: &Value) -> Value {
    json!({"role": item.get("role").cloned().unwrap_or_else(|| "user".into()), "content": content(item.get("content"))})
}

/// A text as it is, parts as chat has them.
fn content(given: Option<&Value>) -> Value {
    match given {
        Some(Value::Array(parts)) => parts.iter().map(part).collect::<Vec<_>>().into(),
        Some(other) => other.clone(),
        None => Value::Null,
    }
}

fn part(part: &Value) -> Value {
    let field = |name: &str| part.get(name).cloned();
    match part.get("type").and_then(Value::as_str).unwrap_or_default() {
        "input_text" | "output_text" => json!({"type": "text", "text": field("text")}),
        "refusal" => json!({"type": "text", "text": field("refusal")}),
        "input_image" => match field("image_url") {
            Some(url) => {
                let detail = field("detail").unwrap_or_else(|| "auto".into());
                json!({"type": "image_url", "image_url": {"url": url, "detail": detail}})
            }
            None => json!({"type": "file", "file": {"file_id": field("file_id")}}),
        },
        "input_file" => {
            let mut file = part.as_object().cloned().unwrap_or_default();
            file.shift_remove("type");
            if let Some(url) = file.remove("file_url") {
                file.insert("file_id".to_owned(), url);
            }
            json!({"type": "file", "file": file})
        }
        _ => part.clone(),
    }
}

fn add_parameter(chat: &mut Map<String, Value>, name: &str, value: Value) -> Result<(), Failure> {
    let mut put = |name: &str, value: Value| drop(chat.insert(name.to_owned(), value));
    match name {
        "max_output_tokens" => put("max_tokens", value),
        "reasoning" => {
            if let Some(effort) = value.get("effort").filter(|effort| !effort.is_null()) {
                put("reasoning_effort", effort.clone());
            }
        }
        "text" => {
            if let Some(verbosity) = value.get("verbosity").filter(|verbosity| !verbosity.is_null()) {
                put("verbosity", verbosity.clone());
            }
            if let Some(format) = value.get("format").and_then(response_format) {
                put("response_format", format);
            }
        }
        "top_logprobs" => {
            put("logprobs", true.into());
            put("top_logprobs", value);
        }
        "tool_choice" => put("tool_choice", tool_choice(value)),
        "tools" => {
            let Value::Array(tools) = value else {
                return Err(refused("tools must be a list"));
            };
            let (searches, tools): (Vec<Value>, Vec<Value>) = tools.into_iter().partition(is_search);
            if let Some(search) = searches.into_iter().next() {
                let mut options = search.as_object().cloned().unwrap_or_default();
                options.retain(|name, _| matches!(name.as_str(), "search_context_size" | "user_location"));
                put("web_search_options", options.into());
            }
            if !tools.is_empty() {
                put("tools", tools.into_iter().map(tool).collect::<Vec<_>>().into());
            }
        }
        name => put(name, value),
    }
    Ok(())
}

fn is_search(tool: &Value) -> bool {
    let kind = tool.get("type").and_then(Value::as_str);
    kind.is_some_and(|kind| kind.starts_with("web_search"))
}

/// A function as chat has it; any other tool is the provider's own, and goes as it is.
fn tool(tool: Value) -> Value {
    match tool {
        Value::Object(mut function) if function.get("type").is_some_and(|kind| kind == "function") => {
            if function.contains_key("function") {
                return Value::Object(function);
            }
            function.shift_remove("type");
            let strict = function.entry("strict").or_insert(Value::Null);
            if strict.is_null() {
                *strict = false.into();
            }
            json!({"type": "function", "function": function})
        }
        other => other,
    }
}

fn tool_choice(choice: Value) -> Value {
    match choice.get("name") {
        Some(name) if choice.get("type").is_some_and(|kind| kind == "function") => {
            json!({"type": "function", "function": {"name": name}})
        }
        _ => choice,
    }
}

fn response_format(format: &Value) -> Option<Value> {
    match format.get("type").and_then(Value::as_str)? {
        "json_schema" => {
            let mut schema = format.as_object().cloned().unwrap_or_default();
            schema.shift_remove("type");
            Some(json!({"type": "json_schema", "json_schema": schema}))
        }
        "text" => None,
        _ => Some(format.clone()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(body: Value) -> Value {
        as_chat(body.as_object().cloned().unwrap_or_default())
            .map_or_else(|failure| failure.message.into(), Value::Object)
    }

    #[test]
    fn a_turn_with_calls_is_one_message() {
        let chat = asked(json!({"instructions": "Be brief", "input": [
            {"role": "user", "content": [{"type": "input_text", "text": "w?"}]},
            {"type": "reasoning", "summary": []},
            {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "Let me see."}]},
            {"type": "function_call", "call_id": "a", "name": "look", "arguments": "{}"},
            {"type": "function_call", "call_id": "b", "name": "look", "arguments": "{}"},
            {"type": "function_call_output", "call_id": "a", "output": "21"}]}));
        let messages = &chat["messages"];
        let roles: Vec<&str> = messages
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|m| m["role"].as_str())
            .collect();
        assert_eq!(roles, ["system", "user", "assistant", "tool"]);
        assert_eq!(
            messages[2]["content"][0],
            json!({"type": "text", "text": "Let me see."})
        );
        assert_eq!(messages[2]["tool_calls"][1]["id"], "b");
        assert_eq!(
            messages[3],
            json!({"role": "tool", "content": "21", "tool_call_id": "a"})
        );
    }

    #[test]
    fn parameters_have_chat_s_names() {
        let chat = asked(
            json!({"input": "x", "max_output_tokens": 5, "reasoning": {"effort": "low"}, "store": false,
            "text": {"format": {"type": "json_schema", "name": "e", "schema": {}}},
            "tools": [{"type": "function", "name": "f", "parameters": {}}, {"type": "web_search", "search_context_size": "low"}],
            "tool_choice": {"type": "function", "name": "f"}}),
        );
        assert_eq!(
            chat,
            json!({"messages": [{"role": "user", "content": "x"}], "max_tokens": 5, "reasoning_effort": "low",
                "response_format": {"type": "json_schema", "json_schema": {"name": "e", "schema": {}}},
                "web_search_options": {"search_context_size": "low"},
                "tools": [{"type": "function", "function": {"name": "f", "parameters": {}, "strict": false}}],
                "tool_choice": {"type": "function", "function": {"name": "f"}}})
        );
    }

    #[test]
    fn what_only_a_server_that_keeps_responses_knows_is_refused() {
        assert!(asked(json!({"input": "x", "previous_response_id": "resp_1"})).is_string());
        assert!(asked(json!({"input": [{"type": "item_reference", "id": "msg_1"}]})).is_string());
    }
}
