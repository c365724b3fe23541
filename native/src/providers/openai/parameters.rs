//! What OpenAI's models, and Azure's, take of their own parameters: litellm refuses the others before it sends them.

use crate::providers::model_facts::ModelFacts;

/// Stop sequences that are sent; more are left out.
pub(crate) const MOST_STOPS: usize = 4;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Family {
    Plain,
    /// Models that reason always, and are steered by no probabilities.
    OSeries,
    Gpt5,
}

/// The rules for one call.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rules<'a> {
    provider: &'static str,
    model: &'a str,
    family: Family,
    /// A newer model that can do without reasoning, and does so in this call.
    does_not_reason: bool,
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Takes,
    Refuses,
    /// It takes this parameter, but not this value.
    RefusesValue(String),
    CallsIt(&'static str),
}

impl<'a> Rules<'a> {
    /// `effort`: the `reasoning_effort` of the call.
    pub(crate) fn new(provider: &'static str, model: &'a str, effort: Option<&str>) -> Self {
        let family = family(model);
        let mut rules = Self {
            provider,
            model,
            family,
            does_not_reason: false,
        };
        rules.does_not_reason =
            family == Family::Gpt5 && effort.is_none_or(|effort| effort == "none") && rules.can_do_without_reasoning();
        rules
    }

    fn facts(&self) -> ModelFacts {
        ModelFacts::of(self.provider, self.model)
    }

    fn can_do_without_reasoning(&self) -> bool {
        self.facts().can("supports_none_reasoning_effort")
    }

    /// `text` and `number`: the value, where it is one.
    pub(crate) fn judge(&self, name: &str, text: Option<&str>, number: Option<f64>) -> Verdict {
        let takes = match (self.family, name) {
            (_, "thinking") => false,
            (Family::Plain, "verbosity") | (Family::OSeries, "verbosity") => false,
            (Family::Plain, "reasoning_effort") => {
                let facts = self.facts();
                self.provider == "openai" && (!facts.is_known() || facts.can("supports_reasoning"))
            }
            (Family::Plain, "service_tier" | "safety_identifier" | "prompt_cache_retention") => {
                self.provider != "azure"
            }
            (Family::Plain, _) => true,
            (_, "frequency_penalty" | "presence_penalty") => false,
            (_, "max_tokens") => return Verdict::CallsIt("max_completion_tokens"),
            (_, "temperature") => return self.temperature(number),
            (_, "logprobs" | "top_logprobs" | "top_p") => self.does_not_reason,
            (Family::OSeries, "parallel_tool_calls") => {
                self.provider == "azure" || self.facts().can("supports_parallel_function_calling")
            }
            (Family::OSeries, _) => true,
            (Family::Gpt5, "reasoning_effort") => return self.effort(text),
            (Family::Gpt5, _) => !matches!(
                name,
                "logit_bias" | "modalities" | "prediction" | "audio" | "web_search_options" | "stop"
            ),
        };
        if takes { Verdict::Takes } else { Verdict::Refuses }
    }

    fn temperature(&self, given: Option<f64>) -> Verdict {
        if self.does_not_reason || given == Some(1.0) {
            return Verdict::Takes;
        }
        Verdict::RefusesValue(format!("{} takes only temperature=1 while it reasons", self.model))
    }

    fn effort(&self, effort: Option<&str>) -> Verdict {
        let without = self.can_do_without_reasoning();
        let takes = match effort {
            Some("none") => without,
            Some("minimal") => !without,
            _ => true,
        };
        if takes {
            return Verdict::Takes;
        }
        let effort = effort.unwrap_or_default();
        Verdict::RefusesValue(format!("{} does not take reasoning_effort={effort}", self.model))
    }
}

/// Whether OpenAI knows the role `developer` for this model.
pub(crate) fn knows_developers(model: &str) -> bool {
    family(model) == Family::OSeries
}

fn family(model: &str) -> Family {
    let name = model.rsplit('/').next().unwrap_or(model);
    if model.starts_with("gpt5_series/")
        || (name.starts_with("gpt-5") || name.starts_with("gpt-6")) && !name.contains("-chat")
    {
        Family::Gpt5
    } else if model.starts_with("o_series/") || ["o1", "o3", "o4"].iter().any(|series| name.starts_with(series)) {
        Family::OSeries
    } else {
        Family::Plain
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_models_take_all_but_what_steers_reasoning() {
        let rules = Rules::new("openai", "gpt-4o", None);
        assert_eq!(rules.judge("temperature", None, Some(0.0)), Verdict::Takes);
        assert_eq!(rules.judge("reasoning_effort", Some("low"), None), Verdict::Refuses);
        assert_eq!(rules.judge("thinking", None, None), Verdict::Refuses);
        let mine = Rules::new("openai", "my-own", None);
        assert_eq!(mine.judge("reasoning_effort", Some("low"), None), Verdict::Takes);
        let deployed = Rules::new("azure", "my-own", None);
        assert_eq!(deployed.judge("reasoning_effort", Some("low"), None), Verdict::Refuses);
        assert_eq!(deployed.judge("service_tier", Some("flex"), None), Verdict::Refuses);
    }

    #[test]
    fn models_that_reason_take_what_litellm_says() {
        let o3 = Rules::new("azure", "o_series/mine", None);
        assert_eq!(
            o3.judge("max_tokens", None, Some(3.0)),
            Verdict::CallsIt("max_completion_tokens")
        );
        assert_eq!(o3.judge("top_p", None, Some(0.3)), Verdict::Refuses);
        assert!(matches!(
            o3.judge("temperature", None, Some(0.0)),
            Verdict::RefusesValue(_)
        ));
        let gpt5 = Rules::new("openai", "gpt-5", None);
        assert!(matches!(
            gpt5.judge("reasoning_effort", Some("none"), None),
            Verdict::RefusesValue(_)
        ));
        assert_eq!(gpt5.judge("reasoning_effort", Some("minimal"), None), Verdict::Takes);
        assert_eq!(gpt5.judge("stop", None, None), Verdict::Refuses);
        let newer = Rules::new("openai", "gpt-5.1", None);
        assert_eq!(newer.judge("temperature", None, Some(0.7)), Verdict::Takes);
        let reasoning = Rules::new("openai", "gpt-5.1", Some("low"));
        assert_eq!(reasoning.judge("top_p", None, Some(0.7)), Verdict::Refuses);
    }
}
