//! What is on disk.

use std::fs;
use std::path::Path;
use std::time::Duration;

use local_s3::{CorsRule, Error, LocalS3};
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;

use crate::support::{BUCKET, System, hour, open, options};

fn files(folder: &Path) -> usize {
    fs::read_dir(folder).unwrap().count()
}

#[tokio::test]
async fn data_survives_reopening() {
    let folder = tempfile::tempdir().unwrap();
    let system = System::start_with(open(Some(folder.path()))).await;
    let rule = CorsRule {
        allowed_origins: vec!["*".to_owned()],
        allowed_methods: vec!["GET".to_owned()],
        ..CorsRule::default()
    };
    system.s3.set_cors(BUCKET, &[rule]).unwrap();
    system.put("../a", "kept").await;
    system.put("b", "replaced").await;
    system.put("b", "kept too").await;
    system.stop().await;

    let system = System::start_with(open(Some(folder.path()))).await;
    assert_eq!(system.content("../a").await.as_deref(), Some(b"kept".as_slice()));
    assert_eq!(system.content("b").await.as_deref(), Some(b"kept too".as_slice()));
    assert!(system.client().get_bucket_cors().bucket(BUCKET).send().await.is_ok());
    assert_eq!(files(&folder.path().join("blobs")), 2);
    assert_eq!(files(&folder.path().join("incoming")), 0);
}

#[tokio::test]
async fn what_was_answered_survives_a_crash_and_what_was_not_is_gone() {
    let folder = tempfile::tempdir().unwrap();
    let system = System::start_with(open(Some(folder.path()))).await;
    system.put("a", "answered").await;
    let request = system.client().put_object().bucket(BUCKET).key("b").presigned(hour()).await.unwrap();
    let path = request.uri().split_once(&system.address.to_string()).unwrap().1;
    let mut stream = TcpStream::connect(system.address).await.unwrap();
    let head = format!("PUT {path} HTTP/1.1\r\nHost: {}\r\nContent-Length: 10\r\n\r\nhalf", system.address);
    stream.write_all(head.as_bytes()).await.unwrap();
    while files(&folder.path().join("incoming")) == 0 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    // What a killed process leaves behind is what its folder holds at that moment.
    let left = tempfile::tempdir().unwrap();
    copy_folder(folder.path(), left.path());

    let system = System::start_with(open(Some(left.path()))).await;
    assert_eq!(system.content("a").await.as_deref(), Some(b"answered".as_slice()));
    assert_eq!(system.content("b").await, None);
    assert_eq!(files(&left.path().join("incoming")), 0);
}

fn copy_folder(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        if entry.file_type().unwrap().is_dir() {
            copy_folder(&entry.path(), &to.join(entry.file_name()));
        } else {
            fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
        }
    }
}

#[tokio::test]
async fn one_content_is_kept_once_and_removed_with_its_last_object() {
    let folder = tempfile::tempdir().unwrap();
    let system = System::start_with(open(Some(folder.path()))).await;
    let blobs = folder.path().join("blobs");
    system.put("a", "same").await;
    system.put("b", "same").await;
    assert_eq!(files(&blobs), 1);
    system.client().delete_object().bucket(BUCKET).key("a").send().await.unwrap();
    assert_eq!(system.content("b").await.as_deref(), Some(b"same".as_slice()));
    system.put("b", "other").await;
    assert_eq!(files(&blobs), 1);
    system.client().delete_object().bucket(BUCKET).key("b").send().await.unwrap();
    assert_eq!(files(&blobs), 0);
}

#[tokio::test]
async fn what_a_crash_left_is_removed_at_opening() {
    let folder = tempfile::tempdir().unwrap();
    let system = System::start_with(open(Some(folder.path()))).await;
    system.put("a", "kept").await;
    system.stop().await;
    fs::write(folder.path().join("blobs").join("0".repeat(64)), "renamed, but without a row").unwrap();
    fs::write(folder.path().join("incoming").join("half"), "half").unwrap();

    let system = System::start_with(open(Some(folder.path()))).await;
    assert_eq!(files(&folder.path().join("blobs")), 1);
    assert_eq!(files(&folder.path().join("incoming")), 0);
    assert_eq!(system.content("a").await.as_deref(), Some(b"kept".as_slice()));
}

#[tokio::test]
async fn a_damaged_metadata_file_is_an_error_that_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let system = System::start_with(open(Some(folder.path()))).await;
    for n in 0..200 {
        system.put(&format!("a key that takes some room {n}"), "").await;
    }
    system.stop().await;
    let path = folder.path().join("metadata.sqlite");
    let sound = fs::read(&path).unwrap();
    let mut scribbled = sound.clone();
    scribbled[5000..9000].fill(0xAA);
    for damaged in [b"this is not a database, but a text of some length".repeat(50), scribbled] {
        fs::write(&path, damaged).unwrap();
        let error = LocalS3::open(options(Some(folder.path()))).err().expect("refused");
        assert!(matches!(error, Error::Damaged { .. }), "{error:?}");
        assert!(error.to_string().contains("metadata.sqlite is damaged: "), "{error}");
    }
    fs::write(&path, sound).unwrap();
    assert!(LocalS3::open(options(Some(folder.path()))).is_ok());
}

#[tokio::test]
async fn a_missing_blob_is_an_internal_error_not_a_panic() {
    let folder = tempfile::tempdir().unwrap();
    let system = System::start_with(open(Some(folder.path()))).await;
    system.put("a", "lost").await;
    for blob in fs::read_dir(folder.path().join("blobs")).unwrap() {
        fs::remove_file(blob.unwrap().path()).unwrap();
    }
    let get = system.client().get_object().bucket(BUCKET).key("a").send().await;
    assert_eq!(crate::support::code(get), "InternalError");
}

#[tokio::test]
async fn a_folder_serves_one_process() {
    let folder = tempfile::tempdir().unwrap();
    let first = open(Some(folder.path()));
    let error = LocalS3::open(options(Some(folder.path()))).err().expect("refused");
    assert!(matches!(error, Error::InUse { .. }), "{error:?}");
    drop(first);
    open(Some(folder.path()));
}

#[tokio::test]
async fn a_folder_that_cannot_be_made_is_an_error() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let error = LocalS3::open(options(Some(file.path()))).err().expect("refused");
    assert!(matches!(error, Error::Io { .. }), "{error:?}");
}
