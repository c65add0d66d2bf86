//! Products. They live in their segment's partition, and are found by an index of their own, since they may be many.

use std::collections::BTreeSet;

use domain::user::Unique;
use domain::{Act, Error, Membership, MembershipId, Name, Product, ProductId, ReferenceId, SegmentId};
use serde::Deserialize;

use crate::Store;
use crate::keys::{self, Scope};
use crate::search::{self, Directory, Found, Index, Indexed, Kind, Schema, Search, Searched, Value, ValueType};
use crate::table::{Changes, Item, Write, from_item, number, string, to_item};
use crate::unique::PRODUCT_COUNT;

/// The subscriptions of a product are counted by so many items, against contention: a member always counts in the same
/// one. They are there as long as the product is, so that nobody subscribes to one that is gone.
pub(crate) const SHARDS: u8 = 8;

/// The attribute that counts subscriptions.
pub(crate) const COUNT: &str = "subscription_count";

/// The attribute beside it that says which membership the product's is.
pub(crate) const MEMBERSHIP: &str = "membership_id";

/// The claim of a product's reference id.
#[derive(Debug, Deserialize)]
struct ProductClaim {
    thing_id: ProductId,
}

impl Indexed for Product {
    fn index(&self) -> Index {
        let fields = &self.fields;
        let reference = fields.reference_id.as_ref().map(|id| Value::word(id.as_str()));
        let value = fields.value.as_ref().and_then(|value| Value::number(value.as_str()));
        let index = Index::new(self.id.uuid())
            .sorted("reference_id", reference.as_ref())
            .sorted("title", Some(&Value::Text(fields.title.as_str().to_owned())))
            .sorted("value", value.as_ref())
            .found("lifetime", &Value::word(fields.lifetime.0))
            .found("status", &Value::word(fields.status.0));
        let found = [
            ("currency", fields.currency.as_ref().map(|currency| Value::word(currency.as_str()))),
            ("membership_id", fields.membership_id.map(Value::word)),
        ];
        found.into_iter().fold(index, |index, (field, value)| match value {
            Some(value) => index.found(field, &value),
            None => index,
        })
    }
}

impl Searched for Product {
    fn schema() -> Schema {
        let found = ["lifetime", "status", "currency", "membership_id"];
        let schema = Schema::default()
            .with("reference_id", Kind::Sorted, ValueType::Word)
            .with("title", Kind::Sorted, ValueType::Text)
            .with("value", Kind::Sorted, ValueType::Number);
        found.into_iter().fold(schema, |schema, field| schema.with(field, Kind::Found, ValueType::Word))
    }
}

/// The directory of a segment's products, without private ones.
pub(crate) fn directory(segment: SegmentId) -> String {
    format!("O#{segment}")
}

/// The directory of a segment's private products.
pub(crate) fn private_directory(segment: SegmentId) -> String {
    format!("Q#{segment}")
}

/// The directory that a product is in.
pub(crate) fn directory_of(product: &Product) -> String {
    if product.fields.private.0 { private_directory(product.segment_id) } else { directory(product.segment_id) }
}

/// The values of a product that no other product of its segment has.
pub(crate) fn unique_values(product: &Product) -> Vec<Unique> {
    product.unique().into_iter().chain(private_title(product)).collect()
}

/// The title of a private product, as it is unique among these.
fn private_title(product: &Product) -> Option<Unique> {
    product.fields.private.0.then(|| unique_title(&product.fields.title))
}

fn unique_title(title: &Name) -> Unique {
    Unique::new("product.private_title", search::fold(title.as_str()))
}

/// Which product holds a unique value.
#[derive(Debug, Deserialize)]
struct Claim {
    thing_id: ProductId,
}

impl Store {
    /// A product: 1 `GetItem`.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn product(&self, segment: SegmentId, id: ProductId) -> Result<Product, Error> {
        self.table.get(&keys::product(segment, id)).await?.ok_or(Error::NotFound).and_then(from_item)
    }

    /// The product that has this reference id: 2 `GetItem`.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn product_with_reference(&self, segment: SegmentId, reference: &ReferenceId) -> Result<Product, Error> {
        let claim = keys::claim(Scope::Segment(segment), &Product::unique_reference(reference));
        let claim: ProductClaim = self.table.get(&claim).await?.ok_or(Error::NotFound).and_then(from_item)?;
        self.product(segment, claim.thing_id).await
    }

    /// Those of these products that are there: 1 `BatchGetItem` for each 100.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn products_with(&self, segment: SegmentId, ids: &BTreeSet<ProductId>) -> Result<Vec<Product>, Error> {
        let keys = ids.iter().map(|id| keys::product(segment, *id).attributes()).collect();
        self.table.get_all(keys).await?.into_iter().map(from_item).collect()
    }

    /// A page of a segment's products, without private ones.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn products(&self, segment: SegmentId, search: &Search) -> Result<Found<Product>, Error> {
        self.products_in(&directory(segment), segment, search).await
    }

    /// A page of a segment's private products.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn private_products(&self, segment: SegmentId, search: &Search) -> Result<Found<Product>, Error> {
        self.products_in(&private_directory(segment), segment, search).await
    }

    async fn products_in(&self, name: &str, segment: SegmentId, search: &Search) -> Result<Found<Product>, Error> {
        let key_of = |id| keys::product(segment, ProductId::from(id));
        let directory = Directory { table: &self.table, name, schema: &Product::schema(), key_of: &key_of };
        search::find(&directory, search).await
    }

    /// Returns the private product of a segment with this title, case and accents aside: 1 `GetItem`, and 1 more where it
    /// exists. Both are strongly consistent.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn private_product(&self, segment: SegmentId, title: &Name) -> Result<Option<Product>, Error> {
        let claim = keys::claim(Scope::Segment(segment), &unique_title(title));
        let Some(claim) = self.table.get(&claim).await?.map(from_item::<Claim>).transpose()? else { return Ok(None) };
        match self.product(segment, claim.thing_id).await {
            // It was deleted in between.
            Err(Error::NotFound) => Ok(None),
            found => found.map(Some),
        }
    }

    /// Writes a new product, if its segment and its membership are there; `own` is made with it. 1 transaction.
    ///
    /// # Errors
    /// [`Error::Conflict`] where the reference id is taken or the id is there already; [`Error::Invalid`] where the
    /// membership is not one of the segment; [`Error::NotFound`] where the segment is gone.
    pub async fn create_product(&self, product: &Product, own: Option<&Membership>, act: Act<'_>) -> Result<(), Error> {
        let (segment, Some(membership)) = (product.segment_id, product.fields.membership_id) else {
            return Err(Error::internal("a product has a membership"));
        };
        let exists = || Error::conflict("/id", "exists", "is the id of a product that is there already");
        let create = Write::create(&self.table, &keys::product(segment, product.id), to_item(product)?);
        let mut writes = vec![create.on_condition_failed(exists()), self.in_segment(segment)];
        match own {
            Some(own) => {
                writes.extend(self.new_membership(own, 1)?);
                writes.extend(self.tells(None, Some(own), act)?);
            }
            None => writes.push(self.names_membership(segment, membership, 1).on_condition_failed(unknown())),
        }
        for shard in 0..SHARDS {
            let key = keys::subscription_count(segment, product.id, shard);
            let counter = Item::from([(MEMBERSHIP.to_owned(), string(membership)), (COUNT.to_owned(), number(0))]);
            writes.push(Write::create(&self.table, &key, counter).on_condition_failed(exists()));
        }
        writes.extend(self.product_entries(None, Some(product)));
        writes.extend(self.tells(None, Some(product), act)?);
        self.table.transact(writes).await
    }

    /// Writes `new` over `old`: 1 transaction.
    ///
    /// # Errors
    /// [`Error::Stale`] where it has changed, or gone, since it was read; [`Error::Conflict`] where the reference id is
    /// taken.
    pub async fn change_product(&self, old: &Product, new: &Product, act: Act<'_>) -> Result<(), Error> {
        let key = keys::product(new.segment_id, new.id);
        let mut writes = vec![self.replaced(&key, old.version, &to_item(old)?, &to_item(new)?)];
        writes.extend(self.product_entries(Some(old), Some(new)));
        writes.extend(self.tells(Some(old), Some(new), act)?);
        self.table.transact(writes).await
    }

    /// Deletes a product that has no subscriptions; its membership stays. 1 transaction.
    ///
    /// # Errors
    /// [`Error::Conflict`] where it has subscriptions; [`Error::Stale`] where it has changed, or gone, since it was read.
    pub async fn delete_product(&self, product: &Product, act: Act<'_>) -> Result<(), Error> {
        let segment = product.segment_id;
        let mut writes = vec![self.removed(&keys::product(segment, product.id), product.version)];
        if let Some(membership) = product.fields.membership_id {
            writes.push(self.names_membership(segment, membership, -1).on_condition_failed(Error::NotFound));
        }
        for shard in 0..SHARDS {
            let in_use = Error::conflict("", "in_use", "Somebody subscribes to it; delete its subscriptions first.");
            let (key, none) = (keys::subscription_count(segment, product.id, shard), (":none".to_owned(), number(0)));
            let gone = Write::delete(&self.table, &key, &format!("{COUNT} = :none"), Item::from([none]));
            writes.push(gone.on_condition_failed(in_use));
        }
        writes.extend(self.product_entries(Some(product), None));
        writes.extend(self.tells(Some(product), None, act)?);
        match self.table.transact(writes).await {
            // Each item that counts says the same.
            Err(Error::Conflict(told)) => Err(Error::Conflict(told.into_iter().take(1).collect())),
            done => done,
        }
    }

    /// Counts a product among those that name a membership of its segment.
    fn names_membership(&self, segment: SegmentId, membership: MembershipId, more: i64) -> Write {
        let changes = Changes::default().add(PRODUCT_COUNT, more).value(":segment", string(segment));
        Write::update(&self.table, &keys::membership(membership), "segment_id = :segment", changes)
    }

    /// What a product is found by, and what no other one has.
    fn product_entries(&self, old: Option<&Product>, new: Option<&Product>) -> Vec<Write> {
        let Some(Product { id, segment_id, .. }) = new.or(old) else { return Vec::new() };
        let taken = Error::conflict("/reference_id", "taken", "is another product's; choose another one");
        let (before, after) = (old.and_then(Product::unique), new.and_then(Product::unique));
        let mut writes = self.reclaimed((*segment_id, id), before, after, taken);
        let taken = Error::conflict("/title", "taken", "is another private product's; choose another one");
        let (before, after) = (old.and_then(private_title), new.and_then(private_title));
        writes.extend(self.reclaimed((*segment_id, id), before, after, taken));
        let mut index = |directory: &str, old: Option<&Product>, new: Option<&Product>| {
            let (old, new) = (old.map(Indexed::index), new.map(Indexed::index));
            writes.extend(search::writes(&self.table, directory, old.as_ref(), new.as_ref()));
        };
        match (old.map(directory_of), new.map(directory_of)) {
            (Some(from), Some(to)) if from != to => {
                index(&from, old, None);
                index(&to, None, new);
            }
            (Some(directory), _) | (None, Some(directory)) => index(&directory, old, new),
            (None, None) => {}
        }
        writes
    }
}

fn unknown() -> Error {
    Error::invalid("/membership_id", "unknown", "must be the id of a membership of this segment")
}
