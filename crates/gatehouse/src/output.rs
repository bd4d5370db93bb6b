//! What is printed: results on standard output, everything else on standard error.

use std::io::Write as _;

/// Prints a result. A reader that went away is no error.
pub(crate) fn print(text: &str) {
    drop(writeln!(std::io::stdout().lock(), "{text}"));
}

/// Tells of a step, a warning or a fault.
pub(crate) fn tell(text: &str) {
    drop(writeln!(std::io::stderr().lock(), "{text}"));
}
