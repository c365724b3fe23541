//! `edgequake_obs.context(...)`: labels for the calls made inside, and what those calls came to so far.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError};

use exporters::{CallRecord, Labels, Outcome};
use pricing::{CostStatus, Usd};

use crate::call::OpenCall;
use crate::fork;

/// Finished calls that a scope keeps until somebody asks for its totals.
const MOST_EXPECTED: usize = 256;

/// What the calls of a scope came to so far.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Totals {
    pub cost: Usd,
    pub calls: u64,
    pub unpriced_calls: u64,
    pub input_tokens: u64,
    pub output_tokens: u64,
}

#[derive(Debug)]
pub(crate) struct Scope {
    /// This scope's labels laid over its parents'.
    pub labels: Arc<Labels>,
    parent: Option<Arc<Scope>>,
    totals: Mutex<Totals>,
    expected: Mutex<Vec<Arc<OpenCall>>>,
    generation: u64,
}

impl Scope {
    pub(crate) fn new(own: Labels, parent: Option<Arc<Scope>>) -> Self {
        let labels = parent
            .as_ref()
            .map_or_else(|| own.clone(), |outer| laid_over(&own, &outer.labels));
        Self {
            labels: Arc::new(labels),
            parent,
            totals: Mutex::default(),
            expected: Mutex::default(),
            generation: fork::generation(),
        }
    }

    /// What the calls finished so far came to.
    pub(crate) fn totals(&self) -> Totals {
        let expected = self
            .lock(&self.expected)
            .map(|mut expected| std::mem::take(&mut *expected));
        for call in expected.unwrap_or_default() {
            drop(call.settled());
        }
        self.lock(&self.totals).map(|totals| *totals).unwrap_or_default()
    }

    /// A finished call whose record is being made: whoever asks for the totals before has it made.
    pub(crate) fn expect(&self, call: &Arc<OpenCall>) {
        let mut scope = Some(self);
        while let Some(current) = scope {
            let many = current.lock(&current.expected).and_then(|mut expected| {
                expected.push(Arc::clone(call));
                (expected.len() >= MOST_EXPECTED).then(|| std::mem::take(&mut *expected))
            });
            for call in many.into_iter().flatten() {
                drop(call.settled());
            }
            scope = current.parent.as_deref();
        }
    }

    /// Adds a call's record to this scope and to those around it.
    pub(crate) fn add(&self, record: &CallRecord) {
        let cost = record.cost.as_ref();
        let cost_usd = cost.and_then(|cost| cost.usd);
        // A failed call that reported nothing has cost nothing that anybody knows of.
        let unpriced = cost_usd.is_none()
            && !(record.outcome == Outcome::Error && cost.is_none_or(|cost| cost.status == CostStatus::NoUsage));
        let input_tokens = record.tokens.input.or(record.estimated_input_tokens).unwrap_or(0);
        let output_tokens = record.tokens.output.or(record.estimated_output_tokens).unwrap_or(0);
        self.add_figures(cost_usd, unpriced, input_tokens, output_tokens);
    }

    fn add_figures(&self, cost_usd: Option<Usd>, unpriced: bool, input_tokens: u64, output_tokens: u64) {
        let mut scope = Some(self);
        while let Some(current) = scope {
            if let Some(mut totals) = current.lock(&current.totals) {
                totals.calls += 1;
                totals.unpriced_calls += u64::from(unpriced);
                // A sum past 10^26 USD stays where it is: it cannot be true, and a panic would harm the caller.
                totals.cost = cost_usd
                    .and_then(|cost| totals.cost.checked_add(cost))
                    .unwrap_or(totals.cost);
                totals.input_tokens = totals.input_tokens.saturating_add(input_tokens);
                totals.output_tokens = totals.output_tokens.saturating_add(output_tokens);
            }
            scope = current.parent.as_deref();
        }
    }

    /// None where the lock was held by a thread of the parent when this process was forked: nobody will release it.
    fn lock<'a, T>(&self, mutex: &'a Mutex<T>) -> Option<MutexGuard<'a, T>> {
        if self.generation == fork::generation() {
            return Some(mutex.lock().unwrap_or_else(PoisonError::into_inner));
        }
        match mutex.try_lock() {
            Ok(guard) => Some(guard),
            Err(TryLockError::Poisoned(guard)) => Some(guard.into_inner()),
            Err(TryLockError::WouldBlock) => None,
        }
    }
}

fn laid_over(inner: &Labels, outer: &Labels) -> Labels {
    let mut tags = outer.tags.clone();
    for (key, value) in &inner.tags {
        match tags.binary_search_by(|(k, _)| k.cmp(key)) {
            Ok(at) => tags[at].1.clone_from(value),
            Err(at) => tags.insert(at, (key.clone(), value.clone())),
        }
    }
    Labels {
        user: inner.user.clone().or_else(|| outer.user.clone()),
        session: inner.session.clone().or_else(|| outer.session.clone()),
        tags,
        metadata: merged_objects(outer.metadata.as_deref(), inner.metadata.as_deref()),
    }
}

/// Two JSON objects, the second's keys winning; text that is no object is left out.
pub(crate) fn merged_objects(under: Option<&str>, over: Option<&str>) -> Option<String> {
    let (Some(under), Some(over)) = (under, over) else {
        return under.or(over).map(str::to_owned);
    };
    type Object = serde_json::Map<String, serde_json::Value>;
    let Ok(mut merged) = serde_json::from_str::<Object>(under) else {
        return Some(over.to_owned());
    };
    if let Ok(over) = serde_json::from_str::<Object>(over) {
        merged.extend(over);
    }
    serde_json::to_string(&merged).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(user: Option<&str>, tags: &[(&str, &str)], metadata: Option<&str>) -> Labels {
        Labels {
            user: user.map(str::to_owned),
            session: None,
            tags: tags.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect(),
            metadata: metadata.map(str::to_owned),
        }
    }

    #[test]
    fn inner_keys_win() {
        let outer = Arc::new(Scope::new(
            labels(Some("u"), &[("a", "1"), ("c", "1")], Some(r#"{"x":1,"y":1}"#)),
            None,
        ));
        let inner = Scope::new(labels(None, &[("b", "2"), ("c", "2")], Some(r#"{"y":2}"#)), Some(outer));
        assert_eq!(inner.labels.user.as_deref(), Some("u"));
        assert_eq!(
            inner.labels.tags,
            labels(None, &[("a", "1"), ("b", "2"), ("c", "2")], None).tags
        );
        assert_eq!(inner.labels.metadata.as_deref(), Some(r#"{"x":1,"y":2}"#));
    }

    #[test]
    fn a_call_counts_in_every_scope_around_it() {
        let outer = Arc::new(Scope::new(Labels::default(), None));
        let inner = Scope::new(Labels::default(), Some(Arc::clone(&outer)));
        inner.add_figures(Some(Usd::from_picos(5)), false, 1, 2);
        inner.add_figures(None, true, 1, 2);
        let totals = outer.totals();
        assert_eq!((totals.cost.as_picos(), totals.calls, totals.unpriced_calls), (5, 2, 1));
        assert_eq!((totals.input_tokens, totals.output_tokens), (2, 4));
    }
}
