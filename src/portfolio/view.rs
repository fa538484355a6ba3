//! A portfolio at an instant as one document, for reports and other languages: state, ladder, obligations, lock-in, deadlines and alerts.

use super::action::Permission;
use super::assumptions::Assumptions;
use super::deadline::{self, Alert, Deadline};
use super::ledger::Ledger;
use super::rights;
use super::state::{self, LockIn, MonthObligation, Position, Rung};
use super::{Portfolio, State};
use crate::catalog::Catalog;
use crate::error::Result;
use crate::units::{Money, MoneyPerHour};
use chrono::{DateTime, Utc};
use rust_decimal::Decimal;
use serde::Serialize;

/// One commitment in a view.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Line {
    /// Its identifier.
    pub commitment: String,
    /// What it was bought by.
    pub offer: String,
    /// Its family, or the type of plan.
    pub family: String,
    /// Where it stands.
    pub state: State,
    /// How many reservations, or how much money an hour.
    #[serde(with = "rust_decimal::serde::str")]
    pub quantity: Decimal,
    /// When it starts.
    pub start: DateTime<Utc>,
    /// When it ends.
    pub end: DateTime<Utc>,
    /// What it costs an hour, upfront spread over the term.
    pub per_hour: MoneyPerHour,
    /// What of it is prepaid; of an expired one nothing.
    pub prepaid: Money,
    /// What of it will still be charged every hour or month.
    pub obligation: Money,
}

/// A portfolio at an instant. Money is in the catalog's currency, as decimal strings; instants are RFC 3339, UTC.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct View {
    /// The instant.
    pub at: DateTime<Utc>,
    /// The currency.
    pub currency: String,
    /// Every commitment, by identifier.
    pub lines: Vec<Line>,
    /// What is held by provider, family, scope and state.
    pub positions: Vec<Position>,
    /// What expires in which month.
    pub ladder: Vec<Rung>,
    /// What will still be charged and is prepaid, by month.
    pub obligations: Vec<MonthObligation>,
    /// How locked in that is.
    pub lock_in: LockIn,
    /// Last days, the earliest first.
    pub deadlines: Vec<Deadline>,
    /// The deadlines of the next 30, 60 and 90 days.
    pub alerts: Vec<Alert>,
    /// What can be done with each commitment at the instant, and why not.
    pub permissions: Vec<Permission>,
}

impl Portfolio {
    /// Everything this room knows of the portfolio at an instant.
    ///
    /// # Errors
    /// As [`Portfolio::offer`].
    pub fn view(&self, catalog: &Catalog, at: DateTime<Utc>, assumptions: &Assumptions, ledger: &Ledger) -> Result<View> {
        let holdings = self.holdings(catalog)?;
        let line = |holding: &super::Holding<'_>| {
            let quantity = holding.commitment.quantity;
            let is_held = state::is_held(holding, at);
            let amount = |each: Money| if is_held { each * quantity } else { Money::ZERO };
            Line {
                commitment: holding.commitment.id.clone(),
                offer: holding.offer.id.clone(),
                family: state::family(holding, catalog),
                state: holding.state(at),
                quantity,
                start: holding.commitment.start,
                end: holding.commitment.end,
                per_hour: holding.offer.effective_hourly() * quantity,
                prepaid: amount(holding.prepaid_left(at)),
                obligation: amount(holding.obligation(at)),
            }
        };
        Ok(View {
            at,
            currency: catalog.currency().to_owned(),
            lines: holdings.iter().map(line).collect(),
            positions: state::positions(&holdings, catalog, at),
            ladder: state::ladder(&holdings, at),
            obligations: state::obligations(&holdings, at),
            lock_in: state::lock_in(&holdings, at),
            deadlines: deadline::deadlines(self, catalog, at, assumptions)?,
            alerts: deadline::alerts(self, catalog, at, assumptions, &deadline::ALERT_DAYS)?,
            permissions: rights::permissions(self, catalog, at, assumptions, ledger)?,
        })
    }
}
