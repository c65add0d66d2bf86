//! Users and subscriptions as these clients see them.

use std::time::Duration;

use domain::{Document, Error, Product, Status, Subscription, Time, UploadStatus, User};
use files::ObjectKey;
use serde_json::{Value, json};

use crate::State;
use crate::lenient;

/// How long a photo can be fetched, once it was asked for.
const FETCHING: Duration = Duration::from_secs(60);

/// A time as `YYYY-MM-DD HH:MM:SS`, in UTC.
pub(super) fn time(time: Time) -> String {
    let text = time.to_string();
    text.get(..19).unwrap_or(&text).replacen('T', " ", 1)
}

/// A user with its newest subscription, and the same user again as `user`, without the subscription: clients read either.
pub(super) fn user(user: &User, photo_url: Option<String>, latest: Option<&Subscription>) -> Value {
    let own = profile(user, photo_url);
    let mut shown = own.clone();
    if let Some(shown) = shown.as_object_mut() {
        shown.insert("subscription".to_owned(), json!(latest.map(subscription)));
        shown.insert("user".to_owned(), own);
    }
    shown
}

fn profile(user: &User, photo_url: Option<String>) -> Value {
    let fields = &user.fields;
    json!({
        "id": user.id,
        "name": fields.name,
        "last_name": fields.last_name,
        "email": fields.email,
        "photo_url": photo_url,
        "document": fields.identification.as_ref().map(document),
        "genre": fields.gender,
        "birth": fields.birthdate,
        "phone": lenient::phone_of(user),
        "status": u8::from(user.status == Status::Active),
        "created_at": time(user.created_at),
        "updated_at": time(user.updated_at),
    })
}

/// The spelling of a document that these clients read.
fn document(document: &Document) -> &str {
    document.display()
}

/// A subscription.
pub(super) fn subscription(subscription: &Subscription) -> Value {
    json!({
        "id": subscription.id,
        "tenant_id": subscription.segment_id,
        "active": u8::from(subscription.is_active(Time::now())),
        "user_id": subscription.fields.user_id,
        "package_id": subscription.fields.product_id,
        "created_at": time(subscription.created_at),
        "updated_at": time(subscription.updated_at),
    })
}

/// A subscription to a product with all that is written about it.
pub(super) fn whole_subscription(whole: &Subscription, product: &Product) -> Value {
    let mut shown = subscription(whole);
    let fields = &whole.fields;
    if let Some(shown) = shown.as_object_mut() {
        shown.insert("product_id".to_owned(), super::products::number(product));
        shown.insert("reference_id".to_owned(), json!(fields.reference_id));
        shown.insert("payment_last_date".to_owned(), json!(fields.last_payment_at.map(time)));
        shown.insert("expiration_date".to_owned(), json!(fields.expires_at.map(time)));
    }
    shown
}

/// Where a user's photo is, for a minute: 1 read, if it has one.
pub(super) async fn photo_url(state: &State, user: &User) -> Result<Option<String>, Error> {
    let Some(id) = user.fields.photo_upload_id else { return Ok(None) };
    let upload = match state.app.store.upload(id).await {
        Err(Error::NotFound) => return Ok(None),
        found => found?,
    };
    if upload.status != UploadStatus::Available || !upload.fields.is_photo_of(user) {
        return Ok(None);
    }
    let (key, name) = (ObjectKey::clean(id.uuid()), upload.fields.filename.as_str());
    let signed = state.files.presign_get(&key, name, FETCHING).await.map_err(Error::from)?;
    Ok(Some(signed.url))
}
