//! What every answer tells: the person, and what is kept of it besides.

use std::collections::BTreeMap;

use axum::Json;
use axum::http::HeaderValue;
use axum::http::header::CACHE_CONTROL;
use axum::response::{IntoResponse as _, Response};
use domain::member::Approval;
use domain::{Error, Member, Product, ProductId, User};
use edge::App;
use serde_json::{Map, Value, json};

/// What is kept of a user besides itself: the memberships that it has joined, and the products that it subscribes to.
#[derive(Debug)]
pub(super) struct Kept {
    pub(super) joined: Vec<Member>,
    pub(super) products: BTreeMap<ProductId, Product>,
}

impl Kept {
    /// Reads it: 1 read, 1 more where the user has joined memberships, 1 more where these are of products.
    pub(super) async fn of(app: &App, user: &User) -> Result<Self, Error> {
        let Some(segment) = user.segment_id else { return Ok(Self { joined: Vec::new(), products: BTreeMap::new() }) };
        let mut joined = app.store.members_of(user.id).await?;
        joined.retain(|member| member.segment_id == segment);
        let ids = joined.iter().filter_map(|member| member.fields.product_id).collect();
        let products = app.store.products_with(segment, &ids).await?;
        Ok(Self { joined, products: products.into_iter().map(|product| (product.id, product)).collect() })
    }

    /// What the user subscribes to, in the products' money, in hundredths: all of it, and what has been paid.
    fn orders(&self) -> (i128, i128) {
        let sums = self.joined.iter().filter_map(|member| {
            let value = self.products.get(&member.fields.product_id?)?.fields.value.as_ref()?;
            let sum =
                hundredths(value.as_str()) * i128::from(member.fields.quantity.map_or(1, |quantity| quantity.get()));
            Some((sum, if member.fields.last_payment_at.is_some() { sum } else { 0 }))
        });
        sums.fold((0, 0), |(order, paid), (sum, part)| (order + sum, paid + part))
    }
}

/// The answer about a user: `more` beside what every answer has.
pub(super) async fn about(app: &App, user: &User, (kept, msg, more): (Kept, &str, Value)) -> Result<Response, Error> {
    let status = async {
        match user.segment_id.zip(user.fields.status_id) {
            Some((segment, status)) => app.store.custom_status(segment, status).await.map(|found| Some(found.thing)),
            None => Ok(None),
        }
    };
    let parent = async {
        match user.fields.parent_id {
            Some(parent) => Ok(app.store.user(parent).await?.map(|record| record.user)),
            None => Ok::<_, Error>(None),
        }
    };
    let (status, parent) = tokio::try_join!(status, parent)?;
    let id = |user: &User| user.number().map(|number| number.get().to_string()).unwrap_or_default();
    let forms = kept.joined.len().to_string();
    let completed =
        kept.joined.iter().filter(|member| member.fields.approval.0 == Approval::Approved).count().to_string();
    let (order, paid) = kept.orders();
    let (status_id, status_name) = status
        .map(|status| (status.number.get().to_string(), status.fields.name.as_str().to_owned()))
        .unwrap_or_else(|| ("0".to_owned(), String::new()));
    let username = user.fields.username.as_ref().map_or("", |username| username.as_str());
    let meta = json!({
        "u_name": username,
        "total_forms": forms,
        "completed_forms": completed,
        "total_user_forms": forms,
        "total_completed_user_forms": completed,
        "total_user_mandatory_forms": forms,
        "total_completed_user_mandatory_forms": completed,
        "total_order": money(order),
        "total_paid": money(paid),
        "total_balance": money(order - paid),
        "status_id": status_id,
        "status_name": status_name,
    });
    let group = user.person.map(|person| person.segment.get().to_string()).unwrap_or_default();
    let connected = parent.as_ref().map_or_else(|| id(user), id);
    let info = json!({ "clogin_id": id(user), "group_id": group, "connected_to": connected });
    Ok(answer(msg, meta, info, more))
}

/// An answer that is about nobody.
pub(super) fn answer(msg: &str, meta: Value, user: Value, more: Value) -> Response {
    let mut answer = Map::from_iter([
        ("success".to_owned(), Value::Bool(true)),
        ("msg".to_owned(), msg.into()),
        ("meta_info".to_owned(), meta),
        ("user_info".to_owned(), user),
    ]);
    if let Value::Object(more) = more {
        answer.extend(more);
    }
    let mut response = Json(Value::Object(answer)).into_response();
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("private, no-store"));
    response
}

/// A sum in hundredths; what is beyond is cut.
fn hundredths(sum: &str) -> i128 {
    let (whole, fraction) = sum.split_once('.').unwrap_or((sum, ""));
    let fraction: String = fraction.chars().chain("00".chars()).take(2).collect();
    format!("{whole}{fraction}").parse().unwrap_or(0)
}

fn money(hundredths: i128) -> String {
    format!("{}.{:02}", hundredths / 100, hundredths % 100)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_are_whole_hundredths() {
        for (sum, expected) in [("499.90", "499.90"), ("0", "0.00"), ("12.5", "12.50"), ("1.2399", "1.23")] {
            assert_eq!(money(hundredths(sum)), expected);
        }
    }
}
