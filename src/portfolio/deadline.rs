//! Last days: until when each commitment can be returned, exchanged, refunded, sold, traded in or kept from renewing, and what of that falls
//! in the next days.

use super::action::Action;
use super::assumptions::Assumptions;
use super::holding::{Holding, State};
use super::particulars::Renewal;
use super::rights;
use super::rule::Rule;
use super::{Portfolio, azure, state};
use crate::catalog::Catalog;
use crate::catalog::azure::products;
use crate::error::Result;
use crate::units::{Money, MoneyPerHour};
use crate::usage::Provider;
use chrono::{DateTime, Duration, NaiveTime, Utc};
use serde::Serialize;

/// What a deadline is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum DeadlineKind {
    /// The last instant at which something can be done.
    LastChance {
        /// What.
        action: Action,
    },
    /// It renews unless that is stopped before.
    Renewal,
    /// It ends.
    Expiry,
    /// The last instant before the exchange policy changes: until then any number of exchanges, after it one.
    ExchangePolicy,
}

/// A last instant for a commitment, and what is at stake.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Deadline {
    /// The last instant.
    pub last: DateTime<Utc>,
    /// The commitment.
    pub commitment: String,
    /// What it is of.
    pub kind: DeadlineKind,
    /// From when on it is possible, where that is to come.
    pub opens: Option<DateTime<Utc>>,
    /// The rule that sets it.
    pub rule: Rule,
    /// What the commitment costs an hour.
    pub per_hour: MoneyPerHour,
    /// What of it is prepaid at the instant asked for.
    pub prepaid: Money,
    /// What of it will still be charged then.
    pub obligation: Money,
}

/// A deadline that falls in the next days.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Alert {
    /// In the next how many days it falls: the least of those asked for.
    pub within_days: u32,
    /// Whole days left.
    pub days_left: i64,
    /// The deadline.
    pub deadline: Deadline,
}

/// The spans of days in which alerts are usually given.
pub const ALERT_DAYS: [u32; 3] = [30, 60, 90];

/// What gives up a commitment or keeps it from renewing, and has a last day.
const ACTIONS: [Action; 9] = [
    Action::Return,
    Action::CancelQueued,
    Action::Exchange,
    Action::TradeIn,
    Action::Sell,
    Action::Refund,
    Action::Upgrade,
    Action::Extend,
    Action::PutBack,
];

/// Every deadline that is not over at an instant, the earliest first.
///
/// # Errors
/// As [`Portfolio::offer`].
pub fn deadlines(
    portfolio: &Portfolio,
    catalog: &Catalog,
    at: DateTime<Utc>,
    assumptions: &Assumptions,
) -> Result<Vec<Deadline>> {
    let mut deadlines = Vec::new();
    for holding in portfolio.holdings(catalog)? {
        deadlines.extend(of_holding(&holding, at, assumptions));
    }
    deadlines.sort_by(|a, b| (a.last, &a.commitment, a.kind).cmp(&(b.last, &b.commitment, b.kind)));
    Ok(deadlines)
}

fn of_holding(holding: &Holding<'_>, at: DateTime<Utc>, assumptions: &Assumptions) -> Vec<Deadline> {
    if !state::is_held(holding, at) {
        return Vec::new();
    }
    let quantity = holding.commitment.quantity;
    let is_queued = holding.state(at) == State::Queued;
    let due = if is_queued { holding.offer.upfront } else { Money::ZERO };
    let deadline = |kind: DeadlineKind, last: DateTime<Utc>, rule: Rule| Deadline {
        last,
        commitment: holding.commitment.id.clone(),
        kind,
        opens: None,
        rule,
        per_hour: holding.offer.effective_hourly() * quantity,
        prepaid: if is_queued { Money::ZERO } else { holding.prepaid_left(at) * quantity },
        obligation: (holding.obligation(at) + due) * quantity,
    };
    let mut deadlines = vec![deadline(DeadlineKind::Expiry, holding.commitment.end, Rule::End)];
    for action in ACTIONS {
        if let Ok(window) = rights::window(holding, action, assumptions) {
            // A right that opens after it closes never comes.
            if window.from <= window.until && window.until >= at {
                let opens = (window.from > at).then_some(window.from);
                let kind = DeadlineKind::LastChance { action };
                deadlines.push(Deadline { opens, ..deadline(kind, window.until, window.rule) });
            }
        }
    }
    let renewal = rights::window(holding, Action::StopRenewal, assumptions);
    if let Some(window) = renewal.ok().filter(|_| holding.renewal() == Renewal::Automatic) {
        deadlines.push(deadline(DeadlineKind::Renewal, window.until, window.rule));
    }
    let change = assumptions.azure.exchange_policy_change.and_time(NaiveTime::MIN).and_utc();
    let is_free = holding.offer.provider == Provider::Azure
        && products::has_plan(&holding.offer.service)
        && at < change
        && change < holding.commitment.end
        && azure::window(holding, Action::Exchange, assumptions).is_ok();
    if is_free {
        deadlines.push(deadline(DeadlineKind::ExchangePolicy, rights::last_instant(change), Rule::AzureExchangePolicy));
    }
    deadlines
}

/// The deadlines of the next days, the earliest first, each with the least of the spans that it falls in.
///
/// # Errors
/// As [`Portfolio::offer`].
pub fn alerts(
    portfolio: &Portfolio,
    catalog: &Catalog,
    at: DateTime<Utc>,
    assumptions: &Assumptions,
    spans: &[u32],
) -> Result<Vec<Alert>> {
    let all = deadlines(portfolio, catalog, at, assumptions)?;
    let alert = |deadline: Deadline| {
        let left = deadline.last - at;
        let within_days = spans.iter().copied().filter(|days| left <= Duration::days(i64::from(*days))).min()?;
        Some(Alert { within_days, days_left: left.num_days(), deadline })
    };
    Ok(all.into_iter().filter_map(alert).collect())
}
