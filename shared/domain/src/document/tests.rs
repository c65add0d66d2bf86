//! Each documented rule, and numbers whose validity an independent implementation has told.

use serde_json::{Value, json};

use super::*;
use crate::custom_field::FieldType;
use crate::text::Country;

/// The number that a user of `country` has under `kind` at this level, as identity or as tax document.
fn number(country: &str, kind: &str, text: &str, checks: Checks) -> Result<String, FieldError> {
    let at = Pointer::root();
    let mut errors = Vec::new();
    let document = Document::read(json!({ "type": kind, "value": text }), &at, &mut errors);
    let Some(document) = document else { return Err(errors.remove(0)) };
    let country = Country::parse(country).ok();
    let tax = matches!(kind, "CUIL" | "CPF" | "RFC" | "NIT" | "RUC");
    let purpose = if tax { Purpose::Tax } else { Purpose::Identity };
    document.check(purpose, country.as_ref(), checks, &at).map(|()| document.value.into())
}

/// The number that a custom field of this type takes.
fn answer(kind: FieldType, text: &str, checks: Checks) -> Option<String> {
    kind.document()?.read(text, checks).ok().map(String::from)
}

fn vectors() -> Vec<Value> {
    include_str!("../../tests/identity.json").lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn numbers_with_known_answers_are_taken_and_refused_as_they_should() {
    let vectors = vectors();
    assert_eq!(vectors.len(), 74);
    for vector in vectors {
        let (name, text) = (vector["document"].as_str().unwrap(), vector["input"].as_str().unwrap());
        let accepted = vector["valid"] == true && vector["documented"] != false;
        let expected = accepted.then(|| vector["canonical"].as_str().unwrap().to_owned());
        let country = match name {
            "DNI_ARG" | "CUIL" => Some("ARG"),
            "CPF" => Some("BRA"),
            "RFC" => Some("MEX"),
            "NIT" => Some("COL"),
            "RUC" => Some("PER"),
            "RUT" => Some("CHL"),
            _ => None,
        };
        if let Some(country) = country {
            let kind = name.trim_end_matches("_ARG");
            assert_eq!(number(country, kind, text, Checks::Checksum).ok(), expected, "{vector}");
        }
        if name != "DNI_ARG" {
            let kind = FieldType::parse(&name.to_lowercase()).unwrap();
            assert_eq!(answer(kind, text, Checks::Checksum), expected, "{vector}");
        }
    }
}

#[test]
fn the_narrower_documented_rule_is_what_refuses_a_number_that_is_valid_elsewhere() {
    let narrower: Vec<_> = vectors().into_iter().filter(|vector| vector["documented"] == false).collect();
    assert_eq!(narrower.len(), 4);
    for vector in narrower {
        let kind = FieldType::parse(&vector["document"].as_str().unwrap().to_lowercase()).unwrap();
        assert_eq!(answer(kind, vector["input"].as_str().unwrap(), Checks::Format), None, "{vector}");
    }
}

#[test]
fn the_check_digit_counts_only_where_the_level_asks_for_it() {
    for (kind, text) in [
        (FieldType::Cuil, "20267565392"),
        (FieldType::Cpf, "11111111111"),
        (FieldType::Cnpj, "12ABC34501DE36"),
        (FieldType::Cnpj, "00000000000000"),
        (FieldType::Curp, "BUEI310820HNERXN09"),
        (FieldType::Rfc, "VACE460910SX6"),
        (FieldType::Clabe, "012345678901234567"),
        (FieldType::Nit, "2131234325"),
        (FieldType::Ruc, "15123456783"),
        (FieldType::Rut, "12531909-3"),
    ] {
        assert!(answer(kind, text, Checks::Format).is_some(), "{text}");
        assert_eq!(answer(kind, text, Checks::Checksum), None, "{text}");
    }
}

#[test]
fn a_check_digit_that_would_have_two_digits_has_one() {
    for (kind, text) in [
        (FieldType::Rfc, "AAAA010101030"),
        (FieldType::Ruc, "10000000049"),
        (FieldType::Ruc, "10000000090"),
        (FieldType::Ruc, "10000000031"),
    ] {
        assert_eq!(answer(kind, text, Checks::Checksum).as_deref(), Some(text));
    }
}

#[test]
fn each_country_has_its_documents_with_their_lengths() {
    for (country, kind, accepted, refused) in [
        (
            "ARG",
            "DNI",
            &["1234567", "12345678", "12.345.678"][..],
            &["123456", "123456789", "1234567A", "20-123-456", "20/123/456"][..],
        ),
        ("ARG", "LE", &["1", "A1"], &["=", ""]),
        ("ARG", "LC", &["1"], &["1&2"]),
        ("ARG", "CI", &["1"], &["123456789012345678901234567890123"]),
        ("ARG", "PASSPORT", &["AAA123456"], &["AAA_123456"]),
        ("ARG", "CUIL", &["34-00000000-0"], &["26000000000", "2000000000", "200000000001", "2000000000A"]),
        ("BRA", "RG", &["1"], &[""]),
        ("BRA", "CNH", &["1"], &[""]),
        ("BRA", "PASSPORT", &["1"], &[""]),
        ("BRA", "CPF", &["000.000.000-00"], &["0000000000", "000000000000", "0000000000A"]),
        ("MEX", "INE", &["123456789", "ABCDEFGHIJKLM"], &["12345678", "12345678901234"]),
        ("MEX", "PASSPORT", &["1"], &[""]),
        (
            "MEX",
            "RFC",
            &["A&Ñ000229AA0", "AAAA0002290AA"],
            &["AAA000230AA0", "AA000229AA0", "AAA000229AAB", "A1A000229AA0"],
        ),
        ("COL", "CC", &["12345", "12345678901"], &["1234", "123456789012"]),
        ("COL", "CE", &["123456", "1234567"], &["12345", "12345678"]),
        ("COL", "PPT", &["1", "12345678"], &["", "123456789"]),
        ("COL", "PASSPORT", &["1"], &[""]),
        ("COL", "NIT", &["900.123.456-0"], &["900123456", "90012345678", "90012345A8"]),
        ("PER", "DNI", &["12345678"], &["1234567", "123456789", "1234567A"]),
        ("PER", "CE", &["A", "A12345678901"], &["", "A123456789012"]),
        ("PER", "PASSPORT", &["A", "A12345678901"], &["", "A123456789012"]),
        ("PER", "RUC", &["10000000000", "17000000000"], &["20000000000", "1000000000", "100000000000"]),
        (
            "CHL",
            "RUT",
            &["1.234-56", "12.345.678-k", "CL12.345.678-K", "0009068826k"],
            &["1.234-5", "123.456.789-2", "1234567-L", "K2345678", "00.000.000-0", "0000000-K"],
        ),
    ] {
        for text in accepted {
            assert!(number(country, kind, text, Checks::Format).is_ok(), "{country} {kind} {text}");
        }
        for text in refused {
            let error = number(country, kind, text, Checks::Format).unwrap_err();
            assert_eq!((error.pointer.as_str(), error.code), ("/value", "invalid_document"), "{country} {kind} {text}");
            assert!(text.is_empty() || !error.message.contains(text), "repeats {text}");
        }
    }
}

#[test]
fn a_type_that_a_country_does_not_have_is_refused_and_the_others_are_named() {
    for (country, kind, names) in [
        ("ARG", "CPF", "CUIL, DOCUMENT"),
        ("ARG", "INE", "DNI, LE, LC, CI, PASSPORT, DOCUMENT"),
        ("BRA", "RFC", "CPF, DOCUMENT"),
        ("BRA", "DNI", "RG, CNH, PASSPORT, DOCUMENT"),
        ("MEX", "CUIL", "RFC, DOCUMENT"),
        ("MEX", "DNI", "INE, PASSPORT, DOCUMENT"),
        ("COL", "DNI", "CC, CE, PPT, PASSPORT, DOCUMENT"),
        ("COL", "RUC", "NIT, DOCUMENT"),
        ("PER", "RUT", "DNI, CE, PASSPORT, DOCUMENT"),
        ("PER", "CPF", "RUC, DOCUMENT"),
        ("CHL", "PASSPORT", "RUT, DOCUMENT"),
        ("ESP", "PASSPORT", "DOCUMENT"),
        ("no country", "DNI", "DOCUMENT"),
    ] {
        let error = number(country, kind, "12345678", Checks::Format).unwrap_err();
        assert_eq!((error.pointer.as_str(), error.code), ("/type", "invalid_choice"), "{country}");
        assert_eq!(error.message, format!("must be one of {names}, as operation_country says"), "{country}");
    }
}

#[test]
fn an_identity_document_is_no_tax_document() {
    let document = Document::parse(DocumentType::Dni, "12345678").unwrap();
    let country = Country::parse("ARG").ok();
    let check = |purpose| document.check(purpose, country.as_ref(), Checks::Format, &Pointer::root());
    assert_eq!(check(Purpose::Identity), Ok(()));
    assert!(check(Purpose::Tax).is_err());
}

#[test]
fn a_document_of_no_known_type_is_good_everywhere() {
    for country in ["ARG", "BRA", "MEX", "COL", "PER", "CHL", "ESP", "no country"] {
        let longest = "a".repeat(32);
        assert_eq!(number(country, "DOCUMENT", "a", Checks::Checksum).as_deref(), Ok("A"), "{country}");
        assert_eq!(number(country, "DOCUMENT", &longest, Checks::Checksum), Ok("A".repeat(32)), "{country}");
        assert!(number(country, "DOCUMENT", &"1".repeat(33), Checks::Format).is_err(), "{country}");
        assert!(number(country, "DOCUMENT", "1&2", Checks::Format).is_err(), "{country}");
    }
}

#[test]
fn an_rfc_has_a_day_that_exists_or_is_a_generic_one() {
    for (text, valid) in [
        ("XAXX010101000", true),
        ("XEXX010101000", true),
        ("XAXX010101001", false),
        ("AAA010229AA0", false),
        ("AAA011301AA0", false),
        ("AAA010001AA0", false),
        ("AAAAA010101AA0", false),
        ("AAA010101ÑA0", false),
    ] {
        let checks = if text.starts_with('X') { Checks::Checksum } else { Checks::Format };
        assert_eq!(answer(FieldType::Rfc, text, checks).is_some(), valid, "{text}");
    }
}

#[test]
fn a_curp_is_made_of_a_day_a_sex_a_state_and_consonants() {
    for (text, valid) in [
        ("BOXW310820HNERXN09", true),
        ("BOXW310820XNERXN09", true),
        ("BOXW310820HNERXN0A", false),
        ("BOX1310820HNERXN09", false),
        ("ÑOXW310820HNERXN09", true),
        ("BOXW310820QNERXN09", false),
        ("BOXW310820HXXRXN09", false),
        ("BOXW310820HNEAXN09", false),
        ("BOXW310820HNERX109", false),
        ("BOXW311320HNERXN09", false),
        ("BOXW310230HNERXN09", false),
        // 1900 was no leap year, 2000 was one: the 17th sign tells them apart.
        ("BOXW000229HNERXN09", false),
        ("BOXW000229HNERXNA9", true),
        ("BOXW310820HNERXN099", false),
    ] {
        assert_eq!(answer(FieldType::Curp, text, Checks::Format).is_some(), valid, "{text}");
    }
}

#[test]
fn a_cnpj_has_letters_but_not_in_its_check_digits() {
    for (text, valid) in [
        ("12.abc.345/01de-35", true),
        ("12ABC34501DE3A", false),
        ("12ABC34501DE3", false),
        ("12ABC34501DE355", false),
        ("12ÑBC34501DE35", false),
        ("12ABC3450ÑÑ35", false),
    ] {
        assert_eq!(answer(FieldType::Cnpj, text, Checks::Format).is_some(), valid, "{text}");
    }
}

#[test]
fn a_clabe_has_18_digits() {
    for (text, valid) in [
        ("032 180 00011835971 9", true),
        ("03218000011835971", false),
        ("0321800001183597190", false),
        ("03218000011835971A", false),
    ] {
        assert_eq!(answer(FieldType::Clabe, text, Checks::Format).is_some(), valid, "{text}");
    }
}

#[test]
fn a_number_that_was_kept_holds_though_it_was_written_longer() {
    let rut = FieldType::Rut.document().unwrap();
    let kept = String::from(rut.read("12.345-5", Checks::Checksum).unwrap());
    assert_eq!(kept, "123455");
    assert!(rut.read(&kept, Checks::Checksum).is_err(), "as a new one it is too short");
    assert!(rut.holds(&kept));
    assert!(!rut.holds("12.345-5"), "not canonical");
    assert!(!rut.holds("bbva"));
}

#[test]
fn separators_and_case_do_not_make_another_document() {
    for text in ["12.345.678-k", "12345678K", "12 345 678/k"] {
        assert_eq!(DocumentNumber::parse(text).as_ref().map(DocumentNumber::as_str), Ok("12345678K"), "{text}");
        assert_eq!(DocumentNumber::parse(text), DocumentNumber::parse("12345678K"), "{text}");
    }
}

#[test]
fn a_document_of_separators_alone_is_refused() {
    assert!(DocumentNumber::parse(".-/ ").is_err());
    assert!(DocumentNumber::parse("12#34").is_err());
}

#[test]
fn another_script_or_a_padded_rut_is_no_second_number() {
    for text in ["９068826", "9०68826", "А9068826", "90688２6"] {
        assert!(DocumentNumber::parse(text).is_err(), "{text}");
    }
    for text in ["9.068.826-K", "0009068826k", "CL9068826-K", "cl 9.068.826-k", "09068826-K"] {
        assert_eq!(number("CHL", "RUT", text, Checks::Checksum).as_deref(), Ok("9068826K"), "{text}");
        assert_eq!(answer(FieldType::Rut, text, Checks::Checksum).as_deref(), Some("9068826K"), "{text}");
        let forms = DocumentNumber::parse(text).map(|number| number.search_forms());
        assert!(forms.is_ok_and(|forms| forms.contains(&"9068826K".to_owned())), "{text}");
    }
    assert!(Document::parse(DocumentType::Dni, "1&2").is_err());
    assert!(Document::parse(DocumentType::Dni, "Ñ2").is_err());
    assert!(Document::parse(DocumentType::Rfc, "N\u{303}&1").is_ok());
}

#[test]
fn display_is_the_spelling_that_was_sent() {
    let read = |value: Value| Document::read(value, &Pointer::root(), &mut Vec::new()).map(|document| document.show());
    let shown = |display: &str| Some(json!({ "type": "RUT", "value": "123456785", "display": display }));
    assert_eq!(read(json!({ "type": "RUT", "value": " 12.345.678-5 " })), shown("12.345.678-5"));
    assert_eq!(read(json!({ "type": "RUT", "value": 123_456_785 })), shown("123456785"));
    // As a client sends back what it has read.
    assert_eq!(read(json!({ "type": "RUT", "value": "123456785", "display": "12.345.678-5" })), shown("12.345.678-5"));
    assert_eq!(read(json!({ "type": "RUT", "value": "12345678-5", "display": "7.654.321-6" })), shown("12345678-5"));
    let kept = serde_json::to_value(Document::parse(DocumentType::Rut, "12.345.678-5").ok()).ok();
    assert_eq!(kept, Some(json!({ "type": "RUT", "value": "123456785", "display": "12.345.678-5" })));
}
