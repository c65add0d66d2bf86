//! `/flows`.
