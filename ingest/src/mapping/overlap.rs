//! Rows given twice: in one file, in two, or as a file that overlaps another. Rows are compared by a hash of what tells them apart; only where two
//! are alike, all of it is compared.

use super::Mapping;
use crate::error::{Error, Result};
use crate::note::Note;
use crate::session::Session;

/// Refuses rows that stand twice: by identifier and all that tells rows of one identifier apart; without identifiers, by all that tells
/// rows apart, where a quarter of a file or more stands in another: a few rows may well be alike.
pub(super) async fn refuse(mapping: &Mapping, session: &Session, rows_of_files: &[u64], notes: &mut Vec<Note>) -> Result<()> {
    let one_in = if rows_of_files.iter().sum::<u64>() > session.options.duplicate_check_rows { 64 } else { 1 };
    if one_in > 1 {
        notes.push(Note::SampledDuplicates { one_in });
    }
    let sample = |key: &str| if one_in > 1 { format!("row_hash({key}) % {one_in} = 0") } else { "true".to_owned() };
    let parts = suspects(mapping, session, &sample).await?;
    if parts.is_empty() {
        return Ok(());
    }
    let sql = format!(
        "SELECT first_file, last_file, is_sure, SUM(copies - 1) AS lines, MIN(example) AS example FROM ({}) AS t \
         GROUP BY first_file, last_file, is_sure ORDER BY lines DESC, first_file, last_file",
        parts.join(" UNION ALL ")
    );
    let answer = session.query(&sql).await?;
    let mut alike = 0;
    let mut overlap = None;
    for row in 0..answer.len() {
        let (first, second) = (answer.count_at("first_file", row), answer.count_at("last_file", row));
        let lines = answer.count_at("lines", row);
        let rows = |file: u64| usize::try_from(file).ok().and_then(|file| rows_of_files.get(file)).copied().unwrap_or(0);
        let is_much = first != second && lines * one_in * 4 >= rows(first).min(rows(second));
        if answer.count_at("is_sure", row) == 1 || is_much {
            overlap.get_or_insert((first, second, lines, answer.text_at("example", row)));
        } else {
            alike += lines;
        }
    }
    if let Some((first, second, rows, example)) = overlap {
        return Err(Error::Overlap { first: session.path(first), second: session.path(second), rows, example });
    }
    if alike > 0 {
        notes.push(Note::AlikeRows { rows: alike });
    }
    Ok(())
}

/// The queries that compare rows in full, of those kinds of rows (with identifier, without) that have two of one hash.
async fn suspects(mapping: &Mapping, session: &Session, sample: &(dyn Fn(&str) -> String + Sync)) -> Result<Vec<String>> {
    let repeated = "MIN(file) AS first_file, MAX(file) AS last_file, COUNT(*) AS copies";
    let identifier = mapping.identity.first().copied().unwrap_or("''");
    let mut parts = Vec::new();
    let mut has_bare = true;
    if let Some(second) = mapping.identity.get(1) {
        let key = mapping.identity.join(", ");
        let is_sampled = sample(identifier);
        // Rows without identifier are counted beside, under one hash.
        let twice = twice(
            &format!("CASE WHEN {identifier} = '' THEN 0 ELSE row_hash({key}) END"),
            &format!("{identifier} = '' OR {is_sampled}"),
            "hash = 0",
        );
        let found = session.query(&twice).await?;
        has_bare = found.count_at("bare", 0) > 0;
        if found.count_at("alike", 0) > 0 {
            parts.push(format!(
                "SELECT {repeated}, MIN(CONCAT({identifier}, ' of ', CAST({second} AS VARCHAR))) AS example, 1 AS is_sure \
                 FROM united WHERE {identifier} <> '' AND {is_sampled} GROUP BY {key} HAVING COUNT(*) > 1"
            ));
        }
    }
    let [first, second, ..] = mapping.likeness else { return Ok(parts) };
    if has_bare {
        let key = [mapping.identity, mapping.likeness].concat().join(", ");
        let is_sampled = format!("{identifier} = '' AND {}", sample(&key));
        let found = session.query(&twice(&format!("row_hash({key})"), &is_sampled, "false")).await?;
        if found.count_at("alike", 0) > 0 {
            parts.push(format!(
                "SELECT {repeated}, MIN(CONCAT(CAST({first} AS VARCHAR), ' of ', CAST({second} AS VARCHAR))) AS example, 0 AS is_sure \
                 FROM united WHERE {is_sampled} GROUP BY {key} HAVING COUNT(*) > 1"
            ));
        }
    }
    Ok(parts)
}

/// How many hashes stand twice, and how many rows have one that is put aside.
fn twice(hash: &str, condition: &str, is_aside: &str) -> String {
    format!(
        "SELECT SUM(CASE WHEN {is_aside} THEN copies ELSE 0 END) AS bare, \
         SUM(CASE WHEN NOT ({is_aside}) AND copies > 1 THEN 1 ELSE 0 END) AS alike FROM (\
         SELECT hash, COUNT(*) AS copies FROM (SELECT {hash} AS hash FROM united WHERE {condition}) AS t GROUP BY hash) AS u"
    )
}
