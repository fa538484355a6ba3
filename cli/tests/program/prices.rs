//! `catalog check` and `catalog diff`.

use super::{CATALOG, json, repository, run, text};
use std::fs;

#[test]
fn a_list_that_cannot_be_right_is_answered_with_1() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("good.json"), CATALOG).unwrap();
    // A whole year's fee given by the hour.
    fs::write(folder.path().join("bad.json"), CATALOG.replace("\"recurring\": \"0.060\"", "\"recurring\": \"525.6\"")).unwrap();
    let good = json(folder.path(), &["catalog", "check", "good.json"], 0);
    assert_eq!((good["errors"].as_u64(), good["prices"].as_u64(), good["offers"].as_u64()), (Some(0), Some(3), Some(4)));
    let bad = json(folder.path(), &["catalog", "check", "bad.json"], 1);
    let findings = bad["findings"].as_array().unwrap();
    let finding = findings.iter().find(|finding| finding["check"] == "term-price-as-hourly").unwrap();
    assert!(finding["item"].as_str().unwrap().contains("m5.large") && !finding["remedy"].as_str().unwrap().is_empty());
    let output = run(folder.path(), &["catalog", "check", "bad.json"]);
    let printed = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.code() == Some(1) && printed.contains("error term-price-as-hourly"), "{printed}");
}

#[test]
fn what_moved_between_two_lists_is_counted_and_shown() {
    let folder = tempfile::tempdir().unwrap();
    let own = |name: &str| repository("tests/data/gcp").join(name).to_str().unwrap().to_owned();
    let (old, new) = (own("pricing.yml"), own("pricing-later.yml"));
    let document = json(folder.path(), &["catalog", "diff", &old, &new], 1);
    let count = |kind: &str| -> Vec<u64> {
        ["dearer", "cheaper", "appeared", "ended"].map(|of| document["counts"][kind][of].as_u64().unwrap()).to_vec()
    };
    // C2 is 5 % dearer (two machines, their vCPU, two commitments), N1 commitments are 2 % cheaper (vCPU and memory, two terms), f1 has
    // ended (the machine, its vCPU, its spot price), spot prices of N2 are 10 % higher.
    assert_eq!(
        (count("on-demand price"), count("commitment"), count("spot price")),
        (vec![3, 0, 0, 2], vec![2, 4, 0, 0], vec![4, 0, 0, 1])
    );
    let all: u64 = ["on-demand price", "commitment", "plan rate", "spot price"].iter().flat_map(|kind| count(kind)).sum();
    assert_eq!(document["moves"].as_array().unwrap().len() as u64, all);
    let output = run(folder.path(), &["catalog", "diff", &old, &new]);
    assert_eq!(output.status.code(), Some(1));
    let printed = String::from_utf8(output.stdout).unwrap();
    assert!(printed.contains("+5.00 %") && printed.contains("spot price: 4 moved"), "{printed}");
    // The same list twice: nothing moved.
    assert!(text(folder.path(), &["catalog", "diff", &old, &old]).contains("number of prices"));
}

#[test]
fn lists_of_two_currencies_are_not_compared() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("a.json"), CATALOG).unwrap();
    fs::write(folder.path().join("b.json"), CATALOG.replace("\"USD\"", "\"EUR\"")).unwrap();
    let document = json(folder.path(), &["catalog", "diff", "a.json", "b.json"], 2);
    assert!(document["error"].as_str().unwrap().contains("EUR"), "{document}");
}
