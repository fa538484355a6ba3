//! The billing exports that are read, told apart by their columns.

use crate::error::{Error, Result};
use crate::mapping::Mapping;
use crate::options::Options;
use crate::session::Source;
use chrono::{DateTime, TimeZone, Utc};
use chrono_tz::Tz;
use covermix::time::Month;
use std::fmt;

/// A billing export.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Format {
    /// FOCUS cost and usage, 1.0 to 1.4.
    Focus,
    /// The AWS Cost and Usage Report, legacy and 2.0.
    AwsCostAndUsage,
    /// Azure's cost and usage details, actual or amortised, of every kind of agreement.
    AzureCost,
    /// Google Cloud's billing export, standard or detailed.
    GoogleBilling,
}

/// The columns that a format is told by: all of one group.
const SIGNS: [(Format, &[&[&str]]); 4] = [
    (Format::Focus, &[&["ChargePeriodStart", "BilledCost", "EffectiveCost"], &["ChargeCategory", "BilledCost"]]),
    (Format::AwsCostAndUsage, &[&["lineItem/LineItemType"], &["lineItem/UsageType", "lineItem/UnblendedCost"]]),
    (
        Format::AzureCost,
        &[
            &["MeterCategory", "PreTaxCost"],
            &["MeterCategory", "CostInBillingCurrency"],
            &["MeterCategory", "Cost"],
            &["MeterId", "SubscriptionId", "Quantity"],
        ],
    ),
    (
        Format::GoogleBilling,
        &[&["billing_account_id", "sku.description", "usage_start_time"], &["sku.id", "cost", "usage_start_time"]],
    ),
];

impl Format {
    /// Its name, for people.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Focus => "FOCUS cost and usage file",
            Self::AwsCostAndUsage => "AWS Cost and Usage Report",
            Self::AzureCost => "Azure cost export",
            Self::GoogleBilling => "Google Cloud billing export",
        }
    }

    /// The format of a file.
    pub(crate) fn detect(source: &Source) -> Result<Self> {
        let is_of = |groups: &&[&[&str]]| groups.iter().any(|group| group.iter().all(|header| source.has(header)));
        if let Some((format, _)) = SIGNS.iter().find(|(_, groups)| is_of(groups)) {
            return Ok(*format);
        }
        let looked_for: Vec<String> =
            SIGNS.iter().map(|(format, groups)| format!("{} ({format})", groups[0].join(" and "))).collect();
        let found = source.describe_headers();
        Err(Error::UnknownFormat { file: source.path.clone(), looked_for: looked_for.join(", "), found })
    }

    /// The one format of all files.
    pub(crate) fn of_all(sources: &[Source]) -> Result<Option<Self>> {
        let mut first: Option<(&Source, Self)> = None;
        for source in sources {
            let format = Self::detect(source)?;
            match first {
                None => first = Some((source, format)),
                Some((_, known)) if known == format => {}
                Some((other, known)) => {
                    return Err(Error::MixedFormats {
                        first: other.path.clone(),
                        first_format: known.name(),
                        second: source.path.clone(),
                        second_format: format.name(),
                    });
                }
            }
        }
        Ok(first.map(|(_, format)| format))
    }

    /// How it is read.
    pub(crate) fn mapping(self) -> &'static Mapping {
        match self {
            Self::Focus => &crate::focus::MAPPING,
            Self::AwsCostAndUsage => &crate::aws::MAPPING,
            Self::AzureCost => &crate::azure::MAPPING,
            Self::GoogleBilling => &crate::gcp::MAPPING,
        }
    }

    /// Whether its dates may be written with slashes, in an order that only the dates themselves tell.
    pub(crate) fn has_slashed_dates(self) -> bool {
        self == Self::AzureCost
    }

    /// The zone of its billing months: US Pacific time of Google's, else that of the times in the files.
    pub(crate) fn zone(self, options: &Options) -> Tz {
        if self == Self::GoogleBilling { chrono_tz::America::Los_Angeles } else { options.time_zone }
    }
}

/// When a billing month begins.
pub(crate) fn month_start(month: Month, zone: Tz) -> DateTime<Utc> {
    let midnight = zone.from_local_datetime(&month.start().naive_utc()).earliest();
    midnight.map_or_else(|| month.start(), |midnight| midnight.to_utc())
}

/// The billing month of an instant.
pub(crate) fn month_of(instant: DateTime<Utc>, zone: Tz) -> Month {
    Month::containing(instant.with_timezone(&zone).naive_local().and_utc())
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}
