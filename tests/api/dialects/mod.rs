//! The dialects, each against the table of what its clients expect, and all against each other.

mod all;
pub(crate) mod b2b;
pub(crate) mod calls;
pub(crate) mod flows;
pub(crate) mod identity;
pub(crate) mod platform;
