//! Measurements: the node beside nginx, HAProxy and Envoy on the same work, in the same run.
//!
//! `make bench` runs them. Figures are ratios taken within a round; see README.md here for how
//! they are taken and what they are worth. Nothing here asserts anything: tests never time.

pub mod case;
pub mod counts;
pub mod load;
pub mod machine;
pub mod peers;
pub mod report;
pub mod run;
pub mod subject;
