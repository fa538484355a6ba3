//! What to buy, and what to do with what is held: the decisions that make the expected bill smallest under a policy, with a proven lower bound.
//!
//! [`Planner`] gathers the inputs and builds a [`Problem`]: which offers are candidates, what each covers, what it costs. Solving it gives
//! a [`Plan`]. The way there (`docs/formulation.md` has every formula):
//! 1. the hourly recourse (`planning/recourse.rs`): for given purchases, the cheapest way to serve every hour, and prices that prove it;
//! 2. the master problem (`planning/master.rs`): a mixed-integer program over the purchases alone, built with good_lp and solved by HiGHS,
//!    with cuts that the recourse's prices give; its bound is the plan's lower bound;
//! 3. the judge ([`crate::billing`]) prices the purchases as the invoice will be made; the gap is between that and the bound.
//!
//! What is held is decided on too, where the providers' rules allow it ([`Planner::rights`], [`Planner::changes`]): exchanges, sales, returns
//! and the rest stand beside purchases in the same master problem. [`Plan::actions`] tells what to do, [`Plan::orders`] how.
//!
//! Without purchase dates the usage is read as a steady state: what is bought runs through all of it, renewed if the term is shorter. With
//! dates each purchase serves from its date to the end of its term.
//!
//! What of the usage runs on spot is decided beside the purchases by `Planner::solve_with_spot` (`planning/spot.rs`).

mod action;
pub mod agreement;
pub mod baseline;
mod build;
#[cfg(feature = "highs")]
pub mod calendar;
#[cfg(feature = "highs")]
mod capacity;
#[cfg(feature = "highs")]
mod certificate;
#[cfg(feature = "highs")]
mod clash;
#[cfg_attr(not(feature = "highs"), allow(dead_code, reason = "solving alone uses all of it"))]
mod column;
#[cfg(feature = "highs")]
mod curves;
#[cfg(feature = "highs")]
mod dual;
mod export;
mod extensive;
#[cfg(feature = "highs")]
pub mod flexibility;
#[cfg_attr(not(feature = "highs"), allow(dead_code, reason = "solving alone uses all of it"))]
mod hour;
mod inputs;
#[cfg(feature = "highs")]
mod judged;
#[cfg(feature = "highs")]
mod master;
mod mps;
mod objective;
#[cfg(feature = "highs")]
pub mod orders;
#[cfg_attr(not(feature = "highs"), allow(dead_code, reason = "solving alone uses all of it"))]
mod path;
#[cfg(feature = "highs")]
mod plan;
mod policy;
mod problem;
#[cfg_attr(not(feature = "highs"), allow(dead_code, reason = "solving alone uses all of it"))]
mod recourse;
#[cfg(feature = "highs")]
mod repriced;
mod rights;
#[cfg_attr(not(feature = "highs"), allow(dead_code, reason = "solving alone uses all of it"))]
mod rows;
#[cfg(feature = "highs")]
mod rule;
#[cfg(feature = "highs")]
mod solve;
#[cfg_attr(not(feature = "highs"), allow(dead_code, reason = "solving alone uses all of it"))]
mod spot;
#[cfg(feature = "highs")]
mod swept;
mod timing;
#[cfg(feature = "highs")]
pub mod triage;

#[cfg(all(test, feature = "highs"))]
mod tests;

#[cfg(feature = "highs")]
pub use action::taken::PlannedAction;
pub use action::{Change, Given, Limit, Received};
#[cfg(feature = "highs")]
pub use certificate::{Certificate, Reason};
#[cfg(feature = "highs")]
pub use clash::{Clash, Clashing};
#[cfg(feature = "highs")]
pub use curves::Sensitivity;
pub use extensive::Extensive;
pub use objective::{Objective, tail};
#[cfg(feature = "highs")]
pub use plan::{Plan, Purchase};
pub use policy::{Migration, PaymentOptions, Policy, Selection, ShareRule};
pub use problem::{Candidate, Evaluation, Problem};
#[cfg(feature = "highs")]
pub use repriced::Repriced;
pub use rights::Rights;
#[cfg(feature = "highs")]
pub use rule::Planned;
#[cfg(feature = "highs")]
pub use solve::{Callback, Options, Progress, Solution, Status};
pub use spot::SpotOption;
#[cfg(feature = "highs")]
pub use spot::{SpotLine, SpotPlan};
pub use timing::Remainder;

use crate::billing::Rules;
use crate::catalog::Catalog;
use crate::error::Result;
use crate::portfolio::Portfolio;
use crate::scenario::Scenarios;
use crate::units::Units;
use crate::usage::UsageCurves;
use chrono::{DateTime, Utc};
use problem::{Parts, Scenario};
use std::collections::BTreeMap;
use timing::{Renewal, Timing};

/// Gathers usage, portfolio and policy; builds the problem, or solves it at once.
///
/// ```no_run
/// # fn main() -> covermix::Result<()> {
/// use covermix::{catalog::Catalog, planning::Planner, usage::UsageCurves};
///
/// let usage = UsageCurves::read("usage.csv.gz")?;
/// let catalog = Catalog::read("catalog.json")?;
/// let problem = Planner::new(&catalog).usage(&usage).build()?;
/// println!("{} candidates", problem.candidates().len());
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Planner<'a> {
    parts: Parts<'a>,
}

impl<'a> Planner<'a> {
    /// A planner that may buy what the catalog offers.
    #[must_use]
    pub fn new(catalog: &'a Catalog) -> Self {
        let parts = Parts {
            catalog,
            scenarios: Vec::new(),
            portfolio: Portfolio::default(),
            policy: Policy::default(),
            rules: Rules::default(),
            objective: Objective::default(),
            timing: Timing::default(),
            interruptible: spot::Interruptible::default(),
            own_plan: None,
            changes: Vec::new(),
            limits: Vec::new(),
            rights: None,
            agreement: None,
        };
        Self { parts }
    }

    /// Plans for this usage alone.
    #[must_use]
    pub fn usage(mut self, usage: &'a UsageCurves) -> Self {
        self.parts.scenarios = vec![Scenario { name: "usage".to_owned(), probability: 1.0, usage, prices: &[] }];
        self
    }

    /// Plans for this usage too, with a probability. All scenarios have the same hours and lines; their probabilities add up to 1.
    #[must_use]
    pub fn scenario(mut self, name: impl Into<String>, probability: f64, usage: &'a UsageCurves) -> Self {
        self.parts.scenarios.push(Scenario { name: name.into(), probability, usage, prices: &[] });
        self
    }

    /// Plans for these scenarios, with their probabilities. The plan is made at the catalog's prices; `Problem::repriced` bills it at those of
    /// the scenarios. To plan at other prices, give the planner their catalog ([`crate::scenario::transform::PriceChange::catalog_at`]).
    #[must_use]
    pub fn scenarios(mut self, scenarios: &'a Scenarios) -> Self {
        let of = |one: &'a crate::scenario::Scenario| Scenario {
            name: one.name.clone(),
            probability: one.probability,
            usage: &one.usage,
            prices: &one.prices,
        };
        self.parts.scenarios = scenarios.as_slice().iter().map(of).collect();
        self
    }

    /// What is to be minimised; expected cost if not said.
    #[must_use]
    pub fn objective(mut self, objective: Objective) -> Self {
        self.parts.objective = objective;
        self
    }

    /// Discounts at this effective rate a year (0.08 is 8 %): the buyer's cost of capital. Without it upfront payments cost no more than later
    /// ones.
    #[must_use]
    pub fn discount_rate(mut self, rate: f64) -> Self {
        self.parts.timing.discount_rate = rate;
        self
    }

    /// Purchases can be made on these dates, within the hours of the usage, each for its term from its date. Without dates the usage is a steady
    /// state.
    #[must_use]
    pub fn purchase_dates(mut self, dates: impl IntoIterator<Item = DateTime<Utc>>) -> Self {
        self.parts.timing.dates = dates.into_iter().collect();
        self.parts.timing.dates.sort();
        self.parts.timing.dates.dedup();
        self
    }

    /// What a commitment that ends after the usage is worth at the usage's end; matters with purchase dates.
    #[must_use]
    pub fn remainder(mut self, remainder: Remainder) -> Self {
        self.parts.timing.remainder = remainder;
        self
    }

    /// Compares with what the buyer would buy: quantities by offer.
    #[must_use]
    pub fn own_plan(mut self, quantities: BTreeMap<String, Units>) -> Self {
        self.parts.own_plan = Some(quantities);
        self
    }

    /// Respects what is already held.
    #[must_use]
    pub fn owning(mut self, portfolio: &Portfolio) -> Self {
        self.parts.portfolio = portfolio.clone();
        self
    }

    /// May do with what is held what the providers' rules allow.
    #[must_use]
    pub fn rights(mut self, rights: Rights) -> Self {
        self.parts.rights = Some(rights);
        self
    }

    /// With purchase dates: what is held may also be bought again on the day it ends, as it was, if the catalog still has it.
    #[must_use]
    pub fn renewing(mut self) -> Self {
        self.parts.timing.renewal = Renewal::AtExpiry;
        self
    }

    /// May do these things with what is held, within these limits: what the buyer knows of beside [`Planner::rights`].
    #[must_use]
    pub fn changes(mut self, changes: impl IntoIterator<Item = Change>, limits: impl IntoIterator<Item = Limit>) -> Self {
        self.parts.changes.extend(changes);
        self.parts.limits.extend(limits);
        self
    }

    /// Under this policy.
    #[must_use]
    pub fn policy(mut self, policy: Policy) -> Self {
        self.parts.policy = policy;
        self
    }

    /// With these switches of the providers' rules.
    #[must_use]
    pub fn rules(mut self, rules: Rules) -> Self {
        self.parts.rules = rules;
        self
    }

    /// The problem, to look at or to solve.
    ///
    /// # Errors
    /// [`crate::Problem::Empty`] without usage, those of [`crate::billing::Judge::new`] (unknown SKUs above all); a policy, objective, rate or
    /// date out of range, scenarios that do not have the same hours and lines or whose probabilities do not add up to 1.
    pub fn build(self) -> Result<Problem<'a>> {
        Problem::new(self.parts)
    }

    /// Builds the problem and solves it with the default options.
    ///
    /// # Errors
    /// Those of [`Planner::build`] and [`Problem::solve`].
    #[cfg(feature = "highs")]
    pub fn solve(self) -> Result<Plan> {
        self.build()?.solve(&Options::default())
    }
}
