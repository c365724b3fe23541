//! edgequake-litellm's shortcuts: what programs read most, as attributes of the answer or the chunk itself.

use pyo3::prelude::*;
use pyo3::types::PyList;

use super::kinds;
use super::object::OpenAIObject;

/// The attribute `name` of an answer or a chunk; None where there is no such shortcut.
pub(super) fn of<'py>(object: &OpenAIObject, py: Python<'py>, name: &str) -> PyResult<Option<Bound<'py, PyAny>>> {
    let part = if object.kind.name == kinds::MODEL_RESPONSE.name {
        "message"
    } else if object.kind.name == kinds::STREAM_CHUNK.name {
        "delta"
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
