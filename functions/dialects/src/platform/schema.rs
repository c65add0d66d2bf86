//! Requests and answers as the document shows them.
//!
//! A key without the scope `read` is answered the ids of what it writes. So a property that such a key does not get is not
//! always present in an answer of a write.

use domain::field::{Property, count_schema, nullable};
use domain::user::Gender;
use domain::{Developer, DeveloperFields, Email, Field as _, Name, NotificationStatus, Password, ReferenceId};
use utoipa::openapi::schema::ObjectBuilder;
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use super::create::{MOST, MOST_PRODUCTS};
use super::developers::FIELDS;
use crate::openapi::objects::{
    self, day, id, many, number, objects, of, one_of, optional, required, sometimes, text, whole,
};
use crate::openapi::property;

/// A time as it is answered.
fn moment() -> ObjectBuilder {
    let form = text().pattern(Some("^\\d{4}-\\d{2}-\\d{2} \\d{2}:\\d{2}:\\d{2}$"));
    form.description(Some("`YYYY-MM-DD HH:MM:SS` in UTC.")).examples(["2026-11-21 10:00:00"])
}

/// A time as it is sent.
fn day_or_moment() -> ObjectBuilder {
    let about = "A day `YYYY-MM-DD`, `YYYY-MM-DD HH:MM:SS` in UTC, RFC 3339, or seconds since 1970.";
    text().description(Some(about)).examples(["2026-11-01"])
}

/// A switch in these clients' writing.
fn zero_or_one() -> ObjectBuilder {
    whole().enum_values(Some([0, 1]))
}

/// A phone in any spelling.
fn phone() -> ObjectBuilder {
    text().min_length(Some(1)).max_length(Some(40)).examples(["(11)98765-4321"])
}

/// The number of a document in any spelling.
fn document() -> ObjectBuilder {
    text().min_length(Some(1)).max_length(Some(64)).examples(["390.533.447-05"])
}

/// The name of a product in requests.
fn product() -> ObjectBuilder {
    text().min_length(Some(1)).max_length(Some(128)).examples(["123456789"])
}

/// The title, description or other text of a product, which it may lack.
fn nullable_text() -> RefOr<Schema> {
    nullable(text().into())
}

/// A developer to be registered.
#[derive(Debug)]
pub(super) enum NewDeveloper {}

impl PartialSchema for NewDeveloper {
    fn schema() -> RefOr<Schema> {
        let fields = <DeveloperFields as PartialSchema>::schema();
        let fields = FIELDS.iter().map(|name| (*name, "", true, property(&fields, name)));
        objects::object("A developer to be registered.", fields.collect())
    }
}

impl ToSchema for NewDeveloper {}

/// A developer who is registered.
#[derive(Debug)]
pub(super) enum RegisteredDeveloper {}

impl PartialSchema for RegisteredDeveloper {
    fn schema() -> RefOr<Schema> {
        let developer = <Developer as PartialSchema>::schema();
        let own: Property = ("id", "The developer's id, for which `generate-token` issues tokens.", true, id().into());
        let fields = FIELDS.iter().map(|name| (*name, "", false, property(&developer, name)));
        let about = "A developer who is registered. A key without the scope `read` gets the `id` only.";
        objects::object(about, std::iter::once(own).chain(fields).collect())
    }
}

impl ToSchema for RegisteredDeveloper {}

/// What look-ups show of a student, but for its subscription.
fn profile() -> Vec<Property> {
    let name = || nullable(Name::response_schema());
    vec![
        ("id", "The student's id.", true, id().into()),
        ("name", "First name.", true, name()),
        ("last_name", "Last name.", true, name()),
        ("email", "E-mail.", true, nullable(Email::response_schema())),
        ("photo_url", "Address of the photo, which anybody can fetch for 60 seconds.", true, nullable_text()),
        ("document", "Number of the document in the spelling that was sent.", true, nullable(document().into())),
        ("genre", "Gender.", true, nullable(Gender::response_schema())),
        ("birth", "Day of birth, `YYYY-MM-DD`.", true, nullable(day().into())),
        ("phone", "Phone number in the spelling that was sent.", true, nullable(phone().into())),
        ("status", "1 for a student who is active, 0 for one who is not.", true, zero_or_one().into()),
        ("created_at", "Time of creation.", true, moment().into()),
        ("updated_at", "Time of the last change.", true, moment().into()),
    ]
}

/// A student as look-ups show it.
#[derive(Debug)]
pub(super) enum Student {}

impl PartialSchema for Student {
    fn schema() -> RefOr<Schema> {
        let latest: Property = (
            "subscription",
            "The newest subscription; null for a student without one.",
            true,
            nullable(of::<StudentSubscription>()),
        );
        let again: Property =
            ("user", "The same student again, without its subscription.", true, of::<StudentProfile>());
        let about = "A student as look-ups show it. Values that it does not have are null.";
        objects::object(about, profile().into_iter().chain([latest, again]).collect())
    }
}

impl ToSchema for Student {}

/// A student without its subscription.
#[derive(Debug)]
enum StudentProfile {}

impl PartialSchema for StudentProfile {
    fn schema() -> RefOr<Schema> {
        objects::object("A student without its subscription.", profile())
    }
}

impl ToSchema for StudentProfile {}

/// What each answer with a subscription shows of it.
fn subscription() -> Vec<Property> {
    vec![
        ("id", "The subscription's id.", true, id().into()),
        ("tenant_id", "Id of the segment.", true, id().into()),
        (
            "active",
            "1 for a subscription that is active and not past its end, 0 for another one.",
            true,
            zero_or_one().into(),
        ),
        ("user_id", "Id of the student.", true, id().into()),
        ("package_id", "Id of the product.", true, id().into()),
        ("created_at", "Time of creation.", true, moment().into()),
        ("updated_at", "Time of the last change.", true, moment().into()),
    ]
}

/// A subscription as look-ups show it.
#[derive(Debug)]
enum StudentSubscription {}

impl PartialSchema for StudentSubscription {
    fn schema() -> RefOr<Schema> {
        objects::object("A subscription of a student to a product.", subscription())
    }
}

impl ToSchema for StudentSubscription {}

/// A subscription with its dates.
#[derive(Debug)]
enum SubscriptionDetails {}

impl PartialSchema for SubscriptionDetails {
    fn schema() -> RefOr<Schema> {
        let number = "Number that the account gave the product, or the product's id if it has none.";
        let reference = nullable(ReferenceId::response_schema());
        let more: [Property; 4] = [
            ("product_id", number, true, product().into()),
            ("reference_id", "The subscription's id in another system.", true, reference),
            ("payment_last_date", "Time of the last payment.", true, nullable(moment().into())),
            ("expiration_date", "End of the subscription; null if it has none.", true, nullable(moment().into())),
        ];
        let fields = subscription().into_iter().chain(more);
        let fields = fields.map(|(name, meaning, _, schema)| (name, meaning, name == "id", schema)).collect();
        objects::object("A subscription with its dates. A key without the scope `read` gets the `id` only.", fields)
    }
}

impl ToSchema for SubscriptionDetails {}

objects! {
    /// The developer for whom a token is issued.
    pub(super) TokenOwner {
        /// The `id` that `register` answered.
        "user_id": required(id()),
    }

    /// A token of a developer.
    pub(super) NewToken {
        /// The token, `dv_…`, valid for 24 hours.
        "token": required(text()),
    }

    /// Students in bulk, and the products that each of them is subscribed to.
    pub(super) NewStudents {
        /// Numbers that the account gave its products, or their ids, at most 16; one may be sent without an array.
        "product_id": optional(many(product()).max_items(Some(MOST_PRODUCTS))),
        /// The students, 1 to 100; one may be sent without an array.
        "users": required(many(of::<NewStudent>()).min_items(Some(1)).max_items(Some(MOST))),
    }

    /// A student to be created. The segment's settings may require further fields.
    NewStudent {
        /// First name.
        "name": optional(Name::response_schema()),
        /// Last name.
        "last_name": optional(Name::response_schema()),
        /// E-mail, unique without case.
        "email": required(Email::response_schema()),
        /// Password; a student without one signs in by magic links.
        "password": optional(Password::schema()),
        /// Number of the document, which is kept in this spelling.
        "document": optional(document()),
        /// Phone number, which is kept in this spelling; without a country's code, one of the segment's country or of Brazil.
        "phone": optional(phone()),
        /// The student's id in another system, unique. Of a student who exists, that of the purchase: its subscriptions get it.
        "reference_id": optional(text().min_length(Some(1)).max_length(Some(128))),
        /// Day on which the subscriptions begin, `YYYY-MM-DD`.
        "accession_date": optional(day()),
    }

    /// The result of each student of a request.
    pub(super) CreationReport {
        /// A sentence with both numbers.
        "message": required(text()),
        /// The students who were created or subscribed, in the order of the request.
        "created": required(many(of::<CreatedStudent>())),
        /// The rows that failed, in the order of the request.
        "failed": required(many(of::<FailedRow>())),
    }

    /// A student who was created or subscribed.
    CreatedStudent {
        /// Place of the row in `users`, from 0.
        "index": required(count_schema()),
        /// The student's id.
        "id": required(id()),
        /// True for a student who existed before; absent for a new one.
        "existing": sometimes(objects::switch()),
    }

    /// A row that failed.
    FailedRow {
        /// Place of the row in `users`, from 0.
        "index": required(count_schema()),
        /// A word for programs, such as `taken`.
        "code": required(text()),
        /// The field that is wrong; null if the row as a whole is wrong.
        "field": required(nullable_text()),
        /// A sentence for people.
        "message": required(text()),
    }

    /// The request is done.
    pub(super) Confirmation {
        /// A sentence for people.
        "message": required(text()),
    }

    /// A subscription of a student to a product.
    pub(super) NewSubscription {
        /// Number that the account gave the product, or the product's id.
        "product_id": required(product()),
        /// Id of the student.
        "user_id": required(id()),
        /// Time of the last payment.
        "payment_last_date": optional(day_or_moment()),
        /// End of the subscription.
        "expiration_date": optional(day_or_moment()),
        /// The subscription's id in another system.
        "reference_id": optional(text().min_length(Some(1)).max_length(Some(128))),
    }

    /// A change of a subscription: properties that are absent stay, null or blank text clears a date.
    pub(super) SubscriptionChange {
        /// Number that the account gave the product, or the product's id.
        "product_id": required(product()),
        /// Id of the student.
        "user_id": required(id()),
        /// Time of the last payment.
        "payment_last_date": optional(day_or_moment()),
        /// End of the subscription.
        "expiration_date": optional(day_or_moment()),
        /// 1 makes the subscription active, 0 inactive.
        "active": optional(zero_or_one()),
    }

    /// A subscription that was created or changed.
    pub(super) SubscriptionResult {
        /// A sentence for people.
        "message": required(text()),
        /// The subscription.
        "subscription": required(of::<SubscriptionDetails>()),
    }

    /// A page of products.
    pub(super) ProductPage {
        /// The products.
        "data": required(many(of::<PlatformProduct>())),
        /// Addresses of other pages.
        "links": required(of::<PageLinks>()),
        /// The cursor of the next page.
        "meta": required(of::<PageMeta>()),
    }

    /// A product.
    PlatformProduct {
        /// The product's id.
        "id": required(id()),
        /// Title.
        "title": required(Name::response_schema()),
        /// Description.
        "description": required(nullable_text()),
        /// Time that a payment lasts, an ISO 8601 duration such as `P1Y`.
        "period": required(nullable_text()),
        /// Price in `currency`.
        "value": required(nullable(number().into())),
        /// Currency of the price, ISO 4217.
        "currency": required(nullable_text()),
        /// Number that the account gave the product, or the product's id if it has none.
        "product_id": required(product()),
        /// Number that the account gave the product.
        "reference_id": required(nullable(ReferenceId::response_schema())),
        /// 1 for a product that is paid once and does not end, 0 for any other.
        "lifetime": required(zero_or_one()),
        /// Whether the product is in use.
        "status": required(one_of(&["active", "inactive"])),
        /// Always null.
        "type": required(nullable_text()),
        /// Always null.
        "checkout": required(nullable_text()),
        /// Always null.
        "trial": required(nullable_text()),
        /// Always null.
        "interval": required(nullable_text()),
        /// Time of creation.
        "created_at": required(moment()),
        /// Time of the last change.
        "updated_at": required(moment()),
    }

    /// Addresses of other pages.
    PageLinks {
        /// Address of the next page, relative to the one that was asked; null on the last page.
        "next": required(nullable_text()),
    }

    /// The cursor of the next page.
    PageMeta {
        /// The `cursor` of the next page; null on the last page.
        "next_cursor": required(nullable_text()),
    }

    /// The student for whom a link is created.
    pub(super) LinkRequest {
        /// E-mail of the student.
        "email": required(Email::response_schema()),
    }

    /// A link that signs a student in.
    pub(super) MagicLink {
        /// Always `success`.
        "status": required(one_of(&["success"])),
        /// The link, valid once within 24 hours; its path has `/login-magico/`.
        "url": required(text()),
        /// The student.
        "user": required(of::<LinkOwner>()),
    }

    /// The student of a link. A key without the scope `read` gets the `id` only.
    LinkOwner {
        /// The student's id.
        "id": required(id()),
        /// First name.
        "name": sometimes(nullable(Name::response_schema())),
        /// Last name.
        "last_name": sometimes(nullable(Name::response_schema())),
        /// E-mail.
        "email": sometimes(nullable(Email::response_schema())),
    }

    /// A page of a ranking.
    pub(super) RankingPage {
        /// The students, the most points first.
        "data": required(many(of::<RankedStudent>())),
        /// Addresses of other pages.
        "links": required(of::<PageLinks>()),
        /// The cursor of the next page, and the ranking as a whole.
        "meta": required(of::<RankingMeta>()),
    }

    /// The cursor of the next page, and the ranking as a whole.
    RankingMeta {
        /// The `cursor` of the next page; null on the last page.
        "next_cursor": required(nullable_text()),
        /// Number of students in the ranking.
        "total": required(count_schema()),
        /// Id of the membership.
        "membership_id": required(id()),
    }

    /// The place of a student in a ranking.
    pub(super) RankedStudent {
        /// The position, from 1; students with as many points share it.
        "position": required(whole().minimum(Some(1))),
        /// Id of the student; null for a member who is no student.
        "user_id": required(nullable(id().into())),
        /// First and last name.
        "name": required(nullable_text()),
        /// Points.
        "points": required(count_schema()),
        /// Name of the level; null without one.
        "level": required(nullable(Name::response_schema())),
    }

    /// A notification to be sent.
    pub(super) NewNotification {
        /// The first line.
        "title": required(text().min_length(Some(1)).max_length(Some(100))),
        /// The text below it.
        "body": required(text().min_length(Some(1)).max_length(Some(500))),
        /// Ids of the students whose devices get it, at most 1000; all students if it names none. One may be sent without an
        /// array.
        "user_ids": optional(many(id()).max_items(Some(1000))),
        /// Time at which it is sent, at most a year from now; immediately without it.
        "schedule": optional(day_or_moment()),
    }

    /// A notification that will be sent.
    pub(super) NotificationReference {
        /// The notification's id.
        "id": required(id()),
    }

    /// The progress of a notification.
    pub(super) NotificationProgress {
        /// The notification's id.
        "id": required(id()),
        /// Progress of the notification.
        "status": required(NotificationStatus::response_schema()),
        /// Number of devices that it was handed over for.
        "sent": required(count_schema()),
        /// Number of devices that it could not be handed over for.
        "failed": required(count_schema()),
    }

    /// An error.
    pub(super) ErrorMessage {
        /// A sentence for people, with all that is wrong.
        "message": required(text()),
        /// The fields that are wrong; empty if the request as a whole is wrong.
        "errors": required(many(of::<FieldMessage>())),
    }

    /// A field that is wrong.
    FieldMessage {
        /// Name of the field or parameter, with its place in arrays, such as `product_id.0`.
        "field": required(text()),
        /// A word for programs, such as `required`.
        "code": required(text()),
        /// A sentence for people, without its subject.
        "message": required(text()),
    }
}
