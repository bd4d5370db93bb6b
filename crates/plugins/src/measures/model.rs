//! Calls of language models, as metrics know them.

/// What a plugin that calls a language model leaves in the locals of a request for those that
/// count.
#[derive(Clone, Debug, Default)]
pub(crate) struct ModelCall {
    /// Who runs the model.
    pub(crate) provider: String,
    /// Name of the model.
    pub(crate) model: String,
    /// Whether a cache answered; empty without one.
    pub(crate) cache_status: String,
    /// Tokens of the question.
    pub(crate) prompt_tokens: u64,
    /// Tokens of the answer.
    pub(crate) completion_tokens: u64,
    /// Money, by the prices that the configuration names.
    pub(crate) cost: f64,
    /// Milliseconds until the model answered.
    pub(crate) latency_ms: u64,
}
