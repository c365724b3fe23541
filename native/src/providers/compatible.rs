//! OpenAI's dialect as vendors speak it who do not take all of it: what is left out, renamed or put otherwise.

use std::borrow::Cow;

use http::{HeaderName, HeaderValue};
use serde_json::{Map, Value, json};

use super::Operation;
use super::dialect::{Asked, Dialect, Worded, secret_header};
use super::model_facts::ModelFacts;
use super::openai::messages::tool_images_to_users;
use super::openai::parameters::MOST_STOPS;
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
    /// It takes nothing but texts: other parts are left out, as litellm does.
    pub only_texts: bool,
    /// Which of its models take marks for a cache.
    pub keeps_cache_control: fn(&str) -> bool,
    /// What it can do as the table has it: offering tools to a model that cannot use them is refused.
    pub tools_by_model: bool,
    /// Parameters that some of its models do not know.
    pub unsupported_by: fn(&str, &str) -> bool,
    /// Parameters of embeddings that it knows; None: all.
    pub embeddings: Option<&'static [&'static str]>,
    /// What stands before the names of models that have no path of their own.
    pub model_path: &'static str,
    /// What is sent where there is no key: servers of one's own do not look at it.
    pub keyless: Option<&'static str>,
    /// Its own name for `tool_choice="required"`.
    pub required: Option<&'static str>,
    /// The version that its paths begin with, where users leave it out of the base.
    pub version: &'static str,
    /// Headers of the vendor's own: the name, the variable that sets it, and what it is otherwise. The caller's
    /// `extra_headers` win.
    pub headers: &'static [(&'static str, &'static str, &'static str)],
    /// litellm asks it for the usage of every stream.
    pub always_asks_for_usage: bool,
    /// Fields that each request carries.
    pub always: Option<fn(&mut Map<String, Value>)>,
}

/// Of a vendor that differs in nothing.
pub(crate) const PLAIN: Compatible = Compatible::plain();

impl Compatible {
    const fn plain() -> Self {
        Self {
            unsupported: &[],
            renamed: &[],
            left_out: &[],
            reasons_by_model: true,
            flat_texts: false,
            only_texts: false,
            keeps_cache_control: |_| false,
            tools_by_model: false,
            unsupported_by: |_, _| false,
            embeddings: None,
            model_path: "",
            keyless: None,
            required: None,
            version: "",
            headers: &[],
            always_asks_for_usage: false,
            always: None,
        }
    }

    fn supports(&self, operation: Operation, model: &str, name: &str, facts: ModelFacts) -> bool {
        if operation == Operation::Embeddings {
            return self.embeddings.is_none_or(|known| known.contains(&name));
        }
        match name {
            _ if (self.unsupported_by)(model, name) => false,
            "reasoning_effort" | "thinking" if self.reasons_by_model && !facts.can("supports_reasoning") => false,
            "tools" | "parallel_tool_calls" if self.tools_by_model => !facts.cannot("supports_function_calling"),
            "tool_choice" if self.tools_by_model => facts.can("supports_tool_choice"),
            _ => !self.unsupported.contains(&name),
        }
    }
}

impl Dialect for Compatible {
    fn word(&self, asked: Asked<'_>) -> Result<Worded, Failure> {
        let Asked { mut body, wishes, .. } = asked;
        let model = self.model_name(wishes.model);
        let facts = ModelFacts::of(wishes.provider, &model);
        keep_supported(&mut body, &wishes, |name| {
            self.supports(asked.operation, &model, name, facts)
        })?;
        body.remove("cache_control_injection_points");
        for name in self.left_out {
            body.remove(*name);
        }
        for (openais, theirs) in self.renamed {
            if let Some(value) = body.remove(*openais) {
                body.insert((*theirs).to_owned(), value);
            }
        }
        let keeps_marks = (self.keeps_cache_control)(wishes.model);
        if let Some(messages) = body.get_mut("messages").and_then(Value::as_array_mut) {
            messages.iter_mut().for_each(|message| self.adapt(message, keeps_marks));
            tool_images_to_users(messages);
        }
        if let Some(stops) = body.get_mut("stop").and_then(Value::as_array_mut) {
            stops.truncate(MOST_STOPS);
        }
        if let Some(tools) = body
            .get_mut("tools")
            .and_then(Value::as_array_mut)
            .filter(|_| !keeps_marks)
        {
            tools.iter_mut().for_each(unmark);
        }
        if let (Some(theirs), Some(choice)) = (self.required, body.get_mut("tool_choice"))
            && choice == "required"
        {
            *choice = theirs.into();
        }
        if let Some(always) = self.always.filter(|_| asked.operation == Operation::Chat) {
            always(&mut body);
        }
        let mut out = Map::with_capacity(body.len() + 3);
        out.insert("model".to_owned(), model.into_owned().into());
        out.append(&mut body);
        if asked.streaming {
            out.insert("stream".to_owned(), true.into());
            let takes_options = !self.left_out.contains(&"stream_options");
            let is_wanted = takes_options && asked.include_usage || self.always_asks_for_usage;
            if is_wanted || asked.injects_usage {
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
    fn model_name<'a>(&self, model: &'a str) -> Cow<'a, str> {
        if self.model_path.is_empty() || model.contains(['/', '#']) {
            Cow::Borrowed(model)
        } else {
            Cow::Owned(format!("{}{model}", self.model_path))
        }
    }

    fn headers(&self, key: Option<&str>) -> Result<Vec<(HeaderName, HeaderValue)>, Failure> {
        let mut headers = Vec::new();
        if let Some(key) = key.or(self.keyless) {
            headers.push((http::header::AUTHORIZATION, secret_header(&format!("Bearer {key}"))?));
        }
        for (name, variable, otherwise) in self.headers {
            let set = std::env::var(variable).ok().filter(|set| !set.is_empty());
            let value = set.and_then(|set| HeaderValue::from_str(&set).ok());
            let value = value.unwrap_or(HeaderValue::from_static(otherwise));
            headers.push((HeaderName::from_static(name), value));
        }
        Ok(headers)
    }

    /// A message as all vendors take it: the old name of the system's role, image URLs in objects.
    fn adapt(&self, message: &mut Value, keeps_marks: bool) {
        if message["role"] == "developer" {
            message["role"] = "system".into();
        }
        if !keeps_marks {
            unmark(message);
        }
        let Some(parts) = message.get_mut("content").and_then(Value::as_array_mut) else {
            return;
        };
        for part in parts.iter_mut() {
            if !keeps_marks {
                unmark(part);
            }
            if part["image_url"].is_string() {
                let url = part["image_url"].take();
                part["image_url"] = json!({"url": url});
            }
        }
        if self.only_texts {
            parts.retain(|part| part["text"].is_string());
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
