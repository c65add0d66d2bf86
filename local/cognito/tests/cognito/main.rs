//! What a program sees that talks to the emulator through the unchanged AWS SDK.

#![expect(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a test that cannot go on has failed, and where is what one wants to read"
)]

mod accounts;
mod admin;
mod codes;
mod custom_auth;
mod durability;
mod pools;
mod secrets;
mod system;
mod tokens;
