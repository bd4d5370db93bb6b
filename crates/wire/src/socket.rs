//! A WebSocket driven from one task: while frames go out, frames still come in.
//!
//! The handshake is not made here; it starts with the bytes after `101`. Outgoing messages are
//! single frames, never fragmented, as peers of this protocol demand.

use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use futures_util::{Sink, Stream};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Error, Message};

/// What happened on a socket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SocketEvent {
    /// A binary message.
    Binary(Bytes),
    /// A text message; peers of this protocol send none.
    Text,
    /// A ping with its payload. The (empty) pong is on its way already.
    Ping(Bytes),
    /// A pong.
    Pong,
    /// Everything queued has been handed to the connection.
    Written,
    /// The peer closed the link.
    Closed,
}

/// Why a socket can no longer be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SocketError {
    /// The peer sent more than this end accepts.
    #[error("a message of the peer is larger than {limit} bytes")]
    TooLarge {
        /// Bytes accepted.
        limit: usize,
    },
    /// The connection failed or the peer broke the WebSocket protocol.
    #[error("the link failed: {0}")]
    Failed(String),
}

/// A WebSocket after its handshake.
#[derive(Debug)]
pub struct Socket<S> {
    inner: WebSocketStream<S>,
    max_message: usize,
    is_unwritten: bool,
}

/// The end of a connection this side holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// The node: masks what it sends.
    Node,
    /// The control plane.
    Plane,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Socket<S> {
    /// Takes over a connection after the handshake. `read_already` are bytes the peer sent right
    /// after its handshake; messages above `max_message` bytes end the link.
    pub async fn new(stream: S, end: End, read_already: Vec<u8>, max_message: usize) -> Self {
        let role = match end {
            End::Node => Role::Client,
            End::Plane => Role::Server,
        };
        let config = WebSocketConfig::default()
            .read_buffer_size(16 * 1024)
            .write_buffer_size(0)
            .max_message_size(Some(max_message))
            .max_frame_size(Some(max_message));
        let inner =
            WebSocketStream::from_partially_read(stream, read_already, role, Some(config)).await;
        Self {
            inner,
            max_message,
            is_unwritten: false,
        }
    }

    /// Queues a binary message and starts writing it. [`SocketEvent::Written`] follows when it
    /// is out; queue nothing large before.
    ///
    /// # Errors
    ///
    /// [`SocketError::Failed`].
    pub fn queue(&mut self, payload: impl Into<Bytes>) -> Result<(), SocketError> {
        self.start(Message::Binary(payload.into()))
    }

    /// Queues a ping.
    ///
    /// # Errors
    ///
    /// [`SocketError::Failed`].
    pub fn queue_ping(&mut self, payload: impl Into<Bytes>) -> Result<(), SocketError> {
        self.start(Message::Ping(payload.into()))
    }

    /// Whether something queued is still on its way to the connection.
    #[must_use]
    pub fn is_writing(&self) -> bool {
        self.is_unwritten
    }

    /// Waits for the next event, writing what is queued meanwhile. Dropping the future loses
    /// nothing.
    ///
    /// # Errors
    ///
    /// [`SocketError`]; the socket is of no use afterwards.
    pub async fn event(&mut self) -> Result<SocketEvent, SocketError> {
        poll_fn(|context| self.poll_event(context)).await
    }

    /// Sends a close frame without code, as peers of this protocol do, as far as the connection
    /// takes it without waiting.
    pub async fn close(&mut self) {
        poll_fn(|context| {
            let started = Pin::new(&mut self.inner).start_send(Message::Close(None));
            if started.is_ok() {
                drop(Pin::new(&mut self.inner).poll_flush(context));
            }
            Poll::Ready(())
        })
        .await;
    }

    fn start(&mut self, message: Message) -> Result<(), SocketError> {
        self.is_unwritten = true;
        let started = Pin::new(&mut self.inner).start_send(message);
        started.map_err(|error| self.explain(&error))
    }

    fn poll_event(&mut self, context: &mut Context<'_>) -> Poll<Result<SocketEvent, SocketError>> {
        if self.poll_write(context)? {
            return Poll::Ready(Ok(SocketEvent::Written));
        }
        let Poll::Ready(read) = Pin::new(&mut self.inner).poll_next(context) else {
            return Poll::Pending;
        };
        let event = match read {
            None | Some(Ok(Message::Close(_))) => {
                // The answer to a close frame is queued; send it if the connection lets us.
                drop(Pin::new(&mut self.inner).poll_flush(context));
                SocketEvent::Closed
            }
            Some(Ok(Message::Binary(payload))) => SocketEvent::Binary(payload),
            Some(Ok(Message::Text(_))) => SocketEvent::Text,
            Some(Ok(Message::Ping(payload))) => {
                // Replaces the echo that is queued by default: pongs of this protocol are empty.
                self.start(Message::Pong(Bytes::new()))?;
                self.is_unwritten = true;
                self.poll_write(context)?;
                SocketEvent::Ping(payload)
            }
            Some(Ok(Message::Pong(_) | Message::Frame(_))) => SocketEvent::Pong,
            Some(Err(Error::ConnectionClosed | Error::AlreadyClosed)) => SocketEvent::Closed,
            Some(Err(error)) => return Poll::Ready(Err(self.explain(&error))),
        };
        Poll::Ready(Ok(event))
    }

    /// Writes on; true when everything queued has just gone out.
    fn poll_write(&mut self, context: &mut Context<'_>) -> Result<bool, SocketError> {
        if !self.is_unwritten {
            return Ok(false);
        }
        match Pin::new(&mut self.inner).poll_flush(context) {
            Poll::Pending => Ok(false),
            Poll::Ready(Ok(())) => {
                self.is_unwritten = false;
                Ok(true)
            }
            Poll::Ready(Err(error)) => Err(self.explain(&error)),
        }
    }

    fn explain(&self, error: &Error) -> SocketError {
        match error {
            Error::Capacity(_) => SocketError::TooLarge {
                limit: self.max_message,
            },
            other => SocketError::Failed(other.to_string()),
        }
    }
}
