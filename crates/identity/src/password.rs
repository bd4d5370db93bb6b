//! Passwords: argon2id, one at a time, off the threads that serve requests.

use std::sync::Arc;

use argon2::Argon2;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher as _, PasswordVerifier as _};
use tokio::sync::Semaphore;

/// Hashes that may wait or be at work; each takes 19 MiB and some ten milliseconds of a core.
const WAITING: usize = 16;

/// Longest password looked at, in bytes.
pub(crate) const LONGEST: usize = 1_024;

/// Too many are waiting.
#[derive(Debug)]
pub(crate) struct Busy;

#[derive(Clone)]
pub(crate) struct Passwords {
    waiting: Arc<Semaphore>,
    at_work: Arc<Semaphore>,
}

impl Passwords {
    pub(crate) fn new() -> Self {
        let (waiting, at_work) = (Semaphore::new(WAITING), Semaphore::new(1));
        Self {
            waiting: Arc::new(waiting),
            at_work: Arc::new(at_work),
        }
    }

    /// Hashes a password into a PHC string; `None` when the hash cannot be made.
    pub(crate) async fn hash(&self, password: String) -> Result<Option<String>, Busy> {
        self.one_at_a_time(move || {
            // The library's defaults are argon2id, 19 MiB, two passes; the salt is random.
            let hash: Result<_, _> = Argon2::default().hash_password(password.as_bytes());
            hash.ok().map(|hash| hash.to_string())
        })
        .await
    }

    /// Checks a password against a PHC string. Without one the same work is done in vain, so that
    /// the time does not tell which addresses exist.
    pub(crate) async fn verify(
        &self,
        password: String,
        hash: Option<String>,
    ) -> Result<bool, Busy> {
        self.one_at_a_time(move || {
            let Some(hash) = hash else {
                let _ = Argon2::default().hash_password(password.as_bytes());
                return false;
            };
            PasswordHash::new(&hash).is_ok_and(|hash| {
                Argon2::default()
                    .verify_password(password.as_bytes(), &hash)
                    .is_ok()
            })
        })
        .await
    }

    async fn one_at_a_time<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Busy> {
        let place = self.waiting.clone().try_acquire_owned().map_err(|_| Busy)?;
        let turn = self
            .at_work
            .clone()
            .acquire_owned()
            .await
            .map_err(|_| Busy)?;
        let done = tokio::task::spawn_blocking(move || {
            let _held = (place, turn);
            work()
        });
        done.await.map_err(|_| Busy)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn hash_is_argon2id_salted_and_checks() {
        let passwords = Passwords::new();
        let hash = || async {
            passwords
                .hash("correct horse".to_owned())
                .await
                .unwrap()
                .unwrap()
        };
        let (one, two) = (hash().await, hash().await);
        assert!(one.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{one}");
        assert_ne!(one, two);
        let check = |password: &str, hash: &str| {
            passwords.verify(password.to_owned(), Some(hash.to_owned()))
        };
        assert!(check("correct horse", &one).await.unwrap());
        assert!(!check("correct horsE", &one).await.unwrap());
        assert!(!check("", &one).await.unwrap());
        assert!(!check("correct horse", "not a hash").await.unwrap());
        assert!(
            !passwords
                .verify("correct horse".to_owned(), None)
                .await
                .unwrap()
        );
    }

    #[tokio::test]
    async fn more_than_may_wait_are_turned_away() {
        let passwords = Passwords::new();
        let turn = passwords.at_work.clone().acquire_owned().await.unwrap();
        let mut waiting = tokio::task::JoinSet::new();
        for _ in 0..WAITING {
            let passwords = passwords.clone();
            waiting.spawn(async move { passwords.verify("a".to_owned(), None).await.is_ok() });
        }
        while passwords.waiting.available_permits() > 0 {
            tokio::task::yield_now().await;
        }

        assert!(passwords.verify("a".to_owned(), None).await.is_err());

        drop(turn);
        assert!(waiting.join_all().await.into_iter().all(|is_ok| is_ok));
    }
}
