//! Sends what the cores noted to the platform.

use std::time::Duration;

use conf::Settings;
use tokio::sync::watch;
use tokio::time::{Instant, Interval, MissedTickBehavior, interval, sleep_until, timeout};
use wire::limits::{PING_INTERVAL, RECONNECT_SECONDS, SILENCE};
use wire::socket::{Socket, SocketEvent};
use wire::telemetry::{Acknowledge, PATH};

use super::outbox::Outbox;
use super::sink::TelemetrySink;
use crate::outlet::{BoxConnection, Identity, Link, LinkError};

/// Largest frame accepted from the platform: acknowledgements are tiny.
const MAX_ANSWER: usize = 64 * 1024;
/// Longest wait for the last acknowledgements at shutdown.
const FAREWELL: Duration = Duration::from_secs(2);

/// Keeps a telemetry link and sends batches over it.
#[derive(Debug)]
pub struct Sender {
    link: Link,
    identity: Identity,
    sink: TelemetrySink,
    /// Pause between two looks at the sink.
    flush_interval: Duration,
    /// Shortest and longest pause before dialling again.
    reconnect: (Duration, Duration),
}

impl Sender {
    /// A sender for these settings; `None` when no telemetry endpoint is set.
    ///
    /// # Errors
    ///
    /// [`LinkError::Setting`].
    pub fn new(
        settings: &Settings,
        identity: Identity,
        sink: TelemetrySink,
    ) -> Result<Option<Self>, LinkError> {
        let link = Link::to_telemetry(settings)?;
        let (shortest, longest) = RECONNECT_SECONDS;
        Ok(link.map(|link| Self {
            link,
            identity,
            sink,
            flush_interval: settings
                .analytics_flush_interval
                .max(Duration::from_millis(100)),
            reconnect: (Duration::from_secs(shortest), Duration::from_secs(longest)),
        }))
    }

    /// Changes the pause between attempts to connect.
    #[must_use]
    pub fn with_reconnect(mut self, shortest: Duration, longest: Duration) -> Self {
        self.reconnect = (shortest, longest);
        self
    }

    /// Sends until `shutdown` becomes true; then the rest is sent, for two seconds at most.
    pub async fn run(self, mut shutdown: watch::Receiver<bool>) {
        let mut outbox = Outbox::new(self.identity.node_id);
        let mut tick = interval(self.flush_interval);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut told = None;
        loop {
            let opening = self.link.open(PATH, &self.identity, MAX_ANSWER);
            let opened = tokio::select! {
                _ = shutdown.wait_for(|is_over| *is_over) => return,
                opened = self.collecting(&mut outbox, opening) => opened,
            };
            let error = match opened {
                Ok(mut socket) => {
                    told = None;
                    outbox.rewind();
                    let served = tokio::select! {
                        _ = shutdown.wait_for(|is_over| *is_over) => None,
                        served = self.serve(&mut socket, &mut tick, &mut outbox) => Some(served),
                    };
                    let Some(served) = served else {
                        return self.farewell(socket, outbox).await;
                    };
                    socket.close().await;
                    served
                }
                Err(error) => error,
            };
            let text = error.to_string();
            if told.as_ref() == Some(&text) {
                tracing::debug!(error = text, "no telemetry link");
            } else {
                tracing::warn!(error = text, "no telemetry link; trying again");
                told = Some(text);
            }
            let pause = tokio::time::sleep(self.pause());
            tokio::select! {
                _ = shutdown.wait_for(|is_over| *is_over) => return,
                () = self.collecting(&mut outbox, pause) => {}
            }
        }
    }

    /// Waits for something without a link. Records stay with the cores until there are many, so
    /// that a long outage fills few large batches.
    async fn collecting<T>(&self, outbox: &mut Outbox, wait: impl Future<Output = T>) -> T {
        let mut wait = std::pin::pin!(wait);
        loop {
            tokio::select! {
                done = &mut wait => return done,
                () = self.sink.filled() => self.collect_full(outbox),
            }
        }
    }

    /// Takes what the cores noted.
    fn collect(&self, outbox: &mut Outbox) {
        let (taken, dropped) = self.sink.take();
        outbox.put(taken, dropped);
    }

    /// Takes what there is much of, and leaves what cores are writing to.
    fn collect_full(&self, outbox: &mut Outbox) {
        let (taken, dropped) = self.sink.take_full();
        outbox.put(taken, dropped);
    }

    fn hear(&self, outbox: &mut Outbox, event: &SocketEvent) {
        if let SocketEvent::Binary(payload) = event {
            match Acknowledge::decode(payload) {
                Ok(acknowledge) => outbox.acknowledge(acknowledge, |frame| self.sink.reuse(frame)),
                Err(error) => tracing::debug!(%error, "an unknown frame of the platform"),
            }
        }
    }

    /// Sends and takes acknowledgements until the link ends; gives the reason.
    async fn serve(
        &self,
        socket: &mut Socket<BoxConnection>,
        tick: &mut Interval,
        outbox: &mut Outbox,
    ) -> LinkError {
        let mut heard = Instant::now();
        let mut ping_at = heard + PING_INTERVAL;
        loop {
            let step = tokio::select! {
                () = sleep_until(heard + SILENCE) => return LinkError::Silent(SILENCE),
                () = sleep_until(ping_at) => {
                    ping_at = Instant::now() + PING_INTERVAL;
                    socket.queue_ping("")
                }
                _ = tick.tick() => {
                    self.collect(outbox);
                    Ok(())
                }
                () = self.sink.filled() => {
                    self.collect_full(outbox);
                    Ok(())
                }
                event = socket.event() => match event {
                    Ok(SocketEvent::Closed) => {
                        return LinkError::Broken("the platform closed it".to_owned());
                    }
                    Ok(SocketEvent::Written) => Ok(()),
                    Ok(event) => {
                        heard = Instant::now();
                        self.hear(outbox, &event);
                        Ok(())
                    }
                    Err(error) => Err(error),
                },
            };
            if let Err(error) = step.and_then(|()| send(socket, outbox)) {
                return LinkError::Broken(error.to_string());
            }
        }
    }

    /// Sends the rest and waits for its acknowledgement, but not for long.
    async fn farewell(&self, mut socket: Socket<BoxConnection>, mut outbox: Outbox) {
        self.collect(&mut outbox);
        let rest = async {
            while !outbox.is_empty() {
                send(&mut socket, &mut outbox)?;
                match socket.event().await? {
                    SocketEvent::Closed => break,
                    event => self.hear(&mut outbox, &event),
                }
            }
            Ok::<_, wire::socket::SocketError>(())
        };
        if timeout(FAREWELL, rest).await.is_err() {
            tracing::warn!("the last telemetry was not acknowledged in time");
        }
        socket.close().await;
    }

    fn pause(&self) -> Duration {
        let (shortest, longest) = self.reconnect;
        let share = f64::from(u16::from_be_bytes(clock::random_bytes())) / f64::from(u16::MAX);
        shortest + longest.saturating_sub(shortest).mul_f64(share)
    }
}

/// Queues the next batch when nothing else is on its way.
fn send(
    socket: &mut Socket<BoxConnection>,
    outbox: &mut Outbox,
) -> Result<(), wire::socket::SocketError> {
    if socket.is_writing() {
        return Ok(());
    }
    match outbox.next() {
        Some(payload) => socket.queue(payload),
        None => Ok(()),
    }
}
