//! The program itself: what it says, how it ends, what survives.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test that meets something else has failed")]

use std::io::{BufRead as _, BufReader, Read as _};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::{Mutex, PoisonError};

use serde_json::{Value, json};

/// A running program, killed with the test.
struct Program {
    child: Child,
    url: String,
    said: Vec<String>,
}

impl Drop for Program {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// Held while a program is started, and while ports are tried: between its fork and its exec, a program has the sockets of
/// all tests, so that a port stays taken that its test has just closed.
static FORK: Mutex<()> = Mutex::new(());

/// Returns a port with three free ones after it. No other test gets it, and the system gives it to no connection: Linux
/// takes those from 32768.
fn port() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let _no_fork = FORK.lock().unwrap_or_else(PoisonError::into_inner);
    (0..1000)
        .find_map(|_| {
            let nth = u32::from(NEXT.fetch_add(1, Ordering::Relaxed)) + std::process::id();
            let first = u16::try_from(10_000 + nth % 5_000 * 4).unwrap();
            let all = (0..4).map(|nth| TcpListener::bind(("127.0.0.1", first + nth)).ok());
            all.collect::<Option<Vec<_>>>().map(|_| first)
        })
        .unwrap()
}

/// Starts the program; this returns after its exec.
fn spawn(port: u16, arguments: &[&str]) -> Child {
    let _no_other = FORK.lock().unwrap_or_else(PoisonError::into_inner);
    command(port, arguments).spawn().unwrap()
}

fn command(port: u16, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_local"));
    command.args(["--port", &port.to_string()]).args(arguments);
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// Starts the program and waits until it says that it is up.
fn start(port: u16, arguments: &[&str]) -> Program {
    let mut child = spawn(port, arguments);
    let mut errors = child.stderr.take().unwrap();
    std::thread::spawn(move || errors.read_to_end(&mut Vec::new()));
    let mut said = Vec::new();
    for line in BufReader::new(child.stdout.take().unwrap()).lines() {
        said.push(line.unwrap());
        if said.last().unwrap().contains("/docs") {
            break;
        }
    }
    Program { child, url: format!("http://127.0.0.1:{port}"), said }
}

/// Runs a program that cannot start: its one line.
fn refused(port: u16, arguments: &[&str]) -> String {
    let Output { status, stdout, stderr } = spawn(port, arguments).wait_with_output().unwrap();
    let told = String::from_utf8(stderr).unwrap();
    assert_eq!((status.code(), stdout.len()), (Some(1), 0), "{told}");
    let lines: Vec<_> = told.lines().collect();
    assert_eq!(lines.len(), 1, "{told}");
    lines[0].to_owned()
}

async fn post(program: &Program, path: &str, body: Value) -> (u16, Value) {
    let call = reqwest::Client::new().post(format!("{}{path}", program.url)).json(&body);
    let reply = call.send().await.unwrap();
    (reply.status().as_u16(), reply.json().await.unwrap_or_default())
}

#[tokio::test]
async fn it_says_where_everything_is_and_ends_with_the_docs() {
    let port = port();
    let program = start(port, &["--ephemeral"]);
    let said = program.said.join("\n");
    for (name, nth) in [("API", 0), ("DynamoDB", 1), ("S3", 2), ("Cognito", 3)] {
        let line = program.said.iter().find(|line| line.contains(name)).unwrap();
        assert!(line.contains(&format!("http://127.0.0.1:{}", port + nth)), "{said}");
    }
    assert!(program.said.last().unwrap().ends_with(&format!("http://127.0.0.1:{port}/docs")), "{said}");
    assert_eq!(reqwest::get(format!("{}/health", program.url)).await.unwrap().status(), 200);
}

#[tokio::test]
async fn what_was_answered_survives_kill_9() {
    let folder = tempfile::tempdir().unwrap();
    let (port, data) = (port(), ["--data", folder.path().to_str().unwrap(), "--fixed-code", "00000"]);
    let mut program = start(port, &data);
    let user = json!({ "email": "ana@example.com", "name": "Ana", "password": "correct horse battery" });
    let (status, made) = post(&program, "/v1/users", user).await;
    assert_eq!(status, 201);
    let path = format!("/v1/users/{}/verification", made["id"].as_str().unwrap());
    let status = post(&program, &path, json!({ "code": "00000" })).await.0;
    assert_eq!(status, 200, "--fixed-code is the code of every verification");
    let email = json!({ "email": "ana@example.com" });
    assert_eq!(post(&program, "/v1/auth/recovery", email).await.0, 202);
    let recovered = json!({ "email": "ana@example.com", "code": "00000", "new_password": "staple battery horse" });
    assert_eq!(post(&program, "/v1/auth/recovery/confirm", recovered).await.0, 204, "and of every recovery");
    let login = json!({ "email": "ana@example.com", "password": "staple battery horse" });
    let (status, tokens) = post(&program, "/v1/auth/login", login.clone()).await;
    assert_eq!(status, 200, "{tokens}");
    program.child.kill().unwrap();
    program.child.wait().unwrap();
    drop(program);
    let again = start(port, &data);
    let me = reqwest::Client::new().get(format!("{}/v1/users/me", again.url));
    let me = me.bearer_auth(tokens["access_token"].as_str().unwrap()).send().await.unwrap();
    assert_eq!(me.status(), 200, "a token of before is still good");
    assert_eq!(post(&again, "/v1/auth/login", login).await.0, 200);
    let second = refused(self::port(), &data);
    assert!(second.contains("in use by another process"), "{second}");
}

#[tokio::test]
async fn a_file_that_arrived_before_kill_9_is_checked_after_it() {
    let folder = tempfile::tempdir().unwrap();
    let (port, data) = (port(), ["--data", folder.path().to_str().unwrap(), "--fixed-code", "00000"]);
    let mut program = start(port, &data);
    let user = json!({ "email": "ana@example.com", "name": "Ana", "password": "correct horse battery" });
    let made = post(&program, "/v1/users", user).await.1;
    let path = format!("/v1/users/{}/verification", made["id"].as_str().unwrap());
    let tokens = post(&program, &path, json!({ "code": "00000" })).await.1;
    let token = tokens["access_token"].as_str().unwrap();
    let segment = segment(port + 1, made["id"].as_str().unwrap()).await;
    let pdf = "%PDF-1.4\n%%EOF\n";
    let file = json!({
        "segment_id": segment, "filename": "a.pdf", "content_type": "application/pdf", "size": pdf.len()
    });
    let client = reqwest::Client::new();
    let call = client.post(format!("{}/v1/uploads", program.url)).bearer_auth(token).json(&file);
    let begun: Value = call.send().await.unwrap().json().await.unwrap();
    let sent = client.put(begun["url"].as_str().unwrap()).header("content-type", "application/pdf").body(pdf);
    assert_eq!(sent.send().await.unwrap().status(), 200);
    program.child.kill().unwrap();
    program.child.wait().unwrap();
    drop(program);
    let again = start(port, &data);
    // Anew: the connections of the other one lead nowhere.
    let client = reqwest::Client::new();
    let url = format!("{}/v1/uploads/{}", again.url, begun["id"].as_str().unwrap());
    let mut upload = Value::Null;
    for _ in 0..100 {
        upload = client.get(&url).bearer_auth(token).send().await.unwrap().json().await.unwrap();
        if upload["status"] != "PENDING" {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    assert_eq!(upload["status"], "AVAILABLE", "{upload}");
}

/// A segment of this user, written into the program's table.
async fn segment(dynamodb: u16, owner: &str) -> String {
    use domain::{Body as _, Segment, SegmentFields, SegmentId, Time, segment::SegmentNumber};
    let config = aws_sdk_dynamodb::Config::builder()
        .behavior_version(aws_config::BehaviorVersion::latest())
        .region(aws_config::Region::new("us-east-1"))
        .credentials_provider(aws_sdk_dynamodb::config::Credentials::new("local", "local-secret", None, None, "test"))
        .endpoint_url(format!("http://127.0.0.1:{dynamodb}"));
    let table = store::Table::new(config, "muster");
    let fields = SegmentFields::parse(json!({ "name": "Card users" })).unwrap();
    let owner = owner.parse().unwrap();
    let new = Segment::new(SegmentId::fresh(), owner, SegmentNumber::default(), fields, Time::now());
    store::Store::new(table).create_segment(&new).await.unwrap().id.to_string()
}

#[tokio::test]
async fn ctrl_c_ends_it_cleanly() {
    for signal in ["-INT", "-TERM"] {
        let mut program = start(port(), &["--ephemeral"]);
        // A connection that stays open must not keep it up.
        let client = reqwest::Client::new();
        assert_eq!(client.get(format!("{}/health", program.url)).send().await.unwrap().status(), 200);
        let sent = Command::new("kill").args([signal, &program.child.id().to_string()]).status().unwrap();
        assert!(sent.success());
        assert_eq!(program.child.wait().unwrap().code(), Some(0), "{signal}");
    }
}

#[test]
fn a_taken_port_is_told_whichever_it_is() {
    for nth in 0..4 {
        let port = port();
        let _taken = TcpListener::bind(("127.0.0.1", port + nth)).unwrap();
        let told = refused(port, &["--ephemeral"]);
        assert!(told.contains(&format!("Port {} is taken", port + nth)) && told.contains("--port"), "{told}");
    }
}

#[test]
fn a_folder_that_cannot_be_written_is_told() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let inside = file.path().join("data");
    let told = refused(port(), &["--data", inside.to_str().unwrap()]);
    assert!(told.contains("cannot be written") && told.contains(inside.to_str().unwrap()), "{told}");
}

#[test]
fn a_damaged_data_file_is_told_and_left_alone() {
    for name in ["dynamodb.sqlite", "cognito.sqlite"] {
        let folder = tempfile::tempdir().unwrap();
        drop(start(port(), &["--data", folder.path().to_str().unwrap()]));
        let file = folder.path().join(name);
        damage(&file);
        let before = std::fs::read(&file).unwrap();
        let told = refused(port(), &["--data", folder.path().to_str().unwrap()]);
        assert!(told.contains("damaged") && told.contains(name), "{told}");
        assert_eq!(std::fs::read(&file).unwrap(), before, "nothing that could be saved is lost");
    }
}

#[test]
fn an_empty_data_file_is_told_and_left_alone() {
    for name in ["dynamodb.sqlite", "cognito.sqlite", "s3/metadata.sqlite"] {
        let folder = tempfile::tempdir().unwrap();
        drop(start(port(), &["--data", folder.path().to_str().unwrap()]));
        let file = folder.path().join(name);
        std::fs::write(&file, b"").unwrap();
        let told = refused(port(), &["--data", folder.path().to_str().unwrap()]);
        assert!(told.contains("damaged") && told.contains(name), "{told}");
        assert_eq!(std::fs::metadata(&file).unwrap().len(), 0);
    }
}

/// Overwrites a database's beginning, and takes away the log that could mend it.
fn damage(file: &Path) {
    let mut bytes = std::fs::read(file).unwrap();
    let end = bytes.len().min(4096);
    bytes[..end].fill(0x55);
    std::fs::write(file, bytes).unwrap();
    for log in ["-wal", "-shm"] {
        let mut name = file.as_os_str().to_owned();
        name.push(log);
        drop(std::fs::remove_file(name));
    }
}
