//! A user of each country with each of its documents.

use serde_json::{Value, json};

use super::{Cards, USERS, as_failed, failed};

/// A document's type and value.
type Document = (&'static str, &'static str);

/// Country, documents that it takes, and one that it does not.
const COUNTRIES: [(&str, &[Document], Document); 6] = [
    (
        "ARG",
        &[("DNI", "20.123.456"), ("LE", "1234567"), ("LC", "1234568"), ("CI", "1234569"), ("PASSPORT", "AAA123456")],
        ("DNI", "123456"),
    ),
    ("BRA", &[("RG", "12.345.678-9"), ("CNH", "12345678901"), ("PASSPORT", "FH123456")], ("CC", "12345")),
    ("MEX", &[("INE", "1234567890123"), ("INE", "123456789"), ("PASSPORT", "G12345678")], ("INE", "12345678")),
    ("COL", &[("CC", "12345"), ("CE", "123456"), ("PPT", "1"), ("PASSPORT", "AR123456")], ("CC", "1234")),
    ("PER", &[("DNI", "00000001"), ("CE", "AB1234567890"), ("PASSPORT", "P12345")], ("DNI", "1234567")),
    ("CHL", &[("RUT", "12.345.678-5"), ("RUT", "10.999.94-k")], ("RUT", "1-9")),
];

/// Country, tax document, and one that it does not take.
const TAXES: [(&str, &str, &str, &str); 6] = [
    ("ARG", "CUIL", "20-05536168-2", "25055361682"),
    ("BRA", "CPF", "390.533.447-05", "3905334470"),
    ("MEX", "RFC", "GODE561231GR8", "GODE5612"),
    ("COL", "NIT", "2131234321", "213123432"),
    ("PER", "RUC", "10054047014", "20512333797"),
    ("CHL", "RUT", "12.345.678-5", "1-9"),
];

/// A new user of a country, with more.
fn of(country: &str, email: &str, more: &Value) -> Value {
    let mut data = json!({ "email": email, "operation_country": country });
    let address = match country {
        "ARG" => json!({ "region": "Córdoba" }),
        "BRA" => json!({ "zip_code": "01310-100" }),
        _ => json!({ "city": "Capital" }),
    };
    data["legal_address"] = address;
    data.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    data
}

#[tokio::test(flavor = "multi_thread")]
async fn each_country_takes_its_identity_documents_and_no_others() {
    let cards = Cards::start().await;
    let mut nth = 0;
    for (country, documents, wrong) in COUNTRIES {
        for (kind, number) in documents {
            nth += 1;
            let document = json!({ "identification_type": kind, "identification_value": number });
            let made = cards.made(of(country, &format!("a{nth}@example.com"), &document)).await;
            let canonical = number.replace(['.', '-'], "").to_uppercase();
            assert_eq!(
                (&made["identification_type"], &made["identification_value"]),
                (&json!(kind), &json!(canonical))
            );
            let path = format!("{USERS}?filter[identification_value]={number}&filter[country_code]={country}");
            let found = cards.get(&path);
            assert_eq!(found.await.body["data"][0]["id"], made["id"], "{country} {kind}");
        }
        let document = json!({ "identification_type": wrong.0, "identification_value": wrong.1 });
        let reply = cards.send("POST", USERS, of(country, "wrong@example.com", &document)).await;
        let (status, errors) = failed(&reply);
        assert_eq!((status, errors.len()), (400, 1), "{country} {reply:?}");
        assert!(errors[0].0.starts_with("/data/identification_"), "{errors:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_country_takes_its_tax_document_and_no_other() {
    let cards = Cards::start().await;
    for (country, kind, number, wrong) in TAXES {
        let tax = |number: &str| json!({ "tax_identification_type": kind, "tax_identification_value": number });
        let made = cards.made(of(country, &format!("{country}@example.com"), &tax(number))).await;
        assert_eq!(made["tax_identification_value"], json!(number.replace(['.', '-'], "")), "{country}");
        let reply = cards.send("POST", USERS, of(country, "wrong@example.com", &tax(wrong))).await;
        assert_eq!(
            failed(&reply),
            as_failed(400, &[("/data/tax_identification_value", "invalid_document")]),
            "{country}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn legal_addresses_follow_their_country() {
    let cards = Cards::start().await;
    for (country, address, place, code) in [
        ("ARG", json!({ "city": "Rosario" }), "/data/legal_address/region", "required"),
        ("ARG", json!({ "region": "Texas" }), "/data/legal_address/region", "invalid_choice"),
        ("BRA", json!({ "city": "Recife" }), "/data/legal_address/zip_code", "required"),
        ("BRA", json!({ "zip_code": 123 }), "/data/legal_address/zip_code", "invalid_zip_code"),
        ("BRA", json!({ "zipcode": "0131010" }), "/data/legal_address/zip_code", "invalid_zip_code"),
        ("BRA", json!(null), "/data/legal_address", "required"),
        ("BRA", json!({}), "/data/legal_address", "required"),
    ] {
        let data = of(country, "wrong@example.com", &json!({ "legal_address": address }));
        assert_eq!(failed(&cards.send("POST", USERS, data).await), as_failed(400, &[(place, code)]), "{country}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn user_of_brazil_needs_an_address_here_and_under_v1() {
    let cards = Cards::start().await;
    let zip = json!({ "zipcode": "01310-100", "zip_code": "", "city": "São Paulo" });
    let made = cards.made(of("BRA", "rui@example.com", &json!({ "legal_address": zip }))).await;
    assert_eq!(made["legal_address"]["zip_code"], "01310-100");
    assert!(made["legal_address"].get("zipcode").is_none(), "{made}");
    let path = format!("{USERS}{}", made["id"].as_str().unwrap());
    let cleared = cards.send("PATCH", &path, json!({ "legal_address": null })).await;
    assert_eq!(failed(&cleared), as_failed(400, &[("/data/legal_address", "required")]));
    let users = format!("/v1/segments/{}/users", cards.world.segment);
    for (more, status) in [(json!(null), 400), (json!({ "zip_code": "01310100" }), 201)] {
        let user = json!({ "email": "eva@example.com", "operation_country": "BRA", "legal_address": more });
        let reply = cards.world.send("POST", &users, user).await;
        assert_eq!(reply.status, status, "{reply:?}");
    }
}
