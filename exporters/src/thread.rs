//! Whether a thread runs that is started when it is first needed.

use std::time::{Duration, Instant};

/// After a thread could not be started, callers do not try again before this has passed.
const RETRY: Duration = Duration::from_secs(1);

#[derive(Debug, Default)]
pub(crate) struct ThreadState {
    runs: bool,
    not_before: Option<Instant>,
}

impl ThreadState {
    pub(crate) fn runs(&self) -> bool {
        self.runs
    }

    pub(crate) fn may_start(&self) -> bool {
        !self.runs && self.not_before.is_none_or(|earliest| Instant::now() >= earliest)
    }

    pub(crate) fn started(&mut self) {
        self.runs = true;
        self.not_before = None;
    }

    pub(crate) fn refused(&mut self) {
        self.not_before = Some(Instant::now() + RETRY);
    }

    pub(crate) fn ended(&mut self) {
        self.runs = false;
    }
}
