//! An answer object: a JSON object that becomes Python values field by field, as they are asked for.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use pyo3::exceptions::{PyAttributeError, PyKeyError};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList, PyTuple, PyType};
use pyo3::{PyTraverseError, PyVisit};

use super::content::{Content, Key, Slot, key_for};
use super::json_in;
use super::kinds::{Kind, Missing};
use super::plain::{dumped_value, missing};
use super::shortcuts;
use crate::call::OpenCall;
use crate::json_scan;

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
}

/// The stream that a chunk belongs to.
#[derive(Debug)]
pub(crate) struct Source {
    pub call: Arc<OpenCall>,
    /// The model asked for, as JSON: litellm's chunks name it, whatever the provider calls the model that answers.
    pub model: Option<Bytes>,
}

impl OpenAIObject {
    pub(crate) fn from_json(kind: &'static Kind, json: Bytes) -> Self {
        Self {
            kind,
            content: Mutex::new(Content::Json(json)),
            source: None,
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
        })
    }

    fn fields(&self) -> MutexGuard<'_, Content> {
        let mut content = self.content.lock().unwrap_or_else(PoisonError::into_inner);
        if let Content::Json(json) = &*content {
            let mut fields: Vec<(Key, Slot)> = Vec::with_capacity(8);
            for (name, value) in json_scan::members(json) {
                let key = key_for(self.kind, &json_in::name_of(name));
                let slot = Slot::Json(json.slice_ref(value));
                // Where a name stands twice the last one counts, as with Python's json.
                match fields.iter_mut().find(|(known, _)| known.as_str() == key.as_str()) {
                    Some(field) => field.1 = slot,
                    None => fields.push((key, slot)),
                }
            }
            if let Some(model) = self.source.as_ref().and_then(|source| source.model.as_ref()) {
                let slot = Slot::Json(model.clone());
                match fields.iter_mut().find(|(known, _)| known.as_str() == "model") {
                    Some(field) => field.1 = slot,
                    None => fields.push((key_for(self.kind, "model"), slot)),
                }
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

#[pymethods]
impl OpenAIObject {
    fn __getattr__(&self, py: Python<'_>, name: &str) -> PyResult<Py<PyAny>> {
        match self.value(py, name)? {
            Some(value) => Ok(value),
            None => match shortcuts::of(self, py, name)? {
                Some(value) => Ok(value.unbind()),
                None => self.required(py, name),
            },
        }
    }

    fn __setattr__(&self, name: &str, value: Py<PyAny>) {
        self.put(name, value);
    }

    fn __delattr__(&self, name: &str) -> PyResult<()> {
        let mut content = self.fields();
        let Content::Fields(fields) = &mut *content else {
            return Ok(());
        };
        let at = fields.iter().position(|(key, _)| key.as_str() == name);
        let removed = at.map(|at| fields.remove(at));
        drop(content);
        removed
            .map(drop)
            .ok_or_else(|| PyAttributeError::new_err(format!("'{}' object has no attribute '{name}'", self.kind.name)))
    }

    fn __getitem__(&self, py: Python<'_>, name: &str) -> PyResult<Py<PyAny>> {
        self.value(py, name)?
            .ok_or_else(|| PyKeyError::new_err(name.to_owned()))
    }

    fn __setitem__(&self, name: &str, value: Py<PyAny>) {
        self.put(name, value);
    }

    fn __contains__(&self, py: Python<'_>, name: &str) -> PyResult<bool> {
        Ok(self.value(py, name)?.is_some())
    }

    fn __len__(&self) -> usize {
        self.names().len()
    }

    /// Always true: an answer without a field is still an answer.
    fn __bool__(&self) -> bool {
        true
    }

    #[pyo3(signature = (name, default=None))]
    fn get(&self, py: Python<'_>, name: &str, default: Option<Py<PyAny>>) -> PyResult<Option<Py<PyAny>>> {
        Ok(self.value(py, name)?.or(default))
    }

    fn keys(&self) -> Vec<String> {
        self.names()
    }

    fn values(&self, py: Python<'_>) -> PyResult<Vec<Option<Py<PyAny>>>> {
        self.names().iter().map(|name| self.value(py, name)).collect()
    }

    fn items(&self, py: Python<'_>) -> PyResult<Vec<(String, Option<Py<PyAny>>)>> {
        self.names()
            .into_iter()
            .map(|name| self.value(py, &name).map(|value| (name, value)))
            .collect()
    }

    /// Pairs of name and value, as pydantic's models iterate.
    fn __iter__(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        Ok(PyList::new(py, self.items(py)?)?.try_iter()?.into_any().unbind())
    }

    #[pyo3(signature = (*, exclude_none=false, **_options))]
    fn model_dump<'py>(
        &self,
        py: Python<'py>,
        exclude_none: bool,
        _options: Option<&Bound<'py, PyDict>>,
    ) -> PyResult<Bound<'py, PyDict>> {
        self.dumped(py, exclude_none)
    }

    #[pyo3(signature = (*, exclude_none=false, **_options))]
    fn dict<'py>(
        &self,
        py: Python<'py>,
        exclude_none: bool,
        _options: Option<&Bound<'py, PyDict>>,
    ) -> PyResult<Bound<'py, PyDict>> {
        self.dumped(py, exclude_none)
    }

    #[pyo3(signature = (*, exclude_none=false, **_options))]
    fn to_dict<'py>(
        &self,
        py: Python<'py>,
        exclude_none: bool,
        _options: Option<&Bound<'py, PyDict>>,
    ) -> PyResult<Bound<'py, PyDict>> {
        self.dumped(py, exclude_none)
    }

    /// litellm's `json()` is a dict, not text.
    #[pyo3(signature = (**_options))]
    fn json<'py>(&self, py: Python<'py>, _options: Option<&Bound<'py, PyDict>>) -> PyResult<Bound<'py, PyDict>> {
        self.dumped(py, false)
    }

    #[pyo3(signature = (*, exclude_none=false, indent=None, **_options))]
    fn model_dump_json<'py>(
        &self,
        py: Python<'py>,
        exclude_none: bool,
        indent: Option<u32>,
        _options: Option<&Bound<'py, PyDict>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let options = PyDict::new(py);
        options.set_item("ensure_ascii", false)?;
        match indent {
            Some(indent) => options.set_item("indent", indent)?,
            None => options.set_item("separators", (",", ":"))?,
        }
        py.import("json")?
            .call_method("dumps", (self.dumped(py, exclude_none)?,), Some(&options))
    }

    #[pyo3(signature = (*, exclude_none=false, indent=None, **options))]
    fn to_json<'py>(
        &self,
        py: Python<'py>,
        exclude_none: bool,
        indent: Option<u32>,
        options: Option<&Bound<'py, PyDict>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        self.model_dump_json(py, exclude_none, indent, options)
    }

    #[classmethod]
    fn model_validate<'py>(class: &Bound<'py, PyType>, value: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        if value.is_instance(class)? {
            return Ok(value.clone());
        }
        class.call((), Some(value.cast::<PyDict>()?))
    }

    /// How pydantic takes these objects into its models: instances as they are, dicts by construction.
    #[classmethod]
    fn __get_pydantic_core_schema__<'py>(
        class: &Bound<'py, PyType>,
        _source: &Bound<'py, PyAny>,
        _handler: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyAny>> {
        class
            .py()
            .import("edgequake_obs._pydantic")?
            .call_method1("core_schema", (class,))
    }

    fn __eq__(&self, py: Python<'_>, other: &Bound<'_, PyAny>) -> PyResult<bool> {
        let Ok(other) = other.cast::<Self>() else {
            return Ok(false);
        };
        let other = other.get();
        Ok(std::ptr::eq(self, other)
            || (std::ptr::eq(self.kind, other.kind) && self.dumped(py, false)?.eq(other.dumped(py, false)?)?))
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        let mut parts = Vec::new();
        for name in self.names() {
            if let Some(value) = self.value(py, &name)? {
                parts.push(format!("{name}={}", value.bind(py).repr()?));
            }
        }
        Ok(format!("{}({})", self.kind.name, parts.join(", ")))
    }

    fn __dir__(slf: &Bound<'_, Self>) -> PyResult<Vec<String>> {
        let mut names: Vec<String> = slf.get_type().dir()?.extract()?;
        names.extend(slf.get().names());
        Ok(names)
    }

    /// Another object with the same values, not copies of them.
    fn __copy__<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        let values = PyDict::new(slf.py());
        for (name, value) in slf.get().items(slf.py())? {
            values.set_item(name, value)?;
        }
        slf.get_type().call((), Some(&values))
    }

    fn __reduce__<'py>(slf: &Bound<'py, Self>) -> PyResult<(Bound<'py, PyAny>, Bound<'py, PyTuple>)> {
        let py = slf.py();
        let rebuild = py.import("edgequake_obs._native")?.getattr("_rebuild")?;
        Ok((
            rebuild,
            (slf.get_type(), slf.get().dumped(py, false)?).into_pyobject(py)?,
        ))
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        // The collector must not wait for a lock: an object in use is not garbage.
        let Ok(content) = self.content.try_lock() else {
            return Ok(());
        };
        if let Content::Fields(fields) = &*content {
            for (_, slot) in fields {
                if let Slot::Value(value) = slot {
                    visit.call(value)?;
                }
            }
        }
        Ok(())
    }

    fn __clear__(&self) {
        if let Ok(mut content) = self.content.try_lock() {
            let old = std::mem::replace(&mut *content, Content::Fields(Vec::new()));
            drop(content);
            drop(old);
        }
    }
}
