//! `POST /v1/auth/login`.

use axum::extract::State;
use domain::text::Secret;
use domain::user::Unique;
use domain::{Action, Actor, Document, Email, Entry, Error, SegmentId, Status, Time, UserId, Username, body};
use edge::{Answer, App, Body, Rendered, RequestId, Visitor};
use identity::{Identity, LoggedIn};
use store::{Also, Scope, UserRecord};

use crate::TokenSet;

body! {
    /// Who logs in: one of e-mail, username or document, and the password.
    pub struct Login {
        /// The user's e-mail.
        pub email: Option<Email>,
        /// Or its username.
        pub username: Option<Username>,
        /// Or its identity document.
        pub document: Option<Document>,
        /// The password.
        pub password: Secret,
        /// The segment of a segment user.
        pub segment_id: Option<SegmentId>,
    }
    example { "email": "ana@example.com", "password": "correct horse battery" }
}

impl Login {
    /// The one value that names the user.
    fn named(&self) -> Result<Unique, Error> {
        let given = [
            self.email.as_ref().map(Unique::email),
            self.username.as_ref().map(Unique::username),
            self.document.as_ref().map(Unique::identification),
        ];
        let mut given = given.into_iter().flatten();
        match (given.next(), given.next()) {
            (Some(one), None) => Ok(one),
            _ => Err(Error::invalid("", "one_of", "Name the user by exactly one of email, username and document.")),
        }
    }
}

/// Logs in.
///
/// A wrong password, an unknown user and a blocked user get the same answer.
#[utoipa::path(post, path = "/v1/auth/login", tag = "auth", security(()), request_body = Login,
    responses((status = 200, description = "Tokens.", body = TokenSet)))]
pub(crate) async fn login(
    State(app): State<App>,
    State(identity): State<Identity>,
    visitor: Visitor,
    request_id: RequestId,
    Body(login): Body<Login>,
) -> Answer<Rendered> {
    let named = login.named()?;
    let scope = Scope::from(login.segment_id);
    let account = format!("{scope:?}|{}|{}", named.field, named.value);
    let (counted, found) = tokio::join!(visitor.logs_in(&account), find(&app, scope, &named));
    counted?;
    let found = found?;
    // For whoever cannot log in, Cognito is asked all the same, so that neither answer nor time tells why.
    let id = found.as_ref().map_or_else(UserId::fresh, |record| record.user.id);
    match (identity.login(id, login.password.reveal()).await?, found) {
        (LoggedIn::Tokens(tokens), Some(record)) => {
            if record.user.status == Status::Unverified {
                activate(&app, &record, &request_id).await?;
            }
            Ok(TokenSet::answer(id, tokens, None))
        }
        (LoggedIn::Unverified, Some(_)) => Err(Error::Unverified(id).into()),
        (LoggedIn::Wrong, _) | (_, None) => Err(Error::Unauthenticated.into()),
    }
}

/// The user who may try a password: 2 reads, whether there is one or not.
pub(crate) async fn find(app: &App, scope: Scope, named: &Unique) -> Result<Option<UserRecord>, Error> {
    let holder = app.store.holder(scope, named).await?;
    let record = app.store.user(holder.unwrap_or_else(UserId::fresh)).await?;
    Ok(record.filter(|record| matches!(record.user.status, Status::Active | Status::Unverified)))
}

/// Cognito has confirmed the user, the table has not heard of it: the verification was cut off in between.
async fn activate(app: &App, record: &UserRecord, request_id: &RequestId) -> Result<(), Error> {
    let user = record.user.moved(Status::Active, None, Time::now());
    let entry = Entry::between(Some(&record.user), &user, (Action::Verified, Actor::User(user.id), &request_id.0));
    match app.store.change_user(record, &user, &entry, Also::default()).await {
        // Whoever was faster has done the same.
        Ok(_) | Err(Error::Stale) => Ok(()),
        Err(error) => Err(error),
    }
}
