//! Calls that are billed by something else than tokens.

use serde::Deserialize;
use serde_json::value::RawValue;

use super::{Units, Usage, UsageFormat, decimal, malformed};
use crate::decimal::Decimal;
use crate::error::PricingError;
use crate::field::Base;

/// What a call is billed by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[allow(missing_docs, reason = "each variant is its unit")]
pub enum Unit {
    AudioSeconds,
    VideoSeconds,
    Characters,
    Images,
    Pixels,
    Pages,
    Queries,
    SearchUnits,
}

impl Unit {
    /// The name of the unit's line in a breakdown.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::AudioSeconds | Self::VideoSeconds => "seconds",
            Self::Characters => "characters",
            Self::Images => "images",
            Self::Pixels => "pixels",
            Self::Pages => "pages",
            Self::Queries => "queries",
            Self::SearchUnits => "search_units",
        }
    }
}

pub(super) fn of(unit: Unit, quantity: Decimal) -> Usage {
    Usage {
        units: Some(Units {
            unit,
            quantity,
            variant: None,
            pixels: None,
            results: None,
        }),
        ..Usage::default()
    }
}

#[derive(Deserialize)]
struct UnitUsage<'a> {
    #[serde(borrow)]
    images: Option<&'a RawValue>,
    #[serde(borrow)]
    pixels: Option<&'a RawValue>,
    #[serde(borrow)]
    duration_seconds: Option<&'a RawValue>,
    #[serde(borrow)]
    seconds: Option<&'a RawValue>,
    #[serde(borrow)]
    characters: Option<&'a RawValue>,
    #[serde(borrow)]
    queries: Option<&'a RawValue>,
    #[serde(borrow)]
    pages_processed: Option<&'a RawValue>,
    video_resolution: Option<String>,
    image_size: Option<String>,
    max_results: Option<u64>,
}

pub(super) fn read(format: UsageFormat, json: &str) -> Result<Usage, PricingError> {
    let usage: UnitUsage<'_> = serde_json::from_str(json).map_err(malformed)?;
    let (unit, value) = match format {
        UsageFormat::ImageCount if usage.images.is_none() => (Unit::Pixels, usage.pixels),
        UsageFormat::ImageCount => (Unit::Images, usage.images),
        UsageFormat::VideoDuration => (Unit::VideoSeconds, usage.duration_seconds),
        UsageFormat::TranscriptionDuration => (Unit::AudioSeconds, usage.seconds),
        UsageFormat::SpeechCharacters => (Unit::Characters, usage.characters),
        UsageFormat::Search => (Unit::Queries, usage.queries),
        UsageFormat::MistralOcr => (Unit::Pages, usage.pages_processed),
        _ => return Err(PricingError::UnknownShape),
    };
    let Some(quantity) = decimal(value)? else {
        return Ok(Usage::absent());
    };
    let each = usage.image_size.as_deref().and_then(area);
    let pixels = match (decimal(usage.pixels)?, each) {
        (Some(pixels), _) => Some(pixels),
        (None, Some(each)) => quantity.times(each),
        (None, None) => None,
    };
    let variant = match unit {
        Unit::VideoSeconds => usage.video_resolution.as_deref().map(resolution),
        Unit::Images => usage.image_size.as_deref().map(size),
        _ => None,
    };
    Ok(Usage {
        units: Some(Units {
            unit,
            quantity,
            variant,
            pixels,
            results: usage.max_results,
        }),
        ..Usage::default()
    })
}

fn resolution(name: &str) -> Result<Base, ()> {
    Ok(match name.to_ascii_lowercase().as_str() {
        "480p" => Base::OutputSecond480p,
        "720p" => Base::OutputSecond720p,
        "768p" => Base::OutputSecond768p,
        "1080p" => Base::OutputSecond1080p,
        "2k" => Base::OutputSecond2k,
        "4k" => Base::OutputSecond4k,
        _ => return Err(()),
    })
}

/// The pixels of one image of a size such as `1024x1536`.
fn area(size: &str) -> Option<Decimal> {
    let (width, height) = size.split_once('x')?;
    let (width, height): (u32, u32) = (width.parse().ok()?, height.parse().ok()?);
    Some(Decimal::whole(u64::from(width) * u64::from(height)))
}

fn size(name: &str) -> Result<Base, ()> {
    Ok(match name.to_ascii_uppercase().as_str() {
        "0.5K" => Base::OutputImageHalfK,
        "1K" => Base::OutputImage1K,
        "2K" => Base::OutputImage2K,
        "4K" => Base::OutputImage4K,
        "512" => Base::OutputImage512,
        "1024" => Base::OutputImage1024,
        "1536" => Base::OutputImage1536,
        _ => return Err(()),
    })
}
