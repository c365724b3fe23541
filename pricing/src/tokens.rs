//! Token counts: as reported, and as disjoint buckets.

use crate::error::PricingError;

/// Token counts as a provider reports them, in the sense of OpenTelemetry's GenAI conventions.
///
/// `input` includes what was read from or written to a cache, `output` includes reasoning. `None` is *not reported*,
/// which is not 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[allow(missing_docs, reason = "named after the conventions' attributes")]
pub struct Tokens {
    pub input: Option<u64>,
    pub output: Option<u64>,
    pub cache_read: Option<u64>,
    pub cache_write_5m: Option<u64>,
    pub cache_write_1h: Option<u64>,
    pub reasoning: Option<u64>,
    pub audio_input: Option<u64>,
    pub audio_output: Option<u64>,
    pub image_input: Option<u64>,
    pub image_output: Option<u64>,
}

/// The same tokens, each counted once: what rates are multiplied with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[allow(
    missing_docs,
    reason = "each field is the bucket of the same name in the price data's rules"
)]
pub struct Buckets {
    pub text_in: Option<u64>,
    pub cache_read: Option<u64>,
    pub cache_write_5m: Option<u64>,
    pub cache_write_1h: Option<u64>,
    pub audio_in: Option<u64>,
    pub audio_cached: Option<u64>,
    pub image_in: Option<u64>,
    pub image_cached: Option<u64>,
    pub video_in: Option<u64>,
    /// Partly read from a cache, in modalities that the provider does not tell apart: no rate is certain.
    pub unsplit_in: Option<u64>,
    pub text_out: Option<u64>,
    pub reasoning: Option<u64>,
    pub audio_out: Option<u64>,
    pub image_out: Option<u64>,
}

impl Buckets {
    /// Name and count of each bucket that was reported.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, u64)> {
        let all = [
            ("text_in", self.text_in),
            ("cache_read", self.cache_read),
            ("cache_write_5m", self.cache_write_5m),
            ("cache_write_1h", self.cache_write_1h),
            ("audio_in", self.audio_in),
            ("audio_cached", self.audio_cached),
            ("image_in", self.image_in),
            ("image_cached", self.image_cached),
            ("video_in", self.video_in),
            ("unsplit_in", self.unsplit_in),
            ("text_out", self.text_out),
            ("reasoning", self.reasoning),
            ("audio_out", self.audio_out),
            ("image_out", self.image_out),
        ];
        all.into_iter().filter_map(|(name, count)| Some((name, count?)))
    }

    /// The whole prompt, which decides the long-context tier.
    #[must_use]
    pub fn prompt(&self) -> u64 {
        [
            self.text_in,
            self.cache_read,
            self.cache_write_5m,
            self.cache_write_1h,
            self.audio_in,
            self.audio_cached,
            self.image_in,
            self.image_cached,
            self.video_in,
            self.unsplit_in,
        ]
        .iter()
        .flatten()
        .fold(0, |sum: u64, count| sum.saturating_add(*count))
    }

    /// Everything the model wrote.
    #[must_use]
    pub fn completion(&self) -> u64 {
        [self.text_out, self.reasoning, self.audio_out, self.image_out]
            .iter()
            .flatten()
            .fold(0, |sum: u64, count| sum.saturating_add(*count))
    }
}

/// The sum of the counts that are there; `None` if none is.
pub(crate) fn sum(what: &'static str, counts: &[Option<u64>]) -> Result<Option<u64>, PricingError> {
    let mut total: Option<u64> = None;
    for count in counts.iter().flatten() {
        total = Some(
            total
                .unwrap_or(0)
                .checked_add(*count)
                .ok_or(PricingError::Overflow(what))?,
        );
    }
    Ok(total)
}

/// What is left of a whole after its parts; a whole that is not reported is the sum of none.
pub(crate) fn remainder(
    whole_name: &'static str,
    whole: Option<u64>,
    parts: &[Option<u64>],
) -> Result<Option<u64>, PricingError> {
    let parts = sum(whole_name, parts)?.unwrap_or(0);
    match whole {
        None if parts == 0 => Ok(None),
        None => Err(PricingError::Contradiction {
            whole: whole_name,
            reported: 0,
            parts,
        }),
        Some(reported) => match reported.checked_sub(parts) {
            Some(rest) => Ok(Some(rest)),
            None => Err(PricingError::Contradiction {
                whole: whole_name,
                reported,
                parts,
            }),
        },
    }
}

/// Cache writes by time to live.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Writes {
    pub(crate) total: Option<u64>,
    pub(crate) short: Option<u64>,
    pub(crate) long: Option<u64>,
}

impl Writes {
    /// From the total and its split, either of which may be missing. What no time to live is told for was written for
    /// five minutes, the default.
    pub(crate) fn new(
        name: &'static str,
        total: Option<u64>,
        short: Option<u64>,
        long: Option<u64>,
    ) -> Result<Self, PricingError> {
        let total = total.or(sum(name, &[short, long])?);
        let untold = remainder(name, total, &[short, long])?;
        let short = match short {
            None => untold.filter(|count| *count > 0 || long.is_none()),
            Some(_) => sum(name, &[short, untold])?,
        };
        Ok(Self { total, short, long })
    }
}
