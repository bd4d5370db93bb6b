//! Shares of counters that nodes draw from the control plane over their link (`/v1/outlet`).
//!
//! Plain JSON in both directions, where a configuration is gzip. Only between nodes and control
//! planes of this program: a control plane says with its first such message, without grants, that
//! it counts, and to nobody else; a node asks nobody who did not say so.

use serde::{Deserialize, Serialize};

use crate::error::WireError;

/// Limit: counters in one message.
pub const MAX_DRAWS: usize = 64;

/// Limit: bytes of a counter's name.
pub const MAX_COUNTER_NAME: usize = 256;

/// A counter of which a node wants a share.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Draw {
    /// Name of the counter, with the window that it is for.
    pub key: String,
    /// What all nodes together may let pass.
    pub limit: u64,
    /// What the node has of it that these counters do not know: what it let pass while nobody
    /// answered, and what others granted before.
    pub spent: u64,
    /// Unix second from which the counter may be forgotten.
    pub until: u64,
}

/// A node asks for shares.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DrawRequest {
    /// Tells answers apart.
    pub number: u64,
    /// Of whose counters it speaks, as [`DrawAnswer::epoch`] said.
    pub epoch: u64,
    /// At most [`MAX_DRAWS`].
    pub draws: Vec<Draw>,
}

/// A share.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grant {
    /// What the node may let pass.
    pub grant: u64,
    /// What is left for everybody after that.
    pub left: u64,
}

/// The answer of a control plane.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DrawAnswer {
    /// Of the request; 0 where nobody asked.
    pub number: u64,
    /// Whose counters these are: another number means that they began anew.
    pub epoch: u64,
    /// Nodes that are connected, the asking one included.
    pub nodes: u32,
    /// In the order of the request; empty if it speaks of other counters, or nothing can be
    /// counted.
    pub grants: Vec<Grant>,
}

#[derive(Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Message {
    Draw(DrawRequest),
    Drawn(DrawAnswer),
}

fn encode(message: &Message) -> Result<Vec<u8>, WireError> {
    serde_json::to_vec(message).map_err(|error| WireError::Encode(error.to_string()))
}

/// Writes a request.
///
/// # Errors
///
/// [`WireError::Encode`].
pub fn encode_draw(request: DrawRequest) -> Result<Vec<u8>, WireError> {
    encode(&Message::Draw(request))
}

/// Writes an answer.
///
/// # Errors
///
/// [`WireError::Encode`].
pub fn encode_drawn(answer: DrawAnswer) -> Result<Vec<u8>, WireError> {
    encode(&Message::Drawn(answer))
}

/// Reads a request; nothing if it is none, or one beyond the limits.
#[must_use]
pub fn decode_draw(payload: &[u8]) -> Option<DrawRequest> {
    let Ok(Message::Draw(request)) = serde_json::from_slice(payload) else {
        return None;
    };
    let is_short = |draw: &Draw| draw.key.len() <= MAX_COUNTER_NAME;
    let fits = request.draws.len() <= MAX_DRAWS && request.draws.iter().all(is_short);
    fits.then_some(request)
}

/// Reads an answer; nothing if it is none. A configuration never is one.
#[must_use]
pub fn decode_drawn(payload: &[u8]) -> Option<DrawAnswer> {
    if !payload.starts_with(b"{") {
        return None;
    }
    match serde_json::from_slice(payload) {
        Ok(Message::Drawn(answer)) => Some(answer),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_and_answers_come_back_as_they_went() {
        let draw = Draw {
            key: "k".to_owned(),
            limit: 10,
            spent: 1,
            until: 99,
        };
        let request = DrawRequest {
            number: 3,
            epoch: 7,
            draws: vec![draw.clone()],
        };
        let sent = encode_draw(request.clone()).unwrap();
        assert_eq!(decode_draw(&sent), Some(request));
        assert_eq!(decode_drawn(&sent), None);
        let answer = DrawAnswer {
            number: 3,
            epoch: 7,
            nodes: 2,
            grants: vec![Grant { grant: 1, left: 8 }],
        };
        let sent = encode_drawn(answer.clone()).unwrap();
        assert_eq!(decode_drawn(&sent), Some(answer));
        assert_eq!(decode_draw(&sent), None);
        assert_eq!(decode_drawn(b"\x1f\x8b"), None);
        let too_many = DrawRequest {
            number: 3,
            epoch: 7,
            draws: vec![draw; MAX_DRAWS + 1],
        };
        assert_eq!(decode_draw(&encode_draw(too_many).unwrap()), None);
    }
}
