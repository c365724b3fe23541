//! How much the model thinks: `thinking`, and litellm's translation of `reasoning_effort`.

use serde_json::{Map, Value, json};

use crate::failure::Failure;
use crate::providers::dialect::refused;
use crate::providers::model_facts::ModelFacts;

/// litellm's budgets in tokens; the API takes none below 1,024.
const BUDGETS: &[(&str, u64)] = &[("minimal", 1024), ("low", 1024), ("medium", 2048), ("high", 4096)];

pub(super) fn translate(
    body: &mut Map<String, Value>,
    out: &mut Map<String, Value>,
    facts: ModelFacts,
    model: &str,
) -> Result<(), Failure> {
    let effort = body.remove("reasoning_effort");
    // The object of OpenAI's responses: {"effort": "low", "summary": "auto"}.
    let effort = effort
        .as_ref()
        .and_then(|effort| effort.as_str().or_else(|| effort["effort"].as_str()));
    if let Some(thinking) = body.remove("thinking") {
        explicit(thinking, out, facts);
    } else if let Some(effort) = effort.filter(|effort| *effort != "none") {
        by_effort(effort, out, facts, model)?;
    }
    Ok(())
}

fn is_adaptive(facts: ModelFacts) -> bool {
    facts.can("supports_adaptive_thinking")
}

fn explicit(thinking: Value, out: &mut Map<String, Value>, facts: ModelFacts) {
    let kind = thinking["type"].as_str().unwrap_or_default();
    if kind == "disabled" && facts.can("thinking_always_on") {
        return;
    }
    let takes_budgets = !is_adaptive(facts) || facts.can("supports_legacy_thinking");
    if kind == "enabled" && !takes_budgets {
        let budget = thinking["budget_tokens"].as_u64().unwrap_or(0);
        let effort = BUDGETS
            .iter()
            .skip(1)
            .find(|(_, limit)| budget <= *limit)
            .map_or("high", |(name, _)| name);
        out.insert("thinking".to_owned(), json!({"type": "adaptive"}));
        out.insert("output_config".to_owned(), json!({"effort": effort}));
        return;
    }
    out.insert("thinking".to_owned(), thinking);
}

fn by_effort(effort: &str, out: &mut Map<String, Value>, facts: ModelFacts, model: &str) -> Result<(), Failure> {
    let is_beyond = match effort {
        "xhigh" => !facts.can("supports_xhigh_reasoning_effort"),
        "max" => !facts.can("supports_max_reasoning_effort"),
        _ => false,
    };
    if is_beyond {
        return Err(refused(format!(
            "effort='{effort}' is not supported by this model. Got model: {model}"
        )));
    }
    if is_adaptive(facts) {
        let effort = if effort == "minimal" { "low" } else { effort };
        out.insert(
            "thinking".to_owned(),
            json!({"type": "adaptive", "display": "summarized"}),
        );
        out.insert("output_config".to_owned(), json!({"effort": effort}));
        return Ok(());
    }
    let Some((_, budget)) = BUDGETS.iter().find(|(name, _)| *name == effort) else {
        return Err(refused(format!(
            "reasoning_effort='{effort}' is not known; use none, minimal, low, medium or high"
        )));
    };
    out.insert(
        "thinking".to_owned(),
        json!({"type": "enabled", "budget_tokens": budget}),
    );
    Ok(())
}
