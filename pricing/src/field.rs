//! Which price: a field name of litellm's table, taken apart.
//!
//! `input_cost_per_token_above_272k_tokens_priority` is the base `input_cost_per_token`, above 272 k tokens, for the
//! tier `priority`. Taken apart once, by the compiler of the snapshot, so that a lookup compares one integer.

use std::fmt;

macro_rules! bases {
    ($($name:ident = $text:literal),+ $(,)?) => {
        /// What is billed, whatever the tier.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u8)]
        #[allow(missing_docs, reason = "each variant stands beside the field name that it is")]
        pub enum Base { $($name),+ }

        impl Base {
            pub(crate) const ALL: &[Self] = &[$(Self::$name),+];

            /// The name without threshold and tier.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$name => $text),+ }
            }
        }
    };
}

bases! {
    Input = "input_cost_per_token",
    Output = "output_cost_per_token",
    CacheRead = "cache_read_input_token_cost",
    CacheWrite = "cache_creation_input_token_cost",
    CacheWrite1h = "cache_creation_input_token_cost_above_1hr",
    CacheWrite12h = "cache_creation_input_token_cost_above_12hr",
    CacheHit = "input_cost_per_token_cache_hit",
    ExplicitCacheRead = "explicit_cache_read_input_token_cost",
    Reasoning = "output_cost_per_reasoning_token",
    InputAudio = "input_cost_per_audio_token",
    OutputAudio = "output_cost_per_audio_token",
    CacheReadAudio = "cache_read_input_audio_token_cost",
    CacheWriteAudio = "cache_creation_input_audio_token_cost",
    InputImageToken = "input_cost_per_image_token",
    OutputImageToken = "output_cost_per_image_token",
    CacheReadImage = "cache_read_input_image_token_cost",
    InputVideoToken = "input_cost_per_video_token",
    OutputVideoToken = "output_cost_per_video_token",
    Citation = "citation_cost_per_token",
    InputDbu = "input_dbu_cost_per_token",
    OutputDbu = "output_dbu_cost_per_token",
    InputCharacter = "input_cost_per_character",
    OutputCharacter = "output_cost_per_character",
    InputImage = "input_cost_per_image",
    OutputImage = "output_cost_per_image",
    OutputImageHalfK = "output_cost_per_image_0.5K",
    OutputImage1K = "output_cost_per_image_1K",
    OutputImage2K = "output_cost_per_image_2K",
    OutputImage4K = "output_cost_per_image_4K",
    OutputImage512 = "output_cost_per_image_512",
    OutputImage1024 = "output_cost_per_image_1024",
    OutputImage1536 = "output_cost_per_image_1536",
    InputPixel = "input_cost_per_pixel",
    OutputPixel = "output_cost_per_pixel",
    InputSecond = "input_cost_per_second",
    OutputSecond = "output_cost_per_second",
    OutputSecond480p = "output_cost_per_second_480p",
    OutputSecond720p = "output_cost_per_second_720p",
    OutputSecond768p = "output_cost_per_second_768p",
    OutputSecond1080p = "output_cost_per_second_1080p",
    OutputSecond2k = "output_cost_per_second_2k",
    OutputSecond4k = "output_cost_per_second_4k",
    CostSecond = "cost_per_second",
    InputAudioSecond = "input_cost_per_audio_per_second",
    InputVideoSecond = "input_cost_per_video_per_second",
    InputVideoSecondAbove8s = "input_cost_per_video_per_second_above_8s_interval",
    InputVideoSecondAbove15s = "input_cost_per_video_per_second_above_15s_interval",
    OutputVideoSecond = "output_cost_per_video_per_second",
    InputQuery = "input_cost_per_query",
    InputRequest = "input_cost_per_request",
    InputTextMessage = "input_cost_per_text_message",
    OcrPage = "ocr_cost_per_page",
    OcrCredit = "ocr_cost_per_credit",
    AnnotationPage = "annotation_cost_per_page",
    CodeInterpreterSession = "code_interpreter_cost_per_session",
    MapsQuery = "google_maps_grounding_cost_per_query",
    WebSearchLow = "search_context_cost_per_query.search_context_size_low",
    WebSearchMedium = "search_context_cost_per_query.search_context_size_medium",
    WebSearchHigh = "search_context_cost_per_query.search_context_size_high",
    GeoUs = "provider_specific_entry.us",
    SpeedFast = "provider_specific_entry.fast",
    ResidencyEu = "regional_processing_uplift_multiplier_eu",
    ResidencyUs = "regional_processing_uplift_multiplier_us",
    RegionalEndpoint = "regional_endpoint_uplift_multiplier",
}

impl Base {
    /// Multipliers say nothing about what a call costs without a price beside them.
    pub(crate) const fn is_multiplier(self) -> bool {
        matches!(
            self,
            Self::GeoUs | Self::SpeedFast | Self::ResidencyEu | Self::ResidencyUs | Self::RegionalEndpoint
        )
    }

    /// Prices that stand one level down in litellm's table, as `<outer>.<inner>` here.
    pub(crate) const fn is_nested(self) -> bool {
        matches!(
            self,
            Self::WebSearchLow | Self::WebSearchMedium | Self::WebSearchHigh | Self::GeoUs | Self::SpeedFast
        )
    }

    fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|base| base.name() == name)
    }
}

/// The tier that served a call, as the suffix of a price field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
#[repr(u8)]
#[allow(missing_docs, reason = "each variant is the suffix of the same name")]
pub enum Tier {
    #[default]
    Standard,
    Flex,
    Priority,
    Batches,
    Balanced,
    Decisions,
    Ultrafast,
}

impl Tier {
    const SUFFIXED: [Self; 6] = [
        Self::Flex,
        Self::Priority,
        Self::Batches,
        Self::Balanced,
        Self::Decisions,
        Self::Ultrafast,
    ];

    pub(crate) const fn suffix(self) -> &'static str {
        match self {
            Self::Standard => "",
            Self::Flex => "_flex",
            Self::Priority => "_priority",
            Self::Batches => "_batches",
            Self::Balanced => "_balanced",
            Self::Decisions => "_decisions",
            Self::Ultrafast => "_ultrafast",
        }
    }

    /// The tier that a provider names as the one that served; `None` if prices for it cannot be known.
    ///
    /// Takes OpenAI's `service_tier`, Anthropic's, Bedrock's, Groq's, and Gemini's `trafficType`.
    pub(crate) fn served(name: &str) -> Option<Self> {
        const NAMES: [(&str, Tier); 17] = [
            ("", Tier::Standard),
            ("default", Tier::Standard),
            ("standard", Tier::Standard),
            ("auto", Tier::Standard),
            ("on_demand", Tier::Standard),
            ("standard_only", Tier::Standard),
            ("traffic_type_unspecified", Tier::Standard),
            ("service_tier_unspecified", Tier::Standard),
            ("flex", Tier::Flex),
            ("on_demand_flex", Tier::Flex),
            ("priority", Tier::Priority),
            ("on_demand_priority", Tier::Priority),
            ("batch", Tier::Batches),
            ("batches", Tier::Batches),
            ("balanced", Tier::Balanced),
            ("decisions", Tier::Decisions),
            ("ultrafast", Tier::Ultrafast),
        ];
        NAMES
            .iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, tier)| *tier)
    }
}

/// One price of one entry: what, from how many prompt tokens on, for which tier.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PriceField {
    pub(crate) base: Base,
    pub(crate) tier: Tier,
    pub(crate) above_thousands: u16,
}

impl PriceField {
    pub(crate) const fn plain(base: Base) -> Self {
        Self {
            base,
            tier: Tier::Standard,
            above_thousands: 0,
        }
    }

    /// Takes a field name of litellm's table apart; `None` if no rule knows it.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        if let Some(base) = Base::named(name) {
            return Some(Self::plain(base));
        }
        let suffixed = Tier::SUFFIXED
            .iter()
            .find_map(|tier| Some((name.strip_suffix(tier.suffix())?, *tier)));
        let (name, tier) = suffixed.unwrap_or((name, Tier::Standard));
        let (name, above_thousands) = match name
            .strip_suffix("k_tokens")
            .and_then(|rest| rest.rsplit_once("_above_"))
        {
            Some((name, thousands)) => (name, thousands.parse().ok()?),
            None => (name, 0),
        };
        Some(Self {
            base: Base::named(name)?,
            tier,
            above_thousands,
        })
    }

    pub(crate) const fn code(self) -> u32 {
        self.base as u32 | (self.tier as u32) << 8 | (self.above_thousands as u32) << 16
    }

    pub(crate) fn from_code(code: u32) -> Option<Self> {
        let base = *Base::ALL.get((code & 0xff) as usize)?;
        let tier = match code >> 8 & 0xff {
            0 => Tier::Standard,
            suffixed => *Tier::SUFFIXED.get(suffixed as usize - 1)?,
        };
        Some(Self {
            base,
            tier,
            above_thousands: (code >> 16) as u16,
        })
    }

    /// A number that changes with the numbering of the bases: a snapshot of another numbering is refused.
    pub(crate) fn numbering() -> u32 {
        fingerprint(Base::ALL.iter().flat_map(|base| base.name().bytes().chain([b'\n'])))
    }
}

/// FNV-1a: tells contents apart that nobody forges.
pub(crate) fn fingerprint(bytes: impl Iterator<Item = u8>) -> u32 {
    bytes.fold(0x811c_9dc5, |hash, byte| {
        (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193)
    })
}

impl fmt::Display for PriceField {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.base.name())?;
        if self.above_thousands > 0 {
            write!(out, "_above_{}k_tokens", self.above_thousands)?;
        }
        out.write_str(self.tier.suffix())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_survive_the_round_trip() {
        for name in [
            "input_cost_per_token",
            "cache_creation_input_token_cost_above_1hr_above_200k_tokens",
            "cache_creation_input_token_cost_above_12hr_above_272k_tokens_priority",
            "output_cost_per_token_above_272k_tokens_flex",
            "input_cost_per_video_per_second_above_8s_interval",
            "ocr_cost_per_page_batches",
            "output_cost_per_image_0.5K",
        ] {
            let field = PriceField::parse(name).unwrap();
            assert_eq!(field.to_string(), name);
            assert_eq!(PriceField::from_code(field.code()), Some(field));
        }
        assert_eq!(PriceField::parse("input_cost_per_smile"), None);
    }
}
