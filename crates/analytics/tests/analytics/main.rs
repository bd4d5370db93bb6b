//! Telemetry from batch to answer, on real files.

#[cfg(test)]
mod bounds;
#[cfg(test)]
mod common;
#[cfg(test)]
mod counting;
#[cfg(test)]
mod file;
#[cfg(test)]
mod queries;
