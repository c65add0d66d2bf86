//! A function that is started as Lambda starts it, answers twice, and ends.

use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use benches::Failure;
use local::Wiring;
use serde_json::{Value, json};
use tokio::process::{Child, Command};

use crate::binaries::Binary;
use crate::runtime_api::{RuntimeApi, now};
use crate::user::User;

/// A function and the request that it is measured by.
pub(crate) struct Function {
    program: PathBuf,
    environment: Vec<(&'static str, String)>,
    event: Value,
    /// What must be in its answer.
    shows: Vec<String>,
}

/// How long one process took.
#[derive(Clone, Copy)]
pub(crate) struct Times {
    /// From its start until it asks for an event.
    pub(crate) init: Duration,
    /// From the first event to its answer.
    pub(crate) first: Duration,
    /// From the second event to its answer.
    pub(crate) second: Duration,
}

impl Times {
    /// From the start of the process to its first answer, which is what somebody waits for.
    pub(crate) fn answer(&self) -> Duration {
        self.init + self.first
    }
}

impl Function {
    /// The one that does nothing.
    pub(crate) fn empty(binary: &Binary) -> Self {
        Self { program: binary.path().into(), environment: Vec::new(), event: get("/", None), shows: Vec::new() }
    }

    /// `addresses`, asked for the user's own.
    pub(crate) fn addresses(binary: &Binary, wiring: &Wiring, user: &User) -> Self {
        let (key, secret) = &wiring.credentials;
        let environment = [
            ("AWS_REGION", &wiring.region),
            ("AWS_DEFAULT_REGION", &wiring.region),
            ("AWS_ACCESS_KEY_ID", key),
            ("AWS_SECRET_ACCESS_KEY", secret),
            ("AWS_ENDPOINT_URL_DYNAMODB", &wiring.endpoints.dynamodb),
            ("AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER", &wiring.endpoints.cognito),
            ("USER_POOL_ISSUER", &wiring.issuer),
            ("TABLE_NAME", &wiring.table),
            ("USER_POOL_ID", &wiring.pool_id),
            ("USER_POOL_CLIENT_ID", &wiring.client_id),
            ("RATE_LIMIT_FACTOR", &wiring.rate_limit_factor.to_string()),
        ];
        Self {
            program: binary.path().into(),
            environment: environment.map(|(name, value)| (name, value.clone())).into(),
            event: get("/v1/users/me/addresses", Some(&user.token)),
            shows: user.addresses.clone(),
        }
    }

    /// Starts it, has it answer twice, and ends it.
    pub(crate) async fn start(&self) -> Result<Times, Failure> {
        let mut api = RuntimeApi::serve().await?;
        let mut command = self.command(&api.address);
        let began = now();
        let mut process = command.spawn()?;
        let answered = async {
            let init = api.asked().await?.duration_since(began);
            let (first, answer) = api.invoke(&self.event).await?;
            self.check(&answer)?;
            api.asked().await?;
            let (second, answer) = api.invoke(&self.event).await?;
            self.check(&answer)?;
            Ok::<_, Failure>(Times { init, first, second })
        };
        let answered = answered.await;
        process.start_kill()?;
        match answered {
            Ok(times) => process.wait().await.map(|_| times).map_err(Failure::from),
            Err(failure) => Err(self.told(process, &failure).await),
        }
    }

    fn command(&self, runtime_api: &str) -> Command {
        let mut command = Command::new(&self.program);
        command
            .env_clear()
            .env("AWS_LAMBDA_RUNTIME_API", runtime_api)
            .env("AWS_LAMBDA_FUNCTION_NAME", "measured")
            .env("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST")
            .env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256")
            .env("AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand")
            .env("AWS_LAMBDA_LOG_GROUP_NAME", "/aws/lambda/measured")
            .env("AWS_LAMBDA_LOG_STREAM_NAME", "2026/11/22/[$LATEST]0")
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        command
    }

    fn check(&self, answer: &Value) -> Result<(), Failure> {
        let body = answer.get("body").and_then(Value::as_str).unwrap_or_default();
        let good = answer.get("statusCode").and_then(Value::as_u64) == Some(200);
        if good && self.shows.iter().all(|shown| body.contains(shown)) {
            Ok(())
        } else {
            Err(format!("A wrong answer: {answer}").into())
        }
    }

    /// A failure with what the process has logged.
    async fn told(&self, process: Child, failure: &Failure) -> Failure {
        let (program, logged) = (self.program.display(), process.wait_with_output().await);
        let logged = logged.map(|logged| [logged.stdout, logged.stderr].concat()).unwrap_or_default();
        format!("{program}: {failure}\n{}", String::from_utf8_lossy(&logged)).into()
    }
}

/// A request as API Gateway's HTTP API sends it.
fn get(path: &str, token: Option<&str>) -> Value {
    let mut headers = json!({
        "accept": "application/json",
        "content-length": "0",
        "host": "abcdefghij.execute-api.us-east-1.amazonaws.com",
        "user-agent": "cold-start",
        "x-forwarded-for": "203.0.113.7",
        "x-forwarded-port": "443",
        "x-forwarded-proto": "https",
    });
    if let (Some(token), Some(headers)) = (token, headers.as_object_mut()) {
        headers.insert("authorization".to_owned(), format!("Bearer {token}").into());
    }
    json!({
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": path,
        "rawQueryString": "",
        "headers": headers,
        "requestContext": {
            "accountId": "123456789012",
            "apiId": "abcdefghij",
            "domainName": "abcdefghij.execute-api.us-east-1.amazonaws.com",
            "domainPrefix": "abcdefghij",
            "http": {
                "method": "GET",
                "path": path,
                "protocol": "HTTP/1.1",
                "sourceIp": "203.0.113.7",
                "userAgent": "cold-start",
            },
            "requestId": "JKJaXmPLvHcESHA=",
            "routeKey": "$default",
            "stage": "$default",
            "time": "22/Nov/2026:00:00:00 +0000",
            "timeEpoch": 1_795_305_600_000_u64,
        },
        "isBase64Encoded": false,
    })
}
