#![cfg_attr(docsrs, feature(doc_cfg))]
//! covermix decides which cloud commitments to buy, keep, exchange, sell or let lapse: AWS Reserved Instances and Savings Plans, Azure
//! reservations and savings plans, Google Cloud committed use discounts.
//!
//! # The problem
//!
//! In hour t, line i uses D_it at on-demand price p_i. A reservation covers up to a number of units an hour, a spend plan up to an amount of money
//! an hour at its rates; both cost the same whether used or not. Buy x so that
//!
//! ```text
//! Σ_j c_j x_j  +  Σ_t (what the provider charges on demand in hour t, given x)
//! ```
//!
//! is smallest under the buyer's policy. Every hour is in the sum. The answer is billed by the provider's own rules ([`billing`]) and comes with a
//! lower bound on the bill of any other plan ([`planning`]).
//!
//! For fixed prices λ_t of a plan's money in hour t the usage lines are independent, and the best reservation of each is a quantile of its own
//! load-duration curve (commit at the level used for the fraction c / p of the hours: the newsvendor). So a lower bound costs one pass over the hours, and the
//! search alternates between prices and purchases; no program of the size hours x lines is ever solved. All formulas: `docs/formulation.md`; of the judge:
//! `docs/formulation-billing.md`; of scenarios: `docs/formulation-scenario.md`; spot, GPU capacity and unit costs: `docs/spot-and-capacity.md`.
//!
//! # The nouns
//!
//! - [`usage::UsageCurves`]: the quantity of every usage line in every hour;
//! - [`catalog::Catalog`]: on-demand prices, and offers of commitments;
//! - [`portfolio::Portfolio`]: commitments held;
//! - [`billing::Judge`] and [`billing::Bill`]: what the provider charges for them;
//! - [`planning::Planner`], [`planning::Problem`], [`planning::Plan`]: what to buy, with bound and gap;
//! - [`scenario`]: possible futures, their risk, and the backtest of a rule of purchase;
//! - [`finance`]: net present value, internal rates, amortisation and accounts of a commitment, usable on its own;
//! - [`report`]: a plan as pages for who signs, who must be sure and who orders, as HTML, Markdown, CSV and JSON.
//!
//! # An example
//!
//! ```
//! use covermix::billing::{Judge, Rules};
//! use covermix::{catalog::Catalog, portfolio::Portfolio, usage::UsageCurves};
//!
//! # fn main() -> covermix::Result<()> {
//! let catalog = Catalog::read("tests/data/catalog.json")?;
//! let usage = "hour,provider,service,region,sku,platform,tenancy,unit,account,quantity\n\
//!     2024-01-01T00:00:00Z,aws,AmazonEC2,us-east-1,m5.large,Linux,shared,instance-hour,a,3\n\
//!     2024-01-01T01:00:00Z,aws,AmazonEC2,us-east-1,m5.large,Linux,shared,instance-hour,a,1\n";
//! let usage = UsageCurves::from_reader(usage.as_bytes())?;
//! let held = r#"{"schema": "covermix-portfolio/1", "currency": "USD", "commitments": [{
//!     "id": "two reservations", "offer": "ri/us-east-1/m5.large/Linux/1y-standard-no-upfront", "quantity": "2",
//!     "start": "2024-01-01T00:00:00Z", "end": "2024-12-31T00:00:00Z", "account": "a", "scope": {"kind": "region"}}]}"#;
//! let portfolio = Portfolio::from_json(held, &catalog)?;
//! let bill = Judge::new(&usage, &catalog, &portfolio, &Rules::default())?.bill();
//! assert_eq!(bill.total().on_demand.to_string(), "0.096"); // one of three instances in the first hour
//! assert_eq!(bill.total().unused_commitment.to_string(), "0.060"); // one of two reservations in the second
//! # Ok(())
//! # }
//! ```
//!
//! # Cookbook
//!
//! What to buy, under rules, and when to stop looking. `Break` from the callback ends the search with the best plan so far:
//!
//! ```
//! # #[cfg(feature = "highs")] {
//! use covermix::planning::{Options, Planner, Policy, Progress};
//! use covermix::{catalog::Catalog, usage::UsageCurves};
//! use std::{ops::ControlFlow, time::Duration};
//!
//! let catalog = Catalog::read("data/catalog.json")?;
//! let usage = UsageCurves::read("data/usage.csv.gz")?.filter(|line| line.account == "office").expect("there is some");
//! let policy = Policy::from_toml("max_share_three_year = 0.4\nmin_utilisation = 0.9")?;
//! let watch = |now: &Progress| if now.sweeps > 1000 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) };
//! let options = Options { relative_gap: 1e-3, time_limit: Duration::from_secs(60), progress: Some(&watch) };
//! let problem = Planner::new(&catalog).usage(&usage).policy(policy).build()?;
//! let plan = problem.solve(&options)?;
//! assert!(plan.lower_bound() <= plan.objective() && plan.savings().to_f64() > 0.0);
//! for purchase in plan.purchases() {
//!     println!("{} x {}, even in month {:?}", purchase.quantity, purchase.offer.id, purchase.break_even_month);
//! }
//! # }
//! # Ok::<(), covermix::Error>(())
//! ```
//!
//! Rules that cannot all be kept are named, with how far each would have to give:
//!
//! ```
//! # #[cfg(feature = "highs")] {
//! # use covermix::planning::{Planner, Policy};
//! # use covermix::{catalog::Catalog, usage::UsageCurves};
//! # let catalog = Catalog::read("data/catalog.json")?;
//! # let usage = UsageCurves::read("data/usage.csv.gz")?.filter(|line| line.account == "office").expect("there is some");
//! let policy = Policy { min_coverage: Some(0.9), max_purchases: Some(0), ..Policy::default() };
//! let clash = Planner::new(&catalog).usage(&usage).policy(policy).build()?.clash()?.expect("nothing bought covers nothing");
//! assert_eq!(clash.rules.len(), 2);
//! println!("{clash}");
//! # }
//! # Ok::<(), covermix::Error>(())
//! ```
//!
//! Several futures from a scenario file, with a tail of bad ones counted beside the mean:
//!
//! ```
//! # #[cfg(feature = "highs")] {
//! use covermix::planning::{Objective, Planner};
//! use covermix::scenario::ScenarioFile;
//! # use covermix::{catalog::Catalog, usage::UsageCurves};
//! # let catalog = Catalog::read("data/catalog.json")?;
//! # let usage = UsageCurves::read("data/usage.csv.gz")?.filter(|line| line.account == "office").expect("there is some");
//! let file = "schema = \"covermix-scenarios/1\"\nscenarios = [{ name = \"as is\", probability = 0.7 }, { name = \"less\", probability = 0.3, \
//!     transforms = [{ kind = \"growth\", annual = -0.5 }] }]";
//! let futures = ScenarioFile::from_toml(file)?.scenarios(&usage, Some(&catalog))?;
//! let objective = Objective::ExpectedCostAndTail { weight: 1.0, level: 0.8 };
//! let plan = Planner::new(&catalog).scenarios(&futures).objective(objective).solve()?;
//! assert_eq!(plan.solution().evaluation.scenario_costs.len(), 2);
//! # }
//! # Ok::<(), covermix::Error>(())
//! ```
//!
//! Why was this charged? An hour of a bill, step by step, and the bill by month:
//!
//! ```
//! # use covermix::billing::{Judge, Rules};
//! # use covermix::{catalog::Catalog, portfolio::Portfolio, usage::UsageCurves};
//! # let catalog = Catalog::read("data/catalog.json")?;
//! # let usage = UsageCurves::read("data/usage.csv.gz")?.filter(|line| line.account == "office").expect("there is some");
//! let bill = Judge::new(&usage, &catalog, &Portfolio::default(), &Rules::default())?.bill();
//! println!("{}", bill.explain(usage.grid().first).expect("an hour of the usage"));
//! assert_eq!(bill.months().len(), 12);
//! # Ok::<(), covermix::Error>(())
//! ```
//!
//! More, one thing at a time and checked by hand: the lessons in `examples/`. In a service: `docs/embedding.md`; on many machines: `docs/scaling-out.md`.

pub mod billing;
pub mod catalog;
pub mod error;
mod files;
pub mod finance;
pub mod planning;
pub mod portfolio;
pub mod report;
pub mod scenario;
pub mod time;
pub mod units;
pub mod usage;

pub use error::{Error, Problem, Result};

/// The README's example, compiled and run.
#[cfg(all(doctest, feature = "highs"))]
#[doc = include_str!("../README.md")]
mod readme {}

/// The guide per provider's example, compiled and run.
#[cfg(doctest)]
#[doc = include_str!("../docs/providers.md")]
mod providers {}
