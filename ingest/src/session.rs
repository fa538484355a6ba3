//! Files as SQL tables: Parquet and CSV (plain or gzip) are recognised by their first bytes, a CSV file's separator by its header. Every
//! column of a CSV file is read as text, under an identifier of its own, so that no type is guessed and no header clashes.

use crate::columns::Column;
use crate::error::{Error, Result};
use covermix::Problem;
use csv::ReaderBuilder;
use datafusion::arrow::array::{Array, AsArray, Decimal128Array, Int64Array, RecordBatch, StringArray};
use datafusion::arrow::compute::{cast, concat_batches};
use datafusion::arrow::datatypes::{DataType, Decimal128Type, Field, Int64Type, Schema, SchemaRef};
use datafusion::common::parsers::CompressionTypeVariant;
use datafusion::datasource::file_format::FileFormat;
use datafusion::datasource::file_format::csv::CsvFormat;
use datafusion::datasource::file_format::file_compression_type::FileCompressionType;
use datafusion::datasource::file_format::parquet::ParquetFormat;
use datafusion::datasource::listing::{ListingOptions, ListingTable, ListingTableConfig, ListingTableUrl};
use datafusion::error::DataFusionError;
use datafusion::prelude::SessionContext;
use flate2::read::MultiGzDecoder;
use std::fs::File;
use std::future::Future;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The digits behind the point of every decimal number of a query.
pub(crate) const SCALE: u32 = 15;

/// The separator of Athena's text tables.
const START_OF_HEADING: u8 = 1;

/// Runs a future to its end on threads of its own, also from within another runtime.
pub(crate) fn block_on<T: Send>(future: impl Future<Output = Result<T>> + Send) -> Result<T> {
    // The runtime must be dropped on that thread too: within another runtime it may not.
    let run = || tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(future);
    std::thread::scope(|scope| scope.spawn(run).join())
        .unwrap_or_else(|_| Err(std::io::Error::other("its thread stopped").into()))
}

/// The tables of a bill's files.
pub(crate) struct Session {
    context: SessionContext,
    paths: Vec<PathBuf>,
}

/// A file that has become a table.
pub(crate) struct Source {
    pub(crate) path: PathBuf,
    pub(crate) table: String,
    format: Format,
    /// Header, identifier in SQL, type.
    columns: Vec<(String, String, DataType)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Format {
    Parquet,
    Csv { gzip: bool },
}

impl Format {
    fn name(self) -> &'static str {
        match self {
            Self::Parquet => "Parquet",
            Self::Csv { gzip: true } => "CSV packed with gzip",
            Self::Csv { gzip: false } => "CSV",
        }
    }
}

impl Source {
    /// The identifier and type of a column, if the file has it.
    ///
    /// # Errors
    /// [`Problem::Repeated`] if two headers name it.
    pub(crate) fn find(&self, column: &Column) -> Result<Option<(&str, &DataType)>> {
        let mut found = self.columns.iter().filter(|(header, _, _)| column.is_named(header));
        let first = found.next();
        if let Some((header, _, _)) = found.next() {
            let error = covermix::Error::from(Problem::Repeated).in_file(&self.path).in_field(header.clone());
            return Err(error.into());
        }
        Ok(first.map(|(_, identifier, data_type)| (identifier.as_str(), data_type)))
    }

    /// The first headers and how many there are, for people.
    pub(crate) fn describe_headers(&self) -> String {
        let first: Vec<String> = self.columns.iter().take(8).map(|(header, _, _)| header.chars().take(60).collect()).collect();
        format!("{} column(s), beginning {}", self.columns.len(), first.join(", "))
    }

    /// The error of a reader that could not read this file.
    pub(crate) fn damaged(&self, source: DataFusionError) -> Error {
        Error::Damaged { file: self.path.clone(), format: self.format.name(), source: Box::new(source) }
    }
}

impl Session {
    /// Opens files, each as a table.
    pub(crate) async fn open(paths: &[PathBuf]) -> Result<(Self, Vec<Source>)> {
        let session = Self { context: SessionContext::new(), paths: paths.to_vec() };
        let mut sources = Vec::with_capacity(paths.len());
        for (index, path) in paths.iter().enumerate() {
            sources.push(session.register(path, format!("file_{index}")).await?);
        }
        Ok((session, sources))
    }

    async fn register(&self, path: &Path, table: String) -> Result<Source> {
        let format = recognise(path)?;
        let absolute = path.canonicalize().map_err(|error| Error::input_output(path, error))?;
        let invalid = || covermix::Error::from(Problem::NotAFile).in_file(path);
        let url = url::Url::from_file_path(&absolute).map_err(|()| invalid())?;
        let mut source = Source { path: path.to_owned(), table, format, columns: Vec::new() };
        let url = ListingTableUrl::try_new(url, None).map_err(|error| source.damaged(error))?;
        let reader: Arc<dyn FileFormat> = match format {
            Format::Parquet => Arc::new(ParquetFormat::default()),
            Format::Csv { gzip } => {
                let (headers, separator) = header(path, gzip)?;
                let identifier = |index: usize| format!("c{index}");
                source.columns =
                    headers.into_iter().enumerate().map(|(index, header)| (header, identifier(index), DataType::Utf8)).collect();
                Arc::new(csv_format(separator, gzip))
            }
        };
        let options = ListingOptions::new(reader).with_file_extension("");
        let schema: SchemaRef = if source.columns.is_empty() {
            let schema = options.infer_schema(&self.context.state(), &url).await.map_err(|error| source.damaged(error))?;
            let quoted = |field: &Arc<Field>| {
                (field.name().clone(), format!("\"{}\"", field.name().replace('"', "\"\"")), field.data_type().clone())
            };
            source.columns = schema.fields().iter().map(quoted).collect();
            schema
        } else {
            let field = |(_, name, data_type): &(String, String, DataType)| Field::new(name, data_type.clone(), true);
            Arc::new(Schema::new(source.columns.iter().map(field).collect::<Vec<_>>()))
        };
        let config = ListingTableConfig::new(url).with_listing_options(options).with_schema(schema);
        let listing = ListingTable::try_new(config).map_err(|error| source.damaged(error))?;
        self.context.register_table(source.table.as_str(), Arc::new(listing)).map_err(|error| source.damaged(error))?;
        Ok(source)
    }

    /// Runs a query over all files.
    pub(crate) async fn query(&self, sql: &str) -> Result<Rows> {
        self.run(sql).await.map_err(|source| Error::Query { paths: self.paths.clone(), source: Box::new(source) })
    }

    /// Runs a query, with the engine's own error.
    pub(crate) async fn run(&self, sql: &str) -> Result<Rows, DataFusionError> {
        tracing::debug!(sql, "query");
        let frame = self.context.sql(sql).await?;
        let schema: SchemaRef = Arc::new(frame.schema().as_arrow().clone());
        let batches = frame.collect().await?;
        Ok(Rows(concat_batches(batches.first().map_or(&schema, RecordBatch::schema_ref), &batches)?))
    }

    /// The files.
    pub(crate) fn paths(&self) -> &[PathBuf] {
        &self.paths
    }
}

/// The rows of an answer.
pub(crate) struct Rows(RecordBatch);

impl Rows {
    pub(crate) fn len(&self) -> usize {
        self.0.num_rows()
    }

    fn column(&self, name: &str, data_type: &DataType) -> Arc<dyn Array> {
        let column = self.0.column_by_name(name).and_then(|column| cast(column, data_type).ok());
        column.unwrap_or_else(|| datafusion::arrow::array::new_null_array(data_type, self.len()))
    }

    /// A column of text.
    pub(crate) fn text(&self, name: &str) -> StringArray {
        self.column(name, &DataType::Utf8).as_string().clone()
    }

    /// A column of whole numbers.
    pub(crate) fn integers(&self, name: &str) -> Int64Array {
        self.column(name, &DataType::Int64).as_primitive::<Int64Type>().clone()
    }

    /// A column of decimal numbers, in units of 10^-[`SCALE`].
    #[allow(clippy::cast_possible_truncation, clippy::cast_possible_wrap)]
    pub(crate) fn numbers(&self, name: &str) -> Decimal128Array {
        self.column(name, &DataType::Decimal128(38, SCALE as i8)).as_primitive::<Decimal128Type>().clone()
    }
}

/// A whole number that must be there; 0 if the engine left it out.
pub(crate) fn count(column: &Int64Array, row: usize) -> u64 {
    if column.is_null(row) { 0 } else { u64::try_from(column.value(row)).unwrap_or(0) }
}

/// A text as SQL writes it.
pub(crate) fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

fn csv_format(separator: u8, gzip: bool) -> CsvFormat {
    let compression = if gzip { CompressionTypeVariant::GZIP } else { CompressionTypeVariant::UNCOMPRESSED };
    let format = CsvFormat::default()
        .with_has_header(true)
        .with_delimiter(separator)
        .with_newlines_in_values(true)
        .with_file_compression_type(FileCompressionType::from(compression));
    // Athena's text tables do not quote.
    if separator == START_OF_HEADING { format.with_quote(0) } else { format }
}

/// The format of a file, from its first bytes.
fn recognise(path: &Path) -> Result<Format> {
    let metadata = path.metadata().map_err(|error| Error::input_output(path, error))?;
    if !metadata.is_file() {
        return Err(covermix::Error::from(Problem::NotAFile).in_file(path).into());
    }
    let mut start = Vec::new();
    let mut file = File::open(path).map_err(|error| Error::input_output(path, error))?;
    file.by_ref().take(4).read_to_end(&mut start).map_err(|error| Error::input_output(path, error))?;
    let refuse = |format, remedy| Err(Error::Format { file: path.to_owned(), format, remedy });
    match start.as_slice() {
        [] => Err(covermix::Error::from(Problem::Empty { what: "bill" }).in_file(path).into()),
        b"PAR1" => Ok(Format::Parquet),
        [0x1f, 0x8b, ..] => Ok(Format::Csv { gzip: true }),
        [b'P', b'K', 3, 4] => refuse("a ZIP archive", "unpack it and give the CSV file inside"),
        [0x28, 0xb5, 0x2f, 0xfd] | [b'B', b'Z', b'h', _] | [0xfd, b'7', b'z', b'X'] => {
            refuse("packed with zstd, bzip2 or xz", "unpack it, or pack it with gzip")
        }
        _ => Ok(Format::Csv { gzip: false }),
    }
}

/// The header of a CSV file and its separator: whichever of comma, tab, semicolon and Athena's start-of-heading the first line has most of.
fn header(path: &Path, gzip: bool) -> Result<(Vec<String>, u8)> {
    let file = File::open(path).map_err(|error| Error::input_output(path, error))?;
    let reader: Box<dyn Read> = if gzip { Box::new(MultiGzDecoder::new(file)) } else { Box::new(file) };
    let mut first_line = Vec::new();
    // No header is near this long; a binary file without line ends might be.
    let mut reader = BufReader::new(reader).take(1 << 20);
    let format = Format::Csv { gzip };
    let damaged = |error: std::io::Error| Error::Damaged {
        file: path.to_owned(),
        format: format.name(),
        source: Box::new(DataFusionError::IoError(error)),
    };
    reader.read_until(b'\n', &mut first_line).map_err(damaged)?;
    if first_line.iter().all(u8::is_ascii_whitespace) {
        return Err(covermix::Error::from(Problem::Empty { what: "header" }).in_file(path).into());
    }
    let counted = |separator: &u8| first_line.iter().filter(|byte| *byte == separator).count();
    let separator = [b',', b'\t', b';', START_OF_HEADING].into_iter().rev().max_by_key(counted).unwrap_or(b',');
    let mut parser = ReaderBuilder::new().delimiter(separator).from_reader(first_line.as_slice());
    let headers = parser.headers().map_err(|error| {
        let problem = Problem::Malformed { expected: "a CSV file with a header in UTF-8, or a Parquet file" };
        covermix::Error::from(problem).in_file(path).at_line(1).caused_by(error)
    })?;
    Ok((headers.iter().map(|header| header.trim_start_matches('\u{feff}').trim().to_owned()).collect(), separator))
}
