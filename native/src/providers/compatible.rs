//! OpenAI's dialect as vendors speak it who do not take all of it: what is left out, renamed or put otherwise.

use http::{HeaderName, HeaderValue};
use serde_json::{Map, Value, json};

use super::dialect::{Asked, Dialect, Worded, secret_header};
use super::model_facts::ModelFacts;
use super::parameters::keep_supported;
use crate::failure::Failure;

/// What of a vendor's differs from OpenAI's own. Answers are OpenAI's, and stay as they come.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Compatible {
    /// Parameters that it does not know.
    pub unsupported: &'static [&'static str],
    /// Parameters that it calls otherwise.
    pub renamed: &'static [(&'static str, &'static str)],
    /// Parameters that are accepted here and not sent, as litellm does.
    pub left_out: &'static [&'static str],
    /// `reasoning_effort` and `thinking` only for models that the table says reason.
    pub reasons_by_model: bool,
    /// It takes the text of a message as a text, not as a list of parts.
    pub flat_texts: bool,
    /// It takes marks for its cache.
    pub keeps_cache_control: bool,
    /// Its own name for `tool_choice="required"`.
    pub required: Option<&'static str>,
    /// The version that its paths begin with, where users leave it out of the base.
    pub version: &'static str,
    /// Headers of the vendor's own; the caller's `extra_headers` win.
    pub headers: &'static [(&'static str, &'static str)],
    /// Fields that each request carries.
    pub always: Option<fn(&mut Map<String, Value>)>,
}

impl Compatible {
    pub(crate) const fn plain() -> Self {
        Self {
            unsupported: &[],
            renamed: &[],
            left_out: &[],
            reasons_by_model: true,
            flat_texts: false,
            keeps_cache_control: false,
            required: None,
            version: "",
            headers: &[],
            always: None,
        }
    }

    fn supports(&self, name: &str, reasons: bool) -> bool {
        match name {
            "reasoning_effort" | "thinking" if self.reasons_by_model && !reasons => false,
            _ => !self.unsupported.contains(&name),
        }
    }
}

impl Dialect for Compatible {
    fn word(&self, asked: Asked<'_>) -> Result<Worded, Failure> {
        let Asked { mut body, wishes, .. } = asked;
        let reasons = ModelFacts::of(wishes.provider, wishes.model).can("supports_reasoning");
        keep_supported(&mut body, &wishes, |name| self.supports(name, reasons))?;
        body.remove("cache_control_injection_points");
        for name in self.left_out {
            body.remove(*name);
        }
        for (openais, theirs) in self.renamed {
            if let Some(value) = body.remove(*openais) {
                body.insert((*theirs).to_owned(), value);
            }
        }
        if let Some(messages) = body.get_mut("messages").and_then(Value::as_array_mut) {
            messages.iter_mut().for_each(|message| self.adapt(message));
        }
        if let Some(tools) = body
            .get_mut("tools")
            .and_then(Value::as_array_mut)
            .filter(|_| !self.keeps_cache_control)
        {
            tools.iter_mut().for_each(unmark);
        }
        if let (Some(theirs), Some(choice)) = (self.required, body.get_mut("tool_choice"))
            && choice == "required"
        {
            *choice = theirs.into();
        }
        if let Some(always) = self.always {
            always(&mut body);
        }
        let mut out = Map::with_capacity(body.len() + 3);
        out.insert("model".to_owned(), wishes.model.into());
        out.append(&mut body);
        if asked.streaming {
            out.insert("stream".to_owned(), true.into());
            let takes_options = !self.left_out.contains(&"stream_options");
            if takes_options && (asked.include_usage || asked.injects_usage) {
                out.insert("stream_options".to_owned(), json!({"include_usage": true}));
            }
        }
        let path = asked.operation.path();
        Ok(Worded {
            uri: if self.version.is_empty() {
                asked.endpoint.with_path(path)
            } else {
                asked.endpoint.with_versioned_path(self.version, path)
            },
            headers: self.headers(asked.key)?,
            body: Value::Object(out),
            reading: None,
        })
    }

    fn has_strict_schemas(&self) -> bool {
        true
    }
}

impl Compatible {
    fn headers(&self, key: Option<&str>) -> Result<Vec<(HeaderName, HeaderValue)>, Failure> {
        let mut headers = Vec::new();
        if let Some(key) = key {
            headers.push((http::header::AUTHORIZATION, secret_header(&format!("Bearer {key}"))?));
        }
        headers.extend(
            self.headers
                .iter()
                .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value))),
        );
        Ok(headers)
    }

    /// A message as all vendors take it: the old name of the system's role, image URLs in objects.
    fn adapt(&self, message: &mut Value) {
        if message["role"] == "developer" {
            message["role"] = "system".into();
        }
        if !self.keeps_cache_control {
            unmark(message);
        }
        let Some(parts) = message.get_mut("content").and_then(Value::as_array_mut) else {
            return;
        };
        for part in parts.iter_mut() {
            if !self.keeps_cache_control {
                unmark(part);
            }
            if part["image_url"].is_string() {
                let url = part["image_url"].take();
                part["image_url"] = json!({"url": url});
            }
        }
        let texts: Option<Vec<&str>> = parts.iter().map(|part| part["text"].as_str()).collect();
        if let Some(texts) = texts.filter(|_| self.flat_texts) {
            message["content"] = texts.concat().into();
        }
    }
}

fn unmark(holder: &mut Value) {
    if let Some(fields) = holder.as_object_mut() {
        // Taking it out must not change the order of what stays.
        fields.shift_remove("cache_control");
    }
}
