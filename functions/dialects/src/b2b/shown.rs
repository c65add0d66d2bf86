//! Users, partners and languages as they are shown here.

use std::collections::{BTreeMap, BTreeSet};

use domain::language::ListedLanguage;
use domain::{Error, Field as _, Partner, PartnerId, SegmentId, Status, User};
use edge::App;
use serde_json::{Value, json};

/// Users, with the partners that they belong to: 1 read for each 100 of these, none where there are none.
pub(super) async fn users(app: &App, segment: SegmentId, users: &[User]) -> Result<Vec<Value>, Error> {
    let ids: BTreeSet<_> = users.iter().filter_map(|user| user.fields.partner_id).collect();
    let partners = app.store.partners_with(segment, &ids).await?;
    Ok(users.iter().map(|user| one(user, &partners)).collect())
}

fn one(user: &User, partners: &BTreeMap<PartnerId, Partner>) -> Value {
    let fields = &user.fields;
    let language = fields.language.as_ref().and_then(ListedLanguage::of);
    let business = fields.partner_id.and_then(|id| partners.get(&id)).map(|partner| {
        json!({
            "id": partner.id.show(),
            "idRemote": partner.fields.reference_id.show(),
            "contactName": partner.fields.contact_name.show(),
            "commercialName": partner.fields.commercial_name.show(),
            "tin": partner.fields.tin.show(),
        })
    });
    json!({
        "id": user.id.show(),
        "idRemote": fields.reference_id.show(),
        "username": fields.username.show(),
        "name": fields.name.show(),
        "email": fields.email.show(),
        "status": user.status.as_str(),
        "updatedAt": user.updated_at.show(),
        "dateValid": fields.valid_until.show(),
        "active": user.status == Status::Active,
        "language": language.map(self::language),
        "businessPartner": business,
    })
}

/// A language, whose id is text as all ids are.
pub(super) fn language(language: ListedLanguage) -> Value {
    let (id, code, iso, name) = (language.id().to_string(), language.code(), language.iso(), language.name());
    json!({ "id": id, "code": code, "iso": iso, "name": name })
}

pub(super) fn partner(partner: &Partner) -> Value {
    let fields = &partner.fields;
    json!({
        "id": partner.id.show(),
        "idRemote": fields.reference_id.show(),
        "contactName": fields.contact_name.show(),
        "commercialName": fields.commercial_name.show(),
        "tin": fields.tin.show(),
        "role": fields.role.show(),
        "status": fields.status.0,
    })
}

/// A user who is deleted, as the history of what is.
pub(super) fn deleted(user: &User) -> Value {
    json!({
        "id": user.id.show(),
        "columnId": user.id.show(),
        "columnIdRemote": user.fields.reference_id.show(),
        "table": "User",
        "createdAt": user.updated_at.show(),
    })
}

/// What was made or changed: both of its ids.
pub(super) fn user_ids(user: &User) -> Value {
    json!({ "id": user.id.show(), "idRemote": user.fields.reference_id.show() })
}

pub(super) fn partner_ids(partner: &Partner) -> Value {
    json!({ "id": partner.id.show(), "idRemote": partner.fields.reference_id.show() })
}
