//! Reads the inputs of a case by any of several names; what is missing is named, never a panic.

use chrono::{DateTime, NaiveDate, NaiveDateTime, Utc};
use covermix::finance::{AnnualRate, DayCount, PaymentTiming};
use rust_decimal::Decimal;
use serde_json::Value;

/// The inputs of one case.
#[derive(Clone, Copy)]
pub(crate) struct Inputs<'a>(pub(crate) &'a Value);

/// What cannot be read.
pub(crate) type Read<T> = Result<T, String>;

impl<'a> Inputs<'a> {
    pub(crate) fn get(&self, names: &[&str]) -> Option<&'a Value> {
        names.iter().find_map(|name| self.0.get(*name)).filter(|value| !value.is_null())
    }

    pub(crate) fn need(&self, names: &[&str]) -> Read<&'a Value> {
        self.get(names).ok_or_else(|| {
            let given: Vec<&String> = self.0.as_object().map(|object| object.keys().collect()).unwrap_or_default();
            format!("no input named {} (given: {given:?})", names.join(" or "))
        })
    }

    pub(crate) fn has(&self, names: &[&str]) -> bool {
        self.get(names).is_some()
    }

    pub(crate) fn number(&self, names: &[&str]) -> Read<f64> {
        number(self.need(names)?).ok_or_else(|| format!("{} is not a number", names[0]))
    }

    pub(crate) fn number_or(&self, names: &[&str], default: f64) -> Read<f64> {
        self.get(names).map_or(Ok(default), |value| number(value).ok_or_else(|| format!("{} is not a number", names[0])))
    }

    pub(crate) fn count(&self, names: &[&str]) -> Read<u32> {
        let value = self.number(names)?;
        format!("{value:.0}").parse().map_err(|_| format!("{} is not a count", names[0]))
    }

    pub(crate) fn numbers(&self, names: &[&str]) -> Read<Vec<f64>> {
        let value = self.need(names)?;
        let list = value.as_array().ok_or_else(|| format!("{} is not a list", names[0]))?;
        list.iter().map(|value| number(value).ok_or_else(|| format!("{} holds {value}", names[0]))).collect()
    }

    pub(crate) fn decimal(&self, names: &[&str]) -> Read<Decimal> {
        decimal(self.need(names)?).ok_or_else(|| format!("{} is not a decimal", names[0]))
    }

    pub(crate) fn decimal_or(&self, names: &[&str], default: Decimal) -> Read<Decimal> {
        self.get(names).map_or(Ok(default), |value| decimal(value).ok_or_else(|| format!("{} is not a decimal", names[0])))
    }

    pub(crate) fn object(&self, names: &[&str]) -> Read<Self> {
        self.need(names).map(Self)
    }

    pub(crate) fn dates(&self) -> Read<Vec<NaiveDate>> {
        let list = self.need(&["dates"])?.as_array().ok_or("dates is not a list")?;
        list.iter().map(|value| date(value).ok_or_else(|| format!("{value} is not a date"))).collect()
    }

    pub(crate) fn instant(&self, names: &[&str]) -> Read<DateTime<Utc>> {
        let text = self.need(names)?.as_str().unwrap_or_default();
        let plain = text.trim_end_matches('Z');
        let parsed = DateTime::parse_from_rfc3339(text).map(|time| time.naive_utc()).ok();
        let parsed = parsed.or_else(|| NaiveDateTime::parse_from_str(plain, "%Y-%m-%dT%H:%M").ok());
        let parsed = parsed.or_else(|| plain.parse::<NaiveDate>().ok().and_then(|date| date.and_hms_opt(0, 0, 0)));
        parsed.map(|time| time.and_utc()).ok_or_else(|| format!("{text:?} is not an instant"))
    }

    pub(crate) fn day_count(&self) -> Read<DayCount> {
        let Some(value) = self.get(&["day_count", "daycount", "convention"]) else {
            return Ok(DayCount::default());
        };
        let lower = Value::from(value.as_str().unwrap_or_default().to_lowercase());
        serde_json::from_value(lower).map_err(|error| format!("day_count: {error}"))
    }

    pub(crate) fn timing(&self) -> PaymentTiming {
        let text =
            self.get(&["when", "timing", "type", "payments"]).map(|value| value.to_string().to_lowercase()).unwrap_or_default();
        if text.contains("advance") || text.contains("begin") || text.contains("start") || text == "1" || text == "true" {
            PaymentTiming::Begin
        } else {
            PaymentTiming::End
        }
    }

    /// A cost of capital under any of its names.
    pub(crate) fn wacc(&self) -> Read<AnnualRate> {
        if let Some(value) =
            self.get(&["rate_nominal", "annual_nominal", "nominal_annual", "nominal_rate", "annual_rate_nominal"])
        {
            return number(value).map(AnnualRate::NominalMonthly).ok_or_else(|| "the nominal rate is not a number".to_owned());
        }
        Ok(AnnualRate::Effective(self.number_or(
            &["wacc_effective", "wacc", "rate_effective", "annual_effective", "annual_rate", "annual", "rate"],
            0.0,
        )?))
    }
}

/// A number, also as text with one division ("0.08/12") or a percentage.
pub(crate) fn number(value: &Value) -> Option<f64> {
    let text = match value {
        Value::String(text) => text.trim(),
        other => return other.as_f64(),
    };
    if let Some((left, right)) = text.split_once('/') {
        return Some(left.trim().parse::<f64>().ok()? / right.trim().parse::<f64>().ok()?);
    }
    text.strip_suffix('%').map_or_else(|| text.parse().ok(), |text| text.trim().parse::<f64>().ok().map(|value| value / 100.0))
}

pub(crate) fn decimal(value: &Value) -> Option<Decimal> {
    let text = match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    text.parse().ok().or_else(|| Decimal::from_scientific(&text).ok())
}

pub(crate) fn date(value: &Value) -> Option<NaiveDate> {
    value.as_str()?.get(..10)?.parse().ok()
}
