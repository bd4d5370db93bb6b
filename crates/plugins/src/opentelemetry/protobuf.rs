//! Writing Protocol Buffers: the few forms that OTLP needs.
//!
//! Five messages are all there is to write, so they are written here instead of generated.

/// A message under way.
#[derive(Clone, Debug, Default)]
pub(super) struct Message {
    bytes: Vec<u8>,
}

/// How a value is written, as the low bits of a field's key say.
const VARINT: u64 = 0;
const FIXED64: u64 = 1;
const BYTES: u64 = 2;
const FIXED32: u64 = 5;

impl Message {
    /// The finished message.
    pub(super) fn finish(self) -> Vec<u8> {
        self.bytes
    }

    fn varint(&mut self, mut value: u64) {
        loop {
            let low = u8::try_from(value & 0x7f).unwrap_or_default();
            value >>= 7;
            if value == 0 {
                self.bytes.push(low);
                return;
            }
            self.bytes.push(low | 0x80);
        }
    }

    fn key(&mut self, field: u64, form: u64) {
        self.varint(field << 3 | form);
    }

    /// A whole number. Zero is what a missing one means.
    pub(super) fn number(mut self, field: u64, value: u64) -> Self {
        if value != 0 {
            self.key(field, VARINT);
            self.varint(value);
        }
        self
    }

    /// A whole number that is written even if it is zero.
    pub(super) fn number_always(mut self, field: u64, value: u64) -> Self {
        self.key(field, VARINT);
        self.varint(value);
        self
    }

    /// A number of eight bytes.
    pub(super) fn fixed64(mut self, field: u64, value: u64) -> Self {
        self.key(field, FIXED64);
        self.bytes.extend_from_slice(&value.to_le_bytes());
        self
    }

    /// A number of four bytes. Zero is what a missing one means.
    pub(super) fn fixed32(mut self, field: u64, value: u32) -> Self {
        if value != 0 {
            self.key(field, FIXED32);
            self.bytes.extend_from_slice(&value.to_le_bytes());
        }
        self
    }

    /// Bytes or text. None is what a missing one means.
    pub(super) fn bytes(mut self, field: u64, value: &[u8]) -> Self {
        if !value.is_empty() {
            self.raw(field, value);
        }
        self
    }

    /// Text that is written even if it is empty.
    pub(super) fn text_always(mut self, field: u64, value: &str) -> Self {
        self.raw(field, value.as_bytes());
        self
    }

    /// A message inside this one, even if it is empty.
    pub(super) fn message(mut self, field: u64, value: Self) -> Self {
        self.raw(field, &value.finish());
        self
    }

    /// A message inside this one that is written already.
    pub(super) fn written(mut self, field: u64, value: &[u8]) -> Self {
        self.raw(field, value);
        self
    }

    fn raw(&mut self, field: u64, value: &[u8]) {
        self.key(field, BYTES);
        self.varint(value.len() as u64);
        self.bytes.extend_from_slice(value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_written_as_the_format_says() {
        let message = Message::default()
            .number(1, 150)
            .number(2, 0)
            .bytes(3, b"ab")
            .fixed64(4, 1)
            .message(5, Message::default().number_always(1, 0));
        assert_eq!(
            message.finish(),
            [
                &[0x08, 0x96, 0x01][..],
                &[0x1a, 2, b'a', b'b'],
                &[0x21, 1, 0, 0, 0, 0, 0, 0, 0],
                &[0x2a, 2, 0x08, 0],
            ]
            .concat()
        );
    }
}
