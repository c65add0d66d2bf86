//! What Muster promises, one module a subject, all over HTTP against a fresh system each.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that meets something else than it expects has failed"
)]

mod addresses;
mod auth;
mod bad_input;
mod bad_routes;
mod conventions;
mod costs;
mod crashes;
mod cursors;
mod directory;
mod elsewhere;
mod events;
mod faults;
mod fields;
mod idempotency;
mod imports;
mod isolation;
mod jobs;
mod keys;
mod killed;
mod limits;
mod member_costs;
mod member_races;
mod members;
mod memberships;
mod meter;
mod points;
mod races;
mod routes;
mod search;
mod secrets;
mod segments;
mod sign_up;
mod silence;
mod system;
mod tokens;
mod uploads;
mod users;
mod world;
