//! The dialects, each against the table of what its clients expect, and all against each other.

pub(crate) mod b2b;
mod calls;
mod flows;
pub(crate) mod identity;
pub(crate) mod platform;
