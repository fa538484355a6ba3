//! `covermix backtest`: how rules of purchase would have done. Decide on data before a date, be charged on data after it, buy again.

use super::trace;
use crate::answer::{Answer, Failure, Result};
use crate::console::Console;
use clap::Args;
use covermix::catalog::{Benefit, Catalog, Offer};
use covermix::planning::Planned;
use covermix::scenario::backtest::{BuyNothing, Dates, Foresight, Lookback, Outcome, Purchase, Rule, Situation, run};
use covermix::scenario::forecast::{Forecaster, Method, Scale};
use covermix::scenario::hedge::{Hedged, HedgedFamilies};
use covermix::usage::UsageCurves;
use serde_json::json;
use std::fmt::Write as _;
use std::path::PathBuf;
use std::time::Duration;

/// Compare rules of purchase on past usage
///
/// Each rule decides on the data before a date, is charged by the provider's rules for the time after
/// it, and decides again. Buying nothing, common rules of thumb, covermix's rule and perfect foresight
/// stand side by side: savings, regret, utilisation, coverage, the worst month, and for how long money
/// is tied.
#[derive(Debug, Args)]
#[command(
    verbatim_doc_comment,
    after_help = "Examples:
  covermix backtest --usage usage.csv.gz --catalog prices.json.gz
  covermix backtest --usage usage.csv.gz --catalog prices.json.gz --offer sp/compute/1y-no-upfront --step 720 --json
  covermix backtest --trace demand.csv.gz --discount 0.28 --locked 0.4

A trace is a table USAGE_HOUR, REGION_NUM, INSTANCE_TYPE, NORM_USAGE (Snowflake's Shaved Ice data); every line then has the on-demand price 1,
and a plan of one year for all of them is sold at --discount."
)]
pub(crate) struct Backtest {
    /// Hourly usage: CSV, plain or gzip.
    #[arg(long, value_name = "FILE", requires = "catalog", required_unless_present = "trace")]
    usage: Option<PathBuf>,
    /// Prices and offers.
    #[arg(long, value_name = "FILE", requires = "usage")]
    catalog: Option<PathBuf>,
    /// The spend plan that the rules buy; if not said, the one of the shortest term without upfront payment that covers most of the usage.
    #[arg(long, value_name = "ID", requires = "catalog")]
    offer: Option<String>,
    /// Instead of usage and prices, a trace of demand (CSV, plain or gzip).
    #[arg(long, value_name = "FILE", conflicts_with_all = ["usage", "catalog"])]
    trace: Option<PathBuf>,
    /// Discount of the trace's flexible plan, a fraction of the on-demand price.
    #[arg(long, value_name = "SHARE", default_value_t = 0.28, requires = "trace")]
    discount: f64,
    /// Discount of locked reservations sold beside it, a fraction of the on-demand price.
    #[arg(long, value_name = "SHARE", requires = "trace")]
    locked: Option<f64>,
    /// Run time backwards, so that growing demand shrinks.
    #[arg(long)]
    reverse: bool,
    /// Hours of past that the first decision sees; a year, or half of the usage if that is shorter than two.
    #[arg(long, value_name = "HOURS")]
    first: Option<usize>,
    /// Hours charged; to the end of the usage if not said.
    #[arg(long, value_name = "HOURS")]
    hours: Option<usize>,
    /// Hours between decisions; as many as are charged for a single purchase.
    #[arg(long, value_name = "HOURS", default_value_t = 720)]
    step: usize,
    /// Also let the optimiser plan at every date (rule `planner`; slow).
    #[arg(long)]
    planner: bool,
    /// Instead, compare forecasts of the weekly means of all lines together, from every past week.
    #[arg(long)]
    forecasts: bool,
}

/// A rule under another name.
struct Named<R>(&'static str, R);

impl<R: Rule> Rule for Named<R> {
    fn name(&self) -> String {
        self.0.to_owned()
    }

    fn decide(&self, situation: &Situation<'_>) -> covermix::Result<Vec<Purchase>> {
        self.1.decide(situation)
    }
}

impl Backtest {
    pub(crate) fn run(&self, console: &Console) -> Result<Answer> {
        console.say("reading usage");
        let (usage, catalog) = self.read()?;
        if self.forecasts {
            return forecasts(&usage);
        }
        let plan = match &self.offer {
            Some(id) => spend_plan(&catalog, id)?,
            None => widest(&catalog, &usage)?,
        };
        let plan = plan.id.as_str();
        let count = usage.grid().count;
        let year = 8760;
        let half = count.div_euclid(2);
        let first = self.first.unwrap_or(if count >= 2 * year { year } else { half });
        let end = self.hours.map_or(count, |hours| first.saturating_add(hours));
        let dates = Dates { first, step_hours: self.step, end };
        let mut rules: Vec<Box<dyn Rule>> = vec![Box::new(BuyNothing)];
        rules.extend(Lookback::peers(plan).into_iter().map(|rule| Box::new(rule) as Box<dyn Rule>));
        if self.locked.is_some() {
            rules.push(Box::new(Named("covermix, flexible only", Hedged::new(plan))));
            rules.push(Box::new(HedgedFamilies::new(plan)));
        } else {
            rules.push(Box::new(Hedged::new(plan)));
        }
        if self.planner {
            let limit = Duration::from_secs(60);
            rules.push(Box::new(Planned { relative_gap: Some(1e-3), time_limit: Some(limit), ..Planned::default() }));
        }
        let lot = if self.trace.is_some() { 1.0 } else { peak(&usage, &catalog) / 1000.0 };
        let foresight = Foresight::new(plan, &usage, &catalog, dates, lot)?;
        let name = if self.locked.is_some() { "foresight, flexible only" } else { "perfect foresight" };
        rules.push(Box::new(Named(name, foresight)));
        let mut rows = Vec::new();
        for rule in &rules {
            console.say(format!("rule {}", rule.name()));
            rows.push(run(rule.as_ref(), &usage, &catalog, dates)?);
        }
        Ok(self.answer(&rows, plan, dates, catalog.currency()))
    }

    fn read(&self) -> Result<(UsageCurves, Catalog)> {
        let reverse = |usage: UsageCurves| if self.reverse { trace::reversed(&usage) } else { Ok(usage) };
        if let Some(path) = &self.trace {
            let usage = reverse(trace::read(path)?)?;
            let catalog = trace::catalog(&usage, self.discount, self.locked)?;
            return Ok((usage, catalog));
        }
        match (&self.usage, &self.catalog) {
            (Some(usage), Some(catalog)) => Ok((reverse(UsageCurves::read(usage)?)?, Catalog::read(catalog)?)),
            _ => Err(Failure::wrong("there is no usage", "give --usage and --catalog, or --trace")),
        }
    }

    fn answer(&self, rows: &[Outcome], plan: &str, dates: Dates, currency: &str) -> Answer {
        let best = rows.iter().map(|row| row.cost).fold(f64::INFINITY, f64::min);
        let mut text = String::new();
        let _ = writeln!(
            text,
            "Rules buying {plan} every {} hours; {} hours charged, cost in {currency}\n",
            dates.step_hours,
            dates.end.saturating_sub(dates.first)
        );
        let _ = writeln!(
            text,
            "{:<28} {:>9} {:>14} {:>12} {:>8} {:>8} {:>11} {:>9}",
            "rule", "savings %", "cost", "regret", "util. %", "cover %", "worst mo. %", "lock-in mo"
        );
        for row in rows {
            let utilisation = row.utilisation.map_or_else(|| "-".to_owned(), |value| format!("{:.1}", value * 100.0));
            let _ = writeln!(
                text,
                "{:<28} {:>9.2} {:>14.1} {:>12.1} {:>8} {:>8.1} {:>11.1} {:>9.1}",
                row.rule,
                row.savings * 100.0,
                row.cost,
                row.cost - best,
                utilisation,
                row.coverage * 100.0,
                row.worst_month * 100.0,
                row.lock_in_months
            );
        }
        let rows: Vec<_> = rows
            .iter()
            .map(|row| {
                json!({
                    "rule": row.rule, "savings": row.savings, "cost": row.cost, "regret": row.cost - best,
                    "utilisation": row.utilisation, "coverage": row.coverage, "worst_month": row.worst_month,
                    "lock_in_months": row.lock_in_months, "purchases": row.bought.commitments().len(),
                })
            })
            .collect();
        let document = json!({
            "schema": "covermix-backtest/1", "currency": currency, "offer": plan, "reverse": self.reverse,
            "discount": self.trace.as_ref().map(|_| self.discount), "step_hours": dates.step_hours,
            "hours_charged": dates.end.saturating_sub(dates.first), "rows": rows,
        });
        Answer::done(text, document)
    }
}

/// The spend plan with an identifier.
fn spend_plan<'a>(catalog: &'a Catalog, id: &str) -> Result<&'a Offer> {
    let offer = catalog.offer(id).ok_or_else(|| {
        let plans: Vec<&str> =
            catalog.offers().iter().filter(|offer| offer.is_spend_plan()).map(|offer| offer.id.as_str()).take(8).collect();
        Failure::wrong(
            format!("--offer: the catalog has no `{id}`"),
            format!("give one of its spend plans, such as {}", plans.join(", ")),
        )
    })?;
    if offer.is_spend_plan() {
        return Ok(offer);
    }
    Err(Failure::wrong(format!("--offer: `{id}` is a reservation"), "give a spend plan, which the rules buy by the hour"))
}

/// The spend plan without upfront payment that has rates for most of the usage, in money; of those the one with the shortest term.
fn widest<'a>(catalog: &'a Catalog, usage: &UsageCurves) -> Result<&'a Offer> {
    let totals = usage.totals();
    let covered = |offer: &Offer| -> f64 {
        let Benefit::SpendPlan { rates, .. } = &offer.benefit else { return 0.0 };
        let priced = usage.lines().iter().zip(&totals).filter_map(|(line, total)| Some((catalog.price(&line.sku)?, total)));
        priced.filter(|(price, _)| rates.contains_key(&price.id)).map(|(price, total)| price.price.to_f64() * total).sum()
    };
    let plans = catalog.offers().iter().filter(|offer| offer.is_spend_plan() && offer.upfront.value().is_zero());
    let ranked = plans.map(|offer| (covered(offer), offer)).filter(|(covered, _)| *covered > 0.0);
    let widest = ranked.reduce(|best, next| {
        let (a, b) = (best.1, next.1);
        let key = |offer: &Offer| (offer.term.nominal_months(), offer.id.clone());
        if next.0 > best.0 * (1.0 + 1e-12) || ((next.0 - best.0).abs() <= best.0 * 1e-12 && key(b) < key(a)) {
            next
        } else {
            best
        }
    });
    widest.map(|(_, offer)| offer).ok_or_else(|| {
        Failure::wrong(
            "the catalog has no spend plan without upfront payment that covers any of the usage",
            "name a plan with --offer",
        )
    })
}

/// The highest hour of usage, at on-demand prices: a thousandth of it is the step in which foresight buys.
fn peak(usage: &UsageCurves, catalog: &Catalog) -> f64 {
    let prices: Vec<f64> =
        usage.lines().iter().map(|line| catalog.price(&line.sku).map_or(0.0, |price| price.price.to_f64())).collect();
    let hour = |index: usize| usage.at(index).iter().zip(&prices).map(|(quantity, price)| quantity * price).sum::<f64>();
    (0..usage.grid().count).map(hour).fold(0.0, f64::max)
}

/// Mean absolute error by weeks ahead, as a share of what came.
fn forecasts(usage: &UsageCurves) -> Result<Answer> {
    let total: Vec<f64> = usage.quantity().rows().into_iter().map(|row| row.sum()).collect();
    let weeks: Vec<f64> = total[total.len() % 168..].chunks_exact(168).map(|week| week.iter().sum::<f64>() / 168.0).collect();
    let trend = |damping| Method::DampedTrend { level: 0.5, trend: 0.05, damping };
    let methods = [
        ("trailing mean, 8 weeks", Method::TrailingMean { window: 8 }),
        ("last week", Method::SeasonalNaive { season: 1, drift: false }),
        ("last week, drift", Method::SeasonalNaive { season: 1, drift: true }),
        ("year ago, drift", Method::SeasonalNaive { season: 52, drift: true }),
        ("trend, damping 0.9", trend(0.9)),
        ("trend, damping 0.98", trend(0.98)),
        ("trend, not damped", trend(1.0)),
    ];
    let horizons = [1, 4, 13, 26, 52];
    let mut text = String::new();
    let _ = writeln!(text, "mean absolute error as % of demand, by weeks ahead; {} weeks", weeks.len());
    let _ = writeln!(text, "{:<24} {:>7} {:>7} {:>7} {:>7} {:>7}", "method", 1, 4, 13, 26, 52);
    let mut rows = Vec::new();
    for (name, method) in methods {
        let errors = Forecaster { method, scale: Scale::Logarithmic }.rolling_origin(&weeks, &horizons)?;
        let cells: Vec<String> = errors.iter().map(|error| format!("{:>7.2}", error.weighted_absolute * 100.0)).collect();
        let _ = writeln!(text, "{name:<24} {}", cells.join(" "));
        rows.push(json!({ "method": name, "errors": errors }));
    }
    Ok(Answer::done(text, json!({ "schema": "covermix-forecasts/1", "weeks": weeks.len(), "rows": rows })))
}
