//! What to buy: the purchases that make the expected bill smallest under a policy, with a proven lower bound.
//!
//! [`Planner`] gathers the inputs and builds a [`Problem`]: which offers are candidates, what each covers, what it costs. Solving it gives
//! a [`Plan`]. The way there (`docs/formulation.md` has every formula):
//! 1. the hourly recourse (`planning/recourse.rs`): for given purchases, the cheapest way to serve every hour, and prices that prove it;
//! 2. the master problem (`planning/master.rs`): a mixed-integer program over the purchases alone, built with good_lp and solved by HiGHS,
//!    with cuts that the recourse's prices give; its bound is the plan's lower bound;
//! 3. the judge ([`crate::billing`]) prices the purchases as the invoice will be made; the gap is between that and the bound.
//!
//! Without purchase dates the usage is read as a steady state: what is bought runs through all of it, renewed if the term is shorter. With
//! dates each purchase serves from its date to the end of its term.
//!
//! What of the usage runs on spot is decided beside the purchases by `Planner::solve_with_spot` (`planning/spot.rs`).

pub mod baseline;
mod build;
#[cfg(feature = "highs")]
mod certificate;
#[cfg(feature = "highs")]
mod clash;
mod export;
mod extensive;
#[cfg_attr(not(feature = "highs"), allow(dead_code, reason = "solving alone uses all of it"))]
mod hour;
#[cfg(feature = "highs")]
mod judged;
#[cfg(feature = "highs")]
mod master;
mod mps;
mod objective;
#[cfg_attr(not(feature = "highs"), allow(dead_code, reason = "solving alone uses all of it"))]
mod path;
#[cfg(feature = "highs")]
mod plan;
mod policy;
mod problem;
#[cfg_attr(not(feature = "highs"), allow(dead_code, reason = "solving alone uses all of it"))]
mod recourse;
#[cfg_attr(not(feature = "highs"), allow(dead_code, reason = "solving alone uses all of it"))]
mod rows;
#[cfg(feature = "highs")]
mod solve;
#[cfg_attr(not(feature = "highs"), allow(dead_code, reason = "solving alone uses all of it"))]
mod spot;
mod timing;

#[cfg(all(test, feature = "highs"))]
mod tests;

#[cfg(feature = "highs")]
pub use certificate::{Certificate, Sensitivity};
#[cfg(feature = "highs")]
pub use clash::{Clash, Clashing};
pub use extensive::Extensive;
pub use objective::{Objective, tail};
#[cfg(feature = "highs")]
pub use plan::{Plan, Purchase};
pub use policy::{Migration, Pattern, PaymentOptions, Policy, Selection, ShareRule};
pub use problem::{Candidate, Evaluation, Problem};
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
use crate::units::Units;
use crate::usage::UsageCurves;
use chrono::{DateTime, Utc};
use problem::{Parts, Scenario};
use std::collections::BTreeMap;
use timing::Timing;

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
        };
        Self { parts }
    }

    /// Plans for this usage alone.
    #[must_use]
    pub fn usage(mut self, usage: &'a UsageCurves) -> Self {
        self.parts.scenarios = vec![Scenario { name: "usage".to_owned(), probability: 1.0, usage }];
        self
    }

    /// Plans for this usage too, with a probability. All scenarios have the same hours and lines; their probabilities add up to 1.
    #[must_use]
    pub fn scenario(mut self, name: impl Into<String>, probability: f64, usage: &'a UsageCurves) -> Self {
        self.parts.scenarios.push(Scenario { name: name.into(), probability, usage });
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
