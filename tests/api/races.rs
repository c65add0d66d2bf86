//! Many at once: one wins, and nothing is left over of the others.

use std::collections::HashSet;

use serde_json::json;

use crate::system::{Muster, PASSWORD, Reply};

/// Waits for all of them together.
pub(crate) async fn all(calls: impl IntoIterator<Item = impl Future<Output = Reply>>) -> Vec<Reply> {
    let mut calls: Vec<_> = calls.into_iter().map(Box::pin).collect();
    let mut replies: Vec<Option<Reply>> = calls.iter().map(|_| None).collect();
    std::future::poll_fn(|context| {
        for (call, reply) in calls.iter_mut().zip(&mut replies).filter(|(_, reply)| reply.is_none()) {
            if let std::task::Poll::Ready(done) = call.as_mut().poll(context) {
                *reply = Some(done);
            }
        }
        if replies.iter().all(Option::is_some) { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
    })
    .await;
    replies.into_iter().flatten().collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_hundred_sign_ups_with_one_email_in_any_case_one_wins() {
    let muster = Muster::start().await;
    let email = |nth: u32| -> String {
        let letters = "one.and.only@example.com".chars().enumerate();
        letters
            .map(|(at, letter)| if nth >> (at % 8) & 1 == 1 { letter.to_ascii_uppercase() } else { letter })
            .collect()
    };
    assert_eq!((0..200).map(email).collect::<HashSet<_>>().len(), 200);
    let calls = (0..200).map(|nth| {
        muster.post("/v1/users", json!({ "email": email(nth), "name": "Ana", "password": PASSWORD })).send()
    });
    let replies = all(calls).await;
    let won: Vec<_> = replies.iter().filter(|reply| reply.status == 201).collect();
    assert_eq!(won.len(), 1);
    let lost = replies.iter().filter(|reply| reply.status == 409);
    assert!(lost.clone().all(|reply| reply.errors() == [("/email".to_owned(), "taken".to_owned())]));
    assert_eq!(lost.count(), 199);
    assert_eq!(muster.identities().await, [won[0].body["id"].as_str().unwrap()]);
    assert_eq!(muster.items("C#").await.len(), 1, "no claim is left over");
    assert_eq!(muster.items("U#").await.len(), 2, "one user, one history entry");
}

#[tokio::test(flavor = "multi_thread")]
async fn two_hundred_sign_ups_with_one_idempotency_key_are_one_and_get_one_answer() {
    let muster = Muster::start().await;
    let calls = (0..200).map(|_| {
        let body = json!({ "email": "ana@example.com", "name": "Ana", "password": PASSWORD });
        muster.post("/v1/users", body).header("idempotency-key", "8e03978e-40d5-43dd-bc93-6894a57f9324").send()
    });
    let replies = all(calls).await;
    let bodies: HashSet<_> = replies.iter().map(|reply| (reply.status.as_u16(), reply.text.clone())).collect();
    assert_eq!(bodies.len(), 1, "{bodies:#?}");
    assert_eq!(replies[0].status, 201);
    let replayed = replies.iter().filter(|reply| reply.header("idempotency-replayed") == "true").count();
    assert_eq!(replayed, 199);
    assert_eq!(muster.identities().await.len(), 1);
    assert_eq!(muster.items("C#").await.len(), 1);
    assert_eq!(muster.outbox(Some("ana@example.com")).len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_patches_with_one_etag_one_wins() {
    let muster = Muster::start().await;
    let ana = muster.ana().await;
    let calls = (0..2).map(|nth| {
        muster
            .patch("/v1/users/me", json!({ "name": format!("Ana {nth}") }))
            .by(&ana)
            .header("if-match", "\"2\"")
            .send()
    });
    let mut statuses: Vec<_> = all(calls).await.iter().map(|reply| reply.status.as_u16()).collect();
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 412]);
}

#[tokio::test(flavor = "multi_thread")]
async fn patches_without_an_etag_all_land() {
    let muster = Muster::start().await;
    let ana = muster.ana().await;
    let fields =
        ["last_name", "second_last_name", "tax_condition", "username", "reference_id", "phone", "language", "gender"];
    let values = ["L", "S", "T", "u", "r", "+5215512345678", "es", "OTHER"];
    let calls = fields
        .iter()
        .zip(values)
        .map(|(field, value)| muster.patch("/v1/users/me", json!({ *field: value })).by(&ana).send());
    assert!(all(calls).await.iter().all(|reply| reply.status == 200));
    let me = muster.get("/v1/users/me").by(&ana).send().await;
    for (field, value) in fields.iter().zip(values) {
        assert_eq!(me.body[*field], value, "{field}");
    }
    assert_eq!(me.body["version"], 10);
    let history = muster.get("/v1/users/me/history").by(&ana).send().await;
    assert_eq!(history.body["page"]["total_items"], 10);
    assert_eq!(history.body["data"].as_array().unwrap().len(), 10);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_count_of_addresses_survives_any_crowd() {
    let muster = Muster::start().await;
    let ana = muster.ana().await;
    let calls =
        (0..50).map(|nth| muster.post("/v1/users/me/addresses", json!({ "alias": format!("a{nth}") })).by(&ana).send());
    let made = all(calls).await;
    let failed: Vec<_> = made.iter().filter(|reply| reply.status != 201).collect();
    assert!(failed.is_empty(), "{failed:?}");
    let deletes = made
        .iter()
        .take(20)
        .flat_map(|reply| [reply, reply])
        .map(|reply| muster.delete(reply.header("location")).by(&ana).send());
    let statuses: Vec<_> = all(deletes).await.iter().map(|reply| reply.status.as_u16()).collect();
    assert_eq!(statuses.iter().filter(|status| **status == 204).count(), 20, "{statuses:?}");
    let listed = muster.get("/v1/users/me/addresses?page[size]=100").by(&ana).send().await;
    assert_eq!(listed.body["page"]["total_items"], 30);
    assert_eq!(listed.body["data"].as_array().unwrap().len(), 30);
}
