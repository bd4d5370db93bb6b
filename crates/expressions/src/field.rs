//! The fields that expressions may name.

/// What a route listens to: it decides which fields there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Subsystem {
    /// Requests: `http`, `https`, `grpc`, `grpcs`.
    Http,
    /// Connections of layer 4.
    Stream,
}

/// The type of a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Text.
    Text,
    /// A number.
    Integer,
    /// An address.
    Address,
}

/// A field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Field {
    /// `net.protocol`
    Protocol,
    /// `tls.sni`
    Sni,
    /// `http.method`
    Method,
    /// `http.host`, without port.
    Host,
    /// `http.path`, in normal form, without query.
    Path,
    /// `http.path.segments.N` and `…N_M`: these segments, joined with slashes; absent when there are fewer.
    Segments {
        /// The first, from zero.
        first: usize,
        /// The last.
        last: usize,
    },
    /// `http.path.segments.len`: how many there are, an empty last one not counted.
    SegmentCount,
    /// `http.headers.name`: dashes of the name are written as underscores.
    Header(Box<str>),
    /// `http.queries.name`
    Query(Box<str>),
    /// `net.src.ip`
    SourceIp,
    /// `net.src.port`
    SourcePort,
    /// `net.dst.ip`
    DestinationIp,
    /// `net.dst.port`, also `net.port`.
    DestinationPort,
}

/// What a name stands for.
pub(crate) enum Named {
    /// A field.
    Field(Field),
    /// Segments of the path, wrongly numbered.
    BadSegments,
    /// Nothing.
    Unknown,
}

const SEGMENTS: &str = "http.path.segments.";
const HEADERS: &str = "http.headers.";
const QUERIES: &str = "http.queries.";

impl Field {
    /// Finds a field by its name.
    pub(crate) fn named(name: &str, subsystem: Subsystem) -> Named {
        let field = match name {
            "net.protocol" => Self::Protocol,
            "tls.sni" => Self::Sni,
            "net.src.ip" => Self::SourceIp,
            "net.src.port" => Self::SourcePort,
            "net.dst.ip" => Self::DestinationIp,
            "net.dst.port" | "net.port" => Self::DestinationPort,
            _ if subsystem == Subsystem::Stream => return Named::Unknown,
            "http.method" => Self::Method,
            "http.host" => Self::Host,
            "http.path" => Self::Path,
            _ => return Self::of_request(name),
        };
        Named::Field(field)
    }

    fn of_request(name: &str) -> Named {
        let own = |prefix| name.strip_prefix(prefix).filter(|rest| !rest.contains('.'));
        if let Some(rest) = own(SEGMENTS) {
            return segments(rest).map_or(Named::BadSegments, Named::Field);
        }
        let header = own(HEADERS).map(|name| Self::Header(name.into()));
        let field = header.or_else(|| own(QUERIES).map(|name| Self::Query(name.into())));
        field.map_or(Named::Unknown, Named::Field)
    }

    /// Its type.
    #[must_use]
    pub const fn kind(&self) -> Kind {
        match self {
            Self::SegmentCount | Self::SourcePort | Self::DestinationPort => Kind::Integer,
            Self::SourceIp | Self::DestinationIp => Kind::Address,
            Self::Protocol
            | Self::Sni
            | Self::Method
            | Self::Host
            | Self::Path
            | Self::Segments { .. }
            | Self::Header(_)
            | Self::Query(_) => Kind::Text,
        }
    }
}

fn segments(text: &str) -> Option<Field> {
    if text == "len" {
        return Some(Field::SegmentCount);
    }
    let Some((first, last)) = text.split_once('_') else {
        let first = number(text)?;
        return Some(Field::Segments { first, last: first });
    };
    let (first, last) = (number(first)?, number(last)?);
    (first < last).then_some(Field::Segments { first, last })
}

/// Decimal digits without leading zeros.
fn number(digits: &str) -> Option<usize> {
    let is_plain = digits.bytes().all(|byte| byte.is_ascii_digit());
    let is_padded = digits.len() > 1 && digits.starts_with('0');
    (is_plain && !is_padded)
        .then(|| digits.parse().ok())
        .flatten()
}
