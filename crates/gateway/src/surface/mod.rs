//! What the node's own HTTP surfaces (status API, Admin API) share: listening, the headers of
//! every answer, verbs of a path, bodies of errors.
//!
//! Nothing here is on the data path: these listeners run on a runtime of their own.

mod answer;
mod serve;

pub(crate) use answer::{Answer, message};
pub use serve::{AnswerBody, Handler, HandlerFuture, ServeError};
pub(crate) use serve::{Call, Paths, Server, Shown, Surface};
