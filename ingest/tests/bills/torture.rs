//! Input that means harm: packed bombs, endless fields, open quotes, text that is no text. Every one is an error with file and row, in
//! bounded memory.

use super::synthetic::{FOCUS, GOOGLE};
use covermix_ingest::{Bill, Error, Options};
use flate2::Compression;
use flate2::write::GzEncoder;
use std::io::Write;
use std::path::Path;

fn refused(path: &Path) -> Error {
    let error = Bill::read(&[path], &Options::default()).expect_err("it was read");
    let message = error.to_string();
    assert!(message.contains(path.file_name().unwrap().to_str().unwrap()) && message.contains("; "), "{message}");
    error
}

/// The most memory that this process ever had, in MiB, on Linux.
fn peak_memory() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    Some(line.split_whitespace().nth(1)?.parse::<u64>().ok()? >> 10)
}

/// A gzip file of a start and many times the same bytes.
fn bomb(path: &Path, start: &str, bytes: &[u8], mebibytes: usize) {
    let mut packer = GzEncoder::new(std::fs::File::create(path).unwrap(), Compression::fast());
    packer.write_all(start.as_bytes()).unwrap();
    let block: Vec<u8> = bytes.iter().copied().cycle().take(1 << 20).collect();
    for _ in 0..mebibytes {
        packer.write_all(&block).unwrap();
    }
    packer.finish().unwrap();
}

#[test]
fn a_field_of_a_gibibyte_ends_after_16_mebibytes() {
    let folder = tempfile::tempdir().unwrap();
    let before = peak_memory();
    let header = FOCUS.lines().next().unwrap();
    for (name, start, bytes) in [
        ("field.csv.gz", format!("{header}\n2024-02-01,\""), &b"a"[..]),
        ("line.csv.gz", format!("{header}\n"), &b"x,"[..]),
        ("zeros.csv.gz", format!("{header}\n"), &[0][..]),
        ("field.json.gz", "{\"a\": \"".to_owned(), &b"a"[..]),
        ("depth.json.gz", "{\"a\": ".to_owned(), &b"["[..]),
    ] {
        let path = folder.path().join(name);
        bomb(&path, &start, bytes, 1024);
        let error = refused(&path);
        assert!(error.to_string().contains("longer than 16 MiB"), "{name}: {error}");
    }
    if let (Some(before), Some(after)) = (before, peak_memory()) {
        assert!(after - before < 400, "{before} MiB became {after} MiB");
    }
}

#[test]
fn a_bomb_without_header_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("bomb.csv.gz");
    bomb(&path, "", b"\n", 64);
    refused(&path);
    bomb(&path, "", b"a", 64);
    refused(&path);
}

#[test]
fn damaged_rows_are_named_by_line() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("bill.csv");
    let lines: Vec<&str> = FOCUS.lines().collect();
    let with = |index: usize, line: &str| {
        let mut lines = lines.clone();
        lines.insert(index, line);
        std::fs::write(&path, lines.join("\n") + "\n").unwrap();
        refused(&path).to_string()
    };
    // Another schema from the middle of the file on.
    assert!(with(3, "a,b,c").contains("line 4"), "{}", with(3, "a,b,c"));
    assert!(with(3, &format!("{},more", lines[3])).contains("line 4"));
    assert!(with(3, lines[0]).contains("`ChargePeriodStart`"), "a header in the middle is a value that is no time");
    // Invalid UTF-8.
    let mut bytes = FOCUS.as_bytes().to_vec();
    let place = FOCUS.find("half an hour").unwrap();
    bytes[place] = 0xff;
    std::fs::write(&path, &bytes).unwrap();
    let message = refused(&path).to_string();
    assert!(message.contains("line 2") && message.contains("UTF-8") || message.contains("utf-8"), "{message}");
    // A quote that opens in the last column and swallows the rest.
    let open = FOCUS.replacen(",=1+1\n", ",\"=1+1\n", 1);
    std::fs::write(&path, open).unwrap();
    let message = refused(&path).to_string();
    assert!(message.contains("line 2"), "{message}");
}

#[test]
fn damaged_objects_are_named_by_line() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("bill.json");
    let change = |from: &str, to: &str| {
        std::fs::write(&path, GOOGLE.replacen(from, to, 1)).unwrap();
        refused(&path).to_string()
    };
    assert!(change("\"cost\":0.2,", "\"cost\":0.2,,").contains("line 2"));
    assert!(change("\"cost\":0.2,", "\"cost\":\"=0.2\",").contains("`=0.2`"));
    assert!(change("\"cost\":0.2,", "\"cost\":{\"a\":[1]},").contains("field `cost`"));
    assert!(
        change(
            "{\"billing_account_id\":\"B\",\"service\":{\"id\":\"X\"",
            "garbage {\"billing_account_id\":\"B\",\"service\":{\"id\":\"X\""
        )
        .contains("line 6")
    );
    let cut = GOOGLE.trim_end();
    std::fs::write(&path, &cut[..cut.len() - 20]).unwrap();
    assert!(refused(&path).to_string().contains("not closed"));
}

#[test]
fn utf_16_and_cut_parquet_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("bill.csv");
    std::fs::write(&path, [0xff, 0xfe, b'a', 0]).unwrap();
    assert!(refused(&path).to_string().contains("UTF-16"));
    for bytes in [&b"PAR1"[..], b"PAR1\0\0\0\0PAR1", b"PAR1garbage and more garbage\xff\xff\xff\x7fPAR1"] {
        std::fs::write(&path, bytes).unwrap();
        assert!(refused(&path).to_string().contains("Parquet"));
    }
}
