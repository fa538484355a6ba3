//! JSON in cells: Azure's additional info and tags (also without their braces), FOCUS tags and SKU details, Google's lists of labels and
//! credits, and nested Parquet columns turned into the same texts.

use super::number;
use datafusion::arrow::array::{Array, ArrayRef, AsArray, StringBuilder};
use datafusion::arrow::datatypes::DataType;
use datafusion::arrow::util::display::{ArrayFormatter, FormatOptions};
use datafusion::error::Result;
use serde_json::{Map, Value};
use std::sync::Arc;

/// The object in a cell; exports of Azure leave out its braces. A list of `{"key": ..., "value": ...}` is an object too.
pub(crate) fn object(text: &str) -> Option<Map<String, Value>> {
    let text = text.trim();
    if text.is_empty() {
        return None;
    }
    let value = serde_json::from_str::<Value>(text).ok().filter(|value| !value.is_string());
    match value.or_else(|| serde_json::from_str(&format!("{{{text}}}")).ok())? {
        Value::Object(object) => Some(object),
        Value::Array(entries) => {
            let entry = |entry: Value| {
                let key = entry.get("key")?.as_str()?.to_owned();
                Some((key, entry.get("value").cloned().unwrap_or(Value::Null)))
            };
            Some(entries.into_iter().filter_map(entry).collect())
        }
        _ => None,
    }
}

/// The value of a key, as text; keys are compared without case where the exact one is absent.
pub(crate) fn get(text: &str, key: &str) -> Option<String> {
    // Most cells lack most keys, and parsing costs.
    if !contains(text, key) {
        return None;
    }
    let object = object(text)?;
    let found =
        object.get(key).or_else(|| object.iter().find(|(name, _)| name.eq_ignore_ascii_case(key)).map(|(_, value)| value));
    found.map(plain)
}

fn contains(text: &str, key: &str) -> bool {
    let (text, key) = (text.as_bytes(), key.as_bytes());
    !key.is_empty() && text.windows(key.len()).any(|window| window.eq_ignore_ascii_case(key))
}

fn plain(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// The sum of `amount` over a list of credits in JSON, of those whose kind contains a text; all, if it is empty. `None` if an amount is no number.
///
/// Older exports have no `type`; there the name tells.
pub(super) fn credits(text: &str, pattern: &str) -> Option<i128> {
    if text.trim().is_empty() {
        return Some(0);
    }
    let Value::Array(entries) = serde_json::from_str::<Value>(text).ok()? else { return Some(0) };
    let mut sum = 0i128;
    for entry in &entries {
        let amount = match entry.get("amount") {
            None | Some(Value::Null) => 0,
            Some(Value::Number(number)) => number::exact(number.as_f64()?)?,
            Some(other) => number::parse(&plain(other))?,
        };
        if pattern.is_empty() || pattern.split('|').any(|kind| kind == self::kind(entry)) {
            sum += amount;
        }
    }
    Some(sum)
}

/// The type of a credit (Cloud Billing documentation, "Structure of the standard data export", `credits.type`), or the one its name tells.
fn kind(credit: &Value) -> &str {
    let text = |key: &str| credit.get(key).and_then(Value::as_str).unwrap_or_default();
    match text("type") {
        "" | "CREDIT_TYPE_UNSPECIFIED" => {}
        stated => return stated,
    }
    let name = format!("{} {}", text("name"), text("full_name")).to_ascii_lowercase();
    let words: [(&str, &str); 9] = [
        ("dollar", "COMMITTED_USAGE_DISCOUNT_DOLLAR_BASE"),
        ("spend-based", "COMMITTED_USAGE_DISCOUNT_DOLLAR_BASE"),
        ("committed us", "COMMITTED_USAGE_DISCOUNT"),
        ("fee utilization", "FEE_UTILIZATION_OFFSET"),
        ("sustained us", "SUSTAINED_USAGE_DISCOUNT"),
        ("free", "FREE_TIER"),
        ("promotion", "PROMOTION"),
        ("reseller", "RESELLER_MARGIN"),
        ("subscription", "SUBSCRIPTION_BENEFIT"),
    ];
    words.iter().find(|(word, _)| name.contains(word)).map_or("DISCOUNT", |(_, kind)| kind)
}

/// Nested values as JSON, row by row; text stays as it is.
pub(super) fn texts(column: &ArrayRef) -> Result<ArrayRef> {
    let mut built = StringBuilder::new();
    for row in 0..column.len() {
        if column.is_null(row) {
            built.append_value("");
            continue;
        }
        match value(column.as_ref(), row)? {
            Value::String(text) => built.append_value(text),
            other => built.append_value(other.to_string()),
        }
    }
    Ok(Arc::new(built.finish()))
}

fn value(column: &dyn Array, row: usize) -> Result<Value> {
    if column.is_null(row) {
        return Ok(Value::Null);
    }
    let list = |items: ArrayRef| -> Result<Value> {
        (0..items.len()).map(|item| value(items.as_ref(), item)).collect::<Result<Vec<_>>>().map(Value::Array)
    };
    Ok(match column.data_type() {
        DataType::Struct(fields) => {
            let columns = column.as_struct();
            let mut object = Map::new();
            for (field, inner) in fields.iter().zip(columns.columns()) {
                object.insert(field.name().clone(), value(inner.as_ref(), row)?);
            }
            Value::Object(object)
        }
        DataType::Map(_, _) => {
            let entries = column.as_map().value(row);
            let mut object = Map::new();
            for entry in 0..entries.len() {
                let key = plain(&value(entries.column(0).as_ref(), entry)?);
                object.insert(key, value(entries.column(1).as_ref(), entry)?);
            }
            Value::Object(object)
        }
        DataType::List(_) => list(column.as_list::<i32>().value(row))?,
        DataType::LargeList(_) => list(column.as_list::<i64>().value(row))?,
        _ => {
            let options = FormatOptions::default();
            Value::String(ArrayFormatter::try_new(column, &options)?.value(row).try_to_string()?)
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_found_with_and_without_braces() {
        for text in [
            r#"{"ServiceType": "Standard_DS2_v2", "VCPUs": 2}"#,
            r#""ServiceType": "Standard_DS2_v2",  "VCPUs": 2"#,
            r#"[{"key": "ServiceType", "value": "Standard_DS2_v2"}, {"key": "VCPUs", "value": 2}]"#,
            r#"{"servicetype": "Standard_DS2_v2", "vcpus": 2}"#,
        ] {
            assert_eq!(get(text, "ServiceType").as_deref(), Some("Standard_DS2_v2"), "{text}");
            assert_eq!(get(text, "VCPUs").as_deref(), Some("2"), "{text}");
            assert_eq!(get(text, "Absent"), None);
        }
        for text in ["", "null", "[]", "{", "ServiceType", "=ServiceType", "\"ServiceType\""] {
            assert_eq!(get(text, "ServiceType"), None, "{text}");
        }
    }

    #[test]
    fn credits_are_added_by_type() {
        let text = r#"[{"name": "Committed Usage Discount: RAM", "amount": "-10.00"}, {"name": "Sustained Usage Discount", "amount": -2.5},
            {"type": "PROMOTION", "amount": -1e-3}, {"name": "Committed Usage Discount - Dollar Based", "amount": -4}]"#;
        let sum = |pattern: &str| credits(text, pattern).unwrap();
        assert_eq!(sum(""), number::parse("-16.501").unwrap());
        assert_eq!(sum("COMMITTED_USAGE_DISCOUNT"), number::parse("-10").unwrap());
        assert_eq!(sum("SUSTAINED_USAGE_DISCOUNT|PROMOTION"), number::parse("-2.501").unwrap());
        assert_eq!(sum("COMMITTED_USAGE_DISCOUNT_DOLLAR_BASE"), number::parse("-4").unwrap());
        assert_eq!((credits("", ""), credits("[]", ""), credits("null", "")), (Some(0), Some(0), Some(0)));
        assert_eq!((credits(r#"[{"amount": "many"}]"#, ""), credits("[", "")), (None, None));
    }
}
