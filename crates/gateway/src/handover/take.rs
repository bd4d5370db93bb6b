//! The successor's side.

use std::io::{self, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

use super::message::{READY, receive_all};
use super::sockets::Sockets;

/// How long the predecessor may take to answer.
const ANSWER_LIMIT: Duration = Duration::from_secs(10);

/// A node that runs with the same prefix.
#[derive(Debug)]
pub(crate) struct Predecessor(UnixStream);

impl Predecessor {
    /// Tells it that it may take nothing new.
    pub(crate) fn release(mut self) {
        if let Err(error) = self.0.write_all(READY) {
            tracing::warn!(%error, "the predecessor was not told that it may end");
        }
    }
}

/// Asks a running node of the same prefix for its sockets. Without one there are none.
pub(crate) async fn take(door: &Path) -> (Sockets, Option<Predecessor>) {
    let at = door.to_owned();
    let asked = tokio::task::spawn_blocking(move || ask(&at)).await;
    match asked.unwrap_or_else(|error| Err(io::Error::other(error))) {
        Ok((sockets, stream)) => (sockets, Some(Predecessor(stream))),
        Err(error) => {
            let is_usual = matches!(
                error.kind(),
                io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused
            );
            if !is_usual {
                tracing::warn!(
                    %error,
                    door = %door.display(),
                    "a running node with the same `prefix` did not hand its listening sockets over"
                );
            }
            (Sockets::default(), None)
        }
    }
}

fn ask(door: &Path) -> io::Result<(Sockets, UnixStream)> {
    let stream = UnixStream::connect(door)?;
    stream.set_read_timeout(Some(ANSWER_LIMIT))?;
    let held = receive_all(&stream)?;
    tracing::info!(
        sockets = held.len(),
        "taking over from a running node with the same `prefix`"
    );
    Ok((Sockets::inherit(held), stream))
}
