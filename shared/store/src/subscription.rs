//! Subscriptions: members who came from a product. Each stands in the index of its segment's subscriptions too, and
//! counts among those of its product; both change in the member's own transaction.

use domain::{Act, Error, Member, MemberId, MembershipId, ProductId, SegmentId, Subscription, UserId};
use futures_util::future::try_join_all;
use serde::Deserialize;

use crate::Store;
use crate::keys;
use crate::member::MemberRecord;
use crate::product::{COUNT, MEMBERSHIP, SHARDS};
use crate::search::{
    self, Directory, Filter, Found, From, Index, Indexed, Kind, Match, Schema, Search, Sort, Test, Value, ValueType,
};
use crate::table::{Changes, Write, from_item, string};

/// A member as it is found among the subscriptions of its segment.
#[derive(Debug, Clone, Deserialize)]
#[serde(transparent)]
struct Subscriber(Member);

impl Indexed for Subscriber {
    fn index(&self) -> Index {
        // Who has given up the product since it was found is filtered out with the page.
        index(&self.0).unwrap_or_else(|| Index::new(self.0.id.uuid()))
    }
}

/// What a subscription is found by.
fn index(member: &Member) -> Option<Index> {
    let Subscription { id, fields, .. } = member.subscription()?;
    let time = |time: Option<domain::Time>| time.map(Value::word);
    let index = Index::new(id.uuid())
        .facet("status", Some(fields.status.0.as_str()))
        .sorted("expires_at", time(fields.expires_at).as_ref())
        .ordered("starts_at", time(fields.starts_at).as_ref())
        .ordered("last_payment_at", time(fields.last_payment_at).as_ref())
        .found("user_id", &Value::word(fields.user_id))
        .found("product_id", &Value::word(fields.product_id));
    Some(match &fields.reference_id {
        Some(reference) => index.found("reference_id", &Value::word(reference.as_str())),
        None => index,
    })
}

/// By what subscriptions are searched.
fn schema() -> Schema {
    let fields = [
        ("status", Kind::Facet),
        ("expires_at", Kind::Sorted),
        ("starts_at", Kind::Ordered),
        ("last_payment_at", Kind::Ordered),
        ("user_id", Kind::Found),
        ("product_id", Kind::Found),
        ("reference_id", Kind::Found),
    ];
    fields.into_iter().fold(Schema::default(), |schema, (field, kind)| schema.with(field, kind, ValueType::Word))
}

/// The directory of a segment's subscriptions.
fn directory(segment: SegmentId) -> String {
    format!("R#{segment}")
}

impl Store {
    /// A page of a segment's subscriptions.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn subscriptions(&self, segment: SegmentId, search: &Search) -> Result<Found<Subscription>, Error> {
        let key_of = |id| keys::member(MemberId::from(id));
        let (name, schema) = (directory(segment), schema());
        let directory = Directory { table: &self.table, name: &name, schema: &schema, key_of: &key_of };
        let mut found: Found<Subscriber> = search::find(&directory, search).await?;
        let rows = std::mem::take(&mut found.rows);
        let placed = rows.into_iter().zip(std::mem::take(&mut found.positions));
        let (rows, positions) =
            placed.filter_map(|(Subscriber(member), position)| Some((member.subscription()?, position))).unzip();
        Ok(Found { positions, ..found.with_rows(rows) })
    }

    /// The subscription that a user has come to have last: 1 `Query` and 1 `BatchGetItem`.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn latest_subscription(&self, segment: SegmentId, user: UserId) -> Result<Option<Subscription>, Error> {
        let of_user = Test::AnyOf(vec![Match::Exact(Value::word(user))]);
        let search = Search {
            filters: vec![Filter { field: "user_id".to_owned(), test: of_user }],
            sort: vec![Sort { field: "id".to_owned(), descending: true }],
            size: 1,
            from: From::Offset(0),
            // Nobody asks how many there are.
            total: Some((0, false)),
        };
        Ok(self.subscriptions(segment, &search).await?.rows.pop())
    }

    /// The member that a user is of a membership, if it is one: 2 `GetItem`.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn member_of(&self, membership: MembershipId, user: UserId) -> Result<Option<MemberRecord>, Error> {
        let claim = keys::member_claim(membership, "user_id", &user.to_string());
        let Some(claim) = self.table.get(&claim).await?.map(from_item::<Claim>).transpose()? else { return Ok(None) };
        match self.member(claim.member_id).await {
            Err(Error::NotFound) => Ok(None),
            found => found.map(Some),
        }
    }

    /// What turns the subscription that `old` is, if it is one, into that of `new`.
    pub(crate) fn subscription_writes(&self, old: Option<&Member>, new: Option<&Member>) -> Vec<Write> {
        let Some(member) = new.or(old) else { return Vec::new() };
        let product = |member: Option<&Member>| Some(member?.subscription()?.fields.product_id);
        let (had, has) = (product(old), product(new));
        let mut writes = Vec::new();
        if had != has {
            let count = |product: ProductId| {
                keys::subscription_count(member.segment_id, product, keys::shard(member.id.uuid(), SHARDS))
            };
            writes.extend(had.map(|product| Write::add(&self.table, &count(product), [(COUNT, -1)])));
            writes.extend(has.map(|product| {
                let more = Changes::default().add(COUNT, 1).value(":membership", string(member.membership_id));
                let condition = format!("{MEMBERSHIP} = :membership");
                Write::update(&self.table, &count(product), &condition, more).on_condition_failed(unknown())
            }));
        }
        let (before, after) = (old.and_then(index), new.and_then(index));
        let directory = directory(member.segment_id);
        writes.extend(search::writes(&self.table, &directory, before.as_ref(), after.as_ref()));
        writes
    }

    /// Deletes the subscriptions of a segment that is deleted, when nobody can subscribe to its products any more.
    pub(crate) async fn erase_subscriptions(&self, segment: SegmentId) -> Result<(), Error> {
        let (directory, mut after) = (directory(segment), None);
        loop {
            let some = self.ids_in(&directory, after).await?;
            try_join_all(
                some.iter().map(|id| self.delete_member_now(MemberId::from(*id), Act::by_itself("reconcile").untold())),
            )
            .await?;
            after = some.last().copied();
            if after.is_none() {
                return self.erase_counters(&directory).await;
            }
        }
    }
}

/// Whose a unique value is.
#[derive(Debug, Deserialize)]
struct Claim {
    member_id: MemberId,
}

fn unknown() -> Error {
    Error::invalid("/product_id", "unknown", "must be the id of a product whose membership this is")
}
