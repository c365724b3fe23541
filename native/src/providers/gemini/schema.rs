//! JSON schemas as Gemini's functions take them: OpenAPI's subset, without references.

use serde_json::{Map, Value, json};

/// What the API knows of a schema (ai.google.dev/api/caching#Schema).
const KNOWN: &[&str] = &[
    "type",
    "format",
    "title",
    "description",
    "nullable",
    "enum",
    "maxItems",
    "minItems",
    "properties",
    "required",
    "minProperties",
    "maxProperties",
    "minLength",
    "maxLength",
    "pattern",
    "example",
    "anyOf",
    "propertyOrdering",
    "items",
    "minimum",
    "maximum",
];
/// References may lead in circles.
const DEEPEST: usize = 12;

pub(super) fn of_function(schema: &Value) -> Value {
    let definitions = schema
        .get("$defs")
        .or_else(|| schema.get("definitions"))
        .cloned()
        .unwrap_or_default();
    clean(schema, &definitions, 0)
}

fn clean(schema: &Value, definitions: &Value, depth: usize) -> Value {
    let Some(fields) = schema.as_object() else {
        return schema.clone();
    };
    if depth > DEEPEST {
        return json!({"type": "object"});
    }
    if let Some(reference) = fields.get("$ref").and_then(Value::as_str) {
        let name = reference.rsplit('/').next().unwrap_or_default();
        return clean(
            definitions.get(name).unwrap_or(&json!({"type": "object"})),
            definitions,
            depth + 1,
        );
    }
    let mut made = Map::new();
    for (name, value) in fields {
        let cleaned = match (name.as_str(), value) {
            ("properties", Value::Object(properties)) => properties
                .iter()
                .map(|(name, property)| (name.clone(), clean(property, definitions, depth + 1)))
                .collect::<Map<_, _>>()
                .into(),
            ("items", _) => clean(value, definitions, depth + 1),
            ("anyOf" | "oneOf", Value::Array(options)) => {
                made.insert("anyOf".to_owned(), any_of(options, definitions, depth));
                continue;
            }
            ("type", Value::Array(types)) => {
                made.insert(
                    "anyOf".to_owned(),
                    types.iter().map(|one| json!({"type": one})).collect(),
                );
                continue;
            }
            ("const", value) => {
                made.insert("enum".to_owned(), json!([value]));
                continue;
            }
            (known, _) if KNOWN.contains(&known) => value.clone(),
            _ => continue,
        };
        made.insert(name.clone(), cleaned);
    }
    let is_typed = made.contains_key("type") || made.contains_key("anyOf");
    if !is_typed {
        // The API wants a type everywhere.
        let kind = if made.contains_key("enum") { "string" } else { "object" };
        made.insert("type".to_owned(), kind.into());
    }
    Value::Object(made)
}

/// "Or null" is a property of the other options, not an option.
fn any_of(options: &[Value], definitions: &Value, depth: usize) -> Value {
    let is_null = |option: &&Value| option["type"] == "null";
    let nullable = options.iter().any(|option| is_null(&option));
    options
        .iter()
        .filter(|option| !is_null(option))
        .map(|option| {
            let mut cleaned = clean(option, definitions, depth + 1);
            if nullable {
                cleaned["nullable"] = true.into();
            }
            cleaned
        })
        .collect()
}
