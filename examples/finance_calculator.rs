//! Reads cash flows on standard input and prints their measures as JSON, one answer per line.
//!
//! Each input line is a JSON object: `{"amounts": [..], "dates": ["2025-01-01", ..], "rate": 0.08, "finance_rate": 0.1,
//! "reinvest_rate": 0.12}`; `dates`, `rate` and the two MIRR rates are optional. With `--bench FILE` it times XIRR instead,
//! on a binary file: u32 series, u32 flows, then per series that many i32 days and f64 amounts, little-endian.
#![allow(clippy::print_stdout)]

use chrono::NaiveDate;
use covermix::finance::{AnnualRate, CashFlow, CashFlows, DayCount, FirstFlow, InternalRate, irr, mirr, npv, xirr};
use rayon::prelude::*;
use rust_decimal::Decimal;
use serde::Deserialize;
use serde_json::json;
use std::error::Error;
use std::io::{BufRead, Write};
use std::time::Instant;

#[derive(Deserialize)]
struct Request {
    amounts: Vec<f64>,
    dates: Option<Vec<NaiveDate>>,
    rate: Option<f64>,
    finance_rate: Option<f64>,
    reinvest_rate: Option<f64>,
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.as_slice() {
        [] => answer(),
        [flag, file] if flag == "--bench" => bench(file),
        _ => Err("usage: finance_calculator < flows.jsonl, or finance_calculator --bench FILE".into()),
    }
}

fn answer() -> Result<(), Box<dyn Error>> {
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    for (number, line) in (1..).zip(std::io::stdin().lock().lines()) {
        let request: Request = serde_json::from_str(&line?).map_err(|error| format!("line {number}: {error}"))?;
        let mut answer = json!({"irr": irr(&request.amounts)?.all()});
        if let Some(rate) = request.rate {
            answer["npv"] = json!(npv(rate, &request.amounts, FirstFlow::Now)?);
            answer["npv_end_of_period"] = json!(npv(rate, &request.amounts, FirstFlow::AfterOnePeriod)?);
        }
        if let (Some(finance), Some(reinvest)) = (request.finance_rate, request.reinvest_rate) {
            answer["mirr"] = json!(mirr(&request.amounts, finance, reinvest).ok());
        }
        if let Some(dates) = request.dates {
            if dates.len() != request.amounts.len() {
                return Err(format!("line {number}: {} dates but {} amounts", dates.len(), request.amounts.len()).into());
            }
            let flows: CashFlows = dates
                .iter()
                .zip(&request.amounts)
                .map(|(date, amount)| Ok(CashFlow { date: *date, amount: Decimal::try_from(*amount)? }))
                .collect::<Result<_, rust_decimal::Error>>()?;
            answer["xirr"] = json!(flows.xirr(DayCount::Actual365Fixed)?.all());
            if let Some(rate) = request.rate {
                answer["xnpv"] = json!(flows.xnpv(AnnualRate::Effective(rate), DayCount::Actual365Fixed)?);
            }
        }
        writeln!(out, "{answer}")?;
    }
    Ok(())
}

fn bench(file: &str) -> Result<(), Box<dyn Error>> {
    let bytes = std::fs::read(file)?;
    let mut rest = bytes.as_slice();
    let series = usize::try_from(u32::from_le_bytes(take(&mut rest)?))?;
    let flows = usize::try_from(u32::from_le_bytes(take(&mut rest)?))?;
    let (mut days, mut amounts) = (Vec::with_capacity(series), Vec::with_capacity(series));
    for _ in 0..series {
        days.push((0..flows).map(|_| Ok(i32::from_le_bytes(take(&mut rest)?))).collect::<Result<Vec<i32>, Box<dyn Error>>>()?);
        amounts.push((0..flows).map(|_| Ok(f64::from_le_bytes(take(&mut rest)?))).collect::<Result<Vec<f64>, Box<dyn Error>>>()?);
    }
    // From day numbers to rates: the day count is part of what is timed.
    let rates_of_all = || {
        let series = days.par_iter().zip(&amounts).with_min_len(256);
        series
            .map_init(Vec::new, |years, (days, amounts)| {
                years.clear();
                years.extend(days.iter().map(|day| f64::from(*day - days[0]) / 365.0));
                xirr(years, amounts)
            })
            .collect::<Result<Vec<InternalRate>, _>>()
    };
    let start = Instant::now();
    let rates = rates_of_all()?;
    let seconds = start.elapsed().as_secs_f64();
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build()?;
    let start = Instant::now();
    let single = pool.install(rates_of_all)?;
    let one_thread = start.elapsed().as_secs_f64();
    let unique = rates.iter().filter_map(InternalRate::unique);
    println!(
        "{}",
        json!({"seconds": seconds, "seconds_one_thread": one_thread, "series": series, "flows": flows, "unique": unique.clone().count(),
        "sum": unique.sum::<f64>(), "same": rates == single})
    );
    Ok(())
}

fn take<const N: usize>(rest: &mut &[u8]) -> Result<[u8; N], Box<dyn Error>> {
    let (head, tail) = rest.split_first_chunk::<N>().ok_or("the file ends early")?;
    *rest = tail;
    Ok(*head)
}
