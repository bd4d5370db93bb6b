//! Asking the control plane for shares of counters, over the link that there is anyway.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use plugin_api::{DatabaseError, GrantShares, ShareAsked, ShareFuture, ShareGranted};
use tokio::sync::{mpsc, oneshot};
use wire::v1::{Draw, DrawAnswer, DrawRequest};

/// Limit: questions that wait to be sent, and that wait for their answer.
const QUEUE_MAX: usize = 1024;

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(1);

type Asked = (DrawRequest, oneshot::Sender<Vec<ShareGranted>>);

/// The node's end of the counters that it has together with other nodes.
#[derive(Debug)]
pub struct ShareLink {
    questions: mpsc::Sender<Asked>,
    incoming: tokio::sync::Mutex<mpsc::Receiver<Asked>>,
    waiting: Mutex<HashMap<u64, oneshot::Sender<Vec<ShareGranted>>>>,
    /// Whether the control plane said that it counts.
    is_open: AtomicBool,
    nodes: AtomicU32,
    epoch: AtomicU64,
    number: AtomicU64,
}

impl Default for ShareLink {
    fn default() -> Self {
        let (questions, incoming) = mpsc::channel(QUEUE_MAX);
        Self {
            questions,
            incoming: tokio::sync::Mutex::new(incoming),
            waiting: Mutex::default(),
            is_open: AtomicBool::new(false),
            nodes: AtomicU32::new(1),
            epoch: AtomicU64::new(0),
            number: AtomicU64::new(1),
        }
    }
}

impl ShareLink {
    /// The next question to send; waits until there is one.
    pub(super) async fn next(&self) -> DrawRequest {
        let mut incoming = self.incoming.lock().await;
        loop {
            // The sender lives as long as this value.
            let Some((request, answer)) = incoming.recv().await else {
                return std::future::pending().await;
            };
            let mut waiting = self.waiting.lock();
            waiting.retain(|_, answer| !answer.is_closed());
            if !answer.is_closed() && waiting.len() < QUEUE_MAX {
                waiting.insert(request.number, answer);
                return request;
            }
        }
    }

    /// Takes an answer in.
    pub(super) fn hear(&self, answer: &DrawAnswer) {
        self.nodes.store(answer.nodes.max(1), Ordering::Relaxed);
        self.epoch.store(answer.epoch, Ordering::Relaxed);
        self.is_open.store(true, Ordering::Relaxed);
        let Some(asker) = self.waiting.lock().remove(&answer.number) else {
            return;
        };
        let granted = answer.grants.iter().map(|one| ShareGranted {
            grant: one.grant,
            left: one.left,
        });
        // Whoever asked may have gone.
        drop(asker.send(granted.collect()));
    }

    /// The link is gone: nobody gets an answer any more.
    pub(super) fn close(&self) {
        self.is_open.store(false, Ordering::Relaxed);
        self.waiting.lock().clear();
    }
}

impl GrantShares for ShareLink {
    fn draw(&self, epoch: u64, asked: Vec<ShareAsked>) -> ShareFuture {
        let away = || DatabaseError("the control plane grants no shares now".to_owned());
        let count = asked.len();
        let request = DrawRequest {
            number: self.number.fetch_add(1, Ordering::Relaxed),
            epoch,
            draws: asked
                .into_iter()
                .map(|one| Draw {
                    key: one.counter,
                    limit: one.limit,
                    spent: one.spent,
                    until: one.expires_at,
                })
                .collect(),
        };
        let (sender, receiver) = oneshot::channel();
        let is_sent = self.is_open.load(Ordering::Relaxed)
            && self.questions.try_send((request, sender)).is_ok();
        Box::pin(async move {
            if !is_sent {
                return Err(away());
            }
            match tokio::time::timeout(PATIENCE, receiver).await {
                Ok(Ok(granted)) if granted.len() == count => Ok(granted),
                _ => Err(away()),
            }
        })
    }

    fn epoch(&self) -> u64 {
        self.epoch.load(Ordering::Relaxed)
    }

    fn nodes(&self) -> u32 {
        self.nodes.load(Ordering::Relaxed)
    }
}
