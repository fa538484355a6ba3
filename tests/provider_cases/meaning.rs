//! Fields of published examples read by what their names and words say, and holdings of plain offers to put the rules' questions to.

use crate::case::decimal;
use crate::check::compare;
use crate::{Outcome, words};
use chrono::{DateTime, Months, NaiveDate, NaiveTime, Utc};
use covermix::catalog::{Benefit, Catalog, Offer, OnDemandPrice, Origin, PaymentOption, Right, ScopeKind};
use covermix::portfolio::action::{Refusal, Window};
use covermix::portfolio::{Commitment, Scope};
use covermix::time::Term;
use covermix::units::{Money, MoneyPerHour, UnitPrice};
use covermix::usage::{Provider, Sku};
use rust_decimal::Decimal;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

pub(crate) type Parsed<T> = Result<T, String>;

/// All scalar fields of a document with their paths, in order.
pub(crate) fn fields(value: &Value) -> Vec<(String, &Value)> {
    fn walk<'a>(path: &str, value: &'a Value, found: &mut Vec<(String, &'a Value)>) {
        let join = |name: &str| if path.is_empty() { name.to_lowercase() } else { format!("{path}.{}", name.to_lowercase()) };
        match value {
            Value::Object(object) => object.iter().for_each(|(name, value)| walk(&join(name), value, found)),
            Value::Array(list) => {
                list.iter().enumerate().for_each(|(index, value)| walk(&join(&index.to_string()), value, found));
            }
            _ => found.push((path.to_owned(), value)),
        }
    }
    let mut found = Vec::new();
    walk("", value, &mut found);
    found
}

/// The first figure whose field's name has one of the words, tried in the order of the words.
pub(crate) fn figure(value: &Value, names: &[&str]) -> Option<Decimal> {
    let fields = fields(value);
    names.iter().find_map(|name| {
        let fits = |path: &str| name.split('+').all(|part| path.contains(part));
        fields.iter().find(|(path, value)| fits(path) && decimal(value).is_ok()).and_then(|(_, value)| decimal(value).ok())
    })
}

/// The first text whose field's name has one of the words.
pub(crate) fn text<'a>(value: &'a Value, names: &[&str]) -> Option<&'a str> {
    let fields = fields(value);
    names.iter().find_map(|name| fields.iter().find(|(path, value)| path.contains(name) && value.is_string())?.1.as_str())
}

/// Whether a field says yes or no; `None` if it says neither.
pub(crate) fn verdict(value: &Value) -> Option<bool> {
    if let Some(answer) = value.as_bool() {
        return Some(answer);
    }
    let words = value.as_str()?.trim().to_lowercase();
    let starts = |list: &[&str]| list.iter().any(|word| words.starts_with(word));
    let no = [
        "rejected",
        "refused",
        "not ",
        "no",
        "forbidden",
        "denied",
        "ineligible",
        "cannot",
        "can't",
        "error",
        "invalid",
        "false",
    ];
    if starts(&no) {
        return Some(false);
    }
    starts(&["allowed", "yes", "eligible", "accepted", "possible", "ok", "permitted", "true", "can be", "valid"]).then_some(true)
}

/// An instant from a date or a time of day.
pub(crate) fn instant(text: &str) -> Parsed<DateTime<Utc>> {
    let text = text.trim();
    if let Ok(instant) = text.parse::<DateTime<Utc>>() {
        return Ok(instant);
    }
    if let Ok(local) = chrono::NaiveDateTime::parse_from_str(text.trim_end_matches('Z'), "%Y-%m-%dT%H:%M:%S") {
        return Ok(local.and_utc());
    }
    if let Ok(local) = chrono::NaiveDateTime::parse_from_str(text.trim_end_matches(" UTC"), "%Y-%m-%d %H:%M") {
        return Ok(local.and_utc());
    }
    for format in ["%Y-%m-%d", "%B %d, %Y", "%b %d, %Y", "%d %B %Y"] {
        if let Ok(day) = NaiveDate::parse_from_str(text, format) {
            return Ok(day.and_time(NaiveTime::MIN).and_utc());
        }
    }
    for format in ["%H:%M:%S", "%H:%M", "%I:%M%p", "%I:%M %p"] {
        if let Ok(time) = NaiveTime::parse_from_str(text, format) {
            let day = NaiveDate::from_ymd_opt(2024, 1, 10).ok_or("no day")?;
            return Ok(day.and_time(time).and_utc());
        }
    }
    Err(format!("{text}: no instant"))
}

/// A term from `1yr`, `P3Y`, `36`, `3 years`, `1-year`.
pub(crate) fn term(value: &Value, provider: Provider) -> Parsed<Term> {
    if let Some(term) = value.as_str().and_then(|text| text.parse::<Term>().ok()) {
        return Ok(of(provider, term.nominal_months()));
    }
    let written = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let count = words::leading(&written).ok_or_else(|| format!("{written}: no term"))?;
    let months = if written.contains('y') { count * Decimal::from(12) } else { count };
    months.to_string().parse::<u32>().map(|months| of(provider, months)).map_err(|_| format!("{written}: no term"))
}

/// A number of months as a provider sells them.
pub(crate) fn of(provider: Provider, months: u32) -> Term {
    match (provider, months) {
        (Provider::Aws, 12) => Term::AWS_ONE_YEAR,
        (Provider::Aws, 36) => Term::AWS_THREE_YEARS,
        _ => Term::Months(months),
    }
}

/// A number of months later.
pub(crate) fn months_after(start: DateTime<Utc>, months: u32) -> DateTime<Utc> {
    start.checked_add_months(Months::new(months)).unwrap_or(start)
}

/// A SKU that is priced.
pub(crate) fn price(sku: Sku, family: &str) -> OnDemandPrice {
    OnDemandPrice {
        id: sku.sku.clone(),
        sku,
        price: UnitPrice::new(Decimal::ONE),
        family: family.to_owned(),
        pools: Vec::new(),
        provider_id: String::new(),
        list_price: None,
        origin: Origin::default(),
    }
}

/// A catalog of these prices; of something that no example names, if there are none.
pub(crate) fn catalog(mut prices: Vec<OnDemandPrice>, offers: Vec<Offer>) -> Parsed<Catalog> {
    if prices.is_empty() {
        prices.push(price(covermix::catalog::aws::instance_sku("region", "something", "Linux", "shared"), ""));
    }
    Catalog::new("USD", None, "case", prices, offers).map_err(|error| error.to_string())
}

/// A plain offer of a reservation.
pub(crate) fn offer(provider: Provider, service: &str, sku: &str, term: Term, rights: &[Right]) -> Offer {
    Offer {
        id: format!("offer of {sku}"),
        provider,
        service: service.to_owned(),
        region: "region".into(),
        benefit: Benefit::Reservation { sku: sku.to_owned(), pool: None },
        term,
        payment_option: PaymentOption::NoUpfront,
        upfront: Money::ZERO,
        recurring: MoneyPerHour::ZERO,
        scopes: BTreeSet::from([ScopeKind::Region, ScopeKind::Shared]),
        rights: rights.iter().copied().collect(),
        purchasable_from: None,
        purchasable_until: None,
        derived: String::new(),
        lot: None,
        provider_id: String::new(),
        origin: Origin::default(),
    }
}

/// A spend plan of a type.
pub(crate) fn plan(provider: Provider, name: &str, term: Term, rights: &[Right]) -> Offer {
    let benefit = Benefit::SpendPlan { plan: name.to_owned(), family: String::new(), rates: BTreeMap::new() };
    let base = offer(provider, "plans", name, term, rights);
    Offer { benefit, region: String::new(), recurring: MoneyPerHour::new(Decimal::ONE), ..base }
}

/// So many of an offer from a start on.
pub(crate) fn held(offer: &Offer, quantity: Decimal, start: DateTime<Utc>) -> Commitment {
    Commitment {
        id: "held".into(),
        offer: offer.id.clone(),
        quantity,
        start,
        end: offer.term.end(start),
        account: String::new(),
        scope: if offer.provider == Provider::Aws && !offer.is_spend_plan() { Scope::Region } else { Scope::Shared },
    }
}

/// What was found against what an example expects.
#[derive(Default)]
pub(crate) struct Findings {
    compared: usize,
    reasons: Vec<String>,
}

impl Findings {
    /// A figure, to the digit that is printed; what is no figure is not compared.
    pub(crate) fn figure(&mut self, found: Decimal, wanted: &Value, name: &str) {
        if decimal(wanted).is_err() {
            return;
        }
        self.compared += 1;
        let printed = wanted.as_str().map_or_else(|| wanted.to_string(), str::to_owned);
        let tolerance = if printed.contains('.') { words::rounding(&printed) } else { Decimal::new(5, 3) };
        compare(Some(found), wanted, tolerance, name, &mut self.reasons);
    }

    /// A text.
    pub(crate) fn text(&mut self, found: &str, wanted: &Value, name: &str) {
        self.compared += 1;
        if wanted != found {
            self.reasons.push(format!("{name} is {found}, expected {wanted}"));
        }
    }

    /// Something that must be so.
    pub(crate) fn holds(&mut self, is_so: bool, name: impl Into<String>) {
        self.compared += 1;
        if !is_so {
            self.reasons.push(format!("does not hold: {}", name.into()));
        }
    }

    /// Whether something is allowed.
    pub(crate) fn allowed<T>(&mut self, found: &Result<T, Refusal>, wanted: bool, name: &str) {
        self.compared += 1;
        match found {
            Ok(_) if !wanted => self.reasons.push(format!("{name} is allowed, and should not be")),
            Err(refusal) if wanted => self.reasons.push(format!("{name} is refused: {refusal}")),
            _ => {}
        }
    }

    /// What comes of them; unsupported if nothing could be compared.
    pub(crate) fn outcome(self) -> Parsed<Outcome> {
        match (self.compared, self.reasons.is_empty()) {
            (0, _) => Err("nothing of what is expected can be compared".into()),
            (_, true) => Ok(Outcome::Passed),
            (_, false) => Ok(Outcome::Failed(self.reasons)),
        }
    }
}

/// The last day of a window, as examples print it.
pub(crate) fn last_day(window: &Window) -> String {
    window.until.date_naive().to_string()
}
