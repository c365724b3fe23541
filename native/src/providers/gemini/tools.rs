//! Tools and the choice among them.

use serde_json::{Map, Value, json};

use super::schema;

/// Google's own tools, as programs write them and as the API does.
const OWN: &[(&str, &str)] = &[
    ("googleSearch", "googleSearch"),
    ("google_search", "googleSearch"),
    ("googleSearchRetrieval", "googleSearchRetrieval"),
    ("google_search_retrieval", "googleSearchRetrieval"),
    ("enterpriseWebSearch", "enterpriseWebSearch"),
    ("codeExecution", "codeExecution"),
    ("code_execution", "codeExecution"),
    ("urlContext", "urlContext"),
    ("url_context", "urlContext"),
    ("googleMaps", "googleMaps"),
    ("google_maps", "googleMaps"),
    ("computerUse", "computerUse"),
    ("computer_use", "computerUse"),
    ("fileSearch", "fileSearch"),
    ("file_search", "fileSearch"),
];

pub(super) fn translate(body: &mut Map<String, Value>, out: &mut Map<String, Value>) {
    // Which calls are made in parallel cannot be said.
    body.remove("parallel_tool_calls");
    let (mut functions, mut own) = (Vec::new(), Vec::new());
    for name in ["tools", "functions"] {
        for tool in body
            .remove(name)
            .as_ref()
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
        {
            let function = tool.get("function").unwrap_or(tool);
            if function.get("name").is_some() {
                functions.push(declaration(function));
            } else if let Some(declared) = tool
                .get("function_declarations")
                .or_else(|| tool.get("functionDeclarations"))
            {
                functions.extend(declared.as_array().into_iter().flatten().cloned());
            } else {
                own.extend(own_tools(tool));
            }
        }
    }
    if body.remove("web_search_options").is_some() {
        own.push(json!({"googleSearch": {}}));
    }
    let mut tools = Vec::new();
    if !functions.is_empty() {
        tools.push(json!({"function_declarations": functions}));
    }
    tools.append(&mut own);
    if !tools.is_empty() {
        out.insert("tools".to_owned(), tools.into());
    }
    if let Some(choice) = body.remove("tool_choice") {
        out.insert(
            "toolConfig".to_owned(),
            json!({"functionCallingConfig": chosen(&choice)}),
        );
    }
}

fn own_tools(tool: &Value) -> Vec<Value> {
    let kind = tool["type"].as_str();
    OWN.iter()
        .filter_map(|(name, googles)| {
            let settings = tool
                .get(*name)
                .cloned()
                .or_else(|| (kind == Some(name)).then(|| json!({})))?;
            Some(json!({*googles: settings}))
        })
        .collect()
}

fn declaration(function: &Value) -> Value {
    let mut made = json!({"name": function["name"]});
    if let Some(description) = function.get("description").filter(|text| !text.is_null()) {
        made["description"] = description.clone();
    }
    let parameters = &function["parameters"];
    // The API refuses an object without properties.
    if parameters["properties"]
        .as_object()
        .is_some_and(|properties| !properties.is_empty())
    {
        made["parameters"] = schema::of_function(parameters);
    }
    made
}

fn chosen(choice: &Value) -> Value {
    match choice.as_str() {
        Some("required" | "any") => json!({"mode": "ANY"}),
        Some("none") => json!({"mode": "NONE"}),
        Some(_) => json!({"mode": "AUTO"}),
        None => json!({"mode": "ANY", "allowed_function_names": [choice["function"]["name"]]}),
    }
}
