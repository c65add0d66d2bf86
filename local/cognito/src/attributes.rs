//! What may be known about a user, and how it is written down.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::error::Failure;
use crate::pool::Pool;

/// `OpenID` Connect's standard claims, but for `sub`, which nobody may set.
const STANDARD: [&str; 19] = [
    "address",
    "birthdate",
    "email",
    "email_verified",
    "family_name",
    "gender",
    "given_name",
    "locale",
    "middle_name",
    "name",
    "nickname",
    "phone_number",
    "phone_number_verified",
    "picture",
    "preferred_username",
    "profile",
    "updated_at",
    "website",
    "zoneinfo",
];

pub(crate) type Attributes = BTreeMap<String, String>;

pub(crate) fn is_standard(name: &str) -> bool {
    STANDARD.contains(&name)
}

/// Refuses attributes that the pool does not have, and values that they cannot have.
pub(crate) fn conform(pool: &Pool, attributes: &Attributes) -> Result<(), Failure> {
    for (name, value) in attributes {
        if !is_standard(name) && !pool.custom_attributes.contains(name) {
            return Err(nonconforming(&format!("{name}: Attribute does not exist in the schema.")));
        }
        if value.chars().count() > 2048 {
            return Err(nonconforming(&format!("{name}: String must be no longer than 2048 characters")));
        }
        if name == "email" && !value.is_empty() && !looks_like_email(value) {
            return Err(Failure::invalid("Invalid email address format."));
        }
        if matches!(name.as_str(), "email_verified" | "phone_number_verified") && !matches!(&**value, "true" | "false")
        {
            return Err(nonconforming(&format!("{name}: Value must be true or false")));
        }
    }
    Ok(())
}

/// What a new user is made with; without the attributes that the pool requires there is none.
pub(crate) fn of_new_user(pool: &Pool, mut attributes: Attributes) -> Result<Attributes, Failure> {
    conform(pool, &attributes)?;
    attributes.retain(|_, value| !value.is_empty());
    match pool.required_attributes.iter().find(|name| !attributes.contains_key(*name)) {
        None => Ok(attributes),
        Some(name) => Err(nonconforming(&format!("{name}: The attribute {name} is required"))),
    }
}

/// `[{"Name": …, "Value": …}]`, `sub` first.
pub(crate) fn list(sub: &str, attributes: &Attributes) -> Vec<Value> {
    let sub = json!({ "Name": "sub", "Value": sub });
    let others = attributes.iter().map(|(name, value)| json!({ "Name": name, "Value": value }));
    std::iter::once(sub).chain(others).collect()
}

/// `j***@e***`, as Cognito hides an address from who may not be its owner.
pub(crate) fn mask(email: &str) -> String {
    let first = |text: &str| text.chars().next().map(String::from).unwrap_or_default();
    let (local, domain) = email.split_once('@').unwrap_or((email, ""));
    format!("{}***@{}***", first(local), first(domain))
}

fn looks_like_email(value: &str) -> bool {
    let parts = value.rsplit_once('@');
    parts.is_some_and(|(local, domain)| !local.is_empty() && !domain.is_empty())
        && !value.contains(|c: char| c.is_whitespace() || c.is_control())
}

fn nonconforming(what: &str) -> Failure {
    Failure::invalid(format!("Attributes did not conform to the schema: {what}\n"))
}
