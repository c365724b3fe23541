//! OpenAI's tokens. Their vocabularies lie in the extension, and are read when they are first asked for.

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyString;
use tiktoken_rs::{CoreBPE, cl100k_base_singleton, o200k_base_singleton};

fn encoding(name: &str) -> PyResult<&'static CoreBPE> {
    match name {
        "cl100k_base" => Ok(cl100k_base_singleton()),
        "o200k_base" => Ok(o200k_base_singleton()),
        _ => Err(PyValueError::new_err(format!(
            "unknown encoding '{name}': cl100k_base and o200k_base are there"
        ))),
    }
}

/// How many tokens a text is; what looks like a special token counts as text.
#[pyfunction]
pub(crate) fn count_tokens(py: Python<'_>, name: &str, text: &Bound<'_, PyString>) -> PyResult<usize> {
    let text = text.to_string_lossy();
    py.detach(|| Ok(encoding(name)?.count_ordinary(&text)))
}

#[pyfunction]
pub(crate) fn encode_tokens(py: Python<'_>, name: &str, text: &Bound<'_, PyString>) -> PyResult<Vec<u32>> {
    let text = text.to_string_lossy();
    py.detach(|| Ok(encoding(name)?.encode_ordinary(&text)))
}

/// The text of tokens; bytes that are no text become replacement characters.
#[pyfunction]
pub(crate) fn decode_tokens(py: Python<'_>, name: &str, tokens: Vec<u32>) -> PyResult<String> {
    py.detach(|| {
        let bytes = encoding(name)?
            .decode_bytes(&tokens)
            .map_err(|error| PyValueError::new_err(format!("no such token in {name}: {error}")))?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    })
}
