//! Regions of Azure in the spellings of its exports: `EastUS`, `US East`, `eastus`, `East US`, and the names that meters have (`Virginia`).

/// Names of meters and of older exports, and regions as price lists name them.
///
/// Source: the `location` and `armRegionName` of the Azure Retail Prices API, and the meter regions of Enterprise Agreement price sheets.
const NAMES: [(&str, &str); 52] = [
    ("useast", "eastus"),
    ("useast2", "eastus2"),
    ("virginia", "eastus"),
    ("uswest", "westus"),
    ("california", "westus"),
    ("uswest2", "westus2"),
    ("uswest3", "westus3"),
    ("uscentral", "centralus"),
    ("iowa", "centralus"),
    ("usnorthcentral", "northcentralus"),
    ("illinois", "northcentralus"),
    ("ussouthcentral", "southcentralus"),
    ("texas", "southcentralus"),
    ("uswestcentral", "westcentralus"),
    ("wyoming", "westcentralus"),
    ("cacentral", "canadacentral"),
    ("caeast", "canadaeast"),
    ("brsouth", "brazilsouth"),
    ("brsoutheast", "brazilsoutheast"),
    ("euwest", "westeurope"),
    ("amsterdam", "westeurope"),
    ("netherlands", "westeurope"),
    ("eunorth", "northeurope"),
    ("dublin", "northeurope"),
    ("ireland", "northeurope"),
    ("frcentral", "francecentral"),
    ("frsouth", "francesouth"),
    ("dewestcentral", "germanywestcentral"),
    ("denorth", "germanynorth"),
    ("chnorth", "switzerlandnorth"),
    ("chwest", "switzerlandwest"),
    ("noeast", "norwayeast"),
    ("nowest", "norwaywest"),
    ("secentral", "swedencentral"),
    ("sesouth", "swedensouth"),
    ("plcentral", "polandcentral"),
    ("itnorth", "italynorth"),
    ("escentral", "spaincentral"),
    ("ilcentral", "israelcentral"),
    ("aenorth", "uaenorth"),
    ("aecentral", "uaecentral"),
    ("qacentral", "qatarcentral"),
    ("zanorth", "southafricanorth"),
    ("zawest", "southafricawest"),
    ("apeast", "eastasia"),
    ("apsoutheast", "southeastasia"),
    ("jaeast", "japaneast"),
    ("jawest", "japanwest"),
    ("aueast", "australiaeast"),
    ("ausoutheast", "australiasoutheast"),
    ("incentral", "centralindia"),
    ("krcentral", "koreacentral"),
];

/// The region as price lists name it; a name that the table does not have keeps its letters and digits.
pub(crate) fn region(name: &str) -> String {
    let letters: String = name.chars().filter(char::is_ascii_alphanumeric).map(|letter| letter.to_ascii_lowercase()).collect();
    NAMES.iter().find(|(known, _)| *known == letters).map_or(letters, |(_, region)| (*region).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn regions_have_one_name() {
        for name in ["EastUS", "US East", "eastus", "East US", "Virginia"] {
            assert_eq!(region(name), "eastus", "{name}");
        }
        assert_eq!((region("UK South"), region("uksouth"), region("")), ("uksouth".into(), "uksouth".into(), String::new()));
    }
}
