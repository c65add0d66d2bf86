//! `/platform`.
