//! `edgequake_obs.context(...)`: labels for the calls made inside, and what those calls came to so far.

use std::sync::{Arc, Mutex, PoisonError};

use exporters::Labels;
use pricing::Usd;

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
}

impl Scope {
    pub(crate) fn new(own: Labels, parent: Option<Arc<Scope>>) -> Self {
        let labels = parent
            .as_ref()
            .map_or_else(|| own.clone(), |outer| laid_over(&own, &outer.labels));
        Self {
            labels: Arc::new(labels),
            parent,
            totals: Mutex::new(Totals::default()),
        }
    }

    pub(crate) fn totals(&self) -> Totals {
        *self.totals.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a finished call to this scope and to those around it. `unpriced`: it has usage that no price is known for.
    pub(crate) fn add(&self, cost: Option<Usd>, unpriced: bool, input_tokens: u64, output_tokens: u64) {
        let mut scope = Some(self);
        while let Some(current) = scope {
            let mut totals = current.totals.lock().unwrap_or_else(PoisonError::into_inner);
            totals.calls += 1;
            totals.unpriced_calls += u64::from(unpriced);
            // A sum past 10^26 USD stays where it is: it cannot be true, and a panic would harm the caller.
            totals.cost = cost
                .and_then(|cost| totals.cost.checked_add(cost))
                .unwrap_or(totals.cost);
            totals.input_tokens = totals.input_tokens.saturating_add(input_tokens);
            totals.output_tokens = totals.output_tokens.saturating_add(output_tokens);
            drop(totals);
            scope = current.parent.as_deref();
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
        inner.add(Some(Usd::from_picos(5)), false, 1, 2);
        inner.add(None, true, 1, 2);
        let totals = outer.totals();
        assert_eq!((totals.cost.as_picos(), totals.calls, totals.unpriced_calls), (5, 2, 1));
        assert_eq!((totals.input_tokens, totals.output_tokens), (2, 4));
    }
}
