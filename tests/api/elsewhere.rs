//! The same tests over an emulator that is not ours, at `MUSTER_TEST_ENDPOINT`: each makes a table, a user pool and
//! the pool's triggers of its own there.

use std::collections::{HashMap, HashSet};
use std::io::{Cursor, Write as _};
use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use ::events::Bus;
use aws_sdk_cognitoidentityprovider as cognito;
use aws_sdk_cognitoidentityprovider::config::Credentials;
use aws_sdk_cognitoidentityprovider::types::{
    ExplicitAuthFlowsType, LambdaConfigType, PasswordPolicyType, PreventUserExistenceErrorTypes, TimeUnitsType,
    TokenValidityUnitsType, UserPoolPolicyType, VerifiedAttributeType,
};
use aws_sdk_dynamodb::types::AttributeValue;
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4;
use axum::extract::State;
use axum::http::Request;
use axum::routing::post;
use axum::{Json, Router};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use domain::Time;
use local::{Endpoints, Functions, Options, Sent, Wiring};
use serde_json::{Value, json};
use tokio::sync::OnceCell;
use tokio::task::JoinSet;

use crate::webhooks::attribute;

/// Where the other emulator is, if the tests are to run there.
#[expect(clippy::disallowed_methods, reason = "how whoever starts the tests says so")]
pub(crate) fn endpoint() -> Option<String> {
    std::env::var("MUSTER_TEST_ENDPOINT").ok()
}

/// `MiniStack` sends nothing, but its codes are always these.
pub(crate) fn outbox(address: Option<&str>) -> Vec<Sent> {
    let sent = |kind: &str, code: &str| Sent {
        to: address.unwrap_or_default().to_owned(),
        kind: kind.to_owned(),
        code: Some(code.to_owned()),
        body: String::new(),
        at: Time::now(),
    };
    vec![sent("recovery", "654321"), sent("verification", "123456")]
}

/// Makes what the template would make, and serves the functions over it, at this URL, for as long as the tasks are kept: the
/// emulator has enough to do with those who are still there.
pub(crate) async fn start(endpoint: &str, options: &Options) -> (Wiring, Functions, String, JoinSet<()>) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let name = format!("muster-{}", domain::id::fresh());
    let endpoints =
        Endpoints { dynamodb: endpoint.to_owned(), s3: endpoint.to_owned(), cognito: endpoint.to_owned(), ses: None };
    let mut wiring = Wiring {
        endpoints,
        region: "us-east-1".to_owned(),
        credentials: ("test".to_owned(), "test".to_owned()),
        table: name.clone(),
        bucket: name.clone(),
        malware_scan: options.malware_scan,
        pool_id: String::new(),
        client_id: String::new(),
        client_secret: None,
        issuer: String::new(),
        sign_up: options.sign_up,
        developer_registration: options.developer_registration,
        rate_limit_factor: options.rate_limit_factor,
        export_retention: options.export_retention,
        public_url: None,
        trusted_proxy_hops: options.trusted_proxy_hops,
        function_timeout: options.function_timeout,
        interceptor: options.interceptor.clone(),
    };
    let trigger = TRIGGER.get_or_init(|| trigger(endpoint, &name)).await;
    (wiring.pool_id, wiring.client_id, wiring.client_secret) = pool(&wiring, &name, trigger).await;
    std::fs::write(format!("{TRIGGERED}/{}", wiring.pool_id), format!("{url}/_trigger")).unwrap();
    wiring.issuer = issuer(endpoint, &wiring.pool_id).await;
    let functions = Functions::connect(&wiring);
    functions.app.store.ensure_table().await.unwrap();
    functions.app.warm(true).await;
    let bucket = bucket(&wiring).await;
    let answer = async |State(functions): State<Arc<Functions>>, Json(event): Json<Value>| {
        Json(challenge::answer(&functions.app.store, &edge::random_code, event).await.unwrap())
    };
    let triggers = Router::new().route("/_trigger", post(answer)).with_state(Arc::new(functions.clone()));
    let router = functions.router().merge(triggers);
    let mut tasks = JoinSet::new();
    tasks.spawn(async move { drop(local::serve(listener, router, std::future::pending()).await) });
    let beside = Functions::connect(&Wiring { interceptor: None, ..wiring.clone() });
    tasks.spawn(local::transfer(beside.transfers(), options.transfer_every));
    tasks.spawn(local::notify(beside.notifications(local::Outbox::default().sender()), options.transfer_every));
    tasks.spawn(local::reconcile(beside.clone(), options.reconcile_every));
    tasks.spawn(local::deliver(beside.events(Bus::None), options.deliver_every));
    // A scan holds up all else that this emulator does.
    let every = options.stream_every.max(Duration::from_secs(2));
    tasks.spawn(stream(beside.clone(), (dynamodb(&wiring), name), every));
    tasks.spawn(arrivals(beside, bucket, wiring.bucket.clone()));
    (wiring, functions, url, tasks)
}

/// The function that pools trigger, one for all of them: the emulator keeps a process for each function.
static TRIGGER: OnceCell<String> = OnceCell::const_new();

/// Where a file named like a pool has the URL that its triggers ask.
const TRIGGERED: &str = env!("CARGO_TARGET_TMPDIR");

/// A function that asks the test whose pool it is what the `challenge` function would answer: its ARN.
async fn trigger(endpoint: &str, name: &str) -> String {
    let source = "import json, os, urllib.request\n\
        def handler(event, context):\n    \
            url = open(os.path.join(os.environ['TRIGGERED'], event['userPoolId'])).read()\n    \
            request = urllib.request.Request(url, json.dumps(event).encode(), {'content-type': 'application/json'})\n    \
            return json.load(urllib.request.urlopen(request))\n";
    let mut archive = zip::ZipWriter::new(Cursor::new(Vec::new()));
    let stored = zip::write::SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored);
    archive.start_file("index.py", stored).unwrap();
    archive.write_all(source.as_bytes()).unwrap();
    let body = json!({
        "FunctionName": name, "Runtime": "python3.12", "Handler": "index.handler",
        "Role": format!("arn:aws:iam::000000000000:role/{name}"), "Timeout": 10,
        "Code": { "ZipFile": STANDARD.encode(archive.finish().unwrap().into_inner()) },
        "Environment": { "Variables": { "TRIGGERED": TRIGGERED } },
    });
    // Lambda may run it.
    let trust = "%7B%22Version%22%3A%222012-10-17%22%2C%22Statement%22%3A%5B%7B%22Effect%22%3A%22Allow%22%2C%22Principal%22%3A%7B%22Service%22%3A%22lambda.amazonaws.com%22%7D%2C%22Action%22%3A%22sts%3AAssumeRole%22%7D%5D%7D";
    let role = format!("Action=CreateRole&Version=2010-05-08&RoleName={name}&AssumeRolePolicyDocument={trust}");
    signed("iam", &format!("{endpoint}/"), role).await;
    let made = signed("lambda", &format!("{endpoint}/2015-03-31/functions"), body.to_string()).await;
    let made: Value = serde_json::from_str(&made).unwrap();
    made["FunctionArn"].as_str().unwrap_or_else(|| panic!("no function was made: {made}")).to_owned()
}

/// Posts as an SDK would that is not worth building for one call.
async fn signed(service: &str, url: &str, body: String) -> String {
    let identity = Credentials::new("test", "test", None, None, "test").into();
    let parameters = v4::SigningParams::builder()
        .identity(&identity)
        .region("us-east-1")
        .name(service)
        .time(UNIX_EPOCH + Duration::from_millis(Time::now().millis().unsigned_abs()))
        .settings(SigningSettings::default());
    let signable = SignableRequest::new("POST", url, std::iter::empty(), SignableBody::Bytes(body.as_bytes())).unwrap();
    let (instructions, _) = sign(signable, &parameters.build().unwrap().into()).unwrap().into_parts();
    let kind = if service == "iam" { "application/x-www-form-urlencoded" } else { "application/json" };
    let mut request = Request::post(url).header("content-type", kind).body(body).unwrap();
    instructions.apply_to_request_http1x(&mut request);
    let reply = reqwest::Client::new().execute(request.try_into().unwrap()).await.unwrap();
    reply.text().await.unwrap()
}

/// A bucket, as far as tests can tell it from the template's.
async fn bucket(wiring: &Wiring) -> aws_sdk_s3::Client {
    let config = aws_sdk_s3::config::Builder::from(&wiring.config()).endpoint_url(&wiring.endpoints.s3);
    let client = aws_sdk_s3::Client::from_conf(config.build());
    client.create_bucket().bucket(&wiring.bucket).send().await.unwrap();
    client
}

/// Tells the `arrivals` function of what has arrived, as S3 would.
async fn arrivals(functions: Functions, client: aws_sdk_s3::Client, bucket: String) {
    let arrivals = functions.arrivals();
    loop {
        tokio::time::sleep(Duration::from_millis(100)).await;
        let listed = client.list_objects_v2().bucket(&bucket).prefix("quarantine/").send().await;
        for object in listed.map(|listed| listed.contents.unwrap_or_default()).unwrap_or_default() {
            let event = crate::uploads::created(object.key().unwrap());
            drop(arrivals.handle(event).await);
        }
    }
}

/// The table's client.
fn dynamodb(wiring: &Wiring) -> aws_sdk_dynamodb::Client {
    let config = aws_sdk_dynamodb::config::Builder::from(&wiring.config()).endpoint_url(&wiring.endpoints.dynamodb);
    aws_sdk_dynamodb::Client::from_conf(config.build())
}

/// Tells the `events` function of each event that is in the table, as its stream would.
async fn stream(functions: Functions, (dynamodb, table): (aws_sdk_dynamodb::Client, String), every: Duration) {
    let (events, mut seen) = (functions.events(Bus::None), HashSet::new());
    loop {
        tokio::time::sleep(every).await;
        let scan = dynamodb.scan().table_name(&table).filter_expression("begins_with(#type, :prefix)");
        let scan = scan.expression_attribute_names("#type", "type");
        let scan = scan.expression_attribute_values(":prefix", AttributeValue::S("muster.".to_owned()));
        let mut found = scan.send().await.map(|read| read.items.unwrap_or_default()).unwrap_or_default();
        found.retain(|item| seen.insert(item["SK"].as_s().unwrap().clone()));
        found.sort_by_key(|item| item["SK"].as_s().unwrap().clone());
        for item in found {
            drop(events.handle(json!({ "Records": [record(&item, "1")] }), Time::now()).await);
        }
    }
}

/// What the stream tells of a new item.
pub(crate) fn record(item: &HashMap<String, AttributeValue>, number: &str) -> Value {
    let image = item.iter().map(|(name, value)| (name.clone(), attribute(value)));
    let image: serde_json::Map<_, _> = image.collect();
    json!({ "eventName": "INSERT", "dynamodb": { "SequenceNumber": number, "NewImage": image } })
}

/// A pool, its client and the client's secret, as the template has them.
async fn pool(wiring: &Wiring, name: &str, trigger: &str) -> (String, String, Option<String>) {
    let config = cognito::config::Builder::from(&wiring.config()).endpoint_url(&wiring.endpoints.cognito).build();
    let client = cognito::Client::from_conf(config);
    let triggers = LambdaConfigType::builder()
        .define_auth_challenge(trigger)
        .create_auth_challenge(trigger)
        .verify_auth_challenge_response(trigger);
    let made = client.create_user_pool().pool_name(name).auto_verified_attributes(VerifiedAttributeType::Email);
    let policy = PasswordPolicyType::builder()
        .minimum_length(6)
        .require_lowercase(false)
        .require_uppercase(false)
        .require_numbers(false)
        .require_symbols(false);
    let made = made.policies(UserPoolPolicyType::builder().password_policy(policy.build()).build());
    let made = made.lambda_config(triggers.build()).send().await.unwrap();
    let pool = made.user_pool().unwrap().id().unwrap().to_owned();
    let minutes =
        TokenValidityUnitsType::builder().access_token(TimeUnitsType::Minutes).id_token(TimeUnitsType::Minutes);
    let made = client
        .create_user_pool_client()
        .user_pool_id(&pool)
        .client_name(name)
        .generate_secret(true)
        .explicit_auth_flows(ExplicitAuthFlowsType::AllowAdminUserPasswordAuth)
        .explicit_auth_flows(ExplicitAuthFlowsType::AllowCustomAuth)
        .explicit_auth_flows(ExplicitAuthFlowsType::AllowRefreshTokenAuth)
        .prevent_user_existence_errors(PreventUserExistenceErrorTypes::Enabled)
        .enable_token_revocation(true)
        .token_validity_units(minutes.build())
        .access_token_validity(60)
        .id_token_validity(60);
    let made = made.send().await.unwrap();
    let client = made.user_pool_client.unwrap();
    (pool, client.client_id.unwrap(), client.client_secret)
}

/// What the pool's tokens name as their issuer.
async fn issuer(endpoint: &str, pool: &str) -> String {
    let url = format!("{endpoint}/{pool}/.well-known/openid-configuration");
    let told: Value = reqwest::get(url).await.unwrap().json().await.unwrap();
    told["issuer"].as_str().unwrap().to_owned()
}
