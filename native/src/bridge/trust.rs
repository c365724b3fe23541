//! `ssl_verify` and `ssl_certificate`, as callers give them.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use pyo3::exceptions::PyTypeError;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyDict, PyString, PyTuple};

use crate::settings;
use crate::transport::{Certificate, TlsSettings, Verify};

/// What a call says, and where it says nothing, what the facade's globals say; None where neither says anything.
///
/// # Errors
/// Where a global is not what its argument may be.
pub(super) fn settings_of(call: &TlsSettings, globals: &Bound<'_, PyDict>) -> PyResult<Option<Arc<TlsSettings>>> {
    let py = globals.py();
    let mut said = call.clone();
    if said.verify.is_none()
        && let Some(value) = globals.get_item(intern!(py, "ssl_verify"))?
        // The global's own default says nothing: the environment may.
        && !value.is_none() && !value.is(PyBool::new(py, true))
    {
        said.verify = Some(verify(&value)?);
    }
    if said.certificate.is_none()
        && let Some(value) = globals.get_item(intern!(py, "ssl_certificate"))?
        && !value.is_none()
    {
        said.certificate = Some(certificate(&value)?);
    }
    Ok((said != TlsSettings::default()).then(|| Arc::new(said)))
}

/// True, False, or the path of the authorities' PEM file or folder.
///
/// # Errors
/// Where it is none of these.
pub(super) fn verify(value: &Bound<'_, PyAny>) -> PyResult<Verify> {
    if let Ok(wanted) = value.cast::<PyBool>() {
        return Ok(if wanted.is_true() {
            Verify::System
        } else {
            Verify::Nothing
        });
    }
    if let Ok(text) = value.cast::<PyString>() {
        return Ok(Verify::of_text(&text.to_cow()?));
    }
    value
        .extract::<PathBuf>()
        .map(|path| Verify::Authorities(settings::absolute(&path)))
        .map_err(|_| {
            wrong(
                value,
                "ssl_verify must be True, False, or the path of a PEM file or a folder of them",
            )
        })
}

/// The path of a PEM file with certificate and key, or a tuple of two paths, as httpx takes them.
///
/// # Errors
/// Where it is neither.
pub(super) fn certificate(value: &Bound<'_, PyAny>) -> PyResult<Certificate> {
    let expected = "ssl_certificate must be the path of a PEM file, or a tuple of the paths of certificate and key";
    let path = |value: &Bound<'_, PyAny>| -> PyResult<PathBuf> {
        value
            .extract::<PathBuf>()
            .map(|path| settings::absolute(Path::new(&path)))
            .map_err(|_| wrong(value, expected))
    };
    match value.cast::<PyTuple>() {
        Ok(pair) if pair.len() == 2 => Ok(Certificate {
            chain: path(&pair.get_item(0)?)?,
            key: Some(path(&pair.get_item(1)?)?),
        }),
        Ok(_) => Err(PyTypeError::new_err(expected)),
        Err(_) => Ok(Certificate {
            chain: path(value)?,
            key: None,
        }),
    }
}

fn wrong(value: &Bound<'_, PyAny>, expected: &str) -> PyErr {
    let given = value
        .get_type()
        .name()
        .map_or_else(|_| "that".to_owned(), |name| name.to_string());
    PyTypeError::new_err(format!("{expected}, not {given}"))
}
