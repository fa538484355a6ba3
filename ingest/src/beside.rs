//! Small tables that stand beside a bill (contracts, commitments, a price sheet): columns by name as in bills, every row kept.

use crate::columns::{Column, Need};
use crate::error::{Error, Result};
use crate::session::{Rows, Session, Source};

/// The rows of a file, with a column for each of those looked for.
///
/// # Errors
/// A required column is absent, a value is no number or time, or the file is damaged.
pub(crate) async fn read(session: &Session, source: &mut Source, columns: &[Column], format: &'static str) -> Result<Rows> {
    source.register(session, columns)?;
    source.refuse_unshared(session).await?;
    let (mut expressions, mut missing, mut checks) = (Vec::new(), Vec::new(), Vec::new());
    for column in columns {
        let found = source.find(column)?;
        if found.is_none() && matches!(column.need, Need::Required | Need::RequiredColumn) {
            missing.push(column.spellings());
        }
        let found = found.as_ref().map(|(identifier, data_type)| (identifier.as_str(), data_type));
        expressions.push(format!("{} AS {}", column.expression(found, source.style), column.name));
        let bad = found.and_then(|(identifier, data_type)| Some((identifier, column.bad(identifier, data_type, source.style)?)));
        if let Some((identifier, bad)) = bad {
            checks.push((column, format!("SELECT CAST({identifier} AS VARCHAR) AS value FROM {} WHERE {bad}", source.table)));
        }
    }
    if !missing.is_empty() {
        let (file, found) = (source.path.clone(), source.describe_headers());
        return Err(Error::MissingColumns { file, format, missing, found });
    }
    for (column, sql) in checks {
        let bad = session.run(&sql).await.map_err(|error| source.damaged(error))?;
        if bad.len() > 0 {
            return Err(Error::Value {
                file: source.path.clone(),
                field: column.header(),
                value: bad.text_at("value", 0),
                expected: column.kind.expected(),
                rows: bad.len() as u64,
                first: None,
            });
        }
    }
    let sql = format!("SELECT {} FROM {}", expressions.join(", "), source.table);
    session.run(&sql).await.map_err(|error| source.damaged(error))
}
