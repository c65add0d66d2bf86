//! The whole of Muster in one process: the routers of all functions on one port, and emulators of DynamoDB, S3 and
//! Cognito on the three ports after it, which the functions reach over HTTP as they reach AWS.

mod emulators;
mod error;
mod events;
mod functions;
mod gateway;
mod meter;
mod outbox;
mod permissions;
mod server;
mod stream;
mod system;

pub use emulators::Emulators;
pub use error::Error;
pub use events::deliver;
pub use functions::{Endpoints, Functions, Wiring};
pub use meter::{Cost, Meter};
pub use outbox::{Outbox, Sent};
pub use permissions::{Permissions, list_grants};
pub use server::serve;
pub use system::{Options, System, notify, reconcile, transfer};
