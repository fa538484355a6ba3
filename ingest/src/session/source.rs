//! One file: what it is, which columns it has, and the table it becomes.

use super::Session;
use crate::columns::{Column, Style, is_same};
use crate::error::{Carried, Error, Result};
use crate::store::{self, Object};
use crate::text::{self, Layout, Place, RECORD_LIMIT, TextFile, TextTable};
use covermix::Problem;
use datafusion::arrow::datatypes::{DataType, Field, Fields};
use datafusion::datasource::file_format::FileFormat;
use datafusion::datasource::file_format::parquet::ParquetFormat;
use datafusion::datasource::listing::{ListingOptions, ListingTable, ListingTableConfig, ListingTableUrl};
use datafusion::error::DataFusionError;
use datafusion::parquet::file::metadata::ParquetMetaDataReader;
use flate2::read::MultiGzDecoder;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use url::Url;

/// A file that has become a table, or will.
pub(crate) struct Source {
    pub(crate) path: PathBuf,
    pub(crate) table: String,
    /// How its texts are to be understood.
    pub(crate) style: Style,
    columns: Vec<Found>,
    text: Option<TextFile>,
}

/// A column of a file.
struct Found {
    /// Its name in the file; keys of nested columns are joined by `.`.
    header: String,
    /// What it is in SQL.
    identifier: String,
    data_type: DataType,
    /// Where it is in a record of a text file.
    place: Option<Place>,
}

/// What the first bytes of a file tell.
enum Content {
    Parquet,
    Csv { is_packed: bool },
    Json { is_packed: bool },
}

impl Source {
    pub(super) async fn open(session: &Session, path: &Path, index: usize) -> Result<Self> {
        let table = format!("file_{index}");
        let zone = session.options.time_zone.name();
        let style = Style { zone, ..Style::default() };
        let mut source = Self { path: path.to_owned(), table, style, columns: Vec::new(), text: None };
        let copy = match store::remote(path)? {
            None => None,
            Some(url) => match store::fetch(session.context(), &url, path, &session.meter).await? {
                Object::Text(copy) => Some(Arc::new(copy)),
                Object::Parquet => {
                    source.register_parquet(session, url).await?;
                    return Ok(source);
                }
            },
        };
        let place = copy.as_ref().map_or(path, |copy| copy.path());
        let text = |layout, is_packed| {
            let (path, copy, meter) = (path.to_owned(), copy.clone(), session.meter.clone());
            TextFile { path, copy, layout, is_packed, meter }
        };
        match recognise(path, place)? {
            Content::Parquet => {
                check_values(path)?;
                let absolute = path.canonicalize().map_err(|error| Error::input_output(path, error))?;
                let invalid = |()| covermix::Error::from(Problem::NotAFile).in_file(path);
                source.register_parquet(session, Url::from_file_path(&absolute).map_err(invalid)?).await?;
            }
            Content::Csv { is_packed } => {
                let (headers, separator) = text::header(path, place, is_packed)?;
                let cells = headers.len();
                let found = |(index, header): (usize, String)| Found {
                    header,
                    identifier: format!("c{index}"),
                    data_type: DataType::Utf8,
                    place: Some(Place::Cell(index)),
                };
                source.columns = headers.into_iter().enumerate().map(found).collect();
                source.text = Some(text(Layout::Csv { separator, cells }, is_packed));
            }
            Content::Json { is_packed } => {
                let file = text(Layout::Json, is_packed);
                for header in text::keys(&file)? {
                    source.push_path(header);
                }
                source.text = Some(file);
            }
        }
        Ok(source)
    }

    fn push_path(&mut self, header: String) {
        let place = Place::Path(header.split('.').map(str::to_owned).collect());
        let identifier = format!("c{}", self.columns.len());
        self.columns.push(Found { header, identifier, data_type: DataType::Utf8, place: Some(place) });
    }

    /// Makes a text file a table; these are the columns that will be looked for. JSON objects may have keys that the first ones lack.
    pub(crate) fn register(&mut self, session: &Session, columns: &[Column]) -> Result<()> {
        let Some(file) = self.text.clone() else { return Ok(()) };
        if file.layout == Layout::Json {
            for column in columns {
                if self.find(column)?.is_none() {
                    self.push_path(column.header().to_owned());
                }
            }
        }
        let places = self.columns.iter().filter_map(|found| Some((found.identifier.clone(), found.place.clone()?))).collect();
        let table = Arc::new(TextTable::new(file, places));
        session.context().register_table(self.table.as_str(), table).map_err(|error| self.damaged(error))?;
        Ok(())
    }

    /// Refuses a text file in a session that cannot read this crate's tables, as one of a cluster.
    pub(crate) async fn refuse_unshared(&self, session: &Session) -> Result<()> {
        if self.text.is_none() || session.options.context.is_none() {
            return Ok(());
        }
        match session.run(&format!("SELECT 1 AS one FROM {} LIMIT 1", self.table)).await {
            Ok(_) => Ok(()),
            Err(error) => match Carried::find(&error) {
                Some(own) => Err(own),
                None => Err(Error::NotShared { file: self.path.clone(), source: Box::new(error) }),
            },
        }
    }

    async fn register_parquet(&mut self, session: &Session, url: Url) -> Result<()> {
        let context = session.context();
        let url = ListingTableUrl::try_new(url, None).map_err(|error| self.damaged(error))?;
        let reader: Arc<dyn FileFormat> = Arc::new(ParquetFormat::default());
        // Beside the files of a folder lie manifests and marks of completion.
        let extension = if url.is_collection() { store::PARQUET } else { "" };
        let options = ListingOptions::new(reader).with_file_extension(extension);
        let schema = options.infer_schema(&context.state(), &url).await.map_err(|error| self.damaged(error))?;
        nested(schema.fields(), "", None, &mut self.columns);
        let config = ListingTableConfig::new(url).with_listing_options(options).with_schema(schema);
        let listing = ListingTable::try_new(config).map_err(|error| self.damaged(error))?;
        context.register_table(self.table.as_str(), Arc::new(listing)).map_err(|error| self.damaged(error))?;
        Ok(())
    }

    /// The identifier and type of a column, if the file has it, itself or as a key of another.
    ///
    /// # Errors
    /// [`Problem::Repeated`] if two headers name it.
    pub(crate) fn find(&self, column: &Column) -> Result<Option<(String, DataType)>> {
        for name in column.names() {
            let mut found = self.columns.iter().filter(|found| is_same(&found.header, name));
            let first = found.next();
            if let Some(second) = found.next() {
                let error = covermix::Error::from(Problem::Repeated).in_file(&self.path).in_field(second.header.clone());
                return Err(error.into());
            }
            if let Some(found) = first {
                return Ok(Some((found.identifier.clone(), found.data_type.clone())));
            }
        }
        let inside = column.inside.iter().find_map(|(outer, key)| {
            let outer = Column { headers: &[], inside: &[], name: outer, ..*column };
            let found = self.columns.iter().find(|found| outer.is_named(&found.header))?;
            Some((format!("json_get({}, '{key}')", found.identifier), DataType::Utf8))
        });
        Ok(inside)
    }

    /// The header and type of a column, if the file has it itself.
    pub(crate) fn located(&self, column: &Column) -> Option<(String, DataType)> {
        let found = column.names().find_map(|name| self.columns.iter().find(|found| is_same(&found.header, name)))?;
        Some((found.header.clone(), found.data_type.clone()))
    }

    /// Whether a header names a column.
    pub(crate) fn has(&self, header: &str) -> bool {
        self.columns.iter().any(|found| is_same(&found.header, header))
    }

    /// The SQL expression of a tag: a column of its own (`resourceTags/user:team`), or a key of the column that holds all tags.
    pub(crate) fn tag(&self, key: &str, holder: Option<&Column>) -> Result<String> {
        for prefix in ["resourceTags/user:", "resource_tags_user_", "resourceTags/aws:", "resourceTags/", "costCategory/"] {
            let header = format!("{prefix}{key}");
            if let Some(found) = self.columns.iter().find(|found| is_same(&found.header, &header)) {
                return Ok(format!("text_of({})", found.identifier));
            }
        }
        let holder = holder.map(|column| self.find(column)).transpose()?.flatten();
        Ok(holder.map_or_else(|| "''".to_owned(), |(identifier, _)| format!("json_get({identifier}, {})", super::quoted(key))))
    }

    /// The first headers and how many there are, for people.
    pub(crate) fn describe_headers(&self) -> String {
        let first: Vec<String> = self.columns.iter().take(8).map(|found| found.header.chars().take(60).collect()).collect();
        format!("{} column(s), beginning {}", self.columns.len(), first.join(", "))
    }

    /// Whether it is Parquet in an object store, whose parts have no order.
    pub(crate) fn is_remote_parquet(&self) -> bool {
        self.text.is_none() && store::remote(&self.path).is_ok_and(|url| url.is_some())
    }

    /// Whether it is a text file.
    pub(crate) fn is_text(&self) -> bool {
        self.text.is_some()
    }

    /// The error of a reader that could not read this file.
    pub(crate) fn damaged(&self, error: DataFusionError) -> Error {
        if let Some(own) = Carried::find(&error) {
            return own;
        }
        if self.is_remote_parquet() {
            return store::refusal(&self.path, &error).unwrap_or_else(|| Error::Store {
                location: self.path.display().to_string(),
                problem: format!("cannot be read as Parquet ({error})"),
                remedy: "write it to the store again",
            });
        }
        let format = self.text.as_ref().map_or("Parquet", TextFile::format);
        Error::Damaged { file: self.path.clone(), line: None, format, source: error.into() }
    }
}

/// The columns of a Parquet schema: fields of structures by path, lists and maps as JSON.
fn nested(fields: &Fields, prefix: &str, outer: Option<&str>, columns: &mut Vec<Found>) {
    for field in fields {
        let header = if prefix.is_empty() { field.name().clone() } else { format!("{prefix}.{}", field.name()) };
        let identifier = match outer {
            None => format!("\"{}\"", field.name().replace('"', "\"\"")),
            Some(outer) => format!("get_field({outer}, {})", super::quoted(field.name())),
        };
        push(field, &header, identifier, columns);
    }
}

fn push(field: &Field, header: &str, identifier: String, columns: &mut Vec<Found>) {
    let found = |identifier, data_type| Found { header: header.to_owned(), identifier, data_type, place: None };
    match field.data_type() {
        DataType::Struct(inner) => {
            columns.push(found(format!("json_text({identifier})"), DataType::Utf8));
            nested(inner, header, Some(&identifier), columns);
        }
        DataType::List(_) | DataType::LargeList(_) | DataType::Map(_, _) => {
            columns.push(found(format!("json_text({identifier})"), DataType::Utf8));
        }
        plain => columns.push(found(identifier, plain.clone())),
    }
}

/// The content of a file, from its first bytes. Errors name its path; it lies at `place`.
fn recognise(path: &Path, place: &Path) -> Result<Content> {
    let metadata = place.metadata().map_err(|error| Error::input_output(path, error))?;
    if !metadata.is_file() {
        return Err(covermix::Error::from(Problem::NotAFile).in_file(path).into());
    }
    let mut start = Vec::new();
    let mut file = File::open(place).map_err(|error| Error::input_output(path, error))?;
    file.by_ref().take(4096).read_to_end(&mut start).map_err(|error| Error::input_output(path, error))?;
    let refuse = |format, remedy| Err(Error::Format { file: path.to_owned(), format, remedy });
    match start.as_slice() {
        [] => Err(covermix::Error::from(Problem::Empty { what: "bill" }).in_file(path).into()),
        [b'P', b'A', b'R', b'1', ..] => {
            check_footer(path, &mut file, metadata.len())?;
            Ok(Content::Parquet)
        }
        [0x1f, 0x8b, ..] => {
            let mut unpacked = Vec::new();
            // A damaged packing is for the reader to report.
            let _ = MultiGzDecoder::new(start.as_slice()).take(1024).read_to_end(&mut unpacked);
            Ok(if is_json(&unpacked) { Content::Json { is_packed: true } } else { Content::Csv { is_packed: true } })
        }
        [b'P', b'K', 3, 4, ..] => refuse("a ZIP archive", "unpack it and give the CSV file inside"),
        [0x28, 0xb5, 0x2f, 0xfd, ..] | [b'B', b'Z', b'h', _, ..] | [0xfd, b'7', b'z', b'X', ..] => {
            refuse("packed with zstd, bzip2 or xz", "unpack it, or pack it with gzip")
        }
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => refuse("text in UTF-16", "save it as UTF-8"),
        start if is_json(start) => Ok(Content::Json { is_packed: false }),
        _ => Ok(Content::Csv { is_packed: false }),
    }
}

/// Refuses a Parquet file whose end does not say where its metadata begins; the engine would stop at a length that is beyond the file.
fn check_footer(path: &Path, file: &mut File, length: u64) -> Result<()> {
    let damaged = |source: &str| Error::Damaged { file: path.to_owned(), line: None, format: "Parquet", source: source.into() };
    if length < 12 {
        return Err(damaged("it has no footer"));
    }
    let failed = |error| Error::input_output(path, error);
    let mut end = [0u8; 8];
    file.seek(SeekFrom::End(-8)).map_err(failed)?;
    file.read_exact(&mut end).map_err(failed)?;
    let [a, b, c, d, magic @ ..] = end;
    if magic != *b"PAR1" {
        return Err(damaged("its end is missing"));
    }
    if u64::from(u32::from_le_bytes([a, b, c, d])) > length - 12 {
        return Err(damaged("its footer is longer than the file"));
    }
    Ok(())
}

/// Refuses a Parquet file with values so long that a page of them may not fit in memory.
fn check_values(path: &Path) -> Result<()> {
    let damaged = |source: Box<dyn std::error::Error + Send + Sync>| Error::Damaged {
        file: path.to_owned(),
        line: None,
        format: "Parquet",
        source,
    };
    let file = File::open(path).map_err(|error| Error::input_output(path, error))?;
    let metadata = ParquetMetaDataReader::new().parse_and_finish(&file).map_err(|error| damaged(error.into()))?;
    let mut before = 0;
    for group in metadata.row_groups() {
        let rows = u64::try_from(group.num_rows()).unwrap_or_default();
        let is_long = |bytes: i64| u64::try_from(bytes).unwrap_or_default() > RECORD_LIMIT.saturating_mul(rows.max(1));
        if let Some(column) = group.columns().iter().find(|column| is_long(column.uncompressed_size())) {
            let (name, mebibytes) = (column.column_path().string(), RECORD_LIMIT >> 20);
            let (first, last) = (before + 1, before + rows);
            return Err(damaged(format!("`{name}` has values of more than {mebibytes} MiB in rows {first} to {last}").into()));
        }
        before += rows;
    }
    Ok(())
}

fn is_json(start: &[u8]) -> bool {
    let start = start.strip_prefix(b"\xef\xbb\xbf").unwrap_or(start);
    matches!(start.iter().find(|byte| !byte.is_ascii_whitespace()), Some(b'{' | b'['))
}
