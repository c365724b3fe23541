//! The one error of this crate.

use std::fmt;

/// Why a usage object, a price or a snapshot could not be read.
///
/// The text names the field and the figures, because it ends up in the ledger beside a call without a cost.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum PricingError {
    /// The usage is not JSON, or a field has the wrong type, is negative or does not fit 64 bits.
    Malformed(String),
    /// The parts of a usage object add up to more than their whole.
    Contradiction {
        /// The field that is the whole.
        whole: &'static str,
        /// Its value as reported.
        reported: u64,
        /// What its parts add up to.
        parts: u64,
    },
    /// The sum of counts does not fit 64 bits.
    Overflow(&'static str),
    /// The usage has none of the shapes that are known.
    UnknownShape,
    /// A price, multiplier or quantity is not a plain non-negative decimal number.
    NotADecimal(String),
    /// A price field of a user's table has a name that no rule uses.
    UnknownPriceField(String),
    /// A price source (table, history, overlay, user's file) is not what it should be.
    Source(String),
    /// The bytes are not a price snapshot of this version of the crate.
    Snapshot(&'static str),
}

impl fmt::Display for PricingError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Malformed(why) => write!(out, "malformed usage: {why}"),
            Self::Contradiction { whole, reported, parts } => {
                write!(
                    out,
                    "contradictory usage: {whole} is {reported}, but its parts add up to {parts}"
                )
            }
            Self::Overflow(what) => write!(out, "contradictory usage: {what} does not fit 64 bits"),
            Self::UnknownShape => out.write_str("usage of an unknown shape"),
            Self::NotADecimal(text) => write!(out, "not a non-negative decimal number: {text}"),
            Self::UnknownPriceField(name) => write!(out, "unknown price field: {name}"),
            Self::Source(why) => write!(out, "price source: {why}"),
            Self::Snapshot(why) => write!(out, "not a price snapshot: {why}"),
        }
    }
}

impl std::error::Error for PricingError {}
