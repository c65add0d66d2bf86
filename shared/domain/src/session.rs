//! Sessions: what a login begins and goes on by refreshing, on one device.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use crate::audit::Origin;
use crate::clock::Time;
use crate::field::{Field as _, Object, nullable, response_object, string_schema};
use crate::id::{SessionId, UserId};

/// A session of a user.
#[derive(Clone, Serialize, Deserialize)]
pub struct UserSession {
    /// The id; ids sort by the time of the login.
    pub id: SessionId,
    /// The user.
    pub user_id: UserId,
    /// The session's name in its tokens.
    pub token_session: String,
    /// When it began by Cognito's clock, in seconds since 1970.
    pub began: i64,
    /// How often its refresh token has been replaced.
    pub generation: u64,
    /// The time of the login.
    pub created_at: Time,
    /// The time of the last login or refresh.
    pub last_used_at: Time,
    /// The source address of the last login or refresh.
    pub address: Option<IpAddr>,
    /// The `User-Agent` header of the last login or refresh, cut to 256 characters.
    pub agent: Option<String>,
    /// Whether the request came with this session's token.
    #[serde(skip)]
    pub current: bool,
}

impl UserSession {
    /// A session that begins now, with tokens that name it so.
    #[must_use]
    pub fn new(user_id: UserId, (token_session, began): (String, i64), origin: Option<&Origin>) -> Self {
        let id = SessionId::fresh();
        let created_at = Time::of(id.uuid());
        Self {
            id,
            user_id,
            token_session,
            began,
            generation: 0,
            created_at,
            last_used_at: created_at,
            address: origin.and_then(|origin| origin.address),
            agent: origin.and_then(|origin| origin.agent.clone()),
            current: false,
        }
    }
}

/// Hides all but the ids: where somebody signs in is personal data.
impl std::fmt::Debug for UserSession {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "UserSession({} of {})", self.id, self.user_id)
    }
}

impl Object for UserSession {
    fn version(&self) -> u64 {
        self.generation + 1
    }

    fn show(&self) -> Value {
        json!({
            "id": self.id.show(),
            "user_id": self.user_id.show(),
            "created_at": self.created_at.show(),
            "last_used_at": self.last_used_at.show(),
            "address": self.address,
            "agent": self.agent,
            "current": self.current,
        })
    }
}

impl PartialSchema for UserSession {
    fn schema() -> RefOr<Schema> {
        let flag: RefOr<Schema> = ObjectBuilder::new().schema_type(Type::Boolean).into();
        let agent = "The `User-Agent` header of the last login or refresh, at most 256 characters.";
        let fields = vec![
            ("id", "The session's id; ids sort by the time of the login.", true, SessionId::response_schema()),
            ("user_id", "The user.", true, UserId::response_schema()),
            ("created_at", "Time of the login.", true, Time::response_schema()),
            ("last_used_at", "Time of the last login or refresh.", true, Time::response_schema()),
            ("address", "Source address of the last login or refresh.", true, nullable(string_schema())),
            ("agent", agent, true, nullable(string_schema())),
            ("current", "Whether the request came with this session's token.", true, flag),
        ];
        let example = json!({
            "id": "0199d2a4-5c00-7000-8000-000000005e55", "user_id": "0199d2a4-5c00-7000-8000-000000000001",
            "created_at": "2026-11-21T10:00:00.000Z", "last_used_at": "2026-11-21T11:00:00.000Z",
            "address": "192.0.2.7", "agent": "Mozilla/5.0", "current": true
        });
        response_object("A session of a user.", Some(example), fields)
    }
}

impl ToSchema for UserSession {}
