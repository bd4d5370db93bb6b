//! What the server said, for a while.

use std::collections::HashMap;

use aws_lc_rs::hmac::{HMAC_SHA256, Key, sign};
use parking_lot::Mutex;

use super::connection::Answer;

/// Most verdicts that are kept.
const VERDICTS_MAX: usize = 10_000;

/// Verdicts by a keyed hash of name and password: what lies in memory tells neither.
pub(super) struct Memory {
    key: Key,
    life_ms: u64,
    verdicts: Mutex<HashMap<[u8; 32], (Answer, u64)>>,
}

impl Memory {
    pub(super) fn new(seconds: f64) -> Self {
        // Beyond a century it makes no difference.
        let life = std::time::Duration::from_secs_f64(seconds.clamp(0.0, 3e9));
        Self {
            key: Key::new(HMAC_SHA256, &clock::random_bytes::<32>()),
            life_ms: u64::try_from(life.as_millis()).unwrap_or(u64::MAX),
            verdicts: Mutex::default(),
        }
    }

    fn place(&self, name: &str, password: &str) -> [u8; 32] {
        let text = format!("{}:{name}{password}", name.len());
        let mut place = [0; 32];
        place.copy_from_slice(sign(&self.key, text.as_bytes()).as_ref());
        place
    }

    pub(super) fn recall(&self, name: &str, password: &str, now_ms: u64) -> Option<Answer> {
        let place = self.place(name, password);
        let verdicts = self.verdicts.lock();
        let (answer, until) = verdicts.get(&place)?;
        (*until > now_ms).then_some(*answer)
    }

    pub(super) fn keep(&self, name: &str, password: &str, answer: Answer, now_ms: u64) {
        if self.life_ms == 0 {
            return;
        }
        let place = self.place(name, password);
        let mut verdicts = self.verdicts.lock();
        if verdicts.len() >= VERDICTS_MAX {
            verdicts.retain(|_, (_, until)| *until > now_ms);
        }
        if verdicts.len() >= VERDICTS_MAX {
            verdicts.clear();
        }
        verdicts.insert(place, (answer, now_ms.saturating_add(self.life_ms)));
    }
}
