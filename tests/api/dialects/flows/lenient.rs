//! Values as real clients of such a system send them: blank, padded, and of other types than are answered.

use serde_json::{Value, json};

use super::memberships::membership;
use super::{call, done, made, read, totals};
use crate::system::{Ana, Muster, PASSWORD};

/// A place of which nothing is set.
fn nowhere() -> Value {
    json!({ "id": null, "code": null, "name": null })
}

#[tokio::test(flavor = "multi_thread")]
async fn blank_members_of_a_place_are_null() {
    let muster = Muster::start().await;
    let ana = muster.ana().await;
    let (_, membership) = membership(&muster, &ana).await;
    let blank = json!({ "id": "", "code": " ", "name": "" });
    let address = json!({ "owner_id": ana.id, "country": blank, "state": { "id": " ", "code": "CMX", "name": "" } });
    let address =
        read(&muster, &ana, &format!("/flows/address/{}", made(&muster, &ana, "/flows/address", address).await)).await;
    assert_eq!(address["country"], nowhere());
    assert_eq!(address["state"], json!({ "id": null, "code": "CMX", "name": null }));

    let itself = format!("/flows/user/{}", ana.id);
    done(&muster, &ana, ("PUT", &itself), json!({ "country": { "id": 142, "code": "MEX", "name": "México" } })).await;
    done(&muster, &ana, ("PUT", &itself), json!({ "country": blank })).await;
    assert_eq!(read(&muster, &ana, &itself).await["country"], nowhere());
    let form = muster.call("PUT", &itself).by(&ana);
    let form =
        form.raw("application/x-www-form-urlencoded", "country[id]=&country[code]=MEX&country[name]=").send().await;
    assert_eq!(form.status, 200, "{form:?}");
    assert_eq!(read(&muster, &ana, &itself).await["country"], json!({ "id": null, "code": "MEX", "name": null }));

    let member = json!({ "membership_id": membership, "country": blank, "state": { "id": 9, "code": 9, "name": "" } });
    let member = made(&muster, &ana, "/flows/membership-user", member).await;
    let member = read(&muster, &ana, &format!("/flows/membership-user/{member}")).await;
    assert_eq!((&member["country"], &member["state"]), (&nowhere(), &json!({ "id": 9, "code": "9", "name": null })));
}

#[tokio::test(flavor = "multi_thread")]
async fn outer_white_space_of_each_field_is_trimmed() {
    let muster = Muster::start().await;
    let ana = muster.ana().await;
    let (_, membership) = membership(&muster, &ana).await;
    let address = json!({
        "owner_id": format!(" {} ", ana.id), "alias": " Home ", "latitude": " 19.4 ", "longitude": " -99.1", "status": " true ",
        "rfc": " GODE561231GR8 ", "country": { "id": " 142 ", "code": " MEX ", "name": " México " },
    });
    let address =
        read(&muster, &ana, &format!("/flows/address/{}", made(&muster, &ana, "/flows/address", address).await)).await;
    for (name, value) in [
        ("alias", json!("Home")),
        ("latitude", json!("19.40")),
        ("longitude", json!("-99.10")),
        ("status", json!(true)),
        ("rfc", json!("GODE561231GR8")),
        ("country", json!({ "id": "142", "code": "MEX", "name": "México" })),
    ] {
        assert_eq!(address[name], value, "{name}");
    }
    let field = json!({
        "membership_id": format!(" {membership}"), "name": " F ", "type": " dropdown ", "required": " 1 ", "position": " 2.00 ",
        "options": [{ "key": " a ", "value": " A ", "status": " false " }, { "key": "b", "value": "B", "status": "" }],
    });
    let field = made(&muster, &ana, "/flows/membership-custom-field", field).await;
    let shown = read(&muster, &ana, &format!("/flows/membership-custom-field/{field}")).await;
    assert_eq!((&shown["type"], &shown["required"], &shown["position"]), (&json!("dropdown"), &json!(true), &json!(2)));
    assert_eq!(shown["options"], json!([{ "key": "a", "value": "A", "status": false }, { "key": "b", "value": "B" }]));
    let member = json!({ "membership_id": membership, "name": " Carla ", "status": " inactive " });
    let member = made(&muster, &ana, "/flows/membership-user", member).await;
    let answer = json!({ "membership_custom_field_id": format!(" {field} "), "answer": " b " });
    let stack = json!({ "membership_user_id": format!("{member} "), "custom_fields": [answer] });
    call(&muster, &ana, ("POST", "/flows/membership-custom-field-answer/stack"), stack, 201).await;
    let login = json!({ "email": format!(" {} ", ana.email), "password": PASSWORD });
    assert_eq!(muster.post("/flows/login", login).send().await.status, 200);
    let login = json!({ "email": ana.email, "password": format!(" {PASSWORD} ") });
    assert_eq!(muster.post("/flows/login", login).send().await.status, 401, "of a secret white space counts");
}

#[tokio::test(flavor = "multi_thread")]
async fn blank_parameters_are_as_left_out_and_padded_ones_are_trimmed() {
    let muster = Muster::start().await;
    let ana = muster.ana().await;
    let (segment, membership) = membership(&muster, &ana).await;
    made(&muster, &ana, "/flows/membership-user", json!({ "membership_id": membership, "name": "M" })).await;
    for list in [
        format!("/flows/address/list/{}", ana.id),
        format!("/flows/segment/list/{}", ana.id),
        format!("/flows/membership/list/{segment}"),
        format!("/flows/membership-level/list/{membership}"),
        format!("/flows/membership-custom-field/list/{membership}"),
        format!("/flows/membership-user/list/{membership}"),
    ] {
        let whole = call(&muster, &ana, ("GET", &list), Value::Null, 200).await;
        for query in [
            "page=%20&no_items=%20&removed=%20&user_id=%20",
            "page=&no_items=&removed=&user_id=",
            "page=%201&no_items=10%20&removed=%20False",
        ] {
            let reply = call(&muster, &ana, ("GET", &format!("{list}?{query}")), Value::Null, 200).await;
            assert_eq!((&reply.body, totals(&reply)), (&whole.body, totals(&whole)), "{list} {query}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unescaped_plus_of_an_email_is_none_the_less_a_plus() {
    let muster = Muster::start().await;
    muster.sign_up("a+b@example.com").await;
    for key in ["a+b@example.com", "a%2Bb@example.com", "a%20b@example.com", "%20a+b@example.com%20"] {
        assert_eq!(muster.get(&format!("/flows/user/available?key={key}")).send().await.status, 200, "{key}");
    }
    assert_eq!(muster.get("/flows/user/available?key=a+c@example.com").send().await.status, 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn blank_active_is_as_null() {
    let muster = Muster::start().await;
    let ana = muster.ana().await;
    let segment = made(&muster, &ana, "/flows/segment", json!({ "name": "S" })).await;
    let user = muster
        .post(&format!("/v1/segments/{segment}/users"), json!({ "email": "u@example.com" }))
        .by(&ana)
        .send()
        .await;
    let user = format!("/flows/user/{}", user.body["id"].as_str().unwrap());
    for (active, expected) in [(" ", true), ("", true), ("false", false), (" ", false), (" 1 ", true)] {
        done(&muster, &ana, ("PUT", &user), json!({ "active": active })).await;
        assert_eq!(read(&muster, &ana, &user).await["active"], expected, "{active:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn switches_that_are_kept_are_true_false_or_null() {
    let muster = Muster::start().await;
    let ana = muster.ana().await;
    let (_, membership) = membership(&muster, &ana).await;
    for (sent, expected) in [
        (json!("true"), json!(true)),
        (json!(1), json!(true)),
        (json!("0"), json!(false)),
        (json!(" "), Value::Null),
        (json!("later"), Value::Null),
        (Value::Null, Value::Null),
    ] {
        let new = json!({
            "membership_id": membership, "name": "M", "validate": sent, "only_for_redemptions": sent, "only_for_transactions": sent,
        });
        let member = made(&muster, &ana, "/flows/membership-user", new).await;
        let shown = read(&muster, &ana, &format!("/flows/membership-user/{member}")).await;
        for name in ["validate", "only_for_redemptions", "only_for_transactions"] {
            assert_eq!(shown[name], expected, "{name}: {sent}");
        }
    }
}

/// A custom field of this type: its id.
async fn field(muster: &Muster, owner: &Ana, (membership, kind): (&str, &str), options: Value) -> String {
    let field = json!({ "membership_id": membership, "name": kind, "type": kind, "options": options });
    made(muster, owner, "/flows/membership-custom-field", field).await
}

#[tokio::test(flavor = "multi_thread")]
async fn numbers_answer_as_they_are_written_and_are_given_back_so() {
    let muster = Muster::start().await;
    let ana = muster.ana().await;
    let (_, membership) = membership(&muster, &ana).await;
    let several = field(
        &muster,
        &ana,
        (&membership, "multiple"),
        json!([{ "key": 1, "value": "A" }, { "key": 2, "value": "B" }]),
    )
    .await;
    let number = field(&muster, &ana, (&membership, "number"), Value::Null).await;
    let member =
        made(&muster, &ana, "/flows/membership-user", json!({ "membership_id": membership, "name": "M" })).await;
    let list = format!("/flows/membership-custom-field-answer/list/{member}");
    let key = |field: &str| format!("f_{}", field.replace('-', ""));
    for (field, sent, kept) in [
        (&several, "1", r#"["1"]"#),
        (&several, "[2,1]", r#"["1","2"]"#),
        (&several, r#""2""#, r#"["2"]"#),
        (&number, "1e3", "1e3"),
        (&number, "1E3", "1E3"),
        (&number, "1.5E+2", "1.5E+2"),
        (&number, "-12.5e-1", "-12.5e-1"),
        (&number, r#""1e3""#, "1e3"),
    ] {
        let body = format!(
            r#"{{"membership_user_id":"{member}","custom_fields":[{{"membership_custom_field_id":"{field}","answer":{sent}}}]}}"#
        );
        let post = muster.call("POST", "/flows/membership-custom-field-answer/stack").by(&ana);
        let reply = post.raw("application/json", body).send().await;
        assert_eq!(reply.status, 201, "{sent}: {reply:?}");
        let rows = call(&muster, &ana, ("GET", &list), Value::Null, 200).await.text;
        assert!(rows.contains(&format!(r#""answer":{sent},"#)), "{sent}: {rows}");
        let own = muster.get(&format!("/v1/members/{member}")).by(&ana).send().await;
        assert!(own.text.contains(&format!(r#""{}":{kept}"#, key(field))), "{sent}: {own:?}");
    }
    let phone = field(&muster, &ana, (&membership, "phone"), Value::Null).await;
    let answer = json!({ "membership_user_id": member,
        "custom_fields": [{ "membership_custom_field_id": phone, "answer": "(55) 1234-5678" }] });
    call(&muster, &ana, ("POST", "/flows/membership-custom-field-answer/stack"), answer, 201).await;
    let rows = read(&muster, &ana, &list).await;
    assert!(rows.as_array().unwrap().iter().any(|row| row["answer"] == "(55) 1234-5678"), "{rows}");
    let own = muster.get(&format!("/v1/members/{member}")).by(&ana).send().await;
    assert_eq!(own.body["answers"][key(&phone)], "+525512345678");
    let level =
        json!({ "membership_id": membership, "name": "L", "number_level": 1, "from_point": 0, "to_point": "1e2" });
    made(&muster, &ana, "/flows/membership-level", level).await;
    let levels = read(&muster, &ana, &format!("/flows/membership-level/list/{membership}")).await;
    assert_eq!(levels[0]["to_point"], "100.00");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_phone_is_of_the_country_of_its_segment_or_else_of_its_user() {
    let muster = Muster::start().await;
    let ana = muster.ana().await;
    let segment = made(&muster, &ana, "/flows/segment", json!({ "name": "S" })).await;
    let new = json!({ "email": "u@example.com", "operation_country": "ARG" });
    let user = muster.post(&format!("/v1/segments/{segment}/users"), new).by(&ana).send().await;
    let user = user.body["id"].as_str().unwrap().to_owned();
    let plain = muster
        .post(&format!("/v1/segments/{segment}/users"), json!({ "email": "p@example.com" }))
        .by(&ana)
        .send()
        .await;
    let plain = plain.body["id"].as_str().unwrap().to_owned();
    let phone = async |user: &str, mobile: &str| {
        done(&muster, &ana, ("PUT", &format!("/flows/user/{user}")), json!({ "mobile": mobile })).await;
        read(&muster, &ana, &format!("/v1/users/{user}")).await["phone"].clone()
    };
    assert_eq!(phone(&user, "11 2345-6789").await, "+541123456789");
    assert_eq!(phone(&plain, "55 1234 5678").await, "+525512345678");
    let settings = json!({ "settings": { "country": "BRA" } });
    let patched = muster.patch(&format!("/v1/segments/{segment}"), settings).by(&ana).send().await;
    assert_eq!(patched.status, 200, "{patched:?}");
    for user in [&user, &plain] {
        assert_eq!(phone(user, "11 98765-4321").await, "+5511987654321");
        assert_eq!(phone(user, "+52 55 1234 5678").await, "+525512345678");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_owner_reads_of_who_has_joined_what_the_person_reads() {
    let muster = Muster::start().await;
    let (ana, carla) = (muster.ana().await, muster.ana().await);
    let (_, membership) = membership(&muster, &ana).await;
    let itself = format!("/flows/user/{}", carla.id);
    let change = json!({
        "country": { "id": 142, "code": "MEX", "name": "México" }, "state": { "id": 9, "code": "CMX", "name": "CDMX" },
        "city": { "id": "c-1", "code": null, "name": "CDMX" }, "profit_center": "online", "player_id": "p-1",
    });
    done(&muster, &carla, ("PUT", &itself), change).await;
    let metadata = json!({ "metadata": { "secret": "of other programs" } });
    assert_eq!(muster.patch("/v1/users/me", metadata).by(&carla).send().await.status, 200);
    let member = json!({ "membership_id": membership, "user_id": carla.id });
    let member = made(&muster, &carla, "/flows/membership-user", member).await;
    let own = read(&muster, &carla, &itself).await;
    assert_eq!((&own["country"]["id"], &own["player_id"]), (&json!(142), &json!("p-1")));
    assert_eq!(read(&muster, &ana, &itself).await, own);
    let rows = read(&muster, &ana, &format!("/flows/membership-user/list/{membership}")).await;
    assert_eq!(rows[0]["user"], own);
    let shared = read(&muster, &ana, &format!("/v1/members/{member}/profile")).await;
    assert_eq!((&shared["email"], shared.get("metadata")), (&json!(carla.email), None));
}

#[tokio::test(flavor = "multi_thread")]
async fn who_has_joined_is_told_so() {
    let muster = Muster::start().await;
    let (ana, carla) = (muster.ana().await, muster.ana().await);
    let (_, membership) = membership(&muster, &ana).await;
    let join = json!({ "membership_id": membership, "user_id": carla.id, "name": "Carla" });
    made(&muster, &carla, "/flows/membership-user", join.clone()).await;
    let message = "is the id of a user who has joined this membership already";
    let again = call(&muster, &carla, ("POST", "/flows/membership-user"), join, 409).await;
    assert_eq!(again.body, json!({ "message": format!("user_id {message}") }));
    let path = format!("/v1/memberships/{membership}/members");
    let again = muster.post(&path, json!({ "name": "Carla" })).by(&carla).send().await;
    assert_eq!((again.status.as_u16(), &again.body["errors"][0]["message"]), (409, &json!(message)), "{again:?}");
}
