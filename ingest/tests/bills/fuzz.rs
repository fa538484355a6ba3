//! Seeded mutations of a small bill of every format: whatever the bytes, reading ends with a bill or with an error that says what to do.
//!
//! The seeds of mutation are the invented bills, a Parquet file of one, and the files of `tests/corpus`: whatever once was interesting is put there.
//!
//! The test command runs a few; `make fuzz` sets `COVERMIX_FUZZ_SECONDS` and runs as long. A failing input is written to
//! `COVERMIX_FUZZ_KEEP` if that is set, and its seed is in the message.

use super::synthetic::{FOCUS, GOOGLE};
use covermix_ingest::{Bill, LongRows, Options};
use std::time::{Duration, Instant};

/// Inputs that were interesting: the seeds of all mutations.
fn corpus() -> Vec<(String, Vec<u8>)> {
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    std::io::Write::write_all(&mut packed, FOCUS.as_bytes()).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let report = folder.path().join("report.parquet");
    super::scale::make_bill::report(30, &report).unwrap();
    let mut corpus = vec![
        ("aws.csv".to_owned(), super::BILL.as_bytes().to_vec()),
        ("focus.csv".into(), FOCUS.as_bytes().to_vec()),
        ("google.json".into(), GOOGLE.as_bytes().to_vec()),
        ("azure.csv".into(), include_bytes!("../data/azure.csv").to_vec()),
        ("focus.csv.gz".into(), packed.finish().unwrap()),
        ("report.parquet".into(), std::fs::read(report).unwrap()),
    ];
    let mut files: Vec<_> = std::fs::read_dir(super::own("../corpus")).unwrap().map(|file| file.unwrap().path()).collect();
    files.sort();
    corpus
        .extend(files.iter().map(|path| (path.file_name().unwrap().to_str().unwrap().to_owned(), std::fs::read(path).unwrap())));
    corpus
}

/// Splitmix64.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut value = self.0;
        value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        value ^ (value >> 31)
    }

    fn below(&mut self, limit: usize) -> usize {
        usize::try_from(self.next() % u64::try_from(limit.max(1)).unwrap()).unwrap()
    }
}

/// Texts that have broken parsers.
const TOKENS: [&[u8]; 16] = [
    b"\"",
    b"\"\"",
    b",",
    b"\n",
    b"\r\n",
    b"\0",
    b"\xff\xfe",
    b"NaN",
    b"1e308",
    b"-1",
    b"=cmd|' /C calc'!A0",
    b"{",
    b"}",
    b"[[[[",
    b"\\N",
    b"9999-12-31T23:59:60Z",
];

fn mutate(bytes: &mut Vec<u8>, random: &mut Random) {
    for _ in 0..=random.below(4) {
        let place = random.below(bytes.len());
        let end = (place + random.below(40)).min(bytes.len());
        match random.below(6) {
            0 => bytes.truncate(place),
            1 => drop(bytes.drain(place..end)),
            2 => {
                let piece = bytes[place..end].to_vec();
                let target = random.below(bytes.len());
                bytes.splice(target..target, piece);
            }
            3 => {
                let token = TOKENS[random.below(TOKENS.len())];
                bytes.splice(place..end, token.iter().copied());
            }
            4 => {
                let token = TOKENS[random.below(TOKENS.len())];
                bytes.splice(place..place, token.iter().copied());
            }
            _ => {
                if let Some(byte) = bytes.get_mut(place) {
                    *byte ^= 1 << random.below(8);
                }
            }
        }
    }
}

fn run(seed: u64, corpus: &[(String, Vec<u8>)]) {
    let mut random = Random(seed);
    let (name, bytes) = &corpus[random.below(corpus.len())];
    let mut bytes = bytes.clone();
    mutate(&mut bytes, &mut random);
    try_one(&format!("seed {seed}"), name, &bytes);
}

/// Reads bytes as a bill.
fn try_one(what: &str, name: &str, bytes: &[u8]) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    std::fs::write(&path, bytes).unwrap();
    let options = Options { long_rows: LongRows::Spread, ..Options::default() };
    let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| Bill::read(&[&path], &options)));
    let keep = || {
        if let Some(place) = std::env::var_os("COVERMIX_FUZZ_KEEP") {
            let _ = std::fs::write(std::path::Path::new(&place).join(format!("{what}-{name}").replace(' ', "-")), bytes);
        }
    };
    match outcome {
        Err(_) => {
            keep();
            panic!("{what}, {name}: reading panicked");
        }
        Ok(Err(error)) => {
            let message = error.to_string();
            if !message.contains("; ") {
                keep();
                panic!("{what}, {name}: no remedy in: {message}");
            }
        }
        Ok(Ok(bill)) => {
            let sum: covermix::units::Money = bill.reconciliation().entries().iter().map(|entry| entry.cost).sum();
            if sum != bill.reconciliation().cost() {
                keep();
                panic!("{what}, {name}: money was lost");
            }
        }
    }
}

#[test]
fn the_corpus_is_read_or_refused() {
    for (name, bytes) in corpus() {
        try_one("whole", &name, &bytes);
    }
}

#[test]
fn mutated_bills_are_read_or_refused() {
    let corpus = corpus();
    let seconds = std::env::var("COVERMIX_FUZZ_SECONDS").ok().and_then(|text| text.parse().ok());
    match seconds {
        None => (0..60).for_each(|seed| run(seed, &corpus)),
        Some(seconds) => {
            let end = Instant::now() + Duration::from_secs(seconds);
            let mut seed = std::env::var("COVERMIX_FUZZ_SEED").ok().and_then(|text| text.parse().ok()).unwrap_or(1_000);
            while Instant::now() < end {
                run(seed, &corpus);
                seed += 1;
            }
        }
    }
}
