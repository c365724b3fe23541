//! Responses that a provider makes in the background: the call that asks for one stays open until the program fetches
//! what became of it.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use bytes::Bytes;

use crate::call::given::Given;
use crate::call::{Asked, Ending, OpenCall, Start};
use crate::headers::ResponseFacts;
use crate::json_scan::{members, text_of};
use crate::seen;
use crate::surface::Surface;

/// Calls that wait at once; a program that never looks keeps no more, and the others are recorded as abandoned.
const MOST: usize = 4096;

static WAITING: LazyLock<Mutex<HashMap<String, Arc<OpenCall>>>> = LazyLock::new(Mutex::default);

/// What a response says of itself.
#[derive(Debug, Default)]
struct Said {
    id: Option<String>,
    is_over: bool,
    in_background: bool,
    created_ns: Option<i64>,
}

fn read(body: &[u8]) -> Said {
    let mut said = Said::default();
    for (name, value) in members(body) {
        match name {
            b"id" => said.id = text_of(value).map(|text| text.into_owned()),
            b"status" => said.is_over = !matches!(text_of(value).as_deref(), None | Some("queued" | "in_progress")),
            b"background" => said.in_background = value == b"true",
            b"created_at" => {
                let seconds: Option<i64> = std::str::from_utf8(value).ok().and_then(|text| text.parse().ok());
                said.created_ns = seconds.and_then(|seconds| seconds.checked_mul(1_000_000_000));
            }
            _ => {}
        }
    }
    said
}

/// Keeps a call open whose answer says that it is not over yet; false where it is.
pub(crate) fn waits(call: &Arc<OpenCall>, body: &[u8]) -> bool {
    let said = read(body);
    let (Some(id), false) = (said.id, said.is_over) else {
        return false;
    };
    let mut waiting = WAITING.lock().unwrap_or_else(PoisonError::into_inner);
    let oldest = (waiting.len() >= MOST)
        .then(|| waiting.keys().next().cloned())
        .flatten();
    let given_up = oldest.and_then(|id| waiting.remove(&id));
    waiting.insert(id, Arc::clone(call));
    drop(waiting);
    drop(given_up); // after the lock: it becomes a record
    true
}

/// A response was fetched: if it was made in the background and is over, it is the outcome of the call that asked for it,
/// in this process or in another.
pub(crate) fn fetched(common: &Start, status: u16, body: Bytes) {
    let said = read(&body);
    let (Some(id), true) = (said.id, said.is_over && said.in_background) else {
        return;
    };
    let uid = seen::uid_of(&common.provider, &id);
    let waiting = WAITING.lock().unwrap_or_else(PoisonError::into_inner).remove(&id);
    if !seen::is_new(uid) {
        return;
    }
    let call = waiting.filter(|call| call.is_of_this_process()).unwrap_or_else(|| {
        let given = Given {
            start_ns: said.created_ns,
            ..Given::default()
        };
        OpenCall::told(common.alike(Surface::Responses, Asked::default()), given)
    });
    call.hear_answer(&body, &http::HeaderMap::new());
    call.with_state(|state| {
        // Whoever fetches it too, in another process, tells of the same call.
        state.known_as = Some(uid);
        state.answered_with(ResponseFacts::new(status), Some(body));
    });
    call.finish(Ending::Completed);
}
