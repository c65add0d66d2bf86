//! What Muster promises, one module a subject, all over HTTP against a fresh system each.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that meets something else than it expects has failed"
)]

mod addresses;
mod approval;
mod audit;
mod auth;
mod bad_input;
mod bad_routes;
mod catalog_races;
mod conventions;
mod cors;
mod costs;
mod crashes;
mod cursors;
mod deleted;
mod developers;
mod dialects;
mod directory;
mod directory_changes;
mod directory_crashes;
mod directory_faults;
mod directory_purge;
mod directory_races;
mod directory_search;
mod documents;
mod edge;
mod elsewhere;
mod events;
mod faults;
mod field_rights;
mod fields;
mod idempotency;
mod imports;
mod isolation;
mod jobs;
mod keys;
mod killed;
mod limits;
mod lock_out;
mod magic_links;
mod member_costs;
mod member_races;
mod members;
mod memberships;
mod metadata;
mod outbox;
mod partners;
mod permissions;
mod points;
mod products;
mod purge_traces;
mod push;
mod races;
mod recount;
mod reference;
mod references;
mod routes;
mod search;
mod secrecy;
mod secret_rotation;
mod secrets;
mod segment_costs;
mod segments;
mod self_purge;
mod sign_up;
mod silence;
mod statuses;
mod subscriptions;
mod system;
mod together;
mod tokens;
mod uploads;
mod user_costs;
mod usernames;
mod users;
mod webhooks;
mod world;
