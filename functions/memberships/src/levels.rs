//! Levels: ranges of points that never overlap. Members follow them.

use axum::extract::State;
use domain::{CustomField, Error, Level, LevelFields, LevelId, MembershipId, MergePatch, Object, Time};
use edge::{
    Answer, App, Body, Caller, Created, DELETED, FilterKind, IfMatch, IfNoneMatch, List, ListOption, ListSpec, Listed,
    NoContent, Patch, Path, Seed, Shown, openapi, retried,
};
use serde_json::Value;
use store::search::{Index, Indexed, Searched};
use store::{Configuration, Part};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::{deleted, managed, shown};

/// The routes.
pub(crate) fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(list, create)).routes(routes!(read, change, delete))
}

/// How levels are listed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Levels;

impl ListSpec for Levels {
    const SORTS: &'static [&'static str] = &["id", "created_at", "number", "name", "from_point"];
    const DEFAULT_SORT: &'static str = "number";
    const FILTERS: &'static [(&'static str, FilterKind)] = &[
        ("name", FilterKind::Text),
        ("number", FilterKind::Number),
        ("from_point", FilterKind::Number),
        ("status", FilterKind::Switch),
    ];
    const OPTIONS: &'static [ListOption] =
        &[DELETED, ListOption { name: "include", values: &["fields"], about: "What else is shown of each." }];
}

/// A membership has so many: all of them are read for each of its members.
const MOST_LEVELS: usize = 100;

// The document's macro takes no generic types, but names of them.
type LevelList = openapi::ListOf<LevelWithFields>;
type LevelPatch = MergePatch<LevelFields>;

/// A level, with the custom fields that its members are asked where these are wanted.
struct LevelWithFields {
    level: Level,
    fields: Option<Vec<CustomField>>,
}

impl Object for LevelWithFields {
    fn version(&self) -> u64 {
        self.level.version
    }

    fn show(&self) -> Value {
        let mut shown = self.level.show();
        if let (Some(fields), Some(object)) = (&self.fields, shown.as_object_mut()) {
            object.insert("fields".to_owned(), fields.iter().map(Object::show).collect());
        }
        shown
    }
}

impl Indexed for LevelWithFields {
    fn index(&self) -> Index {
        self.level.index()
    }
}

impl Searched for LevelWithFields {
    fn schema() -> store::search::Schema {
        <Level as Searched>::schema()
    }
}

impl PartialSchema for LevelWithFields {
    fn schema() -> RefOr<Schema> {
        openapi::with_list::<CustomField>(
            <Level as PartialSchema>::schema(),
            "fields",
            "With `include=fields`: what members of the level are asked, in the order of the positions.",
        )
    }
}

impl ToSchema for LevelWithFields {
    fn name() -> std::borrow::Cow<'static, str> {
        "LevelWithFields".into()
    }

    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        schemas.push(("CustomField".to_owned(), <CustomField as PartialSchema>::schema()));
    }
}

/// Lists the levels of a membership, with their custom fields if `include=fields` asks for them.
#[utoipa::path(get, path = "/v1/memberships/{membership}/levels", tag = "levels", params(List<Levels>),
    responses((status = 200, description = "A page of levels.", body = LevelList)))]
pub(crate) async fn list(
    State(app): State<App>,
    caller: Caller,
    Path(membership): Path<MembershipId>,
    list: List<Levels>,
) -> Answer<Listed> {
    if list.of_deleted() {
        let levels = deleted(&app, &caller, membership).await?.into_iter();
        let levels = levels.map(|level| LevelWithFields { level, fields: None }).collect();
        return Ok(list.within(&app, levels).await?);
    }
    let Configuration { levels, fields, .. } = shown(&app, &caller, membership).await?;
    let asked = |level: &Level| fields.iter().filter(|field| field.applies(Some(level.id))).cloned().collect();
    let includes = list.option("include").is_some();
    let with_fields = |level: Level| LevelWithFields { fields: includes.then(|| asked(&level)), level };
    let levels = levels.into_iter().map(with_fields).collect();
    Ok(list.within(&app, levels).await?)
}

/// Makes a level. Members whose points are in its range come to it.
#[utoipa::path(post, path = "/v1/memberships/{membership}/levels", tag = "levels", request_body = LevelFields,
    responses((status = 201, description = "The level.", body = Level)))]
pub async fn create(
    State(app): State<App>,
    caller: Caller,
    Path(membership): Path<MembershipId>,
    seed: Seed,
    Body(fields): Body<LevelFields>,
) -> Answer<Created> {
    let id: LevelId = seed.id(0);
    let new = Level::new(id, membership, fields, Time::of(id.uuid()));
    let location = format!("/v1/memberships/{membership}/levels/{id}");
    retried(|| async {
        let before = managed(&app, &caller, membership).await?;
        // An earlier try of this very request had made it before it was cut off.
        if before.level(id).is_some() {
            return Ok(());
        }
        beside(&new, &before)?;
        if before.levels.len() >= MOST_LEVELS {
            let message = format!("A membership has at most {MOST_LEVELS} levels.");
            return Err(Error::conflict("", "too_many", &message));
        }
        app.store.change_configuration(&before, Part::NewLevel(&new), true, caller.act()).await?;
        Ok(())
    })
    .await?;
    Ok(Created::one(location, &new))
}

/// Reads a level.
#[utoipa::path(get, path = "/v1/memberships/{membership}/levels/{level}", tag = "levels",
    responses((status = 200, description = "The level.", body = Level)))]
pub(crate) async fn read(
    State(app): State<App>,
    caller: Caller,
    Path((membership, level)): Path<(MembershipId, LevelId)>,
    has: IfNoneMatch,
) -> Answer<Shown> {
    let configuration = shown(&app, &caller, membership).await?;
    Ok(Shown::unless(&has, configuration.level(level).ok_or(Error::NotFound)?))
}

/// Changes a level by a merge patch. Members follow its range.
#[utoipa::path(patch, path = "/v1/memberships/{membership}/levels/{level}", tag = "levels",
    request_body = LevelPatch,
    responses((status = 200, description = "The level after the change.", body = Level)))]
pub(crate) async fn change(
    State(app): State<App>,
    caller: Caller,
    Path((membership, level)): Path<(MembershipId, LevelId)>,
    matches: IfMatch,
    Body(Patch(patch)): Body<Patch<LevelFields>>,
) -> Answer<Shown> {
    Ok(retried(|| async {
        let configuration = managed(&app, &caller, membership).await?;
        let before = configuration.level(level).ok_or(Error::NotFound)?;
        let after = before.patched(patch.clone(), Time::now())?;
        matches.check(before.version)?;
        beside(&after, &configuration)?;
        let range = |level: &Level| (level.fields.from_point, level.fields.to_point, level.fields.status.0);
        let moves = range(before) != range(&after);
        app.store.change_configuration(&configuration, Part::Level(before, &after), moves, caller.act()).await?;
        Ok(Shown::new(&after))
    })
    .await?)
}

/// Deletes a level that no custom field names. Its members come to the next one below.
#[utoipa::path(delete, path = "/v1/memberships/{membership}/levels/{level}", tag = "levels",
    responses((status = 204, description = "The level is gone.")))]
pub async fn delete(
    State(app): State<App>,
    caller: Caller,
    Path((membership, level)): Path<(MembershipId, LevelId)>,
    matches: IfMatch,
) -> Answer<NoContent> {
    Ok(retried(|| async {
        let configuration = managed(&app, &caller, membership).await?;
        let before = configuration.level(level).ok_or(Error::NotFound)?;
        matches.check(before.version)?;
        let names = |field: &&CustomField| field.fields.level_ids.0.0.contains(&level);
        if let Some(field) = configuration.fields.iter().find(names) {
            let message = format!("The custom field {} is for this level; change it first.", field.fields.key.as_str());
            return Err(Error::conflict("", "in_use", &message));
        }
        app.store.change_configuration(&configuration, Part::NoLevel(before), true, caller.act()).await?;
        Ok(NoContent)
    })
    .await?)
}

/// Refuses a level whose number or range another level has.
fn beside(level: &Level, configuration: &Configuration) -> Result<(), Error> {
    let clashes = level.clashes(&configuration.levels);
    if clashes.is_empty() { Ok(()) } else { Err(Error::Conflict(clashes)) }
}
