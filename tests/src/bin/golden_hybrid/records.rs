//! Reading recordings.

use std::io::Write;
use std::path::Path;

use base64::Engine as _;
use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::Value;

/// One line of a recording.
pub(crate) struct Record(Value);

/// All records of a scenario, in order.
pub(crate) struct Scenario {
    pub(crate) name: String,
    pub(crate) records: Vec<Record>,
}

/// Reads a file; scenarios keep their order.
pub(crate) fn read(path: &Path) -> Vec<Scenario> {
    let text = std::fs::read_to_string(path);
    let text = text.unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let mut scenarios: Vec<Scenario> = Vec::new();
    for line in text.lines() {
        let record: Value = serde_json::from_str(line).unwrap();
        let name = record["scenario"].as_str().unwrap().to_owned();
        match scenarios.iter_mut().find(|scenario| scenario.name == name) {
            Some(scenario) => scenario.records.push(Record(record)),
            None => scenarios.push(Scenario {
                name,
                records: vec![Record(record)],
            }),
        }
    }
    scenarios
}

impl Record {
    pub(crate) fn text(&self, member: &str) -> &str {
        self.0[member].as_str().unwrap_or_default()
    }

    pub(crate) fn value(&self, member: &str) -> &Value {
        &self.0[member]
    }

    /// `frame dp->cp ping`, `http-head cp->dp`, `status`.
    pub(crate) fn what(&self) -> String {
        let words = [
            self.text("kind"),
            self.text("direction"),
            self.text("opcode"),
        ];
        let words: Vec<_> = words.into_iter().filter(|word| !word.is_empty()).collect();
        words.join(" ")
    }

    /// The payload as it went over the wire, or one that says the same.
    pub(crate) fn payload(&self) -> Vec<u8> {
        for member in ["raw_base64", "payload_base64"] {
            if let Some(text) = self.0[member].as_str() {
                return base64::engine::general_purpose::STANDARD
                    .decode(text)
                    .unwrap();
            }
        }
        let content = match self.0["payload_text"].as_str() {
            Some(text) => text.as_bytes().to_vec(),
            None if self.0["json"].is_null() => b"x".to_vec(),
            None => self.0["json"].to_string().into_bytes(),
        };
        if self.text("encoding").starts_with("gzip") {
            let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
            encoder.write_all(&content).unwrap();
            return encoder.finish().unwrap();
        }
        content
    }
}
