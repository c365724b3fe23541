//! Responses that a provider makes in the background: the call that asks for one stays open until the program fetches
//! what became of it, whole or as a stream that goes on where another broke off.
//!
//! Whoever fetches it may be another process. So such a call is known by a name that every process can tell, and what is
//! known of it is written down when it begins to wait: the ledger puts the outcome in that row's place.

mod reply;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use bytes::Bytes;

use crate::call::given::Given;
use crate::call::{Asked, Ending, OpenCall, Start};
use crate::core::core;
use crate::headers::ResponseFacts;
use crate::json_scan::{members, text_of};
use crate::seen;
use crate::surface::Surface;

pub(crate) use reply::Reply;

/// Calls that wait at once; a program that never looks keeps no more, and the others end as they were left.
const MOST: usize = 4096;

/// The calls of this process that wait for their outcome.
#[derive(Debug, Default)]
pub(crate) struct Background {
    waiting: Mutex<HashMap<[u8; 16], Waiting>>,
}

#[derive(Debug)]
struct Waiting {
    call: Arc<OpenCall>,
    /// How it ends if nobody fetches its outcome.
    ending: Ending,
}

impl Background {
    fn lock(&self) -> MutexGuard<'_, HashMap<[u8; 16], Waiting>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn keep(&self, uid: [u8; 16], call: Waiting) {
        let mut waiting = self.lock();
        let one = (waiting.len() >= MOST)
            .then(|| waiting.keys().next().copied())
            .flatten();
        let given_up = one.and_then(|uid| waiting.remove(&uid));
        waiting.insert(uid, call);
        drop(waiting);
        if let Some(Waiting { call, ending }) = given_up {
            call.finish(ending); // after the lock: it becomes a record
        }
    }

    fn take(&self, uid: [u8; 16]) -> Option<Arc<OpenCall>> {
        self.lock().remove(&uid).map(|waiting| waiting.call)
    }

    /// At interpreter exit: what nobody has fetched here ends as it was left.
    pub(crate) fn give_up_all(&self) {
        let waiting = std::mem::take(&mut *self.lock());
        for Waiting { call, ending } in waiting.into_values() {
            call.finish(ending);
        }
    }
}

/// What a response says of itself.
#[derive(Debug, Default)]
struct Said {
    id: Option<String>,
    is_over: bool,
    in_background: bool,
    created_ns: Option<i64>,
    completed_ns: Option<i64>,
}

fn read(body: &[u8]) -> Said {
    let mut said = Said::default();
    for (name, value) in members(body) {
        match name {
            b"id" => said.id = text_of(value).map(|text| text.into_owned()),
            b"status" => said.is_over = !matches!(text_of(value).as_deref(), None | Some("queued" | "in_progress")),
            b"background" => said.in_background = value == b"true",
            b"created_at" => said.created_ns = nanoseconds(value),
            b"completed_at" => said.completed_ns = nanoseconds(value),
            _ => {}
        }
    }
    said
}

/// Of seconds since the epoch.
fn nanoseconds(value: &[u8]) -> Option<i64> {
    let seconds: i64 = std::str::from_utf8(value).ok()?.parse().ok()?;
    seconds.checked_mul(1_000_000_000)
}

/// Keeps a call open whose answer says that it is not over yet; false where it is.
pub(crate) fn waits(call: &Arc<OpenCall>, body: &[u8]) -> bool {
    let said = read(body);
    let Some(id) = said.id else { return false };
    wait_unless(said.is_over, call, &id, Ending::Abandoned).is_none()
}

/// A stream has come to its end, or the program to the end of its patience with it: of a response that is made in the
/// background the rest can still be fetched, unless the response `is_over`.
pub(crate) fn stream_left(call: &Arc<OpenCall>, ending: Ending, is_over: bool) {
    let id = call.with_state(|state| {
        let facts = &state.facts;
        facts.in_background.then(|| facts.response_id.clone()).flatten()
    });
    let ending = match id.flatten() {
        Some(id) => wait_unless(is_over, call, &id, ending),
        None => Some(ending),
    };
    if let Some(ending) = ending {
        call.finish(ending);
    }
}

/// Gives the ending back where the call is over; keeps the call open where it is not.
fn wait_unless(is_over: bool, call: &Arc<OpenCall>, id: &str, ending: Ending) -> Option<Ending> {
    let uid = call.with_state(|state| {
        let uid = seen::uid_of_response(&state.provider(), id);
        state.known_as = Some(uid);
        uid
    })?;
    if is_over {
        core().told.is_new(uid); // fetching it tells nothing new
        return Some(ending);
    }
    // What ended without its last event has not come to its end.
    let ending = match ending {
        Ending::Completed => Ending::ClosedEarly,
        ending => ending,
    };
    call.write_so_far(ending.clone());
    let call = Arc::clone(call);
    core().background.keep(uid, Waiting { call, ending });
    None
}

/// A response was fetched: if it was made in the background and is over, it is the outcome of the call that asked for it,
/// in this process or in another.
pub(crate) fn fetched(common: &Start, status: u16, body: Bytes) {
    let said = read(&body);
    let (Some(id), true) = (said.id, said.is_over && said.in_background) else {
        return;
    };
    let uid = seen::uid_of_response(&common.provider, &id);
    let waiting = core().background.take(uid);
    if !core().told.is_new(uid) {
        return;
    }
    let is_ours = waiting.is_some();
    let call = waiting.unwrap_or_else(|| {
        let created = said.created_ns;
        let given = Given {
            uid: Some(uid),
            start_ns: created,
            duration_ns: said
                .completed_ns
                .zip(created)
                .map_or(0, |(end, start)| (end - start).max(0)),
            ..Given::default()
        };
        OpenCall::told(common.alike(Surface::Responses, Asked::default()), given)
    });
    call.hear_answer(&body, &http::HeaderMap::new());
    call.with_state(|state| {
        if is_ours {
            state.events_arrived(1, Instant::now());
            state.came_to(body);
        } else {
            state.answered_with(ResponseFacts::new(status), Some(body));
        }
    });
    call.finish(Ending::Completed);
}
