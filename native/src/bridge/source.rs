//! The stream that a chunk belongs to, as far as it says what the chunk shows.

use std::sync::Arc;

use bytes::Bytes;

use super::content::{Fields, Slot, key_for};
use super::forms::{names_provider_in_chunks, unsaid_in_chunks};
use super::kinds::Kind;
use crate::call::OpenCall;

#[derive(Debug)]
pub(crate) struct Source {
    pub call: Arc<OpenCall>,
    /// The model asked for, as JSON: litellm's chunks name it, whatever the provider calls the model that answers; but
    /// not Azure's, whose model asked for is the name of a deployment.
    model: Option<Bytes>,
    /// What chunks with a usage, and those that litellm writes itself, call the model.
    own_model: Option<Bytes>,
    /// The caller did not ask for the usage.
    hides_usage: bool,
    unsaid: &'static [&'static str],
}

impl Source {
    pub(crate) fn new(call: Arc<OpenCall>, provider: &str, model: Option<&str>, hides_usage: bool) -> Self {
        let json = |name: String| serde_json::to_vec(&name).ok().map(Bytes::from);
        let asked = || model.and_then(|model| json(model.to_owned()));
        let (model, own_model) = match provider {
            "azure" => (None, asked()),
            _ => (asked(), own_model(provider, model).and_then(json)),
        };
        Self {
            call,
            model,
            own_model,
            hides_usage,
            unsaid: unsaid_in_chunks(provider),
        }
    }

    /// Of a stream whose chunks we write ourselves.
    pub(crate) fn of_own(call: Arc<OpenCall>, model: Option<&str>) -> Self {
        Self {
            call,
            model: model.and_then(|model| serde_json::to_vec(model).ok().map(Bytes::from)),
            own_model: None,
            hides_usage: false,
            unsaid: &[],
        }
    }

    /// What of a chunk's own fields is shown, and how.
    pub(super) fn read(&self, kind: &'static Kind, fields: &mut Fields) {
        let mut is_own = false;
        if let Some(own) = &self.own_model {
            is_own = fields.iter().any(|(key, slot)| match (key.as_str(), slot) {
                ("usage", Slot::Json(json)) => json.starts_with(b"{"),
                ("model", Slot::Json(json)) => json == own,
                _ => false,
            });
        }
        let model = if is_own { &self.own_model } else { &self.model };
        if let Some(model) = model {
            let slot = Slot::Json(model.clone());
            match fields.iter_mut().find(|(known, _)| known.as_str() == "model") {
                Some(field) => field.1 = slot,
                None => fields.push((key_for(kind, "model"), slot)),
            }
        }
        if self.hides_usage || !self.unsaid.is_empty() {
            fields.retain(|(key, _)| {
                let name = key.as_str();
                !(self.hides_usage && name == "usage" || self.unsaid.contains(&name))
            });
        }
    }
}

/// What litellm calls the model in chunks of its own, where that is not simply the model asked for.
pub(crate) fn own_model(provider: &str, model: Option<&str>) -> Option<String> {
    let model = model.filter(|_| names_provider_in_chunks(provider))?;
    Some(format!("{provider}/{model}"))
}
