//! Tools and the choice among them.

use serde_json::{Map, Value, json};

use super::Betas;
use crate::failure::Failure;
use crate::providers::model_facts::ModelFacts;
use crate::providers::parameters::{Wishes, unsupported};

/// Searches that litellm allows by `search_context_size`.
const SEARCHES: &[(&str, u64)] = &[("low", 1), ("medium", 5), ("high", 10)];

/// Anthropic's own tools that are behind a beta: how the name begins, and the beta's.
const BETAS: &[(&str, &str)] = &[
    ("computer_20241022", "computer-use-2024-10-22"),
    ("computer_20251124", "computer-use-2025-11-24"),
    ("computer_", "computer-use-2025-01-24"),
    ("code_execution_20250522", "code-execution-2025-05-22"),
    ("code_execution_", "code-execution-2025-08-25"),
    ("web_fetch_", "web-fetch-2025-09-10"),
    ("memory_", "context-management-2025-06-27"),
    ("tool_search_", "advanced-tool-use-2025-11-20"),
];

pub(super) fn placeholder() -> Value {
    json!({"name": "dummy_tool", "type": "custom", "description": "This is a dummy tool call",
        "input_schema": {"type": "object", "properties": {}}})
}

pub(super) fn translate(
    body: &mut Map<String, Value>,
    out: &mut Map<String, Value>,
    betas: &mut Betas,
    facts: ModelFacts,
    wishes: &Wishes<'_>,
) -> Result<(), Failure> {
    let given = body.remove("tools");
    let mut tools: Vec<Value> = match &given {
        Some(Value::Array(tools)) => tools.iter().map(|given| tool(given, betas)).collect(),
        _ => Vec::new(),
    };
    if let Some(options) = body.remove("web_search_options") {
        tools.push(web_search(&options));
    }
    if given.is_some() || !tools.is_empty() {
        out.insert("tools".to_owned(), tools.into());
    }
    let mut choice = body.remove("tool_choice").map(|asked| chosen(&asked));
    let is_forced = choice
        .as_ref()
        .is_some_and(|choice| choice["type"] == "any" || choice["type"] == "tool");
    if is_forced && facts.cannot("supports_forced_tool_use") {
        if !wishes.drop_params {
            return Err(unsupported(format!(
                "{} cannot be made to use a tool (tool_choice 'required' or a named tool). Use tool_choice='auto', or set \
                 drop_params=True to have it replaced so",
                wishes.model
            )));
        }
        choice = Some(json!({"type": "auto"}));
    }
    if let Some(parallel) = body
        .remove("parallel_tool_calls")
        .and_then(|parallel| parallel.as_bool())
    {
        let mut one = choice.take().unwrap_or(json!({"type": "auto"}));
        if one["type"] != "none" {
            one["disable_parallel_tool_use"] = (!parallel).into();
        }
        choice = Some(one);
    }
    if let Some(choice) = choice {
        out.insert("tool_choice".to_owned(), choice);
    }
    Ok(())
}

fn chosen(asked: &Value) -> Value {
    match asked.as_str() {
        Some("required") => json!({"type": "any"}),
        Some("none") => json!({"type": "none"}),
        Some(_) => json!({"type": "auto"}),
        None => match asked["function"]["name"].as_str() {
            Some(name) => json!({"type": "tool", "name": name}),
            None => asked.clone(),
        },
    }
}

fn web_search(options: &Value) -> Value {
    let mut tool = json!({"type": "web_search_20250305", "name": "web_search"});
    let size = options["search_context_size"].as_str();
    if let Some((_, searches)) = SEARCHES.iter().find(|(name, _)| Some(*name) == size) {
        tool["max_uses"] = (*searches).into();
    }
    if let Some(place) = options["user_location"].get("approximate").and_then(Value::as_object) {
        let mut place = place.clone();
        place.insert("type".to_owned(), "approximate".into());
        tool["user_location"] = Value::Object(place);
    }
    tool
}

fn tool(given: &Value, betas: &mut Betas) -> Value {
    let kind = given["type"].as_str().unwrap_or_default();
    if let Some((_, beta)) = BETAS.iter().find(|(start, _)| kind.starts_with(start)) {
        betas.add(beta);
    }
    let function = &given["function"];
    if kind.starts_with("computer_") && function.is_object() {
        let mut made = json!({"type": kind, "name": function["name"]});
        for (name, value) in function["parameters"].as_object().into_iter().flatten() {
            made[name] = value.clone();
        }
        return made;
    }
    if !function.is_object() {
        return given.clone();
    }
    let mut schema = match &function["parameters"] {
        Value::Object(schema) if !schema.is_empty() => schema.clone(),
        _ => Map::new(),
    };
    if !schema.contains_key("type") {
        schema.insert("type".to_owned(), "object".into());
    }
    if !schema.contains_key("properties") && schema["type"] == "object" {
        schema.insert("properties".to_owned(), json!({}));
    }
    let mut made = json!({"name": function["name"], "input_schema": schema, "type": "custom"});
    if let Some(description) = function.get("description").filter(|text| !text.is_null()) {
        made["description"] = description.clone();
    }
    for name in ["cache_control", "defer_loading", "allowed_callers", "input_examples"] {
        if let Some(value) = given.get(name).or_else(|| function.get(name)) {
            made[name] = value.clone();
        }
    }
    made
}
