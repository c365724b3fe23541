//! What Python sees of an answer object: attributes, items and methods of litellm's.

use pyo3::exceptions::{PyAttributeError, PyKeyError};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList, PyString, PyTuple, PyType};
use pyo3::{PyTraverseError, PyVisit};

use super::OpenAIObject;
use crate::bridge::content::{Content, Slot};
use crate::bridge::{json_out, shortcuts};

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
        let dumped = self.dumped(py, exclude_none)?;
        let mut json = Vec::new();
        // A lone surrogate has no form in UTF-8, and one in Python's texts.
        if indent.is_none() && json_out::write(&dumped, &mut json).is_ok() {
            return Ok(PyString::new(py, &String::from_utf8_lossy(&json)).into_any());
        }
        let options = PyDict::new(py);
        options.set_item("ensure_ascii", false)?;
        match indent {
            Some(indent) => options.set_item("indent", indent)?,
            None => options.set_item("separators", (",", ":"))?,
        }
        py.import("json")?.call_method("dumps", (dumped,), Some(&options))
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
            || (self.kind.name == other.kind.name && self.dumped(py, false)?.eq(other.dumped(py, false)?)?))
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
