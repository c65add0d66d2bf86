//! Tables as spreadsheets write them.

use serde_json::{Value, json};

use super::{counts, errors, started};
use crate::world::World;

/// Imports a table that has these users and no faults: their names, by their e-mails.
async fn names(world: &World, file: &[u8]) -> Vec<(String, String)> {
    let path = world.imported("csv", file, json!({})).await;
    let import = world.over(&path).await;
    assert_eq!((&import["status"], counts(&import)[3]), (&json!("COMPLETED"), 0), "{import}");
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let users = world.users().await;
    let named = users.values().map(|user| (text(&user["email"]), text(&user["name"])));
    named.collect()
}

fn utf16(text: &str, bytes: fn(u16) -> [u8; 2]) -> Vec<u8> {
    format!("\u{feff}{text}").encode_utf16().flat_map(bytes).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn table_is_read_in_each_encoding() {
    let table = |nth: usize| {
        format!("email;name;;\r\nana{nth}@example.com;Zo\u{eb};;\r\nbob{nth}@example.com; \"B\n\u{f1}\" ;\r\n")
    };
    // A name keeps no line end; a note does.
    let table = |nth: usize| table(nth).replace("name", "metadata.note");
    let windows = |text: String| text.chars().map(|letter| u8::try_from(u32::from(letter)).unwrap()).collect();
    let files: [Vec<u8>; 5] = [
        table(0).into_bytes(),
        format!("\u{feff}{}", table(1)).into_bytes(),
        utf16(&table(2), u16::to_le_bytes),
        utf16(&table(3), u16::to_be_bytes),
        windows(table(4)),
    ];
    let world = started().await;
    for (nth, file) in files.iter().enumerate() {
        let path = world.imported("csv", file, json!({})).await;
        let import = world.over(&path).await;
        assert_eq!((&import["status"], counts(&import)), (&json!("COMPLETED"), [2, 0, 0, 0]), "{nth} {import}");
        let users = world.users().await;
        let note = |name: &str| users[&format!("{name}{nth}@example.com")]["metadata"]["note"].clone();
        assert_eq!((note("ana"), note("bob")), (json!("Zo\u{eb}"), json!("B\n\u{f1}")), "{nth}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn layout_of_a_spreadsheet_is_no_fault() {
    let world = started().await;
    for (nth, file) in [
        "sep=;\r\nemail;name\r\nEMAIL;X\r\n",
        "sep=|\nemail|name\nEMAIL|X",
        "email;name;;\r\nEMAIL;X;;\r\n",
        "email;;name;\r\nEMAIL;;X\r\n",
        "email;name\r\nEMAIL;X\r\n;\r\n ;\u{a0}\r\n\u{3000};\u{2003}\r\n;;;;\r\n",
        "email;name\r\n EMAIL ;\u{a0}X \r\n",
        " Email ;NAME\u{a0}\r\nEMAIL;X\r\n",
        ";;\r\n\r\nemail;name\r\nEMAIL;X;\r\n",
        "email\tname\rEMAIL\tX\r",
    ]
    .into_iter()
    .enumerate()
    {
        let email = format!("user{nth}@example.com");
        let found = names(&world, file.replace("EMAIL", &email).as_bytes()).await;
        assert_eq!(found.len(), nth + 1, "{file}");
        assert!(found.contains(&(email, "X".to_owned())), "{file} {found:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn report_names_the_lines_of_the_file() {
    let world = started().await;
    for (nth, end) in ["\r\n", "\n", "\r"].into_iter().enumerate() {
        let lines = [
            "sep=,",
            "email,metadata.note",
            "a@example.com,\"one",
            "two\"",
            ",",
            "",
            "nonsense,x",
            "b@example.com,,,x",
            "c@example.com,,,",
        ];
        let file = lines.join(end).replace("@", &format!("{nth}@"));
        let path = world.imported("csv", &file, json!({})).await;
        let import = world.over(&path).await;
        assert_eq!((counts(&import), &import["total_rows"]), ([2, 0, 0, 2], &json!(4)), "{end:?} {import}");
        let report = world.report(&path).await;
        let told: Vec<_> = report.iter().map(|row| (row["row"].as_u64(), row["line"].as_u64(), errors(row))).collect();
        let expected = [
            (Some(1), Some(3), vec![]),
            (Some(2), Some(7), vec![("/email", "invalid_email")]),
            (Some(3), Some(8), vec![("", "too_many_cells")]),
            (Some(4), Some(9), vec![]),
        ];
        assert_eq!(told, expected, "{end:?}");
        let message = report[2]["errors"][0]["message"].as_str().unwrap();
        assert!(message.contains("column 4 (D)"), "{message}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn row_that_is_not_in_the_encoding_of_its_file_fails() {
    let world = started().await;
    let file = b"email,name\na@example.com,Zo\xc3\xab\nb@example.com,Zo\xeb\n";
    let path = world.imported("csv", file, json!({})).await;
    let import = world.over(&path).await;
    assert_eq!(counts(&import), [1, 0, 0, 1], "{import}");
    let report = world.report(&path).await;
    assert_eq!(errors(&report[1]), [("", "malformed")], "{report:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn column_that_is_named_twice_fails_the_file() {
    let world = started().await;
    let path = world.imported("csv", "email,name, EMAIL\na@example.com,A,b@example.com\n", json!({})).await;
    let import = world.over(&path).await;
    assert_eq!(import["status"], "FAILED");
    assert_eq!(import["reason"], "The file has two columns \"email\", columns 1 and 3; remove one of them.");
}

#[tokio::test(flavor = "multi_thread")]
async fn batches_of_a_recoded_table_begin_where_rows_do() {
    let world = started().await;
    let rows: String = (0..1100).map(|nth| format!("u{nth}@example.com;Zo\u{eb}\r\n")).collect();
    let file = utf16(&format!("email;name\r\n{rows}"), u16::to_le_bytes);
    let path = world.imported("csv", &file, json!({ "dry_run": true })).await;
    let import = world.over(&path).await;
    assert_eq!((counts(&import), &import["total_rows"]), ([1100, 0, 0, 0], &json!(1100)), "{import}");
    let report = world.report(&path).await;
    assert!(report.iter().enumerate().all(|(nth, row)| row["line"] == json!(nth + 2)));
}

#[tokio::test(flavor = "multi_thread")]
async fn quote_that_is_never_closed_is_told_and_changes_nothing() {
    let world = started().await;
    let file = "email,metadata.note\na@example.com,A\nb@example.com,\"open\nc@example.com,B\nd@example.com,C\n";
    let path = world.imported("csv", file, json!({})).await;
    let import = world.over(&path).await;
    assert_eq!((&import["status"], counts(&import)), (&json!("COMPLETED"), [1, 0, 0, 1]), "{import}");
    let report = world.report(&path).await;
    assert_eq!((report[1]["line"].as_u64(), errors(&report[1])), (Some(3), vec![("", "malformed")]), "{report:?}");
    let message = report[1]["errors"][0]["message"].as_str().unwrap();
    assert!(message.contains("quote that is never closed"), "{message}");
    let mut found: Vec<_> = world.users().await.into_keys().collect();
    found.sort();
    assert!(!found.iter().any(|email| email.starts_with("b@")), "{found:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn cell_whose_object_repeats_a_name_fails() {
    let world = started().await;
    let file = "email,metadata\na@example.com,\"{\"\"b\"\":1,\"\"b\"\":2}\"\nb@example.com,\"{\"\"b\"\":1}\"\n";
    let path = world.imported("csv", file, json!({})).await;
    assert_eq!(counts(&world.over(&path).await), [1, 0, 0, 1]);
}
