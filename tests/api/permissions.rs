//! What the template lets each function do, against what its code does.

use std::collections::{BTreeMap, BTreeSet};

const TEMPLATE: &str = include_str!("../../template.yaml");

/// The part of the template that each function is, by its name.
pub(crate) fn functions() -> BTreeMap<&'static str, String> {
    let (mut functions, mut current) = (BTreeMap::new(), None);
    for line in TEMPLATE.lines() {
        if let Some(name) = line.strip_prefix("  ").filter(|rest| !rest.starts_with([' ', '#'])) {
            current = name.strip_suffix("Function:").filter(|name| !name.is_empty());
        }
        if let Some(name) = current {
            let block: &mut String = functions.entry(name).or_default();
            block.push_str(line);
            block.push('\n');
        }
    }
    functions
}

/// The statements of a function's policies.
fn statements(block: &str) -> Vec<&str> {
    block.split("- Effect: ").skip(1).collect()
}

fn paths(block: &str) -> Vec<&str> {
    block.lines().filter_map(|line| line.trim().strip_prefix("Path: ")).map(|path| path.trim_matches('"')).collect()
}

#[test]
fn only_functions_that_seal_may_read_the_sealing_secret() {
    let (mut sealing, mut denied) = (0, 0);
    for (name, block) in functions().into_iter().filter(|(_, block)| block.contains("!GetAtt Table.Arn")) {
        // Each function with routes opens the access tokens of keys; the one that sends events opens webhooks' secrets.
        let seals = name == "Events" || !paths(&block).is_empty();
        let denies = statements(&block).iter().any(|statement| {
            statement.starts_with("Deny\n")
                && statement.contains("Action: dynamodb:*")
                && statement.contains("\"ForAnyValue:StringEquals\": { \"dynamodb:LeadingKeys\": [DS] }")
        });
        assert_eq!(denies, !seals, "{name}");
        sealing += u32::from(seals);
        denied += u32::from(denies);
    }
    assert!(sealing >= 10 && denied >= 5, "{sealing} {denied}");
}

#[test]
fn only_functions_that_sign_in_have_the_clients_secret() {
    let mut having = Vec::new();
    for (name, block) in functions() {
        let (has, signs_in) =
            (block.contains("UserPoolClient.ClientSecret"), block.contains("cognito-idp:AdminInitiateAuth"));
        assert_eq!(has, signs_in, "{name}");
        having.extend(has.then_some(name));
    }
    assert_eq!(having, ["Auth", "Dialects", "Users"]);
    let globals = TEMPLATE.split("\nResources:").next().unwrap();
    assert!(!globals.contains("ClientSecret"), "no function gets it by default");
}

#[test]
fn buckets_are_listed_by_the_prefixes_of_objects_that_the_function_may_use() {
    let mut listing = 0;
    for (name, block) in functions() {
        let statements = statements(&block);
        let lists = statements.iter().filter(|statement| statement.contains("s3:ListBucket"));
        for statement in lists {
            listing += 1;
            let (_, condition) =
                statement.split_once("\"s3:prefix\": ").unwrap_or_else(|| panic!("{name} lists everything"));
            for prefix in condition.lines().next().unwrap().split('"').filter(|part| part.contains('/')) {
                let used = statements.iter().filter(|other| !other.contains("s3:ListBucket"));
                assert!(used.into_iter().any(|other| other.contains(&format!("/{prefix}"))), "{name} lists {prefix}");
            }
        }
    }
    assert!(listing >= 4, "{listing}");
}

#[test]
fn no_function_scans_or_may_do_anything_at_all() {
    for (name, block) in functions() {
        for statement in statements(&block).iter().filter(|statement| statement.starts_with("Allow")) {
            let actions = statement.split("Resource:").next().unwrap();
            assert!(!actions.contains("dynamodb:Scan") && !actions.contains('*'), "{name}: {actions}");
        }
    }
}

/// Grants that no test uses: the function, the actions, the resources, and the reason to have them.
const UNTESTED_GRANTS: [(&str, &[&str], &[&str], &str); 10] = [
    ("Arrivals", &["s3:ListBucket"], &[BUCKET], NOT_FOUND),
    ("Dialects", &["s3:ListBucket"], &[BUCKET], NOT_FOUND),
    ("Auth", &["cognito-idp:AdminDeleteUser", "cognito-idp:AdminGetUser"], &[POOL], INTERRUPTED),
    ("Dialects", &["cognito-idp:AdminGetUser"], &[POOL], INTERRUPTED),
    (
        "Events",
        &["events:PutEvents"],
        &["arn:aws:events:us-east-1:000000000000:event-bus/muster"],
        "The local system shows events instead; `.ci/deploy` has no bus.",
    ),
    ("Imports", &["states:StartExecution"], &[MACHINE], "The local system has no state machine; `.ci/deploy` has one."),
    ("Transfers", &["states:StartExecution"], &[MACHINE], "The same, for an import that could not be started."),
    (
        "Transfers",
        &["s3:GetObject"],
        &["arn:aws:s3:::muster-files-local/exports/*"],
        "An export whose completion was cut off is looked for.",
    ),
    (
        "Notifications",
        &["scheduler:CreateSchedule", "scheduler:DeleteSchedule", "iam:PassRole"],
        &[
            "arn:aws:scheduler:us-east-1:000000000000:schedule/NotificationSchedules/*",
            "arn:aws:iam::000000000000:role/NotificationsRole",
        ],
        "The local system looks for due notifications instead of scheduling them.",
    ),
    (
        "Notifications",
        &["sns:CreatePlatformEndpoint", "sns:Publish", "sns:SetEndpointAttributes", "sns:DeleteEndpoint"],
        &[
            "arn:aws:sns:us-east-1:000000000000:app/APNS_SANDBOX/muster",
            "arn:aws:sns:us-east-1:000000000000:endpoint/APNS/muster/*",
            "arn:aws:sns:us-east-1:000000000000:endpoint/APNS_SANDBOX/muster/*",
        ],
        "The tests send to one platform; the calls for the others are the same.",
    ),
];

const BUCKET: &str = "arn:aws:s3:::muster-files-local";
const POOL: &str = "arn:aws:cognito-idp:us-east-1:000000000000:userpool/UserPool";
const MACHINE: &str = "arn:aws:states:us-east-1:000000000000:stateMachine:muster-transfers-local";
const NOT_FOUND: &str = "Without it S3 answers 403 instead of 404 for a missing object.";
const INTERRUPTED: &str = "A change that was cut off long ago is settled before the next one.";

/// Reads what the whole suite has asked AWS for; `.ci/run` calls it after the tests.
#[test]
#[ignore = "needs the accesses of the whole suite, which `.ci/run permissions` has"]
fn each_grant_is_used_and_nothing_was_denied() {
    let log = concat!(env!("CARGO_MANIFEST_DIR"), "/../target/accesses.txt");
    let log = std::fs::read_to_string(log).unwrap();
    let denied: Vec<_> = log.lines().filter(|line| line.ends_with(" denied")).collect();
    assert_eq!(denied, Vec::<&str>::new(), "the template does not allow what a function asked for");
    let used: BTreeSet<_> = log.lines().map(str::to_owned).collect();
    let (mut unused, mut explained) = (Vec::new(), [0; UNTESTED_GRANTS.len()]);
    for (function, action, resource) in local::list_grants() {
        if used.contains(&format!("{function} {action} {resource}")) {
            continue;
        }
        let explains = |(name, actions, resources, _): &(&str, &[&str], &[&str], &str)| {
            *name == function && actions.contains(&action) && resources.contains(&resource)
        };
        match UNTESTED_GRANTS.iter().position(explains) {
            Some(nth) => explained[nth] += 1,
            None => unused.push((function, action, resource)),
        }
    }
    assert_eq!(unused, [], "granted, and used by no test: remove the grant or give a reason");
    let needless = UNTESTED_GRANTS.iter().zip(explained).filter(|(_, grants)| *grants == 0);
    assert_eq!(needless.collect::<Vec<_>>(), [], "tests use these grants, so that they need no reason");
}

/// A request keeps its permissions within its task, so that a function must not spawn another one.
#[test]
fn functions_spawn_no_tasks() {
    let mut folders = vec![concat!(env!("CARGO_MANIFEST_DIR"), "/../functions").into()];
    folders.push(std::path::PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../shared")));
    let mut read = 0;
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                // Tests of the store alone, over an emulator of its own.
                let is_test = path.ends_with("store/src/emulator.rs");
                let text = std::fs::read_to_string(&path).unwrap();
                let spawns = ["spawn(", "JoinSet", "spawn_blocking"].iter().any(|word| text.contains(word));
                assert!(is_test || !spawns, "{} spawns a task", path.display());
                read += 1;
            }
        }
    }
    assert!(read > 200, "{read}");
}
