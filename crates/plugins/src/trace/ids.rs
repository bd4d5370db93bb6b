//! Ids of traces and spans.

use std::fmt;

/// Id of a trace: sixteen bytes, of which a caller may use the last eight only.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct TraceId {
    bytes: [u8; 16],
    /// How many bytes it came with; zero for a new one.
    size: usize,
}

/// Id of a span.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct SpanId(pub(crate) [u8; 8]);

impl TraceId {
    /// A new id of 8 or 16 bytes.
    pub(crate) fn random(size: usize) -> Self {
        let mut bytes = clock::random_bytes::<16>();
        // Each format writes a new id in the size that it prefers, unless it is a short one.
        let size = if size == 8 { size } else { 0 };
        if size == 8 {
            bytes[..8].fill(0);
        }
        Self { bytes, size }
    }

    /// The bytes of an id, shortened from the left or filled up with zeros there.
    pub(crate) fn from_bytes(given: &[u8]) -> Self {
        Self {
            bytes: fitted(given),
            size: given.len(),
        }
    }

    /// All sixteen bytes.
    pub(crate) const fn bytes(&self) -> &[u8; 16] {
        &self.bytes
    }

    /// As hexadecimal digits, in the size that it came with if the format allows it, otherwise in
    /// the first that it does.
    pub(crate) fn hex(&self, allowed: &[usize]) -> String {
        let first = allowed.first().copied().unwrap_or(16);
        let size = if allowed.contains(&self.size) {
            self.size
        } else {
            first
        };
        hex(&self.bytes[16 - size..])
    }

    /// The last eight bytes as a number.
    pub(crate) fn low(&self) -> u64 {
        u64::from_be_bytes(fitted(&self.bytes))
    }
}

impl SpanId {
    /// A new id.
    pub(crate) fn random() -> Self {
        Self(clock::random_bytes())
    }

    /// The bytes of an id, shortened from the left or filled up with zeros there.
    pub(crate) fn from_bytes(given: &[u8]) -> Self {
        Self(fitted(given))
    }

    /// As hexadecimal digits.
    pub(crate) fn hex(&self) -> String {
        hex(&self.0)
    }

    /// As a number.
    pub(crate) const fn number(&self) -> u64 {
        u64::from_be_bytes(self.0)
    }
}

impl fmt::Debug for TraceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex(&self.bytes))
    }
}

impl fmt::Debug for SpanId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.hex())
    }
}

/// The last bytes of an id, with zeros in front where it is short.
fn fitted<const N: usize>(given: &[u8]) -> [u8; N] {
    let mut bytes = [0; N];
    let count = given.len().min(N);
    bytes[N - count..].copy_from_slice(&given[given.len() - count..]);
    bytes
}

/// Small hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}

/// The bytes of hexadecimal digits; an odd one counts as if a zero stood in front.
pub(super) fn from_hex(text: &str) -> Option<Vec<u8>> {
    let padded = if text.len().is_multiple_of(2) {
        text.to_owned()
    } else {
        format!("0{text}")
    };
    let pair = |at: usize| u8::from_str_radix(padded.get(at..at + 2)?, 16).ok();
    (0..padded.len()).step_by(2).map(pair).collect()
}

/// The bytes of a decimal number of at most sixteen bytes.
pub(super) fn from_decimal(text: &str) -> Option<Vec<u8>> {
    let number: u128 = text.parse().ok()?;
    Some(number.to_be_bytes().to_vec())
}

/// Whether a trace is among the share that is collected: the same trace gets the same answer
/// everywhere.
#[expect(
    clippy::cast_precision_loss,
    reason = "a share needs no more precision than a double has"
)]
pub(crate) fn is_sampled_by_ratio(trace: &TraceId, ratio: f64) -> bool {
    if ratio >= 1.0 {
        return true;
    }
    (trace.low() as f64) < ratio * u64::MAX as f64
}
