//! From a solved problem to the model of its report: bills, reasons, cases, cash and curves are gathered here, once.

mod actions;
mod cases;
mod cash;
mod evidence;

use super::document::{self, Reader, Span};
use super::explain;
use super::figure::Figure;
use super::model::{
    Baseline, Certificate, Charges, CoverageCurve, CoveragePoint, Held, LadderMonth, Prices, Purchase, Report, RulePrice, SCHEMA,
};
use crate::billing::{self, Bill, Judge};
use crate::catalog::{Benefit, Offer, Right};
use crate::error::{Error, Problem as Wrong, Result};
use crate::planning::{Options, Plan, Problem, Reason, Status};
use crate::portfolio::Commitment;
use crate::time::Month;
use crate::units::{Money, to_f64};
use crate::usage::UsageCurves;
use chrono::{DateTime, NaiveDate, NaiveTime, Utc};
use rust_decimal::Decimal;
use std::time::Duration;

/// What a report assumes beyond the plan. The default: 8 % cost of capital, bought on the day after the usage, usage a fifth lower and a fifth
/// higher as low and high case, and cost curves drawn.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The cost of capital, effective a year: 0.08 is 8 %.
    pub discount_rate: f64,
    /// When the purchases of a steady state are made; the day the usage ends if not said. Dated purchases keep their dates.
    pub purchase_date: Option<NaiveDate>,
    /// Who capitalises upfront payments.
    pub treatment: crate::finance::accounting::Treatment,
    /// Usage in the low case as a share of today's, where the problem has one scenario only.
    pub low_usage: f64,
    /// Usage in the high case as a share of today's, where the problem has one scenario only.
    pub high_usage: f64,
    /// The levels of coverage at which the lowest cost is drawn; empty for none. Each is a search of its own.
    pub coverage_levels: Vec<f64>,
    /// Whether the policy's limits are priced, each by two searches.
    pub price_limits: bool,
    /// The longest that one of these searches may take.
    pub time_limit: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            discount_rate: 0.08,
            purchase_date: None,
            treatment: crate::finance::accounting::Treatment::default(),
            low_usage: 0.8,
            high_usage: 1.2,
            coverage_levels: vec![0.0, 0.15, 0.3, 0.45, 0.6, 0.7, 0.8, 0.85, 0.9, 0.95],
            price_limits: true,
            time_limit: Duration::from_secs(30),
        }
    }
}

/// Makes a [`Report`] of a solved problem.
#[derive(Debug)]
pub struct Builder<'p, 'a> {
    problem: &'p Problem<'a>,
    plan: &'p Plan,
    settings: Settings,
    cases: Vec<(String, UsageCurves)>,
}

/// One purchase with all that is known of it.
pub(super) struct Bought<'p> {
    pub(super) purchase: &'p crate::planning::Purchase,
    pub(super) commitment: Commitment,
    pub(super) start: DateTime<Utc>,
    pub(super) end: DateTime<Utc>,
    pub(super) reason: Option<Reason>,
}

impl Bought<'_> {
    pub(super) fn offer(&self) -> &Offer {
        &self.purchase.offer
    }

    /// Cost of each hour of the term, the upfront payment spread over it.
    fn effective_hourly(&self) -> Decimal {
        self.offer().effective_hourly().value() * self.purchase.quantity
    }

    /// All it will ever cost: the price list's hours at its recurring fee, and the upfront payment.
    pub(super) fn obligation(&self) -> Decimal {
        let offer = self.offer();
        (offer.upfront.value() + offer.recurring.value() * offer.term.list_hours()) * self.purchase.quantity
    }
}

impl Report {
    /// A report of a plan and the problem that it solves.
    #[must_use]
    pub fn builder<'p, 'a>(problem: &'p Problem<'a>, plan: &'p Plan) -> Builder<'p, 'a> {
        Builder { problem, plan, settings: Settings::default(), cases: Vec::new() }
    }
}

impl Builder<'_, '_> {
    /// With these settings.
    #[must_use]
    pub fn settings(mut self, settings: Settings) -> Self {
        self.settings = settings;
        self
    }

    /// Shows the plan with this usage too, which has the hours of the usage planned for. With a case of the caller's the low and high cases of
    /// [`Settings`] are left out.
    #[must_use]
    pub fn case(mut self, name: impl Into<String>, usage: UsageCurves) -> Self {
        self.cases.push((name.into(), usage));
        self
    }

    /// Gathers the evidence.
    ///
    /// # Errors
    /// As [`Problem::explain`] and [`Problem::cost_by_coverage`]; [`crate::Problem::OutOfRange`] for settings that finance cannot work with.
    pub fn build(self) -> Result<Report> {
        let Self { problem, plan, settings, cases } = self;
        let usage = first_usage(problem)?;
        let grid = usage.grid();
        let (from, until) = (grid.first.start(), grid.hour(grid.count).start());
        let bought = bought(problem, plan, &settings, until)?;
        let finance = cash::Investment::new(problem, plan, &bought, &settings)?;
        let cases = cases::cases(problem, plan, &settings, &cases, &finance)?;
        let low_case = cases::lowest(&cases);
        let tornado = cases::tornado(&cases, &finance)?;
        let purchases = bought.iter().map(|bought| purchase(problem, plan, bought)).collect::<Result<Vec<_>>>()?;
        let total = |bill: &Bill, given_up| charges(plan, bill.total(), given_up);
        let certificate = plan.certificate();
        let objective = number(plan.objective())?;
        let mut report = Report {
            schema: SCHEMA.into(),
            version: env!("CARGO_PKG_VERSION").into(),
            catalog: Prices { source: problem.catalog().source().into(), price_date: problem.catalog().price_date() },
            currency: problem.catalog().currency().into(),
            usage_from: from,
            usage_until: until,
            hours: number(plan.hours())?,
            status: match plan.status() {
                Status::Optimal => "optimal",
                Status::GapRemains => "gap_remains",
                Status::StoppedAtLimit => "stopped_at_limit",
            }
            .into(),
            lower_bound: number(plan.lower_bound())?,
            billed_cost: plan.billed_cost().into(),
            objective,
            gap: number(plan.gap())?,
            certificate: Certificate {
                lower_bound: number(certificate.lower_bound)?,
                billed_cost: number(certificate.billed_cost)?,
                gap: number(certificate.gap)?,
                billing_order: number(certificate.billing_order)?,
                integrality: number(certificate.integrality)?,
                tolerance: number(certificate.tolerance)?,
            },
            scenario_costs: plan
                .solution()
                .evaluation
                .scenario_costs
                .iter()
                .map(|cost| number(*cost))
                .collect::<Result<Vec<_>>>()?,
            cost_before: plan.before().total().cost().into(),
            savings: plan.savings().into(),
            split: actions::split(plan),
            savings_rate: share(plan.savings_rate())?,
            savings_monthly: plan.monthly(plan.savings()).into(),
            before_monthly: plan.monthly(plan.before().total().cost()).into(),
            billed_monthly: plan.monthly(plan.billed_cost()).into(),
            upfront: plan.upfront().into(),
            obligation: bought.iter().map(Bought::obligation).sum::<Decimal>().into(),
            cash_break_even_month: plan.cash_break_even_month(),
            break_even_usage: cases::break_even_usage(problem, plan)?,
            before: total(plan.before(), Money::ZERO)?,
            acted: total(plan.after_actions(), plan.one_off())?,
            after: total(plan.after(), plan.one_off())?,
            purchases,
            actions: actions::actions(problem, plan)?,
            held: held(problem, plan)?,
            rules: if settings.price_limits { rules(problem, plan, &settings)? } else { Vec::new() },
            baselines: baselines(plan)?,
            cases,
            repriced: actions::repriced(problem, plan)?,
            low_case,
            finance: finance.view(tornado)?,
            days: evidence::days(plan, usage)?,
            week: evidence::week(problem, plan, usage)?,
            load_duration: evidence::load_duration(problem, plan, usage)?,
            coverage: coverage(problem, plan, &settings)?,
            ladder: ladder(problem, plan, &bought, &settings, until),
            sweeps: plan.sweeps() as u64,
            seconds: number(plan.time().as_secs_f64())?,
        };
        let explanations: Vec<Vec<String>> = {
            let reader = Reader::new(&report);
            let plain = |spans: &Vec<Span>| document::plain(spans);
            (0..report.purchases.len()).map(|index| explain::sentences(&reader, index).iter().map(plain).collect()).collect()
        };
        for (purchase, explanation) in report.purchases.iter_mut().zip(explanations) {
            purchase.explanation = explanation;
        }
        Ok(report)
    }
}

/// A number of the mathematics as a figure.
pub(super) fn number(value: f64) -> Result<Figure> {
    Figure::from_f64(value).ok_or_else(|| Wrong::NotFinite { value: value.to_string() }.into())
}

fn share(value: Option<f64>) -> Result<Option<Figure>> {
    value.map(number).transpose()
}

/// An error of the room `finance`, with the report as its place.
pub(super) fn finance_error(error: crate::finance::Error) -> Error {
    let problem = Wrong::OutOfRange { value: error.to_string(), range: "what cash flows can be made of" };
    Error::from(problem).in_field("report.finance").caused_by(error)
}

fn first_usage<'a>(problem: &Problem<'a>) -> Result<&'a UsageCurves> {
    problem.usages().next().ok_or_else(|| Wrong::Empty { what: "usage given to the planner" }.into())
}

/// The purchases with their commitments and reasons.
fn bought<'p>(problem: &Problem<'_>, plan: &'p Plan, settings: &Settings, until: DateTime<Utc>) -> Result<Vec<Bought<'p>>> {
    let mut reasons = problem.explain(plan.solution())?;
    let mut commitments = problem.commitments(&plan.solution().steps);
    let mut all = Vec::with_capacity(commitments.len());
    for purchase in plan.purchases() {
        let is_it = |commitment: &Commitment| {
            commitment.offer == purchase.offer.id
                && commitment.scope == purchase.scope
                && commitment.quantity == purchase.quantity
        };
        let Some(at) = commitments.iter().position(is_it) else { continue };
        let commitment = commitments.remove(at);
        let reason = reasons.iter().position(|reason| reason.purchase == commitment.id).map(|at| reasons.remove(at));
        let start = if problem.is_dated() {
            commitment.start
        } else {
            settings.purchase_date.map_or(until, |day| day.and_time(NaiveTime::MIN).and_utc())
        };
        all.push(Bought { purchase, start, end: purchase.offer.term.end(start), commitment, reason });
    }
    Ok(all)
}

fn purchase(problem: &Problem<'_>, plan: &Plan, bought: &Bought<'_>) -> Result<Purchase> {
    let (offer, row) = (bought.offer(), bought.purchase);
    let sku = match &offer.benefit {
        Benefit::Reservation { sku, .. } => problem.catalog().price_with_id(sku).map(|price| &price.sku),
        Benefit::SpendPlan { .. } => None,
    };
    let billed = plan.after().commitments().iter().find(|billed| billed.id == bought.commitment.id);
    let savings = billed.map_or(Money::ZERO, |billed| plan.monthly(billed.covered - billed.charges.commitment()));
    let step = problem.candidates().iter().find(|candidate| candidate.purchase_id(problem.is_dated()) == bought.commitment.id);
    let reason = bought.reason.as_ref();
    Ok(Purchase {
        id: bought.commitment.id.clone(),
        offer: offer.id.clone(),
        provider_id: offer.provider_id.clone(),
        provider: offer.provider.to_string(),
        service: offer.service.clone(),
        region: offer.region.clone(),
        kind: if offer.is_spend_plan() { "spend_plan" } else { "reservation" }.into(),
        subject: sku.map_or_else(|| offer.subject(), |sku| sku.sku.clone()),
        platform: sku.map(|sku| sku.platform.clone()).unwrap_or_default(),
        tenancy: sku.map(|sku| sku.tenancy.clone()).unwrap_or_default(),
        scope: super::table::scope(&row.scope).into(),
        term: offer.term.to_string(),
        payment_option: offer.payment_option.slug().replace('-', "_"),
        rights: offer.rights.iter().map(|right| right_name(*right)).collect(),
        start: bought.start.date_naive(),
        end: bought.end.date_naive(),
        quantity: row.quantity.into(),
        quantity_unit: if offer.is_spend_plan() {
            format!("{} an hour", problem.catalog().currency())
        } else {
            "reservations".into()
        },
        upfront: row.upfront.into(),
        recurring_hourly: (offer.recurring.value() * row.quantity).into(),
        effective_hourly: bought.effective_hourly().into(),
        monthly: row.monthly.into(),
        covered_on_demand_monthly: row.covered_monthly.into(),
        savings_monthly: savings.into(),
        utilisation: share(row.utilisation)?,
        break_even_month: row.break_even_month,
        break_even_utilisation: reason
            .map(|reason| reason.break_even_utilisation)
            .filter(|share| share.is_finite())
            .map(number)
            .transpose()?,
        step: step.map_or(Decimal::ONE, |candidate| candidate.step).into(),
        change_with_one_more: reason.and_then(|reason| reason.value_of_one_more).map(|value| number(-value)).transpose()?,
        change_with_one_less: reason.and_then(|reason| reason.value_of_one_less).map(number).transpose()?,
        stopped_by: reason.map(|reason| reason.stopped_by.clone()).unwrap_or_default(),
        explanation: Vec::new(),
        price_derived: offer.derived.clone(),
    })
}

/// A right as in files: `exchange`, `trade_in`.
fn right_name(right: Right) -> String {
    serde_json::to_value(right).ok().and_then(|name| name.as_str().map(str::to_owned)).unwrap_or_default()
}

fn charges(plan: &Plan, total: billing::Charges, given_up: Money) -> Result<Charges> {
    Ok(Charges {
        on_demand_equivalent: total.on_demand_equivalent.into(),
        on_demand: (total.on_demand - total.sustained_use_discount).into(),
        used_commitment: total.used_commitment.into(),
        unused_commitment: total.unused_commitment.into(),
        given_up: given_up.into(),
        cost: (total.cost() + given_up).into(),
        cost_monthly: plan.monthly(total.cost() + given_up).into(),
        effective_savings_rate_list: share(total.effective_savings_rate_list())?,
        coverage: share(total.coverage())?,
        utilisation: share(total.utilisation())?,
    })
}

fn held(problem: &Problem<'_>, plan: &Plan) -> Result<Vec<Held>> {
    let portfolio = problem.portfolio();
    let mut held = Vec::new();
    for commitment in portfolio.commitments() {
        let offer = portfolio.offer(problem.catalog(), commitment)?;
        let billed = plan.after().commitments().iter().find(|billed| billed.id == commitment.id);
        held.push(Held {
            id: commitment.id.clone(),
            offer: commitment.offer.clone(),
            quantity: commitment.quantity.into(),
            end: commitment.end.date_naive(),
            effective_hourly: (offer.effective_hourly().value() * commitment.quantity).into(),
            utilisation: share(billed.and_then(billing::CommitmentBill::utilisation))?,
        });
    }
    held.sort_by(|a, b| a.end.cmp(&b.end).then_with(|| a.id.cmp(&b.id)));
    Ok(held)
}

fn baselines(plan: &Plan) -> Result<Vec<Baseline>> {
    let mut rows = Vec::new();
    for baseline in plan.baselines() {
        rows.push(Baseline {
            rule: baseline.rule.to_string(),
            billed_cost: number(baseline.billed_cost)?,
            more_than_plan: number(baseline.billed_cost - plan.objective())?,
            allowed_by_policy: baseline.is_allowed,
        });
    }
    rows.sort_by(|a, b| a.billed_cost.cmp(&b.billed_cost).then_with(|| a.rule.cmp(&b.rule)));
    Ok(rows)
}

fn search(settings: &Settings, relative_gap: f64) -> Options<'static> {
    Options { relative_gap, time_limit: settings.time_limit, progress: None }
}

/// The limits whose loosening by a tenth lowers the cost by more than the searches' tolerance.
fn rules(problem: &Problem<'_>, plan: &Plan, settings: &Settings) -> Result<Vec<RulePrice>> {
    let mut rules = Vec::new();
    for (rule, points) in problem.cost_by_limit(&[1.0, 0.9, 1.1], &search(settings, 5e-4))? {
        let Some((limit, cost)) = points.first().and_then(|point| Some((point.at, point.cost?))) else { continue };
        let looser = points.iter().skip(1).filter_map(|point| Some((point.at, point.cost?)));
        let Some((loosened, least)) = looser.min_by(|a, b| a.1.total_cmp(&b.1)) else { continue };
        if cost - least > 2e-4 * plan.objective().abs() {
            rules.push(RulePrice {
                rule: rule.into(),
                limit: number(limit)?,
                loosened: number(loosened)?,
                price: number(cost - least)?,
            });
        }
    }
    rules.sort_by(|a, b| b.price.cmp(&a.price).then_with(|| a.rule.cmp(&b.rule)));
    Ok(rules)
}

fn coverage(problem: &Problem<'_>, plan: &Plan, settings: &Settings) -> Result<CoverageCurve> {
    let mut points = Vec::new();
    for point in problem.cost_by_coverage(&settings.coverage_levels, &search(settings, 4e-3))? {
        if let Some(cost) = point.cost {
            points.push(CoveragePoint { coverage: number(point.at)?, cost: number(cost)? });
        }
    }
    let at = |bill: &Bill, cost: Money| -> Result<Option<CoveragePoint>> {
        let Some(coverage) = bill.total().coverage() else { return Ok(None) };
        Ok(Some(CoveragePoint { coverage: number(coverage)?, cost: cost.into() }))
    };
    let before = plan.before();
    Ok(CoverageCurve { points, today: at(before, before.total().cost())?, plan: at(plan.after(), plan.billed_cost())? })
}

/// The committed cost an hour on the first of each month, until all has ended.
fn ladder(
    problem: &Problem<'_>,
    plan: &Plan,
    bought: &[Bought<'_>],
    settings: &Settings,
    until: DateTime<Utc>,
) -> Vec<LadderMonth> {
    struct Step {
        start: DateTime<Utc>,
        end: DateTime<Utc>,
        hourly: Decimal,
        group: usize,
    }
    let kept = actions::kept(problem, plan);
    let held = kept.into_iter().filter_map(|commitment| {
        let offer = plan.portfolio().offer(problem.catalog(), commitment).ok()?;
        let hourly = offer.effective_hourly().value() * commitment.quantity;
        Some(Step { start: commitment.start, end: commitment.end, hourly, group: 0 })
    });
    let purchases = bought.iter().map(|bought| Step {
        start: bought.start,
        end: bought.end,
        hourly: bought.effective_hourly(),
        group: if bought.offer().term.nominal_months() <= 12 { 1 } else { 2 },
    });
    let steps: Vec<Step> = held.chain(purchases).collect();
    let from = if problem.is_dated() {
        steps.iter().map(|step| step.start).min()
    } else {
        Some(settings.purchase_date.map_or(until, |day| day.and_time(NaiveTime::MIN).and_utc()))
    };
    let (Some(from), Some(end)) = (from, steps.iter().map(|step| step.end).max()) else { return Vec::new() };
    let mut months = Vec::new();
    let mut month = Month::containing(from);
    // To the first month in which nothing runs any more; ten years are enough for a picture.
    while months.len() < 120 {
        let (first, next) = (month.start().max(from), month.next().start());
        let mut committed = [Decimal::ZERO; 3];
        let mut expiring = Decimal::ZERO;
        for step in &steps {
            if step.start <= first && first < step.end {
                committed[step.group] += step.hourly;
            }
            if first < step.end && step.end <= next {
                expiring += step.hourly;
            }
        }
        let [held, one_year, longer] = committed.map(Figure::new);
        months.push(LadderMonth { month: month.to_string(), held, one_year, longer, expiring: expiring.into() });
        if month.start() >= end {
            break;
        }
        month = month.next();
    }
    months
}

/// A usage billed with what is held, after the actions, and with the purchases too.
pub(super) struct Bills {
    pub(super) before: Bill,
    pub(super) acted: Bill,
    pub(super) after: Bill,
}

pub(super) fn bills(problem: &Problem<'_>, plan: &Plan, usage: &UsageCurves) -> Result<Bills> {
    let bill = |portfolio: &_| Ok::<_, Error>(Judge::new(usage, problem.catalog(), portfolio, problem.rules())?.bill());
    let before = bill(problem.portfolio())?;
    let is_changed = plan.actions().iter().any(|action| action.change.is_some());
    let acted = if is_changed { bill(&actions::portfolio_after_actions(problem, plan)?)? } else { before.clone() };
    Ok(Bills { before, acted, after: bill(plan.portfolio())? })
}

/// An f64 of a decimal a month, for ratios.
pub(super) fn ratio(part: Decimal, whole: Decimal) -> Option<f64> {
    (!whole.is_zero()).then(|| to_f64(part / whole))
}
