//! The worked process of these clients, with the payloads that they send: a person signs up, makes a segment with a
//! membership, and another person enrols in it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::totals;
use crate::system::{Muster, Reply};
use crate::uploads::samples::PDF;

/// Compares a whole answer: `<id>`, `<time>` and `<text>` are any such text.
pub(crate) fn assert_answer(reply: &Reply, status: u16, expected: &Value) {
    assert_eq!(reply.status, status, "{reply:?}");
    let mut differences = Vec::new();
    compare("", &reply.body, expected, &mut differences);
    assert!(differences.is_empty(), "{differences:#?}\n{reply:?}");
}

fn compare(at: &str, seen: &Value, expected: &Value, differences: &mut Vec<String>) {
    match (seen, expected) {
        (Value::String(text), Value::String(pattern)) if pattern.starts_with('<') => {
            let fits = match pattern.as_str() {
                "<id>" => text.len() == 36 && text.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-'),
                "<time>" => text.len() == 24 && text.ends_with('Z'),
                "<4 digits>" => text.len() == 4 && text.bytes().all(|byte| byte.is_ascii_digit()),
                "<8 digits>" => text.len() == 8 && text.bytes().all(|byte| byte.is_ascii_digit()),
                _ => !text.is_empty(),
            };
            if !fits {
                differences.push(format!("{at}: {text} is no {pattern}"));
            }
        }
        (Value::Object(seen), Value::Object(expected)) => {
            for name in seen.keys().chain(expected.keys().filter(|name| !seen.contains_key(*name))) {
                let at = format!("{at}/{name}");
                match (seen.get(name), expected.get(name)) {
                    (Some(seen), Some(expected)) => compare(&at, seen, expected, differences),
                    (Some(seen), None) => differences.push(format!("{at} is not documented: {seen}")),
                    (None, _) => differences.push(format!("{at} is missing")),
                }
            }
        }
        (Value::Array(seen), Value::Array(expected)) if seen.len() == expected.len() => {
            for (nth, (seen, expected)) in seen.iter().zip(expected).enumerate() {
                compare(&format!("{at}/{nth}"), seen, expected, differences);
            }
        }
        // As texts: the digits of numbers count.
        (seen, expected) => {
            let (seen, expected) = (seen.to_string(), expected.to_string());
            if seen != expected {
                differences.push(format!("{at}: {seen} is not {expected}"));
            }
        }
    }
}

/// A client of the system: its base URL, and the token that it has.
struct Client<'a> {
    muster: &'a Muster,
    token: Option<String>,
}

impl Client<'_> {
    async fn send(&self, method: &str, path: &str, body: Value) -> Reply {
        let call = self.muster.call(method, &format!("/flows{path}"));
        let call = if body.is_null() { call } else { call.json(body) };
        match &self.token {
            Some(token) => call.token(token).send().await,
            None => call.send().await,
        }
    }

    async fn answers(&self, (method, path): (&str, &str), body: Value, (status, expected): (u16, Value)) -> Reply {
        let reply = self.send(method, path, body).await;
        assert_answer(&reply, status, &expected);
        reply
    }

    /// Creates a thing and returns its id.
    async fn creates(&self, path: &str, body: Value) -> String {
        let reply = self.answers(("POST", path), body, (201, json!({ "id": "<id>" }))).await;
        reply.body["id"].as_str().unwrap().to_owned()
    }
}

const PASSWORD: &str = "correct horse battery";

fn no_place() -> Value {
    json!({ "id": null, "code": null, "name": null })
}

/// Signs up, verifies the e-mail and is signed in by that.
async fn sign_up<'a>(muster: &'a Muster, email: &str, mobile: &str) -> (Client<'a>, String) {
    let visitor = Client { muster, token: None };
    visitor
        .answers(("GET", &format!("/user/available?key={email}")), Value::Null, (404, json!({ "message": "<text>" })))
        .await;
    let new = json!({
        "email": email, "name": "Carla", "password": PASSWORD, "mobile": mobile, "lastname": "Gómez", "lastname2": " ",
        "gender": "female", "birthdate": "1990-02-28T00:00:00.000Z", "lang": "es", "profit_center": "online",
        "country": { "id": 142, "code": "MEX", "name": "México" }, "state": no_place(), "city": no_place(),
    });
    let id = visitor.creates("/user/", new).await;
    visitor.answers(("GET", &format!("/user/available?key={email}")), Value::Null, (200, json!({}))).await;
    let code = json!({ "verification_code": muster.code(email), "user_id": id, "phone": mobile });
    let tokens = json!({ "id": id, "access_token": "<text>", "refresh_token": "<text>", "expires_in": 3600 });
    let reply = visitor.answers(("POST", "/user/validate-code"), code, (200, tokens.clone())).await;
    let login = json!({ "email": email, "password": PASSWORD });
    visitor.answers(("POST", "/login"), login, (200, tokens)).await;
    let token = reply.body["access_token"].as_str().unwrap().to_owned();
    let refresh = json!({ "refresh_token": reply.body["refresh_token"], "access_token": token, "user_id": id });
    let fresh = json!({ "access_token": "<text>", "refresh_token": "<text>", "expires_in": 3600 });
    visitor.answers(("POST", "/login/refresh"), refresh, (200, fresh)).await;
    (Client { muster, token: Some(token) }, id)
}

fn user(id: &str, email: &str, mobile: &str) -> Value {
    json!({
        "id": id, "email": email, "name": "Carla", "lastname": "Gómez", "lastname2": null, "player_id": null, "mobile": mobile,
        "gender": "female", "birthdate": "1990-02-28T00:00:00.000Z", "active": true, "stripe_id": null, "removed": false,
        "guest": null, "no_guest": null, "profit_center": "online", "lang": "es", "created_at": "<time>", "updated_at": "<time>",
        "country": { "id": 142, "code": "MEX", "name": "México" }, "state": no_place(), "city": no_place(),
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_signs_up_is_read_changed_and_recovered() {
    let muster = Muster::start().await;
    let (ana, id) = sign_up(&muster, "ana@example.com", "0000000000").await;
    let path = format!("/user/{id}");
    ana.answers(("GET", &path), Value::Null, (200, user(&id, "ana@example.com", "0000000000"))).await;
    let change = json!({ "mobile": "55 1234 5678", "player_id": "ab-12", "gender": "OTHER", "birthdate": "" });
    ana.answers(("PUT", &path), change, (200, json!({}))).await;
    let mut expected = user(&id, "ana@example.com", "55 1234 5678");
    (expected["player_id"], expected["gender"], expected["birthdate"]) = (json!("ab-12"), json!("other"), Value::Null);
    ana.answers(("GET", &path), Value::Null, (200, expected)).await;
    let own = muster.get("/v1/users/me").token(ana.token.as_deref().unwrap()).send().await;
    assert_eq!((&own.body["phone"], &own.body["gender"]), (&json!("+525512345678"), &json!("OTHER")));
    let change = json!({ "old_password": PASSWORD, "new_password": "staple battery horse" });
    ana.answers(("POST", &format!("/user/change-password/{id}/")), change, (200, json!({}))).await;

    let visitor = Client { muster: &muster, token: None };
    for email in ["ana@example.com", "nobody@example.com"] {
        visitor.answers(("POST", "/login/recover"), json!({ "email": email }), (200, json!({}))).await;
    }
    let confirm = |code: &str| json!({ "email": "ana@example.com", "code": code, "password": "third horse battery" });
    let wrong = visitor.send("POST", "/login/recover/confirm", confirm("0")).await;
    assert_eq!(wrong.status, 400, "{wrong:?}");
    let code = muster.code("ana@example.com");
    visitor.answers(("POST", "/login/recover/confirm"), confirm(&code), (200, json!({}))).await;
    let login = json!({ "email": "ana@example.com", "password": "third horse battery" });
    let token = visitor.send("POST", "/login", login).await.body["access_token"].as_str().unwrap().to_owned();
    let ana = Client { muster: &muster, token: Some(token) };
    ana.answers(("DELETE", &path), Value::Null, (200, json!({}))).await;
    visitor
        .answers(("GET", "/user/available?key=ana@example.com"), Value::Null, (404, json!({ "message": "<text>" })))
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_comes_as_a_form_and_as_json() {
    let muster = Muster::start().await;
    let (ana, id) = sign_up(&muster, "ana@example.com", "5512345678").await;
    let token = ana.token.as_deref().unwrap();
    let form = format!(
        "owner_id={id}&alias=Casa&latitude=19.426967&longitude=-99.168097&street=Reforma&external_number=222&internal_number=+\
         &zipcode=06600&neighbourhood=Ju%C3%A1rez&status=1&location=true&billing=0&shipping=false&country%5Bid%5D=142\
         &country%5Bcode%5D=MEX&country%5Bname%5D=M%C3%A9xico"
    );
    let kind = "application/x-www-form-urlencoded; charset=\"UTF-8\"";
    let made = muster.call("POST", "//flows//address/").raw(kind, form).token(token).send().await;
    assert_answer(&made, 201, &json!({ "id": "<id>" }));
    let path = format!("/address/{}", made.body["id"].as_str().unwrap());
    let expected = |alias: &str| {
        json!({
            "id": "<id>", "owner_id": id, "alias": alias, "latitude": "19.43", "longitude": "-99.17", "street": "Reforma",
            "external_number": "222", "internal_number": null, "zipcode": "06600", "neighbourhood": "Juárez", "references": null,
            "rfc": null, "business": null, "status": true, "location": true, "billing": false, "shipping": false,
            "country": { "id": "142", "code": "MEX", "name": "México" }, "state": no_place(), "city": no_place(),
            "removed": false, "created_at": "<time>", "updated_at": "<time>",
        })
    };
    ana.answers(("GET", &path), Value::Null, (200, expected("Casa"))).await;
    // Without a media type.
    let put =
        muster.call("PUT", &format!("/flows{path}/")).untyped(r#"{"alias": " Oficina "}"#).token(token).send().await;
    assert_answer(&put, 200, &json!({}));
    let list = ana
        .answers(
            ("GET", &format!("/address/list/{id}?page=1&no_items=")),
            Value::Null,
            (200, json!([expected("Oficina")])),
        )
        .await;
    assert_eq!(totals(&list), ("1", "1"));
    ana.answers(("DELETE", &path), Value::Null, (200, json!({}))).await;
    ana.answers(("GET", &path), Value::Null, (404, json!({ "message": "<text>" }))).await;
}

/// A level as it is answered.
fn level(membership: &str, number: u32, (from, to): (u32, u32)) -> Value {
    let mut level = json!({
        "id": "<id>", "membership_id": membership, "name": format!("Nivel {number}"), "number_level": format!("{number}.00"),
        "from_point": format!("{from}.00"), "to_point": format!("{to}.00"), "image": null, "type_image": null,
        "background_color": "#FFD700", "text_color": "black", "status": true, "removed": false, "created_at": "<time>",
        "updated_at": "<time>", "redemption_image": null, "home_section_image": null, "segment_image": null, "content": null,
    });
    let common =
        ["impacts", "checkins", "enrollment", "geo_checkins", "qr", "redeem", "generate", "buy", "pickup", "scan"];
    for name in common {
        level[format!("points_by_{name}")] = Value::Null;
    }
    for name in common.into_iter().chain(["share", "answer_format"]) {
        level[format!("caducity_by_{name}")] = Value::Null;
        level[format!("content_{name}")] = Value::Null;
    }
    level
}

/// A membership of a new segment, with its five levels.
async fn membership(owner: &Client<'_>, id: &str) -> (String, String) {
    let new = json!({ "owner_id": id, "name": "Comercios", "managed_by": "Ana", "role": "consumer", "status": true, "shipping_address_id": null });
    let segment = owner.creates("/segment", new).await;
    let expected = json!({
        "id": segment, "owner_id": id, "name": "Comercios", "managed_by": "Ana", "role": "consumer", "status": true,
        "shipping_address_id": null, "extra_space": null, "beacons": null, "readers": null, "cards": null, "removed": false,
        "created_at": "<time>", "updated_at": "<time>",
    });
    owner.answers(("GET", &format!("/segment/{segment}")), Value::Null, (200, expected.clone())).await;
    owner.answers(("GET", &format!("/segment/list/{id}")), Value::Null, (200, json!([expected]))).await;
    let membership = owner.creates("/membership", json!({ "segment_id": segment, "name": "Tarjeta" })).await;
    let mut levels = Vec::new();
    for number in 1..=5_u32 {
        let (from, to) = (if number == 1 { 0 } else { 100 * number - 99 }, 100 * number);
        let new = json!({
            "membership_id": membership, "name": format!("Nivel {number}"), "from_point": from.to_string(), "to_point": to,
            "number_level": number, "image": "", "type_image": null, "background_color": "#FFD700", "text_color": "black", "status": "true",
        });
        owner.creates("/membership-level", new).await;
        levels.push(level(&membership, number, (from, to)));
    }
    owner.answers(("GET", &format!("/membership-level/list/{membership}")), Value::Null, (200, levels.into())).await;
    (segment, membership)
}

/// What is asked and answered, by these clients' names.
fn questions(catalog: &str) -> Vec<Question> {
    let options = json!([{ "key": "art", "value": "Arte" }, { "key": "arq", "value": "Arquitectura" }]);
    let field = |name: &str, kind: &str, options: Value| json!({ "name": name, "type": kind, "options": options });
    let plain = |name: &str, kind: &str, answer: &str| (field(name, kind, json!([])), json!(answer), Value::Null);
    let mut bank = field("Banco", "dropdown", Value::Null);
    bank["catalog_id"] = json!(catalog);
    vec![
        (field("País", "dropdown", options.clone()), json!("art"), Value::Null),
        (field("Giros", "multiple", options.clone()), json!("arq,art"), Value::Null),
        (field("Entidad", "dropdown", options.clone()), json!("arq"), Value::Null),
        (field("Empleados", "dropdown", options.clone()), json!("art"), Value::Null),
        (field("En línea", "dropdown", options), json!("arq"), Value::Null),
        plain("Ingreso", "number", "150000"),
        plain("Egreso", "number", "0150000.50"),
        plain("Identificación", "url", "https://example.com/id.png"),
        plain("CURP", "curp", "gomc900101hdfmrr06"),
        plain("Razón social", "string", "Panadería Núñez"),
        plain("RFC", "rfc", "GODE-561231-GR8"),
        plain("Domicilio", "text", "Calle Falsa 123\nCentro"),
        (field("Constancia", "url", json!([])), json!("<upload>"), Value::Null),
        plain("Correo", "email", "facturas@example.com"),
        (bank, json!("bbva"), json!("BBVA")),
        plain("Titular", "string", " Carla Gómez "),
        plain("CLABE", "clabe", "032 180 000118359719"),
        plain("Acepta", "boolean", "true"),
        plain("Boletín", "boolean", "0"),
    ]
}

/// What a field asks, what is answered, and what a catalog says of that.
type Question = (Value, Value, Value);

/// Creates the fields of a membership: their ids.
async fn ask(ana: &Client<'_>, membership: &str, questions: &[Question]) -> Vec<String> {
    let mut fields = Vec::new();
    for (position, (field, ..)) in (1..).zip(questions) {
        let mut new = field.clone();
        for (name, value) in [
            ("membership_id", json!(membership)),
            ("required", json!("1")),
            ("render", json!(2)),
            ("status", json!(true)),
            ("position", json!(position.to_string())),
            ("tag_level", json!("fiscal")),
            ("tooltip", json!(" ")),
        ] {
            new[name] = value;
        }
        fields.push(ana.creates("/membership-custom-field", new).await);
    }
    let first = json!({
        "id": fields[0], "membership_id": membership, "name": "País", "type": "dropdown",
        "options": [{ "key": "art", "value": "Arte" }, { "key": "arq", "value": "Arquitectura" }], "required": true, "render": "2",
        "status": true, "position": 1, "tag_level": "fiscal", "tooltip": null, "catalog_id": null, "removed": false,
        "created_at": "<time>", "updated_at": "<time>",
    });
    ana.answers(("GET", &format!("/membership-custom-field/{}", fields[0])), Value::Null, (200, first)).await;
    fields
}

/// Who has enrolled, and in what.
struct Enrolment {
    segment: String,
    membership: String,
    user: String,
    member: String,
    /// The file that answers a field.
    file: Value,
}

impl Enrolment {
    /// Enrols Carla, uploads her file and answers all fields.
    async fn of(
        carla: &Client<'_>,
        id: &str,
        (segment, membership): (&str, &str),
        asked: (&[Question], &[String]),
    ) -> Self {
        let enrol = json!({
            "membership_id": membership, "user_id": id, "segment_id": segment, "membership_level_id": null, "name": "Carla",
            "lastname": "Gómez", "phone": "0000000000", "status": true, "card_number": 1234, "validate": false, "origin": "web",
        });
        let member = carla
            .answers(("POST", "/membership-user/"), enrol, (201, json!({ "id": "<id>", "sms_code": "<4 digits>" })))
            .await;
        let member = member.body["id"].as_str().unwrap().to_owned();
        let file = json!({ "mime": "application/pdf", "file": STANDARD.encode(PDF) });
        let upload =
            carla.answers(("POST", &format!("/upload/{segment}")), file, (201, json!({ "uuid": "<id>" }))).await;
        let answer_of =
            |answer: &Value| if answer == "<upload>" { upload.body["uuid"].clone() } else { answer.clone() };
        let each = asked.0.iter().zip(asked.1);
        let answers: Vec<_> = each
            .map(|((_, answer, _), id)| json!({ "membership_custom_field_id": id, "answer": answer_of(answer) }))
            .collect();
        let stack = json!({ "membership_id": membership, "membership_user_id": member, "user_id": id, "custom_fields": answers });
        carla.answers(("POST", "/membership-custom-field-answer/stack"), stack, (201, json!({}))).await;
        let file = upload.body["uuid"].clone();
        Self { segment: segment.to_owned(), membership: membership.to_owned(), user: id.to_owned(), member, file }
    }

    /// The rows of her answers, each as it was sent.
    fn rows(&self, questions: &[Question], fields: &[String]) -> Value {
        let row = |((_, answer, of_catalog), field): (&Question, &String)| {
            let answer = if answer == "<upload>" { &self.file } else { answer };
            json!({
                "id": "<text>", "answer": answer, "answer_for_catalog": of_catalog, "membership_custom_field_id": field,
                "membership_id": self.membership, "membership_user_id": self.member, "user_id": self.user, "status": true,
                "removed": false, "created_at": "<time>", "updated_at": "<time>",
            })
        };
        questions.iter().zip(fields).map(row).collect()
    }

    /// The owner's page of members: each with its level and the profile of its user, who is of no segment of the owner's.
    async fn is_shown_to(&self, ana: &Client<'_>) {
        let Self { segment, membership, user: id, member, .. } = self;
        let list = ana.send("GET", &format!("/membership-user/list/{membership}?user_id={id}"), Value::Null).await;
        let mut expected = json!({
            "id": member, "membership_id": membership, "user_id": id, "segment_id": segment, "brand_id": segment,
            "membership_level_id": "<id>", "name": "Carla", "lastname": "Gómez", "phone": "0000000000", "card_number": "1234",
            "validate": false, "origin": "web", "filler_id": "<8 digits>", "status": true, "approved": "pending", "image": null,
            "gender": null, "birthdate": null, "birthdate_ts": null, "latitude": null, "longitude": null,
            "only_for_redemptions": null, "only_for_transactions": null, "origin_membership_id": null, "refer_to": null,
            "country": no_place(), "state": no_place(), "city": no_place(), "removed": false, "created_at": "<time>", "updated_at": "<time>",
        });
        let profile = user(id, "carla@example.com", "0000000000");
        ana.answers(("GET", &format!("/membership-user/{member}")), Value::Null, (200, expected.clone())).await;
        (expected["membership_level"], expected["user"]) = (level(membership, 1, (0, 100)), profile.clone());
        assert_answer(&list, 200, &json!([expected]));
        ana.answers(("GET", &format!("/user/{id}")), Value::Null, (200, profile)).await;
        let shared =
            ana.muster.get(&format!("/v1/members/{member}/profile")).token(ana.token.as_deref().unwrap()).send().await;
        assert_eq!((&shared.body["email"], shared.body.get("metadata")), (&json!("carla@example.com"), None));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_enrols_in_a_membership_and_answers_nineteen_fields() {
    let muster = Muster::start().await;
    let (ana, owner_id) = sign_up(&muster, "ana@example.com", "+52 55 1111 1111").await;
    let (segment, membership) = membership(&ana, &owner_id).await;
    let token = ana.token.as_deref().unwrap();
    let banks = json!({ "name": "Bancos", "options": [{ "key": "bbva", "value": "BBVA" }] });
    let banks = muster.post(&format!("/v1/segments/{segment}/catalogs"), banks).token(token).send().await;
    let questions = questions(banks.body["id"].as_str().unwrap());
    let fields = ask(&ana, &membership, &questions).await;

    let (carla, id) = sign_up(&muster, "carla@example.com", "0000000000").await;
    let enrolment = Enrolment::of(&carla, &id, (&segment, &membership), (&questions, &fields)).await;
    let list = format!("/membership-custom-field-answer/list/{}?no_items=50", enrolment.member);
    for client in [&carla, &ana] {
        let rows = enrolment.rows(&questions, &fields);
        let list = client.answers(("GET", &list), Value::Null, (200, rows)).await;
        assert_eq!(totals(&list), ("1", "19"));
    }
    enrolment.is_shown_to(&ana).await;
    // Nobody else is told of her.
    let (eve, _) = sign_up(&muster, "eve@example.com", "5512345678").await;
    eve.answers(("GET", &format!("/user/{id}")), Value::Null, (404, json!({ "message": "<text>" }))).await;
    // Of v1, the same values in its own forms.
    let own = muster.get(&format!("/v1/members/{}", enrolment.member)).token(token).send().await;
    let key = format!("f_{}", fields[5].replace('-', ""));
    assert_eq!((&own.body["answers"][&key], &own.body["answers_display"][&key]), (&json!(150_000), &json!("150000")));
}
