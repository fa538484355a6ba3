//! `covermix-service CATALOG [ADDRESS]`: plans over the prices in CATALOG, on ADDRESS (127.0.0.1:8080), until Ctrl-C.

#![allow(clippy::print_stderr, reason = "a program says where it listens, and what is wrong")]

use covermix::catalog::Catalog;
use covermix_service::{Limits, router};
use std::error::Error;
use std::process::ExitCode;

#[tokio::main]
async fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (catalog, address) = match arguments.as_slice() {
        [catalog] if !catalog.starts_with('-') => (catalog, "127.0.0.1:8080"),
        [catalog, address] => (catalog, address.as_str()),
        _ => {
            eprintln!("usage: covermix-service CATALOG [ADDRESS]");
            return ExitCode::from(2);
        }
    };
    match serve(catalog, address).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::from(2)
        }
    }
}

async fn serve(catalog: &str, address: &str) -> Result<(), Box<dyn Error>> {
    let catalog = Catalog::read(catalog)?;
    let listener = tokio::net::TcpListener::bind(address).await?;
    eprintln!("{} offers; listening on http://{}", catalog.offers().len(), listener.local_addr()?);
    let until = async { tokio::signal::ctrl_c().await.unwrap_or_default() };
    axum::serve(listener, router(catalog, Limits::default())).with_graceful_shutdown(until).await?;
    Ok(())
}
