//! Appending records to files, on a thread of its own.

use std::collections::HashMap;
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::sync::Arc;

use crate::outbox::{Courier, Entry, Policy};

/// Most files that are kept open.
const OPEN_MAX: usize = 64;

/// A record on its way to a file.
#[derive(Debug)]
pub(super) struct Line {
    pub(super) path: Arc<str>,
    /// Whether the file is opened anew.
    pub(super) reopen: bool,
    /// The record with its end.
    pub(super) bytes: Vec<u8>,
}

impl Entry for Line {
    fn bytes(&self) -> usize {
        self.bytes.len()
    }
}

/// The thread that writes the files of all instances of a node, so that two instances can share a
/// file.
#[derive(Debug)]
pub(super) struct Writer(Courier<Line>);

impl Default for Writer {
    fn default() -> Self {
        let mut files = Files::default();
        let deliver = Box::new(move |lines: &[Line]| {
            let outcomes = lines.iter().map(|line| files.append(line));
            outcomes.fold(Ok(()), Result::and)
        });
        Self(Courier::new("file-log".to_owned(), Policy::SIMPLE, deliver))
    }
}

impl Writer {
    /// Has a record written.
    pub(super) fn write(&self, line: Line) {
        self.0.send(line);
    }
}

#[derive(Default)]
struct Files {
    open: HashMap<Arc<str>, File>,
}

impl Files {
    fn append(&mut self, line: &Line) -> Result<(), String> {
        let fault = |error: std::io::Error| format!("`{}`: {error}", line.path);
        if line.reopen {
            self.open.remove(&line.path);
        }
        if self.open.len() >= OPEN_MAX && !self.open.contains_key(&line.path) {
            self.open.clear();
        }
        let file = match self.open.entry(Arc::clone(&line.path)) {
            std::collections::hash_map::Entry::Occupied(file) => file.into_mut(),
            std::collections::hash_map::Entry::Vacant(place) => {
                place.insert(open(&line.path).map_err(fault)?)
            }
        };
        // One call, so that records of several processes do not mix.
        let written = file.write_all(&line.bytes);
        if written.is_err() {
            self.open.remove(&line.path);
        }
        written.map_err(fault)
    }
}

/// Compat: the file is made readable for everybody and writable for the group.
fn open(path: &str) -> std::io::Result<File> {
    let mut options = OpenOptions::new();
    options.append(true).create(true).mode(0o664).open(path)
}
