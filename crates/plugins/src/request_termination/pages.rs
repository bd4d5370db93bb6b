//! What a status without body and message looks like: the page that the core of the gateway has
//! for it, or nothing.
//!
//! Compat: statuses, titles and markup are those that clients of the reference see.

use bytes::Bytes;
use plugin_api::{Reply, ReplyBody, ResponseSource};

/// The answer of a bare status.
pub(super) fn bare(status: u16) -> Reply {
    if let Some(message) = gateway_message(status) {
        let body = ReplyBody::GatewayError(Bytes::from_static(message.as_bytes()));
        return Reply::with_body(status, body);
    }
    let Some(title) = title(status) else {
        return Reply::with_body(status, ReplyBody::Empty);
    };
    let page = format!(
        "<html>\r\n<head><title>{title}</title></head>\r\n<body>\r\n\
         <center><h1>{title}</h1></center>\r\n</body>\r\n</html>\r\n"
    );
    let content_type = match status {
        300..=399 => "text/html",
        _ => "text/html; charset=UTF-8",
    };
    let page = Reply::with_body(status, ReplyBody::Raw(page.into()));
    Reply {
        // The page is the core's, not the plugin's; it looks like the core's own errors.
        source: ResponseSource::Error,
        ..page.header("Content-Type", content_type)
    }
}

/// Statuses for which the gateway has a message of its own.
const fn gateway_message(status: u16) -> Option<&'static str> {
    Some(match status {
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
        500 => "An unexpected error occurred",
        502 => "An invalid response was received from the upstream server",
        503 => "The upstream server is currently unavailable",
        504 => "The upstream server is timing out",
        _ => return None,
    })
}

/// Statuses for which there is an HTML page.
const fn title(status: u16) -> Option<&'static str> {
    Some(match status {
        301 => "301 Moved Permanently",
        302 => "302 Found",
        303 => "303 See Other",
        307 => "307 Temporary Redirect",
        308 => "308 Permanent Redirect",
        401 => "401 Authorization Required",
        402 => "402 Payment Required",
        403 => "403 Forbidden",
        406 => "406 Not Acceptable",
        409 => "409 Conflict",
        410 => "410 Gone",
        415 => "415 Unsupported Media Type",
        416 => "416 Requested Range Not Satisfiable",
        421 => "421 Misdirected Request",
        429 => "429 Too Many Requests",
        501 => "501 Not Implemented",
        505 => "505 HTTP Version Not Supported",
        507 => "507 Insufficient Storage",
        _ => return None,
    })
}
