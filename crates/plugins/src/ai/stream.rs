//! Streams of a provider, taken apart into their events.

use serde_json::Value;

use super::target::Shape;

/// Largest event, in bytes; a stream with a larger one ends.
const EVENT_MAX: usize = 1024 * 1024;

/// Bytes in front of and behind the parts of a message of AWS.
const PRELUDE: usize = 12;
const CHECKSUM: usize = 4;

/// What has come of a stream and is no whole event yet.
#[derive(Debug, Default)]
pub(crate) struct Pending {
    bytes: Vec<u8>,
    is_broken: bool,
}

impl Pending {
    /// Adds bytes; gives the events that are whole now.
    pub(crate) fn push(&mut self, shape: Shape, bytes: &[u8], is_last: bool) -> Vec<Value> {
        if self.is_broken {
            return Vec::new();
        }
        self.bytes.extend_from_slice(bytes);
        let mut events = match shape {
            Shape::Bedrock => self.messages(),
            _ => self.lines(),
        };
        if is_last && shape != Shape::Bedrock {
            let rest = std::mem::take(&mut self.bytes);
            events.extend(event(&rest));
        }
        if self.bytes.len() > EVENT_MAX {
            self.is_broken = true;
            self.bytes = Vec::new();
        }
        events
    }

    /// Events on lines: `data: {…}`, or an object on each line.
    fn lines(&mut self) -> Vec<Value> {
        let Some(end) = self.bytes.iter().rposition(|byte| *byte == b'\n') else {
            return Vec::new();
        };
        let rest = self.bytes.split_off(end + 1);
        let whole = std::mem::replace(&mut self.bytes, rest);
        whole
            .split(|byte| *byte == b'\n')
            .filter_map(event)
            .collect()
    }

    /// Messages of AWS: a length, the length of headers, headers, a payload.
    fn messages(&mut self) -> Vec<Value> {
        let mut events = Vec::new();
        while let Some((whole, headers)) = self.lengths() {
            let least = PRELUDE + CHECKSUM;
            if whole < least || headers > whole - least || whole > EVENT_MAX {
                self.is_broken = true;
                self.bytes = Vec::new();
                break;
            }
            if self.bytes.len() < whole {
                break;
            }
            let rest = self.bytes.split_off(whole);
            let message = std::mem::replace(&mut self.bytes, rest);
            let payload = &message[PRELUDE + headers..whole - CHECKSUM];
            events.extend(serde_json::from_slice(payload).ok());
        }
        events
    }

    fn lengths(&self) -> Option<(usize, usize)> {
        let number = |at: usize| -> Option<usize> {
            let four: [u8; 4] = self.bytes.get(at..at + 4)?.try_into().ok()?;
            usize::try_from(u32::from_be_bytes(four)).ok()
        };
        Some((number(0)?, number(4)?))
    }
}

fn event(line: &[u8]) -> Option<Value> {
    let line = line.trim_ascii();
    let data = line.strip_prefix(b"data:").unwrap_or(line);
    serde_json::from_slice(data.trim_ascii()).ok()
}
