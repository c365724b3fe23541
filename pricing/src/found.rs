//! The prices that apply to a call: those given with it, the user's own, or the table's.

use std::borrow::Cow;

use crate::book::{Own, PriceList};
use crate::cost::{PriceSource, Reason};
use crate::query::CostQuery;
use crate::resolve::{self, Listener};
use crate::snapshot::{Entry, Snapshot};

/// The prices found for a call.
pub(crate) struct Found<'a> {
    pub(crate) key: Option<Cow<'static, str>>,
    pub(crate) source: PriceSource,
    pub(crate) prices: Priced<'a>,
    /// Whose they are; litellm's id.
    pub(crate) provider: &'a str,
}

pub(crate) enum Priced<'a> {
    List(&'a PriceList),
    Entry(Entry<'a>),
}

/// What a call is looked up by.
struct Names<'a> {
    /// In the order they are tried.
    models: [Option<&'a str>; 2],
    /// The user says that this model is meant: it may be another provider's.
    stated: bool,
}

impl<'a> Names<'a> {
    fn of(query: &CostQuery<'a>) -> Self {
        match query.base_model {
            Some(base) => Self {
                models: [Some(base), None],
                stated: true,
            },
            None => Self {
                models: [Some(query.model).filter(|model| !model.is_empty()), query.asked_model],
                stated: false,
            },
        }
    }

    fn iter(&self) -> impl Iterator<Item = &'a str> + use<'a> {
        self.models.into_iter().flatten()
    }
}

pub(crate) fn find<'a>(query: &CostQuery<'a>) -> Result<Found<'a>, Reason> {
    find_and_tell(query, &mut |_, _, _, _| ())
}

/// As [`find`]; `listener` is told of each look into the table.
pub(crate) fn find_and_tell<'a>(query: &CostQuery<'a>, listener: &mut Listener<'_>) -> Result<Found<'a>, Reason> {
    let listed = |key: Option<&str>, source, list| Found {
        key: key.map(|key| Cow::Owned(key.to_owned())),
        source,
        prices: Priced::List(list),
        provider: query.provider,
    };
    if let Some(list) = query.custom_pricing {
        return Ok(listed(None, PriceSource::Custom, list));
    }
    let mut names = Names::of(query);
    let mut snapshot = Snapshot::embedded();
    if let Some(book) = query.book {
        if let Some(why) = book.problem() {
            return Err(Reason::UnreadablePrices(why.clone()));
        }
        let mut meant = None;
        for model in names.iter() {
            let alias = book.alias(query.provider, model);
            match book.prices(query.provider, alias.unwrap_or(model)) {
                Some((name, Own::List(list))) => return Ok(listed(Some(name), PriceSource::User, list)),
                Some((name, Own::Table(table))) => return of_user(name, table, query.provider),
                None => {}
            }
            meant = meant.or(alias);
        }
        if meant.is_some() {
            names = Names {
                models: [meant, None],
                stated: true,
            };
        }
        snapshot = book.snapshot().unwrap_or(snapshot);
    }
    in_table(snapshot, query.provider, &names, listener)
}

fn of_user<'a>(name: &str, table: &'a Snapshot, provider: &'a str) -> Result<Found<'a>, Reason> {
    let entry = table.entry(name).ok_or(Reason::UnknownModel)?;
    Ok(Found {
        key: Some(Cow::Owned(name.to_owned())),
        source: PriceSource::User,
        prices: Priced::Entry(entry),
        provider,
    })
}

fn in_table<'a>(
    snapshot: &'a Snapshot,
    provider: &'a str,
    names: &Names<'_>,
    listener: &mut Listener<'_>,
) -> Result<Found<'a>, Reason> {
    let mut without_prices = None;
    for model in names.iter() {
        let own = resolve::find(snapshot, provider, model, listener);
        let elsewhere = || resolve::find(snapshot, "", model, listener);
        let entry = own.or_else(|| (names.stated && !provider.is_empty()).then(elsewhere).flatten());
        let Some(entry) = entry else { continue };
        if entry.has_prices() {
            return Ok(Found {
                key: Some(entry.key_text()),
                source: PriceSource::Table,
                prices: Priced::Entry(entry),
                provider: own
                    .filter(|_| !provider.is_empty())
                    .map_or(entry.provider(), |_| provider),
            });
        }
        without_prices.get_or_insert(entry);
    }
    Err(without_prices.map_or(Reason::UnknownModel, |entry| Reason::NoPrices(entry.key_text())))
}
