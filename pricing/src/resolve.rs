//! From what a caller calls a model to the key of its prices. Nothing is guessed.

use crate::snapshot::{Entry, Snapshot};

/// One name that was looked up, for those who ask why a price was found or not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// The key that was looked for.
    pub key: String,
    /// Which rule gave it.
    pub rule: &'static str,
    /// What came of it.
    pub outcome: Outcome,
}

/// What came of looking for a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// These prices apply.
    Found,
    /// There is no such entry.
    NoEntry,
    /// There is one, of another provider.
    OtherProvider(String),
}

/// The key of the prices for a model, as the embedded snapshot spells it.
///
/// `<provider>/<model>` where that is a key, else `<model>` where that entry is the provider's; a leading provider
/// segment is stripped, as are Gemini's `models/` and Bedrock's endpoints; of a Bedrock ARN the part after the last `/`
/// counts, and of a fine-tuned OpenAI model `ft:<base>`. An empty provider stands for *not known*: then the model must be a key, or
/// begin with its provider.
#[must_use]
pub fn resolve(provider: &str, model: &str) -> Option<&'static str> {
    find(Snapshot::embedded(), provider, model, &mut |_, _, _, _| ()).map(Entry::key)
}

/// Told of each lookup: prefix, name, rule, entry.
pub(crate) type Listener<'l> = dyn FnMut(&str, &str, &'static str, Option<Entry<'_>>) + 'l;

pub(crate) fn find<'a>(
    snapshot: &'a Snapshot,
    provider: &str,
    model: &str,
    listener: &mut Listener<'_>,
) -> Option<Entry<'a>> {
    if provider.is_empty() {
        let found = snapshot.find("", model);
        listener("", model, "the model, whoever provides it", found);
        return found
            .or_else(|| {
                let base = fine_tuned_base(model)?;
                let found = snapshot.find("", base);
                listener("", base, "the base of a fine-tuned model", found);
                found
            })
            .or_else(|| {
                let (provider, model) = model.split_once('/').filter(|(provider, _)| !provider.is_empty())?;
                find(snapshot, provider, model, listener)
            });
    }
    let stripped = strip_provider(provider, model);
    let name = bare(provider, stripped)?;
    owned(snapshot, provider, name, listener)
        .or_else(|| {
            let base = fine_tuned_base(name)?;
            owned(snapshot, provider, base, listener)
        })
        .or_else(|| {
            let repeated = stripped.len() != model.len();
            let found = if repeated { snapshot.find(provider, model) } else { None };
            if repeated {
                listener(provider, model, "provider and model, unstripped", found);
            }
            found
        })
}

/// What came of one lookup, as its listener is told of it.
pub(crate) fn step(provider: &str, prefix: &str, name: &str, rule: &'static str, found: Option<Entry<'_>>) -> Step {
    let key = if prefix.is_empty() {
        name.to_owned()
    } else {
        format!("{prefix}/{name}")
    };
    let outcome = match found {
        None => Outcome::NoEntry,
        Some(entry) if rule == RULE_OWNED && !belongs(entry.provider(), provider) => {
            Outcome::OtherProvider(entry.provider().to_owned())
        }
        Some(_) => Outcome::Found,
    };
    Step { key, rule, outcome }
}

const RULE_OWNED: &str = "the model, of this provider";

fn owned<'a>(snapshot: &'a Snapshot, provider: &str, name: &str, listener: &mut Listener<'_>) -> Option<Entry<'a>> {
    let family = family(provider);
    for prefix in [Some(provider), Some(family).filter(|family| *family != provider)]
        .into_iter()
        .flatten()
    {
        let found = snapshot.find(prefix, name);
        listener(prefix, name, "provider and model", found);
        if found.is_some() {
            return found;
        }
    }
    let found = snapshot.find("", name);
    listener("", name, RULE_OWNED, found);
    found.filter(|entry| belongs(entry.provider(), provider))
}

fn strip_provider<'m>(provider: &str, model: &'m str) -> &'m str {
    model
        .strip_prefix(provider)
        .and_then(|rest| rest.strip_prefix('/'))
        .unwrap_or(model)
}

/// The name inside of what clouds wrap around it; `None` for what nobody can see into.
fn bare<'m>(provider: &str, model: &'m str) -> Option<&'m str> {
    if model.starts_with("arn:") {
        let (resource, name) = model.rsplit_once('/')?;
        return (!resource.ends_with(":application-inference-profile")).then_some(name);
    }
    let wrapping: &[&str] = match family(provider) {
        "gemini" | "vertex_ai" => &["models/"],
        "bedrock" => &BEDROCK_ENDPOINTS,
        "cohere" => &COHERE_VERSIONS,
        _ => &[],
    };
    Some(
        wrapping
            .iter()
            .find_map(|prefix| model.strip_prefix(prefix))
            .unwrap_or(model),
    )
}

/// litellm's names may say which of Bedrock's endpoints is asked, which does not change the bill.
const BEDROCK_ENDPOINTS: [&str; 4] = ["converse/", "invoke/", "converse_like/", "async_invoke/"];
/// And which of Cohere's interfaces.
const COHERE_VERSIONS: [&str; 2] = ["v1/", "v2/"];

/// `ft:<base>` of `ft:<base>:<organisation>:<name>:<id>`.
fn fine_tuned_base(name: &str) -> Option<&str> {
    let base = name.strip_prefix("ft:")?;
    base.find(':').map(|end| &name[..end + "ft:".len()])
}

fn belongs(entry_provider: &str, provider: &str) -> bool {
    family(entry_provider) == family(provider)
}

/// litellm splits some providers by endpoint or by vendor of the model; the bill is one.
fn family(provider: &str) -> &str {
    match provider {
        "bedrock_converse" => "bedrock",
        "cohere_chat" => "cohere",
        "azure_text" => "azure",
        "fireworks_ai-embedding-models" => "fireworks_ai",
        "text-completion-openai" => "openai",
        "text-completion-codestral" => "codestral",
        "text-completion-inception" => "inception",
        _ if provider.starts_with("vertex_ai") => "vertex_ai",
        _ => provider,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_resolve_as_documented() {
        for (provider, model, key) in [
            ("openai", "gpt-4o", Some("gpt-4o")),
            ("openai", "openai/gpt-4o", Some("gpt-4o")),
            ("", "openai/gpt-4o", Some("gpt-4o")),
            (
                "azure",
                "azure/eu/gpt-4o-2024-08-06",
                Some("azure/eu/gpt-4o-2024-08-06"),
            ),
            ("azure", "my-deployment", None),
            ("groq", "openai/gpt-oss-120b", Some("groq/openai/gpt-oss-120b")),
            ("openrouter", "openai/gpt-4o", None),
            ("mistral", "gpt-4o", None),
            (
                "openai",
                "ft:gpt-3.5-turbo-0125:acme-corp::Ab12Cd34",
                Some("ft:gpt-3.5-turbo-0125"),
            ),
            (
                "",
                "ft:gpt-3.5-turbo-0125:acme-corp::Ab12Cd34",
                Some("ft:gpt-3.5-turbo-0125"),
            ),
            ("openai", "ft:gpt-77:acme::x", None),
            (
                "bedrock",
                "bedrock/converse/meta.llama3-1-70b-instruct-v1:0",
                Some("meta.llama3-1-70b-instruct-v1:0"),
            ),
            ("cohere_chat", "v1/command-r-08-2024", Some("command-r-08-2024")),
            ("gemini", "models/gemini-2.5-pro", Some("gemini/gemini-2.5-pro")),
            ("vertex_ai", "gemini-2.5-pro", Some("gemini-2.5-pro")),
            (
                "bedrock",
                "anthropic.claude-opus-4-7",
                Some("anthropic.claude-opus-4-7"),
            ),
            (
                "bedrock",
                "bedrock/arn:aws:bedrock:ap-northeast-1:123456789012:inference-profile/jp.anthropic.claude-opus-4-7",
                Some("jp.anthropic.claude-opus-4-7"),
            ),
            (
                "bedrock",
                "arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/anthropic.claude-opus-4-7",
                None,
            ),
        ] {
            assert_eq!(resolve(provider, model), key, "{provider} {model}");
        }
    }
}
