//! JSON text to Python values.

use std::borrow::Cow;
use std::fmt;

use bytes::Bytes;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList, PyString};
use serde::de::{Deserializer, Visitor};

use super::classes;
use super::object::Child;
use crate::{json_scan, json_text};

fn elements(json: &Bytes) -> Vec<Bytes> {
    json_scan::elements(json).map(|item| json.slice_ref(item)).collect()
}

/// A member's name without its escapes.
pub(crate) fn name_of(inner: &[u8]) -> Cow<'_, str> {
    match String::from_utf8_lossy(inner) {
        plain if memchr::memchr(b'\\', inner).is_none() => plain,
        escaped => Cow::Owned(json_text::unescape(&escaped)),
    }
}

/// A JSON value as a Python one; objects become what `child` says.
pub(crate) fn to_python(py: Python<'_>, json: &Bytes, child: Child) -> PyResult<Py<PyAny>> {
    Ok(match json.first() {
        Some(b'"') => string(py, json).into_any().unbind(),
        Some(b'{') => match child {
            Child::Of(kind) => classes::make(py, kind, json.clone())?,
            Child::Plain => {
                let dict = PyDict::new(py);
                for (name, value) in json_scan::members(json) {
                    dict.set_item(name_of(name), to_python(py, &json.slice_ref(value), Child::Plain)?)?;
                }
                dict.into_any().unbind()
            }
        },
        Some(b'[') => list(py, json, child)?,
        Some(b't') => true.into_pyobject(py)?.to_owned().into_any().unbind(),
        Some(b'f') => false.into_pyobject(py)?.to_owned().into_any().unbind(),
        Some(b'n') => py.None(),
        _ => number(py, json)?,
    })
}

fn list(py: Python<'_>, json: &Bytes, child: Child) -> PyResult<Py<PyAny>> {
    // Vectors of embeddings: thousands of floats, parsed in one go.
    if matches!(child, Child::Plain) {
        let looks_numeric = json[1..]
            .trim_ascii_start()
            .first()
            .is_some_and(|b| b.is_ascii_digit() || *b == b'-');
        if looks_numeric
            && memchr::memchr2(b'.', b'e', json).is_some()
            && let Ok(floats) = serde_json::from_slice::<Vec<Float>>(json)
        {
            return Ok(PyList::new(py, floats.into_iter().map(|f| f.0))?.into_any().unbind());
        }
    }
    let items = elements(json)
        .iter()
        .map(|item| to_python(py, item, child))
        .collect::<PyResult<Vec<_>>>()?;
    Ok(PyList::new(py, items)?.into_any().unbind())
}

/// A number with a fraction or an exponent; an integer in such a list sends the list the slow way, which keeps it one.
struct Float(f64);

impl<'de> serde::Deserialize<'de> for Float {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct OnlyFloats;
        impl Visitor<'_> for OnlyFloats {
            type Value = Float;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a number with a fraction")
            }
            fn visit_f64<E>(self, value: f64) -> Result<Float, E> {
                Ok(Float(value))
            }
        }
        deserializer.deserialize_f64(OnlyFloats)
    }
}

fn string<'py>(py: Python<'py>, json: &Bytes) -> Bound<'py, PyString> {
    let inner = json.get(1..json.len().saturating_sub(1)).unwrap_or_default();
    if memchr::memchr(b'\\', inner).is_none() {
        return PyString::new(py, &String::from_utf8_lossy(inner));
    }
    match serde_json::from_slice::<Cow<'_, str>>(json) {
        Ok(text) => PyString::new(py, &text),
        Err(_) => PyString::new(py, &json_text::unescape(&String::from_utf8_lossy(inner))),
    }
}

fn number(py: Python<'_>, json: &Bytes) -> PyResult<Py<PyAny>> {
    let text = std::str::from_utf8(json).unwrap_or_default();
    if let Ok(integer) = text.parse::<i64>() {
        return Ok(integer.into_pyobject(py)?.into_any().unbind());
    }
    if text.bytes().all(|b| b.is_ascii_digit() || b == b'-') && !text.is_empty() {
        return Ok(py.import("builtins")?.getattr("int")?.call1((text,))?.unbind());
    }
    let float: f64 = text
        .parse()
        .map_err(|_| PyValueError::new_err(format!("not a JSON value: {}", crate::redact::shorten(text, 40))))?;
    Ok(float.into_pyobject(py)?.into_any().unbind())
}
