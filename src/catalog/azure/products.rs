//! What Azure's documentation says about its products, as dated data: which savings plan covers a service, what the owner of a
//! reservation may do with it, what cannot be paid monthly, which series are no longer sold, Cosmos DB's regional ratios.
//!
//! Sources, all of Microsoft's cost management documentation: "Savings plan overview" (2026-03-14), "Self-service exchanges and refunds"
//! (2026-01-15), "Changes to the reservation exchange policy" (revision of 2026-08-27), "Self-service trade-in for Azure savings plans",
//! "Reservation purchase with monthly payments", the 2026 notice on series whose reservations are no longer sold, and "Understand how the
//! reservation discount is applied to Azure Cosmos DB" (2023-11-17).

use crate::catalog::Right;
use chrono::NaiveDate;
use rust_decimal::Decimal;
use std::collections::BTreeSet;

/// Plan type of Azure savings plans for compute.
pub const COMPUTE_PLAN: &str = "Compute";
/// Plan type of Azure savings plans for databases, sold since 2026-03.
pub const DATABASE_PLAN: &str = "Database";

const DATABASE_SERVICES: [&str; 8] = [
    "SQL Database",
    "SQL Managed Instance",
    "Azure Database for PostgreSQL",
    "Azure Database for MySQL",
    "Azure Cosmos DB",
    "Azure DocumentDB",
    "Azure Database Migration Service",
    "SQL Server",
];

/// The savings plan that a service's rates belong to.
#[must_use]
pub fn plan(service: &str) -> &'static str {
    if DATABASE_SERVICES.contains(&service) { DATABASE_PLAN } else { COMPUTE_PLAN }
}

/// Whether a service is one that a savings plan covers, so that the exchange policy of 2027 applies to its reservations.
#[must_use]
pub fn has_plan(service: &str) -> bool {
    let compute =
        ["Virtual Machines", "Cloud Services", "Azure App Service", "Functions", "Container Instances", "Azure Container Apps"];
    compute.contains(&service) || service.contains("Dedicated Host") || DATABASE_SERVICES.contains(&service)
}

/// Software and pre-purchase plans, which can be neither paid monthly (the first four) nor returned.
fn is_excluded(service: &str, names: &[&str]) -> bool {
    names.iter().any(|name| service.contains(name))
}

/// Whether a reservation of this service can be paid monthly.
#[must_use]
pub fn is_sold_monthly(service: &str) -> bool {
    !is_excluded(service, &["Databricks", "SUSE", "Red Hat", "OpenShift"])
}

/// What the owner of a reservation bought on a day may do with it. From 2027-02-01 on, reservations of services that savings plans
/// cover are sold without exchange; refund (within USD 50,000 in 12 months) and trade-in stay.
#[must_use]
pub fn reservation_rights(service: &str, bought_on: Option<NaiveDate>) -> BTreeSet<Right> {
    if is_excluded(service, &["Databricks", "SUSE", "Red Hat", "OpenShift", "Synapse", "Defender", "Sentinel"]) {
        return BTreeSet::new();
    }
    let mut rights = BTreeSet::from([Right::Refund, Right::Modification]);
    let policy_change = NaiveDate::from_ymd_opt(2027, 2, 1);
    if !has_plan(service) || bought_on.is_none_or(|day| policy_change.is_none_or(|change| day < change)) {
        rights.insert(Right::Exchange);
    }
    if service == "Virtual Machines" || service == "Azure App Service" || service.contains("Dedicated Host") {
        rights.insert(Right::TradeIn);
    }
    rights
}

/// Series whose one-year reservations are no longer sold.
const ENDED_ONE_YEAR: [&str; 18] =
    ["Av2", "Amv2", "Bv1", "D", "Ds", "Dv2", "Dsv2", "F", "Fs", "Fsv2", "G", "Gs", "Ls", "Lsv2", "Dv3", "Dsv3", "Ev3", "Esv3"];
/// Series whose three-year reservations are no longer sold either.
const ENDED_THREE_YEARS: [&str; 4] = ["Dv3", "Dsv3", "Ev3", "Esv3"];

/// The last day on which a reservation of this size and term was sold; `None` while it is. Sale stopped on 2026-07-01.
#[must_use]
pub fn last_day_of_sale(arm_sku_name: &str, term_months: u32) -> Option<NaiveDate> {
    let series = series(arm_sku_name)?;
    let ended: &[&str] = match term_months {
        12 => &ENDED_ONE_YEAR,
        36 => &ENDED_THREE_YEARS,
        _ => &[],
    };
    ended.contains(&series.as_str()).then(|| NaiveDate::from_ymd_opt(2026, 6, 30)).flatten()
}

/// The series of a virtual machine size as Microsoft writes it: `Standard_D4s_v5` is `Dsv5`, `Standard_DS11-1_v2` is `Dsv2`,
/// `Standard_B2ms` is `Bv1`, `Standard_E64is_v3` (an isolated size) is `Esv3`. `None` for what is no size (dedicated hosts).
#[must_use]
pub fn series(arm_sku_name: &str) -> Option<String> {
    let name = arm_sku_name.replace(' ', "_");
    let (tier, body) = name.split_once('_')?;
    if !tier.eq_ignore_ascii_case("standard") {
        return tier.eq_ignore_ascii_case("basic").then(|| "Basic A".to_owned());
    }
    let mut parts = body.split('_');
    let size = parts.next()?;
    let letters: String = size.chars().take_while(char::is_ascii_alphabetic).collect();
    let rest = &size[letters.len()..];
    if letters.is_empty() || !rest.starts_with(|digit: char| digit.is_ascii_digit()) {
        return None;
    }
    // After the vCPU count, and the active vCPUs of constrained sizes (`E32-8as`), stand the features.
    let features: String =
        rest.trim_start_matches(|character: char| character.is_ascii_digit() || character == '-').to_lowercase();
    let features = features.replacen('i', "", usize::from(features.starts_with('i')));
    let version = parts.find_map(|part| {
        let number = part.strip_prefix(['v', 'V'])?;
        number.bytes().all(|byte| byte.is_ascii_digit()).then(|| format!("v{number}"))
    });
    let mut capital = letters.to_lowercase();
    capital[..1].make_ascii_uppercase();
    if capital == "B" && version.is_none() {
        return Some("Bv1".into());
    }
    Some(format!("{capital}{features}{}", version.unwrap_or_default()))
}

/// The vCore meter family and the vCores of a SQL Database or SQL Managed Instance size: `SQLDB_GP_Compute_Gen5_8` is 8 of
/// `SQLDB_GP_Compute_Gen5`, which is itself one vCore and what a reservation is of. Reserved vCores cover any mix of sizes of the family
/// ("How reservation discounts apply to Azure SQL Database"). `None` for other services and for storage.
#[must_use]
pub fn vcores<'a>(service: &str, arm_sku_name: &'a str) -> Option<(&'a str, u32)> {
    let is_sql = matches!(service, "SQL Database" | "SQL Managed Instance");
    if !is_sql || !arm_sku_name.contains("_Compute_") {
        return None;
    }
    let size = arm_sku_name.rsplit_once('_').and_then(|(family, count)| Some((family, count.parse::<u32>().ok()?)));
    Some(size.filter(|(_, count)| *count > 0).unwrap_or((arm_sku_name, 1)))
}

/// The service name of Azure Cosmos DB in the Retail Prices API.
pub const COSMOS_DB: &str = "Azure Cosmos DB";

/// How many units of reserved throughput (100 RU/s) a unit of use needs in a region, by the region's name in the meters' `location`:
/// `FR Central`. Regions that are not listed need 1.
#[must_use]
pub fn cosmos_ratio(location: &str) -> Decimal {
    let ten_thousandths = match location {
        "IN South" => 10_375,
        "CA East" => 11_000,
        "JA East" | "JA West" => 11_250,
        "IN West" | "IN Central" => 11_375,
        "AU East" => 11_500,
        "CA Central" => 12_000,
        "FR Central" => 12_500,
        "BR South" | "AU Central" | "AU Central 2" => 15_000,
        "FR South" => 16_250,
        _ => 10_000,
    };
    Decimal::new(ten_thousandths, 4).normalize()
}

#[cfg(test)]
mod tests {
    use super::*;
    use rust_decimal::dec;
    use test_case::test_case;

    #[test_case("Standard_D4s_v5", Some("Dsv5"))]
    #[test_case("Standard_DS11-1_v2", Some("Dsv2"))]
    #[test_case("Standard_D15i_v2", Some("Dv2"))]
    #[test_case("Standard_E64is_v3", Some("Esv3"))]
    #[test_case("Standard_E32-8as v5", Some("Easv5"))]
    #[test_case("Standard_B1ls", Some("Bv1"))]
    #[test_case("Standard_B2s_v2", Some("Bsv2"))]
    #[test_case("Standard_F2", Some("F"))]
    #[test_case("Standard_A2m_v2", Some("Amv2"))]
    #[test_case("Standard_GS4-4", Some("Gs"))]
    #[test_case("Standard_D2_v2_Promo", Some("Dv2"))]
    #[test_case("Basic_A3", Some("Basic A"))]
    #[test_case("Dsv3_Type2", None)]
    fn series_are_read_off_the_size(name: &str, expected: Option<&str>) {
        assert_eq!(series(name).as_deref(), expected);
    }

    #[test]
    fn ended_sales_depend_on_the_term() {
        let day = NaiveDate::from_ymd_opt(2026, 6, 30);
        assert_eq!(last_day_of_sale("Standard_F4s_v2", 12), day);
        assert_eq!(last_day_of_sale("Standard_F4s_v2", 36), None);
        assert_eq!(last_day_of_sale("Standard_D4s_v3", 36), day);
        assert_eq!(last_day_of_sale("Standard_D4s_v5", 12), None);
    }

    #[test]
    fn rights_follow_product_and_day() {
        let (before, after) = (NaiveDate::from_ymd_opt(2027, 1, 31), NaiveDate::from_ymd_opt(2027, 2, 1));
        assert!(reservation_rights("Virtual Machines", before).contains(&Right::Exchange));
        assert!(!reservation_rights("Virtual Machines", after).contains(&Right::Exchange));
        assert!(reservation_rights("Virtual Machines", after).contains(&Right::TradeIn));
        assert!(!reservation_rights("SQL Database", before).contains(&Right::TradeIn));
        assert!(reservation_rights("Azure Databricks", before).is_empty());
        assert!(!is_sold_monthly("SUSE Linux Enterprise"));
    }

    #[test_case("SQL Database", "SQLDB_GP_Compute_Gen5_8", Some(("SQLDB_GP_Compute_Gen5", 8)))]
    #[test_case("SQL Database", "SQLDB_BC_Compute_Gen5", Some(("SQLDB_BC_Compute_Gen5", 1)))]
    #[test_case("SQL Managed Instance", "SQLMI_GP_Compute_Gen5_16", Some(("SQLMI_GP_Compute_Gen5", 16)))]
    #[test_case("SQL Database", "SQLDB_GP_Storage", None)]
    #[test_case("Virtual Machines", "Standard_D4s_v5", None)]
    fn vcores_are_read_off_the_name(service: &str, name: &str, expected: Option<(&str, u32)>) {
        assert_eq!(vcores(service, name), expected);
    }

    #[test]
    fn cosmos_ratios_are_the_documented_ones() {
        assert_eq!(cosmos_ratio("AU Central 2"), dec!(1.5));
        assert_eq!(cosmos_ratio("FR South"), dec!(1.625));
        assert_eq!(cosmos_ratio("US West"), dec!(1));
    }
}
