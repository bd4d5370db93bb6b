//! The gateway's own HTTP/1.1 codec: heads parsed once into ranges of the read buffer, strict
//! framing (RFC 9112 section 6), bodies decoded in place.
//!
//! It knows bytes only. It deliberately does no I/O, holds no header map, and decides nothing
//! about routing or forwarding.

mod body;
mod chunked;
mod common;
mod error;
mod framing;
mod known;
mod line;
mod request;
mod response;
mod scan;
#[cfg(test)]
mod tests;
mod token;

pub(crate) use body::{BodyDecoder, chunk_header};
pub(crate) use error::{BodyError, HeadError};
pub(crate) use framing::Framing;
pub(crate) use known::{Known, is_lower_case_of};
pub(crate) use line::{as_received, copy_lines};
pub(crate) use request::{HeadLimits, RequestHead};
pub(crate) use response::ResponseHead;
pub(crate) use token::{eq_ignore_case, has_list_token, list_tokens, trim};
