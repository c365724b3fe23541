//! The rates that apply to one call: chosen among an entry's prices by prompt, tier, hour and day.

use std::collections::BTreeMap;

use crate::book::PriceList;
use crate::clock;
use crate::decimal::Decimal;
use crate::field::{Base, PriceField, Tier};
use crate::snapshot::layout::{ROW_BY_RESULTS, ROW_DATED, ROW_DATED_CURRENT, ROW_OFF_PEAK, ROW_TIERED};
use crate::snapshot::{Entry, PackedPrices, Row};

/// A set of prices, wherever it lies.
#[derive(Debug, Clone, Copy)]
enum Prices<'a> {
    Packed(PackedPrices<'a>),
    Listed(&'a PriceList),
}

impl Prices<'_> {
    fn get(self, field: PriceField) -> Option<Decimal> {
        match self {
            Self::Packed(prices) => prices.get(field),
            Self::Listed(prices) => prices.get(field),
        }
    }

    fn has(self, base: Base) -> bool {
        match self {
            Self::Packed(prices) => prices.has(base),
            Self::Listed(prices) => prices.has(base),
        }
    }

    fn threshold(self, prompt: u64) -> u16 {
        match self {
            Self::Packed(prices) => prices.threshold(prompt),
            Self::Listed(prices) => prices.threshold(prompt),
        }
    }
}

/// The prices that apply to one call.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rates<'a> {
    prices: Prices<'a>,
    /// Prices that go before them: an off-peak window that is open, the row of a tiered list.
    before: Option<PackedPrices<'a>>,
    entry: Option<Entry<'a>>,
    tier: Tier,
    above_thousands: u16,
    /// A tiered list exists, but none of its rows is for this prompt.
    outside: bool,
    /// The prices are those of another day than the table's.
    pub(crate) dated: bool,
}

impl<'a> Rates<'a> {
    pub(crate) fn of_list(list: &'a PriceList, tier: Tier, prompt: u64) -> Self {
        let prices = Prices::Listed(list);
        let above_thousands = prices.threshold(prompt);
        Self {
            prices,
            before: None,
            entry: None,
            tier,
            above_thousands,
            outside: false,
            dated: false,
        }
    }

    pub(crate) fn of_entry(entry: Entry<'a>, tier: Tier, prompt: u64, at_ns: i64) -> Self {
        let mut rates = Self {
            prices: Prices::Packed(entry.prices()),
            before: None,
            entry: None,
            tier,
            above_thousands: 0,
            outside: false,
            dated: false,
        };
        if entry.rows().next().is_some() {
            rates.apply_rows(entry, prompt, at_ns);
        }
        rates.above_thousands = rates.prices.threshold(prompt);
        rates
    }

    fn apply_rows(&mut self, entry: Entry<'a>, prompt: u64, at_ns: i64) {
        self.entry = Some(entry);
        let today = clock::utc_day(at_ns);
        let dated = |row: &Row<'_>| matches!(row.kind(), ROW_DATED | ROW_DATED_CURRENT) && row.low() <= today;
        // The rows lie in the order of their dates.
        if let Some(row) = entry.rows().filter(dated).last()
            && row.kind() == ROW_DATED
        {
            self.prices = Prices::Packed(row.prices());
            self.dated = true;
            return;
        }
        self.before = entry
            .rows()
            .find(|row| row.kind() == ROW_OFF_PEAK && row.is_open(at_ns))
            .map(Row::prices);
        let tokens = i64::try_from(prompt).unwrap_or(i64::MAX);
        let mut tiers = entry.rows().filter(|row| row.kind() == ROW_TIERED).peekable();
        if tiers.peek().is_some() {
            // An empty prompt is in the first row, whose lower bound is 0.
            let row = tiers.find(|row| row.low() < tokens.max(1) && tokens <= row.high());
            self.outside = row.is_none();
            self.before = row.map(Row::prices);
        }
    }

    /// The rate of this base for the tier and the length of the prompt, and the field it stands in.
    pub(crate) fn get(&self, base: Base) -> Option<(PriceField, Decimal)> {
        let field = self.field(base);
        self.find(field).map(|rate| (field, rate))
    }

    /// The rate of this base whatever the tier and the length of the prompt.
    pub(crate) fn plain(&self, base: Base) -> Option<(PriceField, Decimal)> {
        let field = PriceField::plain(base);
        self.find(field).map(|rate| (field, rate))
    }

    /// The rate per unit: the tier counts, the length of the prompt does not.
    pub(crate) fn per_unit(&self, base: Base) -> Option<(PriceField, Decimal)> {
        let field = PriceField {
            base,
            tier: self.tier,
            above_thousands: 0,
        };
        self.find(field).map(|rate| (field, rate))
    }

    /// The field of this base for the tier and the length of the prompt, whether it has a rate or not.
    pub(crate) fn field(&self, base: Base) -> PriceField {
        PriceField {
            base,
            tier: self.tier,
            above_thousands: self.above_thousands,
        }
    }

    /// A multiplier, or the price of a tool: the history dates rates per token only, so those are the table's.
    pub(crate) fn table(&self, base: Base) -> Option<(PriceField, Decimal)> {
        let found = self.plain(base);
        let field = PriceField::plain(base);
        found.or_else(|| Some((field, self.entry.filter(|_| self.dated)?.prices().get(field)?)))
    }

    /// Whether there is a price of this base for any tier and length.
    pub(crate) fn has(&self, base: Base) -> bool {
        self.prices.has(base)
    }

    /// The price of a query that depends on how many results were asked for.
    pub(crate) fn by_results(&self, results: Option<u64>) -> Option<(PriceField, Decimal)> {
        let results = i64::try_from(results?).ok()?;
        let mut rows = self.entry?.rows().filter(|row| row.kind() == ROW_BY_RESULTS);
        let row = rows.find(|row| row.low() <= results && results <= row.high())?;
        let field = PriceField::plain(Base::InputQuery);
        row.prices().get(field).map(|rate| (field, rate))
    }

    /// Every rate, whatever its tier: those that go before the others in their place.
    pub(crate) fn fields(&self) -> Vec<(PriceField, Decimal)> {
        let mut all: BTreeMap<PriceField, Decimal> = match self.prices {
            Prices::Packed(prices) => prices.fields().collect(),
            Prices::Listed(list) => list.iter().collect(),
        };
        all.extend(self.before.into_iter().flat_map(PackedPrices::fields));
        all.into_iter().collect()
    }

    fn find(&self, field: PriceField) -> Option<Decimal> {
        if let Some(rate) = self.before.and_then(|prices| prices.get(field)) {
            return Some(rate);
        }
        if self.outside && self.in_a_tier(field) {
            return None;
        }
        // What the tiered list never names has one price for every length; what it names elsewhere has none here.
        if self.before.is_some() && self.in_a_tier(field) {
            return None;
        }
        self.prices.get(field)
    }

    fn in_a_tier(&self, field: PriceField) -> bool {
        self.entry.is_some_and(|entry| {
            entry
                .rows()
                .any(|row| row.kind() == ROW_TIERED && row.prices().get(field).is_some())
        })
    }
}
