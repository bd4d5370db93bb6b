//! Reading tokens.

use base64::Engine;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use serde_json::{Map, Value};

use super::key::is_algorithm;

const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::URL_SAFE,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

/// Undoes base64 in either alphabet, with or without padding.
pub(super) fn decode_base64(text: &[u8]) -> Option<Vec<u8>> {
    let safe: Vec<u8> = text
        .iter()
        .map(|byte| match byte {
            b'+' => b'-',
            b'/' => b'_',
            other => *other,
        })
        .collect();
    BASE64.decode(safe).ok()
}

/// A token that can be read; nothing is known about its signature.
#[derive(Debug)]
pub(super) struct Token<'t> {
    pub(super) header: Map<String, Value>,
    pub(super) claims: Map<String, Value>,
    /// What is signed.
    pub(super) signed: &'t [u8],
    pub(super) signature: Vec<u8>,
}

impl<'t> Token<'t> {
    /// Reads a token, or says what is wrong with it.
    pub(super) fn parse(text: &'t [u8]) -> Result<Self, &'static str> {
        const NO_JSON: &str = "Bad token; invalid JSON";
        let mut parts = text.splitn(3, |byte| *byte == b'.');
        let (header, claims) = (parts.next().unwrap_or_default(), parts.next());
        let claims = claims.ok_or(NO_JSON)?;
        let json = |part: &[u8]| serde_json::from_slice::<Value>(&decode_base64(part)?).ok();
        let (parsed_header, parsed_claims) =
            (json(header).ok_or(NO_JSON)?, json(claims).ok_or(NO_JSON)?);
        let Value::Object(parsed_header) = parsed_header else {
            return Err("Bad token; invalid alg");
        };
        let algorithm = parsed_header.get("alg").and_then(Value::as_str);
        if !algorithm.is_some_and(is_algorithm) {
            return Err("Bad token; invalid alg");
        }
        let parsed_claims = match parsed_claims {
            Value::Object(claims) => claims,
            // Compat: a list has no claims, but is no error of its own.
            Value::Array(_) => Map::new(),
            _ => return Err("Bad token; invalid claims"),
        };
        let signature = parts.next().and_then(decode_base64);
        let signature = signature.ok_or("Bad token; invalid signature")?;
        Ok(Self {
            signed: &text[..header.len() + 1 + claims.len()],
            header: parsed_header,
            claims: parsed_claims,
            signature,
        })
    }

    /// Name of the algorithm.
    pub(super) fn algorithm(&self) -> &str {
        self.header
            .get("alg")
            .and_then(Value::as_str)
            .unwrap_or_default()
    }

    /// What is wrong with the times of the token, by claim.
    pub(super) fn time_faults(&self, names: &[String], now: f64) -> Map<String, Value> {
        let mut faults = Map::new();
        for name in names {
            let fault = match (name.as_str(), self.claims.get(name).and_then(Value::as_f64)) {
                (_, None) => "must be a number",
                ("exp", Some(time)) if time <= now => "token expired",
                ("nbf", Some(time)) if time > now => "token not valid yet",
                _ => continue,
            };
            faults.insert(name.clone(), fault.into());
        }
        faults
    }
}
