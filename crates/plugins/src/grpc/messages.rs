//! The messages of an answer as JSON, while its body comes in pieces.

use super::{Frames, MessageDescriptor, decode};

/// Reads the messages of an answer.
#[derive(Debug)]
pub(crate) struct Messages {
    kind: MessageDescriptor,
    /// The field that is wanted; empty for the whole message.
    member: String,
    frames: Frames,
    is_broken: bool,
}

impl Messages {
    /// Reads messages of a kind; `member` names the one of its fields that is wanted, if not all.
    pub(crate) fn new(kind: MessageDescriptor, member: &str) -> Self {
        Self {
            kind,
            member: member.to_owned(),
            frames: Frames::default(),
            is_broken: false,
        }
    }

    /// Those that are whole with this piece, each as JSON; none once one made no sense.
    pub(crate) fn take(&mut self, piece: &[u8]) -> Vec<Vec<u8>> {
        let mut all = Vec::new();
        if self.is_broken {
            return all;
        }
        self.frames.push(piece);
        loop {
            let json = match self.frames.next() {
                Ok(Some(message)) => decode(&self.kind, &message, &self.member),
                Ok(None) => return all,
                Err(reason) => Err(reason.to_owned()),
            };
            match json {
                Ok(json) => all.push(json),
                Err(error) => {
                    tracing::debug!(error, "an answer of gRPC cannot be read");
                    self.is_broken = true;
                    return all;
                }
            }
        }
    }

    /// Whether one made no sense.
    pub(crate) const fn is_broken(&self) -> bool {
        self.is_broken
    }
}
