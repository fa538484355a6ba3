//! Spot beside commitments, against brute force over purchases and over what runs on spot in every hour.

use super::*;
use crate::billing::Judge;

/// Exact enough that only rounding is left.
fn exact() -> Options<'static> {
    Options { relative_gap: 0.0, ..Options::default() }
}

fn option(usage: &UsageCurves, line: usize, max_share: f64, cents: u32) -> SpotOption {
    SpotOption { line: usage.lines()[line].clone(), max_share, price: f64::from(cents) / 100.0 }
}

fn total_cost(plan: &SpotPlan) -> f64 {
    plan.bill().total().cost().to_f64() + plan.spot_cost()
}

/// The least cost of purchases and spot: every purchase, and in every hour every amount on spot that is a multiple of `grain`, by the judge.
/// Without sustained use discounts hours are independent, so that each hour's best is the best.
fn brute_force(catalog: &Catalog, usage: &UsageCurves, spot: &[SpotOption], problem: &Problem<'_>, grain: f64) -> f64 {
    let columns: Vec<usize> =
        spot.iter().map(|option| usage.lines().iter().position(|line| *line == option.line).unwrap()).collect();
    let mut best = f64::INFINITY;
    for steps in every_plan(problem) {
        let portfolio = problem.portfolio_with(&steps).unwrap();
        let mut cost: f64 = problem
            .commitments(&steps)
            .iter()
            .map(|held| {
                let offer = catalog.offer(&held.offer).unwrap();
                crate::units::to_f64(offer.effective_hourly().value() * held.quantity)
            })
            .sum::<f64>()
            * usage.total_hours();
        for hour in 0..usage.grid().count {
            let mut amounts = vec![Vec::new()];
            for (option, column) in spot.iter().zip(&columns) {
                let most = usage.at(hour)[*column] * option.max_share;
                let mut choices = vec![most];
                let mut amount = 0.0;
                while amount < most {
                    choices.push(amount);
                    amount += grain;
                }
                amounts = amounts
                    .iter()
                    .flat_map(|of: &Vec<f64>| choices.iter().map(|amount| [of.clone(), vec![*amount]].concat()))
                    .collect();
            }
            let costs = amounts.into_iter().map(|amounts| {
                let mut row = usage.at(hour).to_vec();
                let mut on_spot = 0.0;
                for ((amount, column), option) in amounts.iter().zip(&columns).zip(spot) {
                    row[*column] -= amount;
                    on_spot += amount * option.price;
                }
                let grid = HourGrid { first: usage.grid().hour(hour), count: 1 };
                let quantity = Array2::from_shape_vec((1, row.len()), row).unwrap();
                let one = UsageCurves::new(grid, usage.lines().to_vec(), quantity).unwrap();
                let outcome = Judge::new(&one, catalog, &portfolio, &Rules::default()).unwrap().outcome();
                on_spot + outcome.on_demand.values().sum::<f64>()
            });
            cost += costs.fold(f64::INFINITY, f64::min);
        }
        best = best.min(cost);
    }
    best
}

/// Reservations of a pool and of a line alone: units are whole, so that the best use of spot is, too.
fn reservations(rates: [u32; 2]) -> Catalog {
    let prices = vec![price("sku0", cents(20), Some(1)), price("sku1", cents(40), Some(2)), price("sku2", cents(30), None)];
    let (one, none) = (Term::AWS_ONE_YEAR, PaymentOption::NoUpfront);
    let offers = vec![
        offer("ri-pool-1y", &reservation("sku0", Some(1)), one, none, Decimal::ZERO, cents(rates[0])),
        offer("ri-sku2-1y", &reservation("sku2", None), one, none, Decimal::ZERO, cents(rates[1])),
    ];
    Catalog::new("USD", None, "invented", prices, offers).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn reservations_and_spot_equal_brute_force(
        hours in hours(3, 1..4, 4), rates in [10u32..19, 12u32..29], prices in [4u32..22, 4u32..33], shares in [0u32..3, 0u32..3],
    ) {
        let catalog = reservations(rates);
        // Two units where there is one, so that half of it is whole.
        let usage = usage(&hours.iter().map(|row| row.iter().map(|value| 2.0 * value).collect()).collect::<Vec<_>>());
        let share = |index: usize| f64::from(shares[index]) / 2.0;
        let spot = vec![option(&usage, 0, share(0), prices[0]), option(&usage, 2, share(1), prices[1])];
        let planner = Planner::new(&catalog).usage(&usage);
        let problem = planner.clone().build().unwrap();
        prop_assume!(every_plan(&problem).len() <= 400);
        let best = brute_force(&catalog, &usage, &spot, &problem, 1.0);
        let plan = planner.solve_with_spot(&spot, &exact()).unwrap();
        prop_assert!((plan.objective() - best).abs() <= 1e-6, "found {}, optimum {best}", plan.objective());
        prop_assert!((total_cost(&plan) - plan.objective()).abs() <= 1e-6, "bill {} of {}", total_cost(&plan), plan.objective());
        prop_assert!(plan.lower_bound() <= best + 1e-6, "bound {} above {best}", plan.lower_bound());
        prop_assert!(plan.objective() <= plan.sequential() + 1e-9 && plan.sequential() <= plan.without_spot() + 1e-9);
    }

    #[test]
    fn plans_and_spot_are_within_the_gap_of_brute_force(
        hours in hours(3, 1..3, 3), rates in rates(), prices in [4u32..22, 4u32..33],
    ) {
        let catalog = catalog(rates);
        let usage = usage(&hours);
        let spot = vec![option(&usage, 0, 1.0, prices[0]), option(&usage, 2, 0.5, prices[1])];
        let policy = Policy { spend_plan_increment: Decimal::new(25, 2), forbidden_offers: vec!["sp-wide-3y".into(), "sp-narrow-1y".into()], ..Policy::default() };
        let planner = Planner::new(&catalog).usage(&usage).policy(policy);
        let problem = planner.clone().build().unwrap();
        prop_assume!(every_plan(&problem).len() <= 300);
        let best = brute_force(&catalog, &usage, &spot, &problem, 0.25);
        let plan = planner.solve_with_spot(&spot, &exact()).unwrap();
        prop_assert!(plan.lower_bound() <= best + 1e-6, "bound {} above {best}", plan.lower_bound());
        prop_assert!(plan.objective() <= best + 1e-6, "found {}, a grid finds {best}", plan.objective());
        prop_assert!(plan.lower_bound() <= plan.objective() + 1e-9);
    }

    #[test]
    fn a_higher_cap_or_a_lower_price_never_raises_cost(hours in hours(3, 1..8, 5), rates in [10u32..19, 12u32..29], cost in 6u32..20) {
        let catalog = reservations(rates);
        let usage = usage(&hours);
        let planner = Planner::new(&catalog).usage(&usage);
        let solve = |share: f64, cost: u32| planner.solve_with_spot(&[option(&usage, 0, share, cost), option(&usage, 1, share, cost)], &exact()).unwrap();
        let plans: Vec<SpotPlan> = [0.0, 0.25, 0.5, 1.0].into_iter().map(|share| solve(share, cost)).collect();
        for pair in plans.windows(2) {
            prop_assert!(pair[1].objective() <= pair[0].objective() + 1e-6, "{} after {}", pair[1].objective(), pair[0].objective());
        }
        prop_assert!(solve(1.0, cost - 1).objective() <= plans[3].objective() + 1e-6);
        for plan in &plans {
            prop_assert!(plan.lines().iter().all(|line| line.on_spot <= line.option.max_share * line.quantity + 1e-9));
        }
    }
}

#[test]
fn without_anything_interruptible_it_is_the_plan_without_spot() {
    let catalog = catalog([15, 9, 20, 14, 12, 13]);
    let usage = usage(&(0..100).map(|hour| vec![f64::from(hour % 7), f64::from(hour % 5), 4.0]).collect::<Vec<_>>());
    let planner = Planner::new(&catalog).usage(&usage);
    let alone = planner.clone().build().unwrap().search(&Options::default()).unwrap();
    for spot in [vec![], vec![option(&usage, 0, 0.0, 5)], vec![option(&usage, 0, 1.0, 20)]] {
        let plan = planner.solve_with_spot(&spot, &Options::default()).unwrap();
        assert_eq!((&plan.solution().steps, plan.objective()), (&alone.steps, alone.evaluation.objective));
        assert_eq!((plan.usage(), plan.spot_cost()), (&usage, 0.0));
        assert!((plan.lower_bound() - alone.lower_bound).abs() <= 1e-12 * alone.lower_bound);
    }
}

#[test]
fn deciding_together_beats_deciding_one_after_the_other() {
    // Four hours of five run: a reservation at 12 beats 20 on demand, but spot at 10 for 80 % of the hours beats both.
    let catalog = reservations([12, 29]);
    let usage = usage(&(0..50).map(|hour| vec![if hour % 5 == 0 { 0.0 } else { 6.0 }, 0.0, 0.0]).collect::<Vec<_>>());
    let planner = Planner::new(&catalog).usage(&usage);
    let plan = planner.solve_with_spot(&[option(&usage, 0, 0.5, 10)], &exact()).unwrap();
    // Half runs on spot, half is reserved: 40 h · 3 · 0.10 + 50 h · 3 · 0.12.
    assert!((plan.objective() - (12.0 + 18.0)).abs() < 1e-9, "{}", plan.objective());
    // Bought first, all six are reserved, and nothing is left for spot.
    assert!((plan.sequential() - 36.0).abs() < 1e-9 && (plan.without_spot() - 36.0).abs() < 1e-9);
    assert!((plan.lines()[0].share() - 0.5).abs() < 1e-12 && plan.gap() < 1e-9);
    let spot = plan.usage().lines().iter().filter(|line| line.pricing == crate::usage::PricingCategory::Spot).count();
    assert_eq!((spot, plan.commitments().len(), plan.commitments()[0].quantity), (1, 1, Decimal::from(3)));
}

#[test]
fn wrong_options_are_refused() {
    let catalog = reservations([12, 20]);
    let usage = usage(&[vec![1.0, 1.0, 1.0]]);
    let good = option(&usage, 0, 0.5, 5);
    let planner = Planner::new(&catalog).usage(&usage);
    let mut unknown = good.clone();
    unknown.line.account = "elsewhere".into();
    for (spot, said) in [
        (vec![SpotOption { max_share: 1.5, ..good.clone() }], "0 to 1"),
        (vec![SpotOption { price: 0.0, ..good.clone() }], "above 0"),
        (vec![good.clone(), good.clone()], "twice"),
        (vec![unknown], "usage line"),
    ] {
        let error = planner.solve_with_spot(&spot, &exact()).unwrap_err();
        assert!(error.to_string().contains(said), "{error}");
    }
}

#[test]
fn scenarios_and_dates_go_with_spot() {
    let catalog = catalog([15, 9, 20, 14, 12, 13]);
    let base = usage(&(0..60).map(|hour| vec![4.0, f64::from(hour % 3), 2.0]).collect::<Vec<_>>());
    let high = usage(&(0..60).map(|hour| vec![6.0, f64::from(hour % 4), 3.0]).collect::<Vec<_>>());
    let spot = [option(&base, 0, 0.5, 6), option(&base, 2, 0.25, 9)];
    let planner = Planner::new(&catalog).scenario("base", 0.7, &base).scenario("high", 0.3, &high);
    let start = base.grid().first.start();
    let dated = planner.clone().purchase_dates([start]).discount_rate(0.08);
    let regret = planner.clone().objective(Objective::MinimumRegret { foresight: Vec::new() });
    for (planner, gap) in [(planner, 0.01), (dated, 0.01), (regret, 1.0)] {
        let plan = planner.solve_with_spot(&spot, &Options::default()).unwrap();
        assert!(plan.lower_bound() <= plan.objective() && plan.objective() <= plan.sequential() + 1e-9);
        assert!(plan.sequential() <= plan.without_spot() + 1e-9 && plan.gap() < gap, "gap {}", plan.gap());
    }
}
