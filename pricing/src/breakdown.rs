//! The proof of a cost: what was multiplied with what.

use std::fmt::Write as _;

use crate::decimal::Decimal;
use crate::field::PriceField;

/// One product of a cost.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BreakdownLine {
    /// The bucket (`text_in`, `cache_read`, ...), unit (`seconds`) or tool (`web_search`).
    pub bucket: &'static str,
    /// Whether the quantity is a number of tokens.
    pub is_tokens: bool,
    /// How many.
    pub quantity: Decimal,
    /// USD per piece, from the price data.
    pub rate: Decimal,
    /// The field of the price data that the rate stands in.
    pub field: PriceField,
    /// Regional and other multipliers, multiplied; 1 if there are none.
    pub multiplier: Decimal,
    /// The exact product, not rounded: the lines of a cost add up to it before it is rounded.
    pub usd: Decimal,
}

impl BreakdownLine {
    /// The number of tokens, if that is what the quantity is.
    #[must_use]
    pub fn tokens(&self) -> Option<u64> {
        (self.is_tokens && self.quantity.scale() == 0)
            .then(|| u64::try_from(self.quantity.mantissa()).ok())
            .flatten()
    }
}

/// `{"text_in":{"tokens":19,"rate":"0.00000015","usd":"0.00000285"}}`.
pub(crate) fn json(lines: &[BreakdownLine]) -> String {
    let mut text = String::with_capacity(2 + lines.len() * 72);
    text.push('{');
    for (number, line) in lines.iter().enumerate() {
        if number > 0 {
            text.push(',');
        }
        // Writing to a string cannot fail.
        let _ = match line.tokens() {
            Some(tokens) => write!(text, "\"{}\":{{\"tokens\":{tokens}", line.bucket),
            None => write!(text, "\"{}\":{{\"quantity\":\"{}\"", line.bucket, line.quantity),
        };
        let _ = write!(text, ",\"rate\":\"{}\"", line.rate);
        if line.multiplier != Decimal::ONE {
            let _ = write!(text, ",\"multiplier\":\"{}\"", line.multiplier);
        }
        let _ = write!(text, ",\"usd\":\"{}\"}}", line.usd);
    }
    text.push('}');
    text
}
