//! Waiting for the end.

use tokio::signal::unix::{SignalKind, signal};

/// Completes when the process is asked to end: SIGTERM, SIGINT (Ctrl-C) or SIGQUIT.
pub(crate) async fn end_requested() {
    let mut signals = Vec::new();
    for kind in [
        SignalKind::terminate(),
        SignalKind::interrupt(),
        SignalKind::quit(),
    ] {
        match signal(kind) {
            Ok(listening) => signals.push(listening),
            Err(error) => tracing::warn!(%error, "a signal cannot be listened to"),
        }
    }
    let Ok([mut terminate, mut interrupt, mut quit]) =
        <[tokio::signal::unix::Signal; 3]>::try_from(signals)
    else {
        return std::future::pending().await;
    };
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
        _ = quit.recv() => {}
    }
}
