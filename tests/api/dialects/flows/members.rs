//! Membership users, who enrol others or themselves, and their answers.

use serde_json::{Value, json};

use super::memberships::membership;
use super::{call, done, made, read, totals, without_times};
use crate::system::{Ana, Muster};

/// A custom field of these: its id.
async fn field(muster: &Muster, owner: &Ana, membership: &str, kind: &str, more: Value) -> String {
    let mut field = json!({ "membership_id": membership, "name": kind, "type": kind });
    field.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    made(muster, owner, "/flows/membership-custom-field", field).await
}

async fn levels(muster: &Muster, owner: &Ana, membership: &str) -> Vec<String> {
    let mut levels = Vec::new();
    for number in 1..=2 {
        let (from, to) = (number * 100 - 100, number * 100 - 1);
        let level = json!({
            "membership_id": membership, "name": format!("L{number}"), "number_level": number, "from_point": from, "to_point": to
        });
        levels.push(made(muster, owner, "/flows/membership-level", level).await);
    }
    levels
}

#[tokio::test(flavor = "multi_thread")]
async fn the_owner_enrols_a_user_of_the_segment_at_a_level() {
    let muster = Muster::start().await;
    let ana = muster.ana().await;
    let (segment, membership) = membership(&muster, &ana).await;
    let levels = levels(&muster, &ana, &membership).await;
    let user = json!({ "email": "u@example.com", "name": "Carla" });
    let user = muster.post(&format!("/v1/segments/{segment}/users"), user).by(&ana).send().await;
    let user = user.body["id"].as_str().unwrap();
    let new = json!({
        "membership_id": membership, "user_id": user, "segment_id": segment, "membership_level_id": levels[1], "name": "Carla",
        "lastname": "Núñez", "phone": 5_512_345_678_u64, "status": 0, "card_number": "0001", "validate": false, "origin": "web",
    });
    let id = made(&muster, &ana, "/flows/membership-user", new.clone()).await;
    let shown = read(&muster, &ana, &format!("/flows/membership-user/{id}")).await;
    let filler = shown["filler_id"].as_str().unwrap().to_owned();
    assert!(filler.len() == 8 && filler.bytes().all(|digit| digit.is_ascii_digit()), "{filler}");
    let nowhere = json!({ "id": null, "code": null, "name": null });
    let expected = json!({
        "membership_id": membership, "user_id": user, "segment_id": segment, "brand_id": segment, "membership_level_id": levels[1],
        "name": "Carla", "lastname": "Núñez", "phone": "5512345678", "card_number": "0001", "validate": false, "origin": "web",
        "filler_id": filler, "status": false, "approved": "pending", "id": id, "removed": false, "image": null, "gender": null,
        "birthdate": null, "birthdate_ts": null, "latitude": null, "longitude": null, "only_for_redemptions": null,
        "only_for_transactions": null, "origin_membership_id": null, "refer_to": null, "country": nowhere, "state": nowhere,
        "city": nowhere,
    });
    assert_eq!(without_times(&shown), expected);
    let own = read(&muster, &ana, &format!("/v1/members/{id}")).await;
    assert_eq!((&own["number"], &own["points"], &own["status"]), (&json!(filler), &json!(100), &json!("INACTIVE")));

    let other =
        made(&muster, &ana, "/flows/membership-user", json!({ "membership_id": membership, "name": "Nobody" })).await;
    let list = format!("/flows/membership-user/list/{membership}");
    let reply = call(&muster, &ana, ("GET", &list), Value::Null, 200).await;
    assert_eq!((&reply.body[1]["id"], totals(&reply)), (&json!(other), ("1", "2")));
    assert_eq!(reply.body[1]["user"], Value::Null);
    let reply = call(&muster, &ana, ("GET", &format!("{list}?user_id={user}")), Value::Null, 200).await;
    let row = &reply.body[0];
    assert_eq!(
        (&row["membership_level"]["from_point"], &row["user"]["email"]),
        (&json!("100.00"), &json!("u@example.com"))
    );
    assert_eq!((&row["filler_id"], totals(&reply)), (&json!(filler), ("1", "1")));

    let elsewhere = made(&muster, &ana, "/flows/segment", json!({ "name": "S" })).await;
    let message = |message: &str| json!({ "message": message });
    for (field, value, status, expected) in [
        ("segment_id", json!(elsewhere), 400, "segment_id must be the segment of the membership"),
        ("user_id", json!(user), 409, "user_id is the id of a user who has joined this membership already"),
        ("user_id", json!(elsewhere), 400, "user_id must be the id of a user of this segment"),
        ("status", json!("odd"), 400, "status must be true or false"),
        ("phone", json!(true), 400, "phone must be a string"),
    ] {
        let mut body = new.clone();
        body[field] = value;
        let reply = call(&muster, &ana, ("POST", "/flows/membership-user"), body, status).await;
        assert_eq!(reply.body, message(expected));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_has_signed_up_enrols_itself_and_is_told_nothing_of_others() {
    let muster = Muster::start().await;
    let (ana, carla, eva) = (muster.ana().await, muster.ana().await, muster.ana().await);
    let (segment, membership) = membership(&muster, &ana).await;
    let levels = levels(&muster, &ana, &membership).await;
    let joins = |user: &Ana, level: Option<&String>| {
        json!({
            "membership_id": membership, "user_id": user.id, "segment_id": segment, "membership_level_id": level, "name": "Carla",
            "status": false, "validate": true,
        })
    };
    let post = ("POST", "/flows/membership-user");
    call(&muster, &carla, post, joins(&eva, None), 404).await;
    call(&muster, &carla, post, joins(&carla, Some(&levels[1])), 403).await;
    let id = made(&muster, &carla, post.1, joins(&carla, Some(&levels[0]))).await;
    let eva_id = made(&muster, &eva, post.1, joins(&eva, None)).await;
    let shown = read(&muster, &carla, &format!("/flows/membership-user/{id}")).await;
    assert_eq!(
        (&shown["status"], &shown["validate"]),
        (&json!(true), &json!(true)),
        "its status is the owner's to write"
    );
    assert_eq!(shown["membership_level_id"], json!(levels[0]));

    let list = format!("/flows/membership-user/list/{membership}");
    let reply = call(&muster, &carla, ("GET", &list), Value::Null, 200).await;
    assert_eq!((&reply.body[0]["user"]["email"], totals(&reply)), (&json!(carla.email), ("1", "1")));
    let of_eva = format!("{list}?user_id={}", eva.id);
    assert_eq!(read(&muster, &carla, &of_eva).await, json!([]));
    call(&muster, &carla, ("GET", &format!("/flows/membership-user/{eva_id}")), Value::Null, 404).await;
    // Who enrols shares its profile with the owner of the segment.
    let row = &read(&muster, &ana, &of_eva).await[0];
    assert_eq!((&row["user"]["id"], &row["user"]["email"]), (&json!(eva.id), &json!(eva.email)));
    assert_eq!(read(&muster, &carla, &format!("/flows/membership-level/list/{membership}")).await[0]["name"], "L1");
}

/// A membership, and three fields of it: one and several of two options, and a number.
async fn asking(muster: &Muster, ana: &Ana) -> (String, [String; 3]) {
    let (_, membership) = membership(muster, ana).await;
    let options = json!({ "options": [{ "key": "a", "value": "Alpha" }, { "key": "b", "value": "Beta" }] });
    let one = field(muster, ana, &membership, "dropdown", options.clone()).await;
    let several = field(muster, ana, &membership, "multiple", options).await;
    let number = field(muster, ana, &membership, "number", json!({})).await;
    (membership, [one, several, number])
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_are_given_by_the_ids_of_fields() {
    let muster = Muster::start().await;
    let (ana, carla) = (muster.ana().await, muster.ana().await);
    let (membership, [one, several, number]) = asking(&muster, &ana).await;
    let yes = field(&muster, &ana, &membership, "boolean", json!({})).await;
    let mail = field(&muster, &ana, &membership, "email", json!({})).await;
    let join = json!({ "membership_id": membership, "name": "Carla" });
    let member = made(&muster, &carla, "/flows/membership-user", join).await;
    let stack = |answers: &[(&str, Value)]| stack((&membership, &member, &carla), answers);
    let post = ("POST", STACK);
    let given = [
        (one.as_str(), json!("a")),
        (&several, json!("b, a")),
        (&number, json!("1250000.50")),
        (&yes, json!("1")),
        (&mail, json!("c@example.com")),
    ];
    assert_eq!(call(&muster, &carla, post, stack(&given), 201).await.body, json!({}));
    let list = format!("/flows/membership-custom-field-answer/list/{member}");
    let reply = call(&muster, &carla, ("GET", &list), Value::Null, 200).await;
    let rows = reply.body.as_array().unwrap();
    let found: Vec<_> = rows
        .iter()
        .map(|row| {
            (row["membership_custom_field_id"].clone(), row["answer"].to_string(), row["answer_for_catalog"].clone())
        })
        .collect();
    let expected = [
        (json!(one), r#""a""#, Value::Null),
        (json!(several), r#""b, a""#, Value::Null),
        (json!(number), r#""1250000.50""#, Value::Null),
        (json!(yes), r#""1""#, Value::Null),
        (json!(mail), r#""c@example.com""#, Value::Null),
    ];
    assert_eq!(found, expected.map(|(id, answer, value)| (id, answer.to_owned(), value)));
    assert_eq!(totals(&reply), ("1", "5"));
    let row = json!({
        "id": format!("{member}.{one}"), "answer": "a", "answer_for_catalog": null, "membership_custom_field_id": one,
        "membership_id": membership, "membership_user_id": member, "user_id": carla.id, "status": true, "removed": false,
    });
    assert_eq!(without_times(&rows[0]), row);

    // Taken back, and the others left as they are.
    call(&muster, &ana, post, stack(&[(&mail, json!("")), (&yes, Value::Null)]), 201).await;
    assert_eq!(read(&muster, &ana, &list).await.as_array().unwrap().len(), 3);

    let stranger = muster.ana().await;
    call(&muster, &stranger, post, stack(&given), 404).await;
    call(&muster, &stranger, ("GET", &list), Value::Null, 404).await;
    done(&muster, &ana, ("DELETE", &format!("/flows/membership-custom-field/{one}")), Value::Null).await;
    let left = read(&muster, &ana, &list).await.as_array().unwrap().len();
    assert_eq!(left, 2, "an answered field goes with its answers");
}

/// Where answers are given.
const STACK: &str = "/flows/membership-custom-field-answer/stack";

/// Answers to fields, by a member who is this user.
fn stack((membership, member, user): (&str, &str, &Ana), answers: &[(&str, Value)]) -> Value {
    let row = |(field, answer): &(&str, Value)| json!({ "membership_custom_field_id": field, "answer": answer });
    let answers: Vec<_> = answers.iter().map(row).collect();
    json!({ "membership_id": membership, "membership_user_id": member, "user_id": user.id, "custom_fields": answers })
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_answers_are_told_by_their_places() {
    let muster = Muster::start().await;
    let (ana, carla) = (muster.ana().await, muster.ana().await);
    let (membership, [one, several, number]) = asking(&muster, &ana).await;
    let join = json!({ "membership_id": membership, "name": "Carla" });
    let member = made(&muster, &carla, "/flows/membership-user", join).await;
    let stack = |answers: &[(&str, Value)]| stack((&membership, &member, &carla), answers);
    let mut others = stack(&[(&one, json!("a"))]);
    others["user_id"] = json!(ana.id);
    for (body, message) in [
        (stack(&[(&one, json!("c"))]), "custom_fields.0.answer must be one of a, b"),
        (stack(&[(&number, json!(1)), (&several, json!(["a", "x"]))]), "custom_fields.1.answer.1 must be one of a, b"),
        (
            stack(&[(&membership, json!(1))]),
            "custom_fields.0.membership_custom_field_id must be the id of a custom field of the membership",
        ),
        (
            stack(&[(&one, json!("a")), (&one, json!("b"))]),
            "custom_fields.1.membership_custom_field_id is there already; take it out",
        ),
        (stack(&[("bank", json!("a"))]), "custom_fields.0.membership_custom_field_id must be an id, as it was given"),
        (others, "user_id must be the one of the membership user, or left out"),
        (
            json!({ "membership_user_id": member }),
            "custom_fields must be an array of {membership_custom_field_id, answer}",
        ),
        (json!({ "custom_fields": [] }), "membership_user_id is required"),
    ] {
        let reply = call(&muster, &carla, ("POST", STACK), body, 400).await;
        assert_eq!(reply.body, json!({ "message": message }));
    }
}
