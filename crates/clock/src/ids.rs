//! Ids and random bytes. Secrets come from the operating system; request ids, which only have
//! to be unique, come from a generator per thread that costs a few instructions.

use std::cell::Cell;

use uuid::Uuid;

/// Makes a random UUID (version 4).
#[must_use]
pub fn new_uuid() -> Uuid {
    uuid::Builder::from_random_bytes(random_bytes::<16>()).into_uuid()
}

/// Draws `N` random bytes fit for secrets.
///
/// # Panics
///
/// Panics when the operating system has no randomness to give: no secret made after that could
/// be trusted.
#[must_use]
pub fn random_bytes<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).expect("the operating system gives random bytes");
    bytes
}

/// Draws `length` random characters out of `A-Z`, `a-z`, `0-9`, each equally likely.
#[must_use]
pub fn random_alphanumeric(length: usize) -> String {
    const ALPHABET: &[u8; 62] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    let mut text = String::with_capacity(length);
    while text.len() < length {
        for byte in random_bytes::<64>() {
            // 248 is the largest multiple of 62 in a byte: a higher value would favour letters.
            if byte < 248 && text.len() < length {
                text.push(char::from(ALPHABET[usize::from(byte % 62)]));
            }
        }
    }
    text
}

/// Makes 32 lower-case hexadecimal characters that are unique but not secret, such as a
/// request id. One generator (xoshiro256++) per thread, seeded by the operating system.
#[must_use]
pub fn hex_id() -> [u8; 32] {
    let mut text = [0; 32];
    for (piece, word) in text.as_chunks_mut::<16>().0.iter_mut().zip(next_words()) {
        let [high, low] = [word >> 32, word & 0xffff_ffff];
        piece[..8].copy_from_slice(&digits(high));
        piece[8..].copy_from_slice(&digits(low));
    }
    text
}

/// The digits of the low 32 bits, all eight at once.
const fn digits(number: u64) -> [u8; 8] {
    const ONES: u64 = 0x0101_0101_0101_0101;
    // A digit moves into a byte of its own: halves, quarters, eighths.
    let mut spread = (number | number << 16) & 0x0000_ffff_0000_ffff;
    spread = (spread | spread << 8) & 0x00ff_00ff_00ff_00ff;
    spread = (spread | spread << 4) & 0x0f0f_0f0f_0f0f_0f0f;
    // One where the digit is a letter; adding six carries into the fifth bit then.
    let letters = (spread + ONES * 6) >> 4 & ONES;
    (spread + ONES * 0x30 + letters * 0x27).to_be_bytes()
}

thread_local! {
    static STATE: Cell<Option<[u64; 4]>> = const { Cell::new(None) };
}

/// Two words of the generator.
fn next_words() -> [u64; 2] {
    STATE.with(|cell| {
        let mut state = cell.get().unwrap_or_else(seed);
        let words = [step(&mut state), step(&mut state)];
        cell.set(Some(state));
        words
    })
}

fn step(s: &mut [u64; 4]) -> u64 {
    let result = s[0].wrapping_add(s[3]).rotate_left(23).wrapping_add(s[0]);
    let t = s[1] << 17;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = s[3].rotate_left(45);
    result
}

fn seed() -> [u64; 4] {
    let bytes = random_bytes::<32>();
    let mut words = [0; 4];
    for (word, chunk) in words.iter_mut().zip(bytes.as_chunks::<8>().0) {
        *word = u64::from_le_bytes(*chunk);
    }
    // An all-zero state would stay zero for ever.
    words[0] |= 1;
    words
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn hex_ids_are_distinct_lower_case_hexadecimal() {
        let ids: HashSet<_> = (0..10_000).map(|_| hex_id()).collect();
        assert_eq!(ids.len(), 10_000);
        let is_hex = |id: &[u8; 32]| id.iter().all(|c| b"0123456789abcdef".contains(c));
        assert!(ids.iter().all(is_hex));
    }

    #[test]
    fn digits_are_those_of_the_number() {
        for number in [
            0,
            1,
            9,
            10,
            0x0123_4567,
            0x89ab_cdef,
            0xffff_ffff,
            0xa0b0_c0d0,
        ] {
            let text = format!("{number:08x}");
            assert_eq!(digits(number), text.as_bytes());
        }
    }

    #[test]
    fn alphanumeric_text_has_the_length_asked_for() {
        for length in [0, 1, 32, 200] {
            let text = random_alphanumeric(length);
            assert_eq!(text.len(), length);
            assert!(text.chars().all(|c| c.is_ascii_alphanumeric()));
        }
    }

    #[test]
    fn uuids_are_version_4() {
        assert_eq!(new_uuid().get_version_num(), 4);
        assert_ne!(new_uuid(), new_uuid());
    }
}
