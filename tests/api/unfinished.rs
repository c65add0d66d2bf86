//! Work that a failure has cut in two: the same request completes it, and no failure leaves a user that nothing helps.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use aws_sdk_dynamodb::types::AttributeValue;
use axum::http::StatusCode;
use serde_json::{Value, json};

use crate::crashes::still;
use crate::dialects::platform::Platform;
use crate::faults::{Phase, Plan, Verdict, functions_behind, lost};
use crate::system::{Ana, PASSWORD};
use crate::world::{World, id};

const NEW_PASSWORD: &str = "staple battery horse";

/// The errors of Cognito that any of its operations may answer, with the status of each.
const ERRORS: [(&str, u16); 14] = [
    ("InternalErrorException", 500),
    ("ServiceUnavailable", 503),
    ("TooManyRequestsException", 400),
    ("LimitExceededException", 400),
    ("NotAuthorizedException", 400),
    ("UserNotFoundException", 400),
    ("UserNotConfirmedException", 400),
    ("UsernameExistsException", 400),
    ("AliasExistsException", 400),
    ("InvalidParameterException", 400),
    ("InvalidPasswordException", 400),
    ("ResourceNotFoundException", 400),
    ("UserLambdaValidationException", 400),
    ("AccessDeniedException", 400),
];

/// A failure of one operation of Cognito, before it is carried out or after.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Fault {
    operation: String,
    phase: Phase,
    error: (&'static str, u16),
}

/// Functions whose Cognito fails as long as a fault is set, and which tell the operations that they call.
struct Faulty {
    url: String,
    fault: Arc<Mutex<Option<Fault>>>,
    called: Arc<Mutex<BTreeSet<String>>>,
}

impl Faulty {
    async fn on(world: &World) -> Self {
        let (fault, called) = (Arc::<Mutex<Option<Fault>>>::default(), Arc::<Mutex<BTreeSet<String>>>::default());
        let (set, told) = (fault.clone(), called.clone());
        let plan: Plan = Arc::new(move |operation, _, phase| {
            told.lock().unwrap().insert(operation.to_owned());
            let fault = set.lock().unwrap();
            match fault.as_ref().filter(|fault| fault.operation == operation && fault.phase == phase) {
                Some(fault) => {
                    let (name, status) = fault.error;
                    let body = json!({ "__type": name, "message": "as the test says" });
                    Verdict::Answer(StatusCode::from_u16(status).unwrap(), body)
                }
                None => Verdict::Pass,
            }
        });
        Self { url: functions_behind(&world.muster, plan).await, fault, called }
    }

    async fn send(&self, request: &Request, key: &str) -> (u16, Value) {
        let Request { method, path, body, by } = request;
        let method = reqwest::Method::from_bytes(method.as_bytes()).unwrap();
        let mut call = reqwest::Client::new().request(method, format!("{}{path}", self.url));
        if let Some(token) = by {
            call = call.bearer_auth(token);
        }
        if !body.is_null() {
            call = call.header("content-type", "application/json").body(body.to_string());
        }
        let reply = call.header("idempotency-key", key).send().await.unwrap();
        let status = reply.status().as_u16();
        (status, serde_json::from_str(&reply.text().await.unwrap()).unwrap_or_default())
    }
}

/// A request that spans the table and Cognito.
#[derive(Debug, Clone)]
struct Request {
    method: &'static str,
    path: String,
    body: Value,
    by: Option<String>,
}

/// The ways in which a user of a segment gets into each kind of pending change.
#[derive(Debug, Clone, Copy)]
enum Way {
    Create,
    FirstPassword,
    NewPassword,
    OwnPassword,
    Recover,
    Email,
    Purge,
}

impl Way {
    /// A request of this way, about the user whose id is answered too, if it is there.
    async fn prepare(self, world: &World) -> (Request, Option<Ana>) {
        let muster = &world.muster;
        let by = Some(world.ana.access.clone());
        let email = format!("{}@example.com", domain::UserId::fresh());
        if matches!(self, Self::Create) {
            let body = json!({ "email": email, "name": "Eva", "password": PASSWORD });
            let path = format!("/v1/segments/{}/users", world.segment);
            return (Request { method: "POST", path, body, by }, None);
        }
        let user = if matches!(self, Self::FirstPassword) {
            let id = world.user(json!({ "email": email })).await;
            Ana { id, email, access: String::new(), refresh: String::new() }
        } else {
            let id = world.proved_user(json!({ "email": email, "password": PASSWORD })).await;
            let login = json!({ "email": email, "password": PASSWORD, "segment_id": world.segment });
            let tokens = muster.post("/v1/auth/login", login).send().await;
            Ana { id, ..Ana::of(email, &tokens) }
        };
        let path = format!("/v1/users/{}", user.id);
        let request = match self {
            Self::Create => unreachable!("is answered above"),
            Self::FirstPassword | Self::NewPassword => {
                let body = json!({ "new_password": NEW_PASSWORD });
                Request { method: "POST", path: format!("{path}/password"), body, by }
            }
            Self::OwnPassword => {
                let body = json!({ "old_password": PASSWORD, "new_password": NEW_PASSWORD });
                Request { method: "POST", path: format!("{path}/password"), body, by: Some(user.access.clone()) }
            }
            Self::Recover => {
                let asked = json!({ "email": user.email, "segment_id": world.segment });
                assert_eq!(muster.post("/v1/auth/recovery", asked).send().await.status, 202);
                let body = json!({ "email": user.email, "segment_id": world.segment,
                    "code": muster.recovery_code(&user.email), "new_password": NEW_PASSWORD });
                Request { method: "POST", path: "/v1/auth/recovery/confirm".to_owned(), body, by: None }
            }
            Self::Email => {
                let body = json!({ "email": format!("{}@example.com", domain::UserId::fresh()) });
                Request { method: "PATCH", path, body, by }
            }
            Self::Purge => Request { method: "DELETE", path: format!("{path}?purge=true"), body: Value::Null, by },
        };
        (request, Some(user))
    }

    fn done(self) -> u16 {
        match self {
            Self::Create => 201,
            Self::Email => 200,
            Self::FirstPassword | Self::NewPassword | Self::OwnPassword | Self::Recover | Self::Purge => 204,
        }
    }
}

impl World {
    /// A world whose segment takes users without an e-mail, and whose reconciler does nothing by itself.
    async fn without_required_fields() -> Self {
        let world = Self::on(still().await, json!({ "name": "Club" })).await;
        let free = json!({ "settings": { "required_user_fields": [] } });
        assert_eq!(world.send("PATCH", &format!("/v1/segments/{}", world.segment), free).await.status, 200);
        world
    }

    /// A user of the segment that has proved its address.
    async fn proved_user(&self, fields: Value) -> String {
        let user = self.user(fields).await;
        let set = self.muster.dynamodb().update_item().table_name(&self.muster.wiring.table);
        let set = set.key("PK", AttributeValue::S(format!("U#{user}"))).key("SK", AttributeValue::S("U".to_owned()));
        let set = set.update_expression("SET email_verified = :yes");
        set.expression_attribute_values(":yes", AttributeValue::Bool(true)).send().await.unwrap();
        user
    }

    /// Checks that a user can be changed, and can log in or get a new password.
    async fn is_helped(&self, user: &str, case: &str) {
        let changed = self.send("PATCH", &format!("/v1/users/{user}"), json!({ "name": "Changed" })).await;
        assert_eq!(changed.status, 200, "{case}: {changed:?}");
        let email = changed.body["email"].as_str().unwrap();
        self.muster.seconds_pass().await;
        if self.logs_in(email, PASSWORD).await.status == 200 || self.logs_in(email, NEW_PASSWORD).await.status == 200 {
            return;
        }
        self.gets_a_password((user, email), case).await;
        self.muster.seconds_pass().await;
        assert_eq!(self.logs_in(email, "a third password").await.status, 200, "{case}");
    }

    /// Gives a user a new password by a code; or, where it never had one, as whoever has the segment.
    async fn gets_a_password(&self, (user, email): (&str, &str), case: &str) {
        let recovery = json!({ "email": email, "segment_id": self.segment });
        assert_eq!(self.muster.post("/v1/auth/recovery", recovery).send().await.status, 202, "{case}");
        let is_sent = self.muster.outbox(Some(email)).iter().any(|sent| sent.kind == "recovery");
        let set = if is_sent {
            let code = self.muster.recovery_code(email);
            let body =
                json!({ "email": email, "segment_id": self.segment, "code": code, "new_password": "a third password" });
            self.muster.post("/v1/auth/recovery/confirm", body).send().await
        } else {
            let body = json!({ "new_password": "a third password" });
            self.send("POST", &format!("/v1/users/{user}/password"), body).await
        };
        assert_eq!(set.status, 204, "{case}: {set:?}");
    }

    async fn every_identity_has_a_user(&self, case: &str) {
        let users: BTreeSet<_> = self.muster.items("U#").await.into_iter().collect();
        for identity in self.muster.identities().await {
            assert!(users.contains(&format!("U#{identity}")), "{case}: an identity without a user");
        }
    }

    /// Everything of a way that may fail once, does; then the same request is repeated.
    async fn fails_once(way: Way) {
        let world = Self::on(still().await, json!({ "name": "Club" })).await;
        let faulty = Faulty::on(&world).await;
        let (request, _) = way.prepare(&world).await;
        faulty.called.lock().unwrap().clear();
        assert_eq!(faulty.send(&request, "dry").await.0, way.done(), "{way:?}");
        let operations = faulty.called.lock().unwrap().clone();
        let cognito = operations.iter().filter(|name| name.contains("User") || name.contains("Password"));
        let operations: Vec<_> = cognito.cloned().collect();
        assert!(!operations.is_empty(), "{way:?}");
        let faults = operations.iter().flat_map(|operation| {
            let before = ERRORS.map(|error| (Phase::Before, error));
            let after = [(Phase::After, ERRORS[0])];
            let all = before.into_iter().chain(after);
            // Whoever deletes is told by it that there is nothing to delete, which must not be a lie.
            let is_lie = move |error: (&str, u16)| operation == "AdminDeleteUser" && error.0 == "UserNotFoundException";
            all.filter(move |(_, error)| !is_lie(*error)).map(|(phase, error)| Fault {
                operation: operation.clone(),
                phase,
                error,
            })
        });
        for (nth, fault) in faults.enumerate() {
            world.fails_by(&faulty, (way, nth), fault).await;
        }
    }

    async fn fails_by(&self, faulty: &Faulty, (way, nth): (Way, usize), fault: Fault) {
        let case = format!("{way:?}: {fault:?}");
        let (request, user) = way.prepare(self).await;
        *faulty.fault.lock().unwrap() = Some(fault);
        let key = format!("{way:?}-{nth}");
        let (status, body) = faulty.send(&request, &key).await;
        *faulty.fault.lock().unwrap() = None;
        let (again, repeated) = faulty.send(&request, &key).await;
        if matches!(way, Way::Create) && (status >= 500 || status == 429) {
            assert_eq!(again, way.done(), "{case}: {status} {body}, and then {repeated}");
        }
        self.muster.reconcile().await;
        let created = repeated["id"].as_str().filter(|_| again == 201);
        if let Some(user) = user.as_ref().map(|user| user.id.as_str()).or(created) {
            self.is_helped_or_purged(user, (way, &case)).await;
        }
        self.every_identity_has_a_user(&case).await;
    }

    async fn is_helped_or_purged(&self, user: &str, (way, case): (Way, &str)) {
        if self.get(&format!("/v1/users/{user}")).await.status == 404 {
            assert!(matches!(way, Way::Purge), "{case}");
        } else {
            self.is_helped(user, case).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_user_survives_each_error_of_cognito() {
    World::fails_once(Way::Create).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_first_password_survives_each_error_of_cognito() {
    World::fails_once(Way::FirstPassword).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_password_survives_each_error_of_cognito() {
    World::fails_once(Way::NewPassword).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_own_password_survives_each_error_of_cognito() {
    World::fails_once(Way::OwnPassword).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_recovery_survives_each_error_of_cognito() {
    World::fails_once(Way::Recover).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_email_survives_each_error_of_cognito() {
    World::fails_once(Way::Email).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_purge_survives_each_error_of_cognito() {
    World::fails_once(Way::Purge).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sign_up_survives_each_error_of_cognito() {
    let world = World::on(still().await, json!({ "name": "Club" })).await;
    let faulty = Faulty::on(&world).await;
    for (nth, error) in ERRORS.into_iter().enumerate() {
        for phase in [Phase::Before, Phase::After] {
            let email = format!("{}@example.com", domain::UserId::fresh());
            let body = json!({ "email": email, "name": "Eva", "password": PASSWORD });
            let request = Request { method: "POST", path: "/v1/users".to_owned(), body: body.clone(), by: None };
            *faulty.fault.lock().unwrap() = Some(Fault { operation: "SignUp".to_owned(), phase, error });
            let key = format!("sign-up-{nth}-{phase:?}");
            let (status, told) = faulty.send(&request, &key).await;
            *faulty.fault.lock().unwrap() = None;
            let case = format!("{phase:?} {error:?}: {status} {told}");
            let (again, repeated) = faulty.send(&request, &key).await;
            if status >= 500 || status == 429 {
                assert_eq!(again, 201, "{case}, and then {repeated}");
            }
            world.muster.reconcile().await;
            // With the key of a refused sign-up it is refused again; without one it is a new sign-up.
            if again != 201 {
                let fresh = world.muster.post("/v1/users", body).send().await;
                assert_eq!(fresh.status, 201, "{case}: {fresh:?}");
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_without_a_unique_value_is_created_once_under_one_key() {
    let world = World::without_required_fields().await;
    let faulty = Faulty::on(&world).await;
    let request = Request {
        method: "POST",
        path: format!("/v1/segments/{}/users", world.segment),
        body: json!({ "name": "Eva", "password": PASSWORD }),
        by: Some(world.ana.access.clone()),
    };
    let operation = "AdminSetUserPassword".to_owned();
    *faulty.fault.lock().unwrap() = Some(Fault { operation, phase: Phase::Before, error: ERRORS[1] });
    assert_eq!(faulty.send(&request, "k").await.0, 503);
    assert_eq!(faulty.send(&request, "k").await.0, 503, "as long as Cognito fails");
    *faulty.fault.lock().unwrap() = None;
    let (status, user) = faulty.send(&request, "k").await;
    assert_eq!(status, 201, "{user}");
    assert_eq!(faulty.send(&request, "k").await.1["id"], user["id"]);
    let listed = world.read(&format!("/v1/segments/{}/users", world.segment)).await;
    assert_eq!(listed["page"]["total_items"], 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restoration_whose_answer_was_lost_is_answered_again() {
    let world = World::start().await;
    let user = world.user(json!({})).await;
    assert_eq!(world.call("DELETE", &format!("/v1/users/{user}")).send().await.status, 204);
    let path = format!("/v1/users/{user}/restoration");
    let url = functions_behind(&world.muster, lost()).await;
    let call = reqwest::Client::new().post(format!("{url}{path}")).bearer_auth(&world.ana.access);
    assert_eq!(call.header("idempotency-key", "k").send().await.unwrap().status(), 503);
    let again = world.call("POST", &path).header("idempotency-key", "k").send().await;
    assert_eq!((again.status.as_u16(), &again.body["status"]), (200, &json!("ACTIVE")), "{again:?}");
    let other = world.call("POST", &path).header("idempotency-key", "other").send().await;
    assert_eq!(other.status, 409, "another request is told that nothing is to be restored");

    // And a master user's own, by its password.
    let eva = world.muster.ana().await;
    assert_eq!(world.muster.delete("/v1/users/me").by(&eva).send().await.status, 204);
    world.muster.seconds_pass().await;
    let path = format!("/v1/users/{}/restoration", eva.id);
    let body = json!({ "password": PASSWORD });
    let call = reqwest::Client::new().post(format!("{url}{path}")).header("idempotency-key", "k");
    let call = call.header("content-type", "application/json").body(body.to_string());
    assert_eq!(call.send().await.unwrap().status(), 503);
    let again = world.muster.post(&path, body).header("idempotency-key", "k").send().await;
    assert_eq!((again.status.as_u16(), &again.body["status"]), (200, &json!("ACTIVE")), "{again:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_that_failed_are_completed_by_the_same_request() {
    let world = World::without_required_fields().await;
    let faulty = Faulty::on(&world).await;
    let rows: Vec<_> = (0..5).map(|nth| json!({ "name": format!("Eva {nth}"), "password": PASSWORD })).collect();
    let mut users = rows;
    users.push(json!({ "email": "no e-mail" }));
    users.push(json!({ "name": "Without password" }));
    let request = Request {
        method: "POST",
        path: format!("/v1/segments/{}/users/batch", world.segment),
        body: json!({ "users": users }),
        by: Some(world.ana.access.clone()),
    };
    let statuses = |body: &Value| -> Vec<u64> {
        body["results"].as_array().unwrap().iter().map(|row| row["status"].as_u64().unwrap()).collect()
    };
    let operation = "AdminSetUserPassword".to_owned();
    for (error, told) in [(ERRORS[1], 503), (ERRORS[2], 429)] {
        let fault = Fault { operation: operation.clone(), phase: Phase::Before, error };
        *faulty.fault.lock().unwrap() = Some(fault);
        let (status, body) = faulty.send(&request, "k").await;
        assert_eq!((status, statuses(&body)), (200, vec![told, told, told, told, told, 400, 201]), "{body}");
    }
    *faulty.fault.lock().unwrap() = None;
    let (status, body) = faulty.send(&request, "k").await;
    assert_eq!((status, statuses(&body)), (200, vec![201, 201, 201, 201, 201, 400, 201]), "{body}");
    assert_eq!(faulty.send(&request, "k").await.1, body);
    let listed = world.read(&format!("/v1/segments/{}/users", world.segment)).await;
    assert_eq!(listed["page"]["total_items"], 6);
    for row in body["results"].as_array().unwrap().iter().take(5) {
        let user = world.read(&format!("/v1/users/{}", row["id"].as_str().unwrap())).await;
        assert_eq!(user["status"], "ACTIVE");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_of_platform_that_failed_are_completed_by_the_same_request() {
    let Platform { world, dev, plat, .. } = Platform::start().await;
    let faulty = Faulty::on(&world).await;
    let product = world.product().await;
    let users: Vec<_> = (0..3)
        .map(|nth| json!({ "name": "Eva", "email": format!("eva{nth}@example.com"), "password": PASSWORD }))
        .collect();
    let request = Request {
        method: "POST",
        path: format!("/platform/users/create/{dev}/{plat}"),
        body: json!({ "product_id": [product], "users": users }),
        by: None,
    };
    let operation = "AdminSetUserPassword".to_owned();
    *faulty.fault.lock().unwrap() = Some(Fault { operation, phase: Phase::Before, error: ERRORS[1] });
    let (status, body) = faulty.send(&request, "k").await;
    assert_eq!((status, body["failed"].as_array().map(Vec::len)), (200, Some(3)), "{body}");
    *faulty.fault.lock().unwrap() = None;
    let (status, body) = faulty.send(&request, "k").await;
    assert_eq!((status, body["created"].as_array().map(Vec::len)), (200, Some(3)), "{body}");
    let listed = world.read(&world.path("/members")).await;
    assert_eq!(listed["page"]["total_items"], 3);
    assert_eq!(id(&body["created"][0]).len(), 36);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_pool_locks_nobody_out_who_has_proved_an_address() {
    let world = World::start().await;
    let user = world.proved_user(json!({ "password": PASSWORD })).await;
    let email = world.read(&format!("/v1/users/{user}")).await["email"].as_str().unwrap().to_owned();
    for (id, email, segment) in
        [(world.ana.id.clone(), world.ana.email.clone(), None), (user, email, Some(world.segment.clone()))]
    {
        let pool = &world.muster.wiring.pool_id;
        world.muster.cognito().admin_delete_user().user_pool_id(pool).username(&id).send().await.unwrap();
        let login = |password: &str| json!({ "email": email, "password": password, "segment_id": segment });
        assert_eq!(world.muster.post("/v1/auth/login", login(PASSWORD)).send().await.status, 401);
        let asked = json!({ "email": email, "segment_id": segment });
        assert_eq!(world.muster.post("/v1/auth/recovery", asked).send().await.status, 202);
        let code = world.muster.recovery_code(&email);
        let body = json!({ "email": email, "segment_id": segment, "code": code, "new_password": NEW_PASSWORD });
        let recovered = world.muster.post("/v1/auth/recovery/confirm", body).send().await;
        assert_eq!(recovered.status, 204, "{recovered:?}");
        world.muster.seconds_pass().await;
        assert_eq!(world.muster.post("/v1/auth/login", login(PASSWORD)).send().await.status, 401);
        assert_eq!(world.muster.post("/v1/auth/login", login(NEW_PASSWORD)).send().await.status, 200);
    }
    // Who has proved no address gets no identity by asking for a code.
    let unproved = world.user(json!({ "password": PASSWORD })).await;
    let email = world.read(&format!("/v1/users/{unproved}")).await["email"].as_str().unwrap().to_owned();
    let pool = &world.muster.wiring.pool_id;
    world.muster.cognito().admin_delete_user().user_pool_id(pool).username(&unproved).send().await.unwrap();
    let asked = json!({ "email": email, "segment_id": world.segment });
    assert_eq!(world.muster.post("/v1/auth/recovery", asked).send().await.status, 202);
    assert!(!world.muster.identities().await.contains(&unproved));
}
