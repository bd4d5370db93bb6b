//! Waiting for something to become true, with a deadline.

use std::time::Duration;

use tokio::time::Instant;

/// Repeats `attempt` until it gives a value, for at most 20 seconds.
///
/// # Panics
///
/// Panics with `what` when the time is over.
pub async fn eventually<T, F>(what: &str, attempt: F) -> T
where
    F: AsyncFnMut() -> Option<T>,
{
    eventually_within(Duration::from_secs(20), what, attempt).await
}

/// Repeats `attempt` until it gives a value, for at most `limit`.
///
/// # Panics
///
/// Panics with `what` when the time is over.
pub async fn eventually_within<T, F>(limit: Duration, what: &str, mut attempt: F) -> T
where
    F: AsyncFnMut() -> Option<T>,
{
    let deadline = Instant::now() + limit;
    loop {
        if let Some(value) = attempt().await {
            return value;
        }
        assert!(
            Instant::now() < deadline,
            "did not happen within {limit:?}: {what}"
        );
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
}
