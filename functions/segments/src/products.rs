//! Products: what a segment offers to subscribe to.

use axum::extract::State;
use domain::value::OrDefault;
use domain::{
    Act, Error, Flag, KeyScope, Membership, MembershipFields, MembershipId, MergePatch, Product, ProductFields,
    ProductId, SegmentId, Time, UserId,
};
use edge::{
    Answer, App, Body, Caller, Created, FilterKind, IfMatch, IfNoneMatch, List, ListOption, ListSpec, Listed,
    NoContent, Patch, Path, Seed, Shown, openapi, retried,
};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::segments::made_before;

/// The routes.
pub(crate) fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(list, create)).routes(routes!(read, change, delete))
}

/// How products are listed.
#[derive(Debug, Clone, Copy)]
pub struct Products;

impl ListSpec for Products {
    const SORTS: &'static [&'static str] = &["id", "created_at", "reference_id", "title", "value"];
    const DEFAULT_SORT: &'static str = "id";
    const FILTERS: &'static [(&'static str, FilterKind)] = &[
        ("reference_id", FilterKind::Identifier),
        ("title", FilterKind::Text),
        ("value", FilterKind::Number),
        ("currency", FilterKind::Word),
        ("membership_id", FilterKind::Word),
        ("lifetime", FilterKind::Switch),
        ("status", FilterKind::Switch),
        ("created_at", FilterKind::Made),
    ];
    const OPTIONS: &'static [ListOption] = &[ListOption {
        name: "private",
        values: &["true", "false"],
        about: "If true, return only private products; default: false, which returns only the others.",
    }];
}

// The document's macro takes no generic types, but names of them.
type ProductList = openapi::ListOf<Product>;
type ProductPatch = MergePatch<ProductFields>;

/// Lists the products of a segment; `filter[reference_id]` finds the one that another system calls so. Private products
/// are listed only with `private=true`.
#[utoipa::path(get, path = "/v1/segments/{segment}/products", tag = "products", params(List<Products>),
    responses((status = 200, description = "A page of products.", body = ProductList)))]
pub(crate) async fn list(
    State(app): State<App>,
    caller: Caller,
    Path(segment): Path<SegmentId>,
    list: List<Products>,
) -> Answer<Listed> {
    let products = async {
        match list.option("private") {
            Some("true") => app.store.private_products(segment, list.search()).await,
            _ => app.store.products(segment, list.search()).await,
        }
    };
    let reads = async { tokio::try_join!(app.store.segment(segment), products) };
    let (access, (segment, found)) = caller.accesses(reads).await?;
    access.manages(&segment, KeyScope::Read)?;
    Ok(list.found(&app, found).await?)
}

/// Makes a product: with `membership_id` one of a membership that is there, without it one with a membership of its own.
#[utoipa::path(post, path = "/v1/segments/{segment}/products", tag = "products", request_body = ProductFields,
    responses((status = 201, description = "The product.", body = Product)))]
pub(crate) async fn create(
    State(app): State<App>,
    caller: Caller,
    Path(segment): Path<SegmentId>,
    seed: Seed,
    Body(fields): Body<ProductFields>,
) -> Answer<Created> {
    let segment = caller.segment(segment, KeyScope::Admin).await?;
    let new =
        NewProduct { segment: segment.id, owner: segment.owner_id, id: seed.id(0), membership: seed.id(1), fields };
    let product = create_product(&app, new, caller.act()).await?;
    Ok(Created::one(format!("/v1/segments/{}/products/{}", segment.id, product.id), &product))
}

/// A product that is about to be created.
#[derive(Debug, Clone)]
pub struct NewProduct {
    /// Its segment.
    pub segment: SegmentId,
    /// The master user who has the segment.
    pub owner: UserId,
    /// The id that it gets.
    pub id: ProductId,
    /// The id of the membership that it gets where `fields` names none.
    pub membership: MembershipId,
    /// Everything else.
    pub fields: ProductFields,
}

/// Creates a product, with a membership of its own where it names none: 1 transaction.
async fn create_product(app: &App, new: NewProduct, act: Act<'_>) -> Result<Product, Error> {
    let NewProduct { segment, owner, id, membership, fields } = new;
    let now = Time::of(id.uuid());
    let own = fields.membership_id.is_none().then(|| {
        let called = MembershipFields {
            name: fields.title.clone(),
            self_enrolment: Flag(false),
            status: Flag(true),
            settings: OrDefault::default(),
        };
        Membership::new(membership, segment, owner, called, now)
    });
    let membership_id = fields.membership_id.or(own.as_ref().map(|own| own.id));
    let product = Product::new(id, segment, ProductFields { membership_id, ..fields }, now);
    match app.store.create_product(&product, own.as_ref(), act).await {
        Err(error) if made_before(&error) => {}
        created => created?,
    }
    Ok(product)
}

/// Returns the private product of a segment with the title of `new`, which is created where there is none.
///
/// 2 reads, or 1 read and 1 transaction. Of concurrent calls one creates the product, and all return it.
///
/// # Errors
/// [`Error::Invalid`], [`Error::Conflict`] as for any new product.
pub async fn find_or_create_private(app: &App, mut new: NewProduct, act: Act<'_>) -> Result<Product, Error> {
    let (segment, title) = (new.segment, new.fields.title.clone());
    if let Some(found) = app.store.private_product(segment, &title).await? {
        return Ok(found);
    }
    new.fields.private = Flag(true);
    match create_product(app, new, act).await {
        Err(error @ Error::Conflict(_)) => app.store.private_product(segment, &title).await?.ok_or(error),
        created => created,
    }
}

/// Reads a product.
#[utoipa::path(get, path = "/v1/segments/{segment}/products/{product}", tag = "products",
    responses((status = 200, description = "The product.", body = Product)))]
pub(crate) async fn read(
    State(app): State<App>,
    caller: Caller,
    Path((segment, product)): Path<(SegmentId, ProductId)>,
    has: IfNoneMatch,
) -> Answer<Shown> {
    Ok(Shown::unless(&has, &found(&app, &caller, (segment, product), KeyScope::Read).await?))
}

/// Changes a product by a merge patch. Its membership stays as it was made.
#[utoipa::path(patch, path = "/v1/segments/{segment}/products/{product}", tag = "products",
    request_body = ProductPatch,
    responses((status = 200, description = "The product after the change.", body = Product)))]
pub(crate) async fn change(
    State(app): State<App>,
    caller: Caller,
    Path((segment, product)): Path<(SegmentId, ProductId)>,
    matches: IfMatch,
    Body(Patch(patch)): Body<Patch<ProductFields>>,
) -> Answer<Shown> {
    Ok(retried(|| async {
        let before = found(&app, &caller, (segment, product), KeyScope::Admin).await?;
        let after = before.patched(patch.clone(), Time::now())?;
        matches.check(before.version)?;
        app.store.change_product(&before, &after, caller.act()).await?;
        Ok(Shown::new(&after))
    })
    .await?)
}

/// Deletes a product that has no subscriptions any more. Its membership stays.
#[utoipa::path(delete, path = "/v1/segments/{segment}/products/{product}", tag = "products",
    responses((status = 204, description = "The product is gone.")))]
pub(crate) async fn delete(
    State(app): State<App>,
    caller: Caller,
    Path((segment, product)): Path<(SegmentId, ProductId)>,
    matches: IfMatch,
) -> Answer<NoContent> {
    Ok(retried(|| async {
        let before = found(&app, &caller, (segment, product), KeyScope::Admin).await?;
        matches.check(before.version)?;
        app.store.delete_product(&before, caller.act()).await?;
        Ok(NoContent)
    })
    .await?)
}

/// A product that the caller may act on: 1 round of latency.
async fn found(
    app: &App,
    caller: &Caller,
    (segment, product): (SegmentId, ProductId),
    scope: KeyScope,
) -> Result<Product, Error> {
    let reads = async { tokio::try_join!(app.store.segment(segment), app.store.product(segment, product)) };
    let (access, (segment, product)) = caller.accesses(reads).await?;
    access.manages(&segment, scope)?;
    Ok(product)
}
