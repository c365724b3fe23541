//! The results of a batch, a line each: `OpenAI`'s output and error files, and the results of Anthropic's message batches.

use bytes::Bytes;

use crate::call::given::Given;
use crate::call::{Asked, Ending, OpenCall, Start};
use crate::core::core;
use crate::headers::ResponseFacts;
use crate::json_scan::{member, members, text_of};
use crate::seen;
use crate::surface::Surface;

/// Where lines come from.
#[derive(Debug)]
pub(crate) struct Source<'a> {
    /// What all their calls have in common.
    pub start: &'a Start,
    pub url: &'a str,
}

/// What a line says.
#[derive(Debug, Default)]
struct Line<'a> {
    id: Option<String>,
    custom_id: Option<&'a [u8]>,
    status: Option<u16>,
    request_id: Option<String>,
    answer: Option<&'a [u8]>,
    error: Option<(String, String)>,
    has_result: bool,
}

fn text(object: &[u8], wanted: &[u8]) -> Option<String> {
    text_of(member(object, wanted)?).map(|text| text.into_owned())
}

fn error_of(error: &[u8]) -> Option<(String, String)> {
    // Anthropic's error lies in an answer of the type "error".
    let error = member(error, b"error").unwrap_or(error);
    let code = text(error, b"code").or_else(|| text(error, b"type"))?;
    Some((code, text(error, b"message").unwrap_or_default()))
}

fn read(line: &[u8]) -> Line<'_> {
    let mut read = Line::default();
    for (name, value) in members(line) {
        match name {
            b"id" => read.id = text_of(value).map(|text| text.into_owned()),
            b"custom_id" => read.custom_id = Some(value),
            b"response" => {
                read.has_result = true;
                read.answer = member(value, b"body");
                read.request_id = text(value, b"request_id");
                read.status =
                    member(value, b"status_code").and_then(|code| std::str::from_utf8(code).ok()?.parse().ok());
            }
            b"error" => {
                read.has_result = true;
                read.error = error_of(value);
            }
            b"result" => {
                read.has_result = true;
                read.answer = member(value, b"message");
                if read.answer.is_none() {
                    let kind = text(value, b"type").unwrap_or_else(|| "error".to_owned());
                    let error = member(value, b"error").and_then(error_of);
                    read.error = Some(error.unwrap_or((kind, String::new())));
                }
            }
            _ => {}
        }
    }
    read
}

/// What was asked for, told by what came.
fn surface_of(answer: &[u8]) -> Surface {
    match text(answer, b"object").as_deref() {
        Some("response") => Surface::Responses,
        Some("text_completion") => Surface::TextCompletion,
        Some("list") => Surface::Embeddings,
        _ if text(answer, b"type").as_deref() == Some("message") => Surface::Messages,
        _ if member(answer, b"results").is_some() => Surface::Moderation,
        _ if member(answer, b"choices").is_none() && member(answer, b"data").is_some() => Surface::ImageGeneration,
        _ => Surface::Chat,
    }
}

/// Seconds since the epoch, as the answer has them.
fn made_at_ns(answer: &[u8]) -> Option<i64> {
    let seconds = member(answer, b"created").or_else(|| member(answer, b"created_at"))?;
    let seconds: i64 = std::str::from_utf8(seconds).ok()?.parse().ok()?;
    seconds.checked_mul(1_000_000_000)
}

/// Records the call that a line tells of, once; false where it is no line of a batch's results.
pub(crate) fn tell(source: &Source<'_>, line: &[u8]) -> bool {
    let read = read(line);
    let (Some(custom_id), true) = (read.custom_id, read.has_result) else {
        return false;
    };
    let answer = read.answer.filter(|answer| answer.starts_with(b"{"));
    let custom_id = String::from_utf8_lossy(custom_id).into_owned();
    let name = read.id.or_else(|| text(answer?, b"id"));
    let name = name.unwrap_or_else(|| format!("{} {custom_id}", source.url));
    let common = source.start;
    let uid = seen::uid_of_result(&common.provider, &name);
    if !core().told.is_new(uid) {
        return true;
    }
    let asked = Asked {
        metadata: Some(format!(r#"{{"custom_id":{custom_id}}}"#)),
        ..Asked::default()
    };
    let start = common.alike(answer.map_or(common.surface, surface_of), asked);
    let given = Given {
        uid: Some(uid),
        start_ns: answer.and_then(made_at_ns),
        batch: true,
        ..Given::default()
    };
    let call = OpenCall::told(start, given);
    let has_failed = read.error.is_some() || read.status.is_some_and(|status| status >= 400);
    call.with_state(|state| {
        let mut response = ResponseFacts::default();
        response.status = read.status;
        response.request_id = read.request_id;
        state.answered_with(response, answer.filter(|_| !has_failed).map(Bytes::copy_from_slice));
    });
    call.finish(if has_failed {
        let said = read.error.or_else(|| error_of(answer?));
        let (error_type, message) = said.unwrap_or_else(|| ("error".to_owned(), String::new()));
        Ending::Failed {
            error_type,
            message,
            status: read.status,
        }
    } else {
        Ending::Completed
    });
    true
}
