//! Text files as tables: CSV and JSON, plain or gzip, read row by row in bounded memory. Every column is text, only the columns that a query
//! needs are kept, and whatever is wrong is named with file and line.
//!
//! A record may be [`RECORD_LIMIT`] long: an open quote, a file without line ends or a packed bomb ends there, with an error.

mod csv;
mod json;

pub(crate) use csv::header;
pub(crate) use json::keys;

use crate::error::{Carried, Error};
use crate::options::{Meter, Phase};
use async_trait::async_trait;
use datafusion::arrow::array::{ArrayRef, RecordBatch, RecordBatchOptions, StringBuilder};
use datafusion::arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion::catalog::{Session, TableProvider};
use datafusion::error::{DataFusionError, Result};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::logical_expr::{Expr, TableType};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::stream::RecordBatchReceiverStreamBuilder;
use datafusion::physical_plan::streaming::{PartitionStream, StreamingTableExec};
use flate2::read::MultiGzDecoder;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tempfile::NamedTempFile;

/// The longest record, in bytes. Real records are below 100 KiB.
pub(crate) const RECORD_LIMIT: u64 = 16 << 20;

/// The rows of a batch, and the bytes of text after which it ends early.
const BATCH_ROWS: usize = 8192;
const BATCH_BYTES: usize = 8 << 20;

/// How the text of a file is laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Layout {
    /// CSV with this separator.
    Csv {
        /// Between the cells.
        separator: u8,
        /// How many cells a record has.
        cells: usize,
    },
    /// JSON objects, one after the other or in an array.
    Json,
}

/// A text file.
#[derive(Clone, Debug)]
pub(crate) struct TextFile {
    /// Its name or address, for people.
    pub(crate) path: PathBuf,
    /// Of an object of a store its copy, which is there as long as this is.
    pub(crate) copy: Option<Arc<NamedTempFile>>,
    pub(crate) layout: Layout,
    pub(crate) is_packed: bool,
    pub(crate) meter: Meter,
}

impl TextFile {
    /// What it is, for people.
    pub(crate) fn format(&self) -> &'static str {
        match (self.layout, self.is_packed) {
            (Layout::Csv { .. }, true) => "CSV packed with gzip",
            (Layout::Csv { .. }, false) => "CSV",
            (Layout::Json, true) => "JSON packed with gzip",
            (Layout::Json, false) => "JSON",
        }
    }

    /// Its bytes, unpacked, with a guard.
    fn open(&self) -> Result<(Guard<Box<dyn Read + Send>>, Mark), Error> {
        let place = self.copy.as_ref().map_or(self.path.as_path(), |copy| copy.path());
        open(&self.path, place, self.is_packed, self.meter.clone())
    }

    fn damaged(&self, line: u64, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Error {
        Error::Damaged { file: self.path.clone(), line: Some(line), format: self.format(), source: source.into() }
    }
}

/// The bytes of a file, unpacked, with a guard. Errors name its path; it lies at `place`.
fn open(path: &Path, place: &Path, is_packed: bool, meter: Meter) -> Result<(Guard<Box<dyn Read + Send>>, Mark), Error> {
    let file = File::open(place).map_err(|error| Error::input_output(path, error))?;
    let counted = Counted { inner: file, meter };
    let inner: Box<dyn Read + Send> = if is_packed { Box::new(MultiGzDecoder::new(counted)) } else { Box::new(counted) };
    let mark = Mark::default();
    Ok((Guard { inner, read: 0, mark: mark.clone() }, mark))
}

/// How far records are complete, in unpacked bytes.
#[derive(Clone, Debug, Default)]
pub(crate) struct Mark(Arc<AtomicU64>);

impl Mark {
    pub(crate) fn set(&self, bytes: u64) {
        self.0.store(bytes, Ordering::Relaxed);
    }
}

/// Ends reading where a record is longer than [`RECORD_LIMIT`].
#[derive(Debug)]
pub(crate) struct Guard<R> {
    inner: R,
    read: u64,
    mark: Mark,
}

impl<R: Read> Read for Guard<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        if self.read.saturating_sub(self.mark.0.load(Ordering::Relaxed)) > RECORD_LIMIT {
            let mebibytes = RECORD_LIMIT >> 20;
            return Err(std::io::Error::other(format!(
                "a record is longer than {mebibytes} MiB: an open quote, or no line ends"
            )));
        }
        let count = self.inner.read(buffer)?;
        self.read += count as u64;
        Ok(count)
    }
}

/// Counts the bytes read of a file.
struct Counted {
    inner: File,
    meter: Meter,
}

impl Read for Counted {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.meter.add_bytes(count as u64);
        Ok(count)
    }
}

/// Cells of the wanted columns, row by row, until a batch is full.
pub(crate) struct Cells {
    schema: SchemaRef,
    columns: Vec<StringBuilder>,
    rows: usize,
    bytes: usize,
}

impl Cells {
    fn new(schema: SchemaRef) -> Self {
        let columns = schema.fields().iter().map(|_| StringBuilder::new()).collect();
        Self { schema, columns, rows: 0, bytes: 0 }
    }

    fn push(&mut self, column: usize, text: Option<&str>) {
        if let Some(builder) = self.columns.get_mut(column) {
            self.bytes += text.map_or(0, str::len);
            builder.append_option(text);
        }
    }

    fn end_row(&mut self) -> bool {
        self.rows += 1;
        self.rows >= BATCH_ROWS || self.bytes >= BATCH_BYTES
    }

    fn take(&mut self) -> Result<RecordBatch> {
        let columns: Vec<ArrayRef> = self.columns.iter_mut().map(|column| Arc::new(column.finish()) as ArrayRef).collect();
        let options = RecordBatchOptions::new().with_row_count(Some(self.rows));
        (self.rows, self.bytes) = (0, 0);
        Ok(RecordBatch::try_new_with_options(Arc::clone(&self.schema), columns, &options)?)
    }
}

/// Where rows go: the channel of a stream.
type Sink<'a> = dyn FnMut(RecordBatch) -> Result<Flow> + 'a;

/// Whether anyone still wants rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Flow {
    Continue,
    Stop,
}

/// A text file as a table.
#[derive(Clone, Debug)]
pub(crate) struct TextTable {
    file: TextFile,
    /// Where each column is: its position in CSV, its path in JSON.
    places: Vec<Place>,
    schema: SchemaRef,
}

/// Where a column of the table is in a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// The position of a cell.
    Cell(usize),
    /// The keys to follow.
    Path(Vec<String>),
}

impl TextTable {
    /// A table of some columns, each with its identifier.
    pub(crate) fn new(file: TextFile, columns: Vec<(String, Place)>) -> Self {
        let (names, places): (Vec<String>, Vec<Place>) = columns.into_iter().unzip();
        let fields: Vec<Field> = names.into_iter().map(|name| Field::new(name, DataType::Utf8, true)).collect();
        Self { file, places, schema: Arc::new(Schema::new(fields)) }
    }
}

#[async_trait]
impl TableProvider for TextTable {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    async fn scan(
        &self,
        _: &dyn Session,
        projection: Option<&Vec<usize>>,
        _: &[Expr],
        limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let wanted: Vec<usize> = projection.cloned().unwrap_or_else(|| (0..self.places.len()).collect());
        let schema: SchemaRef = Arc::new(self.schema.project(&wanted)?);
        let places = wanted.iter().filter_map(|index| self.places.get(*index).cloned()).collect();
        let rows = Rows { file: self.file.clone(), places, schema: Arc::clone(&schema) };
        Ok(Arc::new(StreamingTableExec::try_new(schema, vec![Arc::new(rows)], None, None, false, limit)?))
    }
}

/// The rows of a file, some columns of them.
#[derive(Debug)]
struct Rows {
    file: TextFile,
    places: Vec<Place>,
    schema: SchemaRef,
}

impl PartitionStream for Rows {
    fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    fn execute(&self, _: Arc<TaskContext>) -> SendableRecordBatchStream {
        let mut builder = RecordBatchReceiverStreamBuilder::new(Arc::clone(&self.schema), 4);
        let sender = builder.tx();
        let (file, places, schema) = (self.file.clone(), self.places.clone(), Arc::clone(&self.schema));
        builder.spawn_blocking(move || {
            let meter = file.meter.clone();
            let mut send = |batch: RecordBatch| {
                meter.add_rows(Phase::Reading, batch.num_rows() as u64);
                Ok(if sender.blocking_send(Ok(batch)).is_ok() { Flow::Continue } else { Flow::Stop })
            };
            let mut cells = Cells::new(schema);
            let read = match file.layout {
                Layout::Csv { separator, cells: count } => csv::read(&file, (separator, count), &places, &mut cells, &mut send),
                Layout::Json => json::read(&file, &places, &mut cells, &mut send),
            };
            read.map_err(|error| DataFusionError::External(Box::new(Carried::new(error))))
        });
        builder.build()
    }
}

/// The engine's error in building a batch: the texts of a batch are bounded, so this is of the engine's own making.
fn engine(file: &TextFile, line: u64, error: DataFusionError) -> Error {
    file.damaged(line, error)
}
