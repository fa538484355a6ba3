//! CSV: separated by comma, tab, semicolon or Athena's byte 1, quoted or not, with or without byte-order mark.

use super::{Cells, Flow, Place, Sink, TextFile};
use crate::error::{Error, Result};
use crate::options::Meter;
use covermix::Problem;
use csv::{ByteRecord, ReaderBuilder};
use std::io::{BufRead, BufReader, Read};
use std::path::Path;

/// The separator of Athena's text tables, which do not quote.
const START_OF_HEADING: u8 = 1;

/// The longest header line, in bytes.
const HEADER_LIMIT: u64 = 1 << 20;

/// The headers and the separator: whichever of comma, tab, semicolon and Athena's byte 1 the first line has most of. Errors name the path of the
/// file, which lies at `place`.
pub(crate) fn header(path: &Path, place: &Path, is_packed: bool) -> Result<(Vec<String>, u8)> {
    let (guard, _) = super::open(path, place, is_packed, Meter::default())?;
    let mut first_line = Vec::new();
    // No header is near this long; a binary file without line ends might be.
    let mut reader = BufReader::new(guard).take(HEADER_LIMIT);
    let format = if is_packed { "CSV packed with gzip" } else { "CSV" };
    let damaged = |error: std::io::Error| Error::Damaged { file: path.to_owned(), line: None, format, source: error.into() };
    // Blank lines before the header are not it.
    while first_line.iter().all(u8::is_ascii_whitespace) {
        first_line.clear();
        if reader.read_until(b'\n', &mut first_line).map_err(damaged)? == 0 {
            return Err(covermix::Error::from(Problem::Empty { what: "header" }).in_file(path).into());
        }
    }
    let counted = |separator: &u8| first_line.iter().filter(|byte| *byte == separator).count();
    let separator = [b',', b'\t', b';', START_OF_HEADING].into_iter().rev().max_by_key(counted).unwrap_or(b',');
    let line = first_line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&first_line);
    let mut parser = ReaderBuilder::new().delimiter(separator).from_reader(line);
    let headers = parser.headers().map_err(|error| {
        let problem = Problem::Malformed { expected: "a CSV file with a header in UTF-8, a JSON file, or a Parquet file" };
        covermix::Error::from(problem).in_file(path).at_line(1).caused_by(error)
    })?;
    Ok((headers.iter().map(|header| header.trim_start_matches('\u{feff}').trim().to_owned()).collect(), separator))
}

/// Sends the records of a file. Some exporters leave out the last cell of a record with its separator where it is empty; any other record
/// has as many cells as the header.
pub(super) fn read(
    file: &TextFile,
    (separator, count): (u8, usize),
    places: &[Place],
    cells: &mut Cells,
    send: &mut Sink<'_>,
) -> Result<()> {
    let (guard, mark) = file.open()?;
    let quotes = Quotes { inner: guard, count: 0, is_last_line_ended: true };
    let mut reader = ReaderBuilder::new()
        .delimiter(separator)
        .quoting(separator != START_OF_HEADING)
        .has_headers(true)
        .flexible(true)
        .buffer_capacity(1 << 18)
        .from_reader(quotes);
    let mut record = ByteRecord::new();
    let (mut line, mut is_short) = (1, false);
    loop {
        let more = reader.read_byte_record(&mut record).map_err(|error| {
            let at = error.position().map_or(reader_line(&reader), csv::Position::line);
            file.damaged(at, error)
        })?;
        if !more {
            break;
        }
        line = record.position().map_or(line, csv::Position::line);
        mark.set(reader.position().byte());
        is_short = record.len() + 1 == count && count > 1;
        if record.len() != count && !is_short {
            let problem = format!("a record of {} cells under a header of {count}", record.len());
            return Err(file.damaged(line, problem));
        }
        for (column, place) in places.iter().enumerate() {
            let cell = match place {
                Place::Cell(position) => record.get(*position).unwrap_or_default(),
                Place::Path(_) => &[],
            };
            let text = std::str::from_utf8(cell).map_err(|error| file.damaged(line, error))?;
            cells.push(column, Some(text));
        }
        if cells.end_row() {
            let batch = cells.take().map_err(|error| super::engine(file, line, error))?;
            if send(batch).map_err(|error| super::engine(file, line, error))? == Flow::Stop {
                return Ok(());
            }
        }
    }
    let last_lines = reader_line(&reader).saturating_sub(line);
    let end = reader.into_inner();
    // A quote that is never closed swallows the rest of the file, and may leave a record that looks whole.
    if separator != START_OF_HEADING && end.count % 2 == 1 && (last_lines > 1 || !end.is_last_line_ended) {
        return Err(file.damaged(line, "a quote that opens in this record is not closed"));
    }
    if is_short && !end.is_last_line_ended {
        return Err(file.damaged(line, "the last record is cut off"));
    }
    if cells.rows > 0 {
        send(cells.take().map_err(|error| super::engine(file, line, error))?)
            .map_err(|error| super::engine(file, line, error))?;
    }
    Ok(())
}

fn reader_line<R: Read>(reader: &csv::Reader<R>) -> u64 {
    reader.position().line()
}

/// Counts the quotes of a file.
struct Quotes<R> {
    inner: R,
    count: u64,
    is_last_line_ended: bool,
}

impl<R: Read> Read for Quotes<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let count = self.inner.read(buffer)?;
        let bytes = &buffer[..count];
        self.count += bytes.iter().filter(|byte| **byte == b'"').count() as u64;
        if let Some(last) = bytes.last() {
            self.is_last_line_ended = *last == b'\n';
        }
        Ok(count)
    }
}
