//! edgequake-litellm's shortcuts: what programs read most, as attributes of the answer or the chunk itself.

use pyo3::prelude::*;
use pyo3::types::{PyList, PyString};

use super::endpoint_kinds;
use super::kinds;
use super::object::OpenAIObject;

/// The attribute `name` of an answer or a chunk; None where there is no such shortcut.
pub(super) fn of<'py>(object: &OpenAIObject, py: Python<'py>, name: &str) -> PyResult<Option<Bound<'py, PyAny>>> {
    let part = if object.kind.name == kinds::MODEL_RESPONSE.name {
        "message"
    } else if object.kind.name == kinds::STREAM_CHUNK.name {
        "delta"
    } else if object.kind.name == endpoint_kinds::RESPONSE.name && name == "output_text" {
        return output_text(object, py).map(Some);
    } else {
        return Ok(None);
    };
    let Some(choice) = first_choice(object, py)? else {
        let none = py.None().into_bound(py);
        return Ok(match name {
            "is_finished" if part == "delta" => Some(pyo3::types::PyBool::new(py, false).to_owned().into_any()),
            "content" | "tool_calls" | "thinking" | "finish_reason" => Some(none),
            _ => None,
        });
    };
    let said = || choice.getattr(part);
    Ok(match name {
        "content" | "tool_calls" => said()?.getattr_opt(name)?,
        "thinking" => Some(
            said()?
                .getattr_opt("reasoning_content")?
                .unwrap_or_else(|| py.None().into_bound(py)),
        ),
        "finish_reason" => Some(choice.getattr("finish_reason")?),
        "is_finished" if part == "delta" => {
            let finished = !choice.getattr("finish_reason")?.is_none();
            Some(pyo3::types::PyBool::new(py, finished).to_owned().into_any())
        }
        _ => None,
    })
}

/// The text of a response, as the openai package puts it together.
fn output_text<'py>(response: &OpenAIObject, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
    let mut whole = String::new();
    let output = response.required(py, "output")?.into_bound(py);
    for item in output.try_iter()? {
        let Some(content) = item?.getattr_opt("content")?.filter(|content| !content.is_none()) else {
            continue;
        };
        for part in content.try_iter()? {
            let part = part?;
            let is_text = part
                .getattr_opt("type")?
                .is_some_and(|kind| kind.eq("output_text").unwrap_or(false));
            if let Some(text) = part.getattr_opt("text")?.filter(|_| is_text) {
                whole.push_str(&text.extract::<String>()?);
            }
        }
    }
    Ok(PyString::new(py, &whole).into_any())
}

fn first_choice<'py>(object: &OpenAIObject, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
    let Some(choices) = object.value(py, "choices")? else {
        return Ok(None);
    };
    let choices = choices.into_bound(py);
    Ok(choices
        .cast::<PyList>()
        .ok()
        .and_then(|choices| choices.get_item(0).ok()))
}
