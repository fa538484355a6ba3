//! Opening and writing files: gzip is recognised by its first bytes, a folder is refused, and an output file appears whole
//! or not at all.

use crate::error::{Error, Problem, Result};
use flate2::Compression;
use flate2::read::MultiGzDecoder;
use flate2::write::GzEncoder;
use serde::de::DeserializeOwned;
use std::fs::{self, File};
use std::io::{BufRead, BufReader, BufWriter, Read, Write};
use std::path::Path;

/// Opens a file to read, unpacking gzip.
///
/// # Errors
/// [`Problem::InputOutput`], [`Problem::NotAFile`], and [`Problem::Empty`] for a file of no bytes.
pub(crate) fn open(path: &Path, what: &'static str) -> Result<Box<dyn BufRead>> {
    let metadata = fs::metadata(path).map_err(|error| input_output(path, error))?;
    if !metadata.is_file() {
        return Err(Error::from(Problem::NotAFile).in_file(path));
    }
    let file = File::open(path).map_err(|error| input_output(path, error))?;
    let mut reader = BufReader::with_capacity(1 << 16, file);
    let start = reader.fill_buf().map_err(|error| input_output(path, error))?;
    if start.is_empty() {
        return Err(Error::from(Problem::Empty { what }).in_file(path));
    }
    if start.starts_with(&[0x1f, 0x8b]) {
        return Ok(Box::new(BufReader::with_capacity(1 << 16, MultiGzDecoder::new(reader))));
    }
    Ok(Box::new(reader))
}

/// Reads a JSON document of a type from its text.
pub(crate) fn parse_json<T: DeserializeOwned>(text: &str, expected: &'static str) -> Result<T> {
    if text.trim().is_empty() {
        return Err(Problem::Empty { what: expected }.into());
    }
    serde_json::from_str(text).map_err(|error| {
        let line = u64::try_from(error.line()).unwrap_or(u64::MAX);
        Error::from(Problem::Malformed { expected }).at_line(line).caused_by(error)
    })
}

/// Reads a TOML document of a type from its text.
pub(crate) fn parse_toml<T: DeserializeOwned>(text: &str, expected: &'static str) -> Result<T> {
    toml::from_str(text).map_err(|error| {
        let line = error.span().map(|span| text[..span.start.min(text.len())].matches('\n').count() as u64 + 1);
        let problem = Error::from(Problem::Malformed { expected }).caused_by(error);
        match line {
            Some(line) => problem.at_line(line),
            None => problem,
        }
    })
}

/// Reads all of a text file, unpacking gzip.
///
/// # Errors
/// As [`open`].
pub(crate) fn read_text(path: &Path, what: &'static str) -> Result<String> {
    let mut text = String::new();
    open(path, what)?.read_to_string(&mut text).map_err(|error| input_output(path, error))?;
    Ok(text)
}

/// Whether a file is JSON by its name; settings are TOML otherwise.
pub(crate) fn is_json(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("json"))
}

/// Writes a file whole or not at all: beside its place first, then renamed. Packs it if the name ends in `.gz`.
///
/// # Errors
/// [`Problem::InputOutput`], and whatever `write` returns.
pub(crate) fn write(path: &Path, write: impl FnOnce(&mut dyn Write) -> Result<()>) -> Result<()> {
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        fs::create_dir_all(folder).map_err(|error| input_output(folder, error))?;
    }
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}.tmp", std::process::id()));
    let temporary = path.with_file_name(name);
    let result =
        write_to(&temporary, path, write).and_then(|()| fs::rename(&temporary, path).map_err(|error| input_output(path, error)));
    if result.is_err() {
        // The first error is the one to report; the leftover may not even exist.
        let _ = fs::remove_file(&temporary);
    }
    result
}

fn write_to(temporary: &Path, path: &Path, write: impl FnOnce(&mut dyn Write) -> Result<()>) -> Result<()> {
    let file = File::create(temporary).map_err(|error| input_output(path, error))?;
    let mut writer = BufWriter::new(file);
    if path.extension().is_some_and(|extension| extension == "gz") {
        let mut packer = GzEncoder::new(&mut writer, Compression::best());
        write(&mut packer)?;
        packer.finish().map_err(|error| input_output(path, error))?;
    } else {
        write(&mut writer)?;
    }
    writer.flush().map_err(|error| input_output(path, error))
}

/// An error of the operating system, with the file it is about.
pub(crate) fn input_output(path: &Path, error: std::io::Error) -> Error {
    Error::from(Problem::InputOutput).in_file(path).caused_by(error)
}
