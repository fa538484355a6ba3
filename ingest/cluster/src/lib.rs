//! A Ballista cluster in one process, for bills to be read on: a scheduler and executors on the loopback address. It shows all that a
//! cluster must know to run the queries of [`covermix_ingest`]: its functions, and where stores of files are ([`state`]).

use ballista::prelude::SessionContextExt;
use ballista_core::extension::SessionConfigExt;
use ballista_core::serde::protobuf::scheduler_grpc_client::SchedulerGrpcClient;
use ballista_core::utils::{GrpcClientConfig, create_grpc_client_endpoint};
use ballista_executor::new_standalone_executor_from_state;
use ballista_scheduler::standalone::new_standalone_scheduler_from_state;
use covermix_ingest::cluster::{functions, object_stores};
use datafusion::error::{DataFusionError, Result};
use datafusion::execution::runtime_env::RuntimeEnvBuilder;
use datafusion::execution::{SessionState, SessionStateBuilder};
use datafusion::prelude::{SessionConfig, SessionContext};
use std::net::Ipv4Addr;
use std::sync::Arc;

/// What client, scheduler and executors have in common.
///
/// # Errors
/// None that a user can cause.
pub fn state() -> Result<SessionState> {
    let runtime = RuntimeEnvBuilder::new().with_object_store_registry(object_stores()).build_arc()?;
    // With the adaptive planner of ballista 55.0.0 the scheduler loses tasks of a stage whose operators report unequal numbers of metrics, and the
    // query never ends.
    let config = SessionConfig::new_with_ballista().with_target_partitions(4).with_ballista_adaptive_query_planner(false);
    let builder = SessionStateBuilder::new().with_config(config).with_runtime_env(runtime).with_default_features();
    let context = SessionContext::new_with_state(builder.build());
    for function in functions() {
        context.register_udf(Arc::unwrap_or_clone(function));
    }
    Ok(context.state())
}

/// Starts a scheduler and executors; the session sends what it is asked to them. They run as long as the runtime they were started in.
///
/// # Errors
/// A port cannot be opened, or the scheduler not be reached.
pub async fn start(executors: usize) -> Result<SessionContext> {
    let failed = |error: &dyn std::fmt::Display| DataFusionError::Configuration(error.to_string());
    let state = state()?;
    let scheduler = new_standalone_scheduler_from_state(&state).await.map_err(|error| failed(&error))?;
    let url = format!("http://{}:{}", Ipv4Addr::LOCALHOST, scheduler.port());
    for _ in 0..executors {
        let endpoint =
            create_grpc_client_endpoint(url.clone(), Some(&GrpcClientConfig::default())).map_err(|error| failed(&error))?;
        let channel = endpoint.connect().await.map_err(|error| failed(&error))?;
        new_standalone_executor_from_state(SchedulerGrpcClient::new(channel), 2, &state).await.map_err(|error| failed(&error))?;
    }
    SessionContext::remote_with_state(&url.replace("http://", "df://"), state).await
}
