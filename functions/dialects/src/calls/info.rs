//! `get_info`: what is asked for of a user.

use domain::{Error, Field as _, User};
use edge::{App, Caller};
use serde_json::{Map, Value, json};

use crate::calls::answer::{Joined, Kept, Known, meta_info, number, price_of};
use crate::calls::doc;
use crate::lenient::{given, switch};

/// What the flags of the document ask for.
pub(super) async fn asked(
    app: &App,
    caller: &Caller,
    (user, kept): (&User, &Kept),
    flags: &Value,
) -> Result<Value, Error> {
    // What is no switch is a name all the same: a form that is sent back asks for its fields.
    let on = |name: &str| given(flags, name).is_some_and(|value| switch(value).unwrap_or(true));
    let mut info = if on("_allfields") { doc::all(user) } else { Map::new() };
    let names = flags.as_object().into_iter().flat_map(Map::keys);
    for name in names.filter(|name| !name.starts_with('_') && on(name)) {
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
    // Carts and payments are not kept here: there is never anything in them.
    for name in ["_usercart", "_userpayments"].into_iter().filter(|name| on(name)) {
        info.insert(name.to_owned(), json!([]));
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
            "value": price_of(&subscription.fields.price, product).show(),
            "status": subscription.fields.status.0.as_str(),
        })
    });
    subscriptions.collect()
}

/// The parent and the children of a user, each as its own `meta_info` with its number; those who have no number yet get
/// one.
async fn family(app: &App, caller: &Caller, (user, parent): (&User, Option<&User>)) -> Result<Value, Error> {
    // A child has no children.
    let children = if parent.is_some() { Vec::new() } else { users::children(app, user, usize::MAX).await? };
    let shown = async |one: &User| relative(app, caller, one, user).await;
    let parent = match parent {
        Some(parent) => Some(shown(parent).await?),
        None => None,
    };
    let mut rows = Vec::new();
    for child in &children {
        rows.push(shown(child).await?);
    }
    Ok(json!({ "parent": parent, "children": rows }))
}

/// A relative of `user`: a parent, which has none itself, or a child, whose parent is `user`.
async fn relative(app: &App, caller: &Caller, one: &User, user: &User) -> Result<Value, Error> {
    let number = number(app, caller, one).await?;
    let parent = if one.fields.parent_id == Some(user.id) { user.number() } else { None };
    let kept = Box::pin(Kept::of(app, caller, (one, Known { parent, ..Known::default() }))).await?;
    let mut shown = Map::from_iter([("clogin_id".to_owned(), number.map(|number| number.get().to_string()).into())]);
    if let Value::Object(meta) = meta_info(one, &kept) {
        shown.extend(meta);
    }
    Ok(Value::Object(shown))
}
