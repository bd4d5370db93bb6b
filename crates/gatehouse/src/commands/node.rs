//! `gatehouse node`: the gateway.

use crate::cli::Node;
use crate::commands::{check, echo, open_files};
use crate::failure::Failure;
use crate::signals::End;
use crate::{logging, node};

/// Threads beside the data path: configuration, telemetry, status.
const CONTROL_THREADS: usize = 2;

pub(super) fn run(arguments: &Node) -> Result<(), Failure> {
    let (settings, notices) = check::load(arguments.conf.clone(), false)?;
    settings
        .check_runnable()
        .map_err(|errors| check::refused(&errors))?;
    let log = logging::start(settings.log_level);
    for notice in &notices {
        tracing::warn!("{notice}");
    }
    open_files::raise(settings.worker_rlimit_nofile);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(CONTROL_THREADS)
        .thread_name("control")
        .enable_all()
        .build()?;
    let ended = runtime.block_on(async {
        let mut end = End::listen()?;
        if let Some(port) = arguments.echo_port {
            tokio::spawn(async move {
                if let Err(error) = echo::serve(port).await {
                    tracing::warn!(%error, port, "the sample backend cannot listen");
                }
            });
        }
        gateway::node::run(
            settings,
            node::admin(log),
            async move { end.requested().await },
        )
        .await?;
        Ok(())
    });
    // What still waits, such as a name look-up, must not hold the end up.
    runtime.shutdown_background();
    ended
}
