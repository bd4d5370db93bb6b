//! What is kept of a connection or a session of datagrams: its line in the access log, the counters.
//!
//! Compat: the reference's format `basic`; statuses are those of its web server. Telemetry records
//! are of requests, so there are none here.

use std::net::IpAddr;

use crate::proxy::core::Core;
use crate::proxy::write_common_time;

/// How a connection ended, as the log says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Status {
    /// It was passed on.
    Done,
    /// What it began with could not be read.
    BadBeginning,
    /// A plugin closed it.
    Forbidden,
    /// No route takes it.
    NoRoute,
    /// No target could be reached.
    Unreachable,
}

impl Status {
    fn number(self) -> u16 {
        match self {
            Self::Done => 200,
            Self::BadBeginning => 400,
            Self::Forbidden => 403,
            Self::NoRoute => 500,
            Self::Unreachable => 502,
        }
    }
}

/// A connection or session that has ended.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ended {
    pub(crate) client: IpAddr,
    /// `TCP` or `UDP`.
    pub(crate) protocol: &'static str,
    pub(crate) status: Status,
    /// Bytes that went to the client.
    pub(crate) sent: u64,
    /// Bytes that came from the client.
    pub(crate) received: u64,
    /// When it began, in microseconds of the core.
    pub(crate) began: u64,
}

/// Counts it and writes its line.
pub(crate) fn note(core: &Core, ended: &Ended) {
    let counters = &core.counters;
    counters.stream_sent_bytes.add(ended.sent);
    counters.stream_received_bytes.add(ended.received);
    match ended.status {
        Status::Done => {}
        Status::Unreachable => counters.stream_unreachable.add(1),
        Status::BadBeginning | Status::Forbidden | Status::NoRoute => {
            counters.stream_refused.add(1);
        }
    }
    if core.stream_log.is_on() {
        let now = core.ticks.now();
        let time = core.ticks.unix_micros(now) / 1_000_000;
        let dropped = core
            .stream_log
            .line(|out| write_line(out, ended, time, now.saturating_sub(ended.began)));
        counters.log_dropped.add(dropped as u64);
    }
}

fn write_line(out: &mut Vec<u8>, ended: &Ended, time: u64, took: u64) {
    out.extend_from_slice(ended.client.to_string().as_bytes());
    out.extend_from_slice(b" [");
    write_common_time(out, time);
    let (seconds, millis) = (took / 1_000_000, took / 1000 % 1000);
    let rest = format!(
        "] {} {} {} {} {seconds}.{millis:03}\n",
        ended.protocol,
        ended.status.number(),
        ended.sent,
        ended.received,
    );
    out.extend_from_slice(rest.as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_has_the_fields_of_the_format_basic() {
        let ended = Ended {
            client: "10.0.0.1".parse().expect("an address"),
            protocol: "TCP",
            status: Status::Unreachable,
            sent: 5,
            received: 70,
            began: 0,
        };
        let mut out = Vec::new();
        write_line(&mut out, &ended, 1_795_507_972, 61_005_400);
        assert_eq!(
            String::from_utf8_lossy(&out),
            "10.0.0.1 [24/Nov/2026:08:12:52 +0000] TCP 502 5 70 61.005\n"
        );
    }
}
