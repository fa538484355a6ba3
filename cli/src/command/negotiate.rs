//! `covermix negotiate`: which agreement to sign together with which commitments to buy, the discount at which another would do, and what each
//! clause is worth.

use super::actions;
use crate::answer::{Answer, Result, Verdict};
use crate::console::Console;
use crate::inputs::{Demand, Terms};
use chrono::{DateTime, NaiveDate, NaiveTime, Utc};
use clap::Args;
use covermix::finance::agreement::{self, CarryLifetime, CarryOver, EarlyRenewal, ShortfallRule};
use covermix::planning::agreement::{
    AgreementFirst, Agreements, Branch, Choice, Clause, ClauseValue, IndifferenceDiscount, OfferedAgreement,
};
use covermix::planning::{Problem, Repriced};
use covermix::portfolio::Commitment;
use covermix::report::write_json;
use covermix::units::to_f64;
use rust_decimal::Decimal;
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::path::PathBuf;
use std::time::Duration;

/// Choose an agreement (AWS EDP, Azure MACC, Google commit) together with what to buy under it
///
/// Neither can be chosen first: what is bought lowers the spend that counts towards the agreement's
/// minimum, and its discounts change what is worth buying. To sign nothing is always among the choices.
/// Prints the cost and bound of every offer, what deciding in turn would cost, the discount at which
/// each other offer would be worth signing, and what each clause is worth.
#[derive(Debug, Args)]
#[command(
    verbatim_doc_comment,
    after_help = "Example:
  covermix negotiate --usage usage.csv.gz --catalog prices.json.gz --agreements offers.toml

  # offers.toml
  schema = \"covermix-agreements/1\"
  [[offers]]
  name = \"1.5 M a year\"
  provider = \"aws\"
  discount = 0.075                       # on all services
  contract = \"aws_enterprise_discount\"   # or azure_macc, google_cloud_commit, oracle_annual_credits, yearly
  start = \"2027-01-01\"
  minimums = [1500000, 1575000, 1650000] # one a contract year
  [[other_spend]]                        # counts and costs beside the usage
  provider = \"aws\"
  date = \"2027-03-01\"
  kind = \"marketplace\"
  gross = 320000

Without --date the usage is read as a steady state: every contract year has its rate of spend. With --date the usage (or the futures of
--scenarios) must reach over all contract years, and purchases are made on those dates."
)]
pub(crate) struct Negotiate {
    #[command(flatten)]
    demand: Demand,
    /// The agreements on offer (TOML or JSON).
    #[arg(long, value_name = "FILE")]
    agreements: PathBuf,
    #[command(flatten)]
    terms: Terms,
    /// Days on which commitments can be bought; may be given several times.
    #[arg(long = "date", value_name = "DATE")]
    dates: Vec<NaiveDate>,
    /// The gap between cost and bound that is good enough, as a share.
    #[arg(long, default_value_t = 1e-3)]
    gap: f64,
    /// Seconds after which each search gives its best so far.
    #[arg(long, value_name = "SECONDS", default_value_t = 60)]
    time_limit: u64,
    /// Leave out indifference discounts and clauses.
    #[arg(long)]
    quick: bool,
    /// Write the JSON document to this file too.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

/// All that was found.
struct Findings<'p, 'a> {
    problem: &'p Problem<'a>,
    /// The plan under the agreement chosen, at the prices of the scenarios that change them, before the agreement.
    repriced: Vec<Repriced>,
    agreements: &'p Agreements,
    offers: &'p [OfferedAgreement],
    choice: Choice,
    first: AgreementFirst,
    indifference: Vec<IndifferenceDiscount>,
    clauses: Vec<ClauseValue>,
    currency: &'p str,
}

/// The largest discount at which an offer is looked at, and to which accuracy.
const DISCOUNTS: (f64, f64) = (0.4, 5e-4);

impl Negotiate {
    pub(crate) fn run(&self, console: &Console) -> Result<Answer> {
        let agreements = Agreements::read(&self.agreements)?;
        let (usage, catalog) = self.demand.read(console)?;
        let given = self.terms.read(&usage, &catalog)?;
        let dates: Vec<DateTime<Utc>> = self.dates.iter().map(|date| date.and_time(NaiveTime::MIN).and_utc()).collect();
        let problem = given.planner(&usage, &catalog).purchase_dates(dates).build()?;
        let mut offers = vec![OfferedAgreement::none()];
        offers.extend(agreements.offers().iter().cloned());
        let other = agreements.other_spend();
        let findings = console.search(self.gap, Duration::from_secs(self.time_limit), |options| -> Result<_> {
            let choice = problem.choose_agreement(&offers, other, options)?;
            let first = problem.agreement_first(&offers, other, options)?;
            let (mut indifference, mut clauses) = (Vec::new(), Vec::new());
            if !self.quick && !console.was_interrupted() {
                let best = choice.best();
                let others = offers.iter().filter(|offer| offer.terms.is_some() && offer.name != best.offer.name);
                for offer in others {
                    indifference.push(problem.indifference_discount(offer, best.cost(), other, options, DISCOUNTS)?);
                }
                let signed = if best.offer.terms.is_some() { Some(best) } else { choice.branches.get(1) };
                if let Some(signed) = signed {
                    let own = agreements.clauses();
                    let asked = if own.is_empty() { usual_clauses(signed) } else { own.to_vec() };
                    clauses = problem.clause_values(signed, &asked, other, options)?;
                }
            }
            let best = choice.best();
            let repriced = if given.changes_prices() {
                problem.under(&best.offer, other)?.repriced(&best.solution.steps)?
            } else {
                Vec::new()
            };
            let (problem, agreements, offers, currency) = (&problem, &agreements, offers.as_slice(), catalog.currency());
            Ok(Findings { problem, repriced, agreements, offers, choice, first, indifference, clauses, currency })
        })?;
        let document = findings.document()?;
        if let Some(path) = &self.out {
            write_json(path, &document)?;
        }
        let text = findings.text()?;
        let verdict = if console.was_interrupted() { Verdict::Interrupted } else { Verdict::Done };
        Ok(Answer { text, document, verdict })
    }
}

/// The clauses that are asked for most.
fn usual_clauses(signed: &Branch) -> Vec<Clause> {
    let minimums = signed.offer.terms.as_ref().map(agreement::Terms::minimums).unwrap_or_default();
    let last = minimums.last().copied().unwrap_or_default();
    let mut clauses = vec![
        Clause::MoreDiscount { points: Decimal::new(1, 2) },
        Clause::Minimums { factor: Decimal::new(9, 1) },
        Clause::Growth { share: Decimal::ZERO },
        Clause::CarryOver { rule: CarryOver::Excess { cap_share: None, lifetime: CarryLifetime::UntilUsed } },
        Clause::Shortfall { rule: ShortfallRule::Deferral { share: Decimal::new(15, 2), not_in_last: 1 } },
        Clause::MarketplaceCap { share: Some(Decimal::new(30, 2)) },
    ];
    if minimums.len() > 1 {
        let renewal = EarlyRenewal { from_period: minimums.len() - 1, minimums: vec![last * Decimal::new(85, 2)] };
        clauses.push(Clause::EarlyRenewal(renewal));
    }
    clauses
}

/// An amount for people, whole.
fn whole(amount: f64) -> String {
    let digits = format!("{:.0}", amount.abs());
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    if amount <= -0.5 { format!("-{text}") } else { text }
}

impl Findings<'_, '_> {
    fn text(&self) -> Result<String> {
        let Self { choice, currency, .. } = self;
        let mut text = String::new();
        let _ = writeln!(text, "Cost in {currency} over the usage given (expected over the scenarios):\n");
        let _ = writeln!(
            text,
            "{:<36} {:>9} {:>14} {:>14} {:>13}  expected shortfall by year",
            "offer", "discount", "cost", "bound", "P(shortfall)"
        );
        for (index, branch) in choice.branches.iter().enumerate() {
            let shortfall: Vec<String> = branch.expected_shortfall().iter().map(|amount| whole(*amount)).collect();
            let _ = writeln!(
                text,
                "{:<36} {:>7.2} % {:>14} {:>14} {:>11.0} %  {}{}",
                branch.offer.name,
                100.0 * to_f64(branch.offer.general_discount()),
                whole(branch.cost()),
                whole(branch.solution.lower_bound),
                100.0 * branch.shortfall_probability(),
                if shortfall.is_empty() { "-".to_owned() } else { shortfall.join(" / ") },
                if index == choice.chosen { "  <- chosen" } else { "" },
            );
        }
        let best = choice.best();
        let _ = writeln!(
            text,
            "\nChosen: {}. No plan under any offer costs less than {}: the gap is {:.3} %.",
            best.offer.name,
            whole(choice.lower_bound),
            100.0 * choice.gap()
        );
        let _ = writeln!(text, "\nWhat to buy under each offer:");
        for branch in &choice.branches {
            let bought = |of: &Commitment| {
                let day = if self.problem.is_dated() { format!(" on {}", of.start.date_naive()) } else { String::new() };
                format!("{} x {}{day}", of.quantity.normalize(), of.offer)
            };
            let list: Vec<String> = branch.purchases.iter().map(bought).collect();
            let _ = writeln!(
                text,
                "  {}: {}",
                branch.offer.name,
                if list.is_empty() { "nothing".to_owned() } else { list.join(", ") }
            );
        }
        if !self.repriced.is_empty() {
            let _ = write!(
                text,
                "\nPrice changes are in no cost above. What is bought under {}, before its discounts:",
                best.offer.name
            );
            actions::note_prices(&self.repriced, currency, &mut text);
        }
        self.order(&mut text);
        self.asked(&mut text);
        self.ledgers(&mut text)?;
        Ok(text)
    }

    /// What deciding in turn would cost.
    fn order(&self, text: &mut String) {
        let (best, first) = (self.choice.best(), &self.first);
        let signed = &self.offers[first.offer].name;
        let _ = writeln!(text, "\nAgreement first, commitments second:");
        let _ = writeln!(
            text,
            "  with nothing bought, `{signed}` is the cheapest offer, at {}; buying under it then costs {} if its minimum is not looked at, {} if it is.",
            whole(first.cost_without_purchases),
            whole(first.blind.1),
            whole(first.informed.1)
        );
        let more = first.informed.1 - best.cost();
        let _ = if *signed == best.offer.name && more <= best.cost() * self.choice.gap().max(1e-6) {
            writeln!(text, "  Decided together the choice is the same.")
        } else {
            writeln!(text, "  Decided together: {}, {} less.", whole(best.cost()), whole(more))
        };
    }

    /// Indifference discounts and clauses.
    fn asked(&self, text: &mut String) {
        if !self.indifference.is_empty() {
            let _ =
                writeln!(text, "\nAt which discount would another offer be worth as much as {}?", self.choice.best().offer.name);
            for found in &self.indifference {
                let at = found.at.map_or_else(
                    || format!("no discount up to {:.0} % is enough", 100.0 * DISCOUNTS.0),
                    |at| format!("indifferent at {:.2} %", 100.0 * at),
                );
                let _ = writeln!(text, "  {:<36} offered {:>5.2} %, {at}", found.offer, 100.0 * found.offered);
            }
        }
        if !self.clauses.is_empty() {
            let _ = writeln!(text, "\nWhat a clause would be worth, {}, with purchases decided anew:", self.currency);
            let _ = writeln!(
                text,
                "  {:<42} {:>12}  {:>27}  {:>12}  buys differently",
                "clause", "value", "proven between", "P(shortfall)"
            );
            for value in &self.clauses {
                let _ = writeln!(
                    text,
                    "  {:<42} {:>12}  {:>11} and {:>11}  {:>10.0} %  {}",
                    value.clause.to_string(),
                    whole(value.value),
                    whole(value.proven.0),
                    whole(value.proven.1),
                    100.0 * value.shortfall_probability,
                    if value.changes_purchases { "yes" } else { "no" }
                );
            }
        }
    }

    /// The years of the chosen agreement; only with dates, as a steady state has no years.
    fn ledgers(&self, text: &mut String) -> Result<()> {
        if !self.problem.is_dated() {
            return Ok(());
        }
        let best = self.choice.best();
        let chosen = self.problem.under(&best.offer, self.agreements.other_spend())?;
        for (index, (name, _)) in self.problem.scenarios().enumerate() {
            let Some(ledger) = chosen.ledger(&best.solution.steps, index)? else { continue };
            let _ = writeln!(text, "\nLedger of scenario {name}, {}:", self.currency);
            for (year, period) in ledger.periods.iter().enumerate() {
                let settled = &period.settled;
                let _ = writeln!(
                    text,
                    "  year {}: required {:>13}, counted {:>13}, invoiced shortfall {:>11}",
                    year + 1,
                    whole(to_f64(settled.required)),
                    whole(to_f64(settled.counted)),
                    whole(to_f64(settled.paid))
                );
            }
        }
        Ok(())
    }

    fn document(&self) -> Result<Value> {
        let Self { problem, agreements, choice, first, .. } = self;
        let branches: Vec<Value> = choice
            .branches
            .iter()
            .map(|branch| {
                let purchases: Vec<Value> = branch
                    .purchases
                    .iter()
                    .map(|bought| json!({ "offer": bought.offer, "quantity": bought.quantity, "start": bought.start, "end": bought.end }))
                    .collect();
                json!({
                    "offer": branch.offer.name, "discount": branch.offer.general_discount(), "cost": branch.cost(),
                    "lower_bound": branch.solution.lower_bound, "shortfall_probability": branch.shortfall_probability(),
                    "expected_shortfall_by_year": branch.expected_shortfall(), "purchases": purchases,
                })
            })
            .collect();
        let chosen = problem.under(&choice.best().offer, agreements.other_spend())?;
        let mut ledgers = Vec::new();
        for (index, (name, _)) in problem.scenarios().enumerate().filter(|_| problem.is_dated()) {
            ledgers.push(json!({ "scenario": name, "ledger": chosen.ledger(&choice.best().solution.steps, index)? }));
        }
        Ok(json!({
            "schema": "covermix-negotiation/1", "currency": self.currency, "chosen": choice.best().offer.name,
            "cost": choice.best().cost(), "lower_bound": choice.lower_bound, "gap": choice.gap(), "branches": branches,
            "agreement_first": {
                "offer": self.offers[first.offer].name, "cost_without_purchases": first.cost_without_purchases,
                "cost_blind": first.blind.1, "cost_informed": first.informed.1,
            },
            "indifference": self.indifference.iter().map(|found| json!({
                "offer": found.offer, "offered": found.offered, "at": found.at, "tolerance": found.tolerance,
            })).collect::<Vec<_>>(),
            "clauses": self.clauses.iter().map(|value| json!({
                "clause": value.clause.to_string(), "value": value.value, "proven_from": value.proven.0, "proven_to": value.proven.1,
                "shortfall_probability": value.shortfall_probability, "changes_purchases": value.changes_purchases,
            })).collect::<Vec<_>>(),
            "ledgers": ledgers, "repriced": actions::prices_document(&self.repriced),
        }))
    }
}
