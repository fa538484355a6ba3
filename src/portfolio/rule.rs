//! The providers' rules about changing a commitment, one by one, each with the page that states it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::fmt;

/// A rule about changing a commitment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Rule {
    /// Quantities come in the lots in which the offer is sold.
    Lot,
    /// The provider has no such action for commitments of this kind.
    NotOffered,
    /// Only a commitment that is active and has nothing pending can be changed.
    Active,
    /// After its end nothing can be done with a commitment.
    End,
    /// Reserved Instances can be modified while they are active, not pending and not listed for sale, once their purchase
    /// is done.
    AwsModify,
    /// A modification keeps the footprint: the sum of count times normalisation factor.
    AwsModifyFootprint,
    /// Sizes change within one family and generation, on Linux/UNIX with default tenancy, where the family has size
    /// flexibility.
    AwsModifySize,
    /// Reserved Instances that are modified together are of one class and one Region, and standard ones expire within the
    /// same hour.
    AwsModifyTogether,
    /// A modification takes effect at the start of the clock hour of the request, costs nothing and keeps the end.
    AwsModifyEffective,
    /// Convertible Reserved Instances are exchanged for convertible Reserved Instances that are on offer; standard ones are
    /// not exchanged.
    AwsExchangeClass,
    /// A convertible Reserved Instance can be exchanged while at least 24 hours of its term remain.
    AwsExchangeLastDay,
    /// An exchange stays in the Region.
    AwsExchangeRegion,
    /// The upfront price and the hourly price of the remaining hours of what is received are worth no less than those of
    /// what is given up; the count is raised until they are.
    AwsExchangeValue,
    /// The true-up, prorated upfront price received less remaining upfront price given up, is not below 0; the count is
    /// raised until it is not.
    AwsExchangeTrueUp,
    /// All upfront and partial upfront may be exchanged for each other, no upfront for all three, and nothing with an
    /// upfront payment for no upfront.
    AwsExchangePayment,
    /// No upfront is exchanged for no upfront only at the same or a higher hourly price.
    AwsExchangeHourly,
    /// The result has the term of what was given up, of the longest where several are merged, and ends when the latest of
    /// them ends.
    AwsExchangeTerm,
    /// Only standard EC2 Reserved Instances can be sold, not those bought with a volume or private discount, not in Regions
    /// that are disabled by default, not by customers of AWS India.
    AwsMarketplaceClass,
    /// A Reserved Instance can be sold after 30 days in the account, with its upfront payment received, while at least one
    /// month of its term remains.
    AwsMarketplaceTime,
    /// AWS keeps 12 percent of the upfront price of a sale; the seller sets that price, which is 0 or more.
    AwsMarketplaceFee,
    /// An account can sell Reserved Instances for up to USD 50,000 in its life.
    AwsMarketplaceAmount,
    /// An account can sell up to 5,000 Reserved Instances in its life.
    AwsMarketplaceInstances,
    /// 20 regional Reserved Instances by Region, and 20 zonal ones by availability zone, can be bought in a month, unless
    /// AWS raises the quota.
    AwsPurchaseLimit,
    /// Regional Reserved Instances and Savings Plans can be queued up to three years ahead, and called off before they
    /// start.
    AwsQueue,
    /// A Savings Plan can be returned within seven days of its purchase and in the same calendar month, UTC.
    AwsReturnWindow,
    /// A Savings Plan of more than USD 100 an hour cannot be returned; one that is returned is returned as a whole.
    AwsReturnAmount,
    /// Savings Plans with an upfront payment cannot be returned by customers of AWS Brazil and AWS Turkey.
    AwsReturnSeller,
    /// A management account can return 10 Savings Plans in a calendar year.
    AwsReturnsPerYear,
    /// Savings Plans are not changed, exchanged or sold.
    AwsFixed,
    /// AWS commitments lapse at their end; a renewal is a queued purchase of the same configuration.
    AwsNoRenewal,
    /// Reservations are exchanged within a product family: virtual machines, dedicated hosts, Azure VMware Solution and
    /// Nutanix together; SQL Database, SQL Managed Instance and elastic pools together; all others for the same product.
    AzureExchangeProduct,
    /// The lifetime commitment of the new purchase is no less than the remaining commitment of what is returned.
    AzureExchangeValue,
    /// The new reservation has a new term from the exchange on, is charged in full, and what was paid is refunded by days
    /// in UTC.
    AzureExchangeTerm,
    /// From 2027-02-01 on, each unit of a reservation of services that savings plans cover can be exchanged once more if it
    /// was bought before, and not at all if it was bought, exchanged for or renewed on or after it.
    AzureExchangePolicy,
    /// A size can be swapped for the same size with or without premium storage, in the same region and term, without
    /// charge.
    AzureSwapStorage,
    /// Databricks, Synapse, Defender and Sentinel pre-purchase plans and Red Hat and SUSE plans are neither exchanged nor
    /// refunded.
    AzureNotReturnable,
    /// A refund is prorated by days in UTC, at the lower of the price paid and the current price, less an early termination
    /// fee (none today, 12 percent reserved).
    AzureRefund,
    /// The remaining commitment cancelled in any 12 months is at most USD 50,000 by enrolment or billing profile, payments
    /// not made yet included; exchanges do not count.
    AzureRefundLimit,
    /// Reservations of virtual machines, dedicated hosts and App Service can be traded in for a savings plan, up to 100 at
    /// a time, at any time.
    AzureTradeInProduct,
    /// The savings plan's commitment over its term is no less than the remaining commitment of what is traded in.
    AzureTradeInValue,
    /// A reservation is split in two, and parts of one order are merged, without charge and with the same end.
    AzureSplit,
    /// The scope of a reservation or savings plan can be changed at any time.
    AzureScope,
    /// Reservations renew automatically unless it is turned off before their end; savings plans only if it is turned on. A
    /// renewal is a new purchase at the price of its day.
    AzureRenewal,
    /// Azure savings plans are not cancelled, refunded or exchanged.
    AzureFixed,
    /// Commitments of one project, region, machine series, resource and term are merged at 12 AM Pacific of the next day,
    /// until the latest of their ends.
    GoogleMerge,
    /// A part of a commitment becomes a new one at 12 AM Pacific of the next day; not where reservations are attached, as
    /// they are to GPU and local SSD.
    GoogleSplit,
    /// Licence commitments are neither merged, split nor upgraded.
    GoogleLicence,
    /// An active one-year commitment is upgraded to three years at 12 AM Pacific of the next day: same start, end two years
    /// later, at the three-year price of the day its term began.
    GoogleUpgrade,
    /// In the first year of its term a one-year commitment can be given an end before three years, and a three-year one
    /// before six, at the same price.
    GoogleExtend,
    /// Resource-based commitments renew if auto-renewal is on; it can be changed until 12 AM Pacific of the day they end.
    GoogleRenewal,
    /// A legacy spend-based commitment becomes one of the discounted amount.
    GoogleModel,
    /// Google commitments are not cancelled; spend-based ones are not changed at all.
    GoogleFixed,
    /// An insured commitment can be handed to the insurer from the end of its insured term on, at the price agreed.
    InsuredPut,
}

/// Title and address of a page.
type Page = (&'static str, &'static str);

const MODIFY: Page =
    ("EC2 User Guide, Modify Reserved Instances", "https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/ri-modifying.html");
const EXCHANGE: Page = (
    "EC2 User Guide, Exchange Convertible Reserved Instances",
    "https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/ri-convertible-exchange.html",
);
const MARKETPLACE: Page = (
    "EC2 User Guide, Sell in the Reserved Instance Marketplace",
    "https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/ri-market-general.html",
);
const PURCHASE_LIMITS: Page =
    ("EC2 User Guide, Reserved Instance limits", "https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/ri-limits.html");
const QUEUE: Page = (
    "EC2 User Guide, Buy Reserved Instances; Savings Plans User Guide, Queuing a Savings Plan purchase",
    "https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/ri-market-concepts-buying.html",
);
const RETURN: Page = (
    "Savings Plans User Guide, Returning a purchased Savings Plan",
    "https://docs.aws.amazon.com/savingsplans/latest/userguide/return-sp.html",
);
const PLAN_QUOTAS: Page = (
    "Savings Plans User Guide, Quotas and restrictions",
    "https://docs.aws.amazon.com/savingsplans/latest/userguide/sp-quotas.html",
);
const PLANS: Page = (
    "Savings Plans User Guide, What are Savings Plans",
    "https://docs.aws.amazon.com/savingsplans/latest/userguide/what-is-savings-plans.html",
);
const BUY: Page = (
    "EC2 User Guide, Buy Reserved Instances",
    "https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/ri-market-concepts-buying.html",
);
const AZURE_EXCHANGE: Page = (
    "Microsoft Cost Management, Self-service exchanges and refunds for Azure Reservations",
    "https://learn.microsoft.com/azure/cost-management-billing/reservations/exchange-and-refund-azure-reservations",
);
const AZURE_POLICY: Page = (
    "Microsoft Cost Management, Changes to the Azure reservation exchange policy",
    "https://learn.microsoft.com/azure/cost-management-billing/reservations/reservation-exchange-policy-changes",
);
const AZURE_TRADE_IN: Page = (
    "Microsoft Cost Management, Self-service trade-in for Azure savings plans",
    "https://learn.microsoft.com/azure/cost-management-billing/savings-plan/reservation-trade-in",
);
const AZURE_MANAGE: Page = (
    "Microsoft Cost Management, Manage Azure Reservations",
    "https://learn.microsoft.com/azure/cost-management-billing/reservations/manage-reserved-vm-instance",
);
const AZURE_RENEW: Page = (
    "Microsoft Cost Management, Automatically renew reservations",
    "https://learn.microsoft.com/azure/cost-management-billing/reservations/reservation-renew",
);
const AZURE_PLANS: Page = (
    "Microsoft Cost Management, Azure savings plan overview",
    "https://learn.microsoft.com/azure/cost-management-billing/savings-plan/savings-plan-overview",
);
const GOOGLE_MERGE: Page = (
    "Compute Engine, Merge and split commitments",
    "https://cloud.google.com/compute/docs/instances/merge-and-split-commitments",
);
const GOOGLE_UPGRADE: Page = (
    "Compute Engine, Upgrade the term of commitments",
    "https://cloud.google.com/compute/docs/instances/upgrade-commitment-term",
);
const GOOGLE_EXTEND: Page = (
    "Compute Engine, Extend the term length of commitments",
    "https://cloud.google.com/compute/docs/committed-use-discounts/extend-commitment-term",
);
const GOOGLE_RENEW: Page = (
    "Compute Engine, Renew commitments automatically",
    "https://cloud.google.com/compute/docs/instances/renew-commitments-automatically",
);
const GOOGLE_MODEL: Page =
    ("Cloud Billing, Spend-based CUD data model updates", "https://cloud.google.com/docs/cuds-multiprice-datamodel");
const GOOGLE_CUDS: Page = ("Cloud Billing, Committed use discounts", "https://cloud.google.com/docs/cuds");

impl Rule {
    /// Every rule, in order.
    pub const ALL: [Self; 53] = [
        Self::Lot,
        Self::NotOffered,
        Self::Active,
        Self::End,
        Self::AwsModify,
        Self::AwsModifyFootprint,
        Self::AwsModifySize,
        Self::AwsModifyTogether,
        Self::AwsModifyEffective,
        Self::AwsExchangeClass,
        Self::AwsExchangeLastDay,
        Self::AwsExchangeRegion,
        Self::AwsExchangeValue,
        Self::AwsExchangeTrueUp,
        Self::AwsExchangePayment,
        Self::AwsExchangeHourly,
        Self::AwsExchangeTerm,
        Self::AwsMarketplaceClass,
        Self::AwsMarketplaceTime,
        Self::AwsMarketplaceFee,
        Self::AwsMarketplaceAmount,
        Self::AwsMarketplaceInstances,
        Self::AwsPurchaseLimit,
        Self::AwsQueue,
        Self::AwsReturnWindow,
        Self::AwsReturnAmount,
        Self::AwsReturnSeller,
        Self::AwsReturnsPerYear,
        Self::AwsFixed,
        Self::AwsNoRenewal,
        Self::AzureExchangeProduct,
        Self::AzureExchangeValue,
        Self::AzureExchangeTerm,
        Self::AzureExchangePolicy,
        Self::AzureSwapStorage,
        Self::AzureNotReturnable,
        Self::AzureRefund,
        Self::AzureRefundLimit,
        Self::AzureTradeInProduct,
        Self::AzureTradeInValue,
        Self::AzureSplit,
        Self::AzureScope,
        Self::AzureRenewal,
        Self::AzureFixed,
        Self::GoogleMerge,
        Self::GoogleSplit,
        Self::GoogleLicence,
        Self::GoogleUpgrade,
        Self::GoogleExtend,
        Self::GoogleRenewal,
        Self::GoogleModel,
        Self::GoogleFixed,
        Self::InsuredPut,
    ];

    /// As in files: `azure_refund_limit`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Lot => "lot",
            Self::NotOffered => "not_offered",
            Self::Active => "active",
            Self::End => "end",
            Self::AwsModify => "aws_modify",
            Self::AwsModifyFootprint => "aws_modify_footprint",
            Self::AwsModifySize => "aws_modify_size",
            Self::AwsModifyTogether => "aws_modify_together",
            Self::AwsModifyEffective => "aws_modify_effective",
            Self::AwsExchangeClass => "aws_exchange_class",
            Self::AwsExchangeLastDay => "aws_exchange_last_day",
            Self::AwsExchangeRegion => "aws_exchange_region",
            Self::AwsExchangeValue => "aws_exchange_value",
            Self::AwsExchangeTrueUp => "aws_exchange_true_up",
            Self::AwsExchangePayment => "aws_exchange_payment",
            Self::AwsExchangeHourly => "aws_exchange_hourly",
            Self::AwsExchangeTerm => "aws_exchange_term",
            Self::AwsMarketplaceClass => "aws_marketplace_class",
            Self::AwsMarketplaceTime => "aws_marketplace_time",
            Self::AwsMarketplaceFee => "aws_marketplace_fee",
            Self::AwsMarketplaceAmount => "aws_marketplace_amount",
            Self::AwsMarketplaceInstances => "aws_marketplace_instances",
            Self::AwsPurchaseLimit => "aws_purchase_limit",
            Self::AwsQueue => "aws_queue",
            Self::AwsReturnWindow => "aws_return_window",
            Self::AwsReturnAmount => "aws_return_amount",
            Self::AwsReturnSeller => "aws_return_seller",
            Self::AwsReturnsPerYear => "aws_returns_per_year",
            Self::AwsFixed => "aws_fixed",
            Self::AwsNoRenewal => "aws_no_renewal",
            Self::AzureExchangeProduct => "azure_exchange_product",
            Self::AzureExchangeValue => "azure_exchange_value",
            Self::AzureExchangeTerm => "azure_exchange_term",
            Self::AzureExchangePolicy => "azure_exchange_policy",
            Self::AzureSwapStorage => "azure_swap_storage",
            Self::AzureNotReturnable => "azure_not_returnable",
            Self::AzureRefund => "azure_refund",
            Self::AzureRefundLimit => "azure_refund_limit",
            Self::AzureTradeInProduct => "azure_trade_in_product",
            Self::AzureTradeInValue => "azure_trade_in_value",
            Self::AzureSplit => "azure_split",
            Self::AzureScope => "azure_scope",
            Self::AzureRenewal => "azure_renewal",
            Self::AzureFixed => "azure_fixed",
            Self::GoogleMerge => "google_merge",
            Self::GoogleSplit => "google_split",
            Self::GoogleLicence => "google_licence",
            Self::GoogleUpgrade => "google_upgrade",
            Self::GoogleExtend => "google_extend",
            Self::GoogleRenewal => "google_renewal",
            Self::GoogleModel => "google_model",
            Self::GoogleFixed => "google_fixed",
            Self::InsuredPut => "insured_put",
        }
    }

    /// What it says, in this library's words.
    #[must_use]
    pub fn statement(self) -> &'static str {
        match self {
            Self::Lot => "Quantities come in the lots in which the offer is sold.",
            Self::NotOffered => "The provider has no such action for commitments of this kind.",
            Self::Active => "Only a commitment that is active and has nothing pending can be changed.",
            Self::End => "After its end nothing can be done with a commitment.",
            Self::AwsModify => {
                "Reserved Instances can be modified while they are active, not pending and not listed for sale, once their purchase is done."
            }
            Self::AwsModifyFootprint => "A modification keeps the footprint: the sum of count times normalisation factor.",
            Self::AwsModifySize => {
                "Sizes change within one family and generation, on Linux/UNIX with default tenancy, where the family has size flexibility."
            }
            Self::AwsModifyTogether => {
                "Reserved Instances that are modified together are of one class and one Region, and standard ones expire within the same hour."
            }
            Self::AwsModifyEffective => {
                "A modification takes effect at the start of the clock hour of the request, costs nothing and keeps the end."
            }
            Self::AwsExchangeClass => {
                "Convertible Reserved Instances are exchanged for convertible Reserved Instances that are on offer; standard ones are not exchanged."
            }
            Self::AwsExchangeLastDay => {
                "A convertible Reserved Instance can be exchanged while at least 24 hours of its term remain."
            }
            Self::AwsExchangeRegion => "An exchange stays in the Region.",
            Self::AwsExchangeValue => {
                "The upfront price and the hourly price of the remaining hours of what is received are worth no less than those of what is given up; the count is raised until they are."
            }
            Self::AwsExchangeTrueUp => {
                "The true-up, prorated upfront price received less remaining upfront price given up, is not below 0; the count is raised until it is not."
            }
            Self::AwsExchangePayment => {
                "All upfront and partial upfront may be exchanged for each other, no upfront for all three, and nothing with an upfront payment for no upfront."
            }
            Self::AwsExchangeHourly => "No upfront is exchanged for no upfront only at the same or a higher hourly price.",
            Self::AwsExchangeTerm => {
                "The result has the term of what was given up, of the longest where several are merged, and ends when the latest of them ends."
            }
            Self::AwsMarketplaceClass => {
                "Only standard EC2 Reserved Instances can be sold, not those bought with a volume or private discount, not in Regions that are disabled by default, not by customers of AWS India."
            }
            Self::AwsMarketplaceTime => {
                "A Reserved Instance can be sold after 30 days in the account, with its upfront payment received, while at least one month of its term remains."
            }
            Self::AwsMarketplaceFee => {
                "AWS keeps 12 percent of the upfront price of a sale; the seller sets that price, which is 0 or more."
            }
            Self::AwsMarketplaceAmount => "An account can sell Reserved Instances for up to USD 50,000 in its life.",
            Self::AwsMarketplaceInstances => "An account can sell up to 5,000 Reserved Instances in its life.",
            Self::AwsPurchaseLimit => {
                "20 regional Reserved Instances by Region, and 20 zonal ones by availability zone, can be bought in a month, unless AWS raises the quota."
            }
            Self::AwsQueue => {
                "Regional Reserved Instances and Savings Plans can be queued up to three years ahead, and called off before they start."
            }
            Self::AwsReturnWindow => {
                "A Savings Plan can be returned within seven days of its purchase and in the same calendar month, UTC."
            }
            Self::AwsReturnAmount => {
                "A Savings Plan of more than USD 100 an hour cannot be returned; one that is returned is returned as a whole."
            }
            Self::AwsReturnSeller => {
                "Savings Plans with an upfront payment cannot be returned by customers of AWS Brazil and AWS Turkey."
            }
            Self::AwsReturnsPerYear => "A management account can return 10 Savings Plans in a calendar year.",
            Self::AwsFixed => "Savings Plans are not changed, exchanged or sold.",
            Self::AwsNoRenewal => "AWS commitments lapse at their end; a renewal is a queued purchase of the same configuration.",
            Self::AzureExchangeProduct => {
                "Reservations are exchanged within a product family: virtual machines, dedicated hosts, Azure VMware Solution and Nutanix together; SQL Database, SQL Managed Instance and elastic pools together; all others for the same product."
            }
            Self::AzureExchangeValue => {
                "The lifetime commitment of the new purchase is no less than the remaining commitment of what is returned."
            }
            Self::AzureExchangeTerm => {
                "The new reservation has a new term from the exchange on, is charged in full, and what was paid is refunded by days in UTC."
            }
            Self::AzureExchangePolicy => {
                "From 2027-02-01 on, each unit of a reservation of services that savings plans cover can be exchanged once more if it was bought before, and not at all if it was bought, exchanged for or renewed on or after it."
            }
            Self::AzureSwapStorage => {
                "A size can be swapped for the same size with or without premium storage, in the same region and term, without charge."
            }
            Self::AzureNotReturnable => {
                "Databricks, Synapse, Defender and Sentinel pre-purchase plans and Red Hat and SUSE plans are neither exchanged nor refunded."
            }
            Self::AzureRefund => {
                "A refund is prorated by days in UTC, at the lower of the price paid and the current price, less an early termination fee (none today, 12 percent reserved)."
            }
            Self::AzureRefundLimit => {
                "The remaining commitment cancelled in any 12 months is at most USD 50,000 by enrolment or billing profile, payments not made yet included; exchanges do not count."
            }
            Self::AzureTradeInProduct => {
                "Reservations of virtual machines, dedicated hosts and App Service can be traded in for a savings plan, up to 100 at a time, at any time."
            }
            Self::AzureTradeInValue => {
                "The savings plan's commitment over its term is no less than the remaining commitment of what is traded in."
            }
            Self::AzureSplit => {
                "A reservation is split in two, and parts of one order are merged, without charge and with the same end."
            }
            Self::AzureScope => "The scope of a reservation or savings plan can be changed at any time.",
            Self::AzureRenewal => {
                "Reservations renew automatically unless it is turned off before their end; savings plans only if it is turned on. A renewal is a new purchase at the price of its day."
            }
            Self::AzureFixed => "Azure savings plans are not cancelled, refunded or exchanged.",
            Self::GoogleMerge => {
                "Commitments of one project, region, machine series, resource and term are merged at 12 AM Pacific of the next day, until the latest of their ends."
            }
            Self::GoogleSplit => {
                "A part of a commitment becomes a new one at 12 AM Pacific of the next day; not where reservations are attached, as they are to GPU and local SSD."
            }
            Self::GoogleLicence => "Licence commitments are neither merged, split nor upgraded.",
            Self::GoogleUpgrade => {
                "An active one-year commitment is upgraded to three years at 12 AM Pacific of the next day: same start, end two years later, at the three-year price of the day its term began."
            }
            Self::GoogleExtend => {
                "In the first year of its term a one-year commitment can be given an end before three years, and a three-year one before six, at the same price."
            }
            Self::GoogleRenewal => {
                "Resource-based commitments renew if auto-renewal is on; it can be changed until 12 AM Pacific of the day they end."
            }
            Self::GoogleModel => "A legacy spend-based commitment becomes one of the discounted amount.",
            Self::GoogleFixed => "Google commitments are not cancelled; spend-based ones are not changed at all.",
            Self::InsuredPut => {
                "An insured commitment can be handed to the insurer from the end of its insured term on, at the price agreed."
            }
        }
    }

    /// The title of the page that states it; empty for what follows from the nature of a commitment.
    #[must_use]
    pub fn page(self) -> &'static str {
        self.source().0
    }

    /// The address of that page; empty if there is none.
    #[must_use]
    pub fn address(self) -> &'static str {
        self.source().1
    }

    fn source(self) -> Page {
        match self {
            Self::Lot | Self::NotOffered | Self::Active | Self::End => ("", ""),
            Self::InsuredPut => ("the contract with the insurer", ""),
            Self::AwsModify
            | Self::AwsModifyFootprint
            | Self::AwsModifySize
            | Self::AwsModifyTogether
            | Self::AwsModifyEffective => MODIFY,
            Self::AwsExchangeClass
            | Self::AwsExchangeLastDay
            | Self::AwsExchangeRegion
            | Self::AwsExchangeValue
            | Self::AwsExchangeTrueUp
            | Self::AwsExchangePayment
            | Self::AwsExchangeHourly
            | Self::AwsExchangeTerm => EXCHANGE,
            Self::AwsMarketplaceClass
            | Self::AwsMarketplaceTime
            | Self::AwsMarketplaceFee
            | Self::AwsMarketplaceAmount
            | Self::AwsMarketplaceInstances => MARKETPLACE,
            Self::AwsPurchaseLimit => PURCHASE_LIMITS,
            Self::AwsQueue => QUEUE,
            Self::AwsReturnWindow | Self::AwsReturnAmount | Self::AwsReturnSeller => RETURN,
            Self::AwsReturnsPerYear => PLAN_QUOTAS,
            Self::AwsFixed => PLANS,
            Self::AwsNoRenewal => BUY,
            Self::AzureExchangeProduct
            | Self::AzureExchangeValue
            | Self::AzureExchangeTerm
            | Self::AzureSwapStorage
            | Self::AzureNotReturnable
            | Self::AzureRefund
            | Self::AzureRefundLimit => AZURE_EXCHANGE,
            Self::AzureExchangePolicy => AZURE_POLICY,
            Self::AzureTradeInProduct | Self::AzureTradeInValue => AZURE_TRADE_IN,
            Self::AzureSplit | Self::AzureScope => AZURE_MANAGE,
            Self::AzureRenewal => AZURE_RENEW,
            Self::AzureFixed => AZURE_PLANS,
            Self::GoogleMerge | Self::GoogleSplit | Self::GoogleLicence => GOOGLE_MERGE,
            Self::GoogleUpgrade => GOOGLE_UPGRADE,
            Self::GoogleExtend => GOOGLE_EXTEND,
            Self::GoogleRenewal => GOOGLE_RENEW,
            Self::GoogleModel => GOOGLE_MODEL,
            Self::GoogleFixed => GOOGLE_CUDS,
        }
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.statement())?;
        if self.page().is_empty() { Ok(()) } else { write!(f, " [{}]", self.page()) }
    }
}
