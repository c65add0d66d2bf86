//! The scopes that each operation needs of a key.
//!
//! They are declared here once, enforced by [`Access`](crate::Access) and documented by [`openapi`](crate::openapi). A route
//! that no rule names reads with `read` and writes with `write` or `admin`.

use axum::extract::MatchedPath;
use axum::http::request::Parts;
use domain::KeyScope;

const NONE: &[KeyScope] = &[];
const READ: &[KeyScope] = &[KeyScope::Read];
const WRITE: &[KeyScope] = &[KeyScope::Write];
const ADMIN: &[KeyScope] = &[KeyScope::Admin];
const READ_AND_ADMIN: &[KeyScope] = &[KeyScope::Read, KeyScope::Admin];
const WRITE_AND_ADMIN: &[KeyScope] = &[KeyScope::Write, KeyScope::Admin];
const EVERY: &[KeyScope] = &KeyScope::ALL;

/// Routes whose scopes follow no other rule, by what their paths begin with: the first that fits decides, for each method.
///
/// The routes without a scope are for sessions, or say nothing about anybody; `/calls/users` needs the scope of the action
/// that its body names.
const RULES: &[(&str, &[KeyScope])] = &[
    ("/v1/auth/", NONE),
    ("/v1/oauth/", NONE),
    ("/v1/languages", NONE),
    ("/v1/audit", ADMIN),
    ("/v1/keys", ADMIN),
    ("/v1/developers", ADMIN),
    ("/v1/segments/{segment}/audit", ADMIN),
    ("/v1/segments/{segment}/keys", ADMIN),
    // An import writes users, and its report says which exist.
    ("/v1/segments/{segment}/imports", EVERY),
    ("/v1/segments/{segment}/exports", READ_AND_ADMIN),
    ("/v1/segments/{segment}/webhooks", ADMIN),
    ("/v1/users/{user}/magic-link", ADMIN),
    ("/v1/users/{user}/email/pending", WRITE),
    ("/v1/users/{user}/email/", NONE),
    ("/b2b/Language/", NONE),
    ("/b2b/login", NONE),
    ("/identity/oauth/", NONE),
    ("/calls/users", NONE),
    ("/calls/statuses", ADMIN),
    ("/flows/login", NONE),
    ("/platform/register", ADMIN),
    ("/platform/generate-token", ADMIN),
    ("/platform/login-magico/", NONE),
    ("/platform/partners/magic-link", ADMIN),
    // As `DELETE /v1/users/{user}?purge=true`.
    ("/platform/users/destroy-", WRITE_AND_ADMIN),
];

/// Parts of paths whose things are written with `write`; all others are configuration, and need `admin`.
const WRITTEN: &[&str] = &[
    "users",
    "addresses",
    "members",
    "answers",
    "points",
    "subscriptions",
    "uploads",
    "events",
    "devices",
    "notifications",
    // Those of the dialects.
    "User",
    "user",
    "address",
    "membership-user",
    "membership-custom-field-answer",
    "upload",
    "push",
];

/// Parts of paths that are configuration, whatever they stand under.
const CONFIGURED: &[&str] = &["mappings"];

/// Returns the scopes that a key needs for an operation, named by its method and the pattern of its path.
#[must_use]
pub fn required_scopes(method: &str, path: &str) -> &'static [KeyScope] {
    if let Some((_, scopes)) = RULES.iter().find(|(prefix, _)| path.starts_with(prefix)) {
        return scopes;
    }
    if method.eq_ignore_ascii_case("get") {
        return READ;
    }
    let has = |names: &[&str]| path.split('/').any(|part| names.contains(&part));
    if has(WRITTEN) && !has(CONFIGURED) { WRITE } else { ADMIN }
}

/// Returns the scopes that a key needs for this request.
pub(crate) fn required(parts: &Parts) -> &'static [KeyScope] {
    let path = parts.extensions.get::<MatchedPath>().map(MatchedPath::as_str);
    path.map_or(NONE, |path| required_scopes(parts.method.as_str(), path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_route_has_its_scopes() {
        for (method, path, scopes) in [
            ("get", "/v1/users/{user}", READ),
            ("patch", "/v1/users/{user}", WRITE),
            ("POST", "/v1/segments/{segment}/users/batch", WRITE),
            ("post", "/v1/segments/{segment}/imports", EVERY),
            ("post", "/v1/segments/{segment}/exports", READ_AND_ADMIN),
            ("get", "/v1/segments/{segment}/exports/{export}/content", READ_AND_ADMIN),
            ("post", "/v1/users/{user}/magic-link", ADMIN),
            ("post", "/v1/memberships/{membership}/fields", ADMIN),
            ("post", "/v1/memberships/{membership}/members", WRITE),
            ("get", "/v1/keys", ADMIN),
            ("post", "/identity/users/v1/custom-fields/mappings", ADMIN),
            ("put", "/flows/membership-user/{id}", WRITE),
            ("post", "/flows/membership-level", ADMIN),
            ("put", "/b2b/User/update/{id}", WRITE),
            ("put", "/b2b/BusinessPartner/update/{id}", ADMIN),
        ] {
            assert_eq!(required_scopes(method, path), scopes, "{method} {path}");
        }
    }
}
