//! What tells when Google's commitments begin and end, which the bill does not: the answer of `gcloud compute commitments list --format=json` for
//! resource-based ones (Compute Engine API, "regionCommitments"), and the export of spend-based ones to BigQuery (Cloud Billing documentation,
//! "Structure of CUD metadata export"; table `cud_subscriptions_export`), in any kind of file that bills are read from.

use crate::beside;
use crate::columns::{Column, Kind, rare, required};
use crate::error::{Error, Result};
use crate::held::{HeldCommitment, LEGACY, Subject};
use crate::note::Note;
use crate::options::Options;
use crate::session::{Rows, Session};
use covermix::catalog::PaymentOption;
use covermix::catalog::gcp::{Resource, resource_sku};
use covermix::time::Term;
use covermix::usage::Provider;
use rust_decimal::Decimal;
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::PathBuf;

/// A commitment of a list.
#[derive(Clone, Debug)]
pub(crate) struct Listed {
    held: HeldCommitment,
    /// Whether it was cancelled, as the sources of a merge are.
    is_cancelled: bool,
}

/// Resource-based commitments, by the keys of the API.
const RESOURCE_BASED: [Column; 10] = [
    required("commitment_name", &["name"], Kind::Text),
    required("plan", &["plan"], Kind::Text),
    required("start", &["startTimestamp"], Kind::Time),
    required("finish", &["endTimestamp"], Kind::Time),
    required("region", &["region"], Kind::Text),
    required("resources", &["resources"], Kind::Text),
    rare("machine_series", &["type"], Kind::Text),
    rare("status", &["status"], Kind::Text),
    rare("category", &["category"], Kind::Text),
    rare("self_link", &["selfLink"], Kind::Text),
];

/// Spend-based commitments, by the columns of the export; Google's documentation spells the amount with one `m`.
const SPEND_BASED: [Column; 9] = [
    required("subscription_id", &["subscription.instance_id"], Kind::Text),
    required("start", &["start_time"], Kind::Time),
    required("finish", &["end_time"], Kind::Time),
    required("amount", &["commitment_amount.value", "commitent_amount.value"], Kind::Number),
    rare("term", &["term"], Kind::Text),
    rare("region", &["region"], Kind::Text),
    rare("product", &["cud_product.display_name"], Kind::Text),
    rare("state", &["state"], Kind::Text),
    rare("billing_account_id", &["billing_account_id"], Kind::Text),
];

/// The commitments of the files.
pub(crate) async fn read(paths: &[PathBuf], options: &Options) -> Result<Vec<Listed>> {
    if paths.is_empty() {
        return Ok(Vec::new());
    }
    let (session, mut sources) = Session::open(paths, options).await?;
    // The export is a snapshot a day: the last one of a subscription is kept.
    let mut listed = BTreeMap::new();
    for source in &mut sources {
        let found = if source.has("subscription.instance_id") {
            spend_based(&beside::read(&session, source, &SPEND_BASED, "export of Google's CUD subscriptions").await?)
        } else if source.has("plan") && source.has("startTimestamp") {
            resource_based(&beside::read(&session, source, &RESOURCE_BASED, "list of Google's commitments").await?)
        } else {
            let looked_for = "startTimestamp and plan (gcloud compute commitments list --format=json), \
                              subscription.instance_id (cud_subscriptions_export)";
            let (file, found) = (source.path.clone(), source.describe_headers());
            return Err(Error::UnknownFormat { file, looked_for: looked_for.into(), found });
        };
        for one in found {
            let is_newer = |known: &Listed| known.held.end <= one.held.end;
            if listed.get(&one.held.id).is_none_or(is_newer) {
                listed.insert(one.held.id.clone(), one);
            }
        }
    }
    Ok(listed.into_values().collect())
}

fn spend_based(rows: &Rows) -> Vec<Listed> {
    let one = |row: usize| Listed {
        is_cancelled: rows.text_at("state", row).to_ascii_lowercase().starts_with("cancel"),
        held: HeldCommitment {
            id: rows.text_at("subscription_id", row),
            name: rows.text_at("product", row),
            account: rows.text_at("billing_account_id", row),
            subject: Subject::Spend { plan: rows.text_at("product", row) },
            quantity: rows.number_at("amount", row),
            start: rows.instant_at("start", row),
            end: rows.instant_at("finish", row),
            term: match rows.text_at("term", row).as_str() {
                "P1Y" | "P12M" => Some(Term::Months(12)),
                "P3Y" | "P36M" => Some(Term::Months(36)),
                _ => None,
            },
            region: Some(rows.text_at("region", row)).filter(|region| region != "global").unwrap_or_default(),
            ..empty()
        },
    };
    (0..rows.len()).map(one).collect()
}

/// One commitment for each resource: vCPU and memory are matched separately, each at its own price.
fn resource_based(rows: &Rows) -> Vec<Listed> {
    let mut listed = Vec::new();
    for row in 0..rows.len() {
        let last = |text: String| text.rsplit('/').next().unwrap_or_default().to_owned();
        let (name, region) = (rows.text_at("commitment_name", row), last(rows.text_at("region", row)));
        let link = rows.text_at("self_link", row);
        let project = link.split_once("/projects/").and_then(|(_, rest)| rest.split('/').next()).unwrap_or_default();
        let is_licence = rows.text_at("category", row) == "LICENSE";
        let series = series(&rows.text_at("machine_series", row));
        let resources: Vec<Value> = serde_json::from_str(&rows.text_at("resources", row)).unwrap_or_default();
        for entry in &resources {
            let text = |key: &str| {
                entry.get(key).map(|value| value.as_str().map_or_else(|| value.to_string(), str::to_owned)).unwrap_or_default()
            };
            let amount = text("amount").parse::<Decimal>().ok();
            let (resource, unit) = match text("type").as_str() {
                "VCPU" => (Some(Resource::Cpu), Decimal::ONE),
                // In MB, which are MiB.
                "MEMORY" => (Some(Resource::Memory), Decimal::from(1024)),
                "LOCAL_SSD" => (Some(Resource::LocalSsd), Decimal::ONE),
                "ACCELERATOR" => (Some(Resource::Gpu(gpu(&text("acceleratorType")))), Decimal::ONE),
                _ => (None, Decimal::ONE),
            };
            let sku = resource.filter(|_| !is_licence).map(|resource| resource_sku(&region, &series, &resource));
            let of = sku.as_ref().map_or_else(|| text("type"), |sku| sku.sku.clone());
            listed.push(Listed {
                is_cancelled: rows.text_at("status", row).starts_with("CANCEL"),
                held: HeldCommitment {
                    id: format!("{project}/{region}/{name}/{of}"),
                    name: format!("{of} of commitment {name} in {region}"),
                    account: project.to_owned(),
                    subject: sku.map_or(Subject::Unknown, |sku| Subject::Usage { sku }),
                    quantity: amount.map(|amount| (amount / unit).normalize()),
                    start: rows.instant_at("start", row),
                    end: rows.instant_at("finish", row),
                    term: match rows.text_at("plan", row).as_str() {
                        "TWELVE_MONTH" => Some(Term::Months(12)),
                        "THIRTY_SIX_MONTH" => Some(Term::Months(36)),
                        "SIXTY_MONTH" => Some(Term::Months(60)),
                        _ => None,
                    },
                    region: region.clone(),
                    ..empty()
                },
            });
        }
    }
    listed
}

/// What no list says.
fn empty() -> HeldCommitment {
    HeldCommitment {
        id: String::new(),
        provider: Provider::Gcp,
        name: String::new(),
        account: String::new(),
        subject: Subject::Unknown,
        offer: String::new(),
        quantity: None,
        is_normalised: false,
        start: None,
        end: None,
        term: None,
        payment_option: Some(PaymentOption::NoUpfront),
        upfront: None,
        recurring: None,
        region: String::new(),
        zone: String::new(),
    }
}

/// The machine series of a commitment's type: the first series of each kind has none in its name.
fn series(kind: &str) -> String {
    match kind {
        "" | "TYPE_UNSPECIFIED" | "GENERAL_PURPOSE" => "N1".to_owned(),
        "COMPUTE_OPTIMIZED" => "C2".to_owned(),
        "MEMORY_OPTIMIZED" => "M1".to_owned(),
        "ACCELERATOR_OPTIMIZED" => "A2".to_owned(),
        "GRAPHICS_OPTIMIZED" => "G2".to_owned(),
        other => {
            let name = ["GENERAL_PURPOSE_", "_OPTIMIZED_"]
                .iter()
                .find_map(|word| other.split_once(word))
                .map_or(other, |(_, name)| name);
            name.replace('_', " ")
        }
    }
}

/// The model of a GPU as price lists name it: `nvidia-tesla-a100` is `A100`, `nvidia-h100-80gb` is `H100-80GB`.
fn gpu(kind: &str) -> String {
    let name = kind.rsplit('/').next().unwrap_or_default();
    let name = name.strip_prefix("nvidia-").unwrap_or(name);
    name.strip_prefix("tesla-").unwrap_or(name).to_uppercase()
}

/// The commitments of a bill with those of lists: the lists tell how many there are and when they run, the bill what they cost. Fees of a
/// resource-based commitment may be attributed to other projects than the one that has it, so that project does not tell them apart.
pub(super) fn merge(billed: Vec<HeldCommitment>, listed: Vec<Listed>, notes: &mut Vec<Note>) -> Vec<HeldCommitment> {
    let (mut billed, mut held): (Vec<Option<HeldCommitment>>, Vec<HeldCommitment>) =
        (billed.into_iter().map(Some).collect(), Vec::new());
    let (cancelled, listed): (Vec<Listed>, Vec<Listed>) = listed.into_iter().partition(|one| one.is_cancelled);
    for one in cancelled {
        notes.push(Note::LeftOut { commitment: one.held.id, why: "its list says that it was cancelled".into() });
    }
    let mut groups: BTreeMap<String, Vec<HeldCommitment>> = BTreeMap::new();
    for Listed { held, .. } in listed {
        groups.entry(group(&held)).or_default().push(held);
    }
    for mut group in groups.into_values() {
        let is_charged =
            |fee: &&mut Option<HeldCommitment>| fee.as_ref().is_some_and(|fee| group.iter().any(|one| is_fee_of(fee, one)));
        let fees: Vec<HeldCommitment> = billed.iter_mut().filter(is_charged).filter_map(Option::take).collect();
        let sum =
            |of: fn(&HeldCommitment) -> Option<Decimal>, all: &[HeldCommitment]| all.iter().map(of).sum::<Option<Decimal>>();
        if let (Some(first), Some(charged), Some(known)) =
            (fees.first(), sum(|fee| fee.quantity, &fees), sum(|one| one.quantity, &group))
        {
            if (charged - known).abs() > known / Decimal::ONE_HUNDRED {
                let (charged, known) = (charged.normalize(), known.normalize());
                let what = format!("the bill charges {charged} an hour on average, its list has {known}; the list counts");
                notes.push(Note::Inferred { commitment: group[0].id.clone(), what });
            }
            let fee = sum(|fee| Some(fee.recurring? * fee.quantity?), &fees);
            let recurring = fee.filter(|_| !charged.is_zero()).map(|fee| fee / charged);
            for one in &mut group {
                one.recurring = recurring;
                one.upfront = recurring.map(|_| Decimal::ZERO);
                one.offer.clone_from(&first.offer);
                one.term = one.term.or(first.term);
                if let (Subject::Spend { plan }, Subject::Spend { plan: billed }) = (&mut one.subject, &first.subject)
                    && billed.ends_with(LEGACY)
                {
                    plan.push_str(LEGACY);
                }
            }
        }
        held.append(&mut group);
    }
    held.extend(billed.into_iter().flatten());
    held.sort_by(|a, b| a.id.cmp(&b.id));
    held
}

/// What the commitments that share fees have in common.
fn group(held: &HeldCommitment) -> String {
    match &held.subject {
        Subject::Usage { sku } => format!("{sku} {:?}", held.term),
        Subject::Spend { .. } | Subject::Unknown => held.id.clone(),
    }
}

/// Whether a fee of a bill is one of a listed commitment.
fn is_fee_of(fee: &HeldCommitment, one: &HeldCommitment) -> bool {
    let is_term = fee.term.is_none() || one.term.is_none() || fee.term == one.term;
    match (&fee.subject, &one.subject) {
        (Subject::Usage { sku: billed }, Subject::Usage { sku }) => billed == sku && is_term,
        (Subject::Spend { .. }, Subject::Spend { .. }) => fee.id == one.id,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_of_commitments_are_machine_series() {
        for (kind, expected) in [
            ("GENERAL_PURPOSE", "N1"),
            ("GENERAL_PURPOSE_N2D", "N2D"),
            ("COMPUTE_OPTIMIZED_C3", "C3"),
            ("MEMORY_OPTIMIZED", "M1"),
            ("STORAGE_OPTIMIZED_Z3", "Z3"),
        ] {
            assert_eq!(series(kind), expected);
        }
        assert_eq!((gpu("nvidia-tesla-v100"), gpu("a/b/nvidia-h100-80gb")), ("V100".to_owned(), "H100-80GB".to_owned()));
    }
}
