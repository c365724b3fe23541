//! The value of an attribute, and how OTLP writes it.

use std::borrow::Cow;

use serde_json::Value as Json;

use super::protobuf;

#[derive(Clone, Debug, PartialEq)]
pub enum Value<'a> {
    Text(Cow<'a, str>),
    Integer(i64),
    Double(f64),
    Boolean(bool),
    Texts(Vec<Cow<'a, str>>),
    /// JSON text of a value that has a structure.
    Json(&'a str),
}

impl<'a> Value<'a> {
    pub(super) fn text(text: &'a str) -> Self {
        Self::Text(Cow::Borrowed(text))
    }

    /// The same with texts of so many characters at most.
    pub(super) fn cut(self, longest: Option<usize>) -> Self {
        let Some(longest) = longest else { return self };
        let short = |text: Cow<'a, str>| match text.char_indices().nth(longest) {
            Some((end, _)) => Cow::Owned(text[..end].to_owned()),
            None => text,
        };
        match self {
            Self::Text(text) => Self::Text(short(text)),
            Self::Texts(texts) => Self::Texts(texts.into_iter().map(short).collect()),
            other => other,
        }
    }

    /// A count; what is more than the protocol's integers reach is not believed further than that.
    pub(super) fn count(count: u64) -> Self {
        Self::Integer(i64::try_from(count).unwrap_or(i64::MAX))
    }
}

/// A `KeyValue` as field `field` of the message under way.
pub(super) fn attribute(out: &mut Vec<u8>, field: u32, name: &str, value: &Value<'_>) {
    protobuf::message(out, field, |out| {
        protobuf::text(out, 1, name);
        protobuf::message(out, 2, |out| any_value(out, value));
    });
}

fn any_value(out: &mut Vec<u8>, value: &Value<'_>) {
    match value {
        Value::Text(text) => protobuf::text(out, 1, text),
        Value::Boolean(flag) => protobuf::integer(out, 2, u64::from(*flag)),
        Value::Integer(number) => protobuf::integer(out, 3, number.cast_unsigned()),
        Value::Double(number) => protobuf::double(out, 4, *number),
        Value::Texts(texts) => protobuf::message(out, 5, |out| {
            for text in texts {
                protobuf::message(out, 1, |out| protobuf::text(out, 1, text));
            }
        }),
        Value::Json(json) => structured(out, &serde_json::from_str(json).unwrap_or_default()),
    }
}

fn structured(out: &mut Vec<u8>, value: &Json) {
    match value {
        Json::Null => {}
        Json::String(text) => protobuf::text(out, 1, text),
        Json::Bool(flag) => protobuf::integer(out, 2, u64::from(*flag)),
        Json::Number(number) => match (number.as_i64(), number.as_f64()) {
            (Some(whole), _) => protobuf::integer(out, 3, whole.cast_unsigned()),
            (None, number) => protobuf::double(out, 4, number.unwrap_or_default()),
        },
        Json::Array(items) => protobuf::message(out, 5, |out| {
            for item in items {
                protobuf::message(out, 1, |out| structured(out, item));
            }
        }),
        Json::Object(members) => protobuf::message(out, 6, |out| {
            for (name, value) in members {
                protobuf::message(out, 1, |out| {
                    protobuf::text(out, 1, name);
                    protobuf::message(out, 2, |out| structured(out, value));
                });
            }
        }),
    }
}
