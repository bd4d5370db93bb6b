//! Whole configurations as one document: files, wire tables, exports.
//!
//! A [`Document`] is parsed text that still knows the line of every node. Normalising it
//! against the catalogue gives a [`Config`]: flat tables of complete, valid entities. All
//! violations are reported, each with its path and line.
//!
//! This room does no input or output and stores nothing.

mod accepted;
mod config;
mod document;
mod error_body;
mod limits;
mod normalise;
mod problem;
mod render;
mod table;

pub use accepted::Accepted;
pub use config::Config;
pub use document::{Document, Format, NOT_AN_OBJECT, ParseError};
pub use error_body::{error_body, parse_error_body};
pub use limits::Limits;
pub use normalise::{Options, Surroundings};
pub use problem::{Problem, ProblemEntity};
pub use render::{TextForm, render_json, render_minimal, render_yaml, yaml_text};
pub use table::{PackedRows, packed_table};
