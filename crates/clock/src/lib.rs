//! Time and ids behind one door, so that tests can hold both still.
