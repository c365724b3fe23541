//! The calls under way: what must still become a record when the interpreter ends.

use std::sync::{Arc, Mutex, PoisonError, Weak};

use crate::call::{Ending, OpenCall};

#[derive(Debug, Default)]
pub(crate) struct OpenCalls {
    slots: Mutex<Slots>,
}

#[derive(Debug, Default)]
struct Slots {
    calls: Vec<Weak<OpenCall>>,
    free: Vec<usize>,
}

impl OpenCalls {
    pub(crate) fn add(&self, call: &Weak<OpenCall>) -> usize {
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(slot) = slots.free.pop() {
            slots.calls[slot] = call.clone();
            return slot;
        }
        slots.calls.push(call.clone());
        slots.calls.len() - 1
    }

    pub(crate) fn remove(&self, slot: usize) {
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        slots.calls[slot] = Weak::new();
        slots.free.push(slot);
    }

    /// At interpreter exit: each call still open becomes a record now.
    pub(crate) fn abandon_all(&self) {
        let open: Vec<Arc<OpenCall>> = {
            let slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
            slots.calls.iter().filter_map(Weak::upgrade).collect()
        };
        for call in open {
            call.finish(Ending::Abandoned);
        }
    }
}
