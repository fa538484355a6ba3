//! Where every row and every unit of money of a bill went. The entries are made by one SQL expression that puts each row into exactly
//! one class, so that their total is the bill's.

use covermix::units::Money;
use std::fmt;

/// What becomes of the rows of a class.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Treatment {
    /// Usage in the curves that commitments can cover.
    Usage,
    /// Usage in the curves that no commitment covers: spot and free-tier.
    UncoverableUsage,
    /// Charges of commitments: what the portfolio is made of.
    Commitments,
    /// Neither: taxes, support, other services and the like.
    SetAside,
}

impl fmt::Display for Treatment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Usage => "usage",
            Self::UncoverableUsage => "usage no commitment covers",
            Self::Commitments => "commitments",
            Self::SetAside => "set aside",
        })
    }
}

/// The rows of one class.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The class, in words.
    pub reason: &'static str,
    /// What becomes of them.
    pub treatment: Treatment,
    /// How many.
    pub rows: u64,
    /// Their billed cost (unblended, in AWS's word), in the bill's currency; may be negative.
    pub cost: Money,
}

/// All rows of a bill by what became of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reconciliation {
    entries: Vec<Entry>,
    rows: u64,
    cost: Money,
}

impl Reconciliation {
    /// `rows` and `cost` are those of the files, counted without regard to classes.
    pub(crate) fn new(mut entries: Vec<Entry>, rows: u64, cost: Money) -> Self {
        entries.sort_by(|a, b| (a.treatment, a.reason).cmp(&(b.treatment, b.reason)));
        Self { entries, rows, cost }
    }

    /// The classes that have rows, by treatment.
    #[must_use]
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// All rows of the bill.
    #[must_use]
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// The bill's total: the plain sum of billed cost.
    #[must_use]
    pub fn cost(&self) -> Money {
        self.cost
    }

    /// The cost of the rows with a treatment.
    #[must_use]
    pub fn cost_of(&self, treatment: Treatment) -> Money {
        self.entries.iter().filter(|entry| entry.treatment == treatment).map(|entry| entry.cost).sum()
    }
}

impl fmt::Display for Reconciliation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{:<28} {:<52} {:>10} {:>16}", "treatment", "rows", "count", "billed cost")?;
        for entry in &self.entries {
            let cost = entry.cost.value().round_dp(6);
            writeln!(f, "{:<28} {:<52} {:>10} {cost:>16.6}", entry.treatment, entry.reason, entry.rows)?;
        }
        write!(f, "{:<28} {:<52} {:>10} {:>16.6}", "total", "", self.rows, self.cost.value().round_dp(6))
    }
}
