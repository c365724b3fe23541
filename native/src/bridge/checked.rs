//! The parameters of a call in OpenAI's own dialect, as its model takes them: litellm refuses, drops or renames the rest.

use pyo3::prelude::*;
use pyo3::types::{PyFloat, PyInt, PyList, PyString};

use super::arguments::Arguments;
use crate::failure::Failure;
use crate::providers::openai::parameters::{MOST_STOPS, Rules, Verdict};
use crate::providers::parameters::unsupported;

/// Name and value of what goes into the body.
pub(super) type Fields<'py> = Vec<(String, Bound<'py, PyAny>)>;

/// What is sent instead of the caller's parameters; None where all of them are sent as they are, as for most calls.
pub(super) fn adjusted<'py>(
    provider: &'static str,
    model: &str,
    arguments: &Arguments<'py>,
) -> PyResult<Result<Option<Fields<'py>>, Failure>> {
    let effort = arguments
        .body
        .iter()
        .find(|(name, _)| name == "reasoning_effort")
        .and_then(|(_, value)| value.extract::<String>().ok());
    let rules = Rules::new(provider, model, effort.as_deref());
    let mut out: Option<Fields<'py>> = None;
    let mut refused: Vec<&str> = Vec::new();
    for (at, (name, value)) in arguments.body.iter().enumerate() {
        let verdict = if arguments.sends_anyway(name) {
            Verdict::Takes
        } else {
            let text = value.cast::<PyString>().ok().and_then(|text| text.to_cow().ok());
            let is_number = value.is_instance_of::<PyFloat>() || value.is_instance_of::<PyInt>();
            let number = if is_number { value.extract().ok() } else { None };
            rules.judge(name, text.as_deref(), number)
        };
        let unchanged = |out: &mut Option<Fields<'py>>| {
            if let Some(out) = out {
                out.push((name.clone(), value.clone()));
            }
        };
        let before = |out: Option<Fields<'py>>| out.unwrap_or_else(|| arguments.body[..at].to_vec());
        match verdict {
            Verdict::Takes if name == "stop" && value.cast::<PyList>().is_ok_and(|stops| stops.len() > MOST_STOPS) => {
                let mut fields = before(out);
                let stops = value.cast::<PyList>()?.get_slice(0, MOST_STOPS);
                fields.push((name.clone(), stops.into_any()));
                out = Some(fields);
            }
            Verdict::Takes => unchanged(&mut out),
            Verdict::CallsIt(theirs) => {
                let mut fields = before(out);
                if !arguments.has(theirs) {
                    fields.push((theirs.to_owned(), value.clone()));
                }
                out = Some(fields);
            }
            _ if arguments.control.drop_params => out = Some(before(out)),
            Verdict::Refuses => refused.push(name),
            Verdict::RefusesValue(why) => {
                return Ok(Err(unsupported(format!(
                    "{why}. To leave it out, set drop_params=True"
                ))));
            }
        }
    }
    if refused.is_empty() {
        return Ok(Ok(out));
    }
    Ok(Err(unsupported(format!(
        "{provider} does not support parameters: {refused:?}, for model={model}. To leave them out, set drop_params=True; \
         to send them all the same, name them in allowed_openai_params"
    ))))
}
