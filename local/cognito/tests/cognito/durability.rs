use std::path::PathBuf;
use std::sync::Arc;

use local_cognito::{Cognito, Error, Options};

use crate::system::{CLIENT, PASSWORD, POOL, System, refused};

/// A directory of its own, removed when the test is over.
struct Directory(PathBuf);

impl Directory {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("local-cognito-{}-{name}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn file(&self) -> PathBuf {
        self.0.join("cognito.sqlite")
    }

    fn open(&self) -> Result<Cognito, Error> {
        let options = Options {
            data: Some(self.file()),
            issuer_base: "http://127.0.0.1:1".to_owned(),
            fixed_code: None,
            region: "local".to_owned(),
        };
        Cognito::open(options, Arc::new(|_| {}))
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

#[tokio::test]
async fn users_codes_and_logins_survive_reopening() {
    let directory = Directory::new("reopening");
    let system = System::open(Some(directory.file())).await;
    system.user("ada").await;
    let tokens = system.log_in("ada", PASSWORD).await.unwrap();
    let revoked = system.log_in("ada", PASSWORD).await.unwrap();
    let request = system.sdk.revoke_token().client_id(CLIENT);
    request.token(revoked.refresh_token().unwrap()).send().await.unwrap();
    system.sign_up("bob").await;
    let code = system.code();
    drop(system);

    let system = System::open(Some(directory.file())).await;
    system.confirm("bob", &code).await.unwrap();
    system.log_in("bob", PASSWORD).await.unwrap();
    let refreshed = system.refresh(&tokens).await.unwrap();
    assert_eq!(system.whoami(&refreshed).await.unwrap(), "ada");
    refused(system.refresh(&revoked).await, "NotAuthorizedException", "revoked");
}

#[tokio::test]
async fn what_was_answered_is_on_disk_without_a_clean_end() {
    let directory = Directory::new("killed");
    let system = System::open(Some(directory.file())).await;
    system.user("ada").await;
    assert!(directory.0.join("cognito.sqlite-wal").exists());
    // As a killed process leaves them: the files as they are now, the connection still open.
    let copy = Directory::new("killed-copy");
    for file in std::fs::read_dir(&directory.0).unwrap() {
        let file = file.unwrap();
        std::fs::copy(file.path(), copy.0.join(file.file_name())).unwrap();
    }
    let system = System::open(Some(copy.file())).await;
    system.log_in("ada", PASSWORD).await.unwrap();
}

#[tokio::test]
async fn no_secret_is_on_disk_as_it_is() {
    let directory = Directory::new("secrets");
    let system = System::open(Some(directory.file())).await;
    system.user("ada").await;
    let tokens = system.log_in("ada", PASSWORD).await.unwrap();
    let refresh_token = tokens.refresh_token().unwrap();
    for file in std::fs::read_dir(&directory.0).unwrap() {
        let content = std::fs::read(file.unwrap().path()).unwrap();
        let content = String::from_utf8_lossy(&content);
        assert!(!content.contains(PASSWORD) && !content.contains(refresh_token));
    }
}

#[test]
fn a_damaged_file_is_named_as_such() {
    let directory = Directory::new("damaged");
    std::fs::write(directory.file(), "no database at all, but long enough to look like one".repeat(100)).unwrap();
    let error = directory.open().unwrap_err().to_string();
    assert!(error.contains("cognito.sqlite is damaged: "), "{error}");

    std::fs::remove_file(directory.file()).unwrap();
    directory.open().unwrap().ensure_pool(POOL, CLIENT, None).unwrap();
    let mut content = std::fs::read(directory.file()).unwrap();
    content.truncate(content.len() / 2);
    std::fs::write(directory.file(), content).unwrap();
    let error = directory.open().unwrap_err().to_string();
    assert!(error.contains("cognito.sqlite is damaged: "), "{error}");
}

#[test]
fn a_file_of_another_kind_is_left_alone() {
    let directory = Directory::new("foreign");
    let other = rusqlite::Connection::open(directory.file()).unwrap();
    other.execute_batch("CREATE TABLE notes (text TEXT)").unwrap();
    drop(other);
    assert!(matches!(directory.open(), Err(Error::Format { found: 0, .. })));
}

#[test]
fn a_pool_is_ensured_again_and_again_but_a_client_stays_in_its_pool() {
    let directory = Directory::new("ensured");
    for _ in 0..2 {
        let cognito = directory.open().unwrap();
        cognito.ensure_pool(POOL, CLIENT, None).unwrap();
        cognito.ensure_pool(POOL, CLIENT, None).unwrap();
    }
    let error = directory.open().unwrap().ensure_pool("local_other", CLIENT, None);
    assert!(matches!(error, Err(Error::ForeignClient(_))));
}
