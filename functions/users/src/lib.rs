//! `/v1/users` and `/v1/segments/{segment}/users`: users from sign-up or creation to purge.

use domain::{Error, KeyScope, SegmentId, UserId};
use edge::{App, Caller, Subject, UserRef};
use identity::Identity;
use store::Pending;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

mod batch;
pub mod change;
mod changes;
mod create;
pub mod delete;
mod emails;
mod exists;
mod family;
mod history;
mod list;
mod magic_link;
mod number;
mod own_email;
pub mod password;
mod read;
mod restore;
mod sessions;
pub mod sign_up;
mod together;
pub mod verify;

pub use auth::State;
pub use batch::each_alone;
pub use change::{changed, changed_in, with_status};
pub use create::{made, made_with_number};
pub use delete::{How, gone, purge};
pub use emails::recorded;
pub use family::{children, find_parent};
pub use list::{Users, asks_for_deleted};
pub use magic_link::{MagicLink, check_links, new_link, new_token, open_link};
pub use number::numbered;
pub use own_email::{EmailCode, prove_email};
pub use together::together;

/// The routes.
pub fn router() -> OpenApiRouter<State> {
    OpenApiRouter::new()
        .routes(routes!(sign_up::sign_up))
        .routes(routes!(exists::exists))
        .routes(routes!(read::read, change::change, delete::delete))
        .routes(routes!(verify::verify))
        .routes(routes!(verify::resend))
        .routes(routes!(password::change_password))
        .routes(routes!(restore::restore))
        .routes(routes!(history::history))
        .merge(of_sign_in())
        .merge(of_segments())
}

/// The routes of what signs a user in: its e-mail, sessions and magic links.
fn of_sign_in() -> OpenApiRouter<State> {
    OpenApiRouter::new()
        .routes(routes!(own_email::verify_email))
        .routes(routes!(own_email::resend_email_code))
        .routes(routes!(own_email::cancel_email))
        .routes(routes!(own_email::show_undo, own_email::undo_email))
        .routes(routes!(sessions::list_sessions, sessions::end_sessions))
        .routes(routes!(sessions::end_session))
        .routes(routes!(magic_link::create_link))
        .routes(routes!(magic_link::show_link, magic_link::redeem_link))
}

fn of_segments() -> OpenApiRouter<State> {
    OpenApiRouter::new()
        .routes(routes!(family::family))
        .routes(routes!(number::number))
        .routes(routes!(emails::record))
        .routes(routes!(list::list, create::create))
        .routes(routes!(list::deleted))
        .routes(routes!(changes::changes))
        .routes(routes!(batch::batch))
}

/// The user that the path names, with no abandoned change left on it.
async fn settled(
    (app, identity): (&App, &Identity),
    caller: &Caller,
    user: UserRef,
    scope: KeyScope,
) -> Result<Subject, Error> {
    let subject = caller.acts(user, scope).await?;
    if !subject.record.pending.is_some_and(Pending::is_abandoned) {
        return Ok(subject);
    }
    reconcile::settled(&app.store, identity, subject.record).await?;
    // Settling may have ended the caller's own session, which is then told so.
    caller.acts(user, scope).await
}

/// The user, if it is one of `segment`, where one is named.
fn within(segment: Option<SegmentId>, subject: Subject) -> Result<Subject, Error> {
    let fits = segment.is_none_or(|segment| subject.record.user.segment_id == Some(segment));
    if fits { Ok(subject) } else { Err(Error::NotFound) }
}

/// Where a user is to be found.
fn location(id: UserId) -> String {
    format!("/v1/users/{id}")
}
