//! Custom fields: what members are asked. A change that would leave members with answers that no longer hold is refused
//! with their number, unless it is forced.

use std::collections::BTreeMap;

use axum::extract::State;
use domain::field::Pointer;
use domain::{
    Catalog, CatalogId, CustomField, CustomFieldFields, Error, FieldError, FieldId, MembershipId, MergePatch, Question,
    Time,
};
use edge::{
    Answer, App, Body, Caller, Created, DELETED, FilterKind, Force, IfMatch, IfNoneMatch, List, ListOption, ListSpec,
    Listed, NoContent, Patch, Path, Seed, Shown, openapi, retried,
};
use store::{Configuration, Part};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::{deleted, managed, shown};

/// The routes.
pub(crate) fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(list, create)).routes(routes!(read, change, delete))
}

/// How custom fields are listed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct CustomFields;

impl ListSpec for CustomFields {
    const SORTS: &'static [&'static str] = &["id", "created_at", "position", "key", "name"];
    const DEFAULT_SORT: &'static str = "position";
    const FILTERS: &'static [(&'static str, FilterKind)] = &[
        ("key", FilterKind::Word),
        ("name", FilterKind::Text),
        ("position", FilterKind::Number),
        ("type", FilterKind::Word),
        ("required", FilterKind::Switch),
        ("searchable", FilterKind::Switch),
        ("status", FilterKind::Switch),
        ("level_ids", FilterKind::Word),
    ];
    const OPTIONS: &'static [ListOption] = &[DELETED];
}

/// Members can be found by so many fields: each is an item more in the transaction of a member, which has 100.
const MOST_SEARCHABLE: usize = 30;

/// A membership has so many: all of them are read for each of its members.
const MOST_FIELDS: usize = 200;

// The document's macro takes no generic types, but names of them.
type CustomFieldList = openapi::ListOf<CustomField>;
type CustomFieldPatch = MergePatch<CustomFieldFields>;

/// Lists the custom fields of a membership.
#[utoipa::path(get, path = "/v1/memberships/{membership}/fields", tag = "fields", params(List<CustomFields>),
    responses((status = 200, description = "A page of custom fields.", body = CustomFieldList)))]
pub(crate) async fn list(
    State(app): State<App>,
    caller: Caller,
    Path(membership): Path<MembershipId>,
    list: List<CustomFields>,
) -> Answer<Listed> {
    let fields = match list.of_deleted() {
        true => deleted(&app, &caller, membership).await?,
        false => shown(&app, &caller, membership).await?.fields,
    };
    Ok(list.within(&app, fields).await?)
}

/// Makes a custom field.
#[utoipa::path(post, path = "/v1/memberships/{membership}/fields", tag = "fields",
    request_body = CustomFieldFields,
    responses((status = 201, description = "The custom field.", body = CustomField)))]
pub async fn create(
    State(app): State<App>,
    caller: Caller,
    Path(membership): Path<MembershipId>,
    seed: Seed,
    Body(fields): Body<CustomFieldFields>,
) -> Answer<Created> {
    let id: FieldId = seed.id(0);
    let new = CustomField::new(id, membership, fields, Time::of(id.uuid()));
    let location = format!("/v1/memberships/{membership}/fields/{id}");
    retried(|| async {
        let before = managed(&app, &caller, membership).await?;
        // An earlier try of this very request had made it before it was cut off.
        if before.field(id).is_some() {
            return Ok(());
        }
        fits(&new, &before, &named(&app, &before, [&new]).await?)?;
        unanswered(&app, &new).await?;
        if before.fields.len() >= MOST_FIELDS {
            let message = format!("A membership has at most {MOST_FIELDS} custom fields.");
            return Err(Error::conflict("", "too_many", &message));
        }
        // Members have to be found among those who have not answered it.
        let refresh = new.fields.searchable.0;
        app.store.change_configuration(&before, Part::NewField(&new), refresh, caller.act()).await?;
        Ok(())
    })
    .await?;
    Ok(Created::one(location, &new))
}

/// Reads a custom field.
#[utoipa::path(get, path = "/v1/memberships/{membership}/fields/{field}", tag = "fields",
    responses((status = 200, description = "The custom field.", body = CustomField)))]
pub(crate) async fn read(
    State(app): State<App>,
    caller: Caller,
    Path((membership, field)): Path<(MembershipId, FieldId)>,
    has: IfNoneMatch,
) -> Answer<Shown> {
    let configuration = shown(&app, &caller, membership).await?;
    Ok(Shown::unless(&has, configuration.field(field).ok_or(Error::NotFound)?))
}

/// Changes a custom field by a merge patch. Where answers given before would no longer hold, or members would lack one,
/// it is refused with their number, unless `force=true`: they have it among their `missing_fields` then.
#[utoipa::path(patch, path = "/v1/memberships/{membership}/fields/{field}", tag = "fields", params(Force),
    request_body = CustomFieldPatch,
    responses((status = 200, description = "The custom field after the change.", body = CustomField)))]
pub(crate) async fn change(
    State(app): State<App>,
    caller: Caller,
    Path((membership, field)): Path<(MembershipId, FieldId)>,
    force: Force,
    matches: IfMatch,
    Body(Patch(patch)): Body<Patch<CustomFieldFields>>,
) -> Answer<Shown> {
    let after = changed((&app, &caller), (membership, field), force, &matches, |_| Ok(patch.clone())).await?;
    Ok(Shown::new(&after))
}

/// Changes a custom field by the patch that `patch` makes for it as it is.
///
/// # Errors
/// [`Error::NotFound`] for whoever does not manage it; [`Error::Conflict`] where it affects members and is not forced;
/// [`Error::OtherVersion`]; those of the patch.
pub async fn changed(
    (app, caller): (&App, &Caller),
    (membership, field): (MembershipId, FieldId),
    force: Force,
    matches: &IfMatch,
    patch: impl Fn(&CustomField) -> Result<MergePatch<CustomFieldFields>, Error>,
) -> Result<CustomField, Error> {
    retried(|| async {
        let configuration = managed(app, caller, membership).await?;
        let before = configuration.field(field).ok_or(Error::NotFound)?;
        let after = before.patched(patch(before)?, Time::now())?;
        matches.check(before.version)?;
        let catalogs = named(app, &configuration, [before, &after]).await?;
        fits(&after, &configuration, &catalogs)?;
        let (old, new) = (question(before, &catalogs), question(&after, &catalogs));
        force.allows(app.store.affected(membership, &old, Some(&new)).await?)?;
        let refresh = is_found_otherwise(before, &after);
        app.store.change_configuration(&configuration, Part::Field(before, &after), refresh, caller.act()).await?;
        Ok(after)
    })
    .await
}

/// Deletes a custom field. Where members have answered it, it is refused with their number, unless `force=true`.
#[utoipa::path(delete, path = "/v1/memberships/{membership}/fields/{field}", tag = "fields", params(Force),
    responses((status = 204, description = "The custom field is gone.")))]
pub async fn delete(
    State(app): State<App>,
    caller: Caller,
    Path((membership, field)): Path<(MembershipId, FieldId)>,
    force: Force,
    matches: IfMatch,
) -> Answer<NoContent> {
    Ok(retried(|| async {
        let configuration = managed(&app, &caller, membership).await?;
        let before = configuration.field(field).ok_or(Error::NotFound)?;
        matches.check(before.version)?;
        let catalogs = named(&app, &configuration, [before]).await?;
        force.allows(app.store.affected(membership, &question(before, &catalogs), None).await?)?;
        app.store.change_configuration(&configuration, Part::NoField(before), true, caller.act()).await?;
        Ok(NoContent)
    })
    .await?)
}

/// Whether members are found by something else after a change of a field.
fn is_found_otherwise(before: &CustomField, after: &CustomField) -> bool {
    let (old, new) = (&before.fields, &after.fields);
    let choices = |fields: &CustomFieldFields| (fields.options.clone(), fields.catalog_id);
    let flags = |fields: &CustomFieldFields| (fields.searchable.0, fields.unique.0, fields.status.0);
    old.kind != new.kind || old.level_ids != new.level_ids || flags(old) != flags(new) || choices(old) != choices(new)
}

/// The catalogs that the states of a field name, as far as they are there: 1 `BatchGetItem`, if they name any.
async fn named<const N: usize>(
    app: &App,
    configuration: &Configuration,
    states: [&CustomField; N],
) -> Result<Catalogs, Error> {
    let ids = states.iter().filter_map(|state| state.fields.catalog_id).collect();
    app.store.catalogs_of(configuration.membership.segment_id, &ids).await
}

type Catalogs = BTreeMap<CatalogId, Catalog>;

fn question<'a>(field: &'a CustomField, catalogs: &'a Catalogs) -> Question<'a> {
    Question::new(field, field.fields.catalog_id.and_then(|id| catalogs.get(&id)))
}

/// Refuses a field that names what is not there, or stands in another's way.
fn fits(field: &CustomField, configuration: &Configuration, catalogs: &Catalogs) -> Result<(), Error> {
    let others = || configuration.fields.iter().filter(|other| other.id != field.id);
    if others().any(|other| other.fields.key == field.fields.key) {
        return Err(Error::conflict("/key", "taken", "is another field's key; choose another one"));
    }
    let searchable = others().filter(|other| other.fields.searchable.0).count();
    if field.fields.searchable.0 && searchable >= MOST_SEARCHABLE {
        let message = format!("must be false: {MOST_SEARCHABLE} fields of this membership are searchable already");
        return Err(Error::conflict("/searchable", "too_many", &message));
    }
    let mut errors: Vec<FieldError> = Vec::new();
    for (nth, level) in field.fields.level_ids.0.0.iter().enumerate() {
        if configuration.level(*level).is_none() {
            let at = Pointer::root().child("level_ids").child(nth);
            errors.push(at.error("unknown", "must be the id of a level of this membership"));
        }
    }
    if field.fields.catalog_id.is_some_and(|id| !catalogs.contains_key(&id)) {
        errors.push(CustomField::unknown_catalog());
    }
    if errors.is_empty() { Ok(()) } else { Err(Error::Invalid(errors)) }
}

/// Refuses a new field that is called as one that is gone, until nobody has kept an answer to that.
async fn unanswered(app: &App, field: &CustomField) -> Result<(), Error> {
    if app.store.answers_kept(field.membership_id, field.fields.key.as_str()).await? == 0 {
        return Ok(());
    }
    let message = "was another field's, whose answers are still being erased; choose another one, or wait some minutes";
    Err(Error::conflict("/key", "in_use", message))
}
