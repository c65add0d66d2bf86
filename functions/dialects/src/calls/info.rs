//! `get_info`: what is asked for of a user.

use domain::{Error, Field as _, User};
use edge::{App, Caller};
use serde_json::{Map, Value, json};

use crate::calls::answer::{Joined, Kept, number};
use crate::calls::doc;
use crate::lenient::switch;

/// What the flags of the document ask for.
pub(super) async fn asked(
    app: &App,
    caller: &Caller,
    (user, kept): (&User, &Kept),
    flags: &Map<String, Value>,
) -> Result<Value, Error> {
    // What is no switch is a name all the same: a form that is sent back asks for its fields.
    let on = |name: &str| flags.get(name).is_some_and(|value| switch(value).unwrap_or(!value.is_null()));
    let mut info = if on("_allfields") { doc::all(user) } else { Map::new() };
    for name in flags.keys().filter(|name| !name.starts_with('_') && on(name)) {
        info.insert(name.clone(), doc::field(user, name));
    }
    if on("_family") {
        info.insert("_family".to_owned(), family(app, caller, (user, kept.parent.as_ref())).await?);
    }
    if on("_userproducts") {
        info.insert("_userproducts".to_owned(), products(&kept.joined));
    }
    if on("_userforms") {
        let forms = kept.joined.members.iter().map(|member| {
            json!({
                "form_id": member.membership_id.to_string(),
                "user_form_id": member.id.to_string(),
                "status": member.fields.status.0.as_str(),
                "approval": member.fields.approval.0.as_str(),
            })
        });
        info.insert("_userforms".to_owned(), forms.collect());
    }
    Ok(Value::Object(info))
}

fn products(joined: &Joined) -> Value {
    let subscriptions = joined.members.iter().filter_map(domain::Member::subscription).map(|subscription| {
        let product = joined.products.get(&subscription.fields.product_id).map(|product| &product.fields);
        json!({
            "p_id": subscription.fields.product_id.to_string(),
            "name": product.map(|product| product.title.show()),
            "q": subscription.fields.quantity.0.get().to_string(),
            "value": product.map(|product| product.value.show()),
            "status": subscription.fields.status.0.as_str(),
        })
    });
    subscriptions.collect()
}

/// The parent and the children of a user; those who have no number yet get one.
async fn family(app: &App, caller: &Caller, (user, parent): (&User, Option<&User>)) -> Result<Value, Error> {
    // A child has no children.
    let children = if parent.is_some() { Vec::new() } else { users::children(app, user, usize::MAX).await? };
    let mut shown = Vec::new();
    for one in parent.into_iter().chain(&children) {
        let number = number(app, caller, one).await?;
        shown.push(json!({
            "clogin_id": number.map(|number| number.get().to_string()),
            "username": doc::field(one, "username"),
            "main_email": doc::field(one, "main_email"),
            "first_name": doc::field(one, "first_name"),
            "last_name": doc::field(one, "last_name"),
        }));
    }
    let children = shown.split_off(usize::from(parent.is_some()));
    Ok(json!({ "parent": shown.pop(), "children": children }))
}
