//! Two spellings of one value are one value: for every unique field, a second spelling is refused or taken already.

use serde_json::{Value, json};
use unicode_normalization::UnicodeNormalization as _;

use crate::world::{World, id};

/// A way to spell a value a second time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Twin {
    Case,
    Width,
    Composition,
    Script,
    Digits,
    Invisible,
    Blank,
    LeadingZeros,
    Punctuation,
    Space,
}

use Twin::{Blank, Case, Composition, Digits, Invisible, LeadingZeros, Punctuation, Script, Space, Width};

const TWINS: [Twin; 10] =
    [Case, Width, Composition, Script, Digits, Invisible, Blank, LeadingZeros, Punctuation, Space];

impl Twin {
    /// Returns `value` in the other spelling; none where it has no such spelling.
    fn spell(self, value: &str) -> Option<String> {
        let swapped = |letter: char| {
            if letter.is_uppercase() { letter.to_lowercase().next() } else { letter.to_uppercase().next() }
        };
        let spelled = match self {
            Case => value.chars().map(|letter| swapped(letter).unwrap_or(letter)).collect(),
            Width => value.chars().map(wide).collect(),
            Composition => value.nfd().collect(),
            Script => value.replacen('a', "\u{430}", 1).replacen('A', "\u{410}", 1),
            Digits => value
                .chars()
                .map(|digit| digit.to_digit(10).and_then(|n| char::from_u32(0x660 + n)).unwrap_or(digit))
                .collect(),
            Invisible => insert(value, 1, '\u{200b}'),
            Blank => format!(" {value}\u{a0}"),
            LeadingZeros => format!("00{value}"),
            Punctuation => insert(value, 2, '-'),
            Space => value.replace(' ', "\u{2003}"),
        };
        (spelled != value).then_some(spelled)
    }
}

fn insert(value: &str, at: usize, letter: char) -> String {
    let before = value.chars().take(at);
    before.chain([letter]).chain(value.chars().skip(at)).collect()
}

/// The full-width form of an ASCII letter or digit.
fn wide(letter: char) -> char {
    let wide = letter.is_ascii_alphanumeric().then(|| char::from_u32(u32::from(letter) + 0xFEE0));
    wide.flatten().unwrap_or(letter)
}

/// Sends each second spelling of a value. `others` are the spellings that make another value, as the documents say.
async fn refuse_twins(world: &World, (path, of): (&str, &dyn Fn(&str) -> Value), value: &str, others: &[Twin]) {
    let first = world.send("POST", path, of(value)).await;
    assert_eq!(first.status, 201, "{value} {first:?}");
    for twin in TWINS {
        let Some(spelled) = twin.spell(value) else { continue };
        let reply = world.send("POST", path, of(&spelled)).await;
        let expected: &[u16] = if others.contains(&twin) { &[201, 400] } else { &[400, 409] };
        assert!(expected.contains(&reply.status.as_u16()), "{path} {twin:?} {spelled:?}: {reply:?}");
    }
}

fn fresh_email() -> String {
    format!("{}@example.com", domain::UserId::fresh())
}

#[tokio::test(flavor = "multi_thread")]
async fn unique_values_of_users_have_no_twins() {
    let world = World::start().await;
    let users = format!("/v1/segments/{}/users", world.segment);
    let email = |value: &str| json!({ "email": value });
    refuse_twins(&world, (&users, &email), "ana.lopez7@example.com", &[LeadingZeros, Punctuation]).await;
    let username = |value: &str| json!({ "email": fresh_email(), "username": value });
    refuse_twins(&world, (&users, &username), "jos\u{e9}.ana7", &[LeadingZeros, Punctuation]).await;
    let reference = |value: &str| json!({ "email": fresh_email(), "reference_id": value });
    refuse_twins(&world, (&users, &reference), "crm-\u{e1}a 7", &[Case, LeadingZeros, Punctuation]).await;
    for (country, kind, value, others) in [
        ("ARG", "DNI", "20123456", &[][..]),
        ("ARG", "PASSPORT", "AAB123456", &[LeadingZeros]),
        ("BRA", "RG", "a1234567", &[LeadingZeros]),
        ("MEX", "INE", "ABCDa12345", &[LeadingZeros]),
        ("COL", "CC", "1234567a", &[LeadingZeros]),
        ("COL", "PPT", "1234567", &[]),
        ("PER", "DNI", "12345678", &[]),
        ("PER", "CE", "a12345678", &[LeadingZeros]),
        ("CHL", "RUT", "9068826k", &[]),
        ("ESP", "DOCUMENT", "a1234567", &[LeadingZeros]),
    ] {
        let document = |value: &str| {
            let identification = json!({ "type": kind, "value": value });
            let address = json!({ "zip_code": "01310-100", "region": "Salta" });
            json!({ "email": fresh_email(), "operation_country": country, "identification": identification,
                "legal_address": address })
        };
        refuse_twins(&world, (&users, &document), value, others).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn unique_values_of_a_segments_things_have_no_twins() {
    let world = World::start().await;
    let path = |things: &str| format!("/v1/segments/{}/{things}", world.segment);
    let product = |value: &str| json!({ "title": "P", "reference_id": value });
    refuse_twins(&world, (&path("products"), &product), "sku-\u{e1}a 7", &[Case, LeadingZeros, Punctuation]).await;
    let partner = |value: &str| json!({ "commercial_name": "P", "reference_id": value });
    refuse_twins(&world, (&path("partners"), &partner), "erp-\u{e1}a 7", &[Case, LeadingZeros, Punctuation]).await;
    let status = |value: &str| json!({ "name": value });
    let others = [LeadingZeros, Punctuation];
    refuse_twins(&world, (&path("statuses"), &status), "\u{da}ltima llamada 7", &others).await;
    // The keys of one list: the first spelling stands beside the second one.
    for twin in TWINS {
        let key = "op-\u{e1}a 7";
        let Some(spelled) = twin.spell(key) else { continue };
        let options = json!([{ "key": key, "value": "A" }, { "key": spelled, "value": "B" }]);
        let reply = world.send("POST", &path("catalogs"), json!({ "name": "C", "options": options })).await;
        let is_other = matches!(twin, Case | LeadingZeros | Punctuation);
        assert_eq!(reply.status, if is_other { 201 } else { 400 }, "{twin:?} {reply:?}");
    }
    let field = |value: &str| json!({ "key": value, "name": "F", "type": "string" });
    refuse_twins(&world, (&world.path("/fields"), &field), "tax_a7", &[]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_differs_in_joiners_and_styles_alone_is_the_same() {
    let world = World::start().await;
    let path = |things: &str| format!("/v1/segments/{}/{things}", world.segment);
    world.field("name", "string", json!({ "unique": true })).await;
    let (plain, joined) = ("\u{645}\u{6cc}\u{62e}", "\u{645}\u{6cc}\u{200c}\u{62e}");
    for (plain, joined) in [(plain, joined), ("\u{260e}", "\u{260e}\u{fe0f}")] {
        let bodies = |value: &str| {
            [
                (path("users"), json!({ "email": fresh_email(), "reference_id": value })),
                (path("products"), json!({ "title": "P", "reference_id": value })),
                (path("partners"), json!({ "commercial_name": "P", "reference_id": value })),
                (path("statuses"), json!({ "name": value })),
                (world.path("/members"), json!({ "answers": { "name": value } })),
            ]
        };
        for ((path, first), (_, second)) in bodies(plain).into_iter().zip(bodies(joined)) {
            assert_eq!(world.send("POST", &path, first.clone()).await.status, 201, "{path} {first}");
            assert_eq!(world.send("POST", &path, second.clone()).await.status, 409, "{path} {second}");
        }
        let options = json!([{ "key": plain, "value": "A" }, { "key": joined, "value": "B" }]);
        assert_eq!(world.send("POST", &path("catalogs"), json!({ "name": "C", "options": options })).await.status, 400);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_is_the_choice_and_is_found_however_it_is_spelled() {
    let world = World::start().await;
    let options = json!([{ "key": "Regi\u{f3}n", "value": "R" }, { "key": "cafe 1", "value": "C" }]);
    world.field("area", "dropdown", json!({ "options": options, "searchable": true })).await;
    for (spelled, key) in [("Regio\u{301}n", "Regi\u{f3}n"), ("\u{ff43}afe\u{a0}1", "cafe 1")] {
        let member = world.send("POST", &world.path("/members"), json!({ "answers": { "area": spelled } })).await;
        assert_eq!((member.status.as_u16(), &member.body["answers"]["area"]), (201, &json!(key)), "{member:?}");
    }
    for (kind, value, spellings) in [
        ("rut", "12.345.678-5", &["12345678-5", "12.345.678-5", "123456785"][..]),
        ("cpf", "390.533.447-05", &["39053344705", "390.533.447-05"]),
        ("phone", "525512345678", &["%2B525512345678", "+525512345678", "525512345678", "%2B52%2055%201234%205678"]),
        ("email", "a+b@example.com", &["a%2Bb@example.com", "a+b@example.com", "A+B@example.com"]),
    ] {
        world.field(kind, kind, json!({ "searchable": true })).await;
        let member = world.send("POST", &world.path("/members"), json!({ "answers": { kind: value } })).await;
        assert_eq!(member.status, 201, "{member:?}");
        for spelled in spellings {
            let found = world.get(&world.path(&format!("/members?filter[answers.{kind}]={spelled}"))).await;
            assert_eq!(found.body["page"]["total_items"], 1, "{kind} {spelled}: {found:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn unique_answers_have_no_twins() {
    let world = World::start().await;
    for (kind, value, others) in [
        ("string", "Caf\u{e9} a7", &[LeadingZeros, Punctuation][..]),
        ("email", "ana7@example.com", &[LeadingZeros, Punctuation]),
        ("phone", "525512345678", &[]),
        ("number", "120", &[]),
        ("url", "https://example.com/A", &[Case, Width, Script, LeadingZeros, Punctuation]),
        ("link", "https://example.com/A", &[Case, Width, Script, LeadingZeros, Punctuation]),
        ("date", "2024-02-29", &[]),
        ("curp", "BOXW310820HNERXN09", &[]),
        ("rfc", "A&\u{d1}000229AA0", &[]),
        ("clabe", "646180110400000007", &[]),
        ("cpf", "39053344705", &[]),
        ("cnpj", "12ABC34501DE35", &[]),
        ("cuil", "20055361682", &[]),
        ("nit", "2131234321", &[]),
        ("ruc", "10101174102", &[]),
        ("rut", "9068826K", &[]),
    ] {
        world.field(kind, kind, json!({ "unique": true })).await;
        let answer = |value: &str| json!({ "answers": { kind: value } });
        refuse_twins(&world, (&world.path("/members"), &answer), value, others).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn identifications_can_be_unique_by_country() {
    let world = World::start().await;
    let settings = json!({ "settings": { "identification_scope": "country" } });
    let segment = format!("/v1/segments/{}", world.segment);
    assert_eq!(world.send("PATCH", &segment, settings).await.status, 200);
    let users = format!("{segment}/users");
    let user = |country: &str| {
        json!({ "email": fresh_email(), "operation_country": country, "password": crate::system::PASSWORD,
            "identification": { "type": "DNI", "value": "20123456" } })
    };
    let argentine = id(&world.muster.made(&world.ana, &users, user("ARG")).await);
    let peruvian = id(&world.muster.made(&world.ana, &users, user("PER")).await);
    assert_eq!(world.send("POST", &users, user("PER")).await.status, 409);
    // Another country takes the claim along.
    let moved = world.send("PATCH", &format!("/v1/users/{argentine}"), json!({ "operation_country": "PER" })).await;
    assert_eq!(moved.status, 409, "{moved:?}");
    for (country, expected) in [("ARG", &argentine), ("PER", &peruvian)] {
        let document = json!({ "type": "DNI", "value": "20.123.456" });
        let login = json!({ "document": document, "country": country, "password": crate::system::PASSWORD, "segment_id": world.segment });
        let login = world.muster.post("/v1/auth/login", login).send().await;
        assert_eq!((login.status.as_u16(), &login.body["user_id"]), (200, &json!(expected)), "{country}");
        let asked = format!(
            "/v1/users/exists?segment_id={}&identification_type=DNI&identification_value=20123456",
            world.segment
        );
        assert_eq!(world.read(&format!("{asked}&operation_country={country}")).await, json!({ "exists": true }));
        assert_eq!(world.read(&asked).await, json!({ "exists": false }));
    }
    let back = json!({ "settings": { "identification_scope": "segment" } });
    let refused = world.send("PATCH", &segment, back).await;
    assert_eq!(refused.status, 409, "the segment has users: {refused:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_phone_without_calling_code_is_found_as_one_of_the_segments_country() {
    let world = World::start().await;
    let segment = format!("/v1/segments/{}", world.segment);
    let ana = world.user(json!({ "phone": "+55 (21) 97777-6666" })).await;
    let found = async |spelled: &str| {
        let reply = world.get(&format!("{segment}/users?filter[phone]={spelled}")).await;
        reply.body["data"].as_array().unwrap().iter().map(id).collect::<Vec<_>>()
    };
    assert_eq!(found("(21)%2097777-6666").await, Vec::<String>::new());
    let settings = json!({ "settings": { "country": "BRA" } });
    assert_eq!(world.send("PATCH", &segment, settings).await.status, 200);
    for spelled in ["(21)%2097777-6666", "021%2097777-6666", "21977776666", "5521977776666", "+5521977776666", "%2B*"] {
        assert_eq!(found(spelled).await, [ana.as_str()], "{spelled}");
    }
    // Only a number with its calling code says by itself which one it is.
    for spelled in ["(21) 97777-6666", "11 4321-1234", "(55) 1234-5678"] {
        let reply =
            world.send("POST", &format!("{segment}/users"), json!({ "email": fresh_email(), "phone": spelled })).await;
        assert_eq!(reply.errors(), [("/phone".to_owned(), "invalid_phone".to_owned())], "{spelled} {reply:?}");
    }
    let display = json!({ "email": fresh_email(), "phone_display": "+52 55 0686 5985" });
    let reply = world.send("POST", &format!("{segment}/users"), display).await;
    assert_eq!(reply.errors(), [("/phone_display".to_owned(), "mismatch".to_owned())], "{reply:?}");
    let required = json!({ "settings": { "required_user_fields": ["email", "phone"] } });
    assert_eq!(world.send("PATCH", &segment, required).await.status, 200);
    let spelled = json!({ "email": fresh_email(), "phone_display": "0000000000" });
    assert_eq!(world.send("POST", &format!("{segment}/users"), spelled).await.status, 201);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_phone_and_a_document_are_found_by_any_spelling() {
    let world = World::start().await;
    let phone = json!({ "phone": "+52 (55) 1234-5678", "phone_display": "55 1234 5678" });
    let ana = world.user(phone).await;
    let shown = world.read(&format!("/v1/users/{ana}")).await;
    assert_eq!((&shown["phone"], &shown["phone_display"]), (&json!("+525512345678"), &json!("55 1234 5678")));
    let rut = json!({ "operation_country": "CHL", "identification": { "type": "RUT", "value": "CL9.068.826-k" } });
    let eve = world.user(rut).await;
    let found = async |query: &str| {
        let reply = world.get(&format!("/v1/segments/{}/users?{query}", world.segment)).await;
        assert_eq!(reply.status, 200, "{query} {reply:?}");
        reply.body["data"]
            .as_array()
            .unwrap()
            .iter()
            .map(|row| row["id"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    for spelling in [
        "%2B525512345678",
        "+525512345678",
        "525512345678",
        "%2B52%20(55)%201234-5678",
        "55%201234%205678",
        "(55)1234-5678",
        "%2B52*",
    ] {
        assert_eq!(found(&format!("filter[phone]={spelling}")).await, std::slice::from_ref(&ana), "{spelling}");
    }
    for spelling in ["9068826K", "0009068826k", "9.068.826-K", "CL9068826-k"] {
        assert_eq!(
            found(&format!("filter[identification_value]={spelling}")).await,
            std::slice::from_ref(&eve),
            "{spelling}"
        );
    }
    // The spelling falls with the number; another number is refused beside it.
    let path = format!("/v1/users/{ana}");
    let other = world.send("PATCH", &path, json!({ "phone_display": "1" })).await;
    assert_eq!(
        (other.status.as_u16(), other.errors()),
        (400, vec![("/phone_display".to_owned(), "mismatch".to_owned())])
    );
    let cleared = world.send("PATCH", &path, json!({ "phone": null })).await;
    assert_eq!((&cleared.body["phone"], &cleared.body["phone_display"]), (&Value::Null, &Value::Null));
    assert!(found("filter[phone]=55%201234%205678").await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn filters_take_a_raw_plus_and_an_escaped_comma() {
    let world = World::start().await;
    let plus = id(&world
        .muster
        .made(
            &world.ana,
            &format!("/v1/segments/{}/users", world.segment),
            json!({ "email": "a+mx@example.com", "name": "Ruiz, Hijos" }),
        )
        .await);
    for query in [
        "filter[email]=a+mx@example.com",
        "filter[email]=A%2Bmx*",
        "filter[name]=Ruiz%5C,%20Hijos",
        "filter[name]=Otro,Ruiz%5C,*",
    ] {
        let reply = world.get(&format!("/v1/segments/{}/users?{query}", world.segment)).await;
        assert_eq!((reply.status.as_u16(), &reply.body["data"][0]["id"]), (200, &json!(plus)), "{query} {reply:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_end_of_9999_is_a_valid_end_everywhere() {
    let world = World::start().await;
    let never = "9999-12-31T23:59:59Z";
    let user = world.user(json!({ "valid_until": never })).await;
    assert_eq!(world.read(&format!("/v1/users/{user}")).await["valid_until"], "9999-12-31T23:59:59.000Z");
    let clamped =
        world.send("PATCH", &format!("/v1/users/{user}"), json!({ "valid_until": "9999-12-31T23:59:59-05:00" })).await;
    assert_eq!(clamped.body["valid_until"], "9999-12-31T23:59:59.999Z", "{clamped:?}");
    let found = format!("/v1/segments/{}/users?filter[valid_until][gte]={never}", world.segment);
    assert_eq!(world.read(&found).await["data"][0]["id"], json!(user));
    let product = world.product().await;
    let subscription =
        json!({ "user_id": user, "product_id": product, "starts_at": "0000-01-01T00:00:00Z", "expires_at": never });
    let path = format!("/v1/segments/{}/subscriptions", world.segment);
    let made = world.muster.made(&world.ana, &path, subscription).await;
    assert_eq!(made["expires_at"], "9999-12-31T23:59:59.000Z");
    let key = json!({ "name": "k", "scopes": ["read"], "expires_at": never });
    assert_eq!(world.send("POST", &format!("/v1/segments/{}/keys", world.segment), key).await.status, 201);
}
