//! `response_format`: structured output where the model has it, a tool that it must call where not.

use serde_json::{Map, Value, json};

use super::{Betas, JSON_TOOL, is_old};
use crate::providers::model_facts::ModelFacts;

/// Whether the answer comes as the call of a tool, to be unwrapped.
pub(super) fn translate(
    body: &mut Map<String, Value>,
    out: &mut Map<String, Value>,
    betas: &mut Betas,
    facts: ModelFacts,
    model: &str,
) -> bool {
    let Some(format) = body.remove("response_format") else {
        return false;
    };
    // Plain text needs no word, and "some JSON" has no counterpart: the prompt has to ask for it, as OpenAI demands too.
    let given = format["json_schema"]
        .get("schema")
        .or_else(|| format.get("response_schema"));
    let Some(schema) = given.filter(|schema| schema.is_object()) else {
        return false;
    };
    let has_structured_output = if facts.is_known() {
        facts.can("supports_native_structured_output")
    } else {
        !is_old(model)
    };
    if has_structured_output {
        let mut schema = schema.clone();
        close_objects(&mut schema);
        betas.add("structured-outputs-2025-11-13");
        out.insert(
            "output_format".to_owned(),
            json!({"type": "json_schema", "schema": schema}),
        );
        return false;
    }
    let tools = out.entry("tools").or_insert_with(|| json!([]));
    if let Some(tools) = tools.as_array_mut() {
        tools.push(json!({"name": JSON_TOOL, "input_schema": schema}));
    }
    let may_choose = out.get("thinking").is_some();
    if !may_choose && !out.contains_key("tool_choice") {
        out.insert("tool_choice".to_owned(), json!({"type": "tool", "name": JSON_TOOL}));
    }
    true
}

/// Structured output takes only objects that say that they allow nothing else.
fn close_objects(schema: &mut Value) {
    match schema {
        Value::Object(fields) => {
            let is_object =
                fields.get("type").is_some_and(|kind| kind == "object") && fields.contains_key("properties");
            if is_object && !fields.contains_key("additionalProperties") {
                fields.insert("additionalProperties".to_owned(), false.into());
            }
            fields.values_mut().for_each(close_objects);
        }
        Value::Array(items) => items.iter_mut().for_each(close_objects),
        _ => {}
    }
}
