//! Memberships, levels and custom fields.

use serde_json::{Value, json};

use super::{call, done, made, read, totals, without_times};
use crate::system::{Ana, Muster};

/// A segment with a membership, both made by this user: their ids.
pub(crate) async fn membership(muster: &Muster, owner: &Ana) -> (String, String) {
    let segment = made(muster, owner, "/flows/segment", json!({ "owner_id": owner.id, "name": "Merchants" })).await;
    let new = json!({ "segment_id": segment, "name": "Card" });
    let membership = made(muster, owner, "/flows/membership", new).await;
    (segment, membership)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_membership_is_open_for_all_and_goes_with_all_that_is_in_it() {
    let muster = Muster::start().await;
    let ana = muster.ana().await;
    let (segment, membership) = membership(&muster, &ana).await;
    let list = format!("/flows/membership/list/{segment}");
    let reply = call(&muster, &ana, ("GET", &list), Value::Null, 200).await;
    let expected = json!({ "segment_id": segment, "name": "Card", "status": true, "id": membership, "removed": false });
    assert_eq!((without_times(&reply.body[0]), totals(&reply)), (expected, ("1", "1")));
    let own = read(&muster, &ana, &format!("/v1/memberships/{membership}")).await;
    assert_eq!(own["self_enrolment"], true);

    let level = json!({ "membership_id": membership, "name": "L", "number_level": 1, "from_point": 0, "to_point": 9 });
    made(&muster, &ana, "/flows/membership-level", level).await;
    done(&muster, &ana, ("DELETE", &format!("/flows/membership/{membership}")), Value::Null).await;
    let reply = call(&muster, &ana, ("GET", &list), Value::Null, 200).await;
    assert_eq!((&reply.body, totals(&reply)), (&json!([]), ("0", "0")));
    let removed = call(&muster, &ana, ("GET", &format!("{list}?removed=true")), Value::Null, 200).await;
    let expected = json!({ "segment_id": segment, "name": "Card", "status": true, "id": membership, "removed": true });
    assert_eq!((without_times(&removed.body[0]), totals(&removed)), (expected, ("1", "1")));
    let stranger = muster.ana().await;
    call(&muster, &stranger, ("GET", &format!("{list}?removed=true")), Value::Null, 404).await;
    for _ in 0..500 {
        if muster.items("H#").await.is_empty() {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    panic!("something still says where the level was");
}

#[tokio::test(flavor = "multi_thread")]
async fn levels_come_at_once_and_with_words_for_colors() {
    let muster = Muster::start().await;
    let ana = muster.ana().await;
    let (_, membership) = membership(&muster, &ana).await;
    let level = |nth: u32| {
        json!({
            "membership_id": membership, "name": format!("L{nth}"), "from_point": if nth == 1 { 0 } else { nth * 100 - 99 },
            "to_point": nth * 100, "image": "https://example.com/image.png", "type_image": "png", "background_color": "any",
            "text_color": if nth == 1 { json!("#00ff00") } else { json!(7) }, "status": true, "number_level": nth + 5,
        })
    };
    let all = (1..=5).map(|nth| made(&muster, &ana, "/flows/membership-level", level(nth)));
    let ids = futures_util::future::join_all(all).await;
    let list = format!("/flows/membership-level/list/{membership}");
    let reply = call(&muster, &ana, ("GET", &list), Value::Null, 200).await;
    assert_eq!(totals(&reply), ("1", "5"));
    for row in reply.body.as_array().unwrap() {
        let text = if row["name"] == "L1" { json!("#00ff00") } else { json!(7) };
        assert_eq!((&row["background_color"], &row["text_color"]), (&json!("any"), &text));
    }
    let own = read(&muster, &ana, &format!("/v1/memberships/{membership}/levels/{}", ids[0])).await;
    assert_eq!((&own["background_color"], &own["text_color"]), (&Value::Null, &json!("#00ff00")));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_level_has_its_numbers_as_text_and_ranges_do_not_overlap() {
    let muster = Muster::start().await;
    let ana = muster.ana().await;
    let (_, membership) = membership(&muster, &ana).await;
    let gold = json!({
        "membership_id": membership, "name": "Gold", "number_level": "3", "from_point": "201.00", "to_point": 300,
        "image": "https://example.com/gold.png", "type_image": "png", "background_color": "#FFD700", "text_color": "#000000",
        "status": true,
    });
    let id = made(&muster, &ana, "/flows/membership-level", gold.clone()).await;
    let list = format!("/flows/membership-level/list/{membership}");
    let expected = json!({
        "membership_id": membership, "name": "Gold", "number_level": "3.00", "from_point": "201.00", "to_point": "300.00",
        "image": "https://example.com/gold.png", "type_image": "png", "background_color": "#FFD700", "text_color": "#000000",
        "status": true, "id": id, "removed": false,
    });
    // The names that are always null are in the transcript.
    let mut shown = without_times(&read(&muster, &ana, &list).await[0]);
    shown.as_object_mut().unwrap().retain(|_, value| !value.is_null());
    assert_eq!(shown, expected);
    let own = read(&muster, &ana, &format!("/v1/memberships/{membership}/levels/{id}")).await;
    assert_eq!((&own["number"], &own["from_point"]), (&json!(3), &json!(201)));

    let message = "number_level is another level's number; choose another one; \
                   from_point must leave out the points 201 to 300, which are level 3's";
    let reply = call(&muster, &ana, ("POST", "/flows/membership-level"), gold, 409).await;
    assert_eq!(reply.body, json!({ "message": message }));
    let bad = json!({ "membership_id": membership, "name": "L", "number_level": 1.5, "to_point": 1 });
    let reply = call(&muster, &ana, ("POST", "/flows/membership-level"), bad, 400).await;
    let message = "number_level must be a whole number from 0 to 1000000; from_point is required";
    assert_eq!(reply.body, json!({ "message": message }));

    let first = json!({ "name": "Blue", "number": 1, "from_point": 0, "to_point": 100 });
    let made = muster.post(&format!("/v1/memberships/{membership}/levels"), first).by(&ana).send().await;
    let names: Vec<_> =
        read(&muster, &ana, &list).await.as_array().unwrap().iter().map(|row| row["name"].clone()).collect();
    assert_eq!(names, ["Gold", "Blue"], "in the order of creation");
    for id in [id.as_str(), made.body["id"].as_str().unwrap()] {
        done(&muster, &ana, ("DELETE", &format!("/flows/membership-level/{id}")), Value::Null).await;
        call(&muster, &ana, ("DELETE", &format!("/flows/membership-level/{id}")), Value::Null, 404).await;
    }
    assert_eq!(read(&muster, &ana, &list).await, json!([]));
    let removed = read(&muster, &ana, &format!("{list}?removed=true")).await;
    let stranger = muster.ana().await;
    call(&muster, &stranger, ("GET", &list), Value::Null, 200).await;
    call(&muster, &stranger, ("GET", &format!("{list}?removed=true")), Value::Null, 404).await;
    let rows: Vec<_> = removed.as_array().unwrap().iter().map(|row| (&row["name"], &row["removed"])).collect();
    assert_eq!(rows, [(&json!("Gold"), &json!(true)), (&json!("Blue"), &json!(true))]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_custom_field_is_made_read_changed_listed_and_deleted() {
    let muster = Muster::start().await;
    let ana = muster.ana().await;
    let (_, membership) = membership(&muster, &ana).await;
    let bank = json!({
        "membership_id": membership, "name": "Bank", "type": "dropdown",
        "options": [{ "key": 1, "value": "BBVA", "id": 77 }, { "key": "2", "value": "Banorte" }, { "key": "", "value": " " }], "catalog_id": "",
        "required": 1, "render": { "columns": 2 }, "status": true, "position": "2.00", "tag_level": "fiscal", "tooltip": "Where",
    });
    let id = made(&muster, &ana, "/flows/membership-custom-field", bank).await;
    let path = format!("/flows/membership-custom-field/{id}");
    let mut expected = json!({
        "membership_id": membership, "name": "Bank", "type": "dropdown",
        "options": [{ "key": "1", "value": "BBVA" }, { "key": "2", "value": "Banorte" }], "catalog_id": null, "required": true,
        "render": "{\"columns\":2}", "status": true, "position": 2, "tag_level": "fiscal", "tooltip": "Where", "id": id,
        "removed": false,
    });
    assert_eq!(without_times(&read(&muster, &ana, &path).await), expected);
    let own = read(&muster, &ana, &format!("/v1/memberships/{membership}/fields/{id}")).await;
    assert_eq!(own["key"], json!(format!("f_{}", id.replace('-', ""))));

    done(&muster, &ana, ("PUT", &path), json!({ "tooltip": "", "required": false, "type": "dropdown" })).await;
    (expected["tooltip"], expected["required"]) = (Value::Null, json!(false));
    assert_eq!(without_times(&read(&muster, &ana, &path).await), expected);
    let reply = call(&muster, &ana, ("PUT", &path), json!({ "options": [] }), 400).await;
    assert_eq!(reply.body, json!({ "message": "options must have an option, or name a catalog_id" }));

    let text = json!({ "membership_id": membership, "name": "Name", "type": "string", "options": [] });
    let second = made(&muster, &ana, "/flows/membership-custom-field", text).await;
    let list = format!("/flows/membership-custom-field/list/{membership}?no_items=1&page=2");
    let reply = call(&muster, &ana, ("GET", &list), Value::Null, 200).await;
    assert_eq!((&reply.body[0]["id"], totals(&reply)), (&json!(second), ("2", "2")));
    let odd = json!({ "membership_id": membership, "name": "Name", "type": "odd" });
    let reply = call(&muster, &ana, ("POST", "/flows/membership-custom-field"), odd, 400).await;
    let message = reply.body["message"].as_str().unwrap();
    assert!(message.starts_with("type must be one of dropdown, "), "{message}");
    assert!(!message.contains("link") && !message.contains("file"), "these are called url here: {message}");

    for id in [&id, &second] {
        done(&muster, &ana, ("DELETE", &format!("/flows/membership-custom-field/{id}")), Value::Null).await;
        call(&muster, &ana, ("GET", &format!("/flows/membership-custom-field/{id}")), Value::Null, 404).await;
    }
    let list = format!("/flows/membership-custom-field/list/{membership}?removed=true");
    let removed = call(&muster, &ana, ("GET", &list), Value::Null, 200).await;
    expected["removed"] = json!(true);
    assert_eq!((without_times(&removed.body[0]), totals(&removed)), (expected, ("1", "2")));
    assert_eq!(removed.body[1]["id"], json!(second));
    done(&muster, &ana, ("DELETE", &format!("/flows/membership/{membership}")), Value::Null).await;
    for _ in 0..500 {
        if muster.items(&format!("K#{membership}")).await.is_empty() {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    panic!("what was removed has outlived the membership");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_field_for_files_is_a_url_there_and_stays_what_it_is_here() {
    let muster = Muster::start().await;
    let ana = muster.ana().await;
    let (_, membership) = membership(&muster, &ana).await;
    let fields = format!("/v1/memberships/{membership}/fields");
    let mut ids = vec![
        made(
            &muster,
            &ana,
            "/flows/membership-custom-field",
            json!({ "membership_id": membership, "name": "Id", "type": "url" }),
        )
        .await,
    ];
    for kind in ["file", "link", "url"] {
        let field = json!({ "key": kind, "name": kind, "type": kind });
        let made = muster.post(&fields, field).by(&ana).send().await;
        ids.push(made.body["id"].as_str().unwrap().to_owned());
    }
    for (id, kind) in ids.iter().zip(["link", "file", "link", "url"]) {
        let path = format!("/flows/membership-custom-field/{id}");
        let shown = read(&muster, &ana, &path).await;
        assert_eq!(shown["type"], "url");
        done(&muster, &ana, ("PUT", &path), shown).await;
        assert_eq!(read(&muster, &ana, &format!("{fields}/{id}")).await["type"], kind);
    }
}
