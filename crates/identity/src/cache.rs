//! Principals of tokens that were seen lately, so that not each request asks the store.

use std::collections::HashMap;

use parking_lot::Mutex;
use uuid::Uuid;

use crate::Principal;
use crate::secret::TokenHash;

/// Tokens remembered; when there are more, all are forgotten and asked for again.
const TOKENS_KEPT: usize = 10_000;

/// How long one is remembered, in milliseconds. Every change of this room clears it at once; the
/// limit is a second line of defence.
const KEPT_FOR: u64 = 60_000;

/// A generation: answers read from the store in an older one are not remembered, because what
/// they say may have been revoked meanwhile.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Generation(u64);

#[derive(Default)]
pub(crate) struct Cache {
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    generation: u64,
    known: HashMap<TokenHash, Known>,
}

struct Known {
    token: Uuid,
    principal: Principal,
    /// When the token ends, or has to be looked at again.
    until: u64,
}

impl Cache {
    pub(crate) fn generation(&self) -> Generation {
        Generation(self.inner.lock().generation)
    }

    pub(crate) fn get(&self, hash: &TokenHash, now: u64) -> Option<Principal> {
        let inner = self.inner.lock();
        inner
            .known
            .get(hash)
            .filter(|known| now < known.until)
            .map(|known| known.principal.clone())
    }

    /// Remembers an answer of the store, unless something was changed since `generation`.
    pub(crate) fn put(
        &self,
        generation: Generation,
        hash: TokenHash,
        (token, expires_at): (Uuid, u64),
        principal: Principal,
        now: u64,
    ) {
        let mut inner = self.inner.lock();
        if inner.generation != generation.0 {
            return;
        }
        if inner.known.len() >= TOKENS_KEPT {
            inner.known.clear();
        }
        let until = expires_at.min(now.saturating_add(KEPT_FOR));
        inner.known.insert(
            hash,
            Known {
                token,
                principal,
                until,
            },
        );
    }

    /// Forgets one token.
    pub(crate) fn forget(&self, token: Uuid) {
        let mut inner = self.inner.lock();
        inner.generation += 1;
        inner.known.retain(|_, known| known.token != token);
    }

    /// Forgets all: somebody behind them changed.
    pub(crate) fn clear(&self) {
        let mut inner = self.inner.lock();
        inner.generation += 1;
        inner.known.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::PrincipalKind;

    fn principal() -> Principal {
        Principal {
            organisation: Uuid::nil(),
            user: Some(Uuid::nil()),
            system_account: None,
            kind: PrincipalKind::PersonalToken,
            name: "a".to_owned(),
        }
    }

    #[test]
    fn answer_read_before_a_revocation_is_not_remembered() {
        let cache = Cache::default();
        let token = Uuid::from_u128(1);
        let generation = cache.generation();
        cache.forget(token);
        cache.put(generation, [1; 32], (token, 100), principal(), 0);
        assert_eq!(cache.get(&[1; 32], 0), None);

        cache.put(cache.generation(), [1; 32], (token, 100), principal(), 0);
        assert_eq!(cache.get(&[1; 32], 0), Some(principal()));
        cache.forget(token);
        assert_eq!(cache.get(&[1; 32], 0), None);
    }

    #[test]
    fn remembered_token_ends_with_the_token_and_after_a_minute() {
        let cache = Cache::default();
        cache.put(
            cache.generation(),
            [1; 32],
            (Uuid::nil(), 100),
            principal(),
            0,
        );
        assert!(cache.get(&[1; 32], 99).is_some());
        assert!(cache.get(&[1; 32], 100).is_none());
        cache.put(
            cache.generation(),
            [2; 32],
            (Uuid::nil(), u64::MAX),
            principal(),
            0,
        );
        assert!(cache.get(&[2; 32], KEPT_FOR - 1).is_some());
        assert!(cache.get(&[2; 32], KEPT_FOR).is_none());
    }

    #[test]
    fn number_of_remembered_tokens_is_bounded() {
        let cache = Cache::default();
        for number in 0..=TOKENS_KEPT {
            let mut hash = [0; 32];
            hash[..8].copy_from_slice(&number.to_be_bytes());
            cache.put(cache.generation(), hash, (Uuid::nil(), 100), principal(), 0);
        }
        assert_eq!(cache.inner.lock().known.len(), 1);
    }
}
