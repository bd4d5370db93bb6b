//! What the plugins about language models share: reading requests, errors, texts of a chat, models
//! and the forms of their providers.

mod answer;
mod ask;
mod body;
mod request;
mod stream;
mod target;
#[cfg(test)]
mod tests;

pub(crate) use answer::{Said, Usage, piece, read as read_answer, whole};
pub(crate) use ask::Rewriter;
pub(crate) use body::{Dialect, error, read, texts, write};
pub(crate) use request::{convert, tune};
pub(crate) use stream::Pending;
pub(crate) use target::{Kind, Provider, Shape, Target};
