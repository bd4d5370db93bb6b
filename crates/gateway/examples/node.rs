//! A node on its own, configured by `KONG_*` variables: for measurements.
use std::error::Error;

fn main() -> Result<(), Box<dyn Error>> {
    let options = conf::LoadOptions {
        environment: std::env::vars().collect(),
        ..conf::LoadOptions::default()
    };
    let (settings, _) = conf::Settings::load(&options).map_err(|e| format!("{e:?}"))?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()?;
    runtime.block_on(gatehouse_gateway::node::run(settings, async {
        let _ = tokio::signal::ctrl_c().await;
    }))?;
    Ok(())
}
