//! Header fields the engine itself treats, told apart once when a head is parsed.

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
    Explain = "gatehouse-explain",
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
        let Some(first) = name.first().map(|byte| byte | 0x20) else {
            return Self::Other;
        };
        match (name.len(), first) {
            (2, _) => one(name, b"te", Self::Te),
            (3, _) => one(name, b"via", Self::Via),
            (4, b'h') => one(name, b"host", Self::Host),
            (4, _) => one(name, b"date", Self::Date),
            (5, _) => one(name, b"proxy", Self::Proxy),
            (6, b'a') => one(name, b"accept", Self::Accept),
            (6, b's') => one(name, b"server", Self::Server),
            (6, _) => one(name, b"expect", Self::Expect),
            (7, b'u') => one(name, b"upgrade", Self::Upgrade),
            (7, b'r') => one(name, b"referer", Self::Referer),
            (7, _) => one(name, b"trailer", Self::Trailer),
            (9, _) => one(name, b"x-real-ip", Self::RealIp),
            (10, b'u') => one(name, b"user-agent", Self::UserAgent),
            (10, b'c') => one(name, b"connection", Self::Connection),
            (10, _) if name[1] | 0x20 == b'e' => one(name, b"keep-alive", Self::KeepAlive),
            (10, _) => one(name, b"kong-debug", Self::KongDebug),
            (12, _) => one(name, b"content-type", Self::ContentType),
            (14, _) => one(name, b"content-length", Self::ContentLength),
            (15..=18, _) => Self::of_long(name),
            (20, _) => one(name, b"x-kong-proxy-latency", Self::ProxyLatency),
            (22, _) => one(name, b"x-kong-upstream-status", Self::UpstreamStatus),
            (23, _) => one(name, b"x-kong-upstream-latency", Self::UpstreamLatency),
            _ => Self::Other,
        }
    }

    fn of_long(name: &[u8]) -> Self {
        match (name.len(), name[2] | 0x20, name[12] | 0x20) {
            (15, b'f', _) => one(name, b"x-forwarded-for", Self::ForwardedFor),
            (15, _, b's') => one(name, b"x-accel-charset", Self::AccelCharset),
            (15, ..) => one(name, b"x-accel-expires", Self::AccelExpires),
            (16, _, b'h') => one(name, b"x-forwarded-host", Self::ForwardedHost),
            (16, _, b'p') if name[13] | 0x20 == b'a' => {
                one(name, b"x-forwarded-path", Self::ForwardedPath)
            }
            (16, _, b'p') => one(name, b"x-forwarded-port", Self::ForwardedPort),
            (16, _, b't') => one(name, b"proxy-connection", Self::ProxyConnection),
            (16, ..) => one(name, b"x-accel-redirect", Self::AccelRedirect),
            (17, b'f', _) => one(name, b"x-forwarded-proto", Self::ForwardedProto),
            (17, b'k', _) => one(name, b"x-kong-request-id", Self::RequestId),
            (17, ..) if name[0] | 0x20 == b't' => {
                one(name, b"transfer-encoding", Self::TransferEncoding)
            }
            (17, ..) if name[0] | 0x20 == b'g' => one(name, b"gatehouse-explain", Self::Explain),
            (17, ..) => one(name, b"x-accel-buffering", Self::AccelBuffering),
            (_, b'f', _) => one(name, b"x-forwarded-prefix", Self::ForwardedPrefix),
            _ => one(name, b"x-accel-limit-rate", Self::AccelLimitRate),
        }
    }

    /// Whether the field says something about this hop that is read when it comes.
    #[inline]
    pub(super) const fn is_read_at_once(self) -> bool {
        const THESE: u64 = Known::Connection.bit()
            | Known::ContentLength.bit()
            | Known::TransferEncoding.bit()
            | Known::Host.bit()
            | Known::Expect.bit();
        self.bit() & THESE != 0
    }

    /// A bit of its own for each.
    pub(super) const fn bit(self) -> u64 {
        1 << (self as u32)
    }
}

/// Compares with `text`, which is in lower case.
fn one<const N: usize>(name: &[u8], text: &[u8; N], known: Known) -> Known {
    if is_lower_case_of(name, text) {
        known
    } else {
        Known::Other
    }
}

/// Whether `bytes` are `text`, which is in lower case, but for the case of letters. Written so that
/// all bytes are compared at once.
#[inline]
pub(crate) fn is_lower_case_of<const N: usize>(bytes: &[u8], text: &[u8; N]) -> bool {
    let Ok(bytes) = <&[u8; N]>::try_from(bytes) else {
        return false;
    };
    let mut differs = 0;
    for (byte, wanted) in bytes.iter().zip(text) {
        let case = if wanted.is_ascii_lowercase() { 0x20 } else { 0 };
        differs |= (byte | case) ^ wanted;
    }
    differs == 0
}
