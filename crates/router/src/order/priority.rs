//! The order of the flavor `traditional_compatible`: a computed number, the greatest wins.

/// The facts about a route that its priority is computed from.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Weights {
    /// How many of the seven match attributes the route uses.
    pub(crate) attributes: u32,
    /// It names hosts, and none has a wildcard.
    pub(crate) has_plain_hosts: bool,
    /// How many header fields it names.
    pub(crate) headers: u32,
    /// The `regex_priority` when the paths are regular expressions.
    pub(crate) regex_priority: Option<i64>,
    /// Length of the longest plain path in bytes.
    pub(crate) prefix_length: u32,
}

const PLAIN_HOST: u64 = 1 << 60;
const REGEX_PATH: u64 = 1 << 51;
/// What a negative 32-bit number becomes when the reference's runtime makes it an unsigned 64-bit one.
const OVERFLOWN: u64 = 1 << 63;

/// The priority that the reference computes.
///
/// `Compat:` its layout is meant to be 64 bits wide, but the shifts of the attribute count (61), the header
/// count (52) and `regex_priority` (19) run on 32-bit numbers with the distance taken modulo 32; only the two
/// constants are 64 bits wide. A part that comes out negative (four or more attributes, a `regex_priority`
/// below 0 or from 4096) turns into the topmost bit alone when it meets a constant, and so does a negative
/// sum without one. Recorded with the cases `routing-001` to `routing-023`.
pub(crate) fn computed_priority(weights: Weights) -> u64 {
    let attributes = (weights.attributes << 29).cast_signed();
    let headers = (weights.headers.min(255) << 20).cast_signed();
    let regex_priority = low_bits(weights.regex_priority.unwrap_or(0))
        .wrapping_shl(19)
        .cast_signed();
    let length = (weights.prefix_length & 0x7_FFFF).cast_signed();

    let mut constants = 0;
    if weights.has_plain_hosts {
        constants |= PLAIN_HOST;
    }
    if weights.regex_priority.is_some() {
        constants |= REGEX_PATH;
    }
    if constants == 0 {
        return widen(attributes | headers | regex_priority | length);
    }
    constants | widen(attributes) | widen(headers) | widen(regex_priority) | widen(length)
}

fn widen(part: i32) -> u64 {
    u64::try_from(part).unwrap_or(OVERFLOWN)
}

/// The lowest 32 bits of a number, as bit operations of the reference's runtime see it.
fn low_bits(number: i64) -> u32 {
    let bytes = number.to_le_bytes();
    u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]])
}
