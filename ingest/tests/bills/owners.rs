//! Owners by rules over a bill: tags, accounts, shared cost, and what no rule fits.

use super::synthetic::{FOCUS, file};
use covermix_ingest::owners::OwnerRules;
use covermix_ingest::{Bill, Options};
use rust_decimal::Decimal;

const RULES: &str = r#"
[[rule]]
owner = "shop/checkout"
tags.team = "^checkout$"

[[rule]]
owner = "data/$1"
account = "^([23])$"

[[rule]]
owner = "platform"
service = "Elastic Compute"

[[shared]]
owner = "platform"
split = "even"
among = ["shop", "data"]
"#;

#[test]
fn every_dollar_has_an_owner_or_is_named() {
    let (_folder, path) = file("focus.csv", FOCUS);
    let rules = OwnerRules::from_toml(RULES).unwrap();
    let error = Bill::read(&[&path], &Options::default()).unwrap().allocate(&rules).unwrap_err();
    assert!(error.to_string().contains("`team`"), "{error}");
    let options = Options { tag_keys: rules.tag_keys(), ..Options::default() };
    let bill = Bill::read(&[&path], &options).unwrap();
    let allocation = bill.allocate(&rules).unwrap();
    let text = |value: Decimal| value.normalize().to_string();
    assert_eq!(text(allocation.total("shop").effective.value()), "0.1");
    assert_eq!(text(allocation.total("data").effective.value()), "0.105");
    assert_eq!(text(allocation.owners()["data/3"].effective.value()), "0.075");
    // Covered 0.06, unused 0.04, late 0.1 and disk 0.2; the fee is amortised, so that it is 0.
    assert_eq!(text(allocation.owners()["platform"].effective.value()), "0.4");
    assert!(allocation.owners()["platform"].charged().value().is_zero());
    assert_eq!(
        (text(allocation.total("shop").charged().value()), text(allocation.total("data").charged().value())),
        ("0.3".into(), "0.305".into())
    );
    // Marketplace, tax and credit: 9 + 1.5 - 2.
    assert_eq!(text(allocation.unowned().effective.value()), "8.5");
    let all: Decimal =
        allocation.owners().values().map(|cost| cost.charged().value()).sum::<Decimal>() + allocation.unowned().effective.value();
    assert_eq!(all, bill.money().effective().value());
    assert!((allocation.coverage().unwrap() - 0.605 / (0.605 + 8.5)).abs() < 1e-12);
    assert_eq!(allocation.unit_cost("shop", Decimal::from(3)).map(text), Some("0.1".into()));
    assert!(allocation.to_string().contains("(no rule fits)"));
}

#[test]
fn tag_columns_of_aws_are_read_too() {
    let mut table = super::table();
    for (index, row) in table.iter_mut().enumerate() {
        row.push(if index == 0 {
            "resourceTags/user:Team".into()
        } else if index % 2 == 0 {
            "web".into()
        } else {
            String::new()
        });
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("bill.csv");
    super::write(&path, &table);
    let rules = OwnerRules::from_toml("[[rule]]\nowner = 'web'\ntags.team = '^web$'").unwrap();
    let options = Options { tag_keys: rules.tag_keys(), ..Options::default() };
    let allocation = Bill::read(&[&path], &options).unwrap().allocate(&rules).unwrap();
    assert_eq!((allocation.owners()["web"].rows, allocation.unowned().rows), (14, 14));
}
