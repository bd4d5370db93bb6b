//! A hash table from `(space, bytes)` to a number, with all keys in one buffer.
//!
//! Made for lookups by slices of a request without allocation. Its hash needs no secret: keys come from the
//! configuration alone, and a request only asks.

/// Marks a slot that holds nothing.
const EMPTY: u32 = u32::MAX;

#[derive(Debug, Clone, Copy)]
struct Slot {
    hash: u32,
    space: u32,
    start: u32,
    length: u32,
    value: u32,
}

/// The table.
#[derive(Debug, Default)]
pub(crate) struct Table {
    slots: Vec<Slot>,
    keys: Vec<u8>,
    count: usize,
}

impl Table {
    /// Finds the number of a key.
    pub(crate) fn get(&self, space: u32, key: &[u8]) -> Option<u32> {
        if self.count == 0 {
            return None;
        }
        let mask = self.slots.len() - 1;
        let hash = hash(space, key);
        let mut at = position(hash) & mask;
        loop {
            let slot = self.slots.get(at)?;
            if slot.value == EMPTY {
                return None;
            }
            if slot.hash == hash && slot.space == space && self.key(slot) == key {
                return Some(slot.value);
            }
            at = (at + 1) & mask;
        }
    }

    /// Stores the number of a key unless the key has one; returns the number that it has then.
    pub(crate) fn insert(&mut self, space: u32, key: &[u8], value: u32) -> u32 {
        if let Some(present) = self.get(space, key) {
            return present;
        }
        if (self.count + 1) * 2 > self.slots.len() {
            self.grow();
        }
        let start = u32::try_from(self.keys.len()).unwrap_or(u32::MAX);
        let length = u32::try_from(key.len()).unwrap_or(u32::MAX);
        self.keys.extend_from_slice(key);
        self.place(Slot {
            hash: hash(space, key),
            space,
            start,
            length,
            value,
        });
        self.count += 1;
        value
    }

    /// How many keys there are.
    pub(crate) const fn len(&self) -> usize {
        self.count
    }

    fn key(&self, slot: &Slot) -> &[u8] {
        let start = slot.start as usize;
        self.keys
            .get(start..start + slot.length as usize)
            .unwrap_or_default()
    }

    fn place(&mut self, slot: Slot) {
        let mask = self.slots.len() - 1;
        let mut at = position(slot.hash) & mask;
        while self.slots[at].value != EMPTY {
            at = (at + 1) & mask;
        }
        self.slots[at] = slot;
    }

    fn grow(&mut self) {
        let free = Slot {
            hash: 0,
            space: 0,
            start: 0,
            length: 0,
            value: EMPTY,
        };
        let size = (self.slots.len() * 2).max(8);
        let old = std::mem::replace(&mut self.slots, vec![free; size]);
        for slot in old.into_iter().filter(|slot| slot.value != EMPTY) {
            self.place(slot);
        }
    }
}

const fn position(hash: u32) -> usize {
    hash as usize
}

/// Mixes the bytes eight at a time.
fn hash(space: u32, key: &[u8]) -> u32 {
    const FACTOR: u64 = 0x9E37_79B9_7F4A_7C15;
    let mut state = (u64::from(space) << 32) ^ key.len() as u64;
    let (words, _) = key.as_chunks::<8>();
    for word in words {
        state = fold(state ^ u64::from_le_bytes(*word), FACTOR);
    }
    // The tail overlaps what was read already when the key is long enough.
    let tail = match (
        key.last_chunk::<8>(),
        key.first_chunk::<4>(),
        key.last_chunk::<4>(),
    ) {
        (Some(word), _, _) => u64::from_le_bytes(*word),
        (None, Some(first), Some(last)) => {
            u64::from(u32::from_le_bytes(*first)) << 32 | u64::from(u32::from_le_bytes(*last))
        }
        _ => key.iter().fold(0, |sum, byte| sum << 8 | u64::from(*byte)),
    };
    let state = fold(state ^ tail, FACTOR);
    let bytes = (state ^ (state >> 32)).to_le_bytes();
    u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]])
}

fn fold(left: u64, right: u64) -> u64 {
    let product = u128::from(left) * u128::from(right);
    let bytes = product.to_le_bytes();
    let (halves, _) = bytes.as_chunks::<8>();
    u64::from_le_bytes(halves[0]) ^ u64::from_le_bytes(halves[1])
}

#[cfg(test)]
mod tests {
    use super::Table;

    #[test]
    fn keys_of_any_length_and_space_are_told_apart() {
        let text = b"/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
        let mut table = Table::default();
        for space in 0..3 {
            for length in 0..text.len() {
                let value = space * 1000 + u32::try_from(length).unwrap();
                assert_eq!(table.insert(space, &text[..length], value), value);
            }
        }
        for space in 0..3 {
            for length in 0..text.len() {
                let value = space * 1000 + u32::try_from(length).unwrap();
                assert_eq!(table.get(space, &text[..length]), Some(value));
            }
        }
        assert_eq!(table.get(3, b""), None);
        assert_eq!(table.get(0, text), None);
        assert_eq!(table.len(), 3 * text.len());
    }

    #[test]
    fn first_number_of_a_key_stays() {
        let mut table = Table::default();
        assert_eq!(table.get(0, b"/a"), None);
        assert_eq!(table.insert(0, b"/a", 1), 1);
        assert_eq!(table.insert(0, b"/a", 2), 1);
        assert_eq!(table.get(0, b"/a"), Some(1));
    }
}
