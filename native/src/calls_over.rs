//! Calls that are over and whose spans the interpreter has yet to end: native threads leave them here.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use crate::call::Live;
use crate::events::Over;

#[derive(Debug, Default)]
pub(crate) struct CallsOver {
    waiting: Mutex<VecDeque<(Live, Over)>>,
    any: AtomicBool,
}

impl CallsOver {
    pub(crate) fn add(&self, live: Live, call: Over) {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.push_back((live, call));
        self.any.store(true, Ordering::Release);
    }

    pub(crate) fn take(&self) -> Option<(Live, Over)> {
        if !self.any.load(Ordering::Acquire) {
            return None;
        }
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let first = waiting.pop_front();
        self.any.store(!waiting.is_empty(), Ordering::Release);
        first
    }
}
