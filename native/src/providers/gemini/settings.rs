//! How the answer is generated: `generationConfig`.

use serde_json::{Map, Value, json};

use super::Abilities;
use crate::failure::Failure;
use crate::providers::dialect::refused;

/// OpenAI's names, and Google's in the spelling that litellm sends.
const RENAMED: &[(&str, &str)] = &[
    ("temperature", "temperature"),
    ("top_p", "top_p"),
    ("n", "candidate_count"),
    ("seed", "seed"),
    ("logprobs", "responseLogprobs"),
    ("presence_penalty", "presence_penalty"),
    ("frequency_penalty", "frequency_penalty"),
    // Google's own.
    ("top_k", "top_k"),
    ("topK", "topK"),
    ("response_mime_type", "response_mime_type"),
    ("response_schema", "response_schema"),
    ("response_json_schema", "response_json_schema"),
    ("responseModalities", "responseModalities"),
    ("speechConfig", "speechConfig"),
    ("thinkingConfig", "thinkingConfig"),
    ("mediaResolution", "mediaResolution"),
    ("imageConfig", "imageConfig"),
];
/// litellm sends no more than these.
const MOST_STOPS: usize = 4;

pub(super) fn translate(
    body: &mut Map<String, Value>,
    abilities: &Abilities<'_>,
    resolution: Option<&'static str>,
) -> Result<Map<String, Value>, Failure> {
    let mut out = Map::new();
    if abilities.has_levels {
        // This generation knows no penalties; litellm sends none.
        body.remove("presence_penalty");
        body.remove("frequency_penalty");
    }
    for (name, googles) in RENAMED {
        if let Some(value) = body.remove(*name) {
            out.insert((*googles).to_owned(), value);
        }
    }
    let (old, new) = (body.remove("max_tokens"), body.remove("max_completion_tokens"));
    if let Some(limit) = new.or(old) {
        out.insert("max_output_tokens".to_owned(), limit);
    }
    match body.remove("stop") {
        Some(Value::Array(mut stops)) => {
            stops.truncate(MOST_STOPS);
            out.insert("stop_sequences".to_owned(), stops.into());
        }
        Some(stop) => {
            out.insert("stop_sequences".to_owned(), json!([stop]));
        }
        None => {}
    }
    if let Some(modalities) = body.remove("modalities") {
        let upper = modalities.as_array().into_iter().flatten().filter_map(Value::as_str);
        out.insert("responseModalities".to_owned(), upper.map(str::to_uppercase).collect());
    }
    if let Some(voice) = body.remove("audio").as_ref().and_then(|audio| audio.get("voice")) {
        let config = json!({"voiceConfig": {"prebuiltVoiceConfig": {"voiceName": voice}}});
        out.insert("speechConfig".to_owned(), config);
    }
    if let Some(resolution) = resolution {
        out.insert("mediaResolution".to_owned(), resolution.into());
    }
    response_format(body.remove("response_format"), &mut out);
    thinking(body, &mut out, abilities)?;
    if abilities.has_levels && !out.contains_key("temperature") {
        // Google's advice for this generation; lower ones make it repeat itself.
        out.insert("temperature".to_owned(), json!(1.0));
    }
    // Whom the call is for cannot be said.
    body.remove("user");
    Ok(out)
}

fn response_format(format: Option<Value>, out: &mut Map<String, Value>) {
    let Some(format) = format else { return };
    let mime_type = if format["type"] == "text" {
        "text/plain"
    } else {
        "application/json"
    };
    out.insert("response_mime_type".to_owned(), mime_type.into());
    let given = format["json_schema"]
        .get("schema")
        .or_else(|| format.get("response_schema"));
    if let Some(schema) = given.filter(|schema| schema.is_object()) {
        out.insert("response_json_schema".to_owned(), schema.clone());
    }
}

fn thinking(
    body: &mut Map<String, Value>,
    out: &mut Map<String, Value>,
    abilities: &Abilities<'_>,
) -> Result<(), Failure> {
    let effort = body.remove("reasoning_effort");
    let effort = effort
        .as_ref()
        .and_then(|effort| effort.as_str().or_else(|| effort["effort"].as_str()));
    let config = if let Some(thinking) = body.remove("thinking") {
        explicit(&thinking, abilities)
    } else if let Some(effort) = effort {
        if abilities.has_levels {
            level(effort, abilities.model)
        } else {
            budget(effort, abilities.model)?
        }
    } else {
        return Ok(());
    };
    out.insert("thinkingConfig".to_owned(), config);
    Ok(())
}

fn explicit(thinking: &Value, abilities: &Abilities<'_>) -> Value {
    let enabled = thinking["type"] != "disabled";
    if abilities.has_levels {
        return json!({"includeThoughts": enabled});
    }
    if !enabled {
        return json!({});
    }
    let mut config = json!({"includeThoughts": true});
    if let Some(budget) = thinking.get("budget_tokens") {
        config["thinkingBudget"] = budget.clone();
        config["includeThoughts"] = (budget != 0).into();
    }
    config
}

fn level(effort: &str, model: &str) -> Value {
    let level = match effort {
        "none" | "disable" => return json!({"thinkingLevel": "low", "includeThoughts": false}),
        "minimal" if model.starts_with("gemini-3-flash") => "minimal",
        "minimal" => "low",
        "xhigh" | "max" => "high",
        other => other,
    };
    json!({"thinkingLevel": level, "includeThoughts": true})
}

/// litellm's budgets, in tokens; the least differs from model to model.
fn budget(effort: &str, model: &str) -> Result<Value, Failure> {
    let tokens = match effort {
        "none" | "disable" => return Ok(json!({"thinkingBudget": 0, "includeThoughts": false})),
        "minimal" if model.contains("flash-lite") => 512,
        "minimal" if model.contains("pro") => 128,
        "minimal" => 1,
        "low" => 1024,
        "medium" => 2048,
        "high" => 4096,
        _ => {
            return Err(refused(format!(
                "reasoning_effort='{effort}' is not known; use none, minimal, low, medium or high"
            )));
        }
    };
    Ok(json!({"thinkingBudget": tokens, "includeThoughts": true}))
}
