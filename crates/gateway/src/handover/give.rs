//! The predecessor's side.

use std::io::{self, Read};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::Duration;

use tokio::net::{UnixListener, UnixStream};

use super::message::{READY, send_all};
use super::sockets::Sockets;

/// How long a successor may take to start.
const START_LIMIT: Duration = Duration::from_mins(2);
/// Pause after a failure to take a caller.
const PAUSE: Duration = Duration::from_secs(1);

/// Opens the door and waits for a successor; resolves when one is ready to take over. A door that
/// cannot be opened is said, and nobody comes.
pub(crate) async fn offer(door: &Path, sockets: &Sockets) {
    let listener = match open(door) {
        Ok(listener) => listener,
        Err(error) => {
            tracing::warn!(
                %error,
                door = %door.display(),
                "listening sockets cannot be handed over to a successor: a restart will refuse \
                 connections for a moment; make `prefix` writable and its path shorter than 90 \
                 characters"
            );
            return std::future::pending().await;
        }
    };
    loop {
        match listener.accept().await {
            Ok((stream, _)) => match hand_over(stream, sockets).await {
                Ok(()) => return,
                Err(error) => {
                    tracing::warn!(%error, "a successor asked for the listening sockets and did not start");
                }
            },
            Err(error) => {
                tracing::warn!(%error, "a successor cannot be heard");
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
}

fn open(door: &Path) -> io::Result<UnixListener> {
    // What lies there is of a process that has gone, or of the predecessor, which needs it no more.
    match std::fs::remove_file(door) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let listener = UnixListener::bind(door)?;
    std::fs::set_permissions(door, std::fs::Permissions::from_mode(0o600))?;
    Ok(listener)
}

async fn hand_over(stream: UnixStream, sockets: &Sockets) -> io::Result<()> {
    let caller = stream.peer_cred()?;
    if caller.uid() != rustix::process::geteuid().as_raw() {
        return Err(io::ErrorKind::PermissionDenied.into());
    }
    let stream = stream.into_std()?;
    stream.set_nonblocking(false)?;
    stream.set_read_timeout(Some(START_LIMIT))?;
    stream.set_write_timeout(Some(START_LIMIT))?;
    let sockets = sockets.clone();
    let handed = tokio::task::spawn_blocking(move || {
        send_all(&stream, &sockets.copies()?)?;
        let mut word = [0; READY.len()];
        (&stream).read_exact(&mut word)?;
        if &word == READY {
            Ok(())
        } else {
            Err(io::ErrorKind::InvalidData.into())
        }
    });
    handed.await.map_err(io::Error::other)?
}
