//! Two portfolios of the same owner compared: ours, and the one that the bill shows. What is in both, what is in one alone, which fields
//! differ; and the two merged into one.

use super::{Commitment, Holding, Portfolio};
use crate::catalog::{Benefit, Catalog, Offer};
use crate::error::Result;
use crate::time::Hour;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// Which of two portfolios is believed where they differ.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Prefer {
    /// The first: ours.
    Ours,
    /// The second: the bill's, which is what is paid.
    #[default]
    Bill,
}

/// How two commitments were found to be the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum MatchedBy {
    /// They have the same identifier.
    Identifier,
    /// They are of the same thing, term and hours, with one account and scope, and no other is: ours goes by a name of its own.
    Likeness,
}

/// A commitment that is in both.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Match {
    /// Our identifier.
    pub ours: String,
    /// The bill's identifier.
    pub bill: String,
    /// How they were matched.
    pub by: MatchedBy,
}

/// A field of a commitment or of its offer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Field {
    /// How many, or how much an hour.
    Quantity,
    /// When it starts.
    Start,
    /// When it ends.
    End,
    /// Who owns it.
    Account,
    /// Where it applies.
    Scope,
    /// What it covers: SKU and pool, or plan, family and rates that both know.
    Benefit,
    /// How long it was bought for.
    Term,
    /// When it is paid.
    PaymentOption,
    /// The upfront price of one unit.
    Upfront,
    /// The price of one unit for an hour.
    Recurring,
    /// What its owner may do with it.
    Rights,
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Quantity => "quantity",
            Self::Start => "start",
            Self::End => "end",
            Self::Account => "account",
            Self::Scope => "scope",
            Self::Benefit => "benefit",
            Self::Term => "term",
            Self::PaymentOption => "payment option",
            Self::Upfront => "upfront",
            Self::Recurring => "recurring",
            Self::Rights => "rights",
        })
    }
}

/// A field in which the two differ.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Difference {
    /// Our identifier of the commitment.
    pub commitment: String,
    /// The field.
    pub field: Field,
    /// Our value.
    pub ours: String,
    /// The bill's value.
    pub bill: String,
}

/// What came of comparing two portfolios.
#[derive(Clone, Debug, PartialEq)]
pub struct Reconciliation {
    /// What is in both, by our identifier.
    pub matched: Vec<Match>,
    /// What only we have, by identifier.
    pub only_ours: Vec<String>,
    /// What only the bill has, by identifier.
    pub only_bill: Vec<String>,
    /// The fields in which what is in both differs, by our identifier.
    pub differences: Vec<Difference>,
    /// Both in one, under the bill's identifiers where there are two: what is in both as preferred, what is in one alone as it is. Our
    /// particulars are kept.
    pub merged: Portfolio,
}

impl Reconciliation {
    /// Whether the two say the same.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        self.only_ours.is_empty() && self.only_bill.is_empty() && self.differences.is_empty()
    }
}

/// Compares our portfolio with the one that the bill shows.
///
/// # Errors
/// As [`Portfolio::offer`] for either, and [`Portfolio::new`] for the merged one.
pub fn reconcile(ours: &Portfolio, bill: &Portfolio, catalog: &Catalog, prefer: Prefer) -> Result<Reconciliation> {
    let (our_holdings, bill_holdings) = (ours.holdings(catalog)?, bill.holdings(catalog)?);
    let matched = matches(&our_holdings, &bill_holdings);
    let of = |holdings: &'_ [Holding<'_>], id: &str| holdings.iter().position(|holding| holding.commitment.id == id);
    let mut differences = Vec::new();
    let mut offers: BTreeMap<String, Offer> = BTreeMap::new();
    let mut commitments = Vec::new();
    let mut particulars = Vec::new();
    let mut add = |holding: &Holding<'_>, id: &str, side: &str| {
        // The two may use one identifier for offers that differ.
        let is_taken = offers.get(&holding.offer.id).is_some_and(|other| other != holding.offer);
        let name = if is_taken { format!("{side}/{}", holding.offer.id) } else { holding.offer.id.clone() };
        offers.insert(name.clone(), Offer { id: name.clone(), ..holding.offer.clone() });
        commitments.push(Commitment { id: id.to_owned(), offer: name, ..holding.commitment.clone() });
    };
    for one in &matched {
        let pair = of(&our_holdings, &one.ours).zip(of(&bill_holdings, &one.bill));
        let Some((our, theirs)) = pair.map(|(our, theirs)| (&our_holdings[our], &bill_holdings[theirs])) else { continue };
        differences.extend(compare(our, theirs));
        match prefer {
            Prefer::Ours => add(our, &one.bill, "ours"),
            Prefer::Bill => add(theirs, &one.bill, "bill"),
        }
        let known = ours.particulars().get(&one.ours).or_else(|| bill.particulars().get(&one.bill));
        particulars.extend(known.map(|known| super::Particulars { commitment: one.bill.clone(), ..known.clone() }));
    }
    let alone = |holdings: &[Holding<'_>], is_matched: &dyn Fn(&str) -> bool| -> Vec<usize> {
        (0..holdings.len()).filter(|index| !is_matched(&holdings[*index].commitment.id)).collect()
    };
    let only_ours = alone(&our_holdings, &|id| matched.iter().any(|one| one.ours == id));
    let only_bill = alone(&bill_holdings, &|id| matched.iter().any(|one| one.bill == id));
    for (holdings, indices, portfolio, side) in
        [(&our_holdings, &only_ours, ours, "ours"), (&bill_holdings, &only_bill, bill, "bill")]
    {
        for index in indices {
            let holding = &holdings[*index];
            add(holding, &holding.commitment.id, side);
            particulars.extend(portfolio.particulars().get(&holding.commitment.id).cloned());
        }
    }
    // Offers that the catalog has as they are need not be brought along.
    offers.retain(|id, offer| catalog.offer(id) != Some(offer));
    let ids = |holdings: &[Holding<'_>], indices: &[usize]| -> Vec<String> {
        indices.iter().map(|index| holdings[*index].commitment.id.clone()).collect()
    };
    Ok(Reconciliation {
        only_ours: ids(&our_holdings, &only_ours),
        only_bill: ids(&bill_holdings, &only_bill),
        matched,
        differences,
        merged: Portfolio::new(offers.into_values().collect(), commitments)?.with_particulars(particulars)?,
    })
}

/// Pairs by identifier, then of the rest those that are alike and alone in being so.
fn matches(ours: &[Holding<'_>], bill: &[Holding<'_>]) -> Vec<Match> {
    let in_bill: BTreeSet<&str> = bill.iter().map(|holding| holding.commitment.id.as_str()).collect();
    let in_ours: BTreeSet<&str> = ours.iter().map(|holding| holding.commitment.id.as_str()).collect();
    let mut matched: Vec<Match> = in_ours
        .intersection(&in_bill)
        .map(|id| Match { ours: (*id).to_owned(), bill: (*id).to_owned(), by: MatchedBy::Identifier })
        .collect();
    let mut alike: BTreeMap<String, (Vec<&str>, Vec<&str>)> = BTreeMap::new();
    for holding in ours.iter().filter(|holding| !in_bill.contains(holding.commitment.id.as_str())) {
        alike.entry(likeness(holding)).or_default().0.push(&holding.commitment.id);
    }
    for holding in bill.iter().filter(|holding| !in_ours.contains(holding.commitment.id.as_str())) {
        alike.entry(likeness(holding)).or_default().1.push(&holding.commitment.id);
    }
    for (ours, bill) in alike.into_values() {
        if let ([ours], [bill]) = (ours.as_slice(), bill.as_slice()) {
            matched.push(Match { ours: (*ours).to_owned(), bill: (*bill).to_owned(), by: MatchedBy::Likeness });
        }
    }
    matched.sort();
    matched
}

/// What makes a commitment this one and no other: what it is of, when it runs to the hour, who owns it and where it applies.
fn likeness(holding: &Holding<'_>) -> String {
    let (held, offer) = (holding.commitment, holding.offer);
    let subject = match &offer.benefit {
        Benefit::Reservation { sku, .. } => sku.clone(),
        Benefit::SpendPlan { plan, family, .. } => format!("{plan} {family}"),
    };
    let (start, end) = (Hour::containing(held.start), Hour::containing(held.end));
    format!("{} {} {subject} {} {start} {end} {} {:?}", offer.provider, offer.region, offer.term, held.account, held.scope)
}

/// The fields in which two commitments differ.
fn compare(ours: &Holding<'_>, bill: &Holding<'_>) -> Vec<Difference> {
    let (a, b) = (ours.commitment, bill.commitment);
    let (x, y) = (ours.offer, bill.offer);
    let benefits = (described(&x.benefit, &y.benefit), described(&y.benefit, &x.benefit));
    let fields = [
        (Field::Quantity, a.quantity.normalize().to_string(), b.quantity.normalize().to_string()),
        (Field::Start, a.start.to_rfc3339(), b.start.to_rfc3339()),
        (Field::End, a.end.to_rfc3339(), b.end.to_rfc3339()),
        (Field::Account, a.account.clone(), b.account.clone()),
        (Field::Scope, format!("{:?}", a.scope), format!("{:?}", b.scope)),
        (Field::Benefit, benefits.0, benefits.1),
        (Field::Term, x.term.to_string(), y.term.to_string()),
        (Field::PaymentOption, x.payment_option.to_string(), y.payment_option.to_string()),
        (Field::Upfront, x.upfront.value().normalize().to_string(), y.upfront.value().normalize().to_string()),
        (Field::Recurring, x.recurring.value().normalize().to_string(), y.recurring.value().normalize().to_string()),
        (Field::Rights, format!("{:?}", x.rights), format!("{:?}", y.rights)),
    ];
    let difference = |(field, ours, bill)| Difference { commitment: a.id.clone(), field, ours, bill };
    fields.into_iter().filter(|(_, ours, bill)| ours != bill).map(difference).collect()
}

/// A benefit in words, with the rates that another knows too: a bill shows the rates of what was used alone.
fn described(benefit: &Benefit, other: &Benefit) -> String {
    match (benefit, other) {
        (Benefit::SpendPlan { plan, family, rates }, Benefit::SpendPlan { rates: known, .. }) => {
            let rate = |(id, rate): (&String, &crate::units::UnitPrice)| format!("{id} {}", rate.value().normalize());
            let shared: Vec<String> = rates.iter().filter(|(id, _)| known.contains_key(*id)).map(rate).collect();
            format!("{plan} {family} {}", shared.join(", ")).trim().to_owned()
        }
        (Benefit::Reservation { sku, pool }, _) => {
            let pool = pool.as_ref().map(|pool| format!(" ({} of {})", pool.units.value().normalize(), pool.pool));
            format!("{sku}{}", pool.unwrap_or_default())
        }
        (Benefit::SpendPlan { plan, family, .. }, _) => format!("{plan} {family}").trim().to_owned(),
    }
}
