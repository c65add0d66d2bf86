//! Pages by number and by cursor.

use serde_json::{Value, json};

use crate::system::{Ana, Muster, Reply};

async fn with_addresses(count: usize) -> (Muster, Ana) {
    let muster = Muster::start().await;
    let ana = muster.ana().await;
    let all: Vec<_> = (0..count).map(|nth| json!({ "alias": format!("a{nth:03}") })).collect();
    for some in all.chunks(20) {
        assert_eq!(muster.post("/v1/users/me/addresses", json!(some)).by(&ana).send().await.status, 201);
    }
    (muster, ana)
}

fn aliases(reply: &Reply) -> Vec<String> {
    assert_eq!(reply.status, 200, "{reply:?}");
    reply.body["data"].as_array().unwrap().iter().map(|one| one["alias"].as_str().unwrap().to_owned()).collect()
}

fn expected(range: impl Iterator<Item = usize>) -> Vec<String> {
    range.map(|nth| format!("a{nth:03}")).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_page_is_reached_by_number_and_by_cursor_in_both_directions() {
    let (muster, ana) = with_addresses(45).await;
    for size in [1, 7, 20, 45, 100] {
        for sort in ["id", "-created_at"] {
            let base = format!("/v1/users/me/addresses?page[size]={size}&sort={sort}");
            let mut all = expected(0..45);
            if sort.starts_with('-') {
                all.reverse();
            }
            let pages: Vec<_> = all.chunks(size).map(<[String]>::to_vec).collect();
            for (at, page) in pages.iter().enumerate() {
                let reply = muster.get(&format!("{base}&page[number]={}", at + 1)).by(&ana).send().await;
                assert_eq!(&aliases(&reply), page);
                let expected = json!({ "number": at + 1, "size": size, "total_items": 45, "total_pages": pages.len() });
                assert_eq!(reply.body["page"], expected);
                assert_eq!(reply.body["links"]["next"].is_null(), at + 1 == pages.len());
                assert_eq!(reply.body["links"]["prev"].is_null(), at == 0);
            }
            let mut link = Value::from(base);
            for (at, page) in pages.iter().enumerate() {
                let reply = muster.get(link.as_str().unwrap()).by(&ana).send().await;
                assert_eq!((&aliases(&reply), &reply.body["page"]["number"]), (page, &json!(at + 1)));
                let header = reply.header("link");
                for rel in ["next", "prev"] {
                    let link = reply.body["links"][rel].as_str().map(|link| format!("<{link}>; rel=\"{rel}\""));
                    assert!(link.is_none_or(|link| header.contains(&link)), "{header}");
                }
                let next = reply.body["links"]["next"].clone();
                link = if next.is_null() { reply.body["links"]["prev"].clone() } else { next };
            }
            for (at, page) in pages.iter().enumerate().rev().skip(1) {
                let reply = muster.get(link.as_str().unwrap()).by(&ana).send().await;
                assert_eq!((&aliases(&reply), &reply.body["page"]["number"]), (page, &json!(at + 1)));
                link = reply.body["links"]["prev"].clone();
            }
            assert!(link.is_null(), "the first page has none before it");
        }
    }
    let beyond = muster.get("/v1/users/me/addresses?page[number]=99").by(&ana).send().await;
    assert_eq!(aliases(&beyond), expected(0..0));
    let last = muster.get(beyond.body["links"]["prev"].as_str().unwrap()).by(&ana).send().await;
    assert_eq!(aliases(&last), expected(40..45), "from behind the last page back to it");
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_that_come_and_go_between_pages_shift_no_other() {
    let (muster, ana) = with_addresses(20).await;
    let first = muster.get("/v1/users/me/addresses?page[size]=10").by(&ana).send().await;
    for gone in [0, 9] {
        let id = first.body["data"][gone]["id"].as_str().unwrap();
        assert_eq!(muster.delete(&format!("/v1/users/me/addresses/{id}")).by(&ana).send().await.status, 204);
    }
    let second = muster.get(first.body["links"]["next"].as_str().unwrap()).by(&ana).send().await;
    assert_eq!(aliases(&second), expected(10..20));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cursor_is_good_only_where_it_was_given() {
    let (muster, ana) = with_addresses(5).await;
    let eve = muster.ana().await;
    let first = muster.get("/v1/users/me/addresses?page[size]=2&sort=id").by(&ana).send().await;
    let link = first.body["links"]["next"].as_str().unwrap().to_owned();
    let cursor = link.split("page%5Bcursor%5D=").nth(1).unwrap().to_owned();
    let refused = |reply: Reply| {
        assert_eq!(reply.status, 400, "{reply:?}");
        assert_eq!(reply.errors(), [("/page[cursor]".to_owned(), "invalid_cursor".to_owned())]);
    };
    assert_eq!(muster.get(&link).by(&ana).send().await.status, 200);
    refused(muster.get(&link).by(&eve).send().await);
    let with = |path: &str, query: &str| format!("{path}?page[cursor]={cursor}{query}");
    refused(muster.get(&with("/v1/users/me/addresses", "")).by(&ana).send().await);
    refused(muster.get(&with("/v1/users/me/addresses", "&sort=-id")).by(&ana).send().await);
    refused(muster.get(&with("/v1/users/me/addresses", "&sort=id&filter[status]=true")).by(&ana).send().await);
    refused(muster.get(&with("/v1/users/me/history", "&sort=id")).by(&ana).send().await);
    for forged in ["x", "", &cursor[1..], &format!("{cursor}A"), &cursor.to_lowercase(), "%00", "../.."] {
        let reply = muster.get(&format!("/v1/users/me/addresses?sort=id&page[cursor]={forged}")).by(&ana).send().await;
        refused(reply);
    }
    let both = muster.get(&with("/v1/users/me/addresses", "&sort=id&page[number]=1")).by(&ana).send().await;
    assert_eq!(both.errors(), [("/page[cursor]".to_owned(), "exclusive".to_owned())]);
    let resized = muster.get(&with("/v1/users/me/addresses", "&sort=id&page[size]=3")).by(&ana).send().await;
    assert_eq!(aliases(&resized), expected(2..5), "the size may change on the way");
}
