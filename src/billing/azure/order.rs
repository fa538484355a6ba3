//! The orders of Azure's waterfall: of reservations, of sizes, of savings plans and of the records that a plan covers.

use super::{PlanOrder, ReservationOrder, SizeOrder};
use crate::billing::Held;
use crate::billing::waterfall::Draw;
use crate::catalog::ScopeKind;
use crate::portfolio::Scope;
use crate::units::UnitPrice;
use std::cmp::Ordering;

/// The level of a scope; the narrowest is 0.
pub(super) fn level_of(scope: &Scope) -> usize {
    match scope.kind() {
        ScopeKind::ResourceGroup => 0,
        ScopeKind::Subscription => 1,
        ScopeKind::ManagementGroup => 2,
        _ => 3,
    }
}

fn level(held: &Held<'_>) -> usize {
    level_of(&held.commitment.scope)
}

/// Reservations: the narrower scope first, then as the switch says.
pub(super) fn reservations(order: ReservationOrder, a: &Held<'_>, b: &Held<'_>) -> Ordering {
    let exact = || a.is_flexible().cmp(&b.is_flexible());
    let end = || a.commitment.end.cmp(&b.commitment.end);
    let within = match order {
        ReservationOrder::ExactFirst => exact().then_with(end),
        ReservationOrder::EarliestEnd => end(),
        ReservationOrder::Id => Ordering::Equal,
    };
    level(a).cmp(&level(b)).then(within).then_with(|| a.commitment.id.cmp(&b.commitment.id))
}

/// Savings plans.
pub(super) fn plans(order: PlanOrder, a: &Held<'_>, b: &Held<'_>) -> Ordering {
    let scope = level(a).cmp(&level(b));
    let term = b.offer.term.nominal_months().cmp(&a.offer.term.nominal_months());
    let outer = match order {
        PlanOrder::ScopeThenTerm => scope.then(term),
        PlanOrder::TermThenScope => term.then(scope),
    };
    outer.then_with(|| a.commitment.end.cmp(&b.commitment.end)).then_with(|| a.commitment.id.cmp(&b.commitment.id))
}

/// The sizes that a reservation covers, each with its on-demand price.
pub(super) fn sizes(order: SizeOrder, (a, a_price): (&Draw, UnitPrice), (b, b_price): (&Draw, UnitPrice)) -> Ordering {
    let within = match order {
        // Price per unit of the pool, by cross-multiplication, so that equal ones are equal.
        SizeOrder::LargestSaving => (b_price.value() * a.weight).cmp(&(a_price.value() * b.weight)),
        SizeOrder::SmallestFirst => a.weight.cmp(&b.weight),
        SizeOrder::Record => Ordering::Equal,
    };
    within.then(a.line.cmp(&b.line))
}

/// The discount `1 - rate / price` of a record under a plan.
#[derive(Clone, Copy, Debug)]
pub(super) struct Discount {
    pub(super) rate: UnitPrice,
    pub(super) price: UnitPrice,
}

impl Discount {
    /// The higher discount first, by cross-multiplication, so that equal ones are equal.
    pub(super) fn cmp_highest_first(&self, other: &Self) -> Ordering {
        (self.rate.value() * other.price.value()).cmp(&(other.rate.value() * self.price.value()))
    }
}
