//! The grammar of the list, to the letter.

use serde_json::{Value, json};

use super::{Cards, USERS, as_failed, failed};

/// The names of the rows of a list.
fn names(body: &Value) -> Vec<&str> {
    body["data"].as_array().unwrap().iter().map(|row| row["name"].as_str().unwrap_or("-")).collect()
}

async fn people(cards: &Cards) -> Value {
    let world = &cards.world;
    let partner = json!({ "commercial_name": "A" });
    let partner = world.muster.made(&world.ana, &format!("/v1/segments/{}/partners", world.segment), partner).await;
    for (name, surname, gender, kind, number) in [
        ("Ana", "López", "FEMALE", "DNI", "20123456"),
        ("Eva", "Ruiz", "FEMALE", "PASSPORT", "AA11"),
        ("Leo", "Lopez", "MALE", "DNI", "10123456"),
        ("Noé", "Gil", "OTHER", "LE", "1234567"),
    ] {
        let mut data = json!({
            "name": name, "surname": surname, "gender": gender, "identification_type": kind, "identification_value": number,
            "email": format!("{}@example.com", name.to_lowercase().replace('é', "e")), "operation_country": "ARG",
            "birthdate": "1990-02-28", "tax_condition": "MONO"
        });
        if name == "Eva" {
            data["company_id"] = partner["id"].clone();
            data["tax_identification_type"] = json!("CUIL");
            data["tax_identification_value"] = json!("20055361682");
            data["birthdate"] = json!("1991-01-01");
        }
        let made = cards.made(data).await;
        if name == "Noé" {
            let path = format!("{USERS}{}", made["id"].as_str().unwrap());
            let block = json!({ "status": "BLOCKED", "status_reason": "CLIENT_INTERNAL_REASON" });
            assert_eq!(cards.send("PATCH", &path, block).await.status, 200);
        }
    }
    partner["id"].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn each_filter_and_sort_of_the_table_is_taken() {
    let cards = Cards::start().await;
    let partner = people(&cards).await;
    let partner = format!("filter[company_id]={}", partner.as_str().unwrap());
    for (query, expected) in [
        ("", vec!["Ana", "Eva", "Leo", "Noé"]),
        ("sort=-id", vec!["Noé", "Leo", "Eva", "Ana"]),
        ("sort=status,-gender", vec!["Leo", "Ana", "Eva", "Noé"]),
        ("sort=identification_type,-identification_value", vec!["Ana", "Leo", "Noé", "Eva"]),
        ("filter[gender]=FEMALE,OTHER", vec!["Ana", "Eva", "Noé"]),
        ("filter[status]=BLOCKED", vec!["Noé"]),
        ("filter[status]=ACTIVE,BLOCKED&filter[gender]=MALE,OTHER", vec!["Leo", "Noé"]),
        ("filter[identification_type]=DNI", vec!["Ana", "Leo"]),
        ("filter[identification_value]=20.123.456,aa11", vec!["Ana", "Eva"]),
        ("filter[name]=ana,noe", vec!["Ana", "Noé"]),
        ("filter[surname]=lopez", vec!["Ana", "Leo"]),
        ("filter[email]=LEO@example.com", vec!["Leo"]),
        ("filter[birthdate]=1991-01-01", vec!["Eva"]),
        ("filter[tax_identification_type]=CUIL", vec!["Eva"]),
        ("filter[tax_identification_value]=20-05536168-2", vec!["Eva"]),
        ("filter[tax_condition]=MONO&filter[gender]=MALE", vec!["Leo"]),
        ("filter[country_code]=ARG&filter[surname]=gil", vec!["Noé"]),
        ("filter[country_code]=BRA", vec![]),
        (&partner, vec!["Eva"]),
    ] {
        let reply = cards.get(&format!("{USERS}?{query}")).await;
        assert_eq!(reply.status, 200, "{query} {reply:?}");
        assert_eq!(names(&reply.body), expected, "{query}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_are_asked_for_and_told_from_zero() {
    let cards = Cards::start().await;
    people(&cards).await;
    for (query, expected, pages, current) in [
        ("page[size]=3", vec!["Ana", "Eva", "Leo"], 2, 0),
        ("page[size]=3&page[number]=&sort=%20", vec!["Ana", "Eva", "Leo"], 2, 0),
        ("page[size]=3&page[number]=0", vec!["Ana", "Eva", "Leo"], 2, 0),
        ("page[size]=3&page[number]=1", vec!["Noé"], 2, 1),
        ("page[size]=3&page[number]=8", vec![], 2, 8),
        ("page[size]=3&page[number]=999999", vec![], 2, 999_999),
        ("filter[status]=ACTIVE&page[size]=2&page[number]=1", vec!["Leo"], 2, 1),
        ("filter%5Bstatus%5D=ACTIVE&sort=-id%2Cstatus&page%5Bsize%5D=2", vec!["Leo", "Eva"], 2, 0),
    ] {
        let reply = cards.get(&format!("{USERS}?{query}")).await;
        assert_eq!(names(&reply.body), expected, "{query}");
        let pagination = json!({ "total_pages": pages, "current_page": current });
        assert_eq!(reply.body["meta"]["pagination"], pagination, "{query}");
    }
    let filtered = cards.get(&format!("{USERS}?filter[surname]=lopez,gil&filter[status]=ACTIVE&sort=id")).await;
    let filters =
        json!([{ "field": "surname", "values": ["lopez", "gil"] }, { "field": "status", "values": ["ACTIVE"] }]);
    assert_eq!(filtered.body["meta"]["filters"], filters);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_or_misspelt_parameter_is_an_error_that_names_it() {
    let cards = Cards::start().await;
    for (query, parameter, code) in [
        ("page[nmber]=1", "page[nmber]", "unknown"),
        ("page=1", "page", "unknown"),
        ("page[cursor]=x", "page[cursor]", "unknown"),
        ("sorted=id", "sorted", "unknown"),
        ("filter=ACTIVE", "filter", "unknown"),
        ("filter[surnam]=x", "filter[surnam]", "unknown"),
        // What `/v1` calls so is not known here.
        ("filter[last_name]=x", "filter[last_name]", "unknown"),
        ("filter[operation_country]=ARG", "filter[operation_country]", "unknown"),
        ("filter[id]=x", "filter[id]", "unknown"),
        ("filter[birthdate][gte]=1990-01-01", "filter[birthdate][gte]", "unknown"),
        ("excluded=true", "excluded", "unknown"),
        ("sort=email", "sort", "unknown"),
        ("sort=status,status", "sort", "repeated"),
        ("page[number]=-1", "page[number]", "out_of_range"),
        ("page[number]=1000000", "page[number]", "out_of_range"),
        ("page[number]=0&page[number]=1", "page[number]", "repeated"),
        ("page[size]=101", "page[size]", "out_of_range"),
        ("page[size]=x", "page[size]", "out_of_range"),
        ("filter[status]=DELETED", "filter[status]", "invalid_choice"),
        ("filter[gender]=F", "filter[gender]", "invalid_choice"),
        ("filter[surname]=", "filter[surname]", "required"),
        ("filter[birthdate]=1990", "filter[birthdate]", "invalid_date"),
        ("filter[name]=a&filter[name]=b", "filter[name]", "repeated"),
    ] {
        let reply = cards.get(&format!("{USERS}?{query}")).await;
        assert_eq!(failed(&reply), as_failed(400, &[(parameter, code)]), "{query}");
    }
    let several = cards.get(&format!("{USERS}?colour=red&filter[x]=1")).await;
    assert_eq!(failed(&several), as_failed(400, &[("colour", "unknown"), ("filter[x]", "unknown")]));
}

#[tokio::test(flavor = "multi_thread")]
async fn filters_are_told_as_they_were_meant() {
    let cards = Cards::start().await;
    for (query, values) in [
        ("filter[email]=a+b@example.com", json!(["a+b@example.com"])),
        (r"filter[surname]=Sur%5C,%200,B*", json!(["Sur, 0", "B*"])),
    ] {
        let reply = cards.get(&format!("{USERS}?{query}")).await;
        assert_eq!(reply.body["meta"]["filters"][0]["values"], values, "{reply:?}");
    }
}
