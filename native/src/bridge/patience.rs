//! `timeout=`, as callers give it.

use std::time::Duration;

use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::PyTuple;

use crate::transport::{Timeouts, UNLIMITED};

/// A number of seconds for everything; an `httpx.Timeout`, or a tuple as httpx (connect, read, write, pool) and requests
/// (connect, read) take it, for each phase. What is None in these has no limit.
///
/// # Errors
/// Where it is none of these, or a limit is not above 0.
pub(super) fn timeouts(value: &Bound<'_, PyAny>) -> PyResult<Timeouts> {
    if let Ok(seconds) = value.extract::<f64>() {
        return Ok(Timeouts::of(limit(seconds)?));
    }
    if let Ok(tuple) = value.cast::<PyTuple>() {
        let at = |index: usize| tuple.get_item(index).map_or(Ok(UNLIMITED), |value| phase(&value));
        return match tuple.len() {
            2 | 4 => Ok(Timeouts {
                connect: at(0)?,
                read: at(1)?,
                pool: at(3)?,
                total: UNLIMITED,
            }),
            _ => Err(PyTypeError::new_err(
                "a timeout tuple must be (connect, read) or (connect, read, write, pool), in seconds",
            )),
        };
    }
    let named =
        |name: &str| -> PyResult<Option<Duration>> { value.getattr_opt(name)?.map(|value| phase(&value)).transpose() };
    let (Some(connect), Some(read)) = (named("connect")?, named("read")?) else {
        return Err(PyTypeError::new_err(format!(
            "timeout must be a number of seconds, an httpx.Timeout or a tuple, not {}",
            value.get_type().name()?
        )));
    };
    Ok(Timeouts {
        connect,
        read,
        pool: named("pool")?.unwrap_or(UNLIMITED),
        total: UNLIMITED,
    })
}

fn phase(value: &Bound<'_, PyAny>) -> PyResult<Duration> {
    if value.is_none() {
        return Ok(UNLIMITED);
    }
    let seconds = value
        .extract::<f64>()
        .map_err(|_| PyTypeError::new_err("a timeout's phases must be numbers of seconds, or None"))?;
    limit(seconds)
}

fn limit(seconds: f64) -> PyResult<Duration> {
    if seconds > 0.0 {
        // More than a Duration or the clock can hold is no limit.
        return Ok(Duration::try_from_secs_f64(seconds).map_or(UNLIMITED, |limit| limit.min(UNLIMITED)));
    }
    Err(PyValueError::new_err("timeout must be a positive number of seconds"))
}
