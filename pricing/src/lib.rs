//! From a provider's own usage object to exact USD.
//!
//! [`read_usage`] turns the usage object into disjoint buckets, [`cost`] multiplies them with the rates that applied to
//! the call. No I/O, no floats, no guesses: an unknown price is `None`, never 0.

mod book;
mod breakdown;
mod clock;
pub mod compile;
mod cost;
mod decimal;
mod diff;
mod error;
mod explain;
mod field;
mod found;
mod query;
mod rates;
mod resolve;
mod snapshot;
mod sum;
mod tokens;
mod usage;
mod usd;

pub use book::{Discount, PriceBook, PriceList};
pub use breakdown::BreakdownLine;
pub use cost::{Cost, CostStatus, PriceSource, Reason, cost};
pub use decimal::Decimal;
pub use diff::PriceChange;
pub use error::PricingError;
pub use explain::{Explanation, explain};
pub use field::{Base, PriceField, Tier};
pub use query::CostQuery;
pub use resolve::{Outcome, Step, resolve};
pub use snapshot::{Entry, Snapshot, price_version};
pub use tokens::{Buckets, Tokens};
pub use usage::{Unit, Usage, UsageFormat, estimated_usage, read_usage, read_usage_by_shape, reported_tokens};
pub use usd::Usd;
