//! The node: engine, snapshot, configuration intake, status API.

mod http1;
