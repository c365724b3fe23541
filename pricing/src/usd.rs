//! An amount of money.

use std::fmt;

use crate::decimal::Decimal;
use crate::error::PricingError;

const DECIMALS: u32 = 12;
const PICOS: u128 = 1_000_000_000_000;

/// An amount in picodollars (1e-12 USD): the precision every cost is rounded to, once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Usd(i128);

impl Usd {
    /// No money.
    pub const ZERO: Self = Self(0);

    /// An amount of 1e-12 USD units.
    #[must_use]
    pub const fn from_picos(picos: i128) -> Self {
        Self(picos)
    }

    /// The amount in units of 1e-12 USD.
    #[must_use]
    pub const fn as_picos(self) -> i128 {
        self.0
    }

    /// The sum, or `None` beyond 128 bits.
    #[must_use]
    pub fn checked_add(self, other: Self) -> Option<Self> {
        self.0.checked_add(other.0).map(Self)
    }

    /// The difference, or `None` beyond 128 bits.
    #[must_use]
    pub fn checked_sub(self, other: Self) -> Option<Self> {
        self.0.checked_sub(other.0).map(Self)
    }

    /// A decimal number of dollars, rounded half to even; `None` beyond 128 bits.
    #[must_use]
    pub fn rounded(amount: Decimal) -> Option<Self> {
        amount
            .rounded(DECIMALS)
            .and_then(|picos| i128::try_from(picos).ok())
            .map(Self)
    }

    /// Reads a decimal number of dollars, such as `"0.0021"` or `"-0.5"`.
    ///
    /// # Errors
    /// `NotADecimal` if the text is not a number or does not fit.
    pub fn parse(text: &str) -> Result<Self, PricingError> {
        let amount = Decimal::parse(text.strip_prefix('-').unwrap_or(text))?;
        let usd = Self::rounded(amount).ok_or_else(|| PricingError::NotADecimal(text.to_owned()))?;
        Ok(if text.starts_with('-') { Self(-usd.0) } else { usd })
    }
}

/// Plain digits without an exponent or trailing zeros: `0.00000735`.
impl fmt::Display for Usd {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 < 0 {
            out.write_str("-")?;
        }
        let picos = self.0.unsigned_abs();
        let (whole, fraction) = (picos / PICOS, picos % PICOS);
        if fraction == 0 {
            return write!(out, "{whole}");
        }
        let digits = format!("{fraction:012}");
        write!(out, "{whole}.{}", digits.trim_end_matches('0'))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prints_plain_digits() {
        for (picos, text) in [
            (0, "0"),
            (7_350_000, "0.00000735"),
            (1, "0.000000000001"),
            (-1_500_000_000_000, "-1.5"),
            (3_000_000_000_000, "3"),
        ] {
            assert_eq!(Usd::from_picos(picos).to_string(), text);
            assert_eq!(Usd::parse(text).unwrap().as_picos(), picos);
        }
    }
}
