//! What a call cost.

use std::borrow::Cow;
use std::fmt;

use crate::book::PriceBook;
use crate::breakdown::{self, BreakdownLine};
use crate::decimal::Decimal;
use crate::error::PricingError;
use crate::field::{PriceField, Tier};
use crate::found::{Priced, find};
use crate::query::CostQuery;
use crate::rates::Rates;
use crate::snapshot::price_version;
use crate::sum::{Sum, add_up};
use crate::usage::{Served, Usage};
use crate::usd::Usd;

/// What kind of figure a cost is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CostStatus {
    /// Computed from the price data.
    Priced,
    /// Stated by the provider.
    Reported,
    /// No price is known: no figure.
    Unpriced,
    /// Nothing usable was reported: no figure.
    NoUsage,
    /// A part has no price: no figure.
    Partial,
    /// Computed from counts of our own.
    Estimated,
}

impl CostStatus {
    /// The name in the ledger.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Priced => "priced",
            Self::Reported => "reported",
            Self::Unpriced => "unpriced",
            Self::NoUsage => "no_usage",
            Self::Partial => "partial",
            Self::Estimated => "estimated",
        }
    }
}

/// Where the rates come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[allow(missing_docs, reason = "each variant says it")]
pub enum PriceSource {
    /// The price table, as of its date.
    Table,
    /// A dated row: the prices of another day.
    History,
    /// Prices given with the call.
    Custom,
    /// The user's own table.
    User,
}

impl PriceSource {
    /// The name, in lower case.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Table => "table",
            Self::History => "history",
            Self::Custom => "custom",
            Self::User => "user",
        }
    }
}

/// Why there is no figure.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Reason {
    /// The response carried no usage.
    NoUsage,
    /// The usage contradicts itself.
    InvalidUsage(PricingError),
    /// The user's price file cannot be read: any figure without it could be a wrong one.
    UnreadablePrices(PricingError),
    /// The price data has no entry for this model of this provider.
    UnknownModel,
    /// The entry has no price at all.
    NoPrices(Cow<'static, str>),
    /// The entry has no price for a bucket, for this tier and length of prompt.
    MissingRate {
        /// The bucket.
        bucket: &'static str,
        /// The price that was looked for; none if no price can be certain.
        field: Option<PriceField>,
    },
    /// The provider counted the output, but not the input.
    InputNotReported,
    /// The provider counted the input, but not the output.
    OutputNotReported,
    /// The tier that served has no price per token.
    UnknownTier,
    /// A part was served by another model, whose counts the usage does not keep apart.
    OtherModel,
    /// The figure does not fit 128 bits.
    Overflow,
}

impl fmt::Display for Reason {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoUsage => out.write_str("the response carried no usage"),
            Self::InvalidUsage(why) => why.fmt(out),
            Self::UnreadablePrices(why) => write!(out, "the prices given cannot be read: {why}"),
            Self::UnknownModel => out.write_str("no prices for this model of this provider"),
            Self::NoPrices(key) => write!(out, "{key} is known, but has no prices"),
            Self::MissingRate {
                bucket,
                field: Some(field),
            } => write!(out, "{bucket} has no rate: no {field}"),
            Self::MissingRate { bucket, field: None } => write!(out, "{bucket} has no certain rate"),
            Self::InputNotReported => out.write_str("the provider reported no input tokens"),
            Self::OutputNotReported => out.write_str("the provider reported no output tokens"),
            Self::UnknownTier => out.write_str("the tier that served has no price per token"),
            Self::OtherModel => out.write_str("another model served a part of the call"),
            Self::Overflow => out.write_str("the cost does not fit 128 bits"),
        }
    }
}

/// A cost, with its proof.
#[derive(Debug, Clone, PartialEq)]
pub struct Cost {
    /// What is paid: what the provider reported, or the list price less discounts. `None` is unknown, never 0.
    pub usd: Option<Usd>,
    /// By list price.
    pub computed_usd: Option<Usd>,
    /// By the provider's own word.
    pub reported_usd: Option<Usd>,
    /// What kind of figure `usd` is, or why there is none.
    pub status: CostStatus,
    /// The key of the prices that apply.
    pub price_key: Option<Cow<'static, str>>,
    /// Where those prices come from.
    pub price_source: Option<PriceSource>,
    /// The version of the price data that was looked into.
    pub price_version: Cow<'static, str>,
    /// What `computed_usd` is the sum of.
    pub breakdown: Vec<BreakdownLine>,
    /// Why `computed_usd` is `None`.
    pub reason: Option<Reason>,
}

impl Cost {
    /// The breakdown as a JSON object; rates and amounts are strings, since JSON numbers are floats to most readers.
    #[must_use]
    pub fn breakdown_json(&self) -> String {
        breakdown::json(&self.breakdown)
    }

    /// The cost of a call whose usage could not be read.
    #[must_use]
    pub fn of_invalid_usage(why: PricingError) -> Self {
        Self::without_figure(CostStatus::NoUsage, Reason::InvalidUsage(why), None)
    }

    /// The cost of an answer that nobody charges for: one from a cache of the caller's own, or made up for a test.
    #[must_use]
    pub fn of_nothing() -> Self {
        Self {
            usd: Some(Usd::ZERO),
            computed_usd: Some(Usd::ZERO),
            reported_usd: None,
            status: CostStatus::Priced,
            price_key: None,
            price_source: None,
            price_version: version(None),
            breakdown: Vec::new(),
            reason: None,
        }
    }

    fn without_figure(status: CostStatus, reason: Reason, book: Option<&PriceBook>) -> Self {
        Self {
            usd: None,
            computed_usd: None,
            reported_usd: None,
            status,
            price_key: None,
            price_source: None,
            price_version: version(book),
            breakdown: Vec::new(),
            reason: Some(reason),
        }
    }
}

/// The tier that served, by the caller's word or the usage's own.
fn tier(usage: &Usage, query: &CostQuery<'_>) -> Result<Tier, Reason> {
    if query.batch {
        return Ok(Tier::Batches);
    }
    match query.service_tier.map(Served::named).or(usage.served) {
        None => Ok(Tier::Standard),
        Some(Served::By(tier)) => Ok(tier),
        Some(Served::Unknown) => Err(Reason::UnknownTier),
    }
}

fn version(book: Option<&PriceBook>) -> Cow<'static, str> {
    book.map_or(Cow::Borrowed(price_version()), PriceBook::version)
}

/// What a call cost.
#[must_use]
pub fn cost(usage: &Usage, query: &CostQuery<'_>) -> Cost {
    if usage.is_absent() {
        return Cost::without_figure(CostStatus::NoUsage, Reason::NoUsage, query.book);
    }
    let mut cost = computed(usage, query);
    if let Some(reported) = usage.reported_usd() {
        cost.reported_usd = Some(reported);
        cost.usd = Some(reported);
        cost.status = CostStatus::Reported;
    }
    cost
}

fn computed(usage: &Usage, query: &CostQuery<'_>) -> Cost {
    if let Some(problem) = &usage.problem {
        return Cost::without_figure(CostStatus::NoUsage, Reason::InvalidUsage(problem.clone()), query.book);
    }
    let found = match find(query) {
        Ok(found) => found,
        Err(reason) => return Cost::without_figure(CostStatus::Unpriced, reason, query.book),
    };
    let tier = match tier(usage, query) {
        Ok(tier) => tier,
        Err(reason) => return Cost::without_figure(CostStatus::Unpriced, reason, query.book),
    };
    let prompt = usage.longest_prompt.unwrap_or_else(|| usage.buckets().prompt());
    let rates = match found.prices {
        Priced::List(list) => Rates::of_list(list, tier, prompt),
        Priced::Entry(entry) => Rates::of_entry(entry, tier, prompt, query.at_ns),
    };
    let source = if rates.dated {
        PriceSource::History
    } else {
        found.source
    };
    let Sum { lines, total, missing } = add_up(usage, query, &rates);
    let computed_usd = if missing.is_none() {
        total.and_then(Usd::rounded)
    } else {
        None
    };
    let (status, reason) = match (computed_usd, missing) {
        (Some(_), _) if usage.estimated => (CostStatus::Estimated, None),
        (Some(_), _) => (CostStatus::Priced, None),
        (None, Some(reason)) if lines.is_empty() => (CostStatus::Unpriced, Some(reason)),
        (None, Some(reason)) => (CostStatus::Partial, Some(reason)),
        (None, None) => (CostStatus::Partial, Some(Reason::Overflow)),
    };
    let off = query
        .book
        .and_then(|book| book.discount(query, &found))
        .or(query.discount);
    let paid = off.and_then(Decimal::complement);
    let usd = match paid {
        // Not from the rounded list price: a cost is rounded once.
        Some(paid) => computed_usd
            .and(total)
            .and_then(|total| total.times(paid))
            .and_then(Usd::rounded),
        None => computed_usd,
    };
    Cost {
        usd,
        computed_usd,
        reported_usd: None,
        status,
        price_key: found.key,
        price_source: Some(source),
        price_version: version(query.book),
        breakdown: lines,
        reason,
    }
}
