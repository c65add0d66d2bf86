//! `GET /v1/users/{user}/family`.

use axum::extract::State;
use domain::{Error, KeyScope, Object as _, Role, User};
use edge::{Answer, App, Caller, Path, Rendered, UserRef};
use serde_json::json;
use store::From;
use store::search::{Filter, Match, Search, Test, Value};
use utoipa::ToSchema;

/// A user's family.
#[derive(Debug, ToSchema)]
pub(crate) struct Family {
    /// The parent; null if the user has none.
    #[schema(required = true)]
    #[expect(dead_code, reason = "the shape of the answer, for the OpenAPI document")]
    parent: Option<User>,
    #[expect(dead_code, reason = "the shape of the answer, for the OpenAPI document")]
    /// The children, in the order of their creation.
    children: Vec<User>,
}

/// Reads the parent and the children of a user of a segment, without those who are deleted; children in the order in
/// which they were made.
#[utoipa::path(get, path = "/v1/users/{user}/family", tag = "users", operation_id = "get_user_family",
    responses((status = 200, description = "The family.", body = Family)))]
pub(crate) async fn family(State(app): State<App>, caller: Caller, Path(user): Path<UserRef>) -> Answer<Rendered> {
    let subject = caller.acts(user, KeyScope::Read).await?;
    if subject.role == Role::Itself && subject.record.user.segment_id.is_some() {
        return Err(Error::Forbidden("Only the owner of the segment sees families.").into());
    }
    let (parent, children) = relatives(&app, &subject.record.user).await?;
    let children: Vec<_> = children.iter().map(User::show).collect();
    Ok(Rendered(json!({ "parent": parent.map(|parent| parent.show()), "children": children })))
}

/// The parent and the children of a user who are not deleted.
async fn relatives(app: &App, user: &User) -> Result<(Option<User>, Vec<User>), Error> {
    let (parent, children) = tokio::try_join!(find_parent(app, user), children(app, user, usize::MAX))?;
    let parent = parent.filter(|parent| parent.status != domain::Status::Deleted);
    Ok((parent, children))
}

/// Finds the parent of a user, which must be a user of the same segment, whatever the table says: 1 read if it names one.
///
/// # Errors
/// [`Error::Unavailable`].
pub async fn find_parent(app: &App, user: &User) -> Result<Option<User>, Error> {
    let (Some(parent), Some(segment)) = (user.fields.parent_id, user.segment_id) else { return Ok(None) };
    let found = app.store.user(parent).await?.map(|record| record.user);
    Ok(found.filter(|parent| parent.segment_id == Some(segment)))
}

/// The children of a user who are not deleted, `most` of them: 1 search for each 100.
///
/// # Errors
/// [`Error::Unavailable`].
pub async fn children(app: &App, parent: &User, most: usize) -> Result<Vec<User>, Error> {
    let Some(segment) = parent.segment_id else { return Ok(Vec::new()) };
    let test = Test::AnyOf(vec![Match::Exact(Value::word(parent.id))]);
    let filters = vec![Filter { field: "parent_id".to_owned(), test }];
    let mut search = Search { filters, sort: Vec::new(), size: 100, from: From::Offset(0), total: None };
    let mut children = Vec::new();
    loop {
        let found = app.store.users(segment, &search).await?;
        children.extend(found.rows);
        match found.positions.into_iter().next_back().filter(|_| found.more_after && children.len() < most) {
            Some(last) => search = Search { from: From::After(last), ..search },
            None => return Ok(children),
        }
    }
}
