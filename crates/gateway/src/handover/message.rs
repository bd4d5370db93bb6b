//! What passes through the door: records of one length, each with one socket; a last one without;
//! then the successor's word that it is ready.

use std::io::{self, IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;

use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer,
    SendAncillaryMessage, SendFlags, recvmsg, sendmsg,
};

use super::sockets::{Held, Kind, MAX_SOCKETS};

/// Length of a record: a kind, an address, blanks.
const RECORD: usize = 80;
/// The last record.
const END: &str = "end";
/// The successor's word.
pub(super) const READY: &[u8; 6] = b"ready\n";

/// Sends all sockets.
pub(super) fn send_all(stream: &UnixStream, held: &[Held]) -> io::Result<()> {
    for held in held {
        let kind = match held.kind {
            Kind::Tcp => "tcp",
            Kind::Udp => "udp",
        };
        send(
            stream,
            &format!("{kind} {}", held.address),
            Some(&held.socket),
        )?;
    }
    send(stream, END, None)
}

fn send(stream: &UnixStream, text: &str, socket: Option<&OwnedFd>) -> io::Result<()> {
    let record = format!("{text:<RECORD$}");
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut control = SendAncillaryBuffer::new(&mut space);
    let sockets = socket.map(|socket| [socket.as_fd()]);
    if let Some(sockets) = &sockets
        && !control.push(SendAncillaryMessage::ScmRights(sockets))
    {
        return Err(io::ErrorKind::OutOfMemory.into());
    }
    let parts = [IoSlice::new(record.as_bytes())];
    // A record is short: the system takes it whole or not at all.
    let sent = sendmsg(stream, &parts, &mut control, SendFlags::NOSIGNAL)?;
    if sent == RECORD && record.len() == RECORD {
        Ok(())
    } else {
        Err(io::ErrorKind::WriteZero.into())
    }
}

/// Receives all sockets.
pub(super) fn receive_all(stream: &UnixStream) -> io::Result<Vec<Held>> {
    let mut all = Vec::new();
    loop {
        let (text, socket) = receive(stream)?;
        let (Some(socket), false) = (socket, all.len() >= MAX_SOCKETS) else {
            return if text == END {
                Ok(all)
            } else {
                Err(io::ErrorKind::InvalidData.into())
            };
        };
        let held = text.split_once(' ').and_then(|(kind, address)| {
            Some(Held {
                kind: match kind {
                    "tcp" => Kind::Tcp,
                    "udp" => Kind::Udp,
                    _ => return None,
                },
                address: address.parse().ok()?,
                socket,
            })
        });
        all.push(held.ok_or(io::ErrorKind::InvalidData)?);
    }
}

fn receive(stream: &UnixStream) -> io::Result<(String, Option<OwnedFd>)> {
    let mut record = [0; RECORD];
    let mut filled = 0;
    let mut socket = None;
    while filled < RECORD {
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
        let mut control = RecvAncillaryBuffer::new(&mut space);
        let mut parts = [IoSliceMut::new(&mut record[filled..])];
        let received = recvmsg(stream, &mut parts, &mut control, RecvFlags::CMSG_CLOEXEC)?;
        if received.bytes == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        filled += received.bytes;
        for message in control.drain() {
            if let RecvAncillaryMessage::ScmRights(sockets) = message {
                socket = sockets.last().or(socket);
            }
        }
    }
    let text = std::str::from_utf8(&record).map_err(|_| io::ErrorKind::InvalidData)?;
    Ok((text.trim_end().to_owned(), socket))
}
