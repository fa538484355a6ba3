//! The best purchase calendar of one product: how much to buy at each date, each purchase running for the same term, when demand is known
//! (perfect foresight) or given as weighted scenarios.
//!
//! Let B_i be everything bought up to date i. What is held in a stretch of hours is B_hi - B_lo, so the cost is a sum of convex functions of
//! differences, an L-natural-convex function (Murota 2003, "Discrete Convex Analysis", chapter 7). Steepest descent with scaling (chapter 10
//! there) finds its minimum over whole lots exactly: each step moves the set of dates that lowers the cost most, which is a minimum cut
//! over a graph of the dates. No solver is needed. Formulas: `docs/formulation-scenario.md`, "The purchase calendar".

use super::forecast::count;
use crate::error::{Error, Problem, Result};

/// One product that is bought at several dates.
#[derive(Clone, Debug)]
pub struct Calendar<'a> {
    /// Demand by hour, of each scenario with its probability; all of one length. Unit: what one commitment covers in an hour.
    pub demand: &'a [(f64, Vec<f64>)],
    /// The hours (indices of the demand) at which something can be bought, ascending.
    pub dates: &'a [usize],
    /// How many hours a purchase runs.
    pub term_hours: usize,
    /// The cost of a commitment in an hour, as a share of the on-demand price: 1 - discount.
    pub rate: f64,
    /// What is held already in each hour; none if empty.
    pub held: &'a [f64],
    /// The step in which it is bought.
    pub lot: f64,
}

/// A stretch of hours with the same purchases running: those of dates `from..=until`.
struct Stretch {
    from: usize,
    until: usize,
    cost: Convex,
}

/// The cost of a stretch as a function of what is held: on-demand for what exceeds it, plus the commitment.
struct Convex {
    /// Demand above what was held before, ascending, and the weight of what lies above each, summed from the end.
    values: Vec<f64>,
    weight_above: Vec<f64>,
    amount_above: Vec<f64>,
    /// Cost of holding one unit through the stretch.
    slope: f64,
}

impl Convex {
    fn new(mut points: Vec<(f64, f64)>, slope: f64) -> Self {
        points.sort_by(|a, b| a.0.total_cmp(&b.0));
        let mut weight_above = vec![0.0; points.len() + 1];
        let mut amount_above = vec![0.0; points.len() + 1];
        for index in (0..points.len()).rev() {
            weight_above[index] = weight_above[index + 1] + points[index].1;
            amount_above[index] = amount_above[index + 1] + points[index].0 * points[index].1;
        }
        Self { values: points.into_iter().map(|point| point.0).collect(), weight_above, amount_above, slope }
    }

    fn at(&self, level: f64) -> f64 {
        let above = self.values.partition_point(|value| *value <= level);
        self.amount_above[above] - level * self.weight_above[above] + self.slope * level
    }
}

/// What to buy, and what it costs.
#[derive(Clone, Debug, PartialEq)]
pub struct Purchases {
    /// Quantity bought at each date.
    pub quantity: Vec<f64>,
    /// Expected cost over all hours, in on-demand prices of one unit, with what was held already at no charge.
    pub cost: f64,
}

impl Calendar<'_> {
    /// The cheapest purchases in whole lots.
    ///
    /// # Errors
    /// [`Problem::Empty`] without demand or dates, [`Problem::OutOfRange`] for dates that do not ascend within the hours, a rate outside of
    /// 0 to 1, a lot or term that is not above 0, and scenarios of different lengths.
    pub fn solve(&self) -> Result<Purchases> {
        let hours = self.check()?;
        let (before, stretches) = self.stretches(hours);
        let mut bought = vec![0.0; self.dates.len()];
        let largest = self.demand.iter().flat_map(|scenario| &scenario.1).fold(0.0_f64, |largest, value| largest.max(*value));
        let mut step = self.lot;
        while step * 2.0 < largest {
            step *= 2.0;
        }
        loop {
            while descend(&stretches, &mut bought, step) || descend(&stretches, &mut bought, -step) {}
            if step <= self.lot {
                break;
            }
            step /= 2.0;
        }
        let quantity =
            (0..bought.len()).map(|date| if date == 0 { bought[0] } else { bought[date] - bought[date - 1] }).collect();
        Ok(Purchases { quantity, cost: before + total(&stretches, &bought) })
    }

    fn check(&self) -> Result<usize> {
        let wrong = |value: String, range: &'static str, field: &str| {
            Err(Error::from(Problem::OutOfRange { value, range }).in_field(field.to_owned()))
        };
        let hours = self.demand.first().map_or(0, |scenario| scenario.1.len());
        if hours == 0 || self.dates.is_empty() {
            return Err(Problem::Empty { what: "demand or purchase date" }.into());
        }
        if let Some(other) = self.demand.iter().find(|scenario| scenario.1.len() != hours) {
            return wrong(other.1.len().to_string(), "as many hours in every scenario", "demand");
        }
        if !self.held.is_empty() && self.held.len() != hours {
            return wrong(self.held.len().to_string(), "one value for each hour of demand", "held");
        }
        if let Some(pair) = self.dates.windows(2).find(|pair| pair[0] >= pair[1]) {
            return wrong(pair[1].to_string(), "dates that ascend", "dates");
        }
        if let Some(late) = self.dates.last().filter(|date| **date >= hours) {
            return wrong(late.to_string(), "dates within the hours of demand", "dates");
        }
        if !(0.0..=1.0).contains(&self.rate) {
            return wrong(self.rate.to_string(), "0 to 1", "rate");
        }
        if !(self.lot > 0.0 && self.lot.is_finite()) || self.term_hours == 0 {
            return wrong(self.lot.to_string(), "lots and terms above 0", "lot");
        }
        Ok(hours)
    }

    /// The cost of the hours before the first date and of hours that nothing bought reaches, and all other hours in stretches.
    fn stretches(&self, hours: usize) -> (f64, Vec<Stretch>) {
        let mut edges: Vec<usize> = self.dates.iter().flat_map(|date| [*date, date + self.term_hours]).collect();
        edges.extend([0, hours]);
        edges.retain(|edge| *edge <= hours);
        edges.sort_unstable();
        edges.dedup();
        let mut before = 0.0;
        let mut stretches = Vec::new();
        for pair in edges.windows(2) {
            let running = |date: &usize| *date <= pair[0] && date + self.term_hours > pair[0];
            let first = self.dates.iter().position(running);
            let points: Vec<(f64, f64)> = self
                .demand
                .iter()
                .flat_map(|(probability, demand)| {
                    (pair[0]..pair[1]).map(|hour| {
                        let held = self.held.get(hour).copied().unwrap_or(0.0);
                        ((demand[hour] - held).max(0.0), *probability)
                    })
                })
                .collect();
            let weight: f64 = self.demand.iter().map(|scenario| scenario.0).sum();
            let cost = Convex::new(points, self.rate * weight * count(pair[1] - pair[0]));
            match (first, self.dates.iter().rposition(running)) {
                (Some(from), Some(until)) => stretches.push(Stretch { from, until, cost }),
                _ => before += cost.at(0.0),
            }
        }
        (before, stretches)
    }
}

fn held(stretch: &Stretch, bought: &[f64]) -> f64 {
    bought[stretch.until] - if stretch.from == 0 { 0.0 } else { bought[stretch.from - 1] }
}

fn total(stretches: &[Stretch], bought: &[f64]) -> f64 {
    stretches.iter().map(|stretch| stretch.cost.at(held(stretch, bought))).sum()
}

/// Moves the set of dates whose common move by `step` lowers the cost most; whether there was one.
fn descend(stretches: &[Stretch], bought: &mut [f64], step: f64) -> bool {
    const NEVER: f64 = 1e30;
    let count = bought.len();
    let (source, sink) = (count, count + 1);
    let mut capacity = vec![vec![0.0; count + 2]; count + 2];
    // Cost of moving a date alone: to the sink's side costs nothing, to the source's side costs this.
    let mut alone = vec![0.0; count];
    for stretch in stretches {
        let now = held(stretch, bought);
        let upper = stretch.cost.at(now + step) - stretch.cost.at(now);
        if stretch.from == 0 {
            alone[stretch.until] += upper;
        } else {
            let lower = stretch.cost.at(now - step) - stretch.cost.at(now);
            alone[stretch.until] -= lower;
            alone[stretch.from - 1] += lower;
            capacity[stretch.until][stretch.from - 1] += (upper + lower).max(0.0);
        }
    }
    // What is bought at a date must not become negative.
    for date in 0..count {
        let room = bought[date] - if date == 0 { 0.0 } else { bought[date - 1] };
        if room + 1e-9 < step.abs() {
            match (step > 0.0, date) {
                (true, 0) => {}
                (true, _) => capacity[date - 1][date] += NEVER,
                (false, 0) => alone[0] += NEVER,
                (false, _) => capacity[date][date - 1] += NEVER,
            }
        }
    }
    for (date, cost) in alone.iter().enumerate() {
        if *cost > 0.0 { capacity[date][sink] += cost } else { capacity[source][date] -= cost }
    }
    let moved = source_side(&mut capacity, source, sink);
    let mut next = bought.to_vec();
    for date in 0..count {
        if moved[date] {
            next[date] += step;
        }
    }
    let (old, new) = (total(stretches, bought), total(stretches, &next));
    let better = new < old - 1e-9 * old.abs().max(1e-9);
    if better {
        bought.copy_from_slice(&next);
    }
    better
}

/// The source's side of a minimum cut (Edmonds and Karp 1972: augment along shortest paths); `capacity` becomes the residual graph.
fn source_side(capacity: &mut [Vec<f64>], source: usize, sink: usize) -> Vec<bool> {
    let largest = capacity[source].iter().fold(0.0_f64, |largest, value| largest.max(*value));
    let tiny = 1e-13 * largest.max(1e-9);
    loop {
        let mut reached_from = vec![usize::MAX; capacity.len()];
        reached_from[source] = source;
        let mut queue = std::collections::VecDeque::from([source]);
        while let Some(node) = queue.pop_front() {
            for other in 0..capacity.len() {
                if reached_from[other] == usize::MAX && capacity[node][other] > tiny {
                    reached_from[other] = node;
                    queue.push_back(other);
                }
            }
        }
        if reached_from[sink] == usize::MAX {
            return reached_from.iter().map(|from| *from != usize::MAX).collect();
        }
        let path: Vec<(usize, usize)> = std::iter::successors(Some(sink), |node| Some(reached_from[*node]))
            .take_while(|node| *node != source)
            .map(|node| (reached_from[node], node))
            .collect();
        let flow = path.iter().map(|(from, to)| capacity[*from][*to]).fold(f64::INFINITY, f64::min);
        for (from, to) in path {
            capacity[from][to] -= flow;
            capacity[to][from] += flow;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The cheapest of all purchases up to a quantity at each date, by trying them.
    fn brute_force(calendar: &Calendar<'_>, most: i32) -> f64 {
        let dates = calendar.dates.len();
        let mut best = f64::INFINITY;
        let all = (most + 1).pow(u32::try_from(dates).unwrap());
        for code in 0..all {
            let mut rest = code;
            let quantity: Vec<f64> = (0..dates)
                .map(|_| {
                    let one = rest % (most + 1);
                    rest /= most + 1;
                    f64::from(one)
                })
                .collect();
            let mut cost = 0.0;
            for (probability, demand) in calendar.demand {
                for (hour, demand) in demand.iter().enumerate() {
                    let running = |date: usize| date <= hour && hour < date + calendar.term_hours;
                    let level: f64 =
                        calendar.dates.iter().zip(&quantity).filter(|pair| running(*pair.0)).map(|pair| pair.1).sum();
                    let old = calendar.held.get(hour).copied().unwrap_or(0.0);
                    cost += probability * ((demand - old - level).max(0.0) + calendar.rate * level);
                }
            }
            best = best.min(cost);
        }
        best
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(60))]

        #[test]
        fn it_is_the_cheapest_of_all_calendars(
            demand in prop::collection::vec(prop::collection::vec(0_u8..5, 14), 1..3),
            held in prop::collection::vec(0_u8..2, 14),
            dates in prop::sample::subsequence((0..14_usize).collect::<Vec<_>>(), 1..5),
            term_hours in 2_usize..10,
            rate in 0.3_f64..0.95,
        ) {
            let share = 1.0 / count(demand.len());
            let demand: Vec<(f64, Vec<f64>)> = demand.into_iter().map(|one| (share, one.into_iter().map(f64::from).collect())).collect();
            let held: Vec<f64> = held.into_iter().map(f64::from).collect();
            let calendar = Calendar { demand: &demand, dates: &dates, term_hours, rate, held: &held, lot: 1.0 };
            let found = calendar.solve().unwrap();
            prop_assert!(found.quantity.iter().all(|quantity| *quantity >= 0.0));
            let best = brute_force(&calendar, 4);
            prop_assert!((found.cost - best).abs() < 1e-9, "{} against {best}", found.cost);
        }
    }

    #[test]
    fn bad_calendars_are_refused() {
        let demand = [(1.0, vec![1.0; 5])];
        let good = Calendar { demand: &demand, dates: &[0, 2], term_hours: 3, rate: 0.7, held: &[], lot: 1.0 };
        assert!(good.solve().is_ok());
        for bad in [
            Calendar { dates: &[], ..good.clone() },
            Calendar { dates: &[2, 1], ..good.clone() },
            Calendar { dates: &[7], ..good.clone() },
            Calendar { rate: 1.5, ..good.clone() },
            Calendar { lot: 0.0, ..good.clone() },
            Calendar { held: &[1.0], ..good.clone() },
        ] {
            assert!(bad.solve().is_err());
        }
    }
}
