//! Buckets times rates.

use crate::breakdown::BreakdownLine;
use crate::cost::Reason;
use crate::decimal::Decimal;
use crate::field::{Base, PriceField};
use crate::query::CostQuery;
use crate::rates::Rates;
use crate::usage::{SearchSize, Side, Uniform, Unit, Units, Usage};

type Rate = Option<(PriceField, Decimal)>;

/// The products of a call, and what they add up to.
pub(crate) struct Sum {
    pub(crate) lines: Vec<BreakdownLine>,
    /// `None` beyond 128 bits.
    pub(crate) total: Option<Decimal>,
    /// The first thing that has no rate.
    pub(crate) missing: Option<Reason>,
}

impl Sum {
    fn add(&mut self, bucket: &'static str, quantity: Decimal, is_tokens: bool, rate: Rate, multiplier: Decimal) {
        let Some((field, rate)) = rate else {
            self.miss(Reason::MissingRate { bucket, field: None });
            return;
        };
        let product = quantity.times(rate);
        let usd = if multiplier == Decimal::ONE {
            product
        } else {
            product.and_then(|usd| usd.times(multiplier))
        };
        self.total = self.total.zip(usd).and_then(|(total, usd)| total.plus(usd));
        if let Some(usd) = usd {
            self.lines.push(BreakdownLine {
                bucket,
                is_tokens,
                quantity,
                rate,
                field,
                multiplier,
                usd,
            });
        }
    }

    fn miss(&mut self, reason: Reason) {
        self.missing.get_or_insert(reason);
    }
}

pub(crate) fn add_up(usage: &Usage, query: &CostQuery<'_>, rates: &Rates<'_>) -> Sum {
    let mut sum = Sum {
        lines: Vec::with_capacity(6),
        total: Some(Decimal::ZERO),
        missing: None,
    };
    match usage.missing {
        Some(Side::Input) => sum.miss(Reason::InputNotReported),
        Some(Side::Output) => sum.miss(Reason::OutputNotReported),
        None => {}
    }
    if usage.other_model {
        sum.miss(Reason::OtherModel);
    }
    let multiplier = multiplier(usage, query, rates, &mut sum);
    add_tokens(usage, rates, multiplier, &mut sum);
    if let Some(units) = &usage.units {
        add_units(units, rates, &mut sum);
    }
    add_extras(usage, query, rates, &mut sum);
    sum
}

fn add_tokens(usage: &Usage, rates: &Rates<'_>, multiplier: Decimal, sum: &mut Sum) {
    let buckets = usage.buckets();
    let all = usage.uniform == Uniform::All;
    let images = usage.uniform != Uniform::None;
    let mut add = |bucket: &'static str, count: Option<u64>, base: Base, like: Option<Base>| {
        let Some(count) = count.filter(|count| *count > 0) else {
            return;
        };
        let rate = match base {
            Base::Reasoning => reasoning(rates),
            Base::CacheRead => rates.get(base).or_else(|| rates.get(Base::CacheHit)),
            _ => rates
                .get(base)
                .or_else(|| like.filter(|_| !rates.has(base)).and_then(|like| rates.get(like))),
        };
        let rate = rate.or_else(|| free(rates).filter(|_| !rates.has(base)));
        if rate.is_none() {
            sum.miss(Reason::MissingRate {
                bucket,
                field: Some(rates.field(base)),
            });
            return;
        }
        sum.add(bucket, Decimal::whole(count), true, rate, multiplier);
    };
    let (input, cached) = (Some(Base::Input), Some(Base::CacheRead));
    add("text_in", buckets.text_in, Base::Input, None);
    add("cache_read", buckets.cache_read, Base::CacheRead, None);
    add("cache_write_5m", buckets.cache_write_5m, Base::CacheWrite, None);
    add("cache_write_1h", buckets.cache_write_1h, Base::CacheWrite1h, None);
    add("audio_in", buckets.audio_in, Base::InputAudio, input.filter(|_| all));
    add(
        "audio_cached",
        buckets.audio_cached,
        Base::CacheReadAudio,
        cached.filter(|_| all),
    );
    add(
        "image_in",
        buckets.image_in,
        Base::InputImageToken,
        input.filter(|_| images),
    );
    add(
        "image_cached",
        buckets.image_cached,
        Base::CacheReadImage,
        cached.filter(|_| images),
    );
    add(
        "video_in",
        buckets.video_in,
        Base::InputVideoToken,
        input.filter(|_| all),
    );
    add("text_out", buckets.text_out, Base::Output, None);
    add("reasoning", buckets.reasoning, Base::Reasoning, None);
    add("audio_out", buckets.audio_out, Base::OutputAudio, None);
    add("image_out", buckets.image_out, Base::OutputImageToken, None);
    if buckets.unsplit_in.is_some_and(|count| count > 0) {
        sum.miss(Reason::MissingRate {
            bucket: "unsplit_in",
            field: None,
        });
    }
}

/// A model whose input and output are free by an explicit 0 charges for nothing it has no price for.
fn free(rates: &Rates<'_>) -> Rate {
    let (input, output) = (rates.get(Base::Input)?, rates.get(Base::Output)?);
    (input.1.is_zero() && output.1.is_zero()).then_some(input)
}

/// Reasoning has a price of its own where that differs from the output's; else it is output.
fn reasoning(rates: &Rates<'_>) -> Rate {
    if let Some(own) = rates.get(Base::Reasoning) {
        return Some(own);
    }
    let output = rates.get(Base::Output);
    match (rates.plain(Base::Reasoning), rates.plain(Base::Output)) {
        (Some(own), Some(plain)) if own.1 != plain.1 => Some(own),
        _ => output,
    }
}

/// What all tokens of the call are multiplied with.
fn multiplier(usage: &Usage, query: &CostQuery<'_>, rates: &Rates<'_>, sum: &mut Sum) -> Decimal {
    let mut multiplier = Decimal::ONE;
    let mut by = |base: Base, required: bool| match rates.table(base) {
        Some((_, factor)) => match multiplier.times(factor) {
            Some(product) => multiplier = product,
            None => sum.miss(Reason::Overflow),
        },
        // Fast mode without a stated price has an unknown one. A region without an uplift costs what the others do.
        None if required => sum.miss(Reason::MissingRate {
            bucket: "multiplier",
            field: Some(PriceField::plain(base)),
        }),
        None => {}
    };
    if usage.us_only {
        by(Base::GeoUs, false);
    }
    if usage.fast {
        by(Base::SpeedFast, true);
    }
    match query.data_residency {
        Some("eu") => by(Base::ResidencyEu, false),
        Some("us") => by(Base::ResidencyUs, false),
        _ => {}
    }
    if query.vertex_location.is_some_and(|location| location != "global") {
        by(Base::RegionalEndpoint, false);
    }
    multiplier
}

fn add_units(units: &Units, rates: &Rates<'_>, sum: &mut Sum) {
    let bucket = units.unit.as_str();
    if units.quantity.is_zero() {
        return;
    }
    if let (Unit::Images, Some(pixels)) = (units.unit, units.pixels) {
        let rate = by_pixel(rates);
        if image(units, rates).is_none() && rate.is_some() {
            return sum.add(Unit::Pixels.as_str(), pixels, false, rate, Decimal::ONE);
        }
    }
    let (rate, field) = match units.unit {
        Unit::AudioSeconds => return add_seconds(units, rates, sum),
        Unit::VideoSeconds => (video(units, rates), Base::OutputSecond),
        Unit::Images => (image(units, rates), Base::OutputImage),
        Unit::Pixels => (by_pixel(rates), Base::OutputPixel),
        Unit::Characters => (
            first(rates, &[Base::InputCharacter, Base::OutputCharacter]),
            Base::InputCharacter,
        ),
        Unit::Pages => (rates.per_unit(Base::OcrPage), Base::OcrPage),
        Unit::Queries => (
            rates
                .per_unit(Base::InputQuery)
                .or_else(|| rates.by_results(units.results)),
            Base::InputQuery,
        ),
        Unit::SearchUnits => (rates.per_unit(Base::InputQuery), Base::InputQuery),
    };
    if rate.is_none() {
        sum.miss(Reason::MissingRate {
            bucket,
            field: Some(PriceField::plain(field)),
        });
        return;
    }
    sum.add(bucket, units.quantity, false, rate, Decimal::ONE);
}

/// A second of audio has a price as input, as output or both; the same figure twice is one price.
fn add_seconds(units: &Units, rates: &Rates<'_>, sum: &mut Sum) {
    let (input, output) = (rates.per_unit(Base::InputSecond), rates.per_unit(Base::OutputSecond));
    let same = input.map(|(_, rate)| rate) == output.map(|(_, rate)| rate);
    let output = output.filter(|(_, rate)| !same && !rate.is_zero());
    let input = input.filter(|(_, rate)| output.is_none() || !rate.is_zero());
    if input.is_none() && output.is_none() {
        let field = Some(PriceField::plain(Base::InputSecond));
        return sum.miss(Reason::MissingRate {
            bucket: "seconds",
            field,
        });
    }
    if input.is_some() {
        sum.add("seconds", units.quantity, false, input, Decimal::ONE);
    }
    if output.is_some() {
        let bucket = if input.is_some() { "seconds_out" } else { "seconds" };
        sum.add(bucket, units.quantity, false, output, Decimal::ONE);
    }
}

fn first(rates: &Rates<'_>, bases: &[Base]) -> Rate {
    bases.iter().find_map(|base| rates.per_unit(*base))
}

/// The table prices some pixels on one side and writes 0 on the other.
fn by_pixel(rates: &Rates<'_>) -> Rate {
    let (input, output) = (rates.per_unit(Base::InputPixel), rates.per_unit(Base::OutputPixel));
    output.filter(|(_, rate)| !rate.is_zero()).or(input).or(output)
}

fn video(units: &Units, rates: &Rates<'_>) -> Rate {
    const RESOLUTIONS: [Base; 6] = [
        Base::OutputSecond480p,
        Base::OutputSecond720p,
        Base::OutputSecond768p,
        Base::OutputSecond1080p,
        Base::OutputSecond2k,
        Base::OutputSecond4k,
    ];
    variant(
        units,
        rates,
        &RESOLUTIONS,
        &[Base::OutputSecond, Base::OutputVideoSecond],
    )
}

fn image(units: &Units, rates: &Rates<'_>) -> Rate {
    const SIZES: [Base; 7] = [
        Base::OutputImageHalfK,
        Base::OutputImage1K,
        Base::OutputImage2K,
        Base::OutputImage4K,
        Base::OutputImage512,
        Base::OutputImage1024,
        Base::OutputImage1536,
    ];
    variant(units, rates, &SIZES, &[Base::OutputImage, Base::InputImage])
}

/// The price of the variant named; the general price only where that variant has none and neither do the others,
/// or where no variant is named.
fn variant(units: &Units, rates: &Rates<'_>, variants: &[Base], general: &[Base]) -> Rate {
    match units.variant {
        Some(Ok(named)) => {
            let own = rates.per_unit(named);
            let divided = variants.iter().any(|base| rates.has(*base));
            own.or_else(|| if divided { None } else { first(rates, general) })
        }
        Some(Err(())) if variants.iter().any(|base| rates.has(*base)) => None,
        _ => first(rates, general),
    }
}

/// What is charged per call or per search, whatever the tokens and their multipliers.
fn add_extras(usage: &Usage, query: &CostQuery<'_>, rates: &Rates<'_>, sum: &mut Sum) {
    let searches = usage
        .web_searches
        .filter(|count| *count > 0)
        .or(query.web_search_calls)
        .unwrap_or(0);
    if searches > 0 {
        let sizes = [Base::WebSearchLow, Base::WebSearchMedium, Base::WebSearchHigh].map(|size| rates.table(size));
        let rate = match query
            .search_context_size
            .and_then(SearchSize::named)
            .or(usage.search_size)
        {
            Some(SearchSize::Low) => sizes[0],
            Some(SearchSize::Medium) => sizes[1],
            Some(SearchSize::High) => sizes[2],
            None => sizes[1].filter(|(_, rate)| sizes.iter().all(|size| size.map(|(_, other)| other) == Some(*rate))),
        };
        if rate.is_none() {
            let field = Some(PriceField::plain(Base::WebSearchMedium));
            return sum.miss(Reason::MissingRate {
                bucket: "web_search",
                field,
            });
        }
        sum.add("web_search", Decimal::whole(searches), false, rate, Decimal::ONE);
    }
    if let Some(rate) = rates.plain(Base::InputRequest) {
        sum.add("request", Decimal::whole(1), false, Some(rate), Decimal::ONE);
    }
}
