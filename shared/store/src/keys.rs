//! The keys of the one table. Nothing else spells a key.
//!
//! | item | `PK` | `SK` | beside it |
//! |---|---|---|---|
//! | user | `U#{user}` | `U` | index `pending`: `pending` (kind) / `pending_at` while a change spans Cognito |
//! | address | `U#{user}` | `A#{address}` | |
//! | history entry | `U#{user}` | `H#{entry}` | |
//! | undo of a change of e-mail | `U#{user}` | `E#{sha256}` | the former address, TTL |
//! | device | `U#{user}` | `DV#{device}` | its claim; an item in its segment's devices |
//! | key of an account | `U#{user}` | `K#{key}` | hash of its secret |
//! | key that a key of an account created | `U#{user}` | `KC#{creator}#{key}` | whose segment it opens |
//! | session of a user | `U#{user}` | `SN#{session}` | TTL |
//! | recovery code | `U#{user}` | `RC#{sha256}` | TTL |
//! | developer whom an account lists | `U#{user}` | `D#{developer}` | |
//! | registration of a developer | `DR#{developer}` | `DR` | how many tokens it got; TTL until a developer of no account calls |
//! | last number of an account's segments | `U#{user}` | `N` | |
//! | segment of an account by its number | `U#{user}` | `G#{number}` | `segment_id` |
//! | number of a person | `A#{account}#{number}` | `L` | |
//! | user that a person is in a segment | `A#{account}#{number}` | `S#{segment's number}` | `user_id` |
//! | membership that a user has joined | `U#{user}` | `B#{member}` | whose segment it is in |
//! | segment | `S#{segment}` | `S` | entries in the index of its account's segments |
//! | key of a segment | `S#{segment}` | `K#{key}` | hash of its secret |
//! | catalog | `S#{segment}` | `C#{catalog}` | |
//! | status of users | `S#{segment}` | `T#{status}` | how many users have it |
//! | last number of a segment's statuses | `S#{segment}` | `N` | |
//! | partner | `S#{segment}` | `B#{partner}` | how many users name it; entries in the index of its segment's partners |
//! | product | `S#{segment}` | `P#{product}` | entries in the index of its segment's products |
//! | how many subscribe to a product | `S#{segment}` | `Q#{product}#{shard}`, 0 to 7 | its membership; a number |
//! | import | `S#{segment}` | `V#{import}` | index `pending`: `import` / since when, until its end |
//! | batch of an import that is done | `V#{import}` | `B#{first row}` | |
//! | export | `S#{segment}` | `W#{export}` | index `pending`: `export` / since when, until its end |
//! | audit entry of an account, or of a developer of no account | `AU#{user}` or `AU#{developer}` | `AU#{entry}` | TTL |
//! | audit entry of a segment | `AS#{segment}` | `AU#{entry}` | TTL |
//! | event | `Y#{segment}` | `Y#{event}` | TTL |
//! | notification | `S#{segment}` | `PN#{notification}` | index `pending`: `notification` / when it may be taken, until its end |
//! | whom a notification is for | `S#{segment}` | `PT#{notification}` | until its end |
//! | endpoint of a device that is gone | `DE#{ARN}` | `DE` | index `pending`: `endpoint` / since when |
//! | device of a segment's user | `DV#{segment}` | `{device}#{user}` | nothing but its key |
//! | webhook | `S#{segment}` | `Y#{webhook}` | its secrets, sealed |
//! | delivery of an event to a webhook | `L#{event}` | `L#{webhook}` | TTL; index `pending`: `delivery` / when it is tried next, until its end |
//! | membership | `M#{membership}` | `M` | how many products name it; entries in the index of its segment's memberships |
//! | level | `M#{membership}` | `L#{level}` | |
//! | custom field | `M#{membership}` | `F#{field}` | |
//! | what an address, level or custom field belongs to | `H#{id}` | `H` | `home`: the user's or the membership's id |
//! | what was deleted of a user, segment or membership | `K#{id}` | `A#`, `S#`, `M#`, `L#` or `F#`, then its own id | as it was; TTL |
//! | member | `E#{member}` | `E` | entries in the index of its membership's members, and of its segment's subscriptions |
//! | award of points | `E#{member}` | `P#{entry}` | |
//! | upload | `F#{upload}` | `F` | TTL until the file has arrived |
//! | upload of a member | `E#{member}` | `F#{upload}` | |
//! | upload of a segment | `S#{segment}` | `F#{upload}` | |
//! | upload of a user, its photo | `U#{user}` | `F#{upload}` | |
//! | job | `J#{kind}#{subject}` | `J` | index `pending`: its kind / since when |
//! | claim of a unique value | `C#{scope}#{field}#{sha256}` | `C` | `user_id`, `member_id` or `thing_id`; of a token `user_id` and `device_id` |
//! | first sign-up of the deployment | `D` | `FIRST` | |
//! | deployment secrets, all versions | `DS` | `DS` | in a partition of their own: IAM grants it to those who seal |
//! | deployment secret from before it had versions | `D` | `SECRET` | |
//! | one-time secret | `O#{sha256}` | `O` | TTL; the hash is of the user too |
//! | magic link | `B#{sha256}` | `B` | TTL; the hash is of the user too |
//! | kept answer of an `Idempotency-Key` | `I#{sha256}` | `I` | TTL |
//! | user that was purged within a day | `Z#{sha256}` | `Z` | TTL |
//! | rate limit window | `R#{sha256}` | `{window}` | TTL |
//! | index entry | `X#{directory}#{field}`, or `…#{bucket}` | `v{value}` or `~`, then U+0001 and the id | |
//! | counts of buckets | `N#{directory}` | `{shard}`, 00 to 15 | a number a bucket, named `.{bucket}` |
//! | tallies | `T#{directory}` | `{shard}`, 00 to 15 | a number a tally, named `.{tally}` |
//! | node of a ranking | `P#{directory}#{shard}` | `p{path}` | a number a child |
//! | last change of a segment's user | `G#{segment}` | `{time}`, then U+0001 and the user | stays when the user is purged |
//! | up to when changes are told | `G#{segment}` | `~{shard}`, 00 to 15 | `told_until` |
//!
//! A directory is named by what it holds: `S#{segment}` users, `Z#{segment}` excluded and `D#{segment}` deleted ones, `M#{membership}` members. A bucket is the values of all facets, in the
//! order of the facets' names, percent-encoded and joined by dots; `~` is none.
//!
//! Values that clients choose are hashed: they cannot forge a key, grow one past DynamoDB's limit, or stand as
//! personal data in a key. The index's entries are the exception, since they are there to be read in order: their
//! values are cut, and without the control characters that separate the parts of a key.

use std::collections::HashMap;

use aws_lc_rs::digest::{SHA256, digest};
use aws_sdk_dynamodb::types::AttributeValue;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::segment::SegmentNumber;
use domain::user::{Person, PersonNumber, Unique};
use domain::{
    AddressId, AuditId, CatalogId, DeveloperId, DeviceId, EntryId, EventId, ExportId, FieldId, ImportId, KeyId,
    LevelId, MemberId, MembershipId, NotificationId, PartnerId, ProductId, SegmentId, SessionId, StatusId, Time,
    UploadHolder, UploadId, UserId, WebhookId,
};
use uuid::Uuid;

/// What the sort key of each undo of a change of e-mail begins with.
pub(crate) const EMAIL_UNDOS: &str = "E#";

/// The partition key's attribute.
pub(crate) const PK: &str = "PK";
/// The sort key's attribute.
pub(crate) const SK: &str = "SK";
/// Prefix of the sort keys of a user's addresses.
pub(crate) const ADDRESSES: &str = "A#";
/// Prefix of the sort keys of segments that were deleted.
pub(crate) const DELETED_SEGMENTS: &str = "S#";
/// Prefix of the sort keys of memberships that were deleted.
pub(crate) const DELETED_MEMBERSHIPS: &str = "M#";
/// Prefix of the sort keys of a user's devices.
pub(crate) const DEVICES: &str = "DV#";
/// Prefix of the partition keys of endpoints whose devices are gone.
const ENDPOINTS: &str = "DE#";
/// Prefix of the sort keys of a segment's notifications.
pub(crate) const NOTIFICATIONS: &str = "PN#";
/// Prefix of the sort keys of those whom a segment's notifications are for.
pub(crate) const RECIPIENTS: &str = "PT#";
/// Prefix of the sort keys of a user's history.
pub(crate) const ENTRIES: &str = "H#";
/// Prefix of the sort keys of keys.
pub(crate) const KEYS: &str = "K#";
/// Prefix of the sort keys of what lists the keys that keys have created.
const CHILD_KEYS: &str = "KC#";
/// Prefix of the sort keys of an account's developers.
pub(crate) const DEVELOPERS: &str = "D#";
/// Prefix of the sort keys of a user's sessions.
pub(crate) const SESSIONS: &str = "SN#";
/// Prefix of the sort keys of a segment's catalogs.
pub(crate) const CATALOGS: &str = "C#";
/// Prefix of the sort keys of a segment's statuses.
pub(crate) const STATUSES: &str = "T#";
/// Prefix of the sort keys of a segment's partners.
pub(crate) const PARTNERS: &str = "B#";
/// Prefix of the sort keys of a segment's products.
pub(crate) const PRODUCTS: &str = "P#";
/// Prefix of the sort keys of what counts the subscriptions of a segment's products.
pub(crate) const SUBSCRIPTION_COUNTS: &str = "Q#";
/// Prefix of the sort keys of a membership's levels.
pub(crate) const LEVELS: &str = "L#";
/// Prefix of the sort keys of a membership's custom fields.
pub(crate) const FIELDS: &str = "F#";
/// Prefix of the sort keys of a member's awards of points.
pub(crate) const AWARDS: &str = "P#";
/// Prefix of the sort keys of the uploads of a member, a segment or a user.
pub(crate) const UPLOADS: &str = "F#";
/// Prefix of the sort keys of a segment's imports.
pub(crate) const IMPORTS: &str = "V#";
/// Prefix of the sort keys of a segment's exports.
pub(crate) const EXPORTS: &str = "W#";
/// Prefix of the sort keys of an audit.
pub(crate) const AUDITS: &str = "AU#";
/// Prefix of the sort keys of a segment's events.
pub(crate) const EVENTS: &str = "Y#";
/// Prefix of the sort keys of a segment's webhooks.
pub(crate) const WEBHOOKS: &str = "Y#";
/// Prefix of the keys of an event's deliveries.
const DELIVERIES: &str = "L#";
/// Prefix of the sort keys of the batches of an import that are done.
pub(crate) const BATCHES: &str = "B#";
/// Prefix of the sort keys of the memberships that a user has joined.
pub(crate) const JOINED: &str = "B#";
/// Prefix of the sort keys of the users that a person is.
pub(crate) const PERSONS: &str = "S#";
/// The sparse index of users with an unfinished change.
pub(crate) const PENDING_INDEX: &str = "pending";

/// The primary key of an item.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Key {
    pub(crate) pk: String,
    pub(crate) sk: String,
}

impl Key {
    fn new(pk: String, sk: impl Into<String>) -> Self {
        Self { pk, sk: sk.into() }
    }

    /// The key as DynamoDB takes it.
    pub(crate) fn attributes(&self) -> HashMap<String, AttributeValue> {
        HashMap::from([
            (PK.to_owned(), AttributeValue::S(self.pk.clone())),
            (SK.to_owned(), AttributeValue::S(self.sk.clone())),
        ])
    }
}

/// Within what a value is unique: a segment, or the deployment's master users.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// All master users.
    Masters,
    /// The users of one segment.
    Segment(SegmentId),
}

impl From<Option<SegmentId>> for Scope {
    fn from(segment: Option<SegmentId>) -> Self {
        segment.map_or(Self::Masters, Self::Segment)
    }
}

pub(crate) fn user(user: UserId) -> Key {
    Key::new(partition(user), "U")
}

/// The partition that holds a user and all that is its own.
pub(crate) fn partition(user: UserId) -> String {
    format!("U#{user}")
}

pub(crate) fn address(user: UserId, address: AddressId) -> Key {
    Key::new(partition(user), format!("{ADDRESSES}{address}"))
}

pub(crate) fn device(user: UserId, device: DeviceId) -> Key {
    Key::new(partition(user), format!("{DEVICES}{device}"))
}

/// An endpoint of Amazon SNS that is to be deleted there.
pub(crate) fn endpoint(arn: &str) -> Key {
    Key::new(format!("{ENDPOINTS}{arn}"), "DE")
}

/// The endpoint that is left at a place.
pub(crate) fn endpoint_at(pk: &str) -> Option<String> {
    pk.strip_prefix(ENDPOINTS).map(str::to_owned)
}

/// The partition that lists the devices of a segment's users.
pub(crate) fn devices_of(segment: SegmentId) -> String {
    format!("DV#{segment}")
}

/// Where a device is listed among those of its segment.
pub(crate) fn listing(segment: SegmentId, device: DeviceId, user: UserId) -> Key {
    Key::new(devices_of(segment), format!("{device}#{user}"))
}

/// The device that is listed at a place, and whose it is.
pub(crate) fn listed_device(sk: &str) -> Option<(DeviceId, UserId)> {
    let (device, user) = sk.split_once('#')?;
    Some((device.parse().ok()?, user.parse().ok()?))
}

pub(crate) fn notification(segment: SegmentId, notification: NotificationId) -> Key {
    Key::new(self::segment(segment).pk, format!("{NOTIFICATIONS}{notification}"))
}

/// Whom a notification is for.
pub(crate) fn recipients(segment: SegmentId, notification: NotificationId) -> Key {
    Key::new(self::segment(segment).pk, format!("{RECIPIENTS}{notification}"))
}

pub(crate) fn entry(user: UserId, entry: EntryId) -> Key {
    Key::new(partition(user), format!("{ENTRIES}{entry}"))
}

/// The partition that holds what belongs to an account or, where one is named, to one of its segments.
pub(crate) fn parent(account: UserId, segment: Option<SegmentId>) -> String {
    segment.map_or_else(|| partition(account), |segment| self::segment(segment).pk)
}

pub(crate) fn key(account: UserId, segment: Option<SegmentId>, key: KeyId) -> Key {
    Key::new(parent(account, segment), format!("{KEYS}{key}"))
}

/// Prefix of the sort keys of what lists the keys that a key has created.
pub(crate) fn child_keys(parent: KeyId) -> String {
    format!("{CHILD_KEYS}{parent}#")
}

/// Where a key is listed under the key that created it.
pub(crate) fn child_key(account: UserId, parent: KeyId, child: KeyId) -> Key {
    Key::new(partition(account), format!("{}{child}", child_keys(parent)))
}

/// The key that is listed at a place.
pub(crate) fn listed_key(sk: &str) -> Option<KeyId> {
    sk.strip_prefix(CHILD_KEYS)?.split_once('#')?.1.parse().ok()
}

pub(crate) fn session(user: UserId, session: SessionId) -> Key {
    Key::new(partition(user), format!("{SESSIONS}{session}"))
}

/// A code that was sent to a user.
pub(crate) fn recovery_code(user: UserId, code: &str) -> Key {
    Key::new(partition(user), format!("RC#{}", hash(&format!("{user}|{code}"))))
}

pub(crate) fn developer(account: UserId, developer: DeveloperId) -> Key {
    Key::new(partition(account), format!("{DEVELOPERS}{developer}"))
}

/// The registration of a developer, whichever account it is of.
pub(crate) fn registration(developer: DeveloperId) -> Key {
    Key::new(format!("DR#{developer}"), "DR")
}

/// Where an account's segment is found by its number.
pub(crate) fn segment_by_number(account: UserId, number: SegmentNumber) -> Key {
    Key::new(partition(account), format!("G#{}", number.get()))
}

/// A number that a person of an account has.
pub(crate) fn person(account: UserId, number: PersonNumber) -> Key {
    Key::new(format!("A#{account}#{}", number.get()), "A")
}

/// Where the user is found that a person is in a segment.
pub(crate) fn person_in(person: Person) -> Key {
    Key::new(self::person(person.account, person.number).pk, format!("{PERSONS}{}", person.segment.get()))
}

pub(crate) fn segment_numbers(account: UserId) -> Key {
    Key::new(partition(account), "N")
}

pub(crate) fn segment(segment: SegmentId) -> Key {
    Key::new(format!("S#{segment}"), "S")
}

pub(crate) fn catalog(segment: SegmentId, catalog: CatalogId) -> Key {
    Key::new(self::segment(segment).pk, format!("{CATALOGS}{catalog}"))
}

pub(crate) fn custom_status(segment: SegmentId, status: StatusId) -> Key {
    Key::new(self::segment(segment).pk, format!("{STATUSES}{status}"))
}

pub(crate) fn status_numbers(segment: SegmentId) -> Key {
    Key::new(self::segment(segment).pk, "N")
}

pub(crate) fn partner(segment: SegmentId, partner: PartnerId) -> Key {
    Key::new(self::segment(segment).pk, format!("{PARTNERS}{partner}"))
}

pub(crate) fn product(segment: SegmentId, product: ProductId) -> Key {
    Key::new(self::segment(segment).pk, format!("{PRODUCTS}{product}"))
}

/// One item that counts the subscriptions of a product.
pub(crate) fn subscription_count(segment: SegmentId, product: ProductId, shard: u8) -> Key {
    Key::new(self::segment(segment).pk, format!("{SUBSCRIPTION_COUNTS}{product}#{shard}"))
}

pub(crate) fn membership(membership: MembershipId) -> Key {
    Key::new(format!("M#{membership}"), "M")
}

pub(crate) fn level(membership: MembershipId, level: LevelId) -> Key {
    Key::new(self::membership(membership).pk, format!("{LEVELS}{level}"))
}

pub(crate) fn field(membership: MembershipId, field: FieldId) -> Key {
    Key::new(self::membership(membership).pk, format!("{FIELDS}{field}"))
}

/// What says where an address, a level or a custom field is.
pub(crate) fn home(thing: Uuid) -> Key {
    Key::new(format!("H#{thing}"), "H")
}

/// The partition of what was deleted of a user, a segment or a membership.
pub(crate) fn deleted_of(parent: Uuid) -> String {
    format!("K#{parent}")
}

pub(crate) fn deleted(parent: Uuid, prefix: &str, thing: Uuid) -> Key {
    Key::new(deleted_of(parent), format!("{prefix}{thing}"))
}

/// What says where the thing with this key is, if it is one of those that are found so.
pub(crate) fn home_at(key: &HashMap<String, AttributeValue>) -> Option<Key> {
    let text = |name: &str| key.get(name)?.as_s().ok();
    let (pk, sk) = (text(PK)?, text(SK)?);
    let thing = match pk.get(..2)? {
        "U#" => sk.strip_prefix(ADDRESSES)?,
        "M#" => sk.strip_prefix(LEVELS).or_else(|| sk.strip_prefix(FIELDS))?,
        _ => return None,
    };
    Uuid::try_parse(thing).ok().map(home)
}

pub(crate) fn member(member: MemberId) -> Key {
    Key::new(format!("E#{member}"), "E")
}

/// Where a user has the membership that it has joined as `member`.
pub(crate) fn joined(user: UserId, member: MemberId) -> Key {
    Key::new(partition(user), format!("{JOINED}{member}"))
}

pub(crate) fn award(member: MemberId, award: EntryId) -> Key {
    Key::new(self::member(member).pk, format!("{AWARDS}{award}"))
}

pub(crate) fn upload(upload: UploadId) -> Key {
    Key::new(format!("F#{upload}"), "F")
}

/// Lists an upload under its holder.
pub(crate) fn upload_of(holder: UploadHolder, upload: UploadId) -> Key {
    Key::new(upload_holder(holder).pk, format!("{UPLOADS}{upload}"))
}

/// The holder of an upload itself.
pub(crate) fn upload_holder(holder: UploadHolder) -> Key {
    match holder {
        UploadHolder::Segment(segment) => self::segment(segment),
        UploadHolder::Member(member) => self::member(member),
        UploadHolder::User(user) => self::user(user),
    }
}

pub(crate) fn import(segment: SegmentId, import: ImportId) -> Key {
    Key::new(self::segment(segment).pk, format!("{IMPORTS}{import}"))
}

pub(crate) fn export(segment: SegmentId, export: ExportId) -> Key {
    Key::new(self::segment(segment).pk, format!("{EXPORTS}{export}"))
}

/// The partition of an account's audit.
pub(crate) fn audit_of_account(account: UserId) -> String {
    format!("AU#{account}")
}

pub(crate) fn audit_entry_of_account(account: UserId, entry: AuditId) -> Key {
    Key::new(audit_of_account(account), format!("{AUDITS}{entry}"))
}

/// The partition of a segment's audit.
pub(crate) fn audit_of_segment(segment: SegmentId) -> String {
    format!("AS#{segment}")
}

pub(crate) fn audit_entry_of_segment(segment: SegmentId, entry: AuditId) -> Key {
    Key::new(audit_of_segment(segment), format!("{AUDITS}{entry}"))
}

/// The partition of a segment's events.
pub(crate) fn events(segment: SegmentId) -> String {
    format!("Y#{segment}")
}

pub(crate) fn event(segment: SegmentId, event: EventId) -> Key {
    Key::new(events(segment), format!("{EVENTS}{event}"))
}

pub(crate) fn webhook(segment: SegmentId, webhook: WebhookId) -> Key {
    Key::new(self::segment(segment).pk, format!("{WEBHOOKS}{webhook}"))
}

/// The partition of an event's deliveries.
pub(crate) fn deliveries(event: EventId) -> String {
    format!("{DELIVERIES}{event}")
}

pub(crate) fn delivery(event: EventId, webhook: WebhookId) -> Key {
    Key::new(deliveries(event), format!("{DELIVERIES}{webhook}"))
}

/// The event and the webhook of a delivery's key.
pub(crate) fn delivery_of(pk: &str, sk: &str) -> Option<(EventId, WebhookId)> {
    let (event, webhook) = (pk.strip_prefix(DELIVERIES)?, sk.strip_prefix(DELIVERIES)?);
    Some((event.parse().ok()?, webhook.parse().ok()?))
}

/// The partition of the batches of an import that are done.
pub(crate) fn batches(import: ImportId) -> String {
    format!("V#{import}")
}

/// A batch of an import, by the number of its first row.
pub(crate) fn batch(import: ImportId, first: u64) -> Key {
    Key::new(batches(import), format!("{BATCHES}{first:012}"))
}

pub(crate) fn job(kind: &str, subject: impl std::fmt::Display) -> Key {
    Key::new(format!("J#{kind}#{subject}"), "J")
}

pub(crate) fn claim(scope: Scope, unique: &Unique) -> Key {
    let scope = match scope {
        Scope::Masters => "M".to_owned(),
        Scope::Segment(segment) => format!("S#{segment}"),
    };
    Key::new(format!("C#{scope}#{}#{}", unique.field, hash(&unique.value)), "C")
}

/// The claim of a value that only one member of a membership may have.
pub(crate) fn member_claim(membership: MembershipId, field: &str, value: &str) -> Key {
    Key::new(format!("C#M#{membership}#{field}#{}", hash(value)), "C")
}

/// What says for a day that a user is purged, so that no kept answer that names it is given again.
pub(crate) fn purged(user: Uuid) -> Key {
    Key::new(format!("Z#{}", hash(&user.to_string())), "Z")
}

pub(crate) fn first() -> Key {
    Key::new("D".to_owned(), "FIRST")
}

/// The secret of a deployment from before secrets had versions.
pub(crate) fn unversioned_secret() -> Key {
    Key::new("D".to_owned(), "SECRET")
}

/// The deployment's secrets, in a partition that no function may read but those that seal.
pub(crate) fn secrets() -> Key {
    Key::new("DS".to_owned(), "DS")
}

pub(crate) fn email_undo(user: UserId, token: &str) -> Key {
    Key::new(format!("U#{user}"), format!("{EMAIL_UNDOS}{}", hash(token)))
}

pub(crate) fn one_time(user: UserId, secret: &str) -> Key {
    Key::new(format!("O#{}", hash(&format!("{user}|{secret}"))), "O")
}

pub(crate) fn link(user: UserId, token: &str) -> Key {
    Key::new(format!("B#{}", hash(&format!("{user}|{token}"))), "B")
}

pub(crate) fn answer(name: &str) -> Key {
    Key::new(format!("I#{}", hash(name)), "I")
}

pub(crate) fn limit(subject: &str, window: u64) -> Key {
    Key::new(format!("R#{}", hash(subject)), window.to_string())
}

/// The partition of a field's index entries: those of the whole directory, or of one bucket.
pub(crate) fn index(directory: &str, field: &str, bucket: Option<&str>) -> String {
    match bucket {
        None => format!("X#{directory}#{field}"),
        Some(bucket) => format!("X#{directory}#{field}#{bucket}"),
    }
}

/// Where the index entry of a value, or of none, stands in its partition.
pub(crate) fn place(value: Option<&str>, id: Uuid) -> String {
    format!("{}{id}", run(value).0)
}

/// The value and the id of an index entry.
pub(crate) fn placed(place: &str) -> Option<(Option<&str>, Uuid)> {
    let (value, id) = place.split_once('\u{1}')?;
    Some((value.strip_prefix('v'), Uuid::try_parse(id).ok()?))
}

/// What the index entries of one value, or of none, stand between; nothing stands at either end.
pub(crate) fn run(value: Option<&str>) -> (String, String) {
    let value = value.map_or_else(|| "~".to_owned(), |value| format!("v{value}"));
    (format!("{value}\u{1}"), format!("{value}\u{2}"))
}

/// What the index entries of values that begin so stand between.
pub(crate) fn beginning(prefix: &str) -> (String, String) {
    (format!("v{prefix}"), format!("v{prefix}\u{10FFFF}"))
}

/// A bucket's name, of the values of all facets.
pub(crate) fn bucket<'a>(facets: impl Iterator<Item = Option<&'a str>>) -> String {
    let encoded = facets.map(|value| value.map_or_else(|| "~".to_owned(), percent_encoded));
    encoded.collect::<Vec<_>>().join(".")
}

/// The values of a bucket's facets.
pub(crate) fn bucket_facets(bucket: &str) -> impl Iterator<Item = Option<String>> {
    bucket.split('.').map(|value| (value != "~").then(|| percent_decoded(value)))
}

/// The partition of the counts of a directory's buckets.
pub(crate) fn counts(directory: &str) -> String {
    format!("N#{directory}")
}

/// The partition of a directory's tallies.
pub(crate) fn tallies(directory: &str) -> String {
    format!("T#{directory}")
}

/// The partitions of a directory's counters, tallies and ranking.
pub(crate) fn counters(directory: &str) -> Vec<String> {
    let ranks = (0..crate::rank::SHARDS).map(|shard| rank(directory, shard, "").pk);
    [counts(directory), tallies(directory)].into_iter().chain(ranks).collect()
}

/// Which of `shards` items counts a row: spread evenly. The last byte of an id counts what one request makes, so that it
/// is mostly 0.
pub(crate) fn shard(id: Uuid, shards: u8) -> u8 {
    u8::try_from((id.as_u128() >> 8) % u128::from(shards)).unwrap_or(0)
}

/// One item of counters, in `pk`.
pub(crate) fn counter(pk: String, shard: u8) -> Key {
    Key::new(pk, format!("{shard:02}"))
}

/// The attribute that counts a bucket or a tally; the dot tells it from the key's attributes.
pub(crate) fn counted(name: &str) -> String {
    format!(".{name}")
}

/// What an attribute of a counter counts.
pub(crate) fn counted_name(attribute: &str) -> Option<&str> {
    attribute.strip_prefix('.')
}

/// The partition of a segment's changes.
pub(crate) fn changes(segment: SegmentId) -> String {
    format!("G#{segment}")
}

/// Where the last change of a user stands among those of its segment.
pub(crate) fn change(segment: SegmentId, at: Time, user: UserId) -> Key {
    Key::new(changes(segment), format!("{at}\u{1}{user}"))
}

/// The time and the user of a change.
pub(crate) fn changed(sk: &str) -> Option<(Time, UserId)> {
    let (time, user) = sk.split_once('\u{1}')?;
    Some((serde_json::from_value(time.into()).ok()?, user.parse().ok()?))
}

/// Prefix of the sort keys of [`told`]; no time begins so, and it comes after them all.
pub(crate) const TOLD: &str = "~";

/// Says up to when a shard's changes have been told: no change is written any more with a time up to that.
pub(crate) fn told(segment: SegmentId, shard: u8) -> Key {
    Key::new(changes(segment), format!("{TOLD}{shard:02}"))
}

/// One node of a directory's ranking.
pub(crate) fn rank(directory: &str, shard: u8, path: &str) -> Key {
    Key::new(format!("P#{directory}#{shard}"), format!("p{path}"))
}

fn percent_encoded(value: &str) -> String {
    let mut encoded = String::new();
    for byte in value.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'_' | b'-' => encoded.push(byte.into()),
            _ => encoded.push_str(&format!("%{byte:02X}")),
        }
    }
    encoded
}

fn percent_decoded(encoded: &str) -> String {
    let mut parts = encoded.split('%');
    let mut bytes = parts.next().unwrap_or_default().as_bytes().to_vec();
    for part in parts {
        let (code, rest) = part.split_at(part.len().min(2));
        bytes.extend(u8::from_str_radix(code, 16));
        bytes.extend(rest.as_bytes());
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

pub(crate) fn hash(text: &str) -> String {
    URL_SAFE_NO_PAD.encode(digest(&SHA256, text.as_bytes()))
}

#[cfg(test)]
mod tests;
