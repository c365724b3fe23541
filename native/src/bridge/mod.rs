//! The only code that knows PyO3: arguments in, answer objects and exceptions out.

mod arguments;
mod asked;
mod binary;
mod caller;
mod calls;
mod checked;
mod classes;
mod content;
mod context;
mod counting;
mod endpoint_kinds;
mod endpoints;
mod errors;
mod event_loop;
mod fetched;
mod form_data;
mod forms;
mod frame;
mod given;
mod hidden;
mod json_in;
mod json_out;
mod kinds;
mod library;
mod listening;
mod mocked;
mod model_names;
mod object;
mod options;
mod outgoing;
mod patched;
mod patience;
mod plain;
mod price_facts;
mod pricing;
mod process;
mod propagation;
mod readings;
mod redacting;
mod request;
mod sdk_hooks;
mod service;
mod shortcuts;
mod source;
mod spans;
mod streams;
mod tokens;
mod tries;
mod trust;
mod worded;

use pyo3::prelude::*;

#[pymodule(gil_used = true)]
mod _native {
    use super::*;

    #[pymodule_init]
    fn init(module: &Bound<'_, PyModule>) -> PyResult<()> {
        classes::register(module)?;
        module.add_class::<calls::Pending>()?;
        module.add_class::<context::Context>()?;
        module.add_class::<event_loop::EventLoop>()?;
        module.add_class::<streams::ChunkStream>()?;
        module.add_class::<tries::Tries>()?;
        module.add_class::<service::Service>()?;
        module.add_class::<frame::Frame>()?;
        module.add_class::<fetched::Fetched>()?;
        module.add_class::<sdk_hooks::SdkHooks>()?;
        module.add_class::<patched::Call>()?;
        module.add_class::<library::LibraryCall>()?;
        module.add_function(wrap_pyfunction!(given::record_told, module)?)?;
        module.add_class::<library::Part>()?;
        module.add_class::<patched::StreamTap>()?;
        module.add_function(wrap_pyfunction!(calls::call_sync, module)?)?;
        module.add_function(wrap_pyfunction!(calls::call_async, module)?)?;
        module.add_function(wrap_pyfunction!(model_names::provider_of_model, module)?)?;
        module.add_function(wrap_pyfunction!(model_names::serves, module)?)?;
        module.add_function(wrap_pyfunction!(patched::begin_call, module)?)?;
        module.add_function(wrap_pyfunction!(patched::surface_of, module)?)?;
        pricing::register(module)?;
        module.add_class::<listening::OverCall>()?;
        module.add_class::<spans::EndedCall>()?;
        module.add_function(wrap_pyfunction!(spans::otel_instruments, module)?)?;
        module.add("OTEL_EVENT", exporters::otlp::DETAILS)?;
        module.add_class::<listening::UnredactedRecord>()?;
        module.add_function(wrap_pyfunction!(listening::take_events, module)?)?;
        module.add_function(wrap_pyfunction!(listening::events_descriptor, module)?)?;
        module.add_function(wrap_pyfunction!(listening::events_so_far, module)?)?;
        module.add_function(wrap_pyfunction!(redacting::mask_credentials, module)?)?;
        module.add_function(wrap_pyfunction!(redacting::redacted, module)?)?;
        module.add_function(wrap_pyfunction!(tokens::count_tokens, module)?)?;
        module.add_function(wrap_pyfunction!(tokens::encode_tokens, module)?)?;
        module.add_function(wrap_pyfunction!(tokens::decode_tokens, module)?)?;
        module.add_function(wrap_pyfunction!(listening::set_programs_redactor, module)?)?;
        process::register(module)
    }
}
