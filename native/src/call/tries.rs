//! A call that asks several models in turn, until one answers: each of them is an attempt of it.

use super::OpenCall;
use super::library::Target;
use super::start::Start;
use super::state::State;
use crate::failure::{Failure, FailureKind};
use crate::providers::openai::Facts;

impl OpenCall {
    /// A model failed, and another one may answer: gives the failure back without the call's secrets.
    pub(crate) fn try_failed(&self, failure: Failure) -> Failure {
        let failure = self.without_secrets(failure);
        self.with_state(|state| state.try_failed(&failure));
        failure
    }

    /// The next model is asked.
    pub(crate) fn goes_on(&self, next: Start) {
        self.with_state(|state| state.goes_on(next));
    }

    /// What was wrong with the last model, if that was the last word so far.
    pub(crate) fn last_try(&self) -> Option<Failure> {
        self.with_state(|state| state.last_try.take()).flatten()
    }
}

impl State {
    fn try_failed(&mut self, failure: &Failure) {
        // What was refused before it was sent is no attempt.
        if failure.kind != FailureKind::InvalidRequest {
            let request_id = self.response.request_id.clone();
            self.attempt_failed(failure.status, Some(failure.error_type()), request_id);
        }
        self.attempt_open = false;
        self.last_try = Some(failure.clone());
    }

    fn goes_on(&mut self, next: Start) {
        self.last_try = None;
        self.facts = Facts::default();
        self.target = Some(Target {
            provider: next.provider,
            model: next.request_model,
            server_address: next.server_address,
        });
        let start = &mut self.start;
        start.server_port = next.server_port;
        start.api_key_id = next.api_key_id;
        start.secrets.extend(next.secrets);
        start.asked.price = next.asked.price;
        start.asked.request_params = next.asked.request_params;
        start.asked.service_tier = next.asked.service_tier;
        self.attempt_begins();
    }
}
