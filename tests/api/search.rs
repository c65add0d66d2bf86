//! Finding members: every filter and sort, alone and together, by number and by cursor.

use domain::Time;
use serde_json::{Value, json};

use crate::races::all;
use crate::system::Reply;
use crate::world::{World, column, id};

/// A world whose members are told apart by each field that they are found by.
struct Searched {
    world: World,
    levels: Vec<String>,
    /// The paths of a, b, c, d, in this order; these are their origins too.
    members: Vec<String>,
    /// The ids of gold, silver and tin.
    products: [String; 3],
}

impl Searched {
    async fn start() -> Self {
        let world = World::start().await;
        let levels = vec![world.level(1, 0, 9).await, world.level(2, 10, 99).await];
        let options = json!([{ "key": "x", "value": "X" }, { "key": "y", "value": "Y" }, { "key": "z", "value": "Z" }]);
        let catalog = format!("/v1/segments/{}/catalogs", world.segment);
        let catalog = world.muster.made(&world.ana, &catalog, json!({ "name": "C", "options": options })).await;
        for (key, kind, more) in [
            ("bank", "dropdown", json!({ "catalog_id": catalog["id"] })),
            ("likes", "multiple", json!({ "options": options })),
            ("income", "number", json!({})),
            ("born", "date", json!({})),
            ("smokes", "boolean", json!({})),
            ("city", "string", json!({})),
            ("mail", "email", json!({ "unique": true })),
            ("rfc", "rfc", json!({})),
        ] {
            let mut more = more;
            more["searchable"] = json!(true);
            world.field(key, kind, more).await;
        }
        world.field("secret", "string", json!({})).await;
        let products = [world.product().await, world.product().await, world.product().await];
        let members = enrolled(&world, &products).await;
        Self { world, levels, members, products }
    }

    async fn list(&self, query: &str) -> Reply {
        self.world.get(&self.world.path(&format!("/members?{query}"))).await
    }

    /// The origins of those that are found, as one word.
    async fn found(&self, query: &str) -> String {
        let reply = self.list(query).await;
        let found: String = column(&reply, "origin").iter().map(|origin| origin.as_str().unwrap()).collect();
        assert_eq!(reply.body["page"]["total_items"], found.len(), "{query}");
        found
    }
}

/// The paths of the members.
async fn enrolled(world: &World, products: &[String; 3]) -> Vec<String> {
    let mut members = Vec::new();
    for body in people([&world.ana.id, &world.user(json!({})).await, &world.user(json!({})).await], products) {
        members.push(world.member(body).await);
    }
    for (member, points) in members.iter().zip([5, 50, 50, 0]) {
        if points > 0 {
            world.award(member, points).await;
        }
    }
    members
}

fn people(users: [&str; 3], [gold, silver, _]: &[String; 3]) -> [Value; 4] {
    [
        json!({ "origin": "a", "name": "Ángel", "last_name": "Muñoz", "phone": "+5215500000001", "card_number": "100",
            "product_id": gold, "status": "ACTIVE", "approval": "APPROVED", "user_id": users[0],
            "starts_at": "2026-01-01T00:00:00Z", "expires_at": "2027-01-01T00:00:00Z",
            "last_payment_at": "2026-05-01T00:00:00Z",
            "answers": { "bank": "x", "likes": ["x", "y"], "income": 1000, "born": "1990-05-01", "smokes": true,
                "city": "Ávila", "mail": "A@example.com", "rfc": "A&Ñ000229AA0", "secret": "s" } }),
        json!({ "origin": "b", "name": "ANGELA", "last_name": "munoz", "phone": "+5215500000002", "card_number": "101",
            "product_id": silver, "status": "BLOCKED", "approval": "APPROVED", "user_id": users[1],
            "starts_at": "2026-02-01T00:00:00Z", "expires_at": "2026-12-01T00:00:00Z",
            "answers": { "bank": "y", "likes": ["y"], "income": -0.5, "born": "1991-05-01", "smokes": false,
                "city": "AVILA", "mail": "b@example.com" } }),
        json!({ "origin": "c", "name": "Berta", "last_name": "Zeta", "status": "ACTIVE", "approval": "REJECTED",
            "product_id": gold, "user_id": users[2], "answers": { "bank": "x", "likes": ["z"], "income": 99.5, "city": "Badajoz" } }),
        json!({ "origin": "d", "status": "INACTIVE" }),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn every_filter_finds_what_it_says() {
    let searched = Searched::start().await;
    let numbers = column(&searched.list("").await, "number");
    let (number, low, high) = (numbers[1].as_str().unwrap(), &searched.levels[0], &searched.levels[1]);
    for (query, expected) in [
        ("filter[status]=ACTIVE", "ac"),
        ("filter[status]=ACTIVE,INACTIVE", "acd"),
        ("filter[approval]=APPROVED", "ab"),
        ("filter[approval]=PENDING,REJECTED", "cd"),
        (&format!("filter[level_id]={low}"), "ad"),
        (&format!("filter[level_id]={low},{high}"), "abcd"),
        (&format!("filter[user_id]={}", searched.world.ana.id), "a"),
        (&format!("filter[user_id]={}", searched.world.segment), ""),
        ("filter[name]=angel", "a"),
        ("filter[name]=ÁNGELA", "b"),
        ("filter[name]=ang*", "ab"),
        ("filter[name]=ÁNGÉL*,b*", "abc"),
        ("filter[last_name]=muñoz", "ab"),
        ("filter[phone]=%2B5215500000001", "a"),
        ("filter[phone]=%2B52155*", "ab"),
        (&format!("filter[number]={number}"), "b"),
        ("filter[card_number]=101", "b"),
        ("filter[card_number]=10*", "ab"),
        ("filter[origin]=A,D", "ad"),
        (&format!("filter[product_id]={}", searched.products[0]), "ac"),
        (&format!("filter[product_id]={}", searched.products[0].to_uppercase()), "ac"),
        ("filter[points]=50", "bc"),
        ("filter[points][gt]=5", "bc"),
        ("filter[points][gte]=5", "abc"),
        ("filter[points][lt]=5", "d"),
        ("filter[points][lte]=5&filter[points][gt]=0", "a"),
        ("filter[starts_at][gte]=2026-02-01T00:00:00Z", "b"),
        ("filter[starts_at]=2026-01-01T00:00:00.000Z", "a"),
        ("filter[expires_at][lt]=2026-12-31T00:00:00Z", "b"),
        ("filter[last_payment_at][gt]=2020-01-01T00:00:00Z", "a"),
        ("filter[created_at][gt]=2020-01-01T00:00:00Z", "abcd"),
        ("filter[created_at][lt]=2020-01-01T00:00:00Z", ""),
        ("filter[answers.bank]=x", "ac"),
        ("filter[answers.bank]=x,y", "abc"),
        ("filter[answers.likes]=y", "ab"),
        ("filter[answers.likes]=x,z", "ac"),
        ("filter[answers.income]=1000.0", "a"),
        ("filter[answers.income][gt]=-1", "abc"),
        ("filter[answers.income][gte]=99.5&filter[answers.income][lt]=1000", "c"),
        ("filter[answers.born][gt]=1990-05-01", "b"),
        ("filter[answers.born]=1990-05-01", "a"),
        ("filter[answers.smokes]=true", "a"),
        ("filter[answers.smokes]=true,false", "ab"),
        ("filter[answers.city]=avila", "ab"),
        ("filter[answers.city]=Á*", "ab"),
        ("filter[answers.mail]=a@EXAMPLE.com", "a"),
        ("filter[answers.rfc]=a%26ñ000229aa0", "a"),
        ("filter[answers.rfc]=A%26N*", "a"),
    ] {
        assert_eq!(searched.found(query).await, expected, "{query}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn phones_of_members_and_answers_are_found_by_the_segments_country() {
    let world = World::start().await;
    world.field("office", "phone", json!({ "searchable": true })).await;
    let member = world
        .member(json!({ "name": "Ana", "phone": "+525512345678", "answers": { "office": "+525587654321" } }))
        .await;
    let found = async |filter: &str| {
        let list = world.read(&world.path(&format!("/members?{filter}"))).await;
        list["page"]["total_items"].as_u64().unwrap()
    };
    let national = ["filter[phone]=5512345678", "filter[answers.office]=(55)%208765-4321"];
    for filter in national {
        assert_eq!(found(filter).await, 0, "{filter}: digits of no country");
    }
    let mexican = json!({ "settings": { "country": "MEX" } });
    assert_eq!(world.send("PATCH", &format!("/v1/segments/{}", world.segment), mexican).await.status, 200);
    let international = ["filter[answers.office]=%2B52 55 8765 4321", "filter[answers.office]=+525587654321"];
    for filter in national.into_iter().chain(international) {
        assert_eq!(found(filter).await, 1, "{filter}");
    }
    assert_eq!(world.send("PATCH", &member, json!({ "phone": null })).await.status, 200);
    assert_eq!(found(national[0]).await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn filters_and_sorts_go_together() {
    let searched = Searched::start().await;
    let gold_above_five =
        format!("filter[status]=ACTIVE&filter[product_id]={}&filter[points][gt]=5", searched.products[0]);
    for (query, expected) in [
        (gold_above_five.as_str(), "c"),
        ("filter[answers.bank]=x,y&filter[answers.likes]=y&filter[name]=ang*", "ab"),
        ("filter[answers.bank]=x&filter[answers.income][gt]=100&filter[approval]=APPROVED", "a"),
        ("filter[answers.city]=a*&filter[status]=BLOCKED", "b"),
        ("filter[answers.city]=a*&filter[status]=INACTIVE", ""),
        ("sort=id", "abcd"),
        ("sort=-id", "dcba"),
        ("sort=-created_at", "dcba"),
        ("sort=status", "acbd"),
        ("sort=-status", "dbac"),
        ("sort=name", "abcd"),
        ("sort=-name", "cbad"),
        ("sort=last_name,-name", "bacd"),
        ("sort=points", "dabc"),
        ("sort=-points", "bcad"),
        ("sort=-points,-created_at", "cbad"),
        ("sort=starts_at", "abcd"),
        ("sort=-starts_at", "bacd"),
        ("sort=expires_at", "bacd"),
        ("sort=last_payment_at", "abcd"),
        ("sort=answers.income", "bcad"),
        ("sort=-answers.income", "acbd"),
        ("sort=answers.born", "abcd"),
        ("sort=-answers.smokes", "abcd"),
        ("sort=answers.smokes", "bacd"),
        ("sort=-answers.city", "cabd"),
        ("sort=answers.bank,-answers.income", "acbd"),
        ("sort=-answers.mail", "bacd"),
        ("sort=-answers.income&filter[status]=ACTIVE", "ac"),
        ("sort=-answers.income&filter[answers.city]=a*", "ab"),
        ("sort=level_id,-name&filter[points][gte]=0", "adcb"),
    ] {
        assert_eq!(searched.found(query).await, expected, "{query}");
    }
    let numbers = column(&searched.list("sort=number").await, "number");
    assert!(numbers.is_sorted_by_key(|number| number.as_str().unwrap().to_owned()));
    let now = Time::now().to_string();
    assert_eq!(searched.found(&format!("filter[created_at][lte]={now}&sort=-name")).await, "cbad");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_changes_is_found_by_what_it_is_now_at_once() {
    let searched = Searched::start().await;
    let (world, first) = (&searched.world, &searched.members[0]);
    let patch = json!({ "name": "Zoe", "status": "INACTIVE", "phone": null, "product_id": searched.products[2] });
    assert_eq!(world.send("PATCH", first, patch).await.status, 200);
    let answers = json!({ "city": "Cuenca", "income": null, "likes": ["z"], "mail": "new@example.com" });
    assert_eq!(world.send("PUT", &format!("{first}/answers"), answers).await.status, 200);
    world.award(first, 40).await;
    for (query, expected) in [
        ("filter[name]=ang*", "b"),
        ("filter[name]=zoe", "a"),
        ("filter[status]=INACTIVE", "ad"),
        ("filter[phone]=%2B52155*", "b"),
        (&format!("filter[product_id]={},{}", searched.products[0], searched.products[2]), "ac"),
        ("filter[answers.city]=c*", "a"),
        ("filter[answers.income][gte]=-10", "bc"),
        ("filter[answers.likes]=x,y", "b"),
        ("filter[answers.likes]=z", "ac"),
        ("filter[answers.mail]=a@example.com", ""),
        ("filter[answers.mail]=new*", "a"),
        ("filter[points]=45", "a"),
        (&format!("filter[level_id]={}", searched.levels[0]), "d"),
        ("sort=-answers.income", "cbad"),
    ] {
        assert_eq!(searched.found(query).await, expected, "{query}");
    }
    assert_eq!(world.call("DELETE", first).send().await.status, 204);
    assert_eq!(searched.found("filter[answers.city]=c*").await, "");
    assert_eq!(searched.found("sort=-name").await, "cbd");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_field_that_becomes_searchable_finds_those_who_had_answered() {
    let searched = Searched::start().await;
    let (world, query) = (&searched.world, "filter[answers.secret]=S");
    assert_eq!(searched.list(query).await.status, 400);
    let fields = world.get(&world.path("/fields?filter[key]=secret")).await;
    let field = world.path(&format!("/fields/{}", column(&fields, "id")[0].as_str().unwrap()));
    assert_eq!(world.send("PATCH", &field, json!({ "searchable": true })).await.status, 200);
    let path = world.path(&format!("/members?{query}"));
    world.until(&path, |reply| column(reply, "origin") == ["a"]).await;
    world.until(&world.path("/members?sort=-answers.secret"), |reply| column(reply, "origin").len() == 4).await;
    assert_eq!(world.send("PATCH", &field, json!({ "searchable": false })).await.status, 200);
    assert_eq!(searched.list(query).await.status, 400);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_list_does_not_know_is_refused_with_what_it_knows() {
    let searched = Searched::start().await;
    for (query, pointer, names) in [
        ("filter[colour]=red", "/filter[colour]", "card_number"),
        ("filter[answers.secret]=s", "/filter[answers.secret]", "searchable"),
        ("filter[answers.none]=s", "/filter[answers.none]", "searchable"),
        ("filter[answers.]=s", "/filter[answers.]", "searchable"),
        ("filter[status]=active", "/filter[status]", "INACTIVE"),
        ("filter[status]=", "/filter[status]", "INACTIVE"),
        ("filter[approval]=YES", "/filter[approval]", "REJECTED"),
        ("filter[points]=many", "/filter[points]", "number"),
        ("filter[points]=1*", "/filter[points]", "number"),
        ("filter[points][above]=1", "/filter[points][above]", "[gte]"),
        ("filter[name][gt]=a", "/filter[name][gt]", "ranges"),
        ("filter[name]=", "/filter[name]", "value"),
        ("filter[name]=*", "/filter[name]", "*"),
        ("filter[starts_at][gt]=2026-02-30T00:00:00Z", "/filter[starts_at][gt]", "RFC 3339"),
        ("filter[created_at][gt]=yesterday", "/filter[created_at][gt]", "RFC 3339"),
        ("filter[answers.income]=x", "/filter[answers.income]", "number"),
        ("filter[answers.income][gte]=", "/filter[answers.income][gte]", "number"),
        ("filter[answers.born]=2023-02-29", "/filter[answers.born]", "day"),
        ("filter[answers.smokes]=yes", "/filter[answers.smokes]", "true"),
        ("filter[name]=a&filter[name]=b", "/filter[name]", "once"),
        ("sort=colour", "/sort", "last_payment_at"),
        ("sort=approval", "/sort", "last_payment_at"),
        ("sort=answers.secret", "/sort", "searchable"),
        ("sort=answers.likes", "/sort", "searchable"),
        ("sort=name,-name", "/sort", "once"),
        ("sort=", "/sort", "name"),
        ("limit=5", "/limit", "page[size]"),
        ("page[size]=0", "/page[size]", "100"),
        ("page[size]=101", "/page[size]", "100"),
        ("page[number]=0", "/page[number]", "1"),
    ] {
        let reply = searched.list(query).await;
        assert_eq!((reply.status.as_u16(), reply.errors()[0].0.as_str()), (400, pointer), "{query} {reply:?}");
        let message = reply.body["errors"][0]["message"].as_str().unwrap();
        assert!(message.contains(names), "{query} {message}");
    }
    let many = vec!["x"; 51].join(",");
    assert_eq!(searched.list(&format!("filter[name]={many}")).await.status, 400);
    let both = searched.list("filter[colour]=red&sort=none&page[size]=0&limit=1").await;
    assert_eq!(both.errors().len(), 4, "all at once: {both:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_page_is_reached_by_number_and_by_cursor_both_ways() {
    let world = World::start().await;
    world.field("city", "string", json!({ "searchable": true })).await;
    let path = world.path("/members");
    let made = all((0..23_u32).map(|nth| {
        let name = (nth % 5 != 0).then(|| format!("n{}", nth % 4));
        let answers = if nth % 3 == 0 { json!({}) } else { json!({ "city": format!("c{}", nth % 7) }) };
        world.send("POST", &path, json!({ "name": name, "answers": answers, "origin": format!("{nth:02}") }))
    }));
    assert!(made.await.iter().all(|reply| reply.status == 201));
    for query in [
        "sort=name",
        "sort=-name,answers.city",
        "sort=-answers.city",
        "filter[name]=n*&sort=-id",
        "filter[answers.city]=c*",
    ] {
        let whole = world.get(&format!("{path}?{query}&page[size]=100")).await;
        let (ids, total) = (column(&whole, "id"), &whole.body["page"]["total_items"]);
        assert_eq!(total, ids.len());
        for size in [1, 4, 10] {
            let pages: Vec<_> = ids.chunks(size).collect();
            let mut link = format!("{path}?{query}&page[size]={size}");
            for (at, page) in pages.iter().enumerate() {
                let numbered = world.get(&format!("{path}?{query}&page[size]={size}&page[number]={}", at + 1)).await;
                assert_eq!(column(&numbered, "id"), *page, "{query} {size} {at}");
                let reply = world.get(&link).await;
                assert_eq!(
                    (column(&reply, "id").as_slice(), &reply.body["page"]),
                    (*page, &numbered.body["page"]),
                    "{query} {size} {at}"
                );
                let last = at + 1 == pages.len();
                let next = &reply.body["links"][if last { "prev" } else { "next" }];
                assert_eq!(reply.body["links"]["next"].is_null(), last);
                link = next.as_str().unwrap_or_default().to_owned();
            }
            for (at, page) in pages.iter().enumerate().rev().skip(1) {
                let reply = world.get(&link).await;
                assert_eq!(
                    (column(&reply, "id").as_slice(), &reply.body["page"]["number"]),
                    (*page, &json!(at + 1)),
                    "{query} {size}"
                );
                link = reply.body["links"]["prev"].as_str().unwrap_or_default().to_owned();
            }
            assert_eq!(link, "", "the first page has none before it");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cursor_is_good_only_where_it_was_given() {
    let world = World::start().await;
    let memberships = format!("/v1/segments/{}/memberships", world.segment);
    let other = world.muster.made(&world.ana, &memberships, json!({ "name": "Other" })).await;
    for nth in 0..5 {
        world.member(json!({ "name": format!("n{nth}") })).await;
    }
    let (_, key) = world.key(&["read"]).await;
    let first = world.get(&world.path("/members?page[size]=2&sort=-name&filter[name]=n*")).await;
    let link = first.body["links"]["next"].as_str().unwrap().to_owned();
    assert_eq!(column(&world.get(&link).await, "name"), ["n2", "n1"]);
    let refused = |reply: Reply| {
        assert_eq!(reply.errors(), [("/page[cursor]".to_owned(), "invalid_cursor".to_owned())], "{reply:?}");
    };
    refused(world.muster.get(&link).token(&key).send().await);
    refused(world.get(&link.replace(&world.membership, &id(&other))).await);
    refused(world.get(&link.replace("sort=-name", "sort=name")).await);
    refused(world.get(&link.replace("n*", "m*")).await);
    refused(world.get(&link.replace("/members?", "/ranking?").replace("sort=-name&filter%5Bname%5D=n*&", "")).await);
    let (path, cursor) = link.split_once("page%5Bcursor%5D=").unwrap();
    for forged in ["x", "", &cursor[1..], &format!("{cursor}A"), &cursor.to_lowercase(), "%00", "../.."] {
        refused(world.get(&format!("{path}page[cursor]={forged}")).await);
    }
    let both = world.get(&format!("{link}&page[number]=1")).await;
    assert_eq!(both.errors(), [("/page[cursor]".to_owned(), "exclusive".to_owned())]);
}
