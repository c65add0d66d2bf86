//! Sessions: what a login begins and goes on by refreshing, on one device.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;

use crate::audit::Origin;
use crate::clock::Time;
use crate::field::{Field as _, Object};
use crate::id::{SessionId, UserId};

/// A session of a user.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
pub struct UserSession {
    /// The id; ids sort by the time of the login.
    pub id: SessionId,
    /// The user.
    pub user_id: UserId,
    /// The session's name in its tokens.
    #[schema(ignore)]
    pub token_session: String,
    /// When it began by Cognito's clock, in seconds since 1970.
    #[schema(ignore)]
    pub began: i64,
    /// How often its refresh token has been replaced.
    #[schema(ignore)]
    pub generation: u64,
    /// The time of the login.
    pub created_at: Time,
    /// The time of the last login or refresh.
    pub last_used_at: Time,
    /// The source address of the last login or refresh.
    #[schema(value_type = Option<String>)]
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
