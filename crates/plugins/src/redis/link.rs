//! One connection to a server.

use std::io;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::RedisError;
use super::reply::{Parsed, Value, parse};
use super::settings::Settings;
use crate::outcall::{Duplex, Trust, Verify, raise};

/// A connection that is ready for commands.
pub(super) struct Link {
    stream: Box<dyn Duplex>,
    received: Vec<u8>,
}

/// A command as the server reads it.
pub(super) fn encode(command: &[String]) -> Vec<u8> {
    let mut bytes = format!("*{}\r\n", command.len()).into_bytes();
    for part in command {
        bytes.extend_from_slice(format!("${}\r\n", part.len()).as_bytes());
        bytes.extend_from_slice(part.as_bytes());
        bytes.extend_from_slice(b"\r\n");
    }
    bytes
}

/// Whether a kept connection had ended before the command was read.
pub(super) fn is_stale(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::BrokenPipe | io::ErrorKind::ConnectionReset | io::ErrorKind::UnexpectedEof
    )
}

impl Link {
    /// Connects, proves who calls and chooses the database.
    pub(super) async fn open(settings: &Settings, trust: &Trust) -> Result<Self, RedisError> {
        let stream = TcpStream::connect((settings.host.as_str(), settings.port)).await?;
        stream.set_nodelay(true)?;
        let stream: Box<dyn Duplex> = if settings.is_tls {
            let verify = if settings.verifies {
                Verify::Yes
            } else {
                Verify::No
            };
            let tls = trust.config(verify);
            let tls = tls.ok_or_else(|| io::Error::other("TLS cannot be set up"))?;
            let name = settings.server_name.as_ref().unwrap_or(&settings.host);
            Box::new(raise(tls, name, stream).await?)
        } else {
            Box::new(stream)
        };
        let mut link = Self {
            stream,
            received: Vec::new(),
        };
        link.prepare(settings).await?;
        Ok(link)
    }

    async fn prepare(&mut self, settings: &Settings) -> Result<(), RedisError> {
        if let Some(password) = &settings.password {
            let mut command = vec!["AUTH".to_owned()];
            command.extend(settings.username.clone());
            command.push(password.clone());
            self.must(&command).await?;
        }
        if settings.database != 0 {
            let number = settings.database.to_string();
            self.must(&["SELECT".to_owned(), number]).await?;
        }
        Ok(())
    }

    async fn must(&mut self, command: &[String]) -> Result<(), RedisError> {
        match self.exchange(&encode(command)).await? {
            Value::Error(text) => Err(RedisError::Refused(text)),
            _ => Ok(()),
        }
    }

    /// Sends a command and reads its answer.
    pub(super) async fn exchange(&mut self, request: &[u8]) -> Result<Value, RedisError> {
        self.stream.write_all(request).await?;
        self.stream.flush().await?;
        loop {
            match parse(&self.received) {
                Parsed::Whole(value, length) => {
                    self.received.drain(..length);
                    return Ok(value);
                }
                Parsed::Malformed => return Err(RedisError::Odd),
                Parsed::Partial => {}
            }
            let mut buffer = [0; 4096];
            match self.stream.read(&mut buffer).await? {
                0 => return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into()),
                count => self.received.extend_from_slice(&buffer[..count]),
            }
        }
    }
}
