//! The prices in force in this process, and what a call says that its price depends on.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use pricing::{Cost, CostQuery, Decimal, PriceBook, PriceList, PricingError, Snapshot, Usage};

use crate::core::core;
use crate::settings;

/// The file that `EDGEQUAKE_OBS_PRICES` names.
const VARIABLE: &str = "EDGEQUAKE_OBS_PRICES";

/// What the arguments of a call say about its price.
#[derive(Clone, Debug, Default)]
pub(crate) struct PriceFacts {
    /// Prices given with the call; they replace every other.
    pub custom: Option<PriceList>,
    /// The model behind a deployment.
    pub base_model: Option<String>,
    pub vertex_location: Option<String>,
    pub key_alias: Option<String>,
    /// The part of the list price that litellm's `cost_discount_config` takes off, by provider.
    pub discounts: Vec<(String, Decimal)>,
}

impl PriceFacts {
    pub(crate) fn is_empty(&self) -> bool {
        let Self {
            custom,
            base_model,
            vertex_location,
            key_alias,
            discounts,
        } = self;
        let texts = [base_model, vertex_location, key_alias];
        custom.is_none() && discounts.is_empty() && texts.iter().all(|text| text.is_none())
    }

    /// Adds what the call says to what is known of it.
    pub(crate) fn lay_over<'a>(&'a self, query: CostQuery<'a>) -> CostQuery<'a> {
        CostQuery {
            custom_pricing: self.custom.as_ref(),
            base_model: self.base_model.as_deref(),
            vertex_location: self.vertex_location.as_deref().or(query.vertex_location),
            key_alias: self.key_alias.as_deref().or(query.key_alias),
            discount: self
                .discounts
                .iter()
                .find(|(provider, _)| provider == query.provider)
                .map(|(_, off)| *off),
            ..query
        }
    }
}

/// What is known of a call when it is priced: while it is recorded, and from its row later.
#[derive(Debug, Default)]
pub(crate) struct Seen<'a> {
    pub provider: &'a str,
    /// The model that answered.
    pub served: Option<&'a str>,
    pub asked: Option<&'a str>,
    pub at_ns: i64,
    /// The tier that served.
    pub service_tier: Option<&'a str>,
    pub host: Option<&'a str>,
    pub key_alias: Option<&'a str>,
    pub batch: bool,
    pub web_search_calls: Option<u64>,
    pub facts: Option<&'a PriceFacts>,
}

impl Seen<'_> {
    /// Priced by the model that answered, where its price is known; an alias or a deployment may only be known by the
    /// name asked for.
    pub(crate) fn price(&self, usage: &Usage) -> Cost {
        let book = in_force();
        let host = self.host.unwrap_or_default();
        let query = CostQuery {
            provider: self.provider,
            model: self.served.or(self.asked).unwrap_or_default(),
            asked_model: self.asked.filter(|_| self.served.is_some()),
            at_ns: self.at_ns,
            service_tier: self.service_tier,
            batch: self.batch,
            data_residency: residency_of(host),
            vertex_location: vertex_location_of(host),
            web_search_calls: self.web_search_calls,
            deployment: self.asked,
            key_alias: self.key_alias,
            book: Some(&book),
            ..CostQuery::default()
        };
        match self.facts {
            Some(facts) => pricing::cost(usage, &facts.lay_over(query)),
            None => pricing::cost(usage, &query),
        }
    }
}

/// What this program said itself, whatever process of it prices.
#[derive(Clone, Debug, Default)]
struct Said {
    /// By `configure(prices=...)`; it stands in the place of the environment's file.
    configured: Option<Arc<PriceBook>>,
    /// By `register_model`.
    registered: Option<Arc<PriceBook>>,
}

static SAID: Mutex<Said> = Mutex::new(Said {
    configured: None,
    registered: None,
});

fn said() -> MutexGuard<'static, Said> {
    SAID.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Prices that are read when the first call is priced, which is on the writer's thread.
#[derive(Debug, Default)]
pub(crate) struct InForce {
    book: Mutex<Option<Arc<PriceBook>>>,
}

impl InForce {
    fn slot(&self) -> MutexGuard<'_, Option<Arc<PriceBook>>> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The prices that calls are priced by from now on.
pub(crate) fn in_force() -> Arc<PriceBook> {
    Arc::clone(core().prices.slot().get_or_insert_with(|| Arc::new(book())))
}

/// Takes a user's prices in the place of the environment's file.
pub(crate) fn configure(book: PriceBook) {
    said().configured = Some(Arc::new(book));
    reload();
}

/// Lays models over what was registered before.
pub(crate) fn register(models: &PriceBook) {
    let mut said = said();
    let mut registered = said.registered.take().unwrap_or_default();
    Arc::make_mut(&mut registered).lay_over(models);
    said.registered = Some(registered);
    drop(said);
    reload();
}

/// Takes away what was registered.
pub(crate) fn forget_registered() {
    said().registered = None;
    reload();
}

/// Reads them anew when next they are needed: somebody has put other files in their place.
pub(crate) fn reload() {
    *core().prices.slot() = None;
}

/// Why the environment's price file cannot be read, the first time that somebody asks.
pub(crate) fn take_problem() -> Option<String> {
    static TOLD: AtomicBool = AtomicBool::new(false);
    let problem = in_force().problem()?.to_string();
    (!TOLD.swap(true, Ordering::Relaxed))
        .then(|| format!("{problem}; until that is mended, calls are recorded without a cost"))
}

fn book() -> PriceBook {
    let said = said().clone();
    let mut book = match said.configured {
        Some(configured) => PriceBook::clone(&configured),
        None => of_environment(),
    };
    if let Some(snapshot) = updated() {
        book = book.with_snapshot(snapshot);
    }
    if let Some(registered) = said.registered {
        book.lay_over(&registered);
    }
    book
}

fn of_environment() -> PriceBook {
    let Some(path) = settings::variable(VARIABLE) else {
        return PriceBook::default();
    };
    read(Path::new(&path))
        .unwrap_or_else(|why| PriceBook::unreadable(PricingError::Source(format!("{VARIABLE}: {why}"))))
}

/// Reads a user's price file. The error names the file and what is wrong with it.
pub(crate) fn read(path: &Path) -> Result<PriceBook, String> {
    let path = settings::absolute(path);
    let text = std::fs::read_to_string(&path).map_err(|why| format!("{} cannot be read: {why}", path.display()))?;
    PriceBook::from_json(&text).map_err(|why| format!("{} is no price file: {why}", path.display()))
}

/// Where `edgequake-obs prices update` puts the snapshot that replaces the shipped one.
pub(crate) fn updated_path() -> Option<PathBuf> {
    Some(settings::user_data_folder()?.join("edgequake-obs").join("prices.bin"))
}

/// The updated snapshot, unless the library has a newer one by now, or one of another form.
fn updated() -> Option<Snapshot> {
    let bytes = std::fs::read(updated_path()?).ok()?;
    let snapshot = Snapshot::open(bytes).ok()?;
    let date = |version: &str| version.split('+').next().map(str::to_owned);
    (date(snapshot.version()) >= date(pricing::price_version())).then_some(snapshot)
}

/// OpenAI's regional host, as far as it has a price of its own.
fn residency_of(host: &str) -> Option<&'static str> {
    match host {
        "eu.api.openai.com" => Some("eu"),
        "us.api.openai.com" => Some("us"),
        _ => None,
    }
}

/// The location in the host of a Vertex AI endpoint; the host without one is the global endpoint's.
fn vertex_location_of(host: &str) -> Option<&str> {
    let regional = host.strip_suffix("-aiplatform.googleapis.com");
    // Multi-regions: aiplatform.eu.rep.googleapis.com.
    let multi = || host.strip_prefix("aiplatform.")?.strip_suffix(".rep.googleapis.com");
    regional.or_else(multi)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_tell_where_a_call_was_served() {
        assert_eq!(residency_of("eu.api.openai.com"), Some("eu"));
        assert_eq!(residency_of("api.openai.com"), None);
        assert_eq!(
            vertex_location_of("europe-west1-aiplatform.googleapis.com"),
            Some("europe-west1")
        );
        assert_eq!(vertex_location_of("aiplatform.eu.rep.googleapis.com"), Some("eu"));
        assert_eq!(vertex_location_of("aiplatform.googleapis.com"), None);
    }
}
