//! Walks through a JSON document of any size without holding it: the caller says which values it wants whole and skips the rest.
//!
//! A price list of gigabytes is nested objects with small leaves. [`JsonStream`] finds where a value ends by its brackets and quotes;
//! `serde_json` parses the values that are wanted, one at a time, from the buffer. Skipped values are checked for balance only.

use crate::error::{Error, Problem, Result};
use serde::Deserialize;
use serde::de::DeserializeSeed;
use std::borrow::Cow;
use std::io::BufRead;

/// How much is read at a time.
const CHUNK: usize = 1 << 18;

/// A JSON document being read; its position is before a value, a key or a closing bracket.
pub(crate) struct JsonStream<'r> {
    input: &'r mut dyn BufRead,
    expected: &'static str,
    buffer: Vec<u8>,
    /// What of the buffer is read already.
    at: usize,
    /// Newlines before the buffer's start.
    lines: u64,
    ended: bool,
}

impl<'r> JsonStream<'r> {
    /// A document of the format `expected`, which errors name.
    pub(crate) fn new(input: &'r mut dyn BufRead, expected: &'static str) -> Self {
        Self { input, expected, buffer: Vec::with_capacity(2 * CHUNK), at: 0, lines: 0, ended: false }
    }

    /// The first byte of the next value or bracket, or `None` at the end.
    pub(crate) fn peek(&mut self) -> Result<Option<u8>> {
        loop {
            while let Some(byte) = self.buffer.get(self.at) {
                if !byte.is_ascii_whitespace() {
                    return Ok(Some(*byte));
                }
                self.at += 1;
            }
            if !self.fill()? {
                return Ok(None);
            }
        }
    }

    /// Walks an object: calls `field` with each key; it must read or skip the value.
    pub(crate) fn object(&mut self, mut field: impl FnMut(&mut Self, &str) -> Result<()>) -> Result<()> {
        self.expect(b'{')?;
        if self.peek()? == Some(b'}') {
            self.at += 1;
            return Ok(());
        }
        loop {
            if self.peek()? != Some(b'"') {
                return Err(self.malformed("a key in quotes"));
            }
            let key: Text<'static> = self.value::<Text<'_>>()?.into_owned();
            self.expect(b':')?;
            field(self, &key)?;
            match self.peek()? {
                Some(b',') => self.at += 1,
                Some(b'}') => {
                    self.at += 1;
                    return Ok(());
                }
                _ => return Err(self.malformed("`,` or `}`")),
            }
        }
    }

    /// Walks an array: calls `element` before each element; it must read or skip it.
    pub(crate) fn array(&mut self, mut element: impl FnMut(&mut Self) -> Result<()>) -> Result<()> {
        self.expect(b'[')?;
        if self.peek()? == Some(b']') {
            self.at += 1;
            return Ok(());
        }
        loop {
            element(self)?;
            match self.peek()? {
                Some(b',') => self.at += 1,
                Some(b']') => {
                    self.at += 1;
                    return Ok(());
                }
                _ => return Err(self.malformed("`,` or `]`")),
            }
        }
    }

    /// The next value, parsed; it may borrow from the buffer.
    pub(crate) fn value<'a, T: Deserialize<'a>>(&'a mut self) -> Result<T> {
        self.value_as(std::marker::PhantomData)
    }

    /// The next value, parsed by a seed that knows what is wanted of it; it may borrow from the buffer.
    pub(crate) fn value_as<'a, S: DeserializeSeed<'a>>(&'a mut self, seed: S) -> Result<S::Value> {
        let length = self.raw()?.len();
        let (buffer, lines, expected) = (&self.buffer, self.lines, self.expected);
        let start = self.at - length;
        // Lines are counted for errors only: counting them for each value would read the buffer over and over.
        let mut parser = serde_json::Deserializer::from_slice(&buffer[start..self.at]);
        seed.deserialize(&mut parser).and_then(|value| parser.end().map(|()| value)).map_err(|error| {
            let line = lines + newlines(&buffer[..start]) + u64::try_from(error.line()).unwrap_or(1);
            Error::from(Problem::Malformed { expected }).at_line(line).caused_by(error)
        })
    }

    /// The text of the next value.
    pub(crate) fn raw(&mut self) -> Result<&[u8]> {
        self.peek()?;
        let mut scan = Scan::default();
        let mut length = 0;
        loop {
            if let Some(end) = scan.end(&self.buffer[self.at + length..]) {
                let start = self.at;
                self.at += length + end;
                return Ok(&self.buffer[start..self.at]);
            }
            length = self.buffer.len() - self.at;
            if !self.fill()? {
                return self.last(length, &scan).map(|start| &self.buffer[start..]);
            }
        }
    }

    /// Leaves the next value out.
    pub(crate) fn skip(&mut self) -> Result<()> {
        self.peek()?;
        let mut scan = Scan::default();
        let mut length = 0;
        loop {
            if let Some(end) = scan.end(&self.buffer[self.at..]) {
                self.at += end;
                return Ok(());
            }
            length += self.buffer.len() - self.at;
            self.at = self.buffer.len();
            if !self.fill()? {
                return self.last(length, &scan).map(|_| ());
            }
        }
    }

    /// The error for a document that ends or goes on where it must not.
    pub(crate) fn malformed(&mut self, wanted: &str) -> Error {
        let found = match self.peek() {
            Ok(Some(byte)) => format!("`{}`", char::from(byte)),
            _ => "the end of the file".to_owned(),
        };
        let problem = Problem::Malformed { expected: self.expected };
        Error::from(problem).at_line(self.line()).caused_by(format!("{wanted} expected, {found} found"))
    }

    /// The error for text after the document, if there is any.
    pub(crate) fn finish(&mut self) -> Result<()> {
        if self.peek()?.is_some() { Err(self.malformed("nothing more")) } else { Ok(()) }
    }

    /// The line of the position; 1 is the first.
    pub(crate) fn line(&self) -> u64 {
        self.lines + newlines(&self.buffer[..self.at]) + 1
    }

    fn expect(&mut self, byte: u8) -> Result<()> {
        if self.peek()? == Some(byte) {
            self.at += 1;
            return Ok(());
        }
        Err(self.malformed(&format!("`{}`", char::from(byte))))
    }

    /// A number or word may end with the file; a bracket or quote may not. Where the value starts.
    fn last(&mut self, length: usize, scan: &Scan) -> Result<usize> {
        if length == 0 || scan.depth > 0 || scan.in_string {
            self.at = self.buffer.len();
            return Err(self.malformed("the rest of a value"));
        }
        let start = self.at;
        self.at = self.buffer.len();
        Ok(start)
    }

    /// Reads on, dropping what is read already. Whether there was more.
    fn fill(&mut self) -> Result<bool> {
        if self.ended {
            return Ok(false);
        }
        if self.at > 0 {
            self.lines += newlines(&self.buffer[..self.at]);
            self.buffer.drain(..self.at);
            self.at = 0;
        }
        let wanted = self.buffer.len() + CHUNK;
        while self.buffer.len() < wanted {
            let more = self.input.fill_buf().map_err(|error| Error::from(Problem::InputOutput).caused_by(error))?;
            if more.is_empty() {
                self.ended = true;
                break;
            }
            let length = more.len();
            self.buffer.extend_from_slice(more);
            self.input.consume(length);
        }
        Ok(!self.buffer.is_empty())
    }
}

fn newlines(bytes: &[u8]) -> u64 {
    bytes.iter().map(|byte| u64::from(*byte == b'\n')).sum()
}

/// Where in a value the search for its end stands.
#[derive(Default)]
struct Scan {
    depth: usize,
    in_string: bool,
    escaped: bool,
    is_word: bool,
}

impl Scan {
    /// The length up to the end of the value, or `None` if it is not in these bytes; call again with what follows them.
    fn end(&mut self, bytes: &[u8]) -> Option<usize> {
        let mut at = 0;
        while at < bytes.len() {
            if self.in_string {
                if self.escaped {
                    self.escaped = false;
                    at += 1;
                    continue;
                }
                at += bytes[at..].iter().position(|byte| matches!(byte, b'"' | b'\\'))?;
                self.escaped = bytes[at] == b'\\';
                self.in_string = self.escaped;
                at += 1;
                if !self.in_string && self.depth == 0 {
                    return Some(at);
                }
                continue;
            }
            if self.depth > 0 {
                // Within brackets only quotes and brackets matter.
                at += bytes[at..].iter().position(|byte| STRUCTURAL[usize::from(*byte)])?;
            }
            match bytes[at] {
                b'"' if !self.is_word => self.in_string = true,
                b'{' | b'[' if !self.is_word => self.depth += 1,
                b'}' | b']' if self.depth > 0 => {
                    self.depth -= 1;
                    if self.depth == 0 {
                        return Some(at + 1);
                    }
                }
                b',' | b':' | b'}' | b']' | b' ' | b'\n' | b'\r' | b'\t' if self.depth == 0 => return Some(at),
                _ => self.is_word = true,
            }
            at += 1;
        }
        None
    }
}

/// The bytes that open or close something.
const STRUCTURAL: [bool; 256] = {
    let mut table = [false; 256];
    table[b'"' as usize] = true;
    table[b'{' as usize] = true;
    table[b'}' as usize] = true;
    table[b'[' as usize] = true;
    table[b']' as usize] = true;
    table
};

/// A JSON string, borrowed from the document where it has no escapes.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Text<'a>(pub(crate) Cow<'a, str>);

impl Text<'_> {
    fn into_owned(self) -> Text<'static> {
        Text(Cow::Owned(self.0.into_owned()))
    }
}

impl std::ops::Deref for Text<'_> {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Text<'a> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        struct Visitor;
        impl<'de> serde::de::Visitor<'de> for Visitor {
            type Value = Text<'de>;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a string")
            }

            fn visit_borrowed_str<E>(self, text: &'de str) -> std::result::Result<Text<'de>, E> {
                Ok(Text(Cow::Borrowed(text)))
            }

            fn visit_str<E>(self, text: &str) -> std::result::Result<Text<'de>, E> {
                Ok(Text(Cow::Owned(text.to_owned())))
            }
        }
        deserializer.deserialize_str(Visitor)
    }
}

/// A JSON object in the order of its text, borrowed from the document: for objects of which few fields are looked at.
#[derive(Clone, Debug)]
pub(crate) struct Fields<'a, T>(pub(crate) Vec<(Text<'a>, T)>);

impl<T> Default for Fields<'_, T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T> Fields<'_, T> {
    /// The value of a field.
    pub(crate) fn get(&self, name: &str) -> Option<&T> {
        self.0.iter().find(|(key, _)| &**key == name).map(|(_, value)| value)
    }
}

impl<'de: 'a, 'a, T: Deserialize<'de>> Deserialize<'de> for Fields<'a, T> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        struct Visitor<T>(std::marker::PhantomData<T>);
        impl<'de, T: Deserialize<'de>> serde::de::Visitor<'de> for Visitor<T> {
            type Value = Fields<'de, T>;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: serde::de::MapAccess<'de>>(self, mut map: A) -> std::result::Result<Self::Value, A::Error> {
                let mut fields = Vec::new();
                while let Some(entry) = map.next_entry()? {
                    fields.push(entry);
                }
                Ok(Fields(fields))
            }
        }
        deserializer.deserialize_map(Visitor(std::marker::PhantomData))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::BufReader;

    /// A document read in pieces of a few bytes, so that every value crosses a boundary.
    fn walk(text: &str) -> Result<Vec<String>> {
        let mut input = BufReader::with_capacity(3, text.as_bytes());
        let mut stream = JsonStream::new(&mut input, "a test document");
        let mut seen = Vec::new();
        stream.object(|stream, key| {
            if key.starts_with("skip") {
                return stream.skip();
            }
            if key == "list" {
                return stream.array(|stream| {
                    seen.push(stream.value::<serde_json::Value>()?.to_string());
                    Ok(())
                });
            }
            seen.push(format!("{key}={}", stream.value::<serde_json::Value>()?));
            Ok(())
        })?;
        stream.finish()?;
        Ok(seen)
    }

    #[test]
    fn values_are_read_whole_and_the_rest_is_skipped() {
        let text = r#" {"a": 1, "skip": {"x": "}\"]{", "y": [[], {}]}, "list": [ {"b":"\\"}, [2], "c\u0041", 3 , true],"skip2":"\\", "d\"": null,
            "e":{}, "skip3": 12e5} "#;
        let seen = walk(text).unwrap();
        assert_eq!(seen, ["a=1", r#"{"b":"\\"}"#, "[2]", "\"cA\"", "3", "true", "d\"=null", "e={}"]);
        assert_eq!(walk("{}").unwrap(), [""; 0]);
    }

    #[test]
    fn broken_documents_are_refused_with_their_line() {
        for text in [
            "",
            "[]",
            "{",
            "{\"a\"",
            "{\"a\":",
            "{\"a\":1",
            "{\"a\":1,",
            "{\"skip\":{",
            "{\"skip\":\"",
            "{\"a\":1} x",
            "{\"a\" 1}",
            "{a:1}",
            "{\"a\":x}",
        ] {
            assert!(walk(text).is_err(), "{text}");
        }
        let error = walk("{\"a\": 1,\n\"skip\": 2\n\"b\": 3}").unwrap_err();
        assert_eq!(error.place().line, Some(3), "{error}");
    }
}
