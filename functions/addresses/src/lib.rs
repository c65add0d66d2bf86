//! `/v1/users/{user}/addresses`: where users live, get bills and parcels.

use axum::extract::State;
use domain::{Address, AddressFields, AddressId, Error, KeyScope, MergePatch, Time, UserId};
use edge::{
    Answer, App, Body, Caller, Created, DELETED, FilterKind, IfMatch, IfNoneMatch, List, ListOption, ListSpec, Listed,
    NoContent, OneOrMany, Patch, Path, Seed, Shown, UserRef, openapi, retried,
};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// The routes.
pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(list, create)).routes(routes!(read, change, delete))
}

// The document's macro takes no generic types, but names of them.
type AddressList = openapi::ListOf<Address>;
type NewAddresses = openapi::OneOrManyOf<AddressFields>;
type MadeAddresses = openapi::OneOrDataOf<Address>;
type AddressPatch = MergePatch<AddressFields>;

/// How addresses are listed.
#[derive(Debug, Clone, Copy)]
pub struct Addresses;

impl ListSpec for Addresses {
    const SORTS: &'static [&'static str] = &["id", "created_at"];
    const DEFAULT_SORT: &'static str = "id";
    const FILTERS: &'static [(&'static str, FilterKind)] = &[
        ("status", FilterKind::Switch),
        ("is_location", FilterKind::Switch),
        ("is_billing", FilterKind::Switch),
        ("is_shipping", FilterKind::Switch),
    ];
    const OPTIONS: &'static [ListOption] = &[DELETED];
}

/// Lists a user's addresses.
#[utoipa::path(get, path = "/v1/users/{user}/addresses", tag = "addresses", params(List<Addresses>),
    responses((status = 200, description = "A page of addresses.", body = AddressList)))]
async fn list(
    State(app): State<App>,
    caller: Caller,
    Path(user): Path<UserRef>,
    list: List<Addresses>,
) -> Answer<Listed> {
    let (store, window, deleted) = (&app.store, &list.window(), list.of_deleted());
    let read = async |id: UserId| match window.filters.as_slice() {
        _ if deleted => store.some_deleted(id.uuid(), window).await.map(|(page, total)| (page, Some(total))),
        [] => Ok((store.addresses(id, window).await?, None)),
        _ => {
            let (page, total) = tokio::try_join!(store.addresses(id, window), store.count_addresses(id, window))?;
            Ok((page, Some(total)))
        }
    };
    let (owner, (page, counted)) = caller.reads(user, KeyScope::Read, read).await?;
    let total = counted.unwrap_or(owner.record.address_count);
    Ok(list.answer(&app, page, |address| address.id.to_string(), total).await?)
}

/// Adds one address, or up to 20 of them, all or none.
#[utoipa::path(post, path = "/v1/users/{user}/addresses", tag = "addresses",
    request_body = NewAddresses,
    responses((status = 201, description = "The address; of an array, `{data: […]}`.", body = MadeAddresses)))]
pub async fn create(
    State(app): State<App>,
    caller: Caller,
    Path(user): Path<UserRef>,
    seed: Seed,
    Body(new): Body<OneOrMany<AddressFields>>,
) -> Answer<Created> {
    let owner = caller.acts(user, KeyScope::Write).await?.record.user;
    let base = format!("/v1/users/{}/addresses", owner.id);
    let address = |(nth, fields)| {
        let id: AddressId = seed.id(nth);
        Address::new(id, owner.id, fields, Time::of(id.uuid()))
    };
    let (new, single) = match new {
        OneOrMany::One(new) => (vec![new], true),
        OneOrMany::Many(new) => (new, false),
    };
    let addresses: Vec<_> = new.into_iter().enumerate().map(address).collect();
    match app.store.create_addresses(&owner, &addresses, caller.act()).await {
        // An earlier try of this very request had made them before it was cut off.
        Ok(()) | Err(Error::Conflict(_)) => {}
        Err(error) => return Err(error.into()),
    }
    match addresses.as_slice() {
        [only] if single => Ok(Created::one(format!("{base}/{}", only.id), only)),
        many => Ok(Created::many(base, many)),
    }
}

/// Reads an address.
#[utoipa::path(get, path = "/v1/users/{user}/addresses/{address}", tag = "addresses",
    responses((status = 200, description = "The address.", body = Address)))]
pub async fn read(
    State(app): State<App>,
    caller: Caller,
    Path((user, address)): Path<(UserRef, AddressId)>,
    has: IfNoneMatch,
) -> Answer<Shown> {
    let (_, address) = caller.reads(user, KeyScope::Read, |owner| app.store.address(owner, address)).await?;
    Ok(Shown::unless(&has, &address))
}

/// Changes an address by a merge patch.
#[utoipa::path(patch, path = "/v1/users/{user}/addresses/{address}", tag = "addresses",
    request_body = AddressPatch,
    responses((status = 200, description = "The address after the change.", body = Address)))]
pub async fn change(
    State(app): State<App>,
    caller: Caller,
    Path((user, address)): Path<(UserRef, AddressId)>,
    matches: IfMatch,
    Body(Patch(patch)): Body<Patch<AddressFields>>,
) -> Answer<Shown> {
    let after = changed(&app, &caller, (user, address), &matches, |_| Ok(patch.clone())).await?;
    Ok(Shown::new(&after))
}

/// Changes an address by the patch that `patch` makes for it as it is.
///
/// # Errors
/// As [`Caller::reads`]; [`Error::OtherVersion`] where its version is not one of `matches`; those of the patch.
pub async fn changed(
    app: &App,
    caller: &Caller,
    (user, address): (UserRef, AddressId),
    matches: &IfMatch,
    patch: impl Fn(&Address) -> Result<AddressPatch, Error>,
) -> Result<Address, Error> {
    retried(|| async {
        let (owner, before) = caller.reads(user, KeyScope::Write, |owner| app.store.address(owner, address)).await?;
        let after = before.patched(patch(&before)?, Time::now())?;
        matches.check(before.version)?;
        app.store.change_address(&owner.record.user, &before, &after, caller.act()).await?;
        Ok(after)
    })
    .await
}

/// Deletes an address.
#[utoipa::path(delete, path = "/v1/users/{user}/addresses/{address}", tag = "addresses",
    responses((status = 204, description = "The address is gone.")))]
pub async fn delete(
    State(app): State<App>,
    caller: Caller,
    Path((user, address)): Path<(UserRef, AddressId)>,
    matches: IfMatch,
) -> Answer<NoContent> {
    Ok(retried(|| async {
        let (owner, before) = caller.reads(user, KeyScope::Write, |owner| app.store.address(owner, address)).await?;
        matches.check(before.version)?;
        app.store.delete_address(&owner.record.user, &before, caller.act()).await?;
        Ok(NoContent)
    })
    .await?)
}
