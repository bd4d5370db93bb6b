//! Room `balancer`: to be filled.
