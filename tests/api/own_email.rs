//! A user's e-mail: it counts once it is proved, and what was changed can be undone.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use local::Options;
use serde_json::{Value, json};

use crate::races::all;
use crate::system::{Ana, Muster, PASSWORD, Reply};
use crate::world::{World, as_refused, refused};

const NEW: &str = "new@example.com";
const VERIFY: &str = "/v1/users/me/email/verification";
const PENDING: &str = "/v1/users/me/email/pending";

impl Muster {
    /// Where the newest notice to an address leads: the path and the token.
    pub(crate) fn undo_link(&self, address: &str) -> (String, String) {
        let sent = self.outbox(Some(address));
        let notice = sent.iter().rev().find(|sent| sent.kind == "notice").unwrap();
        let url = notice.body.lines().find(|line| line.contains("/email/undo?token=")).unwrap();
        let (path, token) = url.trim().split_once("?token=").unwrap();
        (path[path.find("/v1/").unwrap()..].to_owned(), token.to_owned())
    }

    async fn me(&self, ana: &Ana) -> Value {
        let me = self.get("/v1/users/me").by(ana).send().await;
        assert_eq!(me.status, 200, "{me:?}");
        me.body
    }
}

/// What an id token says.
fn claims(tokens: &Reply) -> Value {
    let token = tokens.body["id_token"].as_str().unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(token.split('.').nth(1).unwrap()).unwrap()).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_email_counts_once_its_code_is_confirmed() {
    let muster = Muster::start().await;
    let ana = muster.ana().await;
    assert_eq!(muster.me(&ana).await["email_verified"], true);
    let body = json!({ "email": NEW, "name": "Ann" });
    let asked = muster.patch("/v1/users/me", body).by(&ana).send().await;
    let shown = (&asked.body["email"], &asked.body["pending_email"], &asked.body["name"]);
    assert_eq!(shown, (&json!(ana.email), &json!(NEW), &json!("Ann")), "{asked:?}");
    assert!(
        asked.header("ratelimit-policy").contains("recovery-account"),
        "codes to any address are limited: {asked:?}"
    );
    assert_eq!(muster.login(NEW, PASSWORD).await.status, 401);
    assert_eq!(muster.login(&ana.email, PASSWORD).await.status, 200);
    for code in ["000000", "garbage"] {
        let wrong = muster.post(VERIFY, json!({ "code": code })).by(&ana).send().await;
        assert_eq!(refused(&wrong), as_refused((400, "/code", "incorrect")), "{code}");
    }
    let code = json!({ "code": muster.code(NEW) });
    let moved = muster.post(VERIFY, code.clone()).by(&ana).send().await;
    let shown = (&moved.body["email"], &moved.body["pending_email"], &moved.body["email_verified"]);
    assert_eq!(shown, (&json!(NEW), &Value::Null, &json!(true)), "{moved:?}");
    assert_eq!(muster.login(&ana.email, PASSWORD).await.status, 401);
    let tokens = muster.login(NEW, PASSWORD).await;
    assert_eq!((&claims(&tokens)["email"], &claims(&tokens)["email_verified"]), (&json!(NEW), &json!(true)));
    assert_eq!(claims(&tokens)["segment_id"], Value::Null, "a master user is of no segment");
    let again = muster.post(VERIFY, code).by(&ana).send().await;
    assert_eq!(refused(&again), as_refused((409, "", "not_pending")));
    let history = muster.get("/v1/users/me/history").by(&ana).send().await.text;
    assert!(!history.contains(NEW) && history.contains("pending_email"), "{history}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stolen_token_alone_changes_no_email() {
    let muster = Muster::start().await;
    let ana = muster.ana().await;
    muster.sign_ins_age();
    let refreshed = muster.post("/v1/auth/refresh", json!({ "refresh_token": ana.refresh })).send().await;
    let old = Ana::of(ana.email.clone(), &refreshed);
    let patch = async |body: Value| muster.patch("/v1/users/me", body).by(&old).send().await;
    for body in [json!({ "email": NEW }), json!({ "email": NEW, "current_password": null })] {
        assert_eq!(refused(&patch(body).await), as_refused((400, "/current_password", "required")));
    }
    let wrong = patch(json!({ "email": NEW, "current_password": "a wrong password" })).await;
    assert_eq!(refused(&wrong), as_refused((400, "/current_password", "incorrect")));
    assert_eq!(patch(json!({ "email": NEW, "current_password": 5 })).await.status, 400);
    assert!(muster.outbox(Some(NEW)).is_empty(), "no code is sent");
    assert_eq!(muster.me(&old).await["pending_email"], Value::Null);
    assert_eq!(patch(json!({ "name": "Ann" })).await.status, 200, "all else needs no password");
    assert_eq!(patch(json!({ "email": NEW, "current_password": PASSWORD })).await.body["pending_email"], NEW);
    let whole = muster.whole_table().await;
    assert!(!whole.contains(PASSWORD) && !whole.contains("current_password"), "the password is kept nowhere");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pending_email_is_in_nobodys_way_and_can_be_dropped() {
    let muster = Muster::start().await;
    let (ana, eve) = (muster.ana().await, muster.ana().await);
    muster.patch("/v1/users/me", json!({ "email": NEW })).by(&ana).send().await;
    let code = muster.code(NEW);
    assert_eq!(muster.email_moves(&eve, NEW).await.status, 200, "somebody else proves it first");
    let late = muster.post(VERIFY, json!({ "code": code })).by(&ana).send().await;
    assert_eq!(refused(&late), as_refused((409, "/email", "taken")));
    assert_eq!(muster.me(&ana).await["email"], json!(ana.email));
    muster.post("/v1/auth/recovery", json!({ "email": ana.email })).send().await;
    assert_eq!(muster.outbox(Some(&ana.email)).last().unwrap().kind, "recovery", "codes go to the e-mail of the table");
    for _ in 0..2 {
        assert_eq!(muster.call("DELETE", PENDING).by(&ana).send().await.status, 204);
    }
    assert_eq!(muster.me(&ana).await["pending_email"], Value::Null);
    let gone = muster.post(VERIFY, json!({ "code": code })).by(&ana).send().await;
    assert_eq!(refused(&gone), as_refused((409, "", "not_pending")));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_never_says_that_an_address_is_taken_before_it_is_proved() {
    let muster = Muster::start().await;
    let (ana, eve) = (muster.ana().await, muster.ana().await);
    let mut told = Vec::new();
    for email in [eve.email.as_str(), "nobody@example.com"] {
        let asked = muster.patch("/v1/users/me", json!({ "email": email })).by(&ana).send().await;
        let wrong = muster.post(VERIFY, json!({ "code": "000000" })).by(&ana).send().await;
        let mut keys: Vec<_> = asked.body.as_object().unwrap().keys().cloned().collect();
        keys.sort();
        told.push((asked.status, keys, refused(&wrong)));
    }
    assert_eq!(told[0], told[1]);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_who_prove_one_address_at_once_one_gets_it() {
    let muster = Muster::start().await;
    let mut people = Vec::new();
    for _ in 0..8 {
        let ana = muster.ana().await;
        muster.patch("/v1/users/me", json!({ "email": NEW })).by(&ana).send().await;
        people.push((muster.code(NEW), ana));
    }
    let proofs = people.iter().map(|(code, ana)| muster.post(VERIFY, json!({ "code": code })).by(ana).send());
    let mut statuses: Vec<_> = all(proofs).await.iter().map(|reply| reply.status.as_u16()).collect();
    statuses.sort_unstable();
    assert_eq!(statuses, [vec![200], vec![409; 7]].concat());
    for (_, ana) in &people {
        let email = muster.me(ana).await["email"].as_str().unwrap().to_owned();
        muster.post("/v1/auth/recovery", json!({ "email": email })).send().await;
        assert_eq!(muster.outbox(Some(&email)).last().unwrap().kind, "recovery", "{email}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_former_address_is_told_and_can_undo() {
    let muster = Muster::start().await;
    let ana = muster.ana().await;
    assert_eq!(muster.patch("/v1/users/me", json!({ "language": "es-MX" })).by(&ana).send().await.status, 200);
    assert_eq!(muster.email_moves(&ana, NEW).await.status, 200);
    let notice = muster.outbox(Some(&ana.email)).into_iter().rev().find(|sent| sent.kind == "notice").unwrap();
    assert!(notice.body.starts_with("Se cambió el correo de tu cuenta") && notice.body.contains("(UTC)"), "{notice:?}");
    let (first_path, first) = muster.undo_link(&ana.email);
    assert!(!muster.whole_table().await.contains(&first[3..]), "the table has the token");
    // Whoever has taken the account over changes it once more.
    assert_eq!(muster.email_moves(&ana, "newer@example.com").await.status, 200);
    let (_, second) = muster.undo_link(NEW);
    muster.patch("/v1/users/me", json!({ "email": "newest@example.com" })).by(&ana).send().await;

    let page = muster.get(&format!("{first_path}?token={first}")).send().await;
    assert!(page.status == 200 && page.text.contains("method=\"post\"") && page.text.contains(&first), "{page:?}");
    let undo = async |token: &str| muster.post(&first_path, json!({ "token": token })).send().await;
    let form = muster.call("POST", &first_path).raw("application/x-www-form-urlencoded", format!("token={first}"));
    assert_eq!(form.send().await.status, 204);
    assert_eq!(muster.get("/v1/users/me").by(&ana).send().await.status, 401, "all sessions end");
    for used in [&first, &second] {
        assert_eq!(
            refused(&undo(used).await),
            as_refused((400, "/token", "invalid_token")),
            "nothing gives it away again"
        );
    }
    muster.seconds_pass().await;
    let back = Ana::of(ana.email.clone(), &muster.login(&ana.email, PASSWORD).await);
    let me = muster.me(&back).await;
    assert_eq!((&me["pending_email"], &me["email_verified"]), (&Value::Null, &json!(true)));
    for other in [NEW, "newer@example.com"] {
        assert_eq!(muster.login(other, PASSWORD).await.status, 401);
    }
    let late = muster.post(VERIFY, json!({ "code": muster.code("newest@example.com") })).by(&back).send().await;
    assert_eq!(refused(&late), as_refused((409, "", "not_pending")));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_undo_is_for_its_user_for_a_week_and_gives_way_to_who_has_the_address() {
    let muster = Muster::start().await;
    let (ana, eve) = (muster.ana().await, muster.ana().await);
    assert_eq!(muster.email_moves(&ana, NEW).await.status, 200);
    let (path, token) = muster.undo_link(&ana.email);
    for (path, token) in [
        (format!("/v1/users/{}/email/undo", eve.id), token.clone()),
        (path.clone(), edge::UndoToken::fresh(ana.id.parse().unwrap()).unwrap().reveal().to_owned()),
        (path.clone(), "garbage".to_owned()),
    ] {
        let reply = muster.post(&path, json!({ "token": token })).send().await;
        assert_eq!(refused(&reply), as_refused((400, "/token", "invalid_token")));
    }
    assert_eq!(muster.email_moves(&eve, &ana.email).await.status, 200, "the address is free");
    let taken = muster.post(&path, json!({ "token": token })).send().await;
    assert_eq!(refused(&taken), as_refused((409, "/email", "taken")));
    assert_eq!(muster.email_moves(&eve, &eve.email).await.status, 200);
    let long_ago = aws_sdk_dynamodb::types::AttributeValue::N("1".to_owned());
    muster.age("expires_at", long_ago).await;
    let late = muster.post(&path, json!({ "token": token })).send().await;
    assert_eq!(refused(&late), as_refused((400, "/token", "invalid_token")));
    assert_eq!(muster.me(&ana).await["email"], NEW);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_sender_emails_change_and_nothing_is_kept_to_undo() {
    let muster = Muster::with(Options { sends_mail: false, ..Options::default() }).await;
    let ana = muster.ana().await;
    assert_eq!(muster.email_moves(&ana, NEW).await.status, 200);
    assert!(muster.outbox(Some(&ana.email)).iter().all(|sent| sent.kind != "notice"));
    assert!(!muster.whole_table().await.contains(&ana.email), "the former address is kept");
}

async fn eva(world: &World, fields: Value) -> (String, Ana, Reply) {
    let mut fields = fields;
    fields["password"] = PASSWORD.into();
    let user = world.user(fields.clone()).await;
    let login = json!({ "email": fields["email"], "password": PASSWORD, "segment_id": world.segment });
    let tokens = world.muster.post("/v1/auth/login", login).send().await;
    (user, Ana::of(fields["email"].as_str().unwrap().to_owned(), &tokens), tokens)
}

#[tokio::test(flavor = "multi_thread")]
async fn an_id_token_calls_an_email_verified_only_where_it_was_proved() {
    let world = World::start().await;
    let muster = &world.muster;
    let (user, own, tokens) = eva(&world, json!({ "email": "eva@example.com" })).await;
    assert_eq!(claims(&tokens)["email_verified"], false, "the owner wrote it");
    assert_eq!(claims(&tokens)["segment_id"], json!(world.segment));
    assert_eq!(muster.me(&own).await["email_verified"], false);
    // The user proves the address that it has.
    let resend = format!("{VERIFY}/resend");
    assert_eq!(muster.call("POST", &resend).by(&own).send().await.status, 202);
    let code = json!({ "code": muster.code("eva@example.com") });
    let proved = muster.post(VERIFY, code).by(&own).send().await;
    assert_eq!((proved.status.as_u16(), &proved.body["email_verified"]), (200, &json!(true)), "{proved:?}");
    let refresh = json!({ "refresh_token": own.refresh });
    let refreshed = muster.post("/v1/auth/refresh", refresh.clone()).send().await;
    assert_eq!(
        (&claims(&refreshed)["email_verified"], &claims(&refreshed)["segment_id"]),
        (&json!(true), &json!(world.segment))
    );
    assert_eq!(refused(&muster.call("POST", &resend).by(&own).send().await), as_refused((409, "", "not_pending")));
    // The owner changes it at once, and it is not proved any more.
    let moved = world.send("PATCH", &format!("/v1/users/{user}"), json!({ "email": NEW })).await;
    assert_eq!((&moved.body["email"], &moved.body["email_verified"]), (&json!(NEW), &json!(false)), "{moved:?}");
    let login = json!({ "email": NEW, "password": PASSWORD, "segment_id": world.segment });
    assert_eq!(claims(&muster.post("/v1/auth/login", login).send().await)["email_verified"], false);
    // A recovery by that address proves it.
    let recovery = json!({ "email": NEW, "segment_id": world.segment });
    assert_eq!(muster.post("/v1/auth/recovery", recovery).send().await.status, 202);
    let login = json!({ "email": NEW, "password": PASSWORD, "segment_id": world.segment });
    assert_eq!(
        claims(&muster.post("/v1/auth/login", login).send().await)["email_verified"],
        false,
        "a code is no proof"
    );
    let body = json!({
        "email": NEW, "segment_id": world.segment, "code": muster.recovery_code(NEW), "new_password": "staple battery horse",
    });
    assert_eq!(muster.post("/v1/auth/recovery/confirm", body).send().await.status, 204);
    muster.seconds_pass().await;
    let login = json!({ "email": NEW, "password": "staple battery horse", "segment_id": world.segment });
    assert_eq!(claims(&muster.post("/v1/auth/login", login).send().await)["email_verified"], true);
}

#[tokio::test(flavor = "multi_thread")]
async fn recovery_codes_go_to_the_address_of_the_table_whatever_a_token_wrote_to_cognito() {
    let muster = Muster::start().await;
    let ana = muster.ana().await;
    let cognito = muster.cognito();
    let attribute =
        aws_sdk_cognitoidentityprovider::types::AttributeType::builder().name("email").value("eve@example.com");
    let wrote = cognito.update_user_attributes().access_token(&ana.access).user_attributes(attribute.build().unwrap());
    wrote.send().await.unwrap();
    let code = muster.code("eve@example.com");
    let proved = cognito.verify_user_attribute().access_token(&ana.access).attribute_name("email").code(code);
    proved.send().await.unwrap();
    muster.post("/v1/auth/recovery", json!({ "email": ana.email })).send().await;
    assert_eq!(muster.outbox(Some(&ana.email)).last().unwrap().kind, "recovery");
    assert!(muster.outbox(Some("eve@example.com")).iter().all(|sent| sent.kind != "recovery"));
}

/// Asks Cognito itself, past Muster, for a code to an address, as each access token can: the code.
async fn code_from_cognito(muster: &Muster, own: &Ana, address: &str) -> Value {
    let attribute = aws_sdk_cognitoidentityprovider::types::AttributeType::builder().name("email").value(address);
    let asked = muster.cognito().update_user_attributes().access_token(&own.access);
    asked.user_attributes(attribute.build().unwrap()).send().await.unwrap();
    json!({ "code": muster.code(address) })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_proves_the_address_that_it_was_sent_to_and_no_other() {
    let muster = Muster::start().await;
    let ana = muster.ana().await;
    let asked = muster.patch("/v1/users/me", json!({ "email": "victim@example.com" })).by(&ana).send().await;
    assert_eq!(asked.body["pending_email"], "victim@example.com", "{asked:?}");
    let code = code_from_cognito(&muster, &ana, "own@example.com").await;
    let wrong = muster.post(VERIFY, code).by(&ana).send().await;
    assert_eq!(refused(&wrong), as_refused((400, "/code", "incorrect")));
    let audit = muster.get("/v1/audit?action=email.code_rejected").by(&ana).send().await;
    let rejected = &audit.body["data"][0];
    assert_eq!((&rejected["actor"]["id"], &rejected["result"]), (&json!(ana.id), &json!("failed")), "{audit:?}");
    assert_eq!(muster.me(&ana).await["email"], json!(ana.email));
    assert_eq!(muster.login("victim@example.com", PASSWORD).await.status, 401);
    let tokens = muster.login(&ana.email, PASSWORD).await;
    assert_eq!(claims(&tokens)["email"], json!(ana.email), "Cognito has the address of the table again");
    // Whoever reads what is sent there goes on.
    assert_eq!(muster.call("POST", &format!("{VERIFY}/resend")).by(&ana).send().await.status, 202);
    let code = json!({ "code": muster.code("victim@example.com") });
    let proved = muster.post(VERIFY, code).by(&ana).send().await;
    assert_eq!((proved.status.as_u16(), &proved.body["email"]), (200, &json!("victim@example.com")), "{proved:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_for_another_address_does_not_verify_the_one_that_the_owner_wrote() {
    let world = World::start().await;
    let (_, own, _) = eva(&world, json!({ "email": "eva@example.com" })).await;
    let code = code_from_cognito(&world.muster, &own, "own@example.com").await;
    let wrong = world.muster.post(VERIFY, code).by(&own).send().await;
    assert_eq!(refused(&wrong), as_refused((400, "/code", "incorrect")));
    assert_eq!(world.muster.me(&own).await["email_verified"], false);
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_takes_its_own_email_away_without_a_proof() {
    let world = World::start().await;
    let segment = format!("/v1/segments/{}", world.segment);
    let settings = json!({ "settings": { "required_user_fields": [] } });
    assert_eq!(world.send("PATCH", &segment, settings).await.status, 200);
    let (user, own, _) = eva(&world, json!({ "email": "eva@example.com", "username": "eva" })).await;
    let none = || json!({ "email": null });
    assert_eq!(world.muster.patch("/v1/users/me", none()).by(&own).send().await.status, 403);
    assert_eq!(world.muster.me(&own).await["email"], "eva@example.com");
    let by_owner = world.send("PATCH", &format!("/v1/users/{user}"), none()).await;
    assert_eq!((by_owner.status.as_u16(), &by_owner.body["email"]), (200, &Value::Null), "{by_owner:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn only_the_user_itself_proves_its_email() {
    let world = World::start().await;
    let (user, own, _) = eva(&world, json!({ "email": "eva@example.com" })).await;
    world.muster.patch("/v1/users/me", json!({ "email": NEW })).by(&own).send().await;
    let path = format!("/v1/users/{user}/email");
    let body = json!({ "code": world.muster.code(NEW) });
    assert_eq!(world.send("POST", &format!("{path}/verification"), body.clone()).await.status, 403);
    assert_eq!(world.call("POST", &format!("{path}/verification/resend")).send().await.status, 403);
    let with_password = json!({ "email": "other@example.com", "current_password": PASSWORD });
    let refusal = world.send("PATCH", &format!("/v1/users/{user}"), with_password).await;
    assert_eq!(refused(&refusal), as_refused((400, "/current_password", "not_applicable")));
    // The owner's change drops what waits.
    let moved = world.send("PATCH", &format!("/v1/users/{user}"), json!({ "email": "other@example.com" })).await;
    assert_eq!(moved.body["pending_email"], Value::Null, "{moved:?}");
    let late = world.muster.post(VERIFY, body).by(&own).send().await;
    assert!(matches!(refused(&late).0, 400 | 409), "{late:?}");
    let me = world.muster.me(&own).await;
    assert_eq!((&me["email"], &me["email_verified"]), (&json!("other@example.com"), &json!(false)));
}
