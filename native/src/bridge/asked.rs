//! What a request says that belongs in the record: its user, tags, metadata and generation parameters, and how much text it holds.

use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyDict, PyFloat, PyInt, PyList, PyString, PyType};

use super::json_out;
use crate::call::Asked;
use crate::content::{Capture, Content};
use crate::core::core;
use crate::estimate::TextSize;
use crate::surface::Surface;

/// Parameters that shape an answer and hold no content; anything else in a request stays out of the record.
const RECORDED: &[&str] = &[
    "conversation",
    "dimensions",
    "encoding_format",
    "frequency_penalty",
    "logprobs",
    "max_completion_tokens",
    "max_tokens",
    "modalities",
    "n",
    "max_output_tokens",
    "parallel_tool_calls",
    "presence_penalty",
    "previous_response_id",
    "quality",
    "reasoning_effort",
    "seed",
    "service_tier",
    "size",
    "speed",
    "stop",
    "stop_sequences",
    "store",
    "temperature",
    "tool_choice",
    "top_k",
    "top_logprobs",
    "top_p",
    "truncation",
    "verbosity",
    "voice",
];

/// Objects of which one text shapes the answer: the request's field, where in it, and the parameter's plain name.
const WITHIN: &[(&str, &[&str], &str)] = &[
    ("conversation", &["id"], "conversation"),
    ("output_config", &["effort"], "reasoning_effort"), // Anthropic's
    ("output_config", &["format", "type"], "response_format"),
    ("output_format", &["type"], "response_format"), // Anthropic's before
    ("reasoning", &["effort"], "reasoning_effort"),  // of the Responses API
    ("response_format", &["type"], "response_format"),
    ("text", &["format", "type"], "response_format"), // of the Responses API
];

/// The fields that are said to the model, in one dialect or another.
const CONTENT: [&str; 6] = ["messages", "input", "prompt", "system", "instructions", "tools"];

const LONGEST_PARAMETER: usize = 256;
const DEEPEST: usize = 16;

/// `body`: name and value of the request's fields beside what the model is asked.
pub(crate) fn read(body: &[(String, Bound<'_, PyAny>)], metadata: Option<&Bound<'_, PyAny>>) -> PyResult<Asked> {
    let mut reading = Reading::default();
    for (name, value) in body {
        reading.field(name, value);
    }
    if let Some(metadata) = metadata {
        take_metadata(&mut reading.asked, metadata)?;
    }
    Ok(reading.finish())
}

/// Measures what a model is asked: what is paid by its length, and what an estimate may need.
pub(crate) fn read_input(asked: &mut Asked, surface: Surface, streaming: bool, input: &Bound<'_, PyAny>) {
    if surface == Surface::Speech {
        asked.characters = characters(input);
    }
    if may_be_estimated(surface, streaming) {
        measure(input, &mut asked.input, 0);
    }
}

fn may_be_estimated(surface: Surface, streaming: bool) -> bool {
    (streaming && surface.writes_text()) || surface == Surface::Moderation
}

fn keeps_content(surface: Surface) -> bool {
    core().capture() != Capture::Nowhere && surface.writes_text()
}

/// What a request says to a model, where content is kept: these of its fields, as JSON.
pub(crate) fn content<'a, 'py: 'a>(
    surface: Surface,
    fields: impl IntoIterator<Item = (&'a str, &'a Bound<'py, PyAny>)>,
) -> Option<Box<Content>> {
    if !keeps_content(surface) {
        return None;
    }
    let mut out = vec![b'{'];
    for (name, value) in fields {
        let before = out.len();
        if before > 1 {
            out.push(b',');
        }
        let written = json_out::write_str(name, &mut out).and_then(|()| {
            out.push(b':');
            json_out::write(value, &mut out)
        });
        if written.is_err() {
            out.truncate(before);
        }
    }
    out.push(b'}');
    String::from_utf8(out).ok().map(|json| Box::new(Content::new(json)))
}

/// The same of a whole body. Its messages are content: they are measured, where an estimate may be needed, never kept.
pub(crate) fn read_body(body: &Bound<'_, PyDict>, surface: Surface, streaming: bool) -> PyResult<Asked> {
    let mut reading = Reading::default();
    if keeps_content(surface) {
        let mut said = Vec::new();
        for name in CONTENT {
            if let Some(value) = body.get_item(name)? {
                said.push((name, value));
            }
        }
        reading.asked.content = content(surface, said.iter().map(|(name, value)| (*name, value)));
    }
    let may_be_estimated = may_be_estimated(surface, streaming);
    for (name, value) in body {
        let Ok(name) = name.cast::<PyString>() else { continue };
        match &*name.to_cow()? {
            "input" if surface == Surface::Speech => reading.asked.characters = characters(&value),
            "messages" | "input" | "prompt" if may_be_estimated => measure(&value, &mut reading.asked.input, 0),
            "messages" | "input" | "prompt" | "model" => {}
            "metadata" => take_metadata(&mut reading.asked, &value)?,
            name => reading.field(name, &value),
        }
    }
    Ok(reading.finish())
}

#[derive(Default)]
struct Reading {
    asked: Asked,
    params: Vec<u8>,
}

impl Reading {
    fn field(&mut self, name: &str, value: &Bound<'_, PyAny>) {
        match name {
            "user" | "safety_identifier" if self.asked.user.is_none() => self.asked.user = string(value),
            "service_tier" => self.asked.service_tier = string(value),
            "size" => self.asked.images.size = string(value),
            "quality" => self.asked.images.quality = string(value),
            _ => {}
        }
        if RECORDED.contains(&name) {
            parameter(name, value, &mut self.params);
        }
        for (field, path, plain_name) in WITHIN {
            if *field == name
                && let Some(text) = text_within(value, path)
            {
                parameter(plain_name, &text, &mut self.params);
            }
        }
        if name == "response_format" && value.is_instance_of::<PyType>() {
            // A class whose schema the answer is to follow.
            parameter(name, &PyString::intern(value.py(), "json_schema"), &mut self.params);
        }
    }

    fn finish(mut self) -> Asked {
        if !self.params.is_empty() {
            self.params.push(b'}');
            self.asked.request_params = String::from_utf8(self.params).ok();
        }
        self.asked
    }
}

pub(super) fn string(value: &Bound<'_, PyAny>) -> Option<String> {
    value
        .cast::<PyString>()
        .ok()?
        .to_cow()
        .ok()
        .map(|text| text.into_owned())
}

/// The text at `path` in nested dicts.
fn text_within<'py>(value: &Bound<'py, PyAny>, path: &[&str]) -> Option<Bound<'py, PyAny>> {
    let found = path.iter().try_fold(value.clone(), |value, name| {
        value.cast::<PyDict>().ok()?.get_item(name).ok()?
    })?;
    found.is_instance_of::<PyString>().then_some(found)
}

/// How many characters a text has.
pub(super) fn characters(value: &Bound<'_, PyAny>) -> Option<u64> {
    value.cast::<PyString>().ok()?.len().ok().map(|length| length as u64)
}

/// Scalars, short texts and lists of them; a schema or a tool's definition is content.
fn parameter(name: &str, value: &Bound<'_, PyAny>, out: &mut Vec<u8>) {
    let scalar = |v: &Bound<'_, PyAny>| {
        v.is_instance_of::<PyBool>()
            || v.is_instance_of::<PyInt>()
            || v.is_instance_of::<PyFloat>()
            || v.cast::<PyString>()
                .is_ok_and(|text| text.len().is_ok_and(|length| length <= LONGEST_PARAMETER))
    };
    let list = value
        .cast::<PyList>()
        .is_ok_and(|list| list.len() <= 16 && list.iter().all(|item| scalar(&item)));
    if !(scalar(value) || list) {
        return;
    }
    let before = out.len();
    out.push(if before == 0 { b'{' } else { b',' });
    // A number without a form in JSON (NaN) is left out; the request itself will be refused for it.
    if json_out::write_str(name, out).is_err() || {
        out.push(b':');
        json_out::write(value, out)
    }
    .is_err()
    {
        out.truncate(before);
    }
}

/// litellm's `metadata={"tags": [...], ...}`; values that have no JSON form are left out.
pub(crate) fn take_metadata(asked: &mut Asked, metadata: &Bound<'_, PyAny>) -> PyResult<()> {
    let Ok(metadata) = metadata.cast::<PyDict>() else {
        return Ok(());
    };
    let mut out = vec![b'{'];
    for (key, value) in metadata {
        let Some(key) = string(&key) else { continue };
        if key == "tags" {
            // The provider does not see them; what is no tag must not fail the call.
            asked.tags = tags(&value).unwrap_or_default();
            continue;
        }
        let before = out.len();
        if before > 1 {
            out.push(b',');
        }
        if json_out::write_str(&key, &mut out).is_err() || {
            out.push(b':');
            json_out::write(&value, &mut out)
        }
        .is_err()
        {
            out.truncate(before);
        }
    }
    out.push(b'}');
    if out.len() > 2 {
        asked.metadata = String::from_utf8(out).ok();
    }
    Ok(())
}

/// Tags as a dict, or as litellm's list of texts: `"team:search"` is the key `team` with the value `search`, and a text
/// without a colon is a key whose value is `true`.
pub(crate) fn tags(value: &Bound<'_, PyAny>) -> PyResult<Vec<(String, String)>> {
    let mut out: Vec<(String, String)> = Vec::new();
    if let Ok(dict) = value.cast::<PyDict>() {
        for (key, value) in dict {
            out.push((key.str()?.to_cow()?.into_owned(), tag_value(&value)?));
        }
    } else if value.is_instance_of::<PyString>() {
        // A text can be iterated, letter by letter, which nobody means.
        out.push((value.str()?.to_cow()?.into_owned(), "true".to_owned()));
    } else {
        let items = value.try_iter().map_err(|_| {
            PyTypeError::new_err("tags must be a dict of names and values, or a list of texts such as 'team:search'")
        })?;
        for item in items {
            let text = item?.str()?.to_cow()?.into_owned();
            match text.split_once(':') {
                Some((key, value)) => out.push((key.trim().to_owned(), value.trim().to_owned())),
                None => out.push((text, "true".to_owned())),
            }
        }
    }
    out.sort();
    out.dedup_by(|later, earlier| later.0 == earlier.0);
    Ok(out)
}

fn tag_value(value: &Bound<'_, PyAny>) -> PyResult<String> {
    match value.cast::<PyBool>() {
        // As JSON and litellm's own tags write it.
        Ok(flag) => Ok(flag.is_true().to_string()),
        Err(_) => Ok(value.str()?.to_cow()?.into_owned()),
    }
}

/// Adds up the texts of messages; images and other data are not text.
pub(crate) fn measure(value: &Bound<'_, PyAny>, size: &mut TextSize, depth: usize) {
    if depth > DEEPEST {
        return;
    }
    if let Ok(text) = value.cast::<PyString>() {
        if let Ok(text) = text.to_cow()
            && !text.starts_with("data:")
        {
            size.add(&text);
        }
    } else if let Ok(list) = value.cast::<PyList>() {
        list.iter().for_each(|item| measure(&item, size, depth + 1));
    } else if let Ok(dict) = value.cast::<PyDict>() {
        for (key, item) in dict {
            if key.cast::<PyString>().is_ok_and(|key| {
                key.to_cow()
                    .is_ok_and(|key| !matches!(&*key, "type" | "id" | "tool_call_id" | "url" | "data"))
            }) {
                measure(&item, size, depth + 1);
            }
        }
    }
}
