//! A call that somebody tells of after it was made: what is known of it beside what every call has.

use pricing::{Cost, CostStatus, Usd};

use crate::ids;

/// What was told.
#[derive(Clone, Debug, Default)]
pub(crate) struct Given {
    /// None: a new one.
    pub uid: Option<[u8; 16]>,
    /// Nanoseconds since the epoch; None: now.
    pub start_ns: Option<i64>,
    pub duration_ns: i64,
    /// The name of an operation that is no surface of ours.
    pub operation: Option<&'static str>,
    /// What it cost, by the word of who tells.
    pub cost: Option<Usd>,
    /// It was part of a batch, at a batch's prices.
    pub batch: bool,
}

impl Given {
    pub(super) fn start_ns(&self) -> i64 {
        self.start_ns.unwrap_or_else(ids::wall_clock_ns)
    }

    pub(super) fn uid(&self) -> [u8; 16] {
        self.uid.unwrap_or_else(|| ids::call_uid(self.start_ns()))
    }

    /// The cost as told, beside the one that was computed.
    pub(super) fn cost(&self, computed: Option<Cost>) -> Option<Cost> {
        let Some(told) = self.cost else { return computed };
        let nothing = || pricing::cost(&pricing::Usage::absent(), &pricing::CostQuery::default());
        let computed = computed.unwrap_or_else(nothing);
        Some(Cost {
            usd: Some(told),
            reported_usd: Some(told),
            status: CostStatus::Reported,
            ..computed
        })
    }
}
