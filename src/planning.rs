//! What to buy: the purchases that make the expected bill smallest under a policy, with a proven lower bound.
//!
//! [`Planner`] gathers the inputs and builds a [`Problem`]: which offers are candidates, what each covers, what it costs. Solving it gives
//! a [`Plan`]. The way there (`docs/formulation.md` has every formula):
//! 1. the hourly recourse (`planning/recourse.rs`): for given purchases, the cheapest way to serve every hour, and prices that prove it;
//! 2. the master problem (`planning/master.rs`): a mixed-integer program over the purchases alone, built with good_lp and solved by HiGHS,
//!    with cuts that the recourse's prices give; its bound is the plan's lower bound;
//! 3. the judge ([`crate::billing`]) prices the purchases as the invoice will be made; the gap is between that and the bound.
//!
//! The usage is read as a steady state: what is bought runs through all of it, renewed if the term is shorter.

pub mod baseline;
mod extensive;
#[cfg(feature = "highs")]
mod master;
#[cfg_attr(not(feature = "highs"), allow(dead_code, reason = "solving alone uses all of it"))]
mod plan;
mod policy;
mod problem;
#[cfg_attr(not(feature = "highs"), allow(dead_code, reason = "solving alone uses all of it"))]
mod recourse;
#[cfg(feature = "highs")]
mod solve;

#[cfg(all(test, feature = "highs"))]
mod tests;

pub use extensive::Extensive;
pub use plan::{Plan, Purchase, Status};
pub use policy::Policy;
pub use problem::{Candidate, Problem};
#[cfg(feature = "highs")]
pub use solve::{Callback, Options, Progress};

use crate::billing::Rules;
use crate::catalog::Catalog;
use crate::error::{Error, Problem as Wrong, Result};
use crate::portfolio::Portfolio;
use crate::usage::UsageCurves;

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
    catalog: &'a Catalog,
    usage: Option<&'a UsageCurves>,
    portfolio: Portfolio,
    policy: Policy,
    rules: Rules,
}

impl<'a> Planner<'a> {
    /// A planner that may buy what the catalog offers.
    #[must_use]
    pub fn new(catalog: &'a Catalog) -> Self {
        Self { catalog, usage: None, portfolio: Portfolio::default(), policy: Policy::default(), rules: Rules::default() }
    }

    /// Plans for this usage.
    #[must_use]
    pub fn usage(mut self, usage: &'a UsageCurves) -> Self {
        self.usage = Some(usage);
        self
    }

    /// Respects what is already held.
    #[must_use]
    pub fn owning(mut self, portfolio: &Portfolio) -> Self {
        self.portfolio = portfolio.clone();
        self
    }

    /// Under this policy.
    #[must_use]
    pub fn policy(mut self, policy: Policy) -> Self {
        self.policy = policy;
        self
    }

    /// With these switches of the providers' rules.
    #[must_use]
    pub fn rules(mut self, rules: Rules) -> Self {
        self.rules = rules;
        self
    }

    /// The problem, to look at or to solve.
    ///
    /// # Errors
    /// [`Wrong::Empty`] without usage, those of [`crate::billing::Judge::new`] (unknown SKUs above all), and a policy value out of range.
    pub fn build(self) -> Result<Problem<'a>> {
        let usage = self.usage.ok_or_else(|| Error::from(Wrong::Empty { what: "usage given to the planner" }))?;
        Problem::new(self.catalog, usage, self.portfolio, self.policy, self.rules)
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
