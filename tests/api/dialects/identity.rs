//! `/identity`.
