//! Bills on a cluster. The queries of this crate are ordinary plans of the engine: a session of a cluster ([`Options::context`]) sends them to its
//! scheduler. What the scheduler and the executors must know besides are the functions that the queries use, and where to read the files.
//!
//! With Ballista (of the engine's version), the scheduler's sessions and the executors' function registry are made of a state that has
//! [`functions`], and the executors' runtime has [`object_stores`]; `ingest/cluster/tests` starts such a cluster. The files must be
//! Parquet, at a path or address that means the same everywhere. Text is read by a table of this crate's own, which cannot be sent: it is
//! refused with [`Error::NotShared`].
//!
//! [`Options::context`]: crate::Options::context
//! [`Error::NotShared`]: crate::Error::NotShared

use crate::store::EnvironmentStores;
use datafusion::execution::object_store::ObjectStoreRegistry;
use datafusion::logical_expr::ScalarUDF;
use std::sync::Arc;

/// The functions that the queries use beside the engine's own. Each is known by its name alone.
#[must_use]
pub fn functions() -> Vec<Arc<ScalarUDF>> {
    crate::functions::all().collect()
}

/// A registry that opens object stores when they are first needed, with the credentials of the environment, for each store whose feature is on.
#[must_use]
pub fn object_stores() -> Arc<dyn ObjectStoreRegistry> {
    Arc::new(EnvironmentStores::default())
}
