//! JSON: objects one a line, one after the other, or in an array. A column is a path of keys; objects and lists are kept as their JSON.

use super::{Cells, Flow, Place, Sink, TextFile};
use crate::error::Result;
use covermix::Problem;
use serde_json::Value;
use std::collections::BTreeSet;
use std::io::{BufRead, BufReader};

/// How many objects are looked at for the keys that a file has.
const SAMPLE: usize = 10_000;

/// The paths of keys of the first objects, each with `.` between keys.
pub(crate) fn keys(file: &TextFile) -> Result<Vec<String>> {
    let mut found = BTreeSet::new();
    let mut seen = 0;
    each(file, &mut |value, _| {
        collect(value, "", &mut found);
        seen += 1;
        Ok(if seen < SAMPLE { Flow::Continue } else { Flow::Stop })
    })?;
    if seen == 0 {
        return Err(covermix::Error::from(Problem::Empty { what: "object" }).in_file(&file.path).into());
    }
    Ok(found.into_iter().collect())
}

fn collect(value: &Value, prefix: &str, found: &mut BTreeSet<String>) {
    let Value::Object(object) = value else { return };
    for (key, inner) in object {
        let path = if prefix.is_empty() { key.clone() } else { format!("{prefix}.{key}") };
        collect(inner, &path, found);
        found.insert(path);
    }
}

/// Sends the objects of a file as rows.
pub(super) fn read(file: &TextFile, places: &[Place], cells: &mut Cells, send: &mut Sink<'_>) -> Result<()> {
    let mut last_line = 1;
    each(file, &mut |value, line| {
        last_line = line;
        for (column, place) in places.iter().enumerate() {
            let found = match place {
                Place::Path(keys) => keys.iter().try_fold(value, |value, key| value.get(key)),
                Place::Cell(_) => None,
            };
            match found {
                None | Some(Value::Null) => cells.push(column, None),
                Some(Value::String(text)) => cells.push(column, Some(text)),
                Some(other) => cells.push(column, Some(&other.to_string())),
            }
        }
        if cells.end_row() {
            let batch = cells.take().map_err(|error| super::engine(file, line, error))?;
            return send(batch).map_err(|error| super::engine(file, line, error));
        }
        Ok(Flow::Continue)
    })?;
    if cells.rows > 0 {
        let batch = cells.take().map_err(|error| super::engine(file, last_line, error))?;
        send(batch).map_err(|error| super::engine(file, last_line, error))?;
    }
    Ok(())
}

/// Calls a function for each object and the line it begins at.
fn each(file: &TextFile, visit: &mut dyn FnMut(&Value, u64) -> Result<Flow>) -> Result<()> {
    let (guard, mark) = file.open()?;
    let mut reader = BufReader::with_capacity(1 << 18, guard);
    let mut splitter = Splitter::default();
    let (mut read, mut line) = (0u64, 1u64);
    loop {
        let buffer = reader.fill_buf().map_err(|error| file.damaged(line, error))?;
        if buffer.is_empty() {
            break;
        }
        let length = buffer.len();
        for (index, byte) in buffer.iter().enumerate() {
            match splitter.push(*byte, line) {
                Step::Inside => {}
                Step::Stray => return Err(file.damaged(line, "text between the objects")),
                Step::Complete(start) => {
                    let value: Value = serde_json::from_slice(&splitter.bytes).map_err(|error| file.damaged(start, error))?;
                    splitter.bytes.clear();
                    mark.set(read + index as u64);
                    if visit(&value, start)? == Flow::Stop {
                        return Ok(());
                    }
                }
            }
            line += u64::from(*byte == b'\n');
        }
        read += length as u64;
        reader.consume(length);
    }
    if splitter.depth > 0 {
        return Err(file.damaged(splitter.start, "the object is not closed"));
    }
    Ok(())
}

/// Cuts a stream of bytes into objects.
#[derive(Default)]
struct Splitter {
    bytes: Vec<u8>,
    depth: usize,
    start: u64,
    is_string: bool,
    is_escaped: bool,
}

/// What a byte does.
enum Step {
    Inside,
    /// It belongs to no object and separates none.
    Stray,
    /// An object that began at this line is complete.
    Complete(u64),
}

impl Splitter {
    fn push(&mut self, byte: u8, line: u64) -> Step {
        if self.depth == 0 {
            match byte {
                b'{' => {
                    self.depth = 1;
                    self.start = line;
                    self.bytes.push(byte);
                    return Step::Inside;
                }
                b' ' | b'\t' | b'\r' | b'\n' | b',' | b'[' | b']' | 0xef | 0xbb | 0xbf => return Step::Inside,
                _ => return Step::Stray,
            }
        }
        self.bytes.push(byte);
        if self.is_string {
            match byte {
                _ if self.is_escaped => self.is_escaped = false,
                b'\\' => self.is_escaped = true,
                b'"' => self.is_string = false,
                _ => {}
            }
            return Step::Inside;
        }
        match byte {
            b'"' => self.is_string = true,
            b'{' | b'[' => self.depth += 1,
            b'}' | b']' => {
                self.depth -= 1;
                if self.depth == 0 {
                    return Step::Complete(self.start);
                }
            }
            _ => {}
        }
        Step::Inside
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(text: &str) -> Vec<String> {
        let mut splitter = Splitter::default();
        let mut objects = Vec::new();
        for byte in text.bytes() {
            match splitter.push(byte, 1) {
                Step::Complete(_) => objects.push(String::from_utf8(std::mem::take(&mut splitter.bytes)).unwrap()),
                Step::Stray => objects.push("stray".into()),
                Step::Inside => {}
            }
        }
        objects
    }

    #[test]
    fn objects_are_cut_out_of_every_layout() {
        let expected = [r#"{"a": "}\"{", "b": [{}]}"#, "{}"];
        for text in [
            r#"{"a": "}\"{", "b": [{}]}{}"#,
            "{\"a\": \"}\\\"{\", \"b\": [{}]}\n{}\n",
            "[{\"a\": \"}\\\"{\", \"b\": [{}]},\n {}]",
        ] {
            assert_eq!(split(text), expected, "{text}");
        }
        assert_eq!(split("{} x"), ["{}", "stray"]);
    }
}
