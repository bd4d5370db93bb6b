//! The socket over an in-memory connection: pongs, writing while reading, limits, closing.

use gatehouse_wire::socket::{End, Socket, SocketError, SocketEvent};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};

async fn pair(capacity: usize) -> (Socket<DuplexStream>, Socket<DuplexStream>) {
    let (node, plane) = duplex(capacity);
    (
        Socket::new(node, End::Node, Vec::new(), 1 << 20).await,
        Socket::new(plane, End::Plane, Vec::new(), 1 << 20).await,
    )
}

#[tokio::test]
async fn ping_is_answered_once_with_an_empty_pong() {
    let (mut raw, plane) = duplex(4096);
    let mut plane = Socket::new(plane, End::Plane, Vec::new(), 1 << 20).await;
    // A masked ping with the payload `ab` and a mask of zeros, then a binary frame `x`.
    raw.write_all(&[0x89, 0x82, 0, 0, 0, 0, b'a', b'b'])
        .await
        .unwrap();
    raw.write_all(&[0x82, 0x81, 0, 0, 0, 0, b'x'])
        .await
        .unwrap();
    assert_eq!(plane.event().await, Ok(SocketEvent::Ping("ab".into())));
    assert_eq!(plane.event().await, Ok(SocketEvent::Binary("x".into())));
    plane.queue("y").unwrap();
    assert_eq!(plane.event().await, Ok(SocketEvent::Written));
    let mut sent = [0; 5];
    raw.read_exact(&mut sent).await.unwrap();
    assert_eq!(sent, [0x8a, 0, 0x82, 1, b'y']);
}

#[tokio::test]
async fn frames_are_read_while_a_large_one_waits_to_be_written() {
    let (mut node, mut plane) = pair(1024).await;
    plane.queue(vec![7; 100_000]).unwrap();
    node.queue_ping("hash").unwrap();
    assert_eq!(node.event().await, Ok(SocketEvent::Written));
    assert_eq!(plane.event().await, Ok(SocketEvent::Ping("hash".into())));
    assert!(plane.is_writing());
    let (sent, received) = tokio::join!(plane.event(), node.event());
    assert_eq!(sent, Ok(SocketEvent::Written));
    assert_eq!(received, Ok(SocketEvent::Binary(vec![7; 100_000].into())));
    assert_eq!(node.event().await, Ok(SocketEvent::Pong));
}

#[tokio::test]
async fn large_message_is_one_frame() {
    let (mut raw, plane) = duplex(1 << 20);
    let mut plane = Socket::new(plane, End::Plane, Vec::new(), 1 << 20).await;
    plane.queue(vec![1; 300_000]).unwrap();
    assert_eq!(plane.event().await, Ok(SocketEvent::Written));
    let mut head = [0; 10];
    raw.read_exact(&mut head).await.unwrap();
    assert_eq!(head, [0x82, 127, 0, 0, 0, 0, 0, 4, 0x93, 0xe0]);
}

#[tokio::test]
async fn oversized_message_ends_the_link_with_a_reason() {
    let (mut node, plane) = duplex(1 << 20);
    let mut plane = Socket::new(plane, End::Plane, Vec::new(), 1000).await;
    node.write_all(&[0x82, 0xfe, 0x27, 0x10, 0, 0, 0, 0])
        .await
        .unwrap();
    node.write_all(&[0; 10_000]).await.unwrap();
    assert_eq!(
        plane.event().await,
        Err(SocketError::TooLarge { limit: 1000 })
    );
}

#[tokio::test]
async fn close_and_loss_of_the_connection_are_seen() {
    let (mut node, mut plane) = pair(4096).await;
    node.close().await;
    assert_eq!(plane.event().await, Ok(SocketEvent::Closed));
    let (node, mut plane) = pair(4096).await;
    drop(node);
    assert!(matches!(
        plane.event().await,
        Ok(SocketEvent::Closed) | Err(SocketError::Failed(_))
    ));
}

#[tokio::test]
async fn bytes_that_came_with_the_handshake_are_not_lost() {
    let (_node, plane) = duplex(4096);
    let early = vec![0x82, 0x81, 0, 0, 0, 0, b'x'];
    let mut plane = Socket::new(plane, End::Plane, early, 1000).await;
    assert_eq!(plane.event().await, Ok(SocketEvent::Binary("x".into())));
}
