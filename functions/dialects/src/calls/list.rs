//! `get_user_list`: the users of a group, in pages.

use std::collections::BTreeMap;

use axum::response::Response;
use domain::user::PersonNumber;
use domain::value::Integer;
use domain::{CustomStatus, Error, KeyScope, SegmentId, StatusId, User, UserId};
use edge::{App, Caller};
use futures_util::stream::{self, StreamExt as _, TryStreamExt as _};
use serde_json::{Map, Value, json};
use store::From;
use store::search::Search;

use crate::calls::agent::Agent;
use crate::calls::answer::{Kept, Known, answer, meta_info, number, user_info};
use crate::calls::request::{self, Call};

/// How many users a page has where the call does not say.
const DEFAULT_LIMIT: i64 = 20;

/// How many users are returned from a `starting_position` on, as this system documents.
const DOCUMENTED_LIMIT: i64 = 50;

/// How many users are described at once.
const AT_ONCE: usize = 16;

/// Lists a page of a group's users who are not locked, in the order in which they were created: as many reads as
/// `/v1` makes for such a page, 1 more where a user has a status, and for each user those that `get_info` makes.
pub(super) async fn list_users(app: &App, agent: &Agent, call: &Call) -> Result<Response, Error> {
    let segment = agent.group(app, call, KeyScope::Read).await?;
    let search = parse_page(&call.doc)?;
    let found = app.store.users(segment, &search).await?;
    let statuses = read_statuses(app, segment, &found.rows).await?;
    let numbers: BTreeMap<_, _> = found.rows.iter().filter_map(|user| Some((user.id, user.number()?))).collect();
    let page = Page { app, caller: &agent.caller, call, statuses, numbers };
    // In boxes, since a debug build has no room for all of them on its stack.
    let rows: Vec<_> = found.rows.iter().map(|user| Box::pin(page.describe(user))).collect();
    let users: Vec<Value> = stream::iter(rows).buffered(AT_ONCE).try_collect().await?;
    let more = [("users".to_owned(), users.into()), ("total".to_owned(), found.total.into())];
    Ok(answer("The users are listed.", json!({}), json!({}), Map::from_iter(more)))
}

/// A page of users, and what is known of them before each is described.
struct Page<'a> {
    app: &'a App,
    caller: &'a Caller,
    call: &'a Call,
    statuses: BTreeMap<StatusId, CustomStatus>,
    numbers: BTreeMap<UserId, PersonNumber>,
}

impl Page<'_> {
    /// Describes a user, who gets a number where it has none yet.
    async fn describe(&self, user: &User) -> Result<Value, Error> {
        let number = number(self.app, self.caller, user).await?;
        let status = user.fields.status_id.and_then(|id| self.statuses.get(&id)).cloned();
        let parent = user.fields.parent_id.and_then(|parent| self.numbers.get(&parent)).copied();
        let known = Known { status, parent, ..Known::default() };
        let kept = Kept::of(self.app, self.caller, (user, known)).await?;
        let connected_to = kept.connected_to.or(number);
        let info = user_info(number, Some(self.call.group), connected_to);
        Ok(json!({ "user_info": info, "meta_info": meta_info(user, &kept) }))
    }
}

/// Reads which page is asked for: `page` from 1, or `starting_position`, and `limit`.
fn parse_page(doc: &Value) -> Result<Search, Error> {
    let mut errors = Vec::new();
    let position = request::number::<0, 100_000_000>(doc, "starting_position", &mut errors).map(Integer::get);
    let page = request::number::<1, 1_000_000>(doc, "page", &mut errors).map_or(1, Integer::get);
    let usual = if position.is_some() { DOCUMENTED_LIMIT } else { DEFAULT_LIMIT };
    let limit = request::number::<1, 100>(doc, "limit", &mut errors).map_or(usual, Integer::get);
    if !errors.is_empty() {
        return Err(Error::Invalid(errors));
    }
    // Clients count positions from 0 or from 1, and go on by whole pages.
    let skipped = match position {
        Some(position) if position % limit == 1 => position - 1,
        Some(position) => position,
        None => (page - 1) * limit,
    };
    let from = From::Offset(u64::try_from(skipped).unwrap_or_default());
    let size = u32::try_from(limit).unwrap_or_default();
    Ok(Search { filters: Vec::new(), sort: Vec::new(), size, from, total: None })
}

/// The statuses of a segment, where one of these users has one: 1 read.
async fn read_statuses(
    app: &App,
    segment: SegmentId,
    users: &[User],
) -> Result<BTreeMap<StatusId, CustomStatus>, Error> {
    if users.iter().all(|user| user.fields.status_id.is_none()) {
        return Ok(BTreeMap::new());
    }
    let statuses = app.store.custom_statuses(segment).await?;
    Ok(statuses.into_iter().map(|status| (status.id, status)).collect())
}
