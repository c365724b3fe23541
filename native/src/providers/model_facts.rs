//! What litellm's model table says of a model beside its prices: limits and abilities.

use pricing::{Entry, Snapshot};

#[derive(Clone, Copy, Debug)]
pub(super) struct ModelFacts(Option<Entry<'static>>);

impl ModelFacts {
    pub(super) fn of(provider: &str, model: &str) -> Self {
        Self(pricing::resolve(provider, model).and_then(|key| Snapshot::embedded().entry(key)))
    }

    fn attribute(self, name: &str) -> Option<&'static str> {
        self.0?
            .attributes()
            .find(|(known, _)| *known == name)
            .map(|(_, value)| value)
    }

    pub(super) fn is_known(self) -> bool {
        self.0.is_some()
    }

    /// Whether the table says that the model can do something; what it does not mention is a no.
    pub(super) fn can(self, ability: &str) -> bool {
        self.attribute(ability) == Some("true")
    }

    /// Whether the table says that the model cannot do something.
    pub(super) fn cannot(self, ability: &str) -> bool {
        self.attribute(ability) == Some("false")
    }

    /// Whether the table says that the model is asked by this endpoint, as litellm calls it.
    pub(super) fn is_for(self, mode: &str) -> bool {
        self.attribute("mode")
            .is_some_and(|known| known.trim_matches('"') == mode)
    }

    pub(super) fn number(self, name: &str) -> Option<u64> {
        self.attribute(name)?.parse().ok()
    }
}
