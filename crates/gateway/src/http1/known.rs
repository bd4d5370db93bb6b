//! Header fields the engine itself treats, told apart once when a head is parsed.

use super::token::eq_ignore_case;

macro_rules! known {
    ($($variant:ident = $name:literal),+ $(,)?) => {
        /// A header field name the engine acts on; everything else is [`Known::Other`].
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) enum Known {
            Other,
            $($variant),+
        }

        #[cfg(test)]
        pub(super) const ALL: &[(&str, Known)] = &[$(($name, Known::$variant)),+];
    };
}

known! {
    Accept = "accept",
    Connection = "connection",
    ContentLength = "content-length",
    ContentType = "content-type",
    Date = "date",
    Expect = "expect",
    Host = "host",
    KeepAlive = "keep-alive",
    KongDebug = "kong-debug",
    Proxy = "proxy",
    ProxyConnection = "proxy-connection",
    Referer = "referer",
    Server = "server",
    Te = "te",
    Trailer = "trailer",
    TransferEncoding = "transfer-encoding",
    Upgrade = "upgrade",
    UserAgent = "user-agent",
    Via = "via",
    AccelBuffering = "x-accel-buffering",
    AccelCharset = "x-accel-charset",
    AccelExpires = "x-accel-expires",
    AccelLimitRate = "x-accel-limit-rate",
    AccelRedirect = "x-accel-redirect",
    ForwardedFor = "x-forwarded-for",
    ForwardedHost = "x-forwarded-host",
    ForwardedPath = "x-forwarded-path",
    ForwardedPort = "x-forwarded-port",
    ForwardedPrefix = "x-forwarded-prefix",
    ForwardedProto = "x-forwarded-proto",
    ProxyLatency = "x-kong-proxy-latency",
    RequestId = "x-kong-request-id",
    UpstreamLatency = "x-kong-upstream-latency",
    UpstreamStatus = "x-kong-upstream-status",
    RealIp = "x-real-ip",
}

impl Known {
    /// Tells which field a name means, without regard to case.
    pub(crate) fn of(name: &[u8]) -> Self {
        match name.len() {
            2 => one(name, "te", Self::Te),
            3 => one(name, "via", Self::Via),
            4 => two(name, ("host", Self::Host), ("date", Self::Date)),
            5 => one(name, "proxy", Self::Proxy),
            6 => {
                let first = two(name, ("accept", Self::Accept), ("server", Self::Server));
                if first == Self::Other {
                    one(name, "expect", Self::Expect)
                } else {
                    first
                }
            }
            7 => {
                let first = two(name, ("upgrade", Self::Upgrade), ("referer", Self::Referer));
                if first == Self::Other {
                    one(name, "trailer", Self::Trailer)
                } else {
                    first
                }
            }
            9 => one(name, "x-real-ip", Self::RealIp),
            10 => {
                let first = two(
                    name,
                    ("user-agent", Self::UserAgent),
                    ("connection", Self::Connection),
                );
                if first != Self::Other {
                    return first;
                }
                two(
                    name,
                    ("keep-alive", Self::KeepAlive),
                    ("kong-debug", Self::KongDebug),
                )
            }
            12 => one(name, "content-type", Self::ContentType),
            14 => one(name, "content-length", Self::ContentLength),
            15 => {
                let first = one(name, "x-forwarded-for", Self::ForwardedFor);
                if first != Self::Other {
                    return first;
                }
                two(
                    name,
                    ("x-accel-charset", Self::AccelCharset),
                    ("x-accel-expires", Self::AccelExpires),
                )
            }
            16 => Self::of_sixteen(name),
            17 => Self::of_seventeen(name),
            18 => two(
                name,
                ("x-forwarded-prefix", Self::ForwardedPrefix),
                ("x-accel-limit-rate", Self::AccelLimitRate),
            ),
            20 => one(name, "x-kong-proxy-latency", Self::ProxyLatency),
            22 => one(name, "x-kong-upstream-status", Self::UpstreamStatus),
            23 => one(name, "x-kong-upstream-latency", Self::UpstreamLatency),
            _ => Self::Other,
        }
    }

    fn of_sixteen(name: &[u8]) -> Self {
        match name[12] | 0x20 {
            b'h' => one(name, "x-forwarded-host", Self::ForwardedHost),
            b'p' => two(
                name,
                ("x-forwarded-path", Self::ForwardedPath),
                ("x-forwarded-port", Self::ForwardedPort),
            ),
            b't' => one(name, "proxy-connection", Self::ProxyConnection),
            b'r' => one(name, "x-accel-redirect", Self::AccelRedirect),
            _ => Self::Other,
        }
    }

    fn of_seventeen(name: &[u8]) -> Self {
        match name[2] | 0x20 {
            b'f' => one(name, "x-forwarded-proto", Self::ForwardedProto),
            b'k' => one(name, "x-kong-request-id", Self::RequestId),
            b'a' if name[0] | 0x20 == b't' => {
                one(name, "transfer-encoding", Self::TransferEncoding)
            }
            b'a' => one(name, "x-accel-buffering", Self::AccelBuffering),
            _ => Self::Other,
        }
    }
}

fn one(name: &[u8], text: &str, known: Known) -> Known {
    if eq_ignore_case(name, text.as_bytes()) {
        known
    } else {
        Known::Other
    }
}

fn two(name: &[u8], first: (&str, Known), second: (&str, Known)) -> Known {
    match one(name, first.0, first.1) {
        Known::Other => one(name, second.0, second.1),
        known => known,
    }
}
