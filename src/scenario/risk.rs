//! What a decision costs over scenarios: expectation, tails, regret, and what it is worth to know or to wait.
//!
//! Conditional value at risk is that of Rockafellar and Uryasev (2002) for discrete distributions; expected value of perfect information
//! and value of the stochastic solution are those of Birge and Louveaux, "Introduction to Stochastic Programming", chapter 4. Formulas:
//! `docs/formulation-scenario.md`, "Risk".

use super::ladder::{Calendar, Purchases};
use crate::error::{Error, Problem, Result};
use serde::Serialize;

/// What may be decided, and what each decision costs in each scenario.
#[derive(Clone, Debug, PartialEq)]
pub struct Decisions {
    probability: Vec<f64>,
    /// One row a decision, one column a scenario.
    cost: Vec<Vec<f64>>,
}

/// The risk of one decision, in the unit of its costs.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Risk {
    /// Mean cost.
    pub expected: f64,
    /// Mean of the costliest share of outcomes (conditional value at risk).
    pub conditional_value_at_risk: f64,
    /// The highest cost.
    pub worst: f64,
    /// The highest cost above the cheapest decision of the same scenario.
    pub largest_regret: f64,
    /// The mean of that excess.
    pub expected_regret: f64,
    /// How far the cost may lie above its mean at the level asked for: budget at risk.
    pub budget_at_risk: f64,
}

impl Decisions {
    /// Decisions by their costs.
    ///
    /// # Errors
    /// [`Problem::Empty`], [`Problem::Probabilities`], [`Problem::OutOfRange`] for a row of another length than the probabilities,
    /// [`Problem::NotFinite`].
    pub fn new(probability: Vec<f64>, cost: Vec<Vec<f64>>) -> Result<Self> {
        let names: Vec<String> = (0..probability.len()).map(|index| format!("scenario {index}")).collect();
        let named: Vec<(&str, f64)> = names.iter().map(String::as_str).zip(probability.iter().copied()).collect();
        super::check_probabilities(&named)?;
        if cost.is_empty() {
            return Err(Problem::Empty { what: "decision" }.into());
        }
        for (row, costs) in cost.iter().enumerate() {
            if costs.len() != probability.len() {
                let problem =
                    Problem::OutOfRange { value: format!("{} costs", costs.len()), range: "one cost for each scenario" };
                return Err(Error::from(problem).in_item(format!("decision {row}")));
            }
            if let Some(bad) = costs.iter().find(|cost| !cost.is_finite()) {
                return Err(Error::from(Problem::NotFinite { value: bad.to_string() }).in_item(format!("decision {row}")));
            }
        }
        Ok(Self { probability, cost })
    }

    /// The risk of a decision; `level` is the share of outcomes that are not in the tail, such as 0.95.
    ///
    /// # Errors
    /// [`Problem::OutOfRange`] for a level outside of 0 to below 1 or a decision that is not there.
    pub fn risk(&self, decision: usize, level: f64) -> Result<Risk> {
        check_level(level)?;
        let cost = self.cost.get(decision).ok_or_else(|| {
            Error::from(Problem::OutOfRange { value: decision.to_string(), range: "the decisions there are" })
                .in_field("decision")
        })?;
        let best = self.cheapest_by_scenario();
        let regret: Vec<f64> = cost.iter().zip(&best).map(|(cost, best)| cost - best).collect();
        let expected = self.mean(cost);
        Ok(Risk {
            expected,
            conditional_value_at_risk: conditional_value_at_risk(&self.probability, cost, level),
            worst: cost.iter().copied().fold(f64::NEG_INFINITY, f64::max),
            largest_regret: regret.iter().copied().fold(0.0, f64::max),
            expected_regret: self.mean(&regret),
            budget_at_risk: value_at_risk(&self.probability, cost, level) - expected,
        })
    }

    /// The decision with the least `(1 - weight) * expected + weight * conditional value at risk`; of equals, the one with less risk, then
    /// the first. More weight never raises the conditional value at risk of the choice.
    ///
    /// # Errors
    /// [`Problem::OutOfRange`] for a weight outside of 0 to 1, and as [`Decisions::risk`].
    pub fn choose(&self, level: f64, weight: f64) -> Result<usize> {
        check_level(level)?;
        if !(0.0..=1.0).contains(&weight) {
            return Err(Error::from(Problem::OutOfRange { value: weight.to_string(), range: "0 to 1" }).in_field("weight"));
        }
        let key = |row: &Vec<f64>| {
            let tail = conditional_value_at_risk(&self.probability, row, level);
            ((1.0 - weight) * self.mean(row) + weight * tail, tail)
        };
        let keys: Vec<(f64, f64)> = self.cost.iter().map(key).collect();
        let order =
            |left: &usize, right: &usize| keys[*left].0.total_cmp(&keys[*right].0).then(keys[*left].1.total_cmp(&keys[*right].1));
        Ok((0..keys.len()).min_by(order).unwrap_or(0))
    }

    /// Expected value of perfect information: the least expected cost, less the expectation of the least cost. Not negative.
    #[must_use]
    pub fn value_of_perfect_information(&self) -> f64 {
        self.least_expected() - self.mean(&self.cheapest_by_scenario())
    }

    /// Value of the stochastic solution: the expected cost of the decision that is best for the mean future, less the least expected cost.
    /// Not negative.
    ///
    /// # Errors
    /// As [`Decisions::risk`].
    pub fn value_of_the_stochastic_solution(&self, best_for_the_mean: usize) -> Result<f64> {
        Ok(self.risk(best_for_the_mean, 0.0)?.expected - self.least_expected())
    }

    fn mean(&self, cost: &[f64]) -> f64 {
        self.probability.iter().zip(cost).map(|(probability, cost)| probability * cost).sum()
    }

    fn least_expected(&self) -> f64 {
        self.cost.iter().map(|cost| self.mean(cost)).fold(f64::INFINITY, f64::min)
    }

    fn cheapest_by_scenario(&self) -> Vec<f64> {
        let column = |scenario: usize| self.cost.iter().map(|cost| cost[scenario]).fold(f64::INFINITY, f64::min);
        (0..self.probability.len()).map(column).collect()
    }
}

/// The probability that a commitment's utilisation (used / committed, one value a scenario) stays below a threshold.
#[must_use]
pub fn probability_of_under_utilisation(probability: &[f64], utilisation: &[f64], threshold: f64) -> f64 {
    probability.iter().zip(utilisation).filter(|pair| *pair.1 < threshold).map(|pair| pair.0).sum()
}

/// Mean of the costliest `1 - level` of the outcomes.
#[must_use]
pub fn conditional_value_at_risk(probability: &[f64], cost: &[f64], level: f64) -> f64 {
    let tail = 1.0 - level;
    let (mut left, mut sum) = (tail, 0.0);
    for (cost, probability) in costliest_first(probability, cost) {
        let taken = probability.min(left);
        sum += taken * cost;
        left -= taken;
        if left <= 0.0 {
            break;
        }
    }
    // What rounding left of the tail has no outcome; the outcomes taken share it.
    sum / (tail - left.max(0.0))
}

/// The smallest cost that is not exceeded with probability `level`.
#[must_use]
pub fn value_at_risk(probability: &[f64], cost: &[f64], level: f64) -> f64 {
    let mut above = 0.0;
    let mut last = f64::NAN;
    for (cost, probability) in costliest_first(probability, cost) {
        last = cost;
        above += probability;
        if above > 1.0 - level + 1e-12 {
            break;
        }
    }
    last
}

fn costliest_first(probability: &[f64], cost: &[f64]) -> Vec<(f64, f64)> {
    let mut pairs: Vec<(f64, f64)> = cost.iter().copied().zip(probability.iter().copied()).collect();
    pairs.sort_by(|left, right| right.0.total_cmp(&left.0));
    pairs
}

fn check_level(level: f64) -> Result<()> {
    if (0.0..1.0).contains(&level) {
        return Ok(());
    }
    Err(Error::from(Problem::OutOfRange { value: level.to_string(), range: "0 to below 1" }).in_field("level"))
}

/// Buying now against buying later, for one product.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Waiting {
    /// Expected cost of the best purchase now, with none later.
    pub all_now: f64,
    /// Expected cost of buying half of it now and half later, whatever happens.
    pub half_now: f64,
    /// Expected cost of buying nothing now and the best amount later, knowing the branch.
    pub wait: f64,
    /// Expected cost of the best amount now and the best amount later, knowing the branch.
    pub two_stage: f64,
    /// How much the best two-stage decision buys now.
    pub now: f64,
    /// How much it buys later in each branch.
    pub later: Vec<f64>,
}

impl Waiting {
    /// What the right to decide later is worth: not negative.
    #[must_use]
    pub fn value(&self) -> f64 {
        self.all_now - self.two_stage
    }
}

/// Compares buying one product now, half now and half later, later, and in two stages. The calendar's two dates are now and later;
/// `branch` says for each scenario which branch it belongs to, known by the later date (0 is the first; scenarios of one branch cannot be
/// told apart then).
///
/// # Errors
/// [`Problem::OutOfRange`] unless there are two dates and a branch for each scenario, and as [`Calendar::solve`].
pub fn value_of_waiting(calendar: &Calendar<'_>, branch: &[usize]) -> Result<Waiting> {
    let [now, later] = *calendar.dates else {
        let problem = Problem::OutOfRange { value: format!("{} dates", calendar.dates.len()), range: "two dates: now and later" };
        return Err(Error::from(problem).in_field("dates"));
    };
    if branch.len() != calendar.demand.len() {
        let problem = Problem::OutOfRange { value: format!("{} branches", branch.len()), range: "one branch for each scenario" };
        return Err(Error::from(problem).in_field("branch"));
    }
    let single = Calendar { dates: &[now], ..calendar.clone() }.solve()?;
    let most = calendar.demand.iter().flat_map(|scenario| &scenario.1).fold(0.0_f64, |most, value| most.max(*value));
    let groups: Vec<Vec<(f64, Vec<f64>)>> = (0..=branch.iter().copied().max().unwrap_or(0))
        .map(|group| calendar.demand.iter().zip(branch).filter(|pair| *pair.1 == group).map(|pair| pair.0.clone()).collect())
        .filter(|group: &Vec<_>| !group.is_empty())
        .collect();
    let hours = calendar.demand.first().map_or(0, |scenario| scenario.1.len());
    let weight: f64 = calendar.demand.iter().map(|scenario| scenario.0).sum();
    let running = |hour: usize| (now..now.saturating_add(calendar.term_hours)).contains(&hour);
    // The cost with so much bought now, and what is bought later in each branch.
    let after = |bought: f64| -> Result<(f64, Vec<f64>)> {
        let held: Vec<f64> = (0..hours)
            .map(|hour| calendar.held.get(hour).copied().unwrap_or(0.0) + if running(hour) { bought } else { 0.0 })
            .collect();
        let mut cost = calendar.rate * bought * weight * super::forecast::count((0..hours).filter(|hour| running(*hour)).count());
        let mut later_by_branch = Vec::new();
        for group in &groups {
            let Purchases { quantity, cost: rest } =
                Calendar { demand: group, dates: &[later], held: &held, ..calendar.clone() }.solve()?;
            cost += rest;
            later_by_branch.push(quantity[0]);
        }
        Ok((cost, later_by_branch))
    };
    // Convex in what is bought now: halve the range by the slope at its middle.
    #[allow(clippy::cast_possible_truncation)]
    let (mut low, mut high) = (0_i64, (most / calendar.lot).ceil() as i64);
    #[allow(clippy::cast_precision_loss)]
    let lots = |lots: i64| lots as f64 * calendar.lot;
    while low < high {
        let middle = (low + high).div_euclid(2);
        if after(lots(middle))?.0 <= after(lots(middle + 1))?.0 { high = middle } else { low = middle + 1 }
    }
    let (two_stage, later_by_branch) = after(lots(low))?;
    let half = single.quantity[0] / 2.0;
    Ok(Waiting {
        all_now: single.cost,
        half_now: fixed(calendar, &[half, half]),
        wait: after(0.0)?.0,
        two_stage,
        now: lots(low),
        later: later_by_branch,
    })
}

/// The expected cost of given purchases.
fn fixed(calendar: &Calendar<'_>, quantity: &[f64]) -> f64 {
    let hours = calendar.demand.first().map_or(0, |scenario| scenario.1.len());
    let level: Vec<f64> = (0..hours)
        .map(|hour| {
            let running = |date: usize| (date..date.saturating_add(calendar.term_hours)).contains(&hour);
            calendar.dates.iter().zip(quantity).filter(|pair| running(*pair.0)).map(|pair| pair.1).sum()
        })
        .collect();
    let of = |demand: &[f64]| -> f64 {
        demand
            .iter()
            .zip(&level)
            .enumerate()
            .map(|(hour, (demand, level))| {
                (demand - calendar.held.get(hour).copied().unwrap_or(0.0) - level).max(0.0) + calendar.rate * level
            })
            .sum()
    };
    calendar.demand.iter().map(|(probability, demand)| probability * of(demand)).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn decisions() -> impl Strategy<Value = Decisions> {
        (1_usize..6, 1_usize..6).prop_flat_map(|(scenarios, rows)| {
            let weights = prop::collection::vec(1_u32..100, scenarios);
            let costs = prop::collection::vec(prop::collection::vec(0.0_f64..1000.0, scenarios), rows);
            (weights, costs).prop_map(|(weights, costs)| {
                let sum: u32 = weights.iter().sum();
                let probability = weights.iter().map(|weight| f64::from(*weight) / f64::from(sum)).collect();
                Decisions::new(probability, costs).unwrap()
            })
        })
    }

    proptest! {
        #[test]
        fn information_and_the_stochastic_solution_are_never_worth_less_than_nothing(one in decisions(), pick in any::<prop::sample::Index>()) {
            prop_assert!(one.value_of_perfect_information() >= -1e-9);
            prop_assert!(one.value_of_the_stochastic_solution(pick.index(one.cost.len())).unwrap() >= -1e-9);
        }

        #[test]
        fn more_risk_weight_never_raises_the_tail(one in decisions(), level in 0.0_f64..0.99, weights in prop::collection::vec(0.0_f64..=1.0, 2..6)) {
            let mut weights = weights;
            weights.sort_by(f64::total_cmp);
            let tails: Vec<f64> = weights.iter().map(|weight| {
                let choice = one.choose(level, *weight).unwrap();
                one.risk(choice, level).unwrap().conditional_value_at_risk
            }).collect();
            prop_assert!(tails.windows(2).all(|pair| pair[1] <= pair[0] + 1e-9), "{tails:?}");
        }

        #[test]
        fn measures_are_in_order(one in decisions(), level in 0.0_f64..0.99) {
            let risk = one.risk(0, level).unwrap();
            prop_assert!(risk.expected <= risk.conditional_value_at_risk + 1e-9);
            prop_assert!(risk.conditional_value_at_risk <= risk.worst + 1e-9);
            prop_assert!(risk.expected_regret >= -1e-9 && risk.expected_regret <= risk.largest_regret + 1e-9);
            prop_assert!(risk.expected + risk.budget_at_risk <= risk.conditional_value_at_risk + 1e-9);
        }

        #[test]
        fn deciding_in_two_stages_is_never_worse(
            demand in prop::collection::vec(prop::collection::vec(0_u8..8, 20), 2..5),
            later in 1_usize..12, rate in 0.3_f64..0.95,
        ) {
            let share = 1.0 / super::super::forecast::count(demand.len());
            let demand: Vec<(f64, Vec<f64>)> = demand.into_iter().map(|one| (share, one.into_iter().map(f64::from).collect())).collect();
            let branch: Vec<usize> = (0..demand.len()).map(|index| index % 2).collect();
            let calendar = Calendar { demand: &demand, dates: &[0, later], term_hours: 15, rate, held: &[], lot: 1.0 };
            let found = value_of_waiting(&calendar, &branch).unwrap();
            prop_assert!(found.value() >= -1e-9);
            prop_assert!(found.two_stage <= found.wait + 1e-9);
            // Knowing nothing at the later date is the calendar itself.
            let blind = value_of_waiting(&calendar, &vec![0; demand.len()]).unwrap();
            let open = calendar.solve().unwrap();
            prop_assert!((blind.two_stage - open.cost).abs() < 1e-9, "{} against {}", blind.two_stage, open.cost);
        }
    }

    #[test]
    fn a_known_tail() {
        let one = Decisions::new(vec![0.5, 0.4, 0.1], vec![vec![10.0, 20.0, 100.0]]).unwrap();
        let risk = one.risk(0, 0.8).unwrap();
        assert!((risk.conditional_value_at_risk - 60.0).abs() < 1e-12); // a tenth at 100, a tenth at 20
        assert!((risk.budget_at_risk - (20.0 - 23.0)).abs() < 1e-12);
        assert!((probability_of_under_utilisation(&[0.5, 0.4, 0.1], &[0.9, 0.7, 0.2], 0.8) - 0.5).abs() < 1e-12);
    }

    #[test]
    fn bad_figures_are_refused() {
        let message = Decisions::new(vec![0.5, 0.4], vec![vec![1.0, 2.0]]).unwrap_err().to_string();
        assert!(message.contains("0.9") && message.contains("scenario 1 0.4"), "{message}");
        assert!(Decisions::new(vec![1.0], vec![vec![f64::NAN]]).is_err());
        assert!(Decisions::new(vec![1.0], vec![vec![1.0, 2.0]]).is_err());
        assert!(Decisions::new(vec![1.0], vec![vec![1.0]]).unwrap().risk(0, 1.0).is_err());
    }
}
