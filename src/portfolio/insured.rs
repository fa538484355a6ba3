//! Insured short terms: a long commitment with a put. The buyer pays the rate of the long term plus a premium, is bound for 30 days or a
//! year, and may then hand the rest to the insurer ("Insured commitments", as third parties sell them for all three providers).

use super::action::{Action, Given, Quote, Refusal, Window};
use super::assumptions::{Assumptions, Premium, Put};
use super::holding::Holding;
use super::rights::{self, kind, last_instant};
use super::rule::Rule;
use crate::units::MoneyPerHour;
use chrono::{DateTime, Utc};
use rust_decimal::Decimal;

impl Put {
    /// The premium for an hour of one unit, given what the unit saves in that hour against on demand (below 0 if it loses).
    #[must_use]
    pub fn premium(&self, holding: &Holding<'_>, saved: MoneyPerHour) -> MoneyPerHour {
        match self.premium {
            Premium::ShareOfSavings { share } => saved.max(MoneyPerHour::ZERO) * share,
            Premium::ShareOfPrice { share } => holding.offer.effective_hourly() * share,
        }
    }
}

/// When a commitment can be handed to the insurer.
///
/// # Errors
/// [`Rule::InsuredPut`] for one that is not insured.
pub fn window(holding: &Holding<'_>, assumptions: &Assumptions) -> Result<Window, Refusal> {
    let Some(put) = assumptions.puts.get(&holding.commitment.id) else {
        return Err(kind(Rule::InsuredPut, "it is not insured"));
    };
    rights::require_settled(holding, Rule::Active)?;
    let from = put.binding.end(holding.commitment.start);
    Ok(Window { from, until: last_instant(holding.commitment.end), rule: Rule::InsuredPut })
}

/// What handing it over gives: the agreed share of what is prepaid, and every fee to come falls away.
///
/// # Errors
/// The rule that forbids it.
pub fn quote(holding: &Holding<'_>, at: DateTime<Utc>, assumptions: &Assumptions) -> Result<Quote, Refusal> {
    let window = rights::allowed(holding, Action::PutBack, at, assumptions)?;
    let strike = assumptions.puts.get(&holding.commitment.id).map_or(Decimal::ZERO, |put| put.strike);
    let given = Given { cash: holding.prepaid_left(at) * strike, ..rights::given(holding, at) };
    Ok(rights::without_receipt(Action::PutBack, at, window, given))
}
