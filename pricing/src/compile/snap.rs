//! Frees a rate of the noise that binary floating point left in its source.

use crate::decimal::{Decimal, digits, power_of_ten};

/// A price with more significant digits than this was computed by its source in binary, if a shorter one is near.
const NOISY_DIGITS: usize = 15;
/// No price is set with more digits than this; `0.0000333333333333` stays what it is.
const PLAUSIBLE_DIGITS: usize = 12;
/// 1e-15 of the value: four to nine steps of a double.
const NOISE: u128 = 1_000_000_000_000_000;

/// The shortest decimal within a few steps of a double from this one: `5.0000000000000004e-08` is `5e-08`.
pub(super) fn snapped(rate: Decimal) -> Decimal {
    let (mantissa, length) = (rate.mantissa(), digits(rate.mantissa()));
    if length < NOISY_DIGITS {
        return rate;
    }
    (1..=PLAUSIBLE_DIGITS)
        .find_map(|kept| {
            let unit = power_of_ten((length - kept) as u32)?;
            let nearest = (mantissa + unit / 2) / unit * unit;
            (nearest.abs_diff(mantissa).checked_mul(NOISE)? <= mantissa)
                .then(|| Decimal::new(nearest, rate.scale()).normalised())
        })
        .unwrap_or(rate)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn noise_goes_and_digits_stay() {
        for (source, price) in [
            ("5.0000000000000004e-08", "0.00000005"),
            ("9.499999999999999e-07", "0.00000095"),
            ("1.4850000000000002e-06", "0.000001485"),
            ("3.0001999999999996e-07", "0.00000030002"),
            ("3.3333333333333335e-05", "0.000033333333333333335"),
            ("0.0002833333333333333", "0.0002833333333333333"),
            ("0.000283333333333", "0.000283333333333"),
            ("2.384185791015625e-08", "0.00000002384185791015625"),
        ] {
            assert_eq!(snapped(Decimal::parse(source).unwrap()).to_string(), price);
        }
    }
}
