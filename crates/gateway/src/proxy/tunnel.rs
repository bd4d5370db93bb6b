//! After an upgrade: bytes in both directions until either side ends.

use std::future::poll_fn;
use std::task::{Context, Poll, ready};

use super::core::Core;
use super::link::Link;
use crate::net::Timer;

/// One direction of a tunnel.
#[derive(Debug, Default)]
struct Direction {
    is_ended: bool,
}

/// Copies until both sides have ended, or nothing moved for `limit` microseconds. Returns the bytes
/// that went towards the client and towards the service.
pub(crate) async fn run(
    core: &Core,
    client: &mut Link,
    upstream: &mut Link,
    timer: &Timer,
    limit: u64,
) -> (u64, u64) {
    let mut down = Direction::default();
    let mut up = Direction::default();
    let (mut to_client, mut to_service) = (0, 0);
    timer.arm(core.ticks.now(), limit);
    poll_fn(|cx| {
        let before = to_client + to_service;
        let first = down.poll(cx, core, upstream, client, &mut to_client);
        let second = up.poll(cx, core, client, upstream, &mut to_service);
        if first.is_ready() && second.is_ready() {
            return Poll::Ready(());
        }
        if to_client + to_service != before {
            timer.arm(core.ticks.now(), limit);
        }
        timer.poll_expired(cx)
    })
    .await;
    (to_client, to_service)
}

impl Direction {
    fn poll(
        &mut self,
        cx: &mut Context<'_>,
        core: &Core,
        from: &mut Link,
        to: &mut Link,
        moved: &mut u64,
    ) -> Poll<()> {
        while !self.is_ended {
            if from.reader.buffer.is_empty() {
                from.reader.buffer.reset(0);
                from.reader.release(&core.buffers);
                match ready!(from.poll_more(cx, &core.buffers)) {
                    Ok(0) | Err(_) => {
                        // The other side learns of the end; it may still have things to say.
                        let _ = ready!(to.io.poll_shutdown(cx));
                        self.is_ended = true;
                        continue;
                    }
                    Ok(_) => {}
                }
            }
            let pushed =
                ready!(
                    to.sender
                        .poll_push(cx, to.io.as_mut(), from.reader.buffer.filled(), None)
                );
            match pushed {
                Ok(count) => {
                    from.reader.buffer.consume(count);
                    *moved += count as u64;
                }
                Err(_) => self.is_ended = true,
            }
        }
        Poll::Ready(())
    }
}
