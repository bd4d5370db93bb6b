//! The access log: combined format with the request id, written by one thread, buffered per core.
//!
//! A core hands over full buffers, or what it has once a second; a writer that is behind makes lines
//! drop, counted, never wait.

use std::cell::RefCell;
use std::io::Write;
use std::path::Path;
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};

/// Size at which a core hands its lines over.
const FLUSH_AT: usize = 32 * 1024;
/// Buffers that may wait for the writer.
const QUEUE: usize = 64;

/// Where the lines of a core go; off without a writer.
#[derive(Debug, Default)]
pub(crate) struct AccessLog {
    lines: RefCell<Vec<u8>>,
    writer: Option<SyncSender<Vec<u8>>>,
}

/// The end of the log that all cores write to.
#[derive(Clone, Debug)]
pub(crate) struct AccessLogWriter(SyncSender<Vec<u8>>);

impl AccessLogWriter {
    /// Opens the file and starts the writer.
    pub(crate) fn open(path: &Path) -> std::io::Result<Self> {
        let file = std::fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(path)?;
        let (sender, receiver) = sync_channel(QUEUE);
        std::thread::Builder::new()
            .name("access-log".to_owned())
            .spawn(move || write_all(file, &receiver))?;
        Ok(Self(sender))
    }

    /// The end for one core.
    pub(crate) fn core(&self) -> AccessLog {
        AccessLog {
            lines: RefCell::default(),
            writer: Some(self.0.clone()),
        }
    }
}

fn write_all(mut file: std::fs::File, receiver: &Receiver<Vec<u8>>) {
    while let Ok(lines) = receiver.recv() {
        // A full disk must not stop the node; the next lines try again.
        let _ = file.write_all(&lines);
    }
}

impl AccessLog {
    /// Whether lines are kept at all.
    pub(crate) fn is_on(&self) -> bool {
        self.writer.is_some()
    }

    /// Adds a line that `write` renders; returns how many bytes had to be dropped.
    pub(crate) fn line(&self, write: impl FnOnce(&mut Vec<u8>)) -> usize {
        let mut lines = self.lines.borrow_mut();
        write(&mut lines);
        if lines.len() < FLUSH_AT {
            return 0;
        }
        drop(lines);
        self.flush()
    }

    /// Hands the lines to the writer; returns how many bytes had to be dropped.
    pub(crate) fn flush(&self) -> usize {
        let mut lines = self.lines.borrow_mut();
        let Some(writer) = self.writer.as_ref().filter(|_| !lines.is_empty()) else {
            return 0;
        };
        match writer.try_send(std::mem::take(&mut lines)) {
            Ok(()) => 0,
            Err(TrySendError::Full(lost) | TrySendError::Disconnected(lost)) => lost.len(),
        }
    }
}

impl Drop for AccessLog {
    fn drop(&mut self) {
        self.flush();
    }
}
