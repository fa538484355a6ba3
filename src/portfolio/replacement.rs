//! What takes the place of commitments: the result of a split, a merge, a modification or of any quote that is carried out, and the portfolio
//! after it.

use super::action::{Action, Because, Quote, Refusal};
use super::assumptions::Assumptions;
use super::holding::Holding;
use super::particulars::Particulars;
use super::rights::{self, kind};
use super::rule::Rule;
use super::{Commitment, Portfolio, Scope, gcp};
use crate::catalog::Offer;
use crate::error::Result;
use crate::time::Hour;
use crate::usage::Provider;
use chrono::{DateTime, Utc};
use rust_decimal::Decimal;
use serde::Serialize;

/// What is retired, and what takes its place from an instant on.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Replacement {
    /// The action.
    pub action: Action,
    /// The instant from which it holds.
    pub effective: DateTime<Utc>,
    /// What is given up: commitments by identifier, and how much of each.
    pub retired: Vec<(String, Decimal)>,
    /// Offers of what takes its place that no catalog has.
    pub offers: Vec<Offer>,
    /// What takes its place.
    pub commitments: Vec<Commitment>,
    /// The particulars of what takes its place, where they are not those of a plain purchase.
    pub particulars: Vec<Particulars>,
}

/// Divides a commitment in two: the rest, and a part. No money moves, and both end when the whole did.
///
/// # Errors
/// The rule that forbids it; [`Because::Quantity`] for a part that is not a proper one of the offer's lots.
pub fn split(holding: &Holding<'_>, part: Decimal, at: DateTime<Utc>, assumptions: &Assumptions) -> Result<Replacement, Refusal> {
    rights::allowed(holding, Action::Split, at, assumptions)?;
    let whole = holding.commitment.quantity;
    let lot = holding.offer.lot.unwrap_or_else(|| rights::default_lot(holding.offer.is_spend_plan()));
    let rest = whole - part;
    let is_sold = |quantity: Decimal| quantity >= lot.minimum && (quantity % lot.increment).is_zero();
    if part <= Decimal::ZERO || rest <= Decimal::ZERO || !is_sold(part) || !is_sold(rest) {
        let wanted = format!("{} and more in steps of {}, and as much left of {whole}", lot.minimum, lot.increment);
        return Err(Refusal { rule: Rule::Lot, because: Because::Quantity { quantity: part, wanted } });
    }
    let effective = effective(holding, at);
    let piece = |index: u32, quantity: Decimal| Commitment {
        id: format!("{}/{index}", holding.commitment.id),
        quantity,
        start: start(holding, effective),
        ..holding.commitment.clone()
    };
    Ok(replacement(Action::Split, effective, &[holding], vec![piece(1, rest), piece(2, part)]))
}

/// Puts commitments together under the first one's identifier with `+`. AWS and Azure merge what ends together; Google lets the result end
/// with the latest, which lengthens the obligation of the others.
///
/// # Errors
/// The rule that forbids it.
pub fn merge(holdings: &[&Holding<'_>], at: DateTime<Utc>, assumptions: &Assumptions) -> Result<Replacement, Refusal> {
    let Some(first) = holdings.first() else { return Err(kind(Rule::Active, "there is nothing to merge")) };
    let end = match first.offer.provider {
        Provider::Gcp => gcp::merged_end(holdings, at, assumptions)?,
        Provider::Aws | Provider::Azure => alike(holdings, at, assumptions)?,
    };
    let effective = effective(first, at);
    let merged = Commitment {
        id: format!("{}+", first.commitment.id),
        quantity: holdings.iter().map(|holding| holding.commitment.quantity).sum(),
        start: start(first, effective),
        end,
        ..first.commitment.clone()
    };
    Ok(replacement(Action::Merge, effective, holdings, vec![merged]))
}

/// Whether commitments differ in their quantity alone, and their common end.
fn alike(holdings: &[&Holding<'_>], at: DateTime<Utc>, assumptions: &Assumptions) -> Result<DateTime<Utc>, Refusal> {
    for holding in holdings {
        rights::allowed(holding, Action::Merge, at, assumptions)?;
    }
    let rule = if holdings[0].offer.provider == Provider::Aws { Rule::AwsModifyTogether } else { Rule::AzureSplit };
    for pair in holdings.windows(2) {
        let key = |holding: &Holding<'_>| {
            let held = holding.commitment;
            (held.offer.clone(), Hour::containing(held.end), held.account.clone(), held.scope.clone())
        };
        if key(pair[0]) != key(pair[1]) {
            let name = |holding: &Holding<'_>| format!("{} until {}", holding.commitment.offer, holding.commitment.end);
            let because = Because::Differ { what: "the offer, end, account or scope", left: name(pair[0]), right: name(pair[1]) };
            return Err(Refusal { rule, because });
        }
    }
    if holdings.len() < 2 {
        return Err(kind(rule, "there are not several to merge"));
    }
    Ok(holdings.iter().map(|holding| holding.commitment.end).max().unwrap_or(holdings[0].commitment.end))
}

/// When a split or merge is in force: AWS from the start of the clock hour, Azure at once, Google at 12 AM Pacific of the next day.
fn effective(holding: &Holding<'_>, at: DateTime<Utc>) -> DateTime<Utc> {
    match holding.offer.provider {
        Provider::Aws => Hour::containing(at).start().max(holding.commitment.start),
        Provider::Azure => at,
        Provider::Gcp => gcp::effective(at),
    }
}

/// When the parts start: with Azure when the order did; with the others when the change is in force.
fn start(holding: &Holding<'_>, effective: DateTime<Utc>) -> DateTime<Utc> {
    if holding.offer.provider == Provider::Azure { holding.commitment.start } else { effective }
}

fn replacement(action: Action, effective: DateTime<Utc>, holdings: &[&Holding<'_>], commitments: Vec<Commitment>) -> Replacement {
    let latest = holdings.iter().max_by_key(|holding| holding.bought());
    let particulars = latest.into_iter().flat_map(|holding| {
        commitments.iter().map(|commitment| Particulars {
            commitment: commitment.id.clone(),
            bought: Some(holding.bought()),
            // Google turns auto-renewal off on what a split or merge makes.
            renewal: if holding.offer.provider == Provider::Gcp { None } else { holding.particulars.renewal },
            ..holding.particulars.clone().into_owned()
        })
    });
    Replacement {
        action,
        effective,
        retired: holdings.iter().map(|holding| (holding.commitment.id.clone(), holding.commitment.quantity)).collect(),
        offers: Vec::new(),
        particulars: particulars.collect(),
        commitments,
    }
}

impl Quote {
    /// What these quantities given up and this quantity received make of the portfolio. The new commitment has the first old one's identifier
    /// with `>` and the action, and its account; it applies where the quote says, else at `scope`.
    ///
    /// # Errors
    /// [`Because::Quantity`] and [`Because::Value`] for quantities that the quote does not allow.
    pub fn carry_out(
        &self,
        quantities: &[Decimal],
        count: Decimal,
        account: &str,
        scope: &Scope,
    ) -> std::result::Result<Replacement, Refusal> {
        self.check_quantities(quantities)?;
        self.check_received(quantities, count)?;
        let ids: Vec<&str> = self.given.iter().map(|given| given.commitment.as_str()).collect();
        let commitment = self.received.as_ref().filter(|_| count > Decimal::ZERO).map(|received| Commitment {
            id: format!("{}>{}", ids.first().copied().unwrap_or_default(), self.action.as_str()),
            offer: received.offer.clone(),
            quantity: count,
            start: received.start,
            end: received.end,
            account: account.to_owned(),
            scope: received.scope.clone().unwrap_or_else(|| scope.clone()),
        });
        Ok(Replacement {
            action: self.action,
            effective: self.effective,
            retired: ids.into_iter().map(str::to_owned).zip(quantities.iter().copied()).collect(),
            offers: Vec::new(),
            commitments: commitment.into_iter().collect(),
            particulars: Vec::new(),
        })
    }
}

impl Portfolio {
    /// The portfolio after a replacement: what is given up ends when it takes effect (a part of it under its identifier with `-`), what is not
    /// given up stays.
    ///
    /// # Errors
    /// As [`Portfolio::new`]; [`Problem::Dangling`](crate::Problem::Dangling) for what is not held.
    pub fn replaced(&self, replacement: &Replacement) -> Result<Self> {
        let effective = replacement.effective;
        // The parts of an Azure order have its start: they take its place from there.
        let is_from_the_start = replacement.commitments.iter().any(|made| made.start < effective);
        let mut commitments = Vec::new();
        let mut particulars = self.particulars.clone();
        for (id, _) in &replacement.retired {
            if !self.commitments.iter().any(|commitment| commitment.id == *id) {
                let problem = crate::Problem::Dangling { kind: "commitment", id: id.clone() };
                return Err(crate::Error::from(problem).in_item(id.clone()));
            }
        }
        for commitment in &self.commitments {
            let given = replacement.retired.iter().find(|(id, _)| *id == commitment.id);
            let quantity = given.map_or(Decimal::ZERO, |(_, quantity)| (*quantity).min(commitment.quantity));
            let rest = commitment.quantity - quantity;
            let served = (effective > commitment.start && quantity > Decimal::ZERO && !is_from_the_start).then(|| Commitment {
                quantity,
                end: effective.min(commitment.end),
                ..commitment.clone()
            });
            match (rest > Decimal::ZERO, served) {
                (true, served) => {
                    commitments.push(Commitment { quantity: rest, ..commitment.clone() });
                    commitments.extend(served.map(|served| Commitment { id: format!("{}-", served.id), ..served }));
                }
                (false, Some(served)) => commitments.push(served),
                (false, None) => drop(particulars.remove(&commitment.id)),
            }
        }
        commitments.extend(replacement.commitments.iter().cloned());
        let known: std::collections::BTreeSet<&str> = self.offers.iter().map(|offer| offer.id.as_str()).collect();
        let new = replacement.offers.iter().filter(|offer| !known.contains(offer.id.as_str()));
        let mut offers: Vec<Offer> = self.offers.iter().chain(new).cloned().collect();
        offers.sort_by(|a, b| a.id.cmp(&b.id));
        offers.dedup();
        Self::new(offers, commitments)?.with_particulars(particulars.into_values().chain(replacement.particulars.iter().cloned()))
    }
}
