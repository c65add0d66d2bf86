//! A membership, and people who have joined it: skewed as people are. Few names are most people's, most are active and
//! have few points, and not everybody has answered everything.

use benches::Failure;
use benches::names::LAST_NAMES;
use benches::random::Random;
use domain::answer::{Given, check_answers};
use domain::custom_field::CustomFieldFields;
use domain::field::Pointer;
use domain::level::Points;
use domain::segment::SegmentNumber;
use domain::{
    Act, Action, Actor, Answers, Body as _, Checks, CustomField, Entry, FieldId, Level, LevelFields, LevelId, Member,
    MemberFields, MemberId, Membership, MembershipFields, MembershipId, Segment, SegmentFields, SegmentId, Time, User,
    UserFields, UserId,
};
use serde_json::{Map, Value, json};
use store::{Configuration, Part, Store};

/// So many members live in Tulum, however many there are.
pub(crate) const RARE: usize = 30;

const NAMES: &[&str] = &[
    "María",
    "José",
    "Juan",
    "Guadalupe",
    "Luis",
    "Ana",
    "Carlos",
    "Verónica",
    "Jorge",
    "Rosa",
    "Miguel",
    "Leticia",
    "Ángel",
    "Sofía",
    "Héctor",
    "Ximena",
    "Óscar",
    "Brenda",
    "Ramón",
    "Yolanda",
    "Iván",
    "Zaira",
];
const CITIES: &[&str] = &[
    "México",
    "Guadalajara",
    "Monterrey",
    "Puebla",
    "Tijuana",
    "León",
    "Zapopan",
    "Mérida",
    "Toluca",
    "Querétaro",
    "Cancún",
    "Morelia",
    "Saltillo",
    "Durango",
    "Xalapa",
    "Tepic",
    "Colima",
    "Campeche",
];
const BANKS: usize = 90;
const CATEGORIES: usize = 45;

fn one_of(random: &mut Random, all: &'static [&'static str]) -> &'static str {
    let nth = random.low(all.len());
    all.get(nth).copied().unwrap_or_default()
}

/// Makes a membership with five levels and eight searchable fields.
pub(crate) async fn membership(store: &Store) -> Result<Configuration, Failure> {
    let now = Time::now();
    let owner = UserId::fresh();
    let fields = UserFields::parse(json!({ "email": format!("{owner}@example.com"), "name": "Ana" }))?;
    let user = User::master(owner, fields, now);
    store.sign_up(&user, &Entry::between(None, &user, Action::Created, Act::of(Actor::System, "bench")), false).await?;
    let fields = SegmentFields::parse(json!({ "name": "Bench" }))?;
    let segment = Segment::new(SegmentId::fresh(), owner, SegmentNumber::default(), fields, now);
    let segment = store.create_segment(&segment).await?;
    let fields = MembershipFields::parse(json!({ "name": "Bench" }))?;
    let membership = Membership::new(MembershipId::fresh(), segment.id, segment.owner_id, fields, now);
    store.create_membership(&membership, untold()).await?;
    for number in 1..=5 {
        let from = if number == 1 { 0 } else { number * 100 - 99 };
        let level = json!({ "name": "L", "number": number, "from_point": from, "to_point": number * 100 });
        let level = Level::new(LevelId::fresh(), membership.id, LevelFields::parse(level)?, now);
        let before = store.configuration(membership.id).await?;
        store.change_configuration(&before, Part::NewLevel(&level), false, untold()).await?;
    }
    for field in questions() {
        let field = CustomField::new(FieldId::fresh(), membership.id, CustomFieldFields::parse(field)?, now);
        let before = store.configuration(membership.id).await?;
        store.change_configuration(&before, Part::NewField(&field), false, untold()).await?;
    }
    Ok(store.configuration(membership.id).await?)
}

/// Benches look at nothing that tells of what they make.
fn untold() -> Act<'static> {
    Act::by_itself("bench").untold()
}

fn questions() -> Vec<Value> {
    let field = |key: &str, kind: &str| json!({ "key": key, "name": key, "type": kind, "searchable": true });
    let choice = |key: &str, kind: &str, count: usize| {
        let options: Vec<_> = (0..count).map(|nth| json!({ "key": option(nth), "value": option(nth) })).collect();
        json!({ "key": key, "name": key, "type": kind, "searchable": true, "options": options })
    };
    let unique = json!({ "key": "rfc", "name": "rfc", "type": "rfc", "searchable": true, "unique": true });
    vec![
        choice("bank", "dropdown", BANKS),
        choice("categories", "multiple", CATEGORIES),
        field("city", "string"),
        field("registered_name", "string"),
        field("income", "number"),
        field("employs", "boolean"),
        field("since", "date"),
        unique,
    ]
}

/// The key of an option.
pub(crate) fn option(nth: usize) -> String {
    format!("o{nth:02}")
}

/// The RFC of the member who joined as the `nth`.
pub(crate) fn rfc(nth: usize) -> String {
    let letter = |power| char::from(b'A' + u8::try_from(nth / 26_usize.pow(power) % 26).unwrap_or_default());
    let letters: String = (0..4).map(letter).collect();
    format!("{letters}900101AB1")
}

/// The member who joins as the `nth` of so many.
pub(crate) fn member(
    configuration: &Configuration,
    random: &mut Random,
    (nth, of): (usize, usize),
) -> Result<Member, Failure> {
    let (name, last_name) = (one_of(random, NAMES), one_of(random, LAST_NAMES));
    let status = match random.below(100) {
        0..85 => "ACTIVE",
        85..95 => "INACTIVE",
        _ => "BLOCKED",
    };
    let day = |random: &mut Random| format!("2026-{:02}-{:02}", 1 + random.below(12), 1 + random.below(28));
    let fields = json!({
        "name": name, "last_name": (!random.happens(2)).then_some(last_name), "status": status, "origin": "web",
        "starts_at": random.happens(60).then(|| format!("{}T00:00:00.000Z", day(random)))
    });
    let now = Time::now();
    let mut member = Member::new(MemberId::fresh(), &configuration.membership, MemberFields::parse(fields)?, now);
    let points = if random.happens(10) { 0 } else { random.low(501) };
    member.points = i64::try_from(points).ok().and_then(Points::new).unwrap_or_default();
    // As many, at even distances, whatever the number.
    let rare = (nth + 1) * RARE / of > nth * RARE / of;
    let city = if rare { "Tulum" } else { one_of(random, CITIES) };
    let mut given = Map::from_iter([("city".to_owned(), json!(city)), ("rfc".to_owned(), json!(rfc(nth)))]);
    let mut maybe = |random: &mut Random, of_hundred, key: &str, answer: &dyn Fn(&mut Random) -> Value| {
        if random.happens(of_hundred) {
            given.insert(key.to_owned(), answer(random));
        }
    };
    maybe(random, 90, "bank", &|random| option(random.low(BANKS)).into());
    maybe(random, 70, "categories", &|random| {
        let mut chosen: Vec<_> = (0..3).map(|_| option(random.low(CATEGORIES))).collect();
        chosen.sort();
        chosen.dedup();
        chosen.into()
    });
    maybe(random, 80, "registered_name", &|random| format!("{name} {last_name} {}", one_of(random, LAST_NAMES)).into());
    maybe(random, 60, "income", &|random| (random.low(1_000) * 10_000).into());
    maybe(random, 50, "employs", &|random| random.happens(30).into());
    maybe(random, 50, "since", &|random| day(random).into());
    let (questions, mut errors) = (configuration.questions(), Vec::new());
    let at = Pointer::root();
    member.answers = check_answers(&questions, Checks::Format, &Answers::default(), Given(given), &at, &mut errors);
    if errors.is_empty() { Ok(member) } else { Err(format!("{errors:?}").into()) }
}
