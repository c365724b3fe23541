//! Python values to JSON text: what a request is made of.

use pyo3::exceptions::{PyRecursionError, PyTypeError, PyValueError};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyByteArray, PyBytes, PyDict, PyFloat, PyInt, PyList, PyString, PyTuple};

use super::object::OpenAIObject;

const DEEPEST: usize = 200;

/// Appends `value` as JSON. Objects of pydantic models (ours, openai's, litellm's) go out without their None fields.
///
/// # Errors
/// TypeError for a value that has no JSON form, ValueError for NaN and infinities, RecursionError for a value that
/// contains itself.
pub(crate) fn write(value: &Bound<'_, PyAny>, out: &mut Vec<u8>) -> PyResult<()> {
    write_at(value, out, 0)
}

fn write_at(value: &Bound<'_, PyAny>, out: &mut Vec<u8>, depth: usize) -> PyResult<()> {
    if depth > DEEPEST {
        return Err(PyRecursionError::new_err(
            "a request value is nested too deeply, or contains itself",
        ));
    }
    if let Ok(text) = value.cast::<PyString>() {
        return write_text(text, out);
    }
    if value.is_none() {
        out.extend_from_slice(b"null");
    } else if let Ok(dict) = value.cast::<PyDict>() {
        write_dict(dict, out, depth)?;
    } else if let Ok(list) = value.cast::<PyList>() {
        write_items(list.iter(), out, depth)?;
    } else if let Ok(flag) = value.cast::<PyBool>() {
        out.extend_from_slice(if flag.is_true() { b"true" } else { b"false" });
    } else if value.cast::<PyInt>().is_ok() {
        match value.extract::<i64>() {
            Ok(integer) => out.extend_from_slice(integer.to_string().as_bytes()),
            Err(_) => out.extend_from_slice(value.str()?.to_cow()?.as_bytes()),
        }
    } else if let Ok(float) = value.cast::<PyFloat>() {
        write_float(float.value(), out)?;
    } else if let Ok(tuple) = value.cast::<PyTuple>() {
        write_items(tuple.iter(), out, depth)?;
    } else {
        write_object(value, out, depth)?;
    }
    Ok(())
}

fn write_float(number: f64, out: &mut Vec<u8>) -> PyResult<()> {
    if !number.is_finite() {
        return Err(PyValueError::new_err(format!("{number} has no form in JSON")));
    }
    // The shortest text that reads back as the same number, as Python's repr gives.
    serde_json::to_writer(out, &number).map_err(|error| PyValueError::new_err(error.to_string()))
}

pub(crate) fn write_text(text: &Bound<'_, PyString>, out: &mut Vec<u8>) -> PyResult<()> {
    let text = text
        .to_cow()
        .map_err(|_| PyValueError::new_err("a text holds a lone surrogate, which has no form in UTF-8: remove it"))?;
    write_str(&text, out)
}

pub(crate) fn write_str(text: &str, out: &mut Vec<u8>) -> PyResult<()> {
    serde_json::to_writer(out, text).map_err(|error| PyValueError::new_err(error.to_string()))
}

fn write_dict(dict: &Bound<'_, PyDict>, out: &mut Vec<u8>, depth: usize) -> PyResult<()> {
    out.push(b'{');
    for (at, (key, value)) in dict.iter().enumerate() {
        if at > 0 {
            out.push(b',');
        }
        match key.cast::<PyString>() {
            Ok(key) => write_text(key, out)?,
            // As `json.dumps` does.
            Err(_) if key.is_none() => write_str("null", out)?,
            Err(_) => match key.cast::<PyBool>() {
                Ok(flag) => write_str(if flag.is_true() { "true" } else { "false" }, out)?,
                Err(_) => write_str(&key.str()?.to_cow()?, out)?,
            },
        }
        out.push(b':');
        write_at(&value, out, depth + 1)?;
    }
    out.push(b'}');
    Ok(())
}

fn write_items<'py>(items: impl Iterator<Item = Bound<'py, PyAny>>, out: &mut Vec<u8>, depth: usize) -> PyResult<()> {
    out.push(b'[');
    for (at, item) in items.enumerate() {
        if at > 0 {
            out.push(b',');
        }
        write_at(&item, out, depth + 1)?;
    }
    out.push(b']');
    Ok(())
}

fn write_object(value: &Bound<'_, PyAny>, out: &mut Vec<u8>, depth: usize) -> PyResult<()> {
    let py = value.py();
    if let Ok(object) = value.cast::<OpenAIObject>() {
        return write_dict(&object.get().dumped(py, true)?, out, depth);
    }
    if let Some(dump) = value
        .getattr_opt(intern!(py, "model_dump"))?
        .filter(|dump| dump.is_callable())
    {
        let options = PyDict::new(py);
        options.set_item("exclude_none", true)?;
        options.set_item("mode", "json")?;
        return write_at(&dump.call((), Some(&options))?, out, depth + 1);
    }
    // numpy's scalars and arrays, and other sequences and mappings.
    if let Some(plain) = value
        .getattr_opt(intern!(py, "tolist"))?
        .filter(|tolist| tolist.is_callable())
    {
        return write_at(&plain.call0()?, out, depth + 1);
    }
    if value.hasattr(intern!(py, "keys"))? && value.hasattr(intern!(py, "__getitem__"))? {
        let dict = py.get_type::<PyDict>().call1((value,))?;
        return write_at(&dict, out, depth + 1);
    }
    // Bytes are a list of numbers only to those who did not mean them.
    let is_bytes = value.is_instance_of::<PyBytes>() || value.is_instance_of::<PyByteArray>();
    if let (false, Ok(items)) = (is_bytes, value.try_iter()) {
        return write_items(items.collect::<PyResult<Vec<_>>>()?.into_iter(), out, depth);
    }
    Err(PyTypeError::new_err(format!(
        "a value of type {} has no form in JSON",
        value.get_type().name()?
    )))
}
