//! Who calls: a key of an account, and the name of who uses it.

use axum::extract::{FromRef, FromRequestParts};
use axum::http::request::Parts;
use domain::user::Person;
use domain::{Actor, Error, KeyId, KeyScope, Name, SegmentId, UserId};
use edge::{Access, App, Caller, Failure};
use store::PersonIn;

use crate::calls::ABSENT;
use crate::calls::request::Call;

/// Who calls. Whether the key holds is known after [`Caller::access`].
#[derive(Debug, Clone)]
pub(super) struct Agent {
    pub(super) caller: Caller,
    pub(super) account: UserId,
}

impl<S: Send + Sync> FromRequestParts<S> for Agent
where
    App: FromRef<S>,
{
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Failure> {
        let caller = Caller::from_request_parts(parts, state).await?;
        let id = parts.headers.get("api-id").and_then(|id| id.to_str().ok()?.parse::<KeyId>().ok());
        let own = id.is_some_and(|id| caller.actor() == Actor::Key(id));
        let account = caller.key_account().filter(|_| own).ok_or(Error::Unauthenticated)?;
        let name = parts.headers.get("api-user").map(|name| String::from_utf8_lossy(name.as_bytes()).into_owned());
        let name = name.as_deref().map(str::trim).filter(|name| !name.is_empty());
        let name =
            name.map(|name| Name::parse(name).map_err(|(code, message)| Error::invalid("/Api-user", code, message)));
        Ok(Self { caller: caller.named(name.transpose()?), account })
    }
}

impl Agent {
    /// Refuses keys that do not hold, that open one segment only, or lack the scope: 2 reads at once.
    pub(super) async fn holds(&self, scope: KeyScope) -> Result<Access, Error> {
        let access = self.caller.access().await?;
        access.account(scope)?;
        Ok(access)
    }

    /// The user that the person of a call is in its group: 1 read. It is of this account; whether the key holds is known
    /// once the user is read by [`Caller::acts`], or else told here.
    pub(super) async fn user(&self, app: &App, call: &Call, scope: KeyScope) -> Result<PersonIn, Error> {
        if self.caller.key_segment().is_some() || call.person.is_none() {
            self.holds(scope).await?;
        }
        let number = call.person.ok_or_else(|| Error::invalid("/clogin_id", "required", "is required"))?;
        let person = Person { account: self.account, number, segment: call.group };
        match app.store.person_in(person).await? {
            Some(found) => Ok(found),
            None => {
                self.group(app, call, scope).await?;
                Err(Error::invalid("/clogin_id", ABSENT, "is nobody's in this group"))
            }
        }
    }

    /// The segment that a call is about, for a key that holds and has the scope: 3 reads at once.
    pub(super) async fn group(&self, app: &App, call: &Call, scope: KeyScope) -> Result<SegmentId, Error> {
        let (holds, found) = tokio::join!(self.holds(scope), app.store.segment_by_number(self.account, call.group));
        let access = holds?;
        match found {
            Err(Error::NotFound) => Err(Error::invalid("/group_id", ABSENT, "is no group of this organization")),
            Ok(segment) => access.check_active(segment).map(|()| segment),
            failed => failed,
        }
    }
}
