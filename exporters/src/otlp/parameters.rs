//! What of a request's parameters, and of a provider's details, the conventions have a name for.

use std::borrow::Cow;
use std::collections::HashMap;

use serde_json::Value as Json;

use super::value::Value;

/// The column `request_params` or `provider_details`, parsed; empty where there is none.
#[derive(Debug, Default)]
pub(super) struct Parameters(HashMap<String, Json>);

impl Parameters {
    pub(super) fn parse(json: Option<&str>) -> Self {
        Self(
            json.and_then(|json| serde_json::from_str(json).ok())
                .unwrap_or_default(),
        )
    }

    fn first(&self, names: &[&str]) -> Option<&Json> {
        names
            .iter()
            .find_map(|name| self.0.get(*name))
            .filter(|value| !value.is_null())
    }

    pub(super) fn text(&self, names: &[&str]) -> Option<&str> {
        self.first(names)?.as_str()
    }

    /// Of a type other than the conventions' nothing is said: a wrong type makes some backends drop the whole span.
    pub(super) fn integer(&self, names: &[&str]) -> Option<Value<'_>> {
        self.first(names)?.as_i64().map(Value::Integer)
    }

    pub(super) fn double(&self, names: &[&str]) -> Option<Value<'_>> {
        self.first(names)?.as_f64().map(Value::Double)
    }

    /// A list of texts, or one text.
    pub(super) fn texts(&self, names: &[&str]) -> Option<Value<'_>> {
        match self.first(names)? {
            Json::String(text) => Some(Value::Texts(vec![Cow::Borrowed(text)])),
            Json::Array(items) => {
                let texts: Option<Vec<_>> = items.iter().map(|item| item.as_str().map(Cow::Borrowed)).collect();
                texts.map(Value::Texts)
            }
            _ => None,
        }
    }
}
