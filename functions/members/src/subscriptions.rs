//! Subscriptions: users of a segment who have come to a membership by a product.

use axum::extract::State;
use domain::{
    Act, Error, KeyScope, Member, MemberFields, MemberId, MergePatch, Product, ProductId, SegmentId, Subscription,
    SubscriptionFields, Time,
};
use edge::{
    Answer, App, Body, Caller, Created, FilterKind, IfMatch, IfNoneMatch, List, ListSpec, Listed, NoContent, Patch,
    Path, Seed, Shown, openapi, retried,
};
use store::{AlsoOfMember, Configuration, MemberRecord};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::seat::{Seat, knows};

/// The routes.
pub(crate) fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(list, create)).routes(routes!(read, change, delete))
}

/// How subscriptions are listed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Subscriptions;

impl ListSpec for Subscriptions {
    const SORTS: &'static [&'static str] =
        &["id", "created_at", "status", "starts_at", "expires_at", "last_payment_at"];
    const DEFAULT_SORT: &'static str = "id";
    const FILTERS: &'static [(&'static str, FilterKind)] = &[
        ("user_id", FilterKind::Word),
        ("product_id", FilterKind::Word),
        ("reference_id", FilterKind::Identifier),
        ("status", FilterKind::Choice(&["ACTIVE", "INACTIVE", "BLOCKED"])),
        ("starts_at", FilterKind::Time),
        ("expires_at", FilterKind::Time),
        ("last_payment_at", FilterKind::Time),
        ("created_at", FilterKind::Made),
    ];
}

// The document's macro takes no generic types, but names of them.
type SubscriptionList = openapi::ListOf<Subscription>;
type SubscriptionPatch = MergePatch<SubscriptionFields>;

/// Lists the subscriptions of a segment, to any of its products.
#[utoipa::path(get, path = "/v1/segments/{segment}/subscriptions", tag = "subscriptions",
    params(List<Subscriptions>),
    responses((status = 200, description = "A page of subscriptions.", body = SubscriptionList)))]
pub(crate) async fn list(
    State(app): State<App>,
    caller: Caller,
    Path(segment): Path<SegmentId>,
    list: List<Subscriptions>,
) -> Answer<Listed> {
    let reads = async { tokio::try_join!(app.store.segment(segment), app.store.subscriptions(segment, list.search())) };
    let (access, (segment, found)) = caller.accesses(reads).await?;
    access.manages(&segment, KeyScope::Read)?;
    Ok(list.found(&app, found).await?)
}

/// Subscribes a user to a product: the user becomes a member of the product's membership, or, if it is one already and
/// has no product there, goes on as a subscriber.
#[utoipa::path(post, path = "/v1/segments/{segment}/subscriptions", tag = "subscriptions",
    request_body = SubscriptionFields,
    responses((status = 201, description = "The subscription.", body = Subscription)))]
pub(crate) async fn create(
    State(app): State<App>,
    caller: Caller,
    Path(segment): Path<SegmentId>,
    seed: Seed,
    Body(fields): Body<SubscriptionFields>,
) -> Answer<Created> {
    let reads = async { tokio::try_join!(app.store.segment(segment), product(&app, segment, fields.product_id)) };
    let (access, (segment, product)) = caller.accesses(reads).await?;
    access.manages(&segment, KeyScope::Write)?;
    let (known, configuration) =
        tokio::join!(knows(&app, &segment, Some(fields.user_id)), joined_by(&app, product.as_ref()));
    let configuration = both(known, configuration)?;
    let made = subscribed(&app, &configuration, (seed.id(0), fields), caller.act()).await?;
    Ok(Created::one(format!("/v1/subscriptions/{}", made.id), &made))
}

/// Reads a subscription.
#[utoipa::path(get, path = "/v1/subscriptions/{subscription}", tag = "subscriptions",
    responses((status = 200, description = "The subscription.", body = Subscription)))]
pub(crate) async fn read(
    State(app): State<App>,
    caller: Caller,
    Path(member): Path<MemberId>,
    has: IfNoneMatch,
) -> Answer<Shown> {
    let seat = Seat::take(&app, &caller, member, KeyScope::Read).await?;
    Ok(Shown::unless(&has, &of(&seat)?))
}

/// Changes a subscription by a merge patch. Whose it is, and to which product, stays.
#[utoipa::path(patch, path = "/v1/subscriptions/{subscription}", tag = "subscriptions",
    request_body = SubscriptionPatch,
    responses((status = 200, description = "The subscription after the change.", body = Subscription)))]
pub(crate) async fn change(
    State(app): State<App>,
    caller: Caller,
    Path(member): Path<MemberId>,
    matches: IfMatch,
    Body(Patch(patch)): Body<Patch<SubscriptionFields>>,
) -> Answer<Shown> {
    Ok(retried(|| async {
        let seat = Seat::manage(&app, &caller, member, KeyScope::Write).await?;
        let before = of(&seat)?;
        matches.check(before.version)?;
        let after =
            changed_subscription(&app, (&seat.record, &seat.configuration), patch.clone(), caller.act()).await?;
        Ok(Shown::new(&after))
    })
    .await?)
}

/// Deletes a subscription: the user is no member of the product's membership any more, and loses points and answers
/// there.
#[utoipa::path(delete, path = "/v1/subscriptions/{subscription}", tag = "subscriptions",
    responses((status = 204, description = "The subscription is gone.")))]
pub(crate) async fn delete(
    State(app): State<App>,
    caller: Caller,
    Path(member): Path<MemberId>,
    matches: IfMatch,
) -> Answer<NoContent> {
    Ok(retried(|| async {
        let seat = Seat::manage(&app, &caller, member, KeyScope::Write).await?;
        matches.check(of(&seat)?.version)?;
        app.store.delete_member(&seat.record, caller.act()).await?;
        Ok(NoContent)
    })
    .await?)
}

/// The subscription that a member is.
fn of(seat: &Seat) -> Result<Subscription, Error> {
    seat.record.member.subscription().ok_or(Error::NotFound)
}

/// A product, if it is one of the segment.
async fn product(app: &App, segment: SegmentId, id: ProductId) -> Result<Option<Product>, Error> {
    match app.store.product(segment, id).await {
        Err(Error::NotFound) => Ok(None),
        found => found.map(Some),
    }
}

/// Makes a subscription of a user to a product, whose membership this is: 1 transaction, and 2 reads and another one where
/// the user is a member already.
///
/// # Errors
/// [`Error::Conflict`] where the user has a product of that membership.
pub async fn subscribed(
    app: &App,
    of: &Configuration,
    new: (MemberId, SubscriptionFields),
    act: Act<'_>,
) -> Result<Subscription, Error> {
    subscribe(app, of, new, act, Member::may_subscribe).await
}

/// Makes a subscription of a user to a product as [`subscribed`] does. One that is over is bought again: it is as the new one
/// would be, and keeps its id.
///
/// # Errors
/// [`Error::Conflict`] where the user has a product of that membership, unless it is this one and the subscription is over.
pub async fn subscribe_or_renew(
    app: &App,
    of: &Configuration,
    new: (MemberId, SubscriptionFields),
    act: Act<'_>,
) -> Result<Subscription, Error> {
    subscribe(app, of, new, act, |member, product| member.may_buy(product, Time::now())).await
}

/// Says why a member cannot come to have a product, if it cannot.
type Check = fn(&Member, ProductId) -> Result<(), &'static str>;

async fn subscribe(
    app: &App,
    of: &Configuration,
    (id, fields): (MemberId, SubscriptionFields),
    act: Act<'_>,
    check: Check,
) -> Result<Subscription, Error> {
    let member = MemberFields::subscriber(fields.clone());
    let member = Member::new(id, &of.membership, member, Time::of(id.uuid()));
    let record = match app.store.create_member(member, of, AlsoOfMember::default(), act).await {
        // An earlier try of this very request had made it before it was cut off.
        Err(Error::Conflict(taken)) if taken.iter().any(|one| one.code == "exists") => app.store.member(id).await?,
        Err(Error::Conflict(_)) => goes_on(app, of, fields, act, check).await?,
        made => made?,
    };
    record.member.subscription().ok_or(Error::NotFound)
}

/// Changes the subscription that a member is by a patch: 1 transaction.
///
/// # Errors
/// [`Error::Stale`] where the member has changed since it was read.
pub async fn changed_subscription(
    app: &App,
    (record, of): (&MemberRecord, &Configuration),
    patch: MergePatch<SubscriptionFields>,
    act: Act<'_>,
) -> Result<Subscription, Error> {
    let now = Time::now();
    let after = record.member.subscription().ok_or(Error::NotFound)?.patched(patch, now)?;
    let after = record.member.subscribed(after.fields, now);
    let changed = app.store.change_member(record, after, of, AlsoOfMember::default(), act).await?;
    changed.member.subscription().ok_or(Error::NotFound)
}

/// The membership that whoever subscribes to a product joins: 1 `Query`, and 1 `BatchGetItem` where its fields name catalogs.
///
/// # Errors
/// [`Error::Invalid`] where there is no such product.
pub async fn joined_by(app: &App, product: Option<&Product>) -> Result<Configuration, Error> {
    let unknown = || Error::invalid("/product_id", "unknown", "must be the id of a product of this segment");
    let membership = product.and_then(|product| product.fields.membership_id).ok_or_else(unknown)?;
    app.store.with_catalogs(app.store.configuration(membership).await?).await
}

/// What was read if nothing is wrong; else all that is.
fn both<T>(one: Result<(), Error>, other: Result<T, Error>) -> Result<T, Error> {
    match (one, other) {
        (Err(Error::Invalid(mut errors)), Err(Error::Invalid(more))) => {
            errors.extend(more);
            Err(Error::Invalid(errors))
        }
        (one, other) => one.and(other),
    }
}

/// Makes the member that the user is already a subscriber, if `check` lets it be one.
async fn goes_on(
    app: &App,
    of: &Configuration,
    fields: SubscriptionFields,
    act: Act<'_>,
    check: Check,
) -> Result<MemberRecord, Error> {
    retried(|| async {
        let taken = |message| Error::conflict("/user_id", "taken", message);
        let Some(before) = app.store.member_of(of.membership.id, fields.user_id).await? else {
            return Err(taken("was a member of the product's membership just now; repeat the request"));
        };
        check(&before.member, fields.product_id).map_err(taken)?;
        let after = before.member.subscribed(fields.clone(), Time::now());
        app.store.change_member(&before, after, of, AlsoOfMember::default(), act).await
    })
    .await
}
