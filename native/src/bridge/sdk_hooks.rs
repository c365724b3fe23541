//! What happens around each request of a patched SDK's client, as long as nothing unusual does.
//!
//! The program waits, with caches that its own work has filled: a Python frame of ours costs it several times what the
//! same costs in a hot loop. So the common way is here, and what is rare (a call within a library's, headers to be
//! carried, usage to be asked for, an answer that is read piece by piece, an error) is left to the patch's module.

use std::sync::{Mutex, PoisonError};

use pyo3::exceptions::{PyIndexError, PyKeyError};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyModule, PyString, PyTuple};

use super::caller::Caller;
use super::fetched::Fetched;
use super::frame::Frame;
use super::options::Options;
use super::patched::Call;
use super::process::note_internal_error;
use super::propagation;
use super::service::Service;
use super::spans;
use crate::surface::Surface;

/// The handlers of an SDK's `request` and `_process_response`.
#[pyclass(frozen, module = "edgequake_obs._native")]
#[derive(Debug)]
pub(crate) struct SdkHooks {
    /// The patch's: what is rare is done there.
    module: Py<PyModule>,
    /// The patch's global names.
    names: Py<PyDict>,
    // Of the context variable that holds the frame.
    get: Py<PyAny>,
    set: Py<PyAny>,
    reset: Py<PyAny>,
    caller: Py<PyAny>,
    callers_context: Py<PyAny>,
    process: Py<PyDict>,
    /// The URL object of the client that was heard last, and who answers there.
    last: Mutex<Option<(Py<PyAny>, Py<Service>)>>,
}

type Arguments<'a, 'py> = (&'a Bound<'py, PyTuple>, &'a Bound<'py, PyDict>);

fn argument<'py>((args, kwargs): Arguments<'_, 'py>, position: usize, name: &str) -> PyResult<Bound<'py, PyAny>> {
    match args.get_item(position) {
        Ok(given) => Ok(given),
        Err(error) if error.is_instance_of::<PyIndexError>(args.py()) => kwargs
            .get_item(name)?
            .ok_or_else(|| PyKeyError::new_err(name.to_owned())),
        Err(error) => Err(error),
    }
}

#[pymethods]
impl SdkHooks {
    #[new]
    fn new(module: &Bound<'_, PyModule>) -> PyResult<Self> {
        let py = module.py();
        let current = module.getattr("current")?;
        let caller = py.import("edgequake_obs._caller")?;
        Ok(Self {
            get: current.getattr("get")?.unbind(),
            set: current.getattr("set")?.unbind(),
            reset: current.getattr("reset")?.unbind(),
            caller: caller.getattr("current")?.unbind(),
            callers_context: caller.getattr("active")?.getattr("get")?.unbind(),
            process: py.import("edgequake_obs._process")?.dict().unbind(),
            names: module.dict().unbind(),
            module: module.clone().unbind(),
            last: Mutex::new(None),
        })
    }

    /// The frame of a request that is about to be made; None where it makes no record.
    fn begin(
        &self,
        args: &Bound<'_, PyTuple>,
        kwargs: &Bound<'_, PyDict>,
        asynchronous: bool,
    ) -> PyResult<Option<Py<PyAny>>> {
        let py = args.py();
        match self.begun((args, kwargs), asynchronous) {
            Ok(frame) => Ok(frame),
            Err(error) => self.contain(py, "openai call", &error).map(|()| None),
        }
    }

    /// The handler of `request`.
    fn request(
        &self,
        original: &Bound<'_, PyAny>,
        args: &Bound<'_, PyTuple>,
        kwargs: &Bound<'_, PyDict>,
    ) -> PyResult<Py<PyAny>> {
        let py = original.py();
        let Some(frame) = self.begin(args, kwargs, false)? else {
            return original.call(args, Some(kwargs)).map(Bound::unbind);
        };
        let frame = frame.into_bound(py);
        let module = self.module.bind(py);
        let (other_options, span) = {
            let seen = frame.cast::<Frame>()?.borrow();
            (seen.options.as_ref().map(|options| options.clone_ref(py)), seen.span)
        };
        let token = self.set.bind(py).call1((&frame,))?;
        let entered = match span {
            0 => None,
            _ => Some(module.call_method1("enter_span", (&frame,))?).filter(|token| !token.is_none()),
        };
        let answer = match other_options {
            None => original.call(args, Some(kwargs)),
            Some(options) => module.call_method1("with_options", (original, args, kwargs, options)),
        };
        if let Err(error) = &answer {
            module.call_method1("raised", (&frame, error.value(py)))?;
        }
        frame.cast::<Frame>()?.borrow_mut().active = false;
        if entered.is_some() || self.reset.bind(py).call1((&token,)).is_err() {
            module.call_method1("leave", (&frame, token, entered))?;
        }
        answer.map(Bound::unbind)
    }

    /// The handler of `_process_response`, which comes before any object is made of the answer: the record's duration is
    /// the provider's, not pydantic's.
    fn process_response(
        &self,
        original: &Bound<'_, PyAny>,
        args: &Bound<'_, PyTuple>,
        kwargs: &Bound<'_, PyDict>,
    ) -> PyResult<Py<PyAny>> {
        if let Err(error) = self.answered(original.py(), kwargs) {
            self.contain(original.py(), "openai answer", &error)?;
        }
        original.call(args, Some(kwargs)).map(Bound::unbind)
    }
}

impl SdkHooks {
    fn contain(&self, py: Python<'_>, place: &str, error: &PyErr) -> PyResult<()> {
        note_internal_error(py, place, error.value(py).as_any())
    }

    fn begun(&self, arguments: Arguments<'_, '_>, asynchronous: bool) -> PyResult<Option<Py<PyAny>>> {
        let (args, kwargs) = arguments;
        let py = args.py();
        let module = self.module.bind(py);
        let options = Options::new(argument(arguments, 2, "options")?)?;
        let url = options.get(intern!(py, "url"))?.cast_into::<PyString>()?;
        let Some(surface) = Surface::at(&url.to_cow()?) else {
            return self.fetching(arguments, &options, &url, asynchronous);
        };
        let method = options.get(intern!(py, "method"))?.cast_into::<PyString>()?;
        if !method.to_cow()?.eq_ignore_ascii_case("post") {
            return Ok(None);
        }
        let client = argument(arguments, 0, "self")?;
        let streaming = kwargs
            .get_item(intern!(py, "stream"))?
            .is_some_and(|stream| stream.is(true.into_pyobject(py).unwrap_or_else(|never| match never {})));
        let service = self.service_of(&client, &url)?;
        let outer = self.get.bind(py).call0()?;
        let frame = if is_active(&outer)? {
            let given = (
                &outer,
                &service,
                &client,
                options.object(),
                surface.name(),
                streaming,
                asynchronous,
            );
            module.call_method1("begin_within", given)?
        } else {
            let service = service.get();
            if !self.is_recorded(py, service)? {
                return Ok(None);
            }
            let call = service.begin_on(
                surface,
                &client,
                &options,
                streaming,
                self.caller(py)?.as_ref(),
                asynchronous,
            )?;
            let (streaming, span, carried) = (call.streaming(), call.span(), propagation::carried(py, call.of_call()));
            let mut frame = Frame::new(Some(Py::new(py, call)?.into_any()), streaming, asynchronous);
            frame.span = span;
            if !carried.is_empty() {
                frame.options = Some(
                    module
                        .call_method1("carrying", (options.object(), carried, &client))?
                        .unbind(),
                );
            }
            Bound::new(py, frame)?.into_any()
        };
        let asks_for_usage = surface.reports_usage_on_request()
            && service.get().accepts_stream_usage()
            && frame.cast::<Frame>()?.borrow().streaming;
        if asks_for_usage {
            module.call_method1("ask_for_usage", (&frame, options.object()))?;
        }
        Ok(Some(frame.unbind()))
    }

    /// The frame of a request for what other calls came to; None where it is for something else.
    fn fetching(
        &self,
        arguments: Arguments<'_, '_>,
        options: &Options<'_>,
        url: &Bound<'_, PyString>,
        asynchronous: bool,
    ) -> PyResult<Option<Py<PyAny>>> {
        let py = url.py();
        let method = options.get(intern!(py, "method"))?.cast_into::<PyString>()?;
        let Some(fetched) = Fetched::at(&url.to_cow()?, &method.to_cow()?) else {
            return Ok(None);
        };
        let client = argument(arguments, 0, "self")?;
        let service = self.service_of(&client, url)?;
        if !self.is_recorded(py, service.get())? {
            return Ok(None);
        }
        let caller = Caller::read(self.caller(py)?.as_ref())?;
        let start = service.get().start_of_fetched(&client)?;
        let fetched = Py::new(py, fetched(url.to_cow()?.into_owned(), start, caller))?;
        let streaming = arguments.1.get_item(intern!(py, "stream"))?;
        let streaming = streaming.is_some_and(|stream| stream.is_truthy().unwrap_or(false));
        let frame = Frame::new(Some(fetched.into_any()), streaming, asynchronous);
        Ok(Some(Py::new(py, frame)?.into_any()))
    }

    /// The openai SDK may be hooked only for what another library sends with it.
    fn is_recorded(&self, py: Python<'_>, service: &Service) -> PyResult<bool> {
        if !service.is_openais() {
            return Ok(true);
        }
        let recorded = self.names.bind(py).get_item(intern!(py, "recorded"))?;
        recorded.map_or(Ok(true), |recorded| recorded.is_truthy())
    }

    fn answered(&self, py: Python<'_>, kwargs: &Bound<'_, PyDict>) -> PyResult<()> {
        let frame = self.get.bind(py).call0()?;
        let Ok(seen) = frame.cast::<Frame>() else { return Ok(()) };
        let call = {
            let seen = seen.borrow();
            match &seen.call {
                Some(call) if seen.active => call.clone_ref(py).into_bound(py),
                _ => return Ok(()),
            }
        };
        let response = kwargs
            .get_item(intern!(py, "response"))?
            .ok_or_else(|| PyKeyError::new_err("response"))?;
        seen.borrow_mut().call = None;
        let content = response.getattr_opt(intern!(py, "_content"))?;
        let content = content.as_ref().and_then(|content| content.cast::<PyBytes>().ok());
        let (Some(content), false) = (content, seen.borrow().streaming) else {
            let module = self.module.bind(py);
            module.call_method1("answers_piecewise", (&frame, call, response))?;
            return Ok(());
        };
        let status = response.getattr(intern!(py, "status_code"))?;
        let headers = response.getattr(intern!(py, "headers"))?;
        match call.cast::<Call>() {
            Ok(call) => call.get().answered(status.extract()?, &headers, content),
            Err(_) => call
                .call_method1(intern!(py, "answered"), (status, headers, content))
                .map(drop),
        }
    }

    /// Where the call is made from; only where there is something to be said does Python say it.
    fn caller<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        let is_first = self.process.bind(py).get_item(intern!(py, "is_first_call"))?;
        let may_be_somewhere = is_first.is_none_or(|first| first.is_truthy().unwrap_or(true))
            || !self.callers_context.bind(py).call0()?.is_none()
            || spans::is_in_context(py).unwrap_or(true);
        may_be_somewhere.then(|| self.caller.bind(py).call0()).transpose()
    }

    /// Who answers; by the identity of the client's URL object, since looking into one takes microseconds.
    fn service_of<'py>(&self, client: &Bound<'py, PyAny>, url: &Bound<'py, PyString>) -> PyResult<Bound<'py, Service>> {
        let py = client.py();
        let own = client.getattr_opt(intern!(py, "_base_url"))?;
        let is_path = !url.to_cow()?.starts_with("http");
        if let Some(own) = own.as_ref().filter(|_| is_path) {
            let last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some((known, service)) = last.as_ref()
                && known.is(own)
            {
                return Ok(service.bind(py).clone());
            }
        }
        let told = py
            .import("edgequake_obs.patches.vendor")?
            .call_method1("service_of", (client, url))?;
        let service = told.cast_into::<Service>()?;
        if let Some(own) = own.filter(|_| is_path) {
            let noted = Some((own.unbind(), service.clone().unbind()));
            let before = std::mem::replace(&mut *self.last.lock().unwrap_or_else(PoisonError::into_inner), noted);
            drop(before); // after the lock: it may run the program's code
        }
        Ok(service)
    }
}

fn is_active(outer: &Bound<'_, PyAny>) -> PyResult<bool> {
    match outer.cast::<Frame>() {
        Ok(frame) => Ok(frame.borrow().active),
        Err(_) => Ok(false),
    }
}
