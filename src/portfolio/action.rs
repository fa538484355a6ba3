//! What can be done with a commitment that is held, as data: the [`Action`]s, the [`Window`] of time in which one is allowed, the
//! [`Refusal`] that names the rule where it is not, and the [`Quote`]: what it gives and costs, linear in the quantity given up.
//!
//! A quote is made so that an optimiser can take it as it is. Let `x_i` be the quantity given up of commitment i and `n` the quantity
//! received of the offer: `x_i` and `n` come in lots, every [`Test`] is a row `received n ≥ Σ given_i x_i` (or `=`), every [`LimitUse`] a
//! row over several quotes, and the cash is `Σ cash_i x_i − upfront n`. Formulas: `docs/portfolio.md`.

use super::Scope;
use super::ledger::Limit;
use super::particulars::Status;
use super::rule::Rule;
use crate::catalog::Lot;
use crate::units::{Money, MoneyPerHour};
use chrono::{DateTime, Utc};
use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::fmt;

/// Something that the owner of a commitment can do with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// Change its sizes or scope at the same footprint (AWS Reserved Instances).
    Modify,
    /// Change where it applies (Azure).
    ChangeScope,
    /// Divide it in two (Azure, Google; AWS as a modification).
    Split,
    /// Put several together (Azure, Google; AWS as a modification).
    Merge,
    /// Give it up for another offer of the same kind (AWS convertible Reserved Instances, Azure reservations).
    Exchange,
    /// Swap it for the same size with or without premium storage, in the same term (Azure).
    SwapStorage,
    /// Give it up for a spend plan (Azure).
    TradeIn,
    /// Sell it to another customer (AWS standard Reserved Instances).
    Sell,
    /// Return it soon after the purchase (AWS Savings Plans).
    Return,
    /// Cancel it for the rest of its price (Azure reservations).
    Refund,
    /// Turn one year into three (Google).
    Upgrade,
    /// Move its end to a later day (Google).
    Extend,
    /// State its amount in discounted money instead of on-demand money (Google spend-based commitments).
    ConvertModel,
    /// Call off a purchase before it starts.
    CancelQueued,
    /// Let it be bought anew at its end: set auto-renewal, or queue the purchase where the provider has none.
    Renew,
    /// Make sure that it is not bought anew at its end.
    StopRenewal,
    /// Let it end.
    Lapse,
    /// Hand it to the insurer that sold a put on it.
    PutBack,
}

impl Action {
    /// Every action, in order.
    pub const ALL: [Self; 18] = [
        Self::Modify,
        Self::ChangeScope,
        Self::Split,
        Self::Merge,
        Self::Exchange,
        Self::SwapStorage,
        Self::TradeIn,
        Self::Sell,
        Self::Return,
        Self::Refund,
        Self::Upgrade,
        Self::Extend,
        Self::ConvertModel,
        Self::CancelQueued,
        Self::Renew,
        Self::StopRenewal,
        Self::Lapse,
        Self::PutBack,
    ];

    /// As in files: `trade_in`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Modify => "modify",
            Self::ChangeScope => "change_scope",
            Self::Split => "split",
            Self::Merge => "merge",
            Self::Exchange => "exchange",
            Self::SwapStorage => "swap_storage",
            Self::TradeIn => "trade_in",
            Self::Sell => "sell",
            Self::Return => "return",
            Self::Refund => "refund",
            Self::Upgrade => "upgrade",
            Self::Extend => "extend",
            Self::ConvertModel => "convert_model",
            Self::CancelQueued => "cancel_queued",
            Self::Renew => "renew",
            Self::StopRenewal => "stop_renewal",
            Self::Lapse => "lapse",
            Self::PutBack => "put_back",
        }
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.as_str().replace('_', " "))
    }
}

/// Why an action is refused: the rule, and by what it is broken.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, thiserror::Error)]
#[error("{because} ({rule})")]
pub struct Refusal {
    /// The rule.
    pub rule: Rule,
    /// What breaks it.
    pub because: Because,
}

/// By what a rule is broken.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, thiserror::Error)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Because {
    /// This kind of commitment never allows it.
    #[error("{what}")]
    Kind {
        /// What it is, and what it would have to be.
        what: String,
    },
    /// The provider is doing something else with it.
    #[error("its status is {status:?}")]
    Status {
        /// What.
        status: Status,
    },
    /// It is too early.
    #[error("not allowed before {from}")]
    Before {
        /// The first instant at which it is allowed.
        from: DateTime<Utc>,
    },
    /// It is too late.
    #[error("not allowed after {until}")]
    After {
        /// The last instant at which it was allowed.
        until: DateTime<Utc>,
    },
    /// A limit over several actions would be exceeded.
    #[error("{asked} asked of {limit:?}, and {left} is left")]
    Limit {
        /// The limit.
        limit: Limit,
        /// How much of it the action needs.
        #[serde(with = "rust_decimal::serde::str")]
        asked: Decimal,
        /// How much of it is left at that time.
        #[serde(with = "rust_decimal::serde::str")]
        left: Decimal,
    },
    /// What is received is worth less than it must be.
    #[error("{received} is received, and it must be {relation} {required}")]
    Value {
        /// How the two must compare.
        relation: Relation,
        /// What would have to be received.
        #[serde(with = "rust_decimal::serde::str")]
        required: Decimal,
        /// What is received.
        #[serde(with = "rust_decimal::serde::str")]
        received: Decimal,
    },
    /// A quantity that the action does not take.
    #[error("the quantity is {quantity}; {wanted}")]
    Quantity {
        /// The quantity asked for.
        #[serde(with = "rust_decimal::serde::str")]
        quantity: Decimal,
        /// Which are taken.
        wanted: String,
    },
    /// Things that must be alike differ.
    #[error("{what}: {left}, and {right}")]
    Differ {
        /// In what.
        what: &'static str,
        /// The first.
        left: String,
        /// The other.
        right: String,
    },
}

/// From when until when an action is allowed; both ends belong to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Window {
    /// The first instant.
    pub from: DateTime<Utc>,
    /// The last instant: the deadline.
    pub until: DateTime<Utc>,
    /// The rule that sets the deadline.
    pub rule: Rule,
}

impl Window {
    /// Whether an instant lies in it.
    ///
    /// # Errors
    /// [`Because::Before`] or [`Because::After`].
    pub fn check(&self, at: DateTime<Utc>) -> Result<(), Refusal> {
        let because = if at < self.from {
            Because::Before { from: self.from }
        } else if at > self.until {
            Because::After { until: self.until }
        } else {
            return Ok(());
        };
        Err(Refusal { rule: self.rule, because })
    }
}

/// Whether an action is allowed at an instant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Permission {
    /// The commitment.
    pub commitment: String,
    /// The action.
    pub action: Action,
    /// Until when it is allowed, or why it is not.
    pub verdict: Verdict,
}

/// The answer to the question whether something is allowed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Verdict {
    /// It is, in this window.
    Allowed(Window),
    /// It is not.
    Refused(Refusal),
}

/// What an action gives and costs, linear in the quantity given up.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Quote {
    /// The action.
    pub action: Action,
    /// The instant at which it is asked for.
    pub at: DateTime<Utc>,
    /// The instant from which what is given up serves no more and what is received does. Its clock hour is served by what is received.
    pub effective: DateTime<Utc>,
    /// The last instant at which this can be asked for.
    pub deadline: DateTime<Utc>,
    /// What is given up: one commitment, or several that are merged.
    pub given: Vec<Given>,
    /// What is received in return, if anything.
    pub received: Option<Received>,
    /// How likely it is to come about once it is asked for: 1, or the sell-through of a sale.
    pub probability: f64,
}

/// What is given up of one commitment; amounts for each unit of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Given {
    /// The commitment's identifier.
    pub commitment: String,
    /// The most that can be given up: all that is held of it.
    #[serde(with = "rust_decimal::serde::str")]
    pub held: Decimal,
    /// In which quantities.
    pub lot: Lot,
    /// Money to the owner; below 0 if the owner pays.
    pub cash: Money,
    /// The fee of every hour that falls away.
    pub recurring: MoneyPerHour,
    /// All that falls away of what was still to be charged.
    pub obligation: Money,
    /// The part of the upfront payment that was for the time to come.
    pub prepaid: Money,
    /// What it takes of limits over several actions.
    pub limits: Vec<LimitUse>,
}

/// What one action takes of a limit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LimitUse {
    /// The limit.
    pub limit: Limit,
    /// Whose: see [`Use::owner`](super::ledger::Use::owner).
    pub owner: String,
    /// How much for each unit given up.
    #[serde(with = "rust_decimal::serde::str")]
    pub for_each_unit: Decimal,
    /// How much for doing it at all.
    #[serde(with = "rust_decimal::serde::str")]
    pub for_each_action: Decimal,
}

/// What is received; amounts for each unit of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Received {
    /// The offer's identifier.
    pub offer: String,
    /// Due at once.
    pub upfront: Money,
    /// Due for every hour of the term, used or not.
    pub recurring: MoneyPerHour,
    /// All that will be charged after the upfront payment.
    pub obligation: Money,
    /// When it starts.
    pub start: DateTime<Utc>,
    /// When it ends.
    pub end: DateTime<Utc>,
    /// Where it applies; `None` where the buyer chooses.
    pub scope: Option<Scope>,
    /// In which quantities.
    pub lot: Lot,
    /// What the quantity must satisfy. Where the provider raises it by itself, it takes the least that does.
    pub tests: Vec<Test>,
}

/// A condition on the quantity received: `received × n` against `Σ given_i × x_i`, in the order of [`Quote::given`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Test {
    /// The rule that asks for it.
    pub rule: Rule,
    /// How the two must compare.
    pub relation: Relation,
    /// What each unit given up counts.
    pub given: Vec<Decimal>,
    /// What each unit received counts.
    #[serde(with = "rust_decimal::serde::str")]
    pub received: Decimal,
}

/// How what is received must compare with what is given up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Relation {
    /// No less.
    AtLeast,
    /// The same.
    Equal,
}

impl fmt::Display for Relation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::AtLeast => "at least",
            Self::Equal => "equal to",
        })
    }
}

impl Quote {
    /// The least quantity of the offer that may be received for these quantities given up (in the order of [`Quote::given`]): the least
    /// multiple of its lot that satisfies every test. 0 if nothing is received.
    ///
    /// # Errors
    /// [`Because::Quantity`] for a quantity that is not held or not of its lot, [`Because::Value`] if no quantity satisfies the tests:
    /// one counts nothing for what is received, or an equality falls between two lots.
    pub fn least_received(&self, quantities: &[Decimal]) -> Result<Decimal, Refusal> {
        self.check_quantities(quantities)?;
        let Some(received) = &self.received else { return Ok(Decimal::ZERO) };
        let mut least = received.lot.minimum;
        for test in &received.tests {
            let required = test.required(quantities);
            if test.received <= Decimal::ZERO {
                if required > Decimal::ZERO {
                    return Err(test.refusal(required, Decimal::ZERO));
                }
                continue;
            }
            if received.lot.increment.is_zero() {
                least = least.max(required / test.received);
                continue;
            }
            // By the product, not the quotient: a division may be rounded just above or below a whole number.
            let mut lots = (required / test.received / received.lot.increment).floor();
            while exact(lots * received.lot.increment * test.received) < required {
                lots += Decimal::ONE;
            }
            least = least.max(lots * received.lot.increment);
        }
        self.check_received(quantities, least)?;
        Ok(least)
    }

    /// Whether a quantity may be received for these quantities given up.
    ///
    /// # Errors
    /// [`Because::Quantity`], [`Because::Value`].
    pub fn check_received(&self, quantities: &[Decimal], count: Decimal) -> Result<(), Refusal> {
        let Some(received) = &self.received else { return Ok(()) };
        if !is_of_lot(&received.lot, count) {
            let wanted = format!("{} and more in steps of {}", received.lot.minimum, received.lot.increment);
            return Err(Refusal { rule: Rule::Lot, because: Because::Quantity { quantity: count, wanted } });
        }
        for test in &received.tests {
            let (required, offered) = (test.required(quantities), exact(test.received * count));
            let is_met = match test.relation {
                Relation::AtLeast => offered >= required,
                Relation::Equal => offered == required,
            };
            if !is_met {
                return Err(test.refusal(required, offered));
            }
        }
        Ok(())
    }

    /// Money to the owner (below 0: from the owner) at once, for these quantities given up and a quantity received.
    #[must_use]
    pub fn cash(&self, quantities: &[Decimal], count: Decimal) -> Money {
        let upfront = self.received.as_ref().map_or(Money::ZERO, |received| received.upfront * count);
        self.sum(quantities, |given| given.cash) - upfront
    }

    /// How much less will be charged later (below 0: more).
    #[must_use]
    pub fn obligation_released(&self, quantities: &[Decimal], count: Decimal) -> Money {
        let taken_on = self.received.as_ref().map_or(Money::ZERO, |received| received.obligation * count);
        self.sum(quantities, |given| given.obligation) - taken_on
    }

    /// Whether these quantities are held and of their lots.
    ///
    /// # Errors
    /// [`Because::Quantity`].
    pub fn check_quantities(&self, quantities: &[Decimal]) -> Result<(), Refusal> {
        for (given, quantity) in self.given.iter().zip(quantities) {
            if *quantity > given.held || !is_of_lot(&given.lot, *quantity) {
                let Lot { minimum, increment } = given.lot;
                let wanted = format!("{minimum} to {} in steps of {increment} of {}", given.held, given.commitment);
                return Err(Refusal { rule: Rule::Lot, because: Because::Quantity { quantity: *quantity, wanted } });
            }
        }
        if quantities.len() == self.given.len() {
            return Ok(());
        }
        let wanted = format!("one quantity for each of {} commitments", self.given.len());
        Err(Refusal { rule: Rule::Lot, because: Because::Quantity { quantity: Decimal::from(quantities.len()), wanted } })
    }

    fn sum(&self, quantities: &[Decimal], amount: impl Fn(&Given) -> Money) -> Money {
        self.given.iter().zip(quantities).map(|(given, quantity)| amount(given) * *quantity).sum()
    }
}

impl Test {
    /// What the received side must reach for these quantities given up.
    #[must_use]
    pub fn required(&self, quantities: &[Decimal]) -> Decimal {
        exact(self.given.iter().zip(quantities).map(|(given, quantity)| given * quantity).sum())
    }

    fn refusal(&self, required: Decimal, received: Decimal) -> Refusal {
        Refusal { rule: self.rule, because: Because::Value { relation: self.relation, required, received } }
    }
}

/// Without what divisions left in the last of 28 digits: a price of 100 a month is 100 again when its hours are put together.
fn exact(value: Decimal) -> Decimal {
    value.round_dp(12)
}

/// Whether a quantity is the minimum of a lot or more, in its steps.
fn is_of_lot(lot: &Lot, quantity: Decimal) -> bool {
    quantity >= lot.minimum && (lot.increment.is_zero() || (quantity % lot.increment).is_zero() || quantity == lot.minimum)
}
