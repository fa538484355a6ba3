//! `covermix rebalance`: what to do with what is held, and until when.

use super::actions;
use crate::answer::{Answer, Failure, Result, Verdict};
use crate::console::Console;
use crate::inputs::{self, Demand, charges, exact, percent};
use chrono::{DateTime, Months, NaiveDate, NaiveTime, Utc};
use clap::Args;
use covermix::billing::Charges;
use covermix::catalog::Catalog;
use covermix::planning::orders::Orders;
use covermix::planning::triage::Finding;
use covermix::planning::{Plan, Planner, Policy, Problem, Rights};
use covermix::portfolio::Assumptions;
use covermix::portfolio::action::Action;
use covermix::portfolio::deadline::{ALERT_DAYS, Alert, DeadlineKind, alerts};
use covermix::scenario::transform::repeat;
use covermix::time::{Hour, HourGrid};
use covermix::units::to_f64;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::PathBuf;
use std::time::Duration;

/// Decide what to do with the commitments held, and until when
///
/// They are exchanged, sold, returned, converted, renewed or left to lapse where the provider's rules
/// allow it, together with what is bought. Prints how well each commitment is used, deadlines of the
/// next 90 days, the bill before and after, every action with its worth, and the purchase calendar.
/// With --out the orders to execute are written as orders.json and orders.csv; `covermix orders verify`
/// compares them with the next bill.
#[derive(Debug, Args)]
#[command(
    verbatim_doc_comment,
    after_help = "Examples:
  covermix rebalance --usage usage.csv.gz --catalog prices.json.gz --portfolio portfolio.json --out orders/
  covermix rebalance --usage usage.csv.gz --catalog prices.json.gz --portfolio portfolio.json --as-of 2026-03-01 --months 12 --assumptions resale.json

  # resale.json: what a sold AWS reservation brings, and how likely it finds a taker
  {\"aws\": {\"sale_price\": {\"kind\": \"share_of_replacement\", \"share\": \"0.5\"}, \"sell_through\": 0.8}}

Without --as-of the decision is made in the first hour of the usage, over the hours of the usage. With --as-of the usage is repeated by the
calendar over --months from that day on."
)]
pub(crate) struct Rebalance {
    #[command(flatten)]
    demand: Demand,
    /// Commitments held (covermix JSON, such as `covermix ingest` writes).
    #[arg(long, value_name = "FILE")]
    portfolio: PathBuf,
    /// What may be bought (TOML or JSON); everything without it.
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,
    /// The day of the decision.
    #[arg(long, value_name = "DATE")]
    as_of: Option<NaiveDate>,
    /// Months to plan for from that day on.
    #[arg(long, value_name = "COUNT", default_value_t = 12, requires = "as_of")]
    months: u32,
    /// Later days on which commitments can be bought, beside the day of the decision; may be given several times.
    #[arg(long = "date", value_name = "DATE")]
    dates: Vec<NaiveDate>,
    /// Sale prices, fees and dates that no published rule tells (JSON; data/assumptions.schema.json).
    #[arg(long, value_name = "FILE")]
    assumptions: Option<PathBuf>,
    /// The actions that may be taken, by name (exchange, sell, return, refund ...); all without it.
    #[arg(long = "action", value_name = "NAME", value_parser = action)]
    actions: Vec<Action>,
    /// The account that buys; the one that holds most if not said.
    #[arg(long, value_name = "ID")]
    account: Option<String>,
    /// Leave out the same plan without actions, which shows what they are worth together.
    #[arg(long)]
    quick: bool,
    /// The gap between cost and bound that is good enough, as a share.
    #[arg(long, default_value_t = 1e-3)]
    gap: f64,
    /// Seconds after which each search gives its best so far.
    #[arg(long, value_name = "SECONDS", default_value_t = 600)]
    time_limit: u64,
    /// The folder for orders.json and orders.csv; made if it is not there. Without it nothing is written.
    #[arg(long, value_name = "FOLDER")]
    out: Option<PathBuf>,
}

/// An action by its name.
fn action(name: &str) -> Result<Action, String> {
    serde_json::from_value(json!(name.replace('-', "_"))).map_err(|_| {
        let all: Vec<String> =
            Action::ALL.iter().filter_map(|action| serde_json::to_value(action).ok()?.as_str().map(str::to_owned)).collect();
        format!("there are {}", all.join(", "))
    })
}

/// All that was found.
struct Findings<'p, 'a> {
    problem: &'p Problem<'a>,
    plan: Plan,
    without: Option<Plan>,
    triage: Vec<Finding>,
    alerts: Vec<Alert>,
    orders: Orders,
    now: DateTime<Utc>,
    catalog: &'p Catalog,
}

impl Rebalance {
    pub(crate) fn run(&self, console: &Console) -> Result<Answer> {
        console.say("reading usage and prices");
        let (usage, catalog) = self.demand.read(console)?;
        let portfolio = inputs::portfolio(Some(&self.portfolio), &catalog)?;
        let policy = self.policy.as_ref().map_or_else(|| Ok(Policy::default()), Policy::read)?;
        let assumptions = actions::assumptions(self.assumptions.as_ref())?;
        let midnight = |day: NaiveDate| day.and_time(NaiveTime::MIN).and_utc();
        let (usage, now) = match self.as_of {
            Some(day) => (repeat(&usage, self.horizon(midnight(day))?)?, midnight(day)),
            None => {
                let first = usage.grid().first.start();
                (usage, first)
            }
        };
        let dates: BTreeSet<DateTime<Utc>> = self.dates.iter().map(|day| midnight(*day)).chain([now]).collect();
        let rights = Rights {
            at: vec![now],
            actions: self.actions.iter().copied().collect(),
            assumptions: assumptions.clone(),
            ..Rights::default()
        };
        let planner = Planner::new(&catalog).usage(&usage).owning(&portfolio).policy(policy);
        let problem = planner.purchase_dates(dates).renewing().rights(rights).build()?;
        let limit = Duration::from_secs(self.time_limit);
        let plan = console.search(self.gap, limit, |options| problem.solve(options))?;
        let without = if self.quick || console.was_interrupted() {
            None
        } else {
            console.say("the same without actions");
            Some(console.search(self.gap, limit, |options| problem.without_actions()?.solve(options))?)
        };
        let account = self.account.clone().unwrap_or_else(|| actions::buyer(&portfolio));
        let findings = Findings {
            triage: problem.triage(&plan, now)?,
            alerts: self.alerts(&portfolio, &catalog, now, &assumptions)?,
            orders: plan.orders(&problem, &account)?,
            problem: &problem,
            plan,
            without,
            now,
            catalog: &catalog,
        };
        let mut text = findings.text()?;
        let mut document = findings.document()?;
        if let Some(folder) = &self.out {
            inputs::make_folder(folder)?;
            let written = [folder.join("orders.json"), folder.join("orders.csv")];
            for path in &written {
                findings.orders.write(path)?;
            }
            let _ = writeln!(
                text,
                "\n{} order(s) written to {} and {}",
                findings.orders.orders.len(),
                written[0].display(),
                written[1].display()
            );
            document["written"] = json!(written);
        }
        let verdict = if console.was_interrupted() { Verdict::Interrupted } else { Verdict::Done };
        Ok(Answer { text, document, verdict })
    }

    fn horizon(&self, from: DateTime<Utc>) -> Result<HourGrid> {
        let until = from.checked_add_months(Months::new(self.months)).filter(|_| self.months > 0);
        let until =
            until.ok_or_else(|| Failure::wrong(format!("--months {} is no horizon", self.months), "give 1 month or more"))?;
        let first = Hour::containing(from);
        let count = usize::try_from(Hour::containing(until).since_epoch() - first.since_epoch()).unwrap_or(0);
        Ok(HourGrid { first, count })
    }

    fn alerts(
        &self,
        portfolio: &covermix::portfolio::Portfolio,
        catalog: &Catalog,
        now: DateTime<Utc>,
        assumptions: &Assumptions,
    ) -> Result<Vec<Alert>> {
        let all = alerts(portfolio, catalog, now, assumptions, &ALERT_DAYS)?;
        let is_wanted = |alert: &Alert| match alert.deadline.kind {
            DeadlineKind::LastChance { action } => self.actions.is_empty() || self.actions.contains(&action),
            _ => true,
        };
        Ok(all.into_iter().filter(is_wanted).collect())
    }
}

impl Findings<'_, '_> {
    fn text(&self) -> Result<String> {
        let mut text = String::new();
        let currency = self.catalog.currency();
        let _ = writeln!(
            text,
            "As of {}: {} commitment(s) held, {:.0} hours planned, {} change(s) that the rules allow\n",
            self.now.date_naive(),
            self.problem.portfolio().commitments().len(),
            self.plan.hours(),
            self.problem.changes().len()
        );
        self.held(&mut text);
        let _ = writeln!(text, "\nDeadlines of the next 90 days:{}", if self.alerts.is_empty() { " none" } else { "" });
        for alert in &self.alerts {
            let deadline = &alert.deadline;
            let day = deadline.last.date_naive();
            let _ = writeln!(
                text,
                "  {day} (within {} days)  {}: {}",
                alert.within_days,
                deadline.commitment,
                describe(deadline.kind)
            );
        }
        self.compare(&mut text);
        let _ = writeln!(text, "\n{}", actions::table(&self.plan, self.catalog));
        let tranches = self.plan.calendar(self.problem)?;
        let _ = writeln!(text, "\nTo buy:{}", if tranches.is_empty() { " nothing" } else { "" });
        for tranche in tranches {
            let bought: Vec<String> =
                tranche.purchases.iter().map(|(offer, quantity)| format!("{} x {offer}", quantity.normalize())).collect();
            let _ = writeln!(
                text,
                "  {}: {} ({:.2} {currency}/h, {:.2} {currency} upfront)",
                tranche.date.date_naive(),
                bought.join(", "),
                tranche.hourly.to_f64(),
                tranche.upfront.to_f64()
            );
        }
        Ok(text)
    }

    /// How each commitment does.
    fn held(&self, text: &mut String) {
        let width = self.triage.iter().map(|of| of.commitment.chars().count()).max().unwrap_or(0).max(10);
        let _ = writeln!(
            text,
            "{:<width$} {:>10} {:>8} {:>13} {:>13}  {:<11} best action",
            "commitment", "quantity", "used", "waste/month", "beside/month", "ends"
        );
        for of in &self.triage {
            let best = of.best().map_or("keep".to_owned(), |action| {
                format!("{}{}", action.kind, action.value.map_or(String::new(), |value| format!(" (worth {value:.0})")))
            });
            let (waste, beside) = (to_f64(of.monthly_waste.value()), to_f64(of.uncovered_beside.value()));
            let _ = writeln!(
                text,
                "{:<width$} {:>10} {:>8} {waste:>13.2} {beside:>13.2}  {:<11} {best}",
                of.commitment,
                of.quantity.normalize(),
                percent(of.utilisation),
                of.end.date_naive().to_string()
            );
        }
    }

    fn compare(&self, text: &mut String) {
        let Self { plan, without, .. } = self;
        let mut columns = vec![("before", plan.before().total()), ("with actions", plan.after().total())];
        columns.extend(without.as_ref().map(|without| ("without", without.after().total())));
        let _ = write!(text, "\n{:<34}", format!("A month, {}", self.catalog.currency()));
        for (name, _) in &columns {
            let _ = write!(text, "{name:>16}");
        }
        let months = plan.hours() / 730.0;
        let mut row = |name: &str, of: &dyn Fn(&Charges) -> String| {
            let _ = write!(text, "\n  {name:<32}");
            for (_, charges) in &columns {
                let _ = write!(text, "{:>16}", of(charges));
            }
        };
        let money = |amount: covermix::units::Money| format!("{:.2}", amount.to_f64() / months);
        row("left on demand", &|of| money(of.on_demand - of.sustained_use_discount));
        row("commitments, used", &|of| money(of.used_commitment));
        row("commitments, unused", &|of| money(of.unused_commitment));
        row("bill", &|of| money(of.cost()));
        row("coverage", &|of| percent(of.coverage()));
        row("utilisation", &|of| percent(of.utilisation()));
        if plan.one_off() != covermix::units::Money::ZERO {
            let given_up = plan.monthly(plan.one_off()).to_f64();
            let _ = write!(
                text,
                "\n  with actions also {given_up:.2} a month at once for actions, which no bill shows (below 0: they bring in more)"
            );
        }
        let _ = write!(
            text,
            "\n  objective over {:.0} h: {:.2} with actions (no plan below {:.2}, gap {:.3} %)",
            plan.hours(),
            plan.objective(),
            plan.lower_bound(),
            100.0 * plan.gap()
        );
        let _ = match without {
            Some(without) => writeln!(
                text,
                ", {:.2} without: they are worth {:.2}",
                without.objective(),
                without.objective() - plan.objective()
            ),
            None => writeln!(text),
        };
        let month = |amount: covermix::units::Money| plan.monthly(amount).to_f64();
        let _ = writeln!(
            text,
            "  savings: {:.2} a month, {:.2} of it by actions and {:.2} by the purchases (actions counted first; counted last they save {:.2})",
            month(plan.savings()),
            month(plan.savings_by_actions()),
            month(plan.savings_by_purchases()),
            month(plan.savings_by_actions_counted_last())
        );
    }

    fn document(&self) -> Result<Value> {
        let Self { plan, without, catalog, .. } = self;
        let tranches: Vec<Value> = plan
            .calendar(self.problem)?
            .into_iter()
            .map(|of| {
                let purchases: Vec<Value> =
                    of.purchases.iter().map(|(offer, quantity)| json!({ "offer": offer, "quantity": quantity })).collect();
                json!({ "date": of.date, "purchases": purchases, "hourly": of.hourly, "upfront": exact(of.upfront), "running": of.running })
            })
            .collect();
        let triage: Vec<Value> = self
            .triage
            .iter()
            .map(|of| {
                json!({
                    "commitment": of.commitment, "offer": of.offer, "quantity": of.quantity, "end": of.end, "utilisation": of.utilisation,
                    "monthly_waste": exact(of.monthly_waste), "uncovered": exact(of.uncovered),
                    "uncovered_beside": exact(of.uncovered_beside), "actions": of.actions.iter().map(actions::action).collect::<Vec<_>>(),
                    "deadline": of.deadline(), "deadlines": of.deadlines,
                })
            })
            .collect();
        let orders: Value = serde_json::from_str(&self.orders.to_json()).unwrap_or_default();
        Ok(json!({
            "schema": "covermix-rebalance/1", "as_of": self.now, "currency": catalog.currency(), "hours": plan.hours(),
            "status": plan.status().to_string(), "before": charges(&plan.before().total()), "after": charges(&plan.after().total()),
            "without_actions": without.as_ref().map(|without| charges(&without.after().total())),
            "objective": plan.objective(), "objective_without_actions": without.as_ref().map(Plan::objective),
            "lower_bound": plan.lower_bound(), "gap": plan.gap(), "actions": actions::document(plan), "triage": triage,
            "savings": exact(plan.savings()), "savings_by_actions": exact(plan.savings_by_actions()),
            "savings_by_purchases": exact(plan.savings_by_purchases()),
            "savings_by_actions_counted_last": exact(plan.savings_by_actions_counted_last()),
            "alerts": self.alerts, "calendar": tranches, "orders": orders,
        }))
    }
}

fn describe(kind: DeadlineKind) -> String {
    match kind {
        DeadlineKind::LastChance { action } => format!("last chance to {action}"),
        DeadlineKind::Renewal => "renews unless that is stopped".to_owned(),
        DeadlineKind::Expiry => "ends".to_owned(),
        DeadlineKind::ExchangePolicy => "until then it can be exchanged any number of times".to_owned(),
    }
}
