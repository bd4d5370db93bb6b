//! Telemetry links over real TLS.

use std::pin::Pin;
use std::sync::Arc;

use super::support::{Harness, NODE, request};
use control_plane::outlet::{KeepBatches, TelemetryOrigin};
use gatehouse_control_plane as control_plane;
use parking_lot::Mutex;
use test_support::eventually;
use uuid::Uuid;
use wire::socket::SocketEvent;
use wire::telemetry::{Acknowledge, Batch};

/// Keeps batches in memory; refuses those of sequence 13.
#[derive(Default)]
struct Shelf {
    kept: Mutex<Vec<(TelemetryOrigin, Batch)>>,
}

impl KeepBatches for Shelf {
    fn keep(
        &self,
        origin: TelemetryOrigin,
        batch: Batch,
    ) -> Pin<Box<dyn Future<Output = Result<(), String>> + Send + '_>> {
        Box::pin(async move {
            if batch.sequence == 13 {
                return Err("the disk is full".to_owned());
            }
            self.kept.lock().push((origin, batch));
            Ok(())
        })
    }
}

fn batch(sequence: u64) -> Batch {
    Batch {
        // Not the node's own: the link's word counts.
        node_id: Uuid::from_u128(99),
        stream: 5,
        sequence,
        dropped: 0,
        records: Vec::new(),
    }
}

fn target() -> String {
    format!("/v1/telemetry?node_id={NODE}&node_hostname=edge&node_version=3.9.3")
}

async fn harness() -> (Harness, Arc<Shelf>) {
    let shelf = Arc::new(Shelf::default());
    let keeper: Option<Arc<dyn KeepBatches>> = Some(shelf.clone());
    (Harness::with(|setup| setup.keeper = keeper).await, shelf)
}

#[tokio::test]
async fn batches_are_kept_under_the_links_own_node_and_acknowledged() {
    let (harness, shelf) = harness().await;
    let (identity, _) = harness.registered().await;
    let mut node = harness.link(&identity, &target()).await;
    for sequence in [1, 2, 2] {
        node.send(batch(sequence).encode().unwrap()).await;
        let event = node
            .until(|event| matches!(event, SocketEvent::Binary(_)))
            .await;
        let SocketEvent::Binary(payload) = event else {
            unreachable!()
        };
        let acknowledge = Acknowledge::decode(&payload).unwrap();
        assert_eq!((acknowledge.stream, acknowledge.sequence), (5, sequence));
    }
    let kept = shelf.kept.lock();
    assert_eq!(kept.len(), 3);
    let expected = TelemetryOrigin {
        control_plane: harness.plane.id,
        node: NODE,
    };
    assert!(
        kept.iter()
            .all(|(origin, batch)| *origin == expected && batch.node_id == NODE)
    );
}

#[tokio::test]
async fn batch_that_cannot_be_kept_or_read_is_not_acknowledged() {
    let (harness, shelf) = harness().await;
    let (identity, _) = harness.registered().await;
    for payload in [batch(13).encode().unwrap(), "nonsense".into()] {
        let mut node = harness.link(&identity, &target()).await;
        node.send(payload).await;
        node.end().await;
    }
    assert_eq!(shelf.kept.lock().len(), 0);
}

#[tokio::test]
async fn revoking_a_certificate_ends_telemetry_too() {
    let (harness, _) = harness().await;
    let (identity, pinned) = harness.registered().await;
    let mut node = harness.link(&identity, &target()).await;
    node.ping("").await;
    harness
        .planes
        .unpin(harness.plane.id, pinned.id)
        .await
        .unwrap();
    harness.turned_away(node, &identity, &target()).await;
}

#[tokio::test]
async fn telemetry_of_other_nodes_is_taken_and_discarded() {
    let (harness, shelf) = harness().await;
    let (identity, _) = harness.registered().await;
    let query = format!("?node_id={NODE}&node_hostname=edge&node_version=3.13.0.1");
    for path in [
        "/v1/analytics/reqlog",
        "/v1/ingest",
        "/tp/abc/v1/analytics/reqlog",
    ] {
        let mut raw = harness.connect(&identity).await;
        let offer = "Sec-WebSocket-Protocol: wrpc.konghq.com\r\n";
        let answer = raw.ask(&request(&format!("{path}{query}"), offer)).await;
        assert!(answer.starts_with("HTTP/1.1 101 "), "{answer}");
        assert!(
            answer
                .to_lowercase()
                .contains("sec-websocket-protocol: wrpc.konghq.com\r\n")
        );
        let mut node = raw.into_node().await;
        node.send(vec![1, 2, 3]).await;
        node.ping("").await;
    }
    assert_eq!(shelf.kept.lock().len(), 0);
    assert_eq!(harness.planes.nodes(harness.plane.id), []);
    eventually("links are taken off the list", async || {
        (harness.outlet.connected(harness.plane.id) == 0).then_some(())
    })
    .await;
}
