//! `/calls`.
