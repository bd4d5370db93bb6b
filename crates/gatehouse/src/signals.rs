//! Waiting for the end.

use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::failure::Failure;

/// The signals that ask for the end: SIGTERM, SIGINT (Ctrl-C) and SIGQUIT. From
/// [`End::listen`] on none of them ends the process by itself.
pub(crate) struct End {
    terminate: Signal,
    interrupt: Signal,
    quit: Signal,
}

impl End {
    /// Begins to listen.
    pub(crate) fn listen() -> Result<Self, Failure> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            quit: signal(SignalKind::quit())?,
        })
    }

    /// Completes when one of them arrives, or arrived since the last call.
    pub(crate) async fn requested(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
            _ = self.quit.recv() => {}
        }
    }
}
