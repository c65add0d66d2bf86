//! The example runs to its end, on a system of its own and on one that is there.

use std::io;
use std::process::Output;

use local::{Options, System};
use tokio::process::Command;

async fn run(arguments: &[&str]) -> io::Result<Output> {
    Command::new(env!("CARGO_BIN_EXE_onboarding")).args(arguments).output().await
}

fn lines(output: &Output) -> Vec<String> {
    assert!(output.status.success(), "{output:?}");
    String::from_utf8_lossy(&output.stdout).lines().map(str::to_owned).collect()
}

#[tokio::test]
async fn it_runs_on_a_system_of_its_own() {
    let told = lines(&run(&[]).await.unwrap());
    let count = |step: &str| told.iter().filter(|line| line.starts_with(step)).count();
    let steps = ["Master user", "Segment", "Membership", "Level", "Custom field", "Member ", "File", "Read back"];
    assert_eq!(steps.map(count), [1, 1, 1, 5, 19, 1, 4, 1], "{told:#?}");
    assert_eq!(count("Found by"), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn it_runs_on_a_system_that_is_there_as_often_as_one_likes() {
    let system = System::start(Options::default()).await.unwrap();
    for _ in 0..2 {
        let told = lines(&run(&["--url", &system.url]).await.unwrap());
        assert!(told.last().unwrap().starts_with("Found by"), "{told:#?}");
    }
    system.stop().await;
}

#[tokio::test]
async fn it_fails_where_nothing_answers() {
    let output = run(&["--url", "http://127.0.0.1:9"]).await.unwrap();
    assert!(!output.status.success());
    assert!(String::from_utf8_lossy(&output.stdout).starts_with("Failed"), "{output:?}");
}
