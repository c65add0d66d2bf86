//! `GET /v1/users/{user}`.

use domain::{KeyScope, User};
use edge::{Answer, Caller, IfNoneMatch, Path, Shown, UserRef};

/// Reads a user.
#[utoipa::path(get, path = "/v1/users/{user}", tag = "users",
    responses((status = 200, description = "The user.", body = User)))]
pub(crate) async fn read(caller: Caller, Path(user): Path<UserRef>, has: IfNoneMatch) -> Answer<Shown> {
    let record = caller.acts(user, KeyScope::Read).await?.record;
    Ok(Shown::unless(&has, &record.user))
}
