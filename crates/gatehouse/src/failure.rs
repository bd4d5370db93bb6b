//! Why a command failed, for a person.

use std::fmt;

/// Messages that end a command with code 1. Each carries what is at fault and the next step.
#[derive(Debug)]
pub(crate) struct Failure {
    messages: Vec<String>,
}

impl Failure {
    pub(crate) fn new(message: impl fmt::Display) -> Self {
        Self {
            messages: vec![message.to_string()],
        }
    }

    /// Several faults at once, all of them shown.
    pub(crate) fn all<T: fmt::Display>(faults: &[T]) -> Self {
        Self {
            messages: faults.iter().map(ToString::to_string).collect(),
        }
    }

    /// Puts a sentence before the messages.
    pub(crate) fn under(mut self, title: &str) -> Self {
        self.messages.insert(0, title.to_owned());
        self
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut messages = self.messages.iter();
        if let Some(first) = messages.next() {
            write!(out, "error: {first}")?;
        }
        for message in messages {
            write!(out, "\n  {message}")?;
        }
        Ok(())
    }
}

/// For `?` on errors of the rooms below.
impl<E: std::error::Error> From<E> for Failure {
    fn from(error: E) -> Self {
        let mut message = error.to_string();
        let mut source = error.source();
        while let Some(inner) = source {
            let text = inner.to_string();
            // Many errors already repeat their source.
            if !message.contains(&text) {
                message.push_str(": ");
                message.push_str(&text);
            }
            source = inner.source();
        }
        Self {
            messages: vec![message],
        }
    }
}
