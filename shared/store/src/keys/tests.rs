//! The literal keys.

use super::*;

/// A key that changes loses what was written under it: this test is the table's contract with itself.
#[test]
fn the_keys_are_these_to_the_letter() -> Result<(), domain::Error> {
    let id = "0199d2a4-5c00-7000-8000-000000000001";
    let spelled = |key: Key| format!("{} {}", key.pk, key.sk);
    let unique = Unique::new("email", "ana@example.com".to_owned());
    let hashed = "jkPKN3ASKOdJg-_b0M_1wWs7Hl1OKafAVibU0loBjhE";
    for (key, expected) in [
        (user(id.parse()?), format!("U#{id} U")),
        (address(id.parse()?, id.parse()?), format!("U#{id} A#{id}")),
        (device(id.parse()?, id.parse()?), format!("U#{id} DV#{id}")),
        (listing(id.parse()?, id.parse()?, id.parse()?), format!("DV#{id} {id}#{id}")),
        (endpoint("arn:aws:sns:1"), "DE#arn:aws:sns:1 DE".to_owned()),
        (notification(id.parse()?, id.parse()?), format!("S#{id} PN#{id}")),
        (recipients(id.parse()?, id.parse()?), format!("S#{id} PT#{id}")),
        (entry(id.parse()?, id.parse()?), format!("U#{id} H#{id}")),
        (claim(Scope::Masters, &unique), format!("C#M#email#{hashed} C")),
        (claim(Scope::Segment(id.parse()?), &unique), format!("C#S#{id}#email#{hashed} C")),
        (member_claim(id.parse()?, "answers.rfc", &unique.value), format!("C#M#{id}#answers.rfc#{hashed} C")),
        (key(id.parse()?, None, id.parse()?), format!("U#{id} K#{id}")),
        (key(id.parse()?, Some(id.parse()?), id.parse()?), format!("S#{id} K#{id}")),
        (child_key(id.parse()?, id.parse()?, id.parse()?), format!("U#{id} KC#{id}#{id}")),
        (session(id.parse()?, id.parse()?), format!("U#{id} SN#{id}")),
        (recovery_code(id.parse()?, "492817"), format!("U#{id} RC#3aZnLX0Q0Ivw5kuSQBHE_C40qgsupqXa6gGFT4aYF2w")),
        (segment_numbers(id.parse()?), format!("U#{id} N")),
        (segment_by_number(id.parse()?, SegmentNumber::default()), format!("U#{id} G#1")),
        (person(id.parse()?, PersonNumber::default()), format!("A#{id}#1 A")),
        (
            person_in(Person {
                account: id.parse()?,
                number: PersonNumber::default(),
                segment: SegmentNumber::default(),
            }),
            format!("A#{id}#1 S#1"),
        ),
    ] {
        assert_eq!(spelled(key), expected);
    }
    Ok(())
}

#[test]
fn the_keys_of_segments_and_what_is_in_them_are_these_to_the_letter() -> Result<(), domain::Error> {
    let id = "0199d2a4-5c00-7000-8000-000000000001";
    let spelled = |key: Key| format!("{} {}", key.pk, key.sk);
    for (key, expected) in [
        (segment(id.parse()?), format!("S#{id} S")),
        (catalog(id.parse()?, id.parse()?), format!("S#{id} C#{id}")),
        (custom_status(id.parse()?, id.parse()?), format!("S#{id} T#{id}")),
        (status_numbers(id.parse()?), format!("S#{id} N")),
        (partner(id.parse()?, id.parse()?), format!("S#{id} B#{id}")),
        (product(id.parse()?, id.parse()?), format!("S#{id} P#{id}")),
        (subscription_count(id.parse()?, id.parse()?, 7), format!("S#{id} Q#{id}#7")),
        (membership(id.parse()?), format!("M#{id} M")),
        (level(id.parse()?, id.parse()?), format!("M#{id} L#{id}")),
        (field(id.parse()?, id.parse()?), format!("M#{id} F#{id}")),
        (home(Uuid::try_parse(id).unwrap()), format!("H#{id} H")),
        (deleted(Uuid::try_parse(id).unwrap(), ADDRESSES, Uuid::try_parse(id).unwrap()), format!("K#{id} A#{id}")),
        (member(id.parse()?), format!("E#{id} E")),
        (joined(id.parse()?, id.parse()?), format!("U#{id} B#{id}")),
        (award(id.parse()?, id.parse()?), format!("E#{id} P#{id}")),
        (upload(id.parse()?), format!("F#{id} F")),
        (upload_of(UploadHolder::Segment(id.parse()?), id.parse()?), format!("S#{id} F#{id}")),
        (upload_of(UploadHolder::Member(id.parse()?), id.parse()?), format!("E#{id} F#{id}")),
        (upload_of(UploadHolder::User(id.parse()?), id.parse()?), format!("U#{id} F#{id}")),
        (change(id.parse()?, Time::from_millis(0), id.parse()?), format!("G#{id} 1970-01-01T00:00:00.000Z\u{1}{id}")),
        (told(id.parse()?, 7), format!("G#{id} ~07")),
        (import(id.parse()?, id.parse()?), format!("S#{id} V#{id}")),
        (export(id.parse()?, id.parse()?), format!("S#{id} W#{id}")),
        (audit_entry_of_account(id.parse()?, id.parse()?), format!("AU#{id} AU#{id}")),
        (audit_entry_of_segment(id.parse()?, id.parse()?), format!("AS#{id} AU#{id}")),
        (event(id.parse()?, id.parse()?), format!("Y#{id} Y#{id}")),
        (webhook(id.parse()?, id.parse()?), format!("S#{id} Y#{id}")),
        (delivery(id.parse()?, id.parse()?), format!("L#{id} L#{id}")),
        (batch(id.parse()?, 501), format!("V#{id} B#000000000501")),
        (job("erase_member", id), format!("J#erase_member#{id} J")),
    ] {
        assert_eq!(spelled(key), expected);
    }
    Ok(())
}

#[test]
fn the_keys_of_the_deployment_and_of_the_index_are_these_to_the_letter() -> Result<(), domain::Error> {
    let id = "0199d2a4-5c00-7000-8000-000000000001";
    let spelled = |key: Key| format!("{} {}", key.pk, key.sk);
    let hashed = "jkPKN3ASKOdJg-_b0M_1wWs7Hl1OKafAVibU0loBjhE";
    assert_eq!(hash("ana@example.com"), hashed);
    for (key, expected) in [
        (first(), "D FIRST".to_owned()),
        (unversioned_secret(), "D SECRET".to_owned()),
        (secrets(), "DS DS".to_owned()),
        (one_time(id.parse()?, "ana@example.com"), format!("O#{} O", hash(&format!("{id}|ana@example.com")))),
        (purged(Uuid::try_parse(id).unwrap()), format!("Z#{} Z", hash(id))),
        (answer("ana@example.com"), format!("I#{hashed} I")),
        (limit("ana@example.com", 29_395_320), format!("R#{hashed} 29395320")),
        (
            Key::new(index("S#1", "last_name", None), place(Some("perez"), Uuid::try_parse(id).unwrap())),
            format!("X#S#1#last_name vperez\u{1}{id}"),
        ),
        (
            Key::new(index("S#1", "last_name", Some("ACTIVE.~.a%2Eb")), place(None, Uuid::try_parse(id).unwrap())),
            format!("X#S#1#last_name#ACTIVE.~.a%2Eb ~\u{1}{id}"),
        ),
        (counter(counts("S#1"), 3), "N#S#1 03".to_owned()),
        (counter(tallies("M#1"), 15), "T#M#1 15".to_owned()),
        (rank("M#1", 7, ".01.ff"), "P#M#1#7 p.01.ff".to_owned()),
    ] {
        assert_eq!(spelled(key), expected);
    }
    Ok(())
}

#[test]
fn the_keys_of_what_opens_something_are_these_to_the_letter() -> Result<(), domain::Error> {
    let id = "0199d2a4-5c00-7000-8000-000000000001";
    let developer = developer(id.parse()?, id.parse()?);
    assert_eq!((developer.pk, developer.sk), (format!("U#{id}"), format!("D#{id}")));
    let registration = registration(id.parse()?);
    assert_eq!((registration.pk, registration.sk), (format!("DR#{id}"), "DR".to_owned()));
    let undo = email_undo(id.parse()?, "ana@example.com");
    let sk = "E#jkPKN3ASKOdJg-_b0M_1wWs7Hl1OKafAVibU0loBjhE".to_owned();
    assert_eq!((undo.pk, undo.sk), (format!("U#{id}"), sk));
    let link = link(id.parse()?, "ana@example.com");
    assert_eq!((link.pk, link.sk.as_str()), (format!("B#{}", hash(&format!("{id}|ana@example.com"))), "B"));
    Ok(())
}

#[test]
fn the_keys_of_push_notifications_are_these_to_the_letter() -> Result<(), domain::Error> {
    let id = "0199d2a4-5c00-7000-8000-000000000001";
    for (key, expected) in [
        (device(id.parse()?, id.parse()?), format!("U#{id} DV#{id}")),
        (listing(id.parse()?, id.parse()?, id.parse()?), format!("DV#{id} {id}#{id}")),
        (notification(id.parse()?, id.parse()?), format!("S#{id} PN#{id}")),
        (recipients(id.parse()?, id.parse()?), format!("S#{id} PT#{id}")),
    ] {
        assert_eq!(format!("{} {}", key.pk, key.sk), expected);
    }
    assert_eq!(listed_device(&format!("{id}#{id}")), Some((id.parse()?, id.parse()?)));
    Ok(())
}

#[test]
fn buckets_cannot_be_forged() {
    for facets in
        [[Some("ACTIVE"), None, Some("a.b")], [Some(""), Some("~"), Some("%7E")], [Some("#"), Some("é\u{1}"), None]]
    {
        let name = bucket(facets.into_iter());
        assert!(name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-.~%".contains(&byte)), "{name}");
        let decoded: Vec<_> = bucket_facets(&name).collect();
        assert_eq!(decoded.iter().map(Option::as_deref).collect::<Vec<_>>(), facets);
    }
    assert_eq!(bucket([Some("ACTIVE"), None, Some("a.b")].into_iter()), "ACTIVE.~.a%2Eb");
    assert_eq!(counted("PK"), ".PK");
}

#[test]
fn only_addresses_levels_and_fields_have_a_home() -> Result<(), domain::Error> {
    let id = "0199d2a4-5c00-7000-8000-000000000001";
    let its = Some(home(Uuid::try_parse(id).unwrap()));
    for (key, expected) in [
        (address(id.parse()?, id.parse()?), its.clone()),
        (level(id.parse()?, id.parse()?), its.clone()),
        (field(id.parse()?, id.parse()?), its),
        (upload_of(UploadHolder::Segment(id.parse()?), id.parse()?), None),
        (entry(id.parse()?, id.parse()?), None),
        (membership(id.parse()?), None),
        (user(id.parse()?), None),
    ] {
        assert_eq!(home_at(&key.attributes()), expected, "{key:?}");
    }
    Ok(())
}

#[test]
fn places_tell_value_and_id() {
    let id = Uuid::from_u128(7);
    for value in [Some("perez"), Some(""), Some("~"), None] {
        assert_eq!(placed(&place(value, id)), Some((value, id)));
    }
}

#[test]
fn the_rows_of_requests_that_make_one_each_are_spread_over_the_shards() {
    let of_requests = (0..200).map(|_| Uuid::from_u128(domain::id::fresh().as_u128() & !0xff));
    let shards: std::collections::HashSet<_> = of_requests.map(|id| shard(id, 16)).collect();
    assert!(shards.len() > 12, "{shards:?}");
}
