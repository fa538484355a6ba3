//! Attribution of resource-based commitments to projects: proportional, and prioritised by allotments.
//!
//! From "Attribution of committed use discount fees and credits" (Cloud Billing) and the tool `cuds-prioritized-attribution` of
//! GoogleCloudPlatform/professional-services (revision 25d36a10), whose test cases fix the arithmetic:
//! 1. each [`Allotment`] asks for `min(units, usage of its projects)`; the covered units are shared over allotments by what they ask for,
//!    inside one by usage;
//! 2. covered units that no allotment asked for go to all usage by what is not yet covered (all of them, without allotments:
//!    proportional attribution);
//! 3. credits follow covered units; sustained use discounts follow the usage left uncovered;
//! 4. fees follow allotments, used or not, and inside one usage ([`FeeRule::ByAllotment`]); or users of units beyond their allotment pay
//!    for those, and owners the rest ([`FeeRule::ByUse`]). The fee of units that nobody was allotted and nobody used stays with no project.
//!
//! What is attributed always sums to what was charged, to the last digit. Formulas: `docs/formulation-billing-azure-gcp.md`,
//! "Attribution".

use crate::billing::{Bill, Judge};
use crate::error::{Error, Problem, Result};
use crate::units::Money;
use rust_decimal::Decimal;
use std::collections::{BTreeMap, BTreeSet};

/// Usage that can be given units of the commitments: one project, or one set of labels in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProjectUsage {
    /// The project.
    pub project: String,
    /// The folders it lies in, so that an allotment can name a folder.
    pub folders: BTreeSet<String>,
    /// Eligible usage, in units of the commitment (such as GiB-hours).
    pub quantity: Decimal,
}

/// Units of the commitments set aside for projects or folders.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Allotment {
    /// Units over the same time as the usage.
    pub units: Decimal,
    /// The projects it is for.
    pub projects: BTreeSet<String>,
    /// The folders whose projects it is for.
    pub folders: BTreeSet<String>,
}

impl Allotment {
    fn is_for(&self, usage: &ProjectUsage) -> bool {
        self.projects.contains(&usage.project) || usage.folders.iter().any(|folder| self.folders.contains(folder))
    }
}

/// What the billing account was charged and credited, over some time, for one kind of commitment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AccountCharges {
    /// Units committed.
    pub committed: Decimal,
    /// Units of usage that the commitments covered.
    pub covered: Decimal,
    /// Credits for them, as a positive amount.
    pub credit: Money,
    /// Sustained use discounts, as a positive amount.
    pub sustained_use_discount: Money,
    /// Fees of the commitments.
    pub fee: Money,
}

/// Who pays the fees.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum FeeRule {
    /// The owners of allotments, by their units, used or not. Units used beyond an allotment are free while it is somebody else's.
    #[default]
    ByAllotment,
    /// Whoever uses units beyond an allotment pays for them; the owners pay the rest.
    ByUse,
}

/// What falls on one project.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Share {
    /// Units of its usage that are covered.
    pub covered: Decimal,
    /// Credits, as a positive amount.
    pub credit: Money,
    /// Sustained use discounts, as a positive amount.
    pub sustained_use_discount: Money,
    /// Fees.
    pub fee: Money,
}

/// The charges of an account by project.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Attribution {
    /// In the order of the usage.
    pub shares: Vec<Share>,
    /// Fees of owners of allotments that had no usage at all.
    pub idle_owners: BTreeMap<String, Money>,
    /// What falls on no project.
    pub unattributed: Share,
}

impl Attribution {
    /// The sum of everything; equals the account's charges.
    #[must_use]
    pub fn total(&self) -> Share {
        let mut total = self.unattributed;
        for share in &self.shares {
            total.covered += share.covered;
            total.credit += share.credit;
            total.sustained_use_discount += share.sustained_use_discount;
            total.fee += share.fee;
        }
        total.fee += self.idle_owners.values().copied().sum();
        total
    }
}

/// Attributes the charges of an account.
///
/// # Errors
/// [`Problem::OutOfRange`] for a negative number, more covered than used, or more allotted than committed;
/// [`Problem::Repeated`] for usage that two allotments are for.
pub fn attribute(
    account: &AccountCharges,
    usage: &[ProjectUsage],
    allotments: &[Allotment],
    fee_rule: FeeRule,
) -> Result<Attribution> {
    let owner = &check(account, usage, allotments)?;
    let mut attribution = Attribution { shares: vec![Share::default(); usage.len()], ..Attribution::default() };
    let members = |allotment: usize| (0..usage.len()).filter(move |row| owner[*row] == Some(allotment)).collect::<Vec<_>>();
    let quantities = |rows: &[usize]| rows.iter().map(|row| usage[*row].quantity).collect::<Vec<_>>();
    let members: Vec<Vec<usize>> = (0..allotments.len()).map(members).collect();

    // 1. Allotments first.
    let asked: Vec<Decimal> =
        allotments.iter().zip(&members).map(|(allotment, rows)| allotment.units.min(quantities(rows).iter().sum())).collect();
    let first = account.covered.min(asked.iter().sum());
    let given = split(first, &asked);
    for (rows, given) in members.iter().zip(&given) {
        for (row, covered) in rows.iter().zip(split(*given, &quantities(rows))) {
            attribution.shares[*row].covered += covered;
        }
    }
    // 2. The rest by what is not yet covered.
    let open: Vec<Decimal> = usage.iter().zip(&attribution.shares).map(|(usage, share)| usage.quantity - share.covered).collect();
    let beyond = split(account.covered - given.iter().sum::<Decimal>(), &open);
    for (share, beyond) in attribution.shares.iter_mut().zip(&beyond) {
        share.covered += *beyond;
    }
    // 3. Credits and discounts.
    let covered: Vec<Decimal> = attribution.shares.iter().map(|share| share.covered).collect();
    let left: Vec<Decimal> = usage.iter().zip(&covered).map(|(usage, covered)| usage.quantity - *covered).collect();
    let credits = split_or_rest(account.credit, &covered, &mut attribution.unattributed.credit);
    let discounts = split_or_rest(account.sustained_use_discount, &left, &mut attribution.unattributed.sustained_use_discount);
    for ((share, credit), discount) in attribution.shares.iter_mut().zip(credits).zip(discounts) {
        share.credit = credit;
        share.sustained_use_discount = discount;
    }
    // 4. Fees: of each allotment, of the units beyond allotments, and of what nobody has.
    let fees = Fees { account, given: &given, beyond: &beyond, fee_rule }.parts(allotments);
    for ((allotment, rows), fee) in allotments.iter().zip(&members).zip(&fees.owners) {
        let weights = quantities(rows);
        if weights.iter().any(|quantity| !quantity.is_zero()) {
            for (row, fee) in rows.iter().zip(split(*fee, &weights)) {
                attribution.shares[*row].fee += Money::new(fee);
            }
        } else if allotment.projects.is_empty() {
            attribution.unattributed.fee += Money::new(*fee);
        } else {
            let equal = vec![Decimal::ONE; allotment.projects.len()];
            for (project, fee) in allotment.projects.iter().zip(split(*fee, &equal)) {
                *attribution.idle_owners.entry(project.clone()).or_default() += Money::new(fee);
            }
        }
    }
    for (share, fee) in attribution.shares.iter_mut().zip(split(fees.users, &beyond)) {
        share.fee += Money::new(fee);
    }
    attribution.unattributed.fee += Money::new(fees.nobody);
    Ok(attribution)
}

/// The fees in three parts that sum to all of them.
struct FeeParts {
    owners: Vec<Decimal>,
    users: Decimal,
    nobody: Decimal,
}

struct Fees<'f> {
    account: &'f AccountCharges,
    given: &'f [Decimal],
    beyond: &'f [Decimal],
    fee_rule: FeeRule,
}

impl Fees<'_> {
    /// Units beyond allotments come from what nobody was allotted first, then from what owners left.
    fn parts(&self, allotments: &[Allotment]) -> FeeParts {
        let allotted: Decimal = allotments.iter().map(|allotment| allotment.units).sum();
        let beyond: Decimal = self.beyond.iter().sum();
        let free = self.account.committed - allotted;
        let from_free = beyond.min(free);
        let from_owners = beyond - from_free;
        let left: Vec<Decimal> =
            allotments.iter().zip(self.given).map(|(allotment, given)| (allotment.units - *given).max(Decimal::ZERO)).collect();
        let lent = split(from_owners, &left);
        let mut units: Vec<Decimal> = match self.fee_rule {
            FeeRule::ByAllotment => allotments.iter().map(|allotment| allotment.units).collect(),
            FeeRule::ByUse => allotments.iter().zip(&lent).map(|(allotment, lent)| allotment.units - *lent).collect(),
        };
        units.push(match self.fee_rule {
            FeeRule::ByAllotment => from_free,
            FeeRule::ByUse => beyond,
        });
        units.push(free - from_free);
        let fee = self.account.fee.value();
        if units.iter().all(Decimal::is_zero) {
            return FeeParts { owners: vec![Decimal::ZERO; allotments.len()], users: Decimal::ZERO, nobody: fee };
        }
        let mut owners = split(fee, &units);
        let nobody = owners.pop().unwrap_or_default();
        let users = owners.pop().unwrap_or_default();
        FeeParts { owners, users, nobody }
    }
}

/// The checks; gives the allotment of each usage.
fn check(account: &AccountCharges, usage: &[ProjectUsage], allotments: &[Allotment]) -> Result<Vec<Option<usize>>> {
    let out_of_range = |value: Decimal, range: &'static str, field: &str| {
        Err(Error::from(Problem::OutOfRange { value: value.to_string(), range }).in_field(field.to_owned()))
    };
    let quantities = usage.iter().map(|usage| usage.quantity).chain(allotments.iter().map(|allotment| allotment.units));
    let charges = [account.committed, account.covered];
    if let Some(negative) = quantities.chain(charges).find(|value| *value < Decimal::ZERO) {
        return out_of_range(negative, "quantities of 0 or more", "attribution");
    }
    let used: Decimal = usage.iter().map(|usage| usage.quantity).sum();
    if account.covered > used {
        return out_of_range(account.covered, "no more covered than used", "attribution.covered");
    }
    let allotted: Decimal = allotments.iter().map(|allotment| allotment.units).sum();
    if allotted > account.committed {
        return out_of_range(allotted, "no more allotted than committed", "attribution.allotments");
    }
    let owner = |usage: &ProjectUsage| {
        let mut owners = allotments.iter().enumerate().filter(|(_, allotment)| allotment.is_for(usage)).map(|(index, _)| index);
        let first = owners.next();
        match owners.next() {
            Some(_) => Err(Error::from(Problem::Repeated).in_field("attribution.allotments").in_item(usage.project.clone())),
            None => Ok(first),
        }
    };
    usage.iter().map(owner).collect()
}

impl Judge<'_> {
    /// What a bill of this judge charged and credited for some resource-based commitments of one kind (all of one pool), and the usage by
    /// project that they could cover: the input of [`attribute`]. Units are those of the pool; folders are the caller's to add.
    ///
    /// # Errors
    /// [`Problem::Dangling`] for a commitment that the bill does not have.
    pub fn account_charges(&self, bill: &Bill, commitments: &[&str]) -> Result<(AccountCharges, Vec<ProjectUsage>)> {
        let mut account = AccountCharges::default();
        let mut weights: BTreeMap<usize, Decimal> = BTreeMap::new();
        for id in commitments {
            let Some(index) = bill.commitments().iter().position(|held| held.id == *id) else {
                return Err(Problem::Dangling { kind: "commitment", id: (*id).to_owned() }.into());
            };
            let held = &bill.commitments()[index];
            account.committed += held.provided;
            account.covered += held.used;
            account.credit += held.covered;
            account.fee += held.charges.commitment();
            let draws = self.record.epochs.iter().flat_map(|epoch| &epoch.draws);
            weights.extend(draws.filter(|draw| draw.commitment == index).map(|draw| (draw.line, draw.weight)));
        }
        let mut projects: BTreeMap<&str, Decimal> = BTreeMap::new();
        for (line, weight) in weights {
            let billed = &bill.lines()[line];
            *projects.entry(&self.lines[line].line.account).or_default() += billed.quantity * weight;
            account.sustained_use_discount += billed.sustained_use_discount;
        }
        let usage =
            |(project, quantity): (&str, Decimal)| ProjectUsage { project: project.into(), folders: BTreeSet::new(), quantity };
        Ok((account, projects.into_iter().map(usage).collect()))
    }
}

/// Splits an amount of money by weights; without weights it all falls on `rest`.
fn split_or_rest(amount: Money, weights: &[Decimal], rest: &mut Money) -> Vec<Money> {
    if weights.iter().all(Decimal::is_zero) {
        *rest += amount;
    }
    split(amount.value(), weights).into_iter().map(Money::new).collect()
}

/// Splits an amount by weights, exactly: shares are rounded to 18 decimals and the largest one takes what rounding leaves. All zero if
/// all weights are.
#[must_use]
pub fn split(amount: Decimal, weights: &[Decimal]) -> Vec<Decimal> {
    let sum: Decimal = weights.iter().sum();
    if sum.is_zero() {
        return vec![Decimal::ZERO; weights.len()];
    }
    let mut shares: Vec<Decimal> = weights.iter().map(|weight| (amount * *weight / sum).round_dp(18)).collect();
    let rest = amount - shares.iter().sum::<Decimal>();
    let largest = (0..weights.len()).max_by(|a, b| weights[*a].cmp(&weights[*b]).then(b.cmp(a)));
    if let Some(largest) = largest {
        shares[largest] += rest;
    }
    shares
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rust_decimal::dec;

    fn usage(project: &str, quantity: Decimal) -> ProjectUsage {
        ProjectUsage { project: project.into(), folders: BTreeSet::new(), quantity }
    }

    fn allotment(projects: &[&str], units: Decimal) -> Allotment {
        let projects = projects.iter().map(|project| (*project).to_owned()).collect();
        Allotment { units, projects, folders: BTreeSet::new() }
    }

    fn account(committed: Decimal, covered: Decimal, sustained: Decimal, fee: Decimal) -> AccountCharges {
        let (credit, sustained_use_discount) = (Money::new(covered), Money::new(sustained));
        AccountCharges { committed, covered, credit, sustained_use_discount, fee: Money::new(fee) }
    }

    #[test]
    fn proportional_attribution_follows_usage() {
        let account = account(dec!(40), dec!(40), dec!(0), dec!(20));
        let found = attribute(&account, &[usage("a", dec!(75)), usage("b", dec!(25))], &[], FeeRule::ByAllotment).unwrap();
        assert_eq!(found.shares[0].credit, Money::new(dec!(30)));
        assert_eq!(found.shares[1].fee, Money::new(dec!(5)));
    }

    #[test]
    fn the_fee_of_an_unused_allotment_stays_with_its_owner() {
        let account = account(dec!(60), dec!(60), dec!(0), dec!(60));
        let rows = [usage("a", dec!(10)), usage("b", dec!(40)), usage("c", dec!(40))];
        let found = attribute(&account, &rows, &[allotment(&["a"], dec!(30))], FeeRule::ByAllotment).unwrap();
        let fees: Vec<Decimal> = found.shares.iter().map(|share| share.fee.value()).collect();
        assert_eq!(fees, [dec!(30), dec!(15), dec!(15)]);
        assert_eq!(found.shares[1].covered, dec!(25));
    }

    #[test]
    fn unused_units_that_nobody_was_allotted_fall_on_no_project() {
        let account = account(dec!(100), dec!(50), dec!(0), dec!(100));
        let found = attribute(&account, &[usage("a", dec!(50))], &[allotment(&["idle"], dec!(20))], FeeRule::ByUse).unwrap();
        assert_eq!(found.unattributed.fee, Money::new(dec!(30)));
        assert_eq!(found.idle_owners["idle"], Money::new(dec!(20)));
        assert_eq!(found.total().fee, account.fee);
    }

    #[test]
    fn contradictions_are_errors() {
        let rows = [usage("a", dec!(1))];
        let too_much = account(dec!(5), dec!(2), dec!(0), dec!(1));
        assert!(attribute(&too_much, &rows, &[], FeeRule::ByUse).is_err());
        let fine = account(dec!(5), dec!(1), dec!(0), dec!(1));
        assert!(attribute(&fine, &rows, &[allotment(&["a"], dec!(9))], FeeRule::ByUse).is_err());
        let twice = [allotment(&["a"], dec!(1)), allotment(&["a", "b"], dec!(1))];
        assert!(attribute(&fine, &rows, &twice, FeeRule::ByUse).unwrap_err().to_string().contains('a'));
    }

    proptest! {
        #[test]
        fn shares_sum_to_the_account(
            quantities in prop::collection::vec(0u32..500, 1..8),
            allotted in prop::collection::vec(0u32..300, 0..4),
            committed in 0u32..1000,
            covered in 0u32..1000,
            by_use: bool,
        ) {
            let rows: Vec<ProjectUsage> =
                quantities.iter().enumerate().map(|(index, quantity)| usage(&format!("p{index}"), Decimal::new(i64::from(*quantity), 1))).collect();
            let allotments: Vec<Allotment> = allotted
                .iter()
                .enumerate()
                .map(|(index, units)| allotment(&[format!("p{index}").as_str()], Decimal::from(*units)))
                .collect();
            let used: Decimal = rows.iter().map(|row| row.quantity).sum();
            let total = allotments.iter().map(|allotment| allotment.units).sum::<Decimal>() + Decimal::from(committed);
            let account = account(total, Decimal::from(covered).min(used).min(total), dec!(7.31), dec!(123.45));
            let rule = if by_use { FeeRule::ByUse } else { FeeRule::ByAllotment };
            let found = attribute(&account, &rows, &allotments, rule).unwrap();
            let sum = found.total();
            prop_assert_eq!(sum.covered, account.covered);
            prop_assert_eq!(sum.fee, account.fee);
            prop_assert_eq!(sum.credit, account.credit);
            prop_assert_eq!(sum.sustained_use_discount, account.sustained_use_discount);
            for (share, row) in found.shares.iter().zip(&rows) {
                prop_assert!(share.covered <= row.quantity + dec!(1e-15) && share.fee >= Money::ZERO - Money::new(dec!(1e-15)));
            }
        }
    }
}
