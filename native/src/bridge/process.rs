//! What concerns the process as a whole: settings, flush, counts, the end.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use pyo3::prelude::*;
use pyo3::types::PyDict;

use super::spans;
use crate::core::core;
use crate::{fingerprint, settings};

const FLUSH_BEFORE_CHANGE: Duration = Duration::from_secs(1);

/// Lays settings over the environment's; what was recorded before goes where it was to go.
#[pyfunction]
#[pyo3(signature = (*, ledger=None, service_name=None, otel=None, litellm_otel=false, capture_content=None))]
fn configure(
    py: Python<'_>,
    ledger: Option<String>,
    service_name: Option<String>,
    otel: Option<String>,
    litellm_otel: bool,
    capture_content: Option<String>,
) {
    let told_in_events = core().capture().on_events();
    let renews_recorder = ledger.is_some() || service_name.is_some();
    let renews_otlp = otel.is_some() || service_name.is_some() || (litellm_otel && core().otlp().is_none());
    settings::give(settings::Given {
        ledger,
        service_name,
        otel,
        litellm_otel,
        capture_content,
    });
    core().renew_capture();
    if renews_recorder {
        fingerprint::forget();
        py.detach(|| core().renew_recorder(FLUSH_BEFORE_CHANGE));
    }
    if renews_otlp || core().capture().on_events() != told_in_events {
        core().renew_otlp();
    }
}

/// Whether everything of before has reached the collector; true where nothing is exported.
#[pyfunction]
fn flush_otlp(py: Python<'_>, timeout: f64) -> bool {
    let timeout = Duration::try_from_secs_f64(timeout.max(0.0)).unwrap_or(Duration::from_secs(3600));
    py.detach(|| core().otlp().is_none_or(|otlp| otlp.flush(timeout)))
}

/// Whether everything recorded before is in the spool.
#[pyfunction]
fn flush(py: Python<'_>, timeout: f64) -> bool {
    spans::end_those_over(py);
    let timeout = Duration::try_from_secs_f64(timeout.max(0.0)).unwrap_or(Duration::from_secs(3600));
    py.detach(|| core().recorder().flush(timeout))
}

/// Whether `configure(otel=...)` can mean something by this: a mode, or an http URL.
#[pyfunction]
fn is_otel_setting(given: &str) -> bool {
    let is_url = || crate::endpoint::parse(given).is_some();
    settings::OtelMode::named(given).is_some() || is_url()
}

/// Whether `configure(capture_content=...)` can mean something by this.
#[pyfunction]
fn is_capture_setting(given: &str) -> bool {
    crate::content::Capture::named(given).is_some()
}

/// At interpreter exit: open calls become records.
#[pyfunction]
fn abandon_open_calls(py: Python<'_>) {
    core().background.give_up_all();
    core().open_calls.abandon_all();
    spans::end_those_over(py);
}

/// The resolved path of the ledger; None where there is none.
#[pyfunction]
fn ledger_path() -> Option<String> {
    settings::read().ledger.map(|path| path.to_string_lossy().into_owned())
}

#[pyfunction]
fn stats(py: Python<'_>) -> PyResult<Bound<'_, PyDict>> {
    let stats = core().recorder().stats();
    let settings = settings::read();
    let dict = PyDict::new(py);
    dict.set_item("recorded", stats.recorded)?;
    dict.set_item("written", stats.written)?;
    let dropped = PyDict::new(py);
    dropped.set_item("queue_full", stats.dropped_queue_full)?;
    dropped.set_item("unwritable", stats.dropped_unwritable)?;
    dropped.set_item("internal", stats.dropped_internal)?;
    dict.set_item("dropped", dropped)?;
    dict.set_item("queued_bytes", stats.queued_bytes)?;
    let events = &core().events;
    let callbacks = PyDict::new(py);
    callbacks.set_item("events", events.pushed())?;
    callbacks.set_item("dropped", events.dropped())?;
    callbacks.set_item("queued_bytes", events.queued_bytes())?;
    dict.set_item("callbacks", callbacks)?;
    if let Some(stats) = core().otlp().map(exporters::otlp::Otlp::stats) {
        let exporter = PyDict::new(py);
        exporter.set_item("exported", stats.exported)?;
        let dropped = PyDict::new(py);
        dropped.set_item("queue_full", stats.dropped_queue_full)?;
        dropped.set_item("refused", stats.dropped_refused)?;
        dropped.set_item("internal", stats.dropped_internal)?;
        exporter.set_item("dropped", dropped)?;
        exporter.set_item("sampled_out", stats.sampled_out)?;
        let events = PyDict::new(py);
        events.set_item("exported", stats.events_exported)?;
        events.set_item("dropped", stats.events_dropped)?;
        exporter.set_item("events", events)?;
        exporter.set_item("queued", stats.queued_spans)?;
        exporter.set_item("queued_bytes", stats.queued_bytes)?;
        exporter.set_item("problem", stats.last_error)?;
        dict.set_item("otlp", exporter)?;
    } else {
        dict.set_item("otlp", py.None())?;
    }
    dict.set_item("internal_errors", core().internal_errors.load(Ordering::Relaxed))?;
    dict.set_item(
        "ledger",
        settings.ledger.map(|path| path.to_string_lossy().into_owned()),
    )?;
    dict.set_item("problem", stats.last_error.or(settings.ledger_problem))?;
    Ok(dict)
}

/// What the user should know about the ledger and the exporter: None where all is well or it was said already.
#[pyfunction]
fn take_warning() -> Option<String> {
    let of_export = || core().otlp()?.take_warning();
    core()
        .recorder()
        .take_warning()
        .or_else(settings::take_ledger_problem)
        .or_else(of_export)
}

#[pyfunction]
fn enabled() -> bool {
    !core().disabled
}

#[pyfunction]
fn stream_usage_injected() -> bool {
    settings::injects_stream_usage()
}

/// Counts an error of our own and logs the first one; the caller's call goes on. Tests have it raised instead.
#[pyfunction]
pub(super) fn note_internal_error(py: Python<'_>, place: &str, error: &Bound<'_, PyAny>) -> PyResult<()> {
    static LOGGED: AtomicBool = AtomicBool::new(false);
    core().internal_errors.fetch_add(1, Ordering::Relaxed);
    if std::env::var_os("EDGEQUAKE_OBS_RAISE_INTERNAL").is_some_and(|value| value == "1") {
        return Err(PyErr::from_value(error.clone()));
    }
    if !LOGGED.swap(true, Ordering::Relaxed) {
        let logger = py.import("logging")?.call_method1("getLogger", ("edgequake_obs",))?;
        // The type alone: an error's text may hold content or keys.
        let kind = error.get_type().name()?;
        logger.call_method1(
            "warning",
            (
                "%s: internal error (%s); the call goes on, its record may lack something",
                place,
                kind,
            ),
        )?;
    }
    Ok(())
}

pub(crate) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add("SPOOL_SCHEMA", exporters::SCHEMA)?;
    module.add("OTEL_SCOPE", exporters::otlp::SCOPE)?;
    module.add("OTEL_SCHEMA_URL", exporters::otlp::SCHEMA_URL)?;
    module.add("__version__", env!("CARGO_PKG_VERSION"))?;
    module.add_function(wrap_pyfunction!(configure, module)?)?;
    module.add_function(wrap_pyfunction!(flush, module)?)?;
    module.add_function(wrap_pyfunction!(flush_otlp, module)?)?;
    module.add_function(wrap_pyfunction!(is_otel_setting, module)?)?;
    module.add_function(wrap_pyfunction!(is_capture_setting, module)?)?;
    module.add_function(wrap_pyfunction!(abandon_open_calls, module)?)?;
    module.add_function(wrap_pyfunction!(ledger_path, module)?)?;
    module.add_function(wrap_pyfunction!(stats, module)?)?;
    module.add_function(wrap_pyfunction!(take_warning, module)?)?;
    module.add_function(wrap_pyfunction!(enabled, module)?)?;
    module.add_function(wrap_pyfunction!(stream_usage_injected, module)?)?;
    module.add_function(wrap_pyfunction!(note_internal_error, module)?)
}
