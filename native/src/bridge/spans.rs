//! Spans and metrics in the program's own OpenTelemetry: begun before the request, ended by whichever thread of the
//! interpreter's comes by first once the call is over. Native threads never touch the interpreter.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use bytes::Bytes;
use exporters::CallRecord;
use exporters::otlp::{
    self, INSTRUMENTS, Kind, Part, Value, attempt_attributes, common_attributes, error_attribute, measurements,
};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyDict, PyString, PyTuple};

use super::json_in;
use super::object::Child;
use super::process::note_internal_error;
use crate::call::{Live, Start};
use crate::core::core;

pub(super) fn module(py: Python<'_>) -> PyResult<&Bound<'_, PyAny>> {
    static MODULE: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    MODULE
        .get_or_try_init(py, || Ok(py.import("edgequake_obs._otel.spans")?.into_any().unbind()))
        .map(|module| module.bind(py))
}

/// Whether the program has loaded OpenTelemetry; one that has not pays for one look-up.
pub(super) fn is_loaded(py: Python<'_>) -> PyResult<bool> {
    static MODULES: PyOnceLock<Py<PyDict>> = PyOnceLock::new();
    let modules = MODULES.get_or_try_init(py, || {
        Ok::<_, PyErr>(py.import("sys")?.getattr("modules")?.cast_into::<PyDict>()?.unbind())
    })?;
    modules.bind(py).contains(intern!(py, "opentelemetry.trace"))
}

/// Whether anything is set in OpenTelemetry's current context, such as a span; it is asked only where it is loaded.
pub(super) fn is_in_context(py: Python<'_>) -> PyResult<bool> {
    static GET_CURRENT: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    if !is_loaded(py)? {
        return Ok(false);
    }
    let get_current = GET_CURRENT.get_or_try_init(py, || {
        let module = py.import("opentelemetry.context")?;
        Ok::<_, PyErr>(module.getattr("get_current")?.unbind())
    })?;
    get_current.bind(py).call0()?.is_truthy()
}

/// What the exporter has to say, once a minute at most, is said on the next caller's thread: native ones cannot log.
fn say_what_failed(py: Python<'_>) {
    if core().otlp().is_some_and(exporters::otlp::Otlp::has_warning) {
        let said = py
            .import("edgequake_obs._process")
            .and_then(|module| module.call_method0("warn"));
        if let Err(error) = said {
            contain(py, &error);
        }
    }
}

/// Starts a call's span, where the program has a provider. `started_ns`: of a call that is told of when it is over.
pub(crate) fn begin(py: Python<'_>, start: &Start, operation: &str, started_ns: Option<i64>) -> Option<Live> {
    say_what_failed(py);
    if start.mocked || !core().may_be_python() {
        return None;
    }
    let begun = is_loaded(py).and_then(|loaded| {
        if loaded {
            begin_in_program(py, start, operation, started_ns)
        } else {
            Ok(None)
        }
    });
    begun.unwrap_or_else(|error| {
        contain(py, &error);
        None
    })
}

/// What samplers see of a call, as one number.
fn told(operation: &str, provider: &str, model: Option<&str>, server: Option<&str>, port: Option<u16>) -> u64 {
    let mut hasher = DefaultHasher::new();
    (operation, provider, model, server, port).hash(&mut hasher);
    hasher.finish()
}

fn told_of(record: &CallRecord) -> u64 {
    told(
        record.operation,
        &record.provider,
        record.request_model.as_deref(),
        record.server_address.as_deref(),
        record.server_port,
    )
}

fn begin_in_program(py: Python<'_>, start: &Start, operation: &str, started_ns: Option<i64>) -> PyResult<Option<Live>> {
    type Begun = (u64, u128, u64, i64, bool, bool, bool);
    let attributes = PyDict::new(py);
    attributes.set_item(intern!(py, "gen_ai.operation.name"), operation)?;
    attributes.set_item(
        intern!(py, "gen_ai.provider.name"),
        otlp::provider_name(&start.provider),
    )?;
    if let Some(model) = start.request_model.as_deref() {
        attributes.set_item(intern!(py, "gen_ai.request.model"), model)?;
    }
    if let Some(address) = start.server_address.as_deref() {
        attributes.set_item(intern!(py, "server.address"), address)?;
        if let Some(port) = start.server_port {
            attributes.set_item(intern!(py, "server.port"), port)?;
        }
    }
    let captures = start.asked.content.is_some() && core().capture().on_events();
    let name = otlp::span_name(operation, start.request_model.as_deref());
    let begun = module(py)?.call_method1(intern!(py, "start"), (name, attributes, started_ns, captures))?;
    let Some((ticket, trace_id, span_id, start_ns, spans, metrics, events)) = begun.extract::<Option<Begun>>()? else {
        return Ok(None);
    };
    let told_by_another = spans && metrics && trace_id == 0;
    Ok(Some(Live {
        ticket,
        ids: (trace_id != 0).then(|| (trace_id.to_be_bytes(), span_id.to_be_bytes())),
        start_ns,
        has_span: spans,
        has_metrics: metrics,
        has_events: events,
        measured: metrics && !told_by_another,
        logged: events && captures && !told_by_another,
        told: told(
            operation,
            &start.provider,
            start.request_model.as_deref(),
            start.server_address.as_deref(),
            start.server_port,
        ),
    }))
}

/// Ends the spans of all calls that are over. Costs next to nothing where there are none. No lock may be held.
pub(crate) fn end_those_over(py: Python<'_>) {
    let over = &core().over;
    while let Some((live, call)) = over.take() {
        if let Some(record) = call.record() {
            end(py, live, record);
        }
    }
}

/// Ends one call's span.
pub(crate) fn end(py: Python<'_>, live: Live, record: Arc<CallRecord>) {
    let ended = Py::new(py, EndedCall { record, live })
        .and_then(|ended| module(py)?.call_method1(intern!(py, "end"), (live.ticket, ended)));
    if let Err(error) = ended {
        contain(py, &error);
    }
}

pub(super) fn contain(py: Python<'_>, error: &PyErr) {
    if let Err(raised) = note_internal_error(py, "opentelemetry", error.value(py).as_any()) {
        // For tests of ours; whoever comes by must not be the one it is raised into.
        raised.write_unraisable(py, None);
    }
}

/// Name, time (nanoseconds since the epoch) and attributes.
type SpanEvent<'py> = (&'static str, i64, Bound<'py, PyDict>);

type Span<'py> = (
    Bound<'py, PyDict>,
    Vec<SpanEvent<'py>>,
    bool,
    Option<Bound<'py, PyString>>,
    i64,
);

/// Attributes, time (nanoseconds since the epoch), trace and span.
type Details<'py> = (Bound<'py, PyDict>, i64, u128, u64);

type Measured<'py> = (usize, Bound<'py, PyAny>, Bound<'py, PyDict>);

/// A call that is over, as its span and its metrics see it.
#[pyclass(frozen, module = "edgequake_obs._native")]
#[derive(Debug)]
pub(crate) struct EndedCall {
    record: Arc<CallRecord>,
    live: Live,
}

fn to_python<'py>(py: Python<'py>, value: &Value<'_>) -> PyResult<Bound<'py, PyAny>> {
    Ok(match value {
        Value::Text(text) => text.into_pyobject(py)?.into_any(),
        Value::Integer(number) => number.into_pyobject(py)?.into_any(),
        Value::Double(number) => number.into_pyobject(py)?.into_any(),
        Value::Boolean(flag) => flag.into_pyobject(py)?.to_owned().into_any(),
        Value::Json(json) => {
            json_in::to_python(py, &Bytes::copy_from_slice(json.as_bytes()), Child::Plain)?.into_bound(py)
        }
        Value::Texts(texts) => PyTuple::new(py, texts.iter().map(AsRef::<str>::as_ref))?.into_any(),
    })
}

/// Fills a dict; the first error wins, as a closure cannot raise.
struct Filling<'py> {
    dict: Bound<'py, PyDict>,
    outcome: PyResult<()>,
}

impl<'py> Filling<'py> {
    fn new(py: Python<'py>) -> Self {
        Self::from(PyDict::new(py))
    }

    fn from(dict: Bound<'py, PyDict>) -> Self {
        Self { dict, outcome: Ok(()) }
    }

    fn add(&mut self, name: &str, value: &Value<'_>) {
        if self.outcome.is_ok() {
            let py = self.dict.py();
            self.outcome = to_python(py, value).and_then(|value| self.dict.set_item(name, value));
        }
    }

    fn done(self) -> PyResult<Bound<'py, PyDict>> {
        self.outcome.map(|()| self.dict)
    }
}

#[pymethods]
impl EndedCall {
    /// What the span is to have that it does not have since its start: its attributes, its events, whether it failed,
    /// with what message, and its end in nanoseconds since the epoch: the start and what the monotonic clock measured since.
    fn span<'py>(&self, py: Python<'py>) -> PyResult<Span<'py>> {
        let record = &self.record;
        let failed = record.outcome == exporters::Outcome::Error;
        let message = record.error_message.as_deref().filter(|_| failed);
        let message = message.map(|message| PyString::new(py, message));
        let end_ns = record.start_ns + record.duration_ns;
        let part = if told_of(record) == self.live.told {
            Part::SpanSinceItsStart
        } else {
            Part::Span
        };
        Ok((self.attributes(py, part)?, self.events(py)?, failed, message, end_ns))
    }

    /// Place of the instrument in `otel_instruments()`, value and attributes of each measurement.
    fn measurements<'py>(&self, py: Python<'py>) -> PyResult<Vec<Measured<'py>>> {
        let (_, semconv) = core().semconv();
        let mut all = Vec::new();
        measurements(&self.record, semconv, |measured| all.push(measured));
        let mut filling = Filling::new(py);
        common_attributes(&self.record, |name, value| filling.add(name, &value));
        let common = filling.done()?;
        let error = error_attribute(&self.record);
        all.into_iter()
            .map(|measured| {
                let error = error.as_ref().filter(|_| measured.with_error_type);
                let attributes = if error.is_none() && measured.extra.is_empty() {
                    common.clone()
                } else {
                    let mut filling = Filling::from(common.copy()?);
                    if let Some((name, value)) = error {
                        filling.add(name, value);
                    }
                    for (name, value) in &measured.extra {
                        filling.add(name, value);
                    }
                    filling.done()?
                };
                let value = if INSTRUMENTS[measured.instrument].is_integer {
                    (measured.value as i64).into_pyobject(py)?.into_any()
                } else {
                    measured.value.into_pyobject(py)?.into_any()
                };
                Ok((measured.instrument, value, attributes))
            })
            .collect()
    }

    /// The event that tells what was said; None where nothing was.
    fn event<'py>(&self, py: Python<'py>) -> PyResult<Option<Details<'py>>> {
        let record = &self.record;
        if !otlp::is_told(record) {
            return Ok(None);
        }
        let ended_ns = record.start_ns + record.duration_ns;
        let trace_id = u128::from_be_bytes(record.trace_id);
        let span_id = u64::from_be_bytes(record.span_id);
        Ok(Some((self.attributes(py, Part::Event)?, ended_ns, trace_id, span_id)))
    }

    /// Whether the program's LoggerProvider is told of it.
    #[getter]
    fn logged(&self) -> bool {
        self.live.logged
    }

    /// Whether the program's MeterProvider is told of it.
    #[getter]
    fn measured(&self) -> bool {
        self.live.measured
    }
}

impl EndedCall {
    fn attributes<'py>(&self, py: Python<'py>, part: Part) -> PyResult<Bound<'py, PyDict>> {
        let mut filling = Filling::new(py);
        let (semconv, _) = core().semconv();
        otlp::attributes(&self.record, semconv, part, |name, value| {
            filling.add(name, &value);
        });
        filling.done()
    }

    fn events<'py>(&self, py: Python<'py>) -> PyResult<Vec<SpanEvent<'py>>> {
        otlp::events(&self.record)
            .map(|(at, attempt)| {
                let mut filling = Filling::new(py);
                attempt_attributes(at, attempt, |name, value| filling.add(name, &value));
                Ok((otlp::EVENT, attempt.start_ns, filling.done()?))
            })
            .collect()
    }
}

/// Name, unit, description, and bounds of the buckets (None: a counter) of each instrument.
#[pyfunction]
pub(crate) fn otel_instruments() -> Vec<(&'static str, &'static str, &'static str, Option<Vec<f64>>)> {
    INSTRUMENTS
        .iter()
        .map(|instrument| {
            let bounds = match instrument.kind {
                Kind::Histogram(bounds) => Some(bounds.to_vec()),
                Kind::Counter => None,
            };
            (instrument.name, instrument.unit, instrument.description, bounds)
        })
        .collect()
}
