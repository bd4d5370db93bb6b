//! Bodies of the answers that the gateway makes itself: which form the client accepts, and how a
//! message looks in it.
//!
//! Compat: forms, texts and the order of preference are those of the reference.

use conf::ErrorType;

use crate::http1::trim;

/// The form of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    Json,
    Plain,
    Html,
    Xml,
    /// No body; status and message travel as gRPC fields.
    Grpc,
}

impl Form {
    /// The form of a node's `error_default_type`.
    pub(crate) fn of_setting(setting: ErrorType) -> Self {
        match setting.as_str() {
            "text/html" => Self::Html,
            "application/json" => Self::Json,
            "application/xml" => Self::Xml,
            "application/grpc" => Self::Grpc,
            _ => Self::Plain,
        }
    }

    /// The form an `Accept` value asks for: the highest quality wins, the first of equal ones;
    /// JSON where nothing known is named. Compared with regard to case, as in the reference.
    pub(crate) fn of_accept(accept: &[u8]) -> Self {
        let mut best = (Self::Json, 0);
        for member in accept.split(|byte| *byte == b',') {
            let mut parts = member.split(|byte| *byte == b';').map(trim);
            let form = match parts.next().unwrap_or_default() {
                b"application/json" | b"application/*" | b"*/*" => Self::Json,
                b"text/plain" | b"text/*" => Self::Plain,
                b"text/html" => Self::Html,
                b"application/xml" => Self::Xml,
                b"application/grpc" => Self::Grpc,
                _ => continue,
            };
            let quality = parts.find_map(quality).unwrap_or(1000);
            if quality > best.1 {
                best = (form, quality);
            }
        }
        best.0
    }

    /// The value of `Content-Type`.
    pub(crate) fn content_type(self) -> &'static str {
        match self {
            Self::Json => "application/json; charset=utf-8",
            Self::Plain => "text/plain; charset=utf-8",
            Self::Html => "text/html; charset=utf-8",
            Self::Xml => "application/xml; charset=utf-8",
            Self::Grpc => "",
        }
    }

    /// Renders a message.
    pub(crate) fn render(self, message: &str, request_id: &str) -> String {
        match self {
            Self::Json => format!(
                "{{\n  \"message\":{},\n  \"request_id\":\"{request_id}\"\n}}",
                serde_json::Value::from(message)
            ),
            Self::Plain => format!("{message}\nrequest_id: {request_id}\n"),
            Self::Html => format!(
                "<!doctype html>\n<html>\n  <head>\n    <meta charset=\"utf-8\">\n    \
                 <title>Error</title>\n  </head>\n  <body>\n    <h1>Error</h1>\n    \
                 <p>{}.</p>\n    <p>request_id: {request_id}</p>\n  </body>\n</html>\n",
                escape(message)
            ),
            Self::Xml => format!(
                "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<error>\n  <message>{}</message>\n  \
                 <requestid>{request_id}</requestid>\n</error>\n",
                escape(message)
            ),
            Self::Grpc => String::new(),
        }
    }
}

/// A quality parameter in thousandths.
fn quality(parameter: &[u8]) -> Option<u32> {
    let value = parameter.strip_prefix(b"q=")?;
    let text = std::str::from_utf8(value).ok()?;
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits: String = fraction.chars().chain("000".chars()).take(3).collect();
    Some(whole.parse::<u32>().ok()?.min(1) * 1000 + digits.parse::<u32>().ok()?)
}

/// Text inside HTML or XML.
pub(super) fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

/// The page of a web server, for redirects and the few errors that the reference leaves to it.
pub(crate) fn server_page(status: u16, reason: &str) -> String {
    format!(
        "<html>\r\n<head><title>{status} {reason}</title></head>\r\n<body>\r\n\
         <center><h1>{status} {reason}</h1></center>\r\n</body>\r\n</html>\r\n"
    )
}

/// The text of the gateway's own error with a status.
pub(crate) fn message(status: u16) -> &'static str {
    match status {
        400 => "Bad request",
        404 => "Not found",
        405 => "Method not allowed",
        408 => "Request timeout",
        411 => "Length required",
        412 => "Precondition failed",
        413 => "Payload too large",
        414 => "URI too long",
        417 => "Expectation failed",
        494 => "Request header or cookie too large",
        502 => "An invalid response was received from the upstream server",
        503 => "The upstream server is currently unavailable",
        504 => "The upstream server is timing out",
        _ => "An unexpected error occurred",
    }
}

/// Reason phrases as the reference sends them.
pub(crate) fn reason(status: u16) -> &'static str {
    match status {
        100 => "Continue",
        101 => "Switching Protocols",
        103 => "Early Hints",
        200 => "OK",
        201 => "Created",
        202 => "Accepted",
        204 => "No Content",
        206 => "Partial Content",
        301 => "Moved Permanently",
        302 => "Moved Temporarily",
        303 => "See Other",
        304 => "Not Modified",
        307 => "Temporary Redirect",
        308 => "Permanent Redirect",
        400 => "Bad Request",
        401 => "Unauthorized",
        402 => "Payment Required",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Not Allowed",
        406 => "Not Acceptable",
        408 => "Request Time-out",
        409 => "Conflict",
        410 => "Gone",
        411 => "Length Required",
        412 => "Precondition Failed",
        413 => "Request Entity Too Large",
        414 => "Request-URI Too Large",
        415 => "Unsupported Media Type",
        416 => "Requested Range Not Satisfiable",
        417 => "Expectation Failed",
        421 => "Misdirected Request",
        422 => "Unprocessable Entity",
        425 => "Too Early",
        428 => "Precondition Required",
        429 => "Too Many Requests",
        500 => "Internal Server Error",
        501 => "Not Implemented",
        502 => "Bad Gateway",
        503 => "Service Temporarily Unavailable",
        504 => "Gateway Time-out",
        505 => "HTTP Version Not Supported",
        507 => "Insufficient Storage",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_highest_quality_wins_and_the_first_of_equal_ones() {
        let cases: [(&str, Form); 9] = [
            (
                "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
                Form::Html,
            ),
            ("text/plain;q=0.3, application/xml;q=0.7", Form::Xml),
            ("text/*", Form::Plain),
            ("application/*", Form::Json),
            ("*/*", Form::Json),
            ("image/png", Form::Json),
            ("TEXT/HTML", Form::Json),
            ("", Form::Json),
            ("application/grpc", Form::Grpc),
        ];
        for (accept, form) in cases {
            assert_eq!(Form::of_accept(accept.as_bytes()), form, "{accept}");
        }
    }

    #[test]
    fn messages_are_rendered_byte_for_byte_and_escaped() {
        let json = Form::Json.render("a \"b\"", "id");
        assert_eq!(
            json,
            "{\n  \"message\":\"a \\\"b\\\"\",\n  \"request_id\":\"id\"\n}"
        );
        assert_eq!(Form::Plain.render("m", "id"), "m\nrequest_id: id\n");
        assert!(Form::Html.render("<m>", "id").contains("<p>&lt;m&gt;.</p>"));
        assert!(
            Form::Xml
                .render("<m>", "id")
                .contains("<message>&lt;m&gt;</message>")
        );
    }
}
