//! Parts of configurations that several plugins have in common, described once.

pub(crate) mod changes;
pub(crate) mod functions;
pub(crate) mod llm;
pub(crate) mod logs;
pub(crate) mod memory;
pub(crate) mod pairs;
pub(crate) mod periods;
pub(crate) mod propagation;
pub(crate) mod queue;
pub(crate) mod redis;
