//! What every answer tells: the person, and what is kept of it besides.

use std::collections::BTreeMap;

use axum::Json;
use axum::http::HeaderValue;
use axum::http::header::CACHE_CONTROL;
use axum::response::{IntoResponse as _, Response};
use domain::member::Approval;
use domain::money::Amount;
use domain::segment::SegmentNumber;
use domain::user::PersonNumber;
use domain::{
    CustomStatus, Error, Member, MemberFields, MemberId, Membership, Product, ProductFields, ProductId,
    SubscriptionFields, Time, User,
};
use edge::{App, Caller, UserRef};
use serde_json::{Map, Value, json};

/// The memberships that a user has joined, and the products that it subscribes to.
#[derive(Debug, Default)]
pub(super) struct Joined {
    pub(super) members: Vec<Member>,
    pub(super) products: BTreeMap<ProductId, Product>,
}

impl Joined {
    /// Reads it: 1 read, 1 more for the members and 1 more for their products; none for who has never joined anything.
    pub(super) async fn of(app: &App, user: &User) -> Result<Self, Error> {
        let Some(segment) = user.segment_id else { return Ok(Self::default()) };
        let mut members = app.store.members_of(user).await?;
        members.retain(|member| member.segment_id == segment);
        let ids = members.iter().filter_map(|member| member.fields.product_id).collect();
        let products = app.store.products_with(segment, &ids).await?;
        Ok(Self { members, products: products.into_iter().map(|product| (product.id, product)).collect() })
    }

    /// Adds what the user is about to subscribe to as this member; says why it cannot.
    pub(super) fn add(
        &mut self,
        (id, of): (MemberId, &Membership),
        (product, fields): (&Product, SubscriptionFields),
    ) -> Result<(), &'static str> {
        let now = Time::now();
        match self.members.iter_mut().find(|member| member.membership_id == of.id) {
            // An earlier try of this very request has made it.
            Some(member) if member.id == id => {}
            Some(member) => {
                member.may_subscribe(product.id)?;
                *member = member.subscribed(fields, now);
            }
            None => self.members.push(Member::new(id, of, MemberFields::subscriber(fields), now)),
        }
        self.products.insert(product.id, product.clone());
        Ok(())
    }

    /// What the user subscribes to, in the products' money, in ten-thousandths: all of it, and what has been paid.
    fn orders(&self) -> (i128, i128) {
        let sums = self.members.iter().filter_map(|member| {
            let product = self.products.get(&member.fields.product_id?).map(|product| &product.fields);
            let value = price_of(&member.fields.price, product)?;
            let sum = ten_thousandths(value.as_str())
                * i128::from(member.fields.quantity.map_or(1, |quantity| quantity.get()));
            Some((sum, if member.fields.last_payment_at.is_some() { sum } else { 0 }))
        });
        sums.fold((0, 0), |(order, paid), (sum, part)| (order + sum, paid + part))
    }
}

/// The price of one in a subscription: its own, else the product's.
pub(super) fn price_of(own: &Option<Amount>, product: Option<&ProductFields>) -> Option<Amount> {
    own.clone().or_else(|| product?.value.clone())
}

/// What is kept of a user besides itself.
#[derive(Debug)]
pub(super) struct Kept {
    pub(super) joined: Joined,
    pub(super) parent: Option<User>,
    pub(super) connected_to: Option<PersonNumber>,
    status: Option<CustomStatus>,
}

/// What of that is known before it is read.
#[derive(Debug, Default)]
pub(super) struct Known {
    pub(super) joined: Option<Joined>,
    pub(super) status: Option<CustomStatus>,
    pub(super) parent: Option<PersonNumber>,
}

impl Kept {
    /// Reads what is not known: what the user has joined, its status if it has one, its parent if it is a child.
    pub(super) async fn of(app: &App, caller: &Caller, (user, known): (&User, Known)) -> Result<Self, Error> {
        let joined = async {
            match known.joined {
                Some(joined) => Ok(joined),
                None => Joined::of(app, user).await,
            }
        };
        let status = async {
            match (known.status, user.segment_id.zip(user.fields.status_id)) {
                (None, Some((segment, id))) => {
                    app.store.custom_status(segment, id).await.map(|found| Some(found.thing))
                }
                (status, _) => Ok(status),
            }
        };
        let parent = async {
            match known.parent {
                None => users::find_parent(app, user).await,
                Some(_) => Ok(None),
            }
        };
        let (joined, status, parent) = tokio::try_join!(joined, status, parent)?;
        let connected_to = match (known.parent, &parent) {
            (None, Some(parent)) => number(app, caller, parent).await?,
            (None, None) => user.number(),
            (known, _) => known,
        };
        Ok(Self { joined, parent, status, connected_to })
    }
}

/// The number of a user, which it gets where it has none yet; a key that only reads gives no numbers.
pub(super) async fn number(app: &App, caller: &Caller, user: &User) -> Result<Option<PersonNumber>, Error> {
    match user.number() {
        Some(number) => Ok(Some(number)),
        None => match users::numbered(app, caller, UserRef::Id(user.id), None).await {
            Err(Error::Forbidden(_)) => Ok(None),
            numbered => numbered.map(Some),
        },
    }
}

/// The answer about a user: `more` beside what every answer has. A caller that does not read gets no `meta_info`.
pub(super) fn about(caller: &Caller, user: &User, kept: &Kept, (msg, more): (&str, Map<String, Value>)) -> Response {
    let info = user_info(user.number(), user.person.map(|person| person.segment), kept.connected_to);
    let meta = if caller.can_read() { meta_info(user, kept) } else { json!({}) };
    answer(msg, meta, info, more)
}

/// What is counted of a user: text, whatever it is.
pub(super) fn meta_info(user: &User, kept: &Kept) -> Value {
    let forms = kept.joined.members.len().to_string();
    let approved = kept.joined.members.iter().filter(|member| member.fields.approval.0 == Approval::Approved);
    let completed = approved.count().to_string();
    let (order, paid) = kept.joined.orders();
    let status = kept.status.as_ref();
    json!({
        "u_name": full_name(user),
        "total_forms": forms,
        "completed_forms": completed,
        "total_user_forms": forms,
        "total_completed_user_forms": completed,
        "total_user_mandatory_forms": forms,
        "total_completed_user_mandatory_forms": completed,
        "total_order": money(order),
        "total_paid": money(paid),
        "total_balance": money(order - paid),
        "status_id": status.map_or(0, |status| status.number.get()).to_string(),
        "status_name": status.map(|status| status.fields.name.as_str()),
    })
}

/// First and last name; the username or the e-mail of a user without a name.
fn full_name(user: &User) -> String {
    let fields = &user.fields;
    let names: Vec<_> = [&fields.name, &fields.last_name].into_iter().flatten().map(|name| name.as_str()).collect();
    let username = || fields.username.as_ref().map(|username| username.as_str().to_owned());
    let email = || fields.email.as_ref().map(|email| email.as_str().to_owned());
    if names.is_empty() { username().or_else(email).unwrap_or_default() } else { names.join(" ") }
}

/// Whom an answer is about: numbers as text, empty where there is none.
pub(super) fn user_info(
    number: Option<PersonNumber>,
    group: Option<SegmentNumber>,
    connected_to: Option<PersonNumber>,
) -> Value {
    let digits = |number: Option<PersonNumber>| number.map(|number| number.get().to_string()).unwrap_or_default();
    let group = group.map(|group| group.get().to_string()).unwrap_or_default();
    json!({ "clogin_id": digits(number), "group_id": group, "connected_to": digits(connected_to) })
}

/// The `msg_type` of what was done.
pub(super) const SUCCESS: &str = "success";

/// An answer that is about nobody.
pub(super) fn answer(msg: &str, meta: Value, user: Value, more: Map<String, Value>) -> Response {
    let mut answer = Map::from_iter([
        ("success".to_owned(), Value::Bool(true)),
        ("msg".to_owned(), msg.into()),
        ("meta_info".to_owned(), meta),
        ("user_info".to_owned(), user),
    ]);
    answer.extend(more);
    let mut response = Json(Value::Object(answer)).into_response();
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("private, no-store"));
    response
}

/// A sum in ten-thousandths, which is the most that a sum has.
fn ten_thousandths(sum: &str) -> i128 {
    let (whole, fraction) = sum.split_once('.').unwrap_or((sum, ""));
    let fraction: String = fraction.chars().chain("0000".chars()).take(4).collect();
    format!("{whole}{fraction}").parse().unwrap_or(0)
}

/// A sum with two decimals; what is beyond is cut.
fn money(ten_thousandths: i128) -> String {
    let hundredths = ten_thousandths / 100;
    format!("{}.{:02}", hundredths / 100, hundredths % 100)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_are_shown_in_hundredths_and_added_in_full() {
        for (sum, expected) in [("499.90", "499.90"), ("0", "0.00"), ("12.5", "12.50"), ("1.2399", "1.23")] {
            assert_eq!(money(ten_thousandths(sum)), expected);
        }
        assert_eq!(money(3 * ten_thousandths("1.2399")), "3.71");
    }
}
