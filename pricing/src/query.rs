//! What a cost depends on besides the usage.

use crate::book::{PriceBook, PriceList};
use crate::decimal::Decimal;

/// The call whose cost is asked for. Everything but provider, model and time has a default.
#[derive(Debug, Clone, Copy, Default)]
pub struct CostQuery<'a> {
    /// litellm's provider id: `openai`, `azure`, `vertex_ai`, ...
    pub provider: &'a str,
    /// The model that answered, or as the caller wrote it.
    pub model: &'a str,
    /// The model asked for, where that may be another name: it counts where the one that answered has no prices.
    pub asked_model: Option<&'a str>,
    /// When the request was made, in nanoseconds since 1970-01-01 UTC. Prices are those of that time.
    pub at_ns: i64,
    /// The tier that served the call (not the one asked for); it overrides the one the usage names.
    pub service_tier: Option<&'a str>,
    /// Whether the call was part of a batch.
    pub batch: bool,
    /// OpenAI's regional host: `eu` or `us`.
    pub data_residency: Option<&'a str>,
    /// Vertex AI's location: `global`, `europe-west1`, ...
    pub vertex_location: Option<&'a str>,
    /// The model behind a deployment name or an opaque profile.
    pub base_model: Option<&'a str>,
    /// Web searches that are not in the usage object.
    pub web_search_calls: Option<u64>,
    /// `low`, `medium` or `high`, where a search's price depends on it.
    pub search_context_size: Option<&'a str>,
    /// Prices given with the call: they replace the table's.
    pub custom_pricing: Option<&'a PriceList>,
    /// The name of the deployment or key, for discounts.
    pub deployment: Option<&'a str>,
    /// The name of the key the call was made with, for discounts.
    pub key_alias: Option<&'a str>,
    /// The part of the list price that the caller says is taken off, where the book has no discount for the call.
    pub discount: Option<Decimal>,
    /// The user's own prices, names and discounts, and an updated snapshot.
    pub book: Option<&'a PriceBook>,
}
