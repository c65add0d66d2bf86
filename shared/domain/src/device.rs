//! Devices: where push notifications reach a user.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::openapi::{RefOr, Schema};

use crate::error::FieldError;
use crate::field::{Field, Pointer};
use crate::id::{DeviceId, UserId};
use crate::text::{Broken, Code, Kind, Name, plain, text_schema};
use crate::{body, object, words};

/// So many devices a user has at most.
pub const MOST_DEVICES: usize = 20;

words! {
    /// Through whom a device is reached.
    pub enum Platform as "PushPlatform" {
        /// Apple's service, for apps from its store.
        Apns = "apns",
        /// Apple's service for apps under development.
        ApnsSandbox = "apns_sandbox",
        /// Google's Firebase Cloud Messaging.
        Fcm = "fcm",
    }
}

/// What Apple or Google has given an app on a device. Whoever has it may be able to reach the device, so it is shown by
/// its last characters alone, and never printed.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub struct PushToken(String);

impl PushToken {
    const MOST: usize = 2048;

    /// The token itself, for whoever sends.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// The token `text`.
    ///
    /// # Errors
    /// The rule that it breaks.
    pub fn parse(text: &str) -> Result<Self, Broken> {
        match text.len() {
            0..8 => Err(("too_short", "must have at least 8 characters")),
            8..=Self::MOST if text.bytes().all(|byte| byte.is_ascii_graphic()) => Ok(Self(text.to_owned())),
            8..=Self::MOST => Err(("invalid_token", "must be the token of a device, without spaces")),
            _ => Err(("too_long", "must have at most 2048 characters")),
        }
    }
}

impl fmt::Debug for PushToken {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("PushToken(…)")
    }
}

impl TryFrom<String> for PushToken {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(&text).map_err(|(_, message)| message)
    }
}

impl Field for PushToken {
    fn read(value: Value, at: &Pointer, errors: &mut Vec<FieldError>) -> Option<Self> {
        let text = plain(value, at, errors)?;
        Self::parse(&text).map_err(|(code, message)| errors.push(at.error(code, message))).ok()
    }

    /// Its last four characters: enough to recognise, not enough to use.
    fn show(&self) -> Value {
        let end: String = self.0.chars().skip(self.0.len().saturating_sub(4)).collect();
        format!("…{end}").into()
    }

    fn schema() -> RefOr<Schema> {
        text_schema(Kind::plain, Self::MOST, "740f4707bebcf74f9b7c25d48e3358945f6aa01da5ddb387462c7eaf61bb78ad")
    }
}

body! {
    /// What an app says of the device that it runs on.
    #[derive(PartialEq, Eq, Serialize, Deserialize)]
    pub struct DeviceFields {
        /// Through whom it is reached.
        pub platform: Platform,
        /// What Apple or Google has given the app; shown by its last four characters alone.
        pub token: PushToken,
        /// What the user calls it.
        pub name: Option<Name>,
        /// The version of the app.
        pub app_version: Option<Code>,
    }
    example {
        "platform": "apns", "token": "740f4707bebcf74f9b7c25d48e3358945f6aa01da5ddb387462c7eaf61bb78ad",
        "name": "Ana's phone", "app_version": "2.1.0"
    }
}

object! {
    /// A device that push notifications reach a user on.
    pub struct Device of DeviceFields {
        /// Its id.
        pub id: DeviceId = "0199d2a4-5c00-7000-8000-00000000dc01",
        /// Whose it is.
        pub user_id: UserId = "0199d2a4-5c00-7000-8000-000000000001",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Time;
    use crate::field::{Body as _, Object as _};

    #[test]
    fn a_token_is_shown_by_its_end_and_never_printed() -> Result<(), crate::Error> {
        let fields = DeviceFields::parse(DeviceFields::example())?;
        let device = Device::new(DeviceId::fresh(), UserId::fresh(), fields, Time::now());
        assert_eq!(device.show()["token"], "…78ad");
        assert!(!format!("{device:?}{}", device.show()).contains("740f"));
        Ok(())
    }

    #[test]
    fn a_token_has_its_rules() {
        for (text, expected) in [
            ("x".repeat(7), Some("too_short")),
            ("x".repeat(8), None),
            ("x".repeat(2048), None),
            ("x".repeat(2049), Some("too_long")),
            ("with a space".to_owned(), Some("invalid_token")),
            ("not-ascií-at-all".to_owned(), Some("invalid_token")),
        ] {
            assert_eq!(PushToken::parse(&text).err().map(|(code, _)| code), expected, "{text:.20}");
        }
    }
}
