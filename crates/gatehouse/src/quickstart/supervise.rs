//! Keeping the node alive until the end is asked for.

use std::time::Duration;

use tokio::time::Instant;

use super::process::{Plan, Process};
use crate::output;

/// How often the node is looked at.
const LOOK: Duration = Duration::from_millis(200);
/// First wait before a node that died is started again; doubled up to [`WAIT_MAX`].
const WAIT_MIN: Duration = Duration::from_millis(200);
/// Longest wait between two starts.
const WAIT_MAX: Duration = Duration::from_secs(30);
/// A node that ran this long starts the waits anew.
const STEADY: Duration = Duration::from_secs(60);

/// Starts the node again whenever it dies; returns it when `end` completes.
pub(super) async fn supervise(
    mut process: Process,
    plan: &Plan,
    end: impl Future<Output = ()>,
) -> Process {
    let mut end = std::pin::pin!(end);
    let (mut wait, mut started) = (WAIT_MIN, Instant::now());
    loop {
        tokio::select! {
            () = &mut end => return process,
            () = tokio::time::sleep(LOOK) => {}
        }
        if process.is_running() {
            continue;
        }
        if started.elapsed() > STEADY {
            wait = WAIT_MIN;
        }
        output::tell(&format!(
            "the node has ended; it is started again in {} ms (its log is {})",
            wait.as_millis(),
            plan.layout.node_log().display()
        ));
        tokio::select! {
            () = &mut end => return process,
            () = tokio::time::sleep(wait) => {}
        }
        wait = (wait * 2).min(WAIT_MAX);
        started = Instant::now();
        match Process::start(plan) {
            Ok(again) => process = again,
            Err(failure) => output::tell(&failure.to_string()),
        }
    }
}
