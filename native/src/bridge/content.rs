//! What an answer object holds: JSON text that nobody has looked into, or its fields.

use bytes::Bytes;
use pyo3::prelude::*;

use super::kinds::Kind;

/// A field's value: as the provider sent it, or as somebody asked for it or set it.
#[derive(Debug)]
pub(crate) enum Slot {
    Json(Bytes),
    Value(Py<PyAny>),
}

#[derive(Debug)]
pub(crate) enum Key {
    Known(&'static str),
    Other(Box<str>),
}

impl Key {
    pub(super) fn as_str(&self) -> &str {
        match self {
            Self::Known(name) => name,
            Self::Other(name) => name,
        }
    }
}

#[derive(Debug)]
pub(super) enum Content {
    /// Not looked into yet.
    Json(Bytes),
    Fields(Fields),
}

/// In the order in which they were sent or set; of a name there is one.
pub(crate) type Fields = Vec<(Key, Slot)>;

pub(super) fn key_for(kind: &'static Kind, name: &str) -> Key {
    kind.field(name)
        .map_or_else(|| Key::Other(name.into()), |field| Key::Known(field.name))
}
