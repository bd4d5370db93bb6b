//! What is kept of an answered request: the telemetry record and the access log line.

use plugin_api::HttpVersion;
pub(crate) use time_text::write_common;

use super::connection::Connection;
use super::core::Core;
use super::work::{Origin, Work};
use crate::http1::Known;
use crate::snapshot::RouteEntry;
use crate::telemetry::{Latencies, RequestRecord, Source};

/// Notes an answered request.
pub(crate) fn note(core: &Core, work: &Work, connection: &Connection, route: Option<&RouteEntry>) {
    if core.telemetry.is_enabled() {
        core.telemetry.push(&record(core, work, connection, route));
    }
    if core.access_log.is_on() {
        let dropped = core
            .access_log
            .line(|out| write_line(out, core, work, connection));
        core.counters.log_dropped.add(dropped as u64);
    }
}

fn record<'a>(
    core: &Core,
    work: &'a Work,
    connection: &Connection,
    route: Option<&RouteEntry>,
) -> RequestRecord<'a> {
    let notes = &work.notes;
    let upstream_us = match notes.answered {
        0 => 0,
        answered => answered.saturating_sub(notes.handed_on),
    };
    let gateway_end = if notes.handed_on == 0 {
        notes.ended
    } else {
        notes.handed_on
    };
    RequestRecord {
        started_at_ms: core.ticks.unix_micros(notes.started) / 1000,
        request_id: &work.request_id,
        method: work.method(),
        host: work.host(),
        path: work.head.fields.index.path.of(&work.bytes),
        status: notes.status,
        upstream_status: notes.upstream_status,
        service: route.and_then(|route| route.service.as_ref().map(|entry| entry.info.id)),
        route: route.map(|route| route.info.id),
        consumer: work.plugins.identity.consumer.as_ref().map(|c| c.id),
        latencies: Latencies {
            total_us: notes.ended.saturating_sub(notes.started),
            upstream_us,
            gateway_us: gateway_end.saturating_sub(notes.started),
        },
        request_bytes: notes.request_bytes,
        response_bytes: notes.response_bytes,
        client_ip: work.real_ip.unwrap_or(connection.client.ip),
        target: notes.target.as_deref(),
        source: match notes.source {
            Origin::Gateway => Source::Gateway,
            Origin::Plugin => Source::Plugin,
            Origin::Service => Source::Upstream,
        },
    }
}

/// Writes a line in the combined format with the request id behind it.
fn write_line(out: &mut Vec<u8>, core: &Core, work: &Work, connection: &Connection) {
    let notes = &work.notes;
    match work.real_ip {
        Some(ip) => out.extend_from_slice(ip.to_string().as_bytes()),
        None => out.extend_from_slice(&connection.client.ip_text),
    }
    out.extend_from_slice(b" - - [");
    write_common(out, core.ticks.unix_micros(notes.ended) / 1_000_000);
    out.extend_from_slice(b"] \"");
    let index = &work.head.fields.index;
    escaped(out, index.method.of(&work.bytes));
    out.push(b' ');
    escaped(out, index.target.of(&work.bytes));
    out.extend_from_slice(match index.version {
        HttpVersion::Http10 => b" HTTP/1.0\" ",
        HttpVersion::Http11 => b" HTTP/1.1\" ",
        HttpVersion::Http2 => b" HTTP/2.0\" ",
    });
    let mut number = itoa::Buffer::new();
    out.extend_from_slice(number.format(notes.status).as_bytes());
    out.push(b' ');
    out.extend_from_slice(number.format(notes.response_bytes).as_bytes());
    for kind in [Known::Referer, Known::UserAgent] {
        out.extend_from_slice(b" \"");
        escaped(
            out,
            work.head.fields.first(kind, &work.bytes).unwrap_or(b"-"),
        );
        out.push(b'"');
    }
    out.extend_from_slice(b" kong_request_id: \"");
    out.extend_from_slice(&work.request_id);
    out.extend_from_slice(b"\"\n");
}

/// Keeps a value inside its quotation marks and on its line.
fn escaped(out: &mut Vec<u8>, value: &[u8]) {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    for byte in value {
        if matches!(byte, b'"' | b'\\') || *byte < b' ' || *byte >= 0x7f {
            let high = DIGITS[usize::from(byte >> 4)];
            let low = DIGITS[usize::from(byte & 15)];
            out.extend_from_slice(&[b'\\', b'x', high, low]);
        } else {
            out.push(*byte);
        }
    }
}

mod time_text {
    //! Moments as the common log format writes them, in UTC.

    const MONTHS: &[u8; 36] = b"JanFebMarAprMayJunJulAugSepOctNovDec";

    /// Writes `24/Nov/2026:08:12:52 +0000`.
    pub(crate) fn write_common(out: &mut Vec<u8>, unix_seconds: u64) {
        let (day, second) = (unix_seconds / 86_400, unix_seconds % 86_400);
        let (year, month, day) = civil(day);
        two(out, day);
        out.push(b'/');
        let at = usize::try_from(month - 1).unwrap_or(0) * 3;
        out.extend_from_slice(&MONTHS[at..at + 3]);
        out.push(b'/');
        out.extend_from_slice(itoa::Buffer::new().format(year).as_bytes());
        for part in [second / 3600, second / 60 % 60, second % 60] {
            out.push(b':');
            two(out, part);
        }
        out.extend_from_slice(b" +0000");
    }

    fn two(out: &mut Vec<u8>, value: u64) {
        let digit = |value: u64| b'0' + u8::try_from(value % 10).unwrap_or(0);
        out.extend_from_slice(&[digit(value / 10), digit(value)]);
    }

    /// Year, month and day of a day number since the epoch, by counting in years of 400 years.
    fn civil(days: u64) -> (u64, u64, u64) {
        let shifted = days + 719_468;
        let era = shifted / 146_097;
        let of_era = shifted % 146_097;
        let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
        let of_year = of_era - (365 * year + year / 4 - year / 100);
        let month = (5 * of_year + 2) / 153;
        let day = of_year - (153 * month + 2) / 5 + 1;
        let month = if month < 10 { month + 3 } else { month - 9 };
        let year = year + era * 400 + u64::from(month <= 2);
        (year, month, day)
    }

    #[cfg(test)]
    mod tests {
        #[test]
        fn moments_are_written_in_the_common_log_format() {
            let text = |seconds| {
                let mut out = Vec::new();
                super::write_common(&mut out, seconds);
                String::from_utf8(out).expect("text")
            };
            assert_eq!(text(0), "01/Jan/1970:00:00:00 +0000");
            assert_eq!(text(951_827_696), "29/Feb/2000:12:34:56 +0000");
            assert_eq!(text(1_795_507_972), "24/Nov/2026:08:12:52 +0000");
        }
    }
}
