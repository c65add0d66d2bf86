//! The worked process of the platform, from registration to deletion, with the payloads of its documentation.

use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::system::{Call, Muster, Reply};
use crate::world::{World, id};

/// A document and a phone as they are sent, and as they are answered.
const DOCUMENT: &str = "123.456.789-10";
const PHONE: &str = "(11)99999-9999";

/// Placeholders of an expected answer, each for a value that is not known beforehand.
const ID: &str = "<id>";
const TIME: &str = "<time>";
const TOKEN: &str = "<token>";

/// A client of the platform with its two tokens.
struct Client<'a> {
    muster: &'a Muster,
    dev: String,
    plat: String,
    in_path: bool,
}

impl Client<'_> {
    fn call(&self, method: &str, path: &str) -> Call<'_> {
        if self.in_path {
            return self.muster.call(method, &format!("/platform{path}/{}/{}", self.dev, self.plat));
        }
        let call = self.muster.call(method, &format!("/platform{path}"));
        call.header("x-developer-token", &self.dev).header("x-platform-token", &self.plat)
    }

    async fn get(&self, path: &str) -> Reply {
        self.call("GET", path).send().await
    }

    async fn send(&self, method: &str, path: &str, body: Value) -> Reply {
        self.call(method, path).json(body).send().await
    }
}

/// Whether a value has the shape of a placeholder.
fn has_shape(value: &str, shape: &str) -> bool {
    let fits = |pattern: &str| {
        let digit = |(one, place): (char, char)| if place == '0' { one.is_ascii_digit() } else { one == place };
        value.len() == pattern.len() && value.chars().zip(pattern.chars()).all(digit)
    };
    match shape {
        ID => value.parse::<domain::UserId>().is_ok(),
        TIME => fits("0000-00-00 00:00:00"),
        TOKEN => value.starts_with("dv_") && value.len() > 40,
        _ => value == shape,
    }
}

/// Asserts that an answer is the expected one: names, their number, types and values, and placeholders by their shape.
fn assert_answer(reply: &Reply, status: u16, expected: &Value) {
    assert_eq!(reply.status, status, "{reply:?}");
    assert_value("", &reply.body, expected);
}

fn assert_value(at: &str, value: &Value, expected: &Value) {
    match (value, expected) {
        (Value::String(value), Value::String(shape)) => {
            assert!(has_shape(value, shape), "{at} is {value}, not {shape}")
        }
        (Value::Array(values), Value::Array(shapes)) => {
            assert_eq!(values.len(), shapes.len(), "{at} is {value}");
            for (nth, (value, shape)) in values.iter().zip(shapes).enumerate() {
                assert_value(&format!("{at}/{nth}"), value, shape);
            }
        }
        (Value::Object(fields), Value::Object(shapes)) => {
            let (names, known): (Vec<_>, Vec<_>) = (fields.keys().collect(), shapes.keys().collect());
            assert_eq!(names, known, "{at}");
            for (name, shape) in shapes {
                assert_value(&format!("{at}/{name}"), &fields[name], shape);
            }
        }
        _ => assert_eq!(value, expected, "{at}"),
    }
}

/// A user as look-ups answer it.
fn user(email: &str, reference: Option<&str>) -> Value {
    let [document, phone] = [DOCUMENT, PHONE].map(|sent| reference.map(|_| sent));
    json!({
        "id": ID, "name": "Aluno", "last_name": reference.map(|_| "Teste"), "email": email, "photo_url": null,
        "document": document, "genre": null, "birth": null, "phone": phone, "status": 1, "created_at": TIME,
        "updated_at": TIME
    })
}

/// The answer of a look-up: the user, its newest subscription, and the user again.
fn look_up(user: &Value, package: &str) -> Value {
    let mut answer = user.clone();
    answer["subscription"] = json!({
        "id": ID, "tenant_id": ID, "active": 1, "user_id": user["id"], "package_id": package, "created_at": TIME,
        "updated_at": TIME
    });
    answer["user"] = user.clone();
    answer
}

/// Registers a developer, and asks for tokens in parallel, as clients do before each look-up: one of them.
async fn register(muster: &Muster, plat: &str) -> String {
    let developer = json!({
        "name": "Dev", "document": DOCUMENT, "email": "dev@example.com", "phone": PHONE,
        "corporation_name": "Escola Exemplo", "corporation_cnpj": "16.727.230/0001-97", "app_name": "Loja",
        "app_desc": "Integra a loja.", "corporation_address": "Rua das Flores 10, Recife"
    });
    let registered = muster.post("/platform/register", developer.clone()).send().await;
    let mut expected = json!({ "id": ID });
    expected.as_object_mut().unwrap().extend(developer.as_object().unwrap().clone());
    assert_answer(&registered, 200, &json!([expected]));
    let named = json!({ "user_id": registered.body[0]["id"] });
    let given = join_all((0..5).map(|_| muster.post("/platform/generate-token", named.clone()).send())).await;
    for reply in &given {
        assert_answer(reply, 200, &json!({ "token": TOKEN }));
        let token = reply.body["token"].as_str().unwrap();
        let all = muster.get(&format!("/platform/products/all-products/{token}/{plat}")).send().await;
        assert_eq!(all.status, 200, "a token that was asked for in parallel");
    }
    given[2].body["token"].as_str().unwrap().to_owned()
}

/// Two products of a segment, with the numbers that its account gave them: the ids.
async fn products(world: &World) -> [String; 2] {
    let path = format!("/v1/segments/{}/products", world.segment);
    let course = json!({ "title": "Curso", "value": "499.90", "currency": "BRL", "reference_id": "123456789",
        "membership_id": world.membership });
    let course = world.muster.made(&world.ana, &path, course).await;
    let second = json!({ "title": "Mentoria", "lifetime": true, "status": false, "reference_id": "2352153" });
    let second = world.muster.made(&world.ana, &path, second).await;
    [id(&course), id(&second)]
}

#[tokio::test(flavor = "multi_thread")]
async fn worked_process_with_tokens_in_the_path() {
    run_process(true).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn worked_process_with_tokens_in_headers() {
    run_process(false).await;
}

async fn run_process(in_path: bool) {
    let world = World::start().await;
    let packages = products(&world).await;
    let plat = world.key(&["read", "write", "admin"]).await.1;
    let dev = register(&world.muster, &plat).await;
    let client = Client { muster: &world.muster, dev, plat, in_path };
    let student = create_users(&client, &packages).await;
    buy_again(&client, (&student, &packages)).await;
    list_products(&client, &packages).await;
    create_link(&client, &student).await;
    rank(&client, &world, &student).await;
    push(&client, &student).await;
    destroy(&client, &student).await;
}

/// `users/create` with the documented body, and the look-ups by four keys: the id of the first student.
async fn create_users(client: &Client<'_>, packages: &[String; 2]) -> String {
    let body = json!({
        "product_id": ["123456789"],
        "users": [
            { "name": "Aluno", "last_name": "Teste", "email": "aluno@example.com", "password": "uma senha longa",
              "document": DOCUMENT, "phone": PHONE, "reference_id": "001", "accession_date": "2026-11-01" },
            { "name": "Aluno", "last_name": " ", "email": "aluno2@example.com", "phone": "" }
        ]
    });
    let created = client.send("POST", "/users/create", body).await;
    let expected = json!({
        "message": "2 created, 0 failed.",
        "created": [{ "index": 0, "id": ID }, { "index": 1, "id": ID }], "failed": []
    });
    assert_answer(&created, 200, &expected);
    let student = created.body["created"][0]["id"].as_str().unwrap().to_owned();
    let mut expected = user("aluno@example.com", Some("001"));
    expected["id"] = json!(student);
    let expected = look_up(&expected, &packages[0]);
    for key in [
        format!("show-id/{student}"),
        format!("show-document/{DOCUMENT}"),
        "show-email/aluno@example.com".to_owned(),
        "show-reference/001".to_owned(),
    ] {
        assert_answer(&client.get(&format!("/users/{key}")).await, 200, &expected);
    }
    let second = client.get("/users/show-email/aluno2@example.com").await;
    assert_answer(&second, 200, &look_up(&user("aluno2@example.com", None), &packages[0]));
    for absent in ["show-id/1", "show-document/1", "show-email/nobody@example.com", "show-reference/none"] {
        assert_eq!(client.get(&format!("/users/{absent}")).await.status, 404, "{absent}");
    }
    student
}

/// A second purchase by `users/create`, and the subscription routes.
async fn buy_again(client: &Client<'_>, (student, packages): (&str, &[String; 2])) {
    let row = json!({ "email": "aluno@example.com", "name": "Aluno" });
    let body = json!({ "product_id": [2_352_153], "users": [row, row] });
    let expected = json!({
        "message": "1 created, 1 failed.",
        "created": [{ "index": 0, "id": student, "existing": true }],
        "failed": [{ "index": 1, "code": "taken", "field": "email", "message": "email is the same as in an earlier row" }]
    });
    assert_answer(&client.send("POST", "/users/create", body).await, 200, &expected);
    let other = client.get("/users/show-email/aluno2@example.com").await.body["id"].clone();
    let body = json!({
        "product_id": 2_352_153, "user_id": other, "payment_last_date": "2026-11-01", "expiration_date": "2027-11-01",
        "reference_id": 77
    });
    let subscription = json!({
        "id": ID, "tenant_id": ID, "active": 1, "user_id": other, "package_id": packages[1], "created_at": TIME,
        "updated_at": TIME, "product_id": "2352153", "reference_id": "77", "payment_last_date": "2026-11-01 00:00:00",
        "expiration_date": "2027-11-01 00:00:00"
    });
    let made = client.send("POST", "/users/create/user-subscription", body).await;
    assert_answer(&made, 200, &json!({ "message": "The user is subscribed.", "subscription": subscription }));
    let body = json!({ "product_id": "2352153", "user_id": other, "expiration_date": "2028-11-01", "active": 0 });
    let changed = client.send("PUT", "/users/update/user-subscription", body).await;
    let mut subscription = subscription;
    subscription["active"] = json!(0);
    subscription["expiration_date"] = json!("2028-11-01 00:00:00");
    assert_answer(&changed, 200, &json!({ "message": "The subscription is changed.", "subscription": subscription }));
}

async fn list_products(client: &Client<'_>, packages: &[String; 2]) {
    let unset = json!({ "type": null, "checkout": null, "trial": null, "interval": null });
    let product = |id: &str, title: &str, rest: Value| {
        let mut row = json!({ "id": id, "title": title, "description": null, "period": null });
        for fields in [&rest, &unset, &json!({ "created_at": TIME, "updated_at": TIME })] {
            row.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        }
        row
    };
    let value: Value = serde_json::from_str("499.90").unwrap();
    let course = json!({ "value": value, "currency": "BRL", "product_id": "123456789", "reference_id": "123456789",
        "lifetime": 0, "status": "active" });
    let second = json!({ "value": null, "currency": null, "product_id": "2352153", "reference_id": "2352153",
        "lifetime": 1, "status": "inactive" });
    let expected = json!({
        "data": [product(&packages[0], "Curso", course), product(&packages[1], "Mentoria", second)],
        "links": { "next": null }, "meta": { "next_cursor": null }
    });
    let listed = client.get("/products/all-products").await;
    assert_answer(&listed, 200, &expected);
    assert!(listed.text.contains("499.90"), "{}", listed.text);
}

async fn create_link(client: &Client<'_>, student: &str) {
    let body = json!({ "email": "aluno@example.com" });
    let made = client.send("POST", "/partners/magic-link", body.clone()).await;
    let url = made.body["url"].as_str().unwrap().to_owned();
    let user = json!({ "id": student, "name": "Aluno", "last_name": "Teste", "email": "aluno@example.com" });
    assert_answer(&made, 200, &json!({ "status": "success", "url": url, "user": user }));
    let (_, token) = url.split_once("/login-magico/").unwrap();
    for expected in [200, 401] {
        let redeemed = client.muster.post("/v1/auth/magic-link", json!({ "token": token })).send().await;
        assert_eq!(redeemed.status, expected, "{redeemed:?}");
    }
    let path = format!("/platform/partners/magic-link?developer_token={}&platform_token={}", client.dev, client.plat);
    assert_eq!(client.muster.post(&path, body).send().await.status, 200);
}

async fn rank(client: &Client<'_>, world: &World, student: &str) {
    let path = format!("/v1/memberships/{}/members?filter[user_id]={student}", world.membership);
    let member = format!("/v1/members/{}", id(&world.read(&path).await["data"][0]));
    world.award(&member, 120).await;
    let first = json!({ "position": 1, "user_id": student, "name": "Aluno Teste", "points": 120, "level": null });
    let second = json!({ "position": 2, "user_id": ID, "name": "Aluno", "points": 0, "level": null });
    let expected = json!({
        "data": [first, second], "links": { "next": null },
        "meta": { "next_cursor": null, "total": 2, "membership_id": world.membership }
    });
    assert_answer(&client.get("/ranking").await, 200, &expected);
    assert_answer(&client.get(&format!("/ranking/{student}")).await, 200, &first);
}

async fn push(client: &Client<'_>, student: &str) {
    let later = domain::Time::now().plus(std::time::Duration::from_secs(3600)).to_string();
    for users in [json!([]), json!([student])] {
        let body = json!({ "title": "Olá", "body": "Nova aula.", "user_ids": users, "schedule": later });
        let begun = client.send("POST", "/push", body).await;
        assert_answer(&begun, 202, &json!({ "id": ID }));
        let read = client.get(&format!("/push/{}", id(&begun.body))).await;
        assert_answer(&read, 200, &json!({ "id": begun.body["id"], "status": "SCHEDULED", "sent": 0, "failed": 0 }));
    }
}

/// Deletes a student by each of the four keys, which cannot be undone.
async fn destroy(client: &Client<'_>, student: &str) {
    let mut student = student.to_owned();
    for key in [
        "destroy-user-id/ID",
        "destroy-document/DOCUMENT",
        "destroy-email/aluno@example.com",
        "destroy-reference-id/001",
    ] {
        let path = format!("/users/{}", key.replace("ID", &student).replace("DOCUMENT", DOCUMENT));
        let gone = client.call("DELETE", &path).send().await;
        assert_answer(&gone, 200, &json!({ "message": "The user is gone." }));
        assert_eq!(client.call("DELETE", &path).send().await.status, 404, "{path}");
        assert_eq!(client.get(&format!("/users/show-id/{student}")).await.status, 404);
        let row = json!({ "email": "aluno@example.com", "document": DOCUMENT, "reference_id": "001" });
        let again = client.send("POST", "/users/create", json!({ "product_id": "123456789", "users": [row] })).await;
        student = again.body["created"][0]["id"].as_str().unwrap().to_owned();
    }
}
