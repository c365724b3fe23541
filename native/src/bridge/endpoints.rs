//! Requests to the endpoints beside chat and embeddings: responses, images, sound, moderation and rerank. Providers that
//! have them take OpenAI's words, but for rerank.

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, Method, Uri};
use pyo3::prelude::*;
use pyo3::types::PyString;

use super::arguments::Arguments;
use super::checked::Fields;
use super::form_data::FormData;
use super::json_out;
use super::outgoing::Parts;
use super::request::{Operation, invalid};
use crate::client::Request;
use crate::endpoint::{self, Endpoint};
use crate::failure::Failure;
use crate::providers::openai::images;
use crate::providers::parameters::unsupported;
use crate::providers::{Reading, rerank};
use crate::surface::{SurfaceReading, TranscriptReading};
use crate::transport::Outgoing;

/// The request, or what is wrong with it.
pub(super) fn request(
    parts: &Parts<'_, '_>,
    arguments: &Arguments<'_>,
    endpoint: &Endpoint,
) -> PyResult<Result<Request, Failure>> {
    let control = &arguments.control;
    let fields = match checked_fields(parts, arguments) {
        Ok(fields) => fields,
        Err(failure) => return Ok(Err(failure)),
    };
    let mut headers = match parts.headers(control) {
        Ok(headers) => headers,
        Err(failure) => return Ok(Err(failure)),
    };
    let body = if parts.operation.carries_files() {
        form(parts, arguments, &fields, &mut headers)
    } else {
        json(parts, arguments, &fields)
    };
    let body = match parts.written(body, "")? {
        Ok(body) => body,
        Err(failure) => return Ok(Err(failure)),
    };
    let (uri, body, reading) = match worded(parts, arguments, endpoint, body) {
        Ok(worded) => worded,
        Err(failure) => return Ok(Err(failure)),
    };
    Ok(Ok(Request {
        outgoing: Outgoing {
            method: Method::POST,
            uri,
            headers,
            body,
            tls: parts.tls.clone(),
        },
        timeouts: control.timeouts,
        max_retries: control.max_retries,
        streaming: control.stream,
        hide_usage: false,
        closing_model: None,
        reading: Some(reading),
        is_one_of_several: false,
    }))
}

/// The caller's parameters without those that the model does not take.
fn checked_fields<'py>(parts: &Parts<'_, 'py>, arguments: &Arguments<'py>) -> Result<Fields<'py>, Failure> {
    let is_openais = matches!(parts.vendor.id, "openai" | "azure");
    if parts.operation == Operation::Speech && is_openais && !arguments.has("voice") {
        return Err(invalid(
            "speech needs a voice: pass voice='alloy' or another one of the model's",
        ));
    }
    let mut fields = arguments.body.clone();
    if parts.operation == Operation::ImageGeneration && is_openais {
        let refused = |name: &str| images::refuses(parts.model, name) && !arguments.sends_anyway(name);
        if arguments.control.drop_params {
            fields.retain(|(name, _)| !refused(name));
        } else if let Some((name, _)) = fields.iter().find(|(name, _)| refused(name)) {
            return Err(unsupported(format!(
                "{} does not take '{name}' for images of {}. To leave it out, set drop_params=True; to send it all the \
                 same, name it in allowed_openai_params",
                parts.vendor.id, parts.model
            )));
        }
    }
    if let Some(metadata) = arguments
        .metadata
        .as_ref()
        .filter(|_| parts.operation == Operation::Responses)
    {
        // It is kept with the response, and given back with it.
        fields.push(("metadata".to_owned(), metadata.clone()));
    }
    Ok(fields)
}

/// Azure's deployments stand in the path.
fn names_model(parts: &Parts<'_, '_>) -> bool {
    let in_path = matches!(parts.operation, Operation::ImageGeneration | Operation::ImageEdit);
    !(in_path && parts.vendor.id == "azure")
}

fn json(parts: &Parts<'_, '_>, arguments: &Arguments<'_>, fields: &Fields<'_>) -> PyResult<Bytes> {
    let mut out = Vec::with_capacity(1024);
    let mut separator = b'{';
    let mut field = |name: &str, value: &Bound<'_, PyAny>| -> PyResult<()> {
        out.push(std::mem::replace(&mut separator, b','));
        json_out::write_str(name, &mut out)?;
        out.push(b':');
        json_out::write(value, &mut out)
    };
    if names_model(parts) && !arguments.has("model") {
        let model = PyString::new(parts.input.py(), endpoint::bare_deployment(parts.model));
        field("model", model.as_any())?;
    }
    let input = parts.operation.input_field();
    if !arguments.has(input) {
        field(input, parts.input)?;
    }
    for (name, value) in fields {
        field(name, value)?;
    }
    if arguments.control.stream && !arguments.has("stream") {
        field(
            "stream",
            pyo3::types::PyBool::new(parts.input.py(), true).to_owned().as_any(),
        )?;
    }
    out.push(b'}');
    Ok(Bytes::from(out))
}

fn form(
    parts: &Parts<'_, '_>,
    arguments: &Arguments<'_>,
    fields: &Fields<'_>,
    headers: &mut HeaderMap,
) -> PyResult<Bytes> {
    let mut form = FormData::new();
    if names_model(parts) {
        form.text("model", endpoint::bare_deployment(parts.model));
    }
    match parts.operation {
        Operation::Transcription => form.files("file", parts.input)?,
        Operation::ImageVariation => form.images("image", parts.input)?,
        _ => form.field(parts.operation.input_field(), parts.input)?,
    }
    for (name, value) in fields {
        match name.as_str() {
            "image" if parts.operation == Operation::ImageEdit => form.images("image[]", value)?,
            "mask" => form.images("mask", value)?,
            name => form.field(name, value)?,
        }
    }
    if times_by_default(parts) && !arguments.has("response_format") {
        form.text("response_format", "verbose_json");
    }
    if arguments.control.stream {
        form.text("stream", "true");
    }
    let (body, content_type) = form.finished();
    headers.insert(CONTENT_TYPE, content_type);
    Ok(body)
}

/// Models that are paid by the second say only in their longest form how long the recording was; the newer ones, which
/// count tokens, do not have that form.
fn times_by_default(parts: &Parts<'_, '_>) -> bool {
    parts.operation == Operation::Transcription && parts.vendor.id == "openai" && !parts.model.contains("transcribe")
}

type Worded = (Uri, Bytes, Box<dyn Reading>);

fn worded(
    parts: &Parts<'_, '_>,
    arguments: &Arguments<'_>,
    endpoint: &Endpoint,
    body: Bytes,
) -> Result<Worded, Failure> {
    let operation = parts.operation;
    let at = |uri: Option<Uri>| uri.ok_or_else(|| invalid("api_base and model do not make a valid URL"));
    if operation == Operation::Rerank {
        let worded = rerank::word(parts.vendor.id, parts.model, &body)?;
        return Ok((at(endpoint.with_path(&worded.path))?, worded.body, worded.reading));
    }
    let version = arguments.control.api_version.as_deref();
    let uri = match (parts.vendor.id, operation) {
        ("azure", Operation::Responses) => endpoint.azure_for_all(operation.path(), version),
        ("azure", _) => endpoint.azure(operation.path(), parts.model, version),
        _ => endpoint.with_path(operation.path()),
    };
    let reading: Box<dyn Reading> = if operation == Operation::Transcription {
        let format = arguments.body.iter().find(|(name, _)| name == "response_format");
        let format = format.and_then(|(_, value)| value.extract::<String>().ok());
        let is_text = matches!(format.as_deref(), Some("text" | "srt" | "vtt"));
        Box::new(TranscriptReading { is_text })
    } else {
        Box::new(SurfaceReading(operation.surface()))
    };
    Ok((at(uri)?, body, reading))
}
