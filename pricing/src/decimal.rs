//! Exact decimals: a whole mantissa and a power of ten.

use std::fmt;

use crate::error::PricingError;

/// A non-negative decimal number, `mantissa × 10^-scale`.
///
/// Prices have up to 17 significant digits and quantities up to 20, so one product always fits 128 bits; every
/// operation is checked all the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Decimal {
    mantissa: u128,
    scale: u32,
}

/// More decimals than any price has; keeps every alignment of two numbers within reach of 128 bits.
const MAX_SCALE: u32 = 36;
const MAX_DIGITS: usize = 30;

impl Decimal {
    /// The number zero.
    pub const ZERO: Self = Self { mantissa: 0, scale: 0 };
    /// The number one: no multiplier.
    pub const ONE: Self = Self { mantissa: 1, scale: 0 };

    /// `mantissa × 10^-scale`.
    pub(crate) const fn new(mantissa: u128, scale: u32) -> Self {
        Self { mantissa, scale }
    }

    /// A whole number.
    #[must_use]
    pub const fn whole(value: u64) -> Self {
        Self {
            mantissa: value as u128,
            scale: 0,
        }
    }

    /// The digits, without the decimal point.
    #[must_use]
    pub const fn mantissa(self) -> u128 {
        self.mantissa
    }

    /// How many of the digits are decimals.
    #[must_use]
    pub const fn scale(self) -> u32 {
        self.scale
    }

    /// Whether the number is zero.
    #[must_use]
    pub const fn is_zero(self) -> bool {
        self.mantissa == 0
    }

    /// Reads the text of a JSON number (`0.00000015`, `1.5e-07`, `3`), digit for digit.
    ///
    /// # Errors
    /// `NotADecimal` if the text is negative, has more than 30 significant digits or is not a number.
    pub fn parse(text: &str) -> Result<Self, PricingError> {
        Self::parse_digits(text).ok_or_else(|| PricingError::NotADecimal(text.chars().take(60).collect()))
    }

    fn parse_digits(text: &str) -> Option<Self> {
        let (number, exponent) = match text.find(['e', 'E']) {
            Some(at) => (&text[..at], text[at + 1..].parse::<i32>().ok()?),
            None => (text, 0),
        };
        let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
        if whole.is_empty() || (number.contains('.') && fraction.is_empty()) {
            return None;
        }
        let mut mantissa: u128 = 0;
        for digit in whole.bytes().chain(fraction.bytes()) {
            if !digit.is_ascii_digit() {
                return None;
            }
            mantissa = mantissa.checked_mul(10)?.checked_add(u128::from(digit - b'0'))?;
        }
        let scale = i32::try_from(fraction.len()).ok()?.checked_sub(exponent)?;
        Self { mantissa, scale: 0 }.shifted(scale)
    }

    /// This mantissa with `scale` decimals (negative: trailing zeros), in lowest terms.
    fn shifted(self, scale: i32) -> Option<Self> {
        if self.mantissa == 0 {
            return Some(Self::ZERO);
        }
        let mut mantissa = self.mantissa;
        let mut scale = scale;
        while scale > 0 && mantissa.is_multiple_of(10) {
            mantissa /= 10;
            scale -= 1;
        }
        while scale < 0 {
            mantissa = mantissa.checked_mul(10)?;
            scale += 1;
        }
        let scale = u32::try_from(scale).ok().filter(|scale| *scale <= MAX_SCALE)?;
        (digits(mantissa) <= MAX_DIGITS).then_some(Self { mantissa, scale })
    }

    /// The same number without trailing zeros among its decimals.
    #[must_use]
    pub fn normalised(self) -> Self {
        let mut number = self;
        while number.scale > 0 && number.mantissa.is_multiple_of(10) {
            number.mantissa /= 10;
            number.scale -= 1;
        }
        number
    }

    /// The exact product, or `None` beyond 128 bits.
    #[must_use]
    pub fn times(self, other: Self) -> Option<Self> {
        let mantissa = self.mantissa.checked_mul(other.mantissa)?;
        Some(Self {
            mantissa,
            scale: self.scale.checked_add(other.scale)?,
        })
    }

    /// What is left of one; `None` for more than one.
    #[must_use]
    pub fn complement(self) -> Option<Self> {
        let rest = power_of_ten(self.scale)?.checked_sub(self.mantissa)?;
        Some(Self {
            mantissa: rest,
            scale: self.scale,
        })
    }

    /// The exact sum, or `None` beyond 128 bits.
    #[must_use]
    pub fn plus(self, other: Self) -> Option<Self> {
        let scale = self.scale.max(other.scale);
        let mantissa = self.at_scale(scale)?.checked_add(other.at_scale(scale)?)?;
        Some(Self { mantissa, scale })
    }

    fn at_scale(self, scale: u32) -> Option<u128> {
        power_of_ten(scale - self.scale)?.checked_mul(self.mantissa)
    }

    /// The mantissa with exactly `scale` decimals, rounded half to even; `None` beyond 128 bits.
    #[must_use]
    pub fn rounded(self, scale: u32) -> Option<u128> {
        if self.scale <= scale {
            return self.at_scale(scale);
        }
        let Some(unit) = power_of_ten(self.scale - scale) else {
            return Some(0);
        };
        let (quotient, rest) = (self.mantissa / unit, self.mantissa % unit);
        // Not `rest * 2`: that could overflow where the rest itself does not.
        let half = unit / 2;
        let up = rest > half || (rest == half && quotient % 2 == 1);
        Some(quotient + u128::from(up))
    }
}

/// `10^exponent`, or `None` beyond 128 bits.
pub(crate) fn power_of_ten(exponent: u32) -> Option<u128> {
    /// Looked up, because raising 128 bits to a power takes longer than the product it is for.
    const POWERS: [u128; 39] = {
        let mut powers = [1; 39];
        let mut exponent = 1;
        while exponent < powers.len() {
            powers[exponent] = powers[exponent - 1] * 10;
            exponent += 1;
        }
        powers
    };
    POWERS.get(exponent as usize).copied()
}

/// How many decimal digits a whole number has.
pub(crate) fn digits(number: u128) -> usize {
    number.checked_ilog10().map_or(1, |log| log as usize + 1)
}

impl PartialOrd for Decimal {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        let scale = self.scale.max(other.scale);
        Some(self.at_scale(scale)?.cmp(&other.at_scale(scale)?))
    }
}

/// Plain digits without an exponent: `0.00000015`.
impl fmt::Display for Decimal {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let number = self.normalised();
        if number.scale == 0 {
            return write!(out, "{}", number.mantissa);
        }
        match power_of_ten(number.scale) {
            Some(unit) => write!(
                out,
                "{}.{:0width$}",
                number.mantissa / unit,
                number.mantissa % unit,
                width = number.scale as usize
            ),
            None => write!(out, "0.{:0width$}", number.mantissa, width = number.scale as usize),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_numbers_keep_every_digit() {
        for (text, plain) in [
            ("1.5e-07", "0.00000015"),
            ("0.00000015", "0.00000015"),
            ("3", "3"),
            ("2E2", "200"),
            ("0.0", "0"),
            ("256000.0", "256000"),
            ("3.3333333333333335e-05", "0.000033333333333333335"),
        ] {
            assert_eq!(Decimal::parse(text).unwrap().to_string(), plain);
        }
        for text in ["", "-1", "1.", ".5", "1e", "nan", "1e400", "0x1", "1_0", "1e-99"] {
            assert!(Decimal::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn ties_round_to_even() {
        for (text, rounded) in [("0.5", 0), ("1.5", 2), ("2.5", 2), ("2.51", 3), ("2.49", 2)] {
            assert_eq!(Decimal::parse(text).unwrap().rounded(0), Some(rounded));
        }
    }
}
