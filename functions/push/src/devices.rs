//! Devices of a user. An app registers the one that it runs on whenever it starts.

use axum::extract::State;
use domain::device::MOST_DEVICES;
use domain::{Act, Device, DeviceFields, DeviceId, Error, KeyScope, Platform, Status, Time};
use edge::{
    Answer, App, Body, Caller, Created, FilterKind, IfMatch, IfNoneMatch, List, ListSpec, Listed, NoContent, Path,
    Seed, Shown, UserRef, openapi, retried,
};
use store::{DeviceRecord, UserRecord};

/// How devices are listed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Devices;

impl ListSpec for Devices {
    const SORTS: &'static [&'static str] = &["id", "created_at"];
    const DEFAULT_SORT: &'static str = "id";
    const FILTERS: &'static [(&'static str, FilterKind)] = &[("platform", FilterKind::Choice(Platform::NAMES))];
}

// The document's macro takes no generic types, but names of them.
type DeviceList = openapi::ListOf<Device>;

/// Lists a user's devices.
#[utoipa::path(get, path = "/v1/users/{user}/devices", tag = "devices", params(List<Devices>),
    responses((status = 200, description = "A page of devices.", body = DeviceList)))]
pub(crate) async fn list(
    State(app): State<App>,
    caller: Caller,
    Path(user): Path<UserRef>,
    list: List<Devices>,
) -> Answer<Listed> {
    let (_, found) = caller.reads(user, KeyScope::Read, |owner| app.store.devices(owner)).await?;
    Ok(list.within(&app, found.into_iter().map(|found| found.device).collect()).await?)
}

/// Registers a device, 20 at most.
///
/// The same token again is the same device, which then has what is sent; so an app may register itself whenever it
/// starts. A token that another user of the segment has registered leaves that user.
#[utoipa::path(post, path = "/v1/users/{user}/devices", tag = "devices", request_body = DeviceFields,
    responses((status = 201, description = "The device, new or not.", body = Device)))]
pub(crate) async fn create(
    State(app): State<App>,
    caller: Caller,
    Path(user): Path<UserRef>,
    seed: Seed,
    Body(fields): Body<DeviceFields>,
) -> Answer<Created> {
    let (user, device) = retried(|| async {
        let (owner, devices) = caller.reads(user, KeyScope::Write, |owner| app.store.devices(owner)).await?;
        let owner = owner.record;
        let device = match devices.iter().find(|found| found.device.fields.token == fields.token) {
            Some(same) => again(&app, (&owner, same), &fields, caller.act()).await,
            None if owner.user.status == Status::Deleted => Err(Error::NotFound),
            None if devices.len() >= MOST_DEVICES => {
                Err(Error::conflict("", "too_many", "A user has at most 20 devices; delete one first."))
            }
            None => first(&app, (&owner, seed), &fields, caller.act()).await,
        };
        Ok((owner.user.id, device?))
    })
    .await?;
    Ok(Created::one(format!("/v1/users/{user}/devices/{}", device.id), &device))
}

/// Registers a device once more; nothing is written where nothing differs.
async fn again(
    app: &App,
    (owner, same): (&UserRecord, &DeviceRecord),
    fields: &DeviceFields,
    act: Act<'_>,
) -> Result<Device, Error> {
    if same.device.fields == *fields {
        return Ok(same.device.clone());
    }
    let new = same.device.replaced(fields.clone(), Time::now());
    app.store.change_device(owner.user.segment_id, same, &new, act).await?;
    Ok(new)
}

/// Registers a new device, and takes its token away from whoever had it.
async fn first(
    app: &App,
    (owner, seed): (&UserRecord, Seed),
    fields: &DeviceFields,
    act: Act<'_>,
) -> Result<Device, Error> {
    let id: DeviceId = seed.id(0);
    let new = Device::new(id, owner.user.id, fields.clone(), Time::of(id.uuid()));
    match app.store.create_device(owner, &new, None, act).await {
        Err(Error::Conflict(_)) => {}
        done => return done.map(|()| new),
    }
    let former = app.store.holder_of_token(owner.user.segment_id.into(), &fields.token).await?;
    // Its own only if another request has just registered it.
    let former = former.filter(|former| former.user_id != owner.user.id).ok_or(Error::Stale)?;
    match app.store.device(former.user_id, former.device_id).await {
        Err(Error::NotFound) => Err(Error::Stale),
        former => app.store.create_device(owner, &new, Some(&former?), act).await.map(|()| new),
    }
}

/// Reads a device.
#[utoipa::path(get, path = "/v1/users/{user}/devices/{device}", tag = "devices",
    responses((status = 200, description = "The device.", body = Device)))]
pub(crate) async fn read(
    State(app): State<App>,
    caller: Caller,
    Path((user, device)): Path<(UserRef, DeviceId)>,
    has: IfNoneMatch,
) -> Answer<Shown> {
    let (_, found) = caller.reads(user, KeyScope::Read, |owner| app.store.device(owner, device)).await?;
    Ok(Shown::unless(&has, &found.device))
}

/// Forgets a device: no notification reaches it any more.
#[utoipa::path(delete, path = "/v1/users/{user}/devices/{device}", tag = "devices",
    responses((status = 204, description = "The device is gone.")))]
pub(crate) async fn delete(
    State(app): State<App>,
    caller: Caller,
    Path((user, device)): Path<(UserRef, DeviceId)>,
    matches: IfMatch,
) -> Answer<NoContent> {
    Ok(retried(|| async {
        let (owner, found) = caller.reads(user, KeyScope::Write, |owner| app.store.device(owner, device)).await?;
        matches.check(found.device.version)?;
        app.store.delete_device(owner.record.user.segment_id, &found, caller.act()).await?;
        Ok(NoContent)
    })
    .await?)
}
