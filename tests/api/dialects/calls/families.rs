//! Families, and one person in several groups.

use serde_json::{Value, json};

use super::{Calls, clogin, refused};

#[tokio::test(flavor = "multi_thread")]
async fn a_child_is_connected_to_its_parent_and_its_doc_may_be_empty() {
    let calls = Calls::start().await;
    let parent = calls.person("ana@example.com").await;
    let made = calls.done(json!({ "action": "create_child", "connected_to": parent, "doc": {} })).await;
    let child = clogin(&made);
    assert_ne!(child, parent);
    assert_eq!(made["user_info"]["connected_to"], parent.to_string());
    let named = json!({ "action": "create_child", "connected_to": parent.to_string(), "doc": { "first_name": "Eva" } });
    let other = clogin(&calls.done(named).await);
    let family = calls.done(json!({ "action": "get_info", "clogin_id": parent, "doc": { "_family": 1 } })).await;
    let family = &family["doc"]["_family"];
    assert_eq!(family["children"][1]["u_name"], "Eva");
    assert_eq!(
        (&family["children"][1]["total_order"], &family["children"][1]["status_name"]),
        (&json!("0.00"), &Value::Null)
    );
    let ids: Vec<_> = family["children"].as_array().unwrap().iter().map(|one| one["clogin_id"].clone()).collect();
    assert_eq!((&family["parent"], ids), (&Value::Null, vec![json!(child.to_string()), json!(other.to_string())]));
    let family = calls.done(json!({ "action": "get_info", "clogin_id": child, "doc": { "_family": 1 } })).await;
    assert_eq!(family["doc"]["_family"]["parent"]["clogin_id"], parent.to_string());
    for (body, expected) in [
        (json!({ "action": "create_child", "doc": {} }), "connected_to is required"),
        (json!({ "action": "create_child", "connected_to": 1, "doc": {} }), "connected_to is nobody's in this group"),
    ] {
        assert_eq!(refused(&calls.send(body).await), (400, expected.to_owned()));
    }
    let grandchild = calls.send(json!({ "action": "create_child", "connected_to": child, "doc": {} })).await;
    assert_eq!(refused(&grandchild), (400, "connected_to is a child, who has no children".to_owned()));
}

#[tokio::test(flavor = "multi_thread")]
async fn child_may_have_the_e_mail_of_its_parent() {
    let calls = Calls::start().await;
    let parent = calls.person("ana@example.com").await;
    let named = |email: &str| {
        let doc = json!({ "first_name": "Eva", "username": "", "main_email": email });
        json!({ "action": "create_child", "clogin_id": false, "connected_to": parent, "doc": doc })
    };
    let child = clogin(&calls.done(named("ANA@example.com")).await);
    let email = async |person: u64| {
        let asked = json!({ "action": "get_info", "clogin_id": person, "doc": { "main_email": 1, "username": 1 } });
        calls.done(asked).await["doc"].clone()
    };
    let shared = email(child).await;
    assert_eq!(shared["main_email"], "ANA@example.com", "{shared}");
    assert!(shared["username"].as_str().unwrap().starts_with("u-"), "{shared}");
    assert_eq!(email(parent).await["main_email"], "ana@example.com");
    let update = |email: &str| json!({ "action": "update", "clogin_id": child, "doc": { "main_email": email } });
    calls.done(update("ANA@example.com")).await;
    assert_eq!(email(child).await, shared);
    calls.done(update("eva@example.com")).await;
    assert_eq!(email(child).await["main_email"], "eva@example.com");
    assert_eq!(calls.user("eva@example.com").await["metadata"]["main_email"], Value::Null);
    // Nobody else shares it.
    calls.person("leo@example.com").await;
    let taken = refused(&calls.send(named("leo@example.com")).await);
    assert_eq!((taken.0, taken.1.contains("main_email")), (409, true), "{taken:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn parent_of_another_account_is_never_shown() {
    let calls = Calls::start().await;
    let muster = &calls.world.muster;
    let eve = muster.ana().await;
    let segment = crate::world::id(&muster.made(&eve, "/v1/segments", json!({ "name": "Hers" })).await);
    let secret = json!({ "email": "secret@example.com", "name": "Zzqsecret" });
    let victim = crate::world::id(&muster.made(&eve, &format!("/v1/segments/{segment}/users"), secret).await);
    let person = calls.person("ana@example.com").await;
    let id = calls.user("ana@example.com").await["id"].as_str().unwrap().to_owned();
    muster.set_attribute((&format!("U#{id}"), "U"), "parent_id", &victim).await;
    let info = calls.done(json!({ "action": "get_info", "clogin_id": person, "doc": { "_family": 1 } })).await;
    assert_eq!(info["doc"]["_family"]["parent"], Value::Null);
    assert!(!info.to_string().contains("secret"), "{info}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_child_of_v1_gets_its_number_when_it_is_first_shown() {
    let calls = Calls::start().await;
    let parent = calls.person("ana@example.com").await;
    let id = calls.user("ana@example.com").await["id"].clone();
    let child = calls.world.user(json!({ "parent_id": id })).await;
    let family = calls.done(json!({ "action": "get_info", "clogin_id": parent, "doc": { "_family": true } })).await;
    let number = family["doc"]["_family"]["children"][0]["clogin_id"].as_str().unwrap().to_owned();
    let v1 = calls.world.read(&format!("/v1/users/{child}")).await;
    assert_eq!(v1["number"].to_string(), number);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_parent_of_v1_gets_its_number_when_a_child_is_connected_to_it() {
    let calls = Calls::start().await;
    let parent = calls.world.user(json!({})).await;
    let child = calls.world.user(json!({ "parent_id": parent })).await;
    let number = calls.world.call("POST", &format!("/v1/users/{child}/number")).send().await.body["number"].clone();
    let info = calls.done(json!({ "action": "get_info", "clogin_id": number, "doc": { "_family": 1 } })).await;
    let parent = calls.world.read(&format!("/v1/users/{parent}")).await["number"].to_string();
    assert_eq!(info["user_info"]["connected_to"], parent);
    assert_eq!(info["doc"]["_family"]["parent"]["clogin_id"], parent);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_person_is_linked_into_another_group_and_is_two_users() {
    let calls = Calls::start().await;
    let doc = json!({ "main_email": "ana@example.com", "first_name": "Ana", "org_name": "Sur" });
    let person = clogin(&calls.done(json!({ "action": "create", "doc": doc })).await);
    let other = calls.world.muster.made(&calls.world.ana, "/v1/segments", json!({ "name": "Other" })).await;
    let group = other["number"].clone();
    let linked =
        json!({ "action": "create", "group_id": group, "clogin_id": person, "doc": { "first_name": "Anita" } });
    let linked = calls.done(linked).await;
    assert_eq!((clogin(&linked), &linked["user_info"]["group_id"]), (person, &json!(group.to_string())));
    let info = json!({ "action": "get_info", "group_id": group, "clogin_id": person, "doc": { "_allfields": 1 } });
    let info = calls.done(info).await;
    let brought = json!({ "main_email": "ana@example.com", "username": "ana@example.com", "first_name": "Anita", "org_name": "Sur" });
    assert_eq!(info["doc"], brought, "what doc leaves out comes along");
    let here = calls.done(json!({ "action": "get_info", "clogin_id": person, "doc": { "first_name": 1 } })).await;
    assert_eq!(here["doc"]["first_name"], "Ana");
    let twice =
        calls.send(json!({ "action": "create", "clogin_id": person, "doc": { "main_email": "x@example.com" } })).await;
    assert_eq!(refused(&twice), (409, "clogin_id is in this group already; update that user".to_owned()));
    let unknown =
        calls.send(json!({ "action": "create", "clogin_id": 1, "doc": { "main_email": "y@example.com" } })).await;
    assert_eq!(refused(&unknown), (404, "clogin_id is nobody's in this organization".to_owned()));
}

#[tokio::test(flavor = "multi_thread")]
async fn person_brings_its_profile_into_another_group() {
    let calls = Calls::start().await;
    let doc = json!({ "main_email": "ana@example.com", "username": "ana", "first_name": "Ana", "gender": "FEMALE", "city": "Lima",
        "nationality": "Peruvian", "org_name": "Sur", "application_date": "2026-11-21", "phone": "0000000000",
        "identification": { "type": "DOCUMENT", "value": "77" } });
    let person = clogin(&calls.done(json!({ "action": "create", "doc": doc })).await);
    let all = json!({ "action": "get_info", "clogin_id": person, "doc": { "_allfields": 1 } });
    let here = calls.done(all.clone()).await["doc"].clone();
    let other = calls.world.muster.made(&calls.world.ana, "/v1/segments", json!({ "name": "Other" })).await;
    let elsewhere = |mut body: Value| {
        body["group_id"] = other["number"].clone();
        body
    };
    calls
        .done(elsewhere(
            json!({ "action": "create", "clogin_id": person, "doc": { "org_name": "Norte", "first_name": "" } }),
        ))
        .await;
    let mut expected = here.clone();
    expected["org_name"] = json!("Norte");
    assert_eq!(calls.done(elsewhere(all.clone())).await["doc"], expected);
    assert_eq!(here["phone"], "0000000000");
    assert_eq!((&here["gender"], &here["nationality"]), (&json!("FEMALE"), &json!("Peruvian")));

    // Somebody else has the username and the document there: neither was sent, and neither stops the link.
    let third = calls.world.muster.made(&calls.world.ana, "/v1/segments", json!({ "name": "Third" })).await;
    let users = format!("/v1/segments/{}/users", crate::world::id(&third));
    let same =
        json!({ "email": "x@example.com", "username": "ANA", "identification": { "type": "DOCUMENT", "value": "77" } });
    calls.world.muster.made(&calls.world.ana, &users, same).await;
    let there = |mut body: Value| {
        body["group_id"] = third["number"].clone();
        body
    };
    calls.done(there(json!({ "action": "create", "clogin_id": person, "doc": { "gender": "x" } }))).await;
    let mut expected = here;
    expected["username"] = json!("ana@example.com");
    expected["gender"] = json!("x");
    expected.as_object_mut().unwrap().remove("identification");
    assert_eq!(calls.done(there(all)).await["doc"], expected);
    let eva = calls.person("eva@example.com").await;
    let mail = json!({ "action": "create", "clogin_id": eva, "doc": { "main_email": "ana@example.com" } });
    let expected = (409, "main_email is taken by another user; choose another one".to_owned());
    assert_eq!(refused(&calls.send(there(mail)).await), expected);
    let taken = json!({ "email": "y@example.com", "username": "eva@example.com" });
    calls.world.muster.made(&calls.world.ana, &users, taken).await;
    calls.done(there(json!({ "action": "create", "clogin_id": eva, "doc": {} }))).await;
    let form = calls.done(there(json!({ "action": "get_info", "clogin_id": eva, "doc": { "username": 1 } }))).await;
    assert!(form["doc"]["username"].as_str().unwrap().starts_with("u-"), "{form}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_number_is_given_once_links_across_segments_and_goes_with_the_user() {
    let calls = Calls::start().await;
    let world = &calls.world;
    let user = world.user(json!({})).await;
    let path = format!("/v1/users/{user}/number");
    let first = world.call("POST", &path).send().await;
    assert_eq!(first.status, 200, "{first:?}");
    let number = first.body["number"].as_u64().unwrap();
    assert!((1..=2_147_483_647).contains(&number));
    for body in [json!({}), json!({ "number": number })] {
        assert_eq!(world.send("POST", &path, body).await.body["number"], number, "it stays");
    }
    let wrong = world.send("POST", &path, json!({ "number": number ^ 1 })).await;
    assert_eq!((wrong.status.as_u16(), wrong.errors()), (409, vec![("/number".to_owned(), "immutable".to_owned())]));
    let same = world.user(json!({})).await;
    let taken = world.send("POST", &format!("/v1/users/{same}/number"), json!({ "number": number })).await;
    assert_eq!((taken.status.as_u16(), taken.errors()), (409, vec![("/number".to_owned(), "taken".to_owned())]));
    let unknown = world.send("POST", &format!("/v1/users/{same}/number"), json!({ "number": number ^ 1 })).await;
    assert_eq!((unknown.status.as_u16(), unknown.errors()), (400, vec![("/number".to_owned(), "unknown".to_owned())]));
    let read = async || calls.send(json!({ "action": "get_info", "clogin_id": number })).await.status.as_u16();
    assert_eq!(read().await, 200);
    assert_eq!(world.call("DELETE", &format!("/v1/users/{user}")).send().await.status, 204);
    assert_eq!(read().await, 404, "who is deleted is nobody in the group");
    assert_eq!(world.call("POST", &format!("/v1/users/{user}/restoration")).send().await.status, 200);
    assert_eq!(read().await, 200);
    assert_eq!(world.call("DELETE", &format!("/v1/users/{user}?purge=true")).send().await.status, 204);
    assert_eq!(read().await, 404);
    let left = world.send("POST", &format!("/v1/users/{same}/number"), json!({ "number": number })).await;
    assert_eq!(left.status, 200, "the person is there, and nobody in this segment: {left:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn of_fifty_who_ask_for_a_number_at_once_all_get_the_same() {
    let calls = Calls::start().await;
    let user = calls.world.user(json!({})).await;
    let path = format!("/v1/users/{user}/number");
    let replies = crate::races::all((0..50).map(|_| calls.world.call("POST", &path).send())).await;
    let numbers: std::collections::BTreeSet<_> = replies.iter().map(|reply| reply.body["number"].to_string()).collect();
    assert!(replies.iter().all(|reply| reply.status == 200) && numbers.len() == 1, "{numbers:?}");
}
