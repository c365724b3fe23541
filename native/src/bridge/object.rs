//! An answer object: a JSON object that becomes Python values field by field, as they are asked for.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use pyo3::exceptions::PyAttributeError;
use pyo3::prelude::*;
use pyo3::types::PyDict;

use super::content::{Content, Fields, Slot, key_for};
use super::json_in;
use super::kinds::{Kind, Missing};
use super::plain::{dumped_value, missing};
use super::readings;
use super::source::Source;
use crate::json_scan;

mod methods;

/// What stands in a field.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Child {
    /// Plain Python values.
    Plain,
    /// An object of a class of ours, or a list of them.
    Of(&'static Kind),
}

/// The base of every answer object: attributes, items and methods of litellm's, over the provider's own bytes.
#[pyclass(subclass, weakref, frozen, module = "edgequake_obs")]
#[derive(Debug)]
pub(crate) struct OpenAIObject {
    pub(crate) kind: &'static Kind,
    content: Mutex<Content>,
    /// Of a chunk that came from a stream of ours.
    source: Option<Arc<Source>>,
    /// What litellm puts before the name of the model that answered.
    prefix: Option<Arc<str>>,
}

impl OpenAIObject {
    pub(crate) fn from_json(kind: &'static Kind, json: Bytes) -> Self {
        Self {
            kind,
            content: Mutex::new(Content::Json(json)),
            source: None,
            prefix: None,
        }
    }

    pub(crate) fn of_provider(kind: &'static Kind, json: Bytes, prefix: Option<Arc<str>>) -> Self {
        Self {
            prefix,
            ..Self::from_json(kind, json)
        }
    }

    pub(crate) fn of_stream(kind: &'static Kind, json: Bytes, source: Arc<Source>) -> Self {
        Self {
            source: Some(source),
            ..Self::from_json(kind, json)
        }
    }

    pub(crate) fn source(&self) -> Option<&Source> {
        self.source.as_deref()
    }

    pub(crate) fn from_values(kind: &'static Kind, values: Option<&Bound<'_, PyDict>>) -> PyResult<Self> {
        let mut fields = Vec::new();
        for (key, value) in values.into_iter().flatten() {
            let name: String = key.extract()?;
            let value = match kind.field(&name) {
                Some(field) => super::classes::adopt(field.child, &value)?,
                None => value.unbind(),
            };
            fields.push((key_for(kind, &name), Slot::Value(value)));
        }
        Ok(Self {
            kind,
            content: Mutex::new(Content::Fields(fields)),
            source: None,
            prefix: None,
        })
    }

    fn fields(&self) -> MutexGuard<'_, Content> {
        let mut content = self.content.lock().unwrap_or_else(PoisonError::into_inner);
        if let Content::Json(json) = &*content {
            let mut fields: Fields = Vec::with_capacity(8);
            for (name, value) in json_scan::members(json) {
                let key = key_for(self.kind, &json_in::name_of(name));
                let slot = Slot::Json(json.slice_ref(value));
                // Where a name stands twice the last one counts, as with Python's json.
                match fields.iter_mut().find(|(known, _)| known.as_str() == key.as_str()) {
                    Some(field) => field.1 = slot,
                    None => fields.push((key, slot)),
                }
            }
            if let Some(read) = self.kind.read {
                read(&mut fields);
            }
            if let Some(source) = &self.source {
                source.read(self.kind, &mut fields);
            }
            if let Some(prefix) = &self.prefix {
                readings::prefix_model(&mut fields, prefix);
            }
            *content = Content::Fields(fields);
        }
        content
    }

    /// The field as the provider sent it or as somebody set it; None where there is none.
    fn own(&self, py: Python<'_>, name: &str) -> PyResult<Option<Py<PyAny>>> {
        let json = {
            let content = self.fields();
            let Content::Fields(fields) = &*content else {
                return Ok(None);
            };
            match fields.iter().find(|(key, _)| key.as_str() == name) {
                None => return Ok(None),
                Some((_, Slot::Value(value))) => return Ok(Some(value.clone_ref(py))),
                Some((_, Slot::Json(json))) => json.clone(),
            }
        };
        // Made outside the lock: creating an object may run the garbage collector, and that any code at all.
        let child = self.kind.field(name).map_or(Child::Plain, |field| field.child);
        let made = json_in::to_python(py, &json, child)?;
        let mut content = self.fields();
        if let Content::Fields(fields) = &mut *content
            && let Some((_, slot)) = fields.iter_mut().find(|(key, _)| key.as_str() == name)
        {
            match slot {
                // Another thread was first: everybody gets the same object.
                Slot::Value(value) => return Ok(Some(value.clone_ref(py))),
                Slot::Json(_) => *slot = Slot::Value(made.clone_ref(py)),
            }
        }
        Ok(Some(made))
    }

    /// The field, or what a missing one is.
    pub(crate) fn value(&self, py: Python<'_>, name: &str) -> PyResult<Option<Py<PyAny>>> {
        if let Some(value) = self.own(py, name)? {
            return Ok(Some(value));
        }
        let Some(field) = self.kind.field(name) else {
            return Ok(None);
        };
        let made = missing(py, field)?;
        if let (Missing::EmptyList, Some(list)) = (field.missing, &made) {
            // A list that is changed must stay changed.
            self.put(name, list.clone_ref(py));
        }
        Ok(made)
    }

    pub(crate) fn required(&self, py: Python<'_>, name: &str) -> PyResult<Py<PyAny>> {
        self.value(py, name)?
            .ok_or_else(|| PyAttributeError::new_err(format!("'{}' object has no attribute '{name}'", self.kind.name)))
    }

    fn put(&self, name: &str, value: Py<PyAny>) {
        let mut content = self.fields();
        let Content::Fields(fields) = &mut *content else { return };
        let old = match fields.iter_mut().find(|(key, _)| key.as_str() == name) {
            Some((_, slot)) => Some(std::mem::replace(slot, Slot::Value(value))),
            None => {
                fields.push((key_for(self.kind, name), Slot::Value(value)));
                None
            }
        };
        // Dropped outside the lock, as a finaliser may run.
        drop(content);
        drop(old);
    }

    /// Names in the class's order, then whatever else the provider sent.
    pub(crate) fn names(&self) -> Vec<String> {
        let content = self.fields();
        let Content::Fields(fields) = &*content else {
            return Vec::new();
        };
        let has = |name: &str| fields.iter().any(|(key, _)| key.as_str() == name);
        let known = self
            .kind
            .fields
            .iter()
            .filter(|f| f.missing != Missing::Absent || has(f.name))
            .map(|f| f.name.to_owned());
        let others = fields
            .iter()
            .map(|(key, _)| key.as_str())
            .filter(|name| self.kind.field(name).is_none())
            .map(str::to_owned);
        known.chain(others).collect()
    }

    /// As plain dicts and lists; `exclude_none` as pydantic's.
    pub(crate) fn dumped<'py>(&self, py: Python<'py>, exclude_none: bool) -> PyResult<Bound<'py, PyDict>> {
        let out = PyDict::new(py);
        for name in self.names() {
            if let Some(value) = self.value(py, &name)? {
                let value = dumped_value(value.bind(py), exclude_none)?;
                if !(exclude_none && value.is_none()) {
                    out.set_item(name, value)?;
                }
            }
        }
        Ok(out)
    }
}
