//! What the benches share that search among few and among many.

pub mod emulator;
pub mod meter;
pub mod random;
pub mod report;

/// What goes wrong here, in words for whoever runs a program.
pub type Failure = Box<dyn std::error::Error + Send + Sync>;
