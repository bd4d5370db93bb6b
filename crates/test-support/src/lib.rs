//! Room `test-support`: to be filled.
