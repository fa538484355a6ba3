//! Files as SQL tables: Parquet, CSV and JSON (plain or gzip) are recognised by their first bytes, a CSV file's separator by its header. Every
//! column of a text file is read as text, under an identifier of its own, so that no type is guessed and no header clashes; nested
//! columns of Parquet are reached by paths.

mod rows;
mod source;

pub(crate) use rows::{Rows, count, decimal, exact, float, instant};
pub(crate) use source::Source;

use crate::error::{Carried, Error, Result};
use crate::functions;
use crate::options::{Meter, Options};
use datafusion::arrow::array::{Array, AsArray, RecordBatch};
use datafusion::arrow::compute::{cast, concat_batches};
use datafusion::arrow::datatypes::{DataType, SchemaRef};
use datafusion::catalog::MemoryCatalogProviderList;
use datafusion::error::DataFusionError;
use datafusion::execution::SessionStateBuilder;
use datafusion::execution::memory_pool::FairSpillPool;
use datafusion::execution::runtime_env::RuntimeEnvBuilder;
use datafusion::prelude::{SessionConfig, SessionContext};
use std::future::Future;
use std::path::PathBuf;
use std::sync::Arc;

/// Runs a future to its end on threads of its own, also from within another runtime.
///
/// # Errors
/// Those of the future; [`Error::Stopped`] if the engine panics, which damaged files can make it do.
pub(crate) fn block_on<T: Send>(paths: &[PathBuf], future: impl Future<Output = Result<T>> + Send) -> Result<T> {
    // The runtime must be dropped on that thread too: within another runtime it may not.
    let run = || tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(future);
    std::thread::scope(|scope| scope.spawn(run).join()).unwrap_or_else(|_| Err(Error::Stopped { paths: paths.to_vec() }))
}

/// The tables of a bill's files.
#[derive(Clone)]
pub(crate) struct Session {
    context: SessionContext,
    paths: Vec<PathBuf>,
    pub(crate) meter: Meter,
    pub(crate) options: Options,
}

impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Session").field("paths", &self.paths).finish_non_exhaustive()
    }
}

impl Session {
    /// Opens files; [`Session::register`] makes them tables.
    pub(crate) async fn open(paths: &[PathBuf], options: &Options) -> Result<(Self, Vec<Source>)> {
        let context = match &options.context {
            Some(context) => own(context),
            None => context(options)?,
        };
        functions::register(&context);
        let mut files = Vec::with_capacity(paths.len());
        for path in paths {
            files.extend(crate::store::files(&context, path).await?);
        }
        let session = Self { context, paths: files, meter: Meter::new(options), options: options.clone() };
        let mut sources = Vec::with_capacity(session.paths.len());
        for (index, path) in session.paths.iter().enumerate() {
            sources.push(Source::open(&session, path, index).await?);
        }
        Ok((session, sources))
    }

    /// The engine.
    pub(crate) fn context(&self) -> &SessionContext {
        &self.context
    }

    /// Runs a query over all files.
    pub(crate) async fn query(&self, sql: &str) -> Result<Rows> {
        self.engine(self.run(sql).await)
    }

    /// The answer of the engine, or its error as one of this crate.
    pub(crate) fn engine<T>(&self, answer: Result<T, DataFusionError>) -> Result<T> {
        answer.map_err(|error| match Carried::find(&error) {
            Some(own) => own,
            None => self
                .paths
                .iter()
                .find_map(|path| crate::store::refusal(path, &error))
                .unwrap_or_else(|| Error::Query { paths: self.paths.clone(), source: Box::new(error) }),
        })
    }

    /// Runs a query, with the engine's own error.
    pub(crate) async fn run(&self, sql: &str) -> Result<Rows, DataFusionError> {
        tracing::debug!(sql, "query");
        let frame = self.context.sql(sql).await?;
        let schema: SchemaRef = Arc::new(frame.schema().as_arrow().clone());
        let batches = frame.collect().await?;
        Ok(Rows::new(concat_batches(batches.first().map_or(&schema, RecordBatch::schema_ref), &batches)?))
    }

    /// The first row of a file, from 1, for which a condition holds; `None` where rows have no order.
    pub(crate) async fn first_row(&self, source: &Source, condition: &str) -> Result<Option<u64>, DataFusionError> {
        if self.options.context.is_some() || source.is_remote_parquet() {
            return Ok(None);
        }
        // One thread reads in order.
        let mut state = self.context.state();
        state.config_mut().options_mut().execution.target_partitions = 1;
        let frame =
            SessionContext::new_with_state(state).sql(&format!("SELECT {condition} AS holds FROM {}", source.table)).await?;
        let mut stream = frame.execute_stream().await?;
        let mut before = 0;
        while let Some(batch) = std::future::poll_fn(|context| stream.as_mut().poll_next(context)).await {
            let holds = cast(batch?.column(0), &DataType::Boolean)?;
            let holds = holds.as_boolean();
            if let Some(row) = (0..holds.len()).find(|row| !holds.is_null(*row) && holds.value(*row)) {
                return Ok(Some(before + row as u64 + 1));
            }
            before += holds.len() as u64;
        }
        Ok(None)
    }

    /// The files.
    pub(crate) fn paths(&self) -> &[PathBuf] {
        &self.paths
    }

    /// The file of a number in a column `file`.
    pub(crate) fn path(&self, index: u64) -> PathBuf {
        usize::try_from(index).ok().and_then(|index| self.paths.get(index).cloned()).unwrap_or_default()
    }
}

/// A session with bounded memory, which goes to disk for more.
fn context(options: &Options) -> Result<SessionContext> {
    let failed = |error: DataFusionError| Error::Runtime(std::io::Error::other(error));
    let pool = Arc::new(FairSpillPool::new(options.memory_limit));
    let runtime = RuntimeEnvBuilder::new().with_memory_pool(pool).build_arc().map_err(failed)?;
    Ok(SessionContext::new_with_config_rt(SessionConfig::new(), runtime))
}

/// A session like the one given, with a catalog of its own: bills read in one session must not meet in its tables.
fn own(context: &SessionContext) -> SessionContext {
    let state = context.state();
    let config = state.config().clone().with_create_default_catalog_and_schema(true);
    let catalogs = Arc::new(MemoryCatalogProviderList::new());
    let own = SessionStateBuilder::new_from_existing(state).with_config(config).with_catalog_list(catalogs).build();
    SessionContext::new_with_state(own)
}

/// A text as SQL writes it.
pub(crate) fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}
