//! Requests and answers as the document shows them: the properties of a thing are those of its table of names, each with
//! the schema and the meaning that it has under `/v1`.

use auth::TokenSet;
use auth::login::Login as LoginFields;
use auth::recovery::{Confirmation, Recovery as RecoveryFields};
use auth::session::Refresh as RefreshFields;
use domain::answer::Given;
use domain::field::{Property, described, named, nullable};
use domain::user::{CURRENT_PASSWORD, UserState};
use domain::{
    Address as AddressObject, AddressFields, CustomField as CustomFieldObject, CustomFieldFields, Level as LevelObject,
    LevelFields, Member, MemberFields, Membership as MembershipObject, MembershipFields, Segment as SegmentObject,
    SegmentFields, SignUp, User as UserObject, UserFields,
};
use users::password::PasswordChange as PasswordFields;
use users::verify::Verification;
use utoipa::openapi::schema::{KnownFormat, ObjectBuilder, OneOfBuilder, SchemaFormat, SchemaType, Type};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use super::names::{Form, Names};
use super::{addresses, fields, levels, login, members, memberships, segments, users as masters};
use crate::openapi::objects::{self, id, many, objects, of, optional, required, sometimes, switch, text};
use crate::openapi::property;

impl Names {
    /// The properties of a request that writes `object`, a thing of `/v1`.
    fn sent(self, object: &RefOr<Schema>) -> Vec<Property> {
        let is_required = |ours: &str| match object {
            RefOr::T(Schema::Object(object)) => object.required.iter().any(|name| name == ours),
            RefOr::T(_) | RefOr::Ref(_) => false,
        };
        let sent = |(theirs, ours, form): &(&'static str, &'static str, Form)| {
            let (schema, is_required) = (sent_schema(*form, || property(object, ours))?, is_required(ours));
            Some((*theirs, "", is_required, if is_required { present(schema) } else { schema }))
        };
        self.0.iter().filter_map(sent).collect()
    }

    /// The properties of an answer that shows `object`, a thing of `/v1`.
    fn shown(self, object: &RefOr<Schema>) -> Vec<Property> {
        let shown = |(theirs, ours, form): &(&'static str, &'static str, Form)| {
            (*theirs, "", true, shown_schema(*form, || property(object, ours)))
        };
        self.0.iter().map(shown).collect()
    }
}

/// The schema of a field as it is sent, given the one that it has under `/v1`; none where it is only shown.
fn sent_schema(form: Form, own: impl Fn() -> RefOr<Schema>) -> Option<RefOr<Schema>> {
    Some(match form {
        Form::Shown => return None,
        Form::Same | Form::Text | Form::Secret | Form::Switch | Form::Count | Form::Whole | Form::Degrees => own(),
        Form::Word => lowered(own()),
        Form::Phone => nullable(phone()),
        Form::Day => replaced(&own(), text().description(Some("A time stands for its day."))),
        Form::Color => described(kept(), &meaning(&own())),
        Form::Place => replaced(&own(), of::<Place>()),
        Form::Kept(meaning) => described(kept(), meaning),
        Form::KeptSwitch(meaning) => described(nullable(switch().into()), meaning),
        Form::KeptPlace(meaning) => described(nullable(of::<Place>()), meaning),
    })
}

/// The schema of a field as it is shown, given the one that it has under `/v1`.
fn shown_schema(form: Form, own: impl Fn() -> RefOr<Schema>) -> RefOr<Schema> {
    match form {
        Form::Same | Form::Text | Form::Secret | Form::Switch | Form::Count | Form::Shown => own(),
        Form::Word => lowered(own()),
        Form::Phone => nullable(phone()),
        Form::Whole | Form::Degrees => replaced(&own(), two_decimals()),
        Form::Day => {
            let time = text().format(Some(SchemaFormat::KnownFormat(KnownFormat::DateTime)));
            replaced(&own(), time.description(Some("Shown as the time at which the day begins, in UTC.")))
        }
        Form::Color => described(kept(), &meaning(&own())),
        Form::Place => described(of::<Place>(), &meaning(&own())),
        Form::Kept(meaning) => described(kept(), meaning),
        Form::KeptSwitch(meaning) => described(nullable(switch().into()), meaning),
        Form::KeptPlace(meaning) => described(of::<Place>(), meaning),
    }
}

/// A phone.
fn phone() -> RefOr<Schema> {
    text().description(Some("Phone number in any spelling, answered as it was sent.")).into()
}

/// A number as text.
fn two_decimals() -> ObjectBuilder {
    text().pattern(Some(r"^-?[0-9]+\.[0-9]{2}$")).description(Some("A number as text with two decimals."))
}

/// A value of any kind but null that is only kept.
fn kept() -> RefOr<Schema> {
    let about = "Any JSON value, or null. It is answered as it was sent, without outer white space.";
    named(ObjectBuilder::new().schema_type(SchemaType::AnyValue).description(Some(about)).into(), "KeptValue")
}

/// The words of an enum in small letters.
fn lowered(mut schema: RefOr<Schema>) -> RefOr<Schema> {
    let each = |items: &mut Vec<RefOr<Schema>>| *items = items.drain(..).map(lowered).collect();
    match &mut schema {
        RefOr::T(Schema::Object(object)) => {
            let words = object.enum_values.iter_mut().flatten();
            for word in words {
                let lower = word.as_str().unwrap_or_default().to_lowercase();
                let quoted = word.as_str().map(|word| format!("`{word}`")).unwrap_or_default();
                object.description =
                    object.description.take().map(|about| about.replace(&quoted, &format!("`{lower}`")));
                *word = lower.into();
            }
        }
        RefOr::T(Schema::OneOf(one_of)) => each(&mut one_of.items),
        RefOr::T(Schema::AllOf(all_of)) => each(&mut all_of.items),
        RefOr::T(_) | RefOr::Ref(_) => {}
    }
    schema
}

/// Another schema with the meaning of this one, nullable if this one is.
fn replaced(own: &RefOr<Schema>, new: impl Into<RefOr<Schema>>) -> RefOr<Schema> {
    let new = new.into();
    described(if is_nullable(own) { nullable(new) } else { new }, &meaning(own))
}

fn is_nullable(schema: &RefOr<Schema>) -> bool {
    let is_null = |item: &RefOr<Schema>| match item {
        RefOr::T(Schema::Object(object)) => object.schema_type == SchemaType::Type(Type::Null),
        RefOr::T(_) | RefOr::Ref(_) => false,
    };
    match schema {
        RefOr::T(Schema::OneOf(one_of)) => one_of.items.last().is_some_and(is_null),
        RefOr::T(_) | RefOr::Ref(_) => false,
    }
}

/// What a property means.
fn meaning(schema: &RefOr<Schema>) -> String {
    let meaning = match schema {
        RefOr::T(Schema::Object(object)) => &object.description,
        RefOr::T(Schema::Array(array)) => &array.description,
        RefOr::T(Schema::OneOf(one_of)) => &one_of.description,
        RefOr::T(Schema::AllOf(all_of)) => &all_of.description,
        RefOr::T(_) | RefOr::Ref(_) => &None,
    };
    meaning.clone().unwrap_or_default()
}

/// A property that must be there, of one that need not.
fn present(schema: RefOr<Schema>) -> RefOr<Schema> {
    let meaning = meaning(&schema);
    match schema {
        RefOr::T(Schema::OneOf(mut one_of)) if one_of.items.len() == 2 => {
            described(one_of.items.swap_remove(0), &meaning)
        }
        RefOr::T(_) | RefOr::Ref(_) => schema,
    }
}

/// The properties, those that these have too replaced.
fn with(mut properties: Vec<Property>, others: impl IntoIterator<Item = Property>) -> Vec<Property> {
    for other in others {
        match properties.iter_mut().find(|(name, ..)| *name == other.0) {
            Some(property) => *property = other,
            None => properties.push(other),
        }
    }
    properties
}

/// What every thing that is shown has, and what its clients know and Muster has no use for.
fn kept_thing(properties: Vec<Property>, object: &RefOr<Schema>, unused: &[&'static str]) -> Vec<Property> {
    let ours = |name: &'static str| (name, "", true, property(object, name));
    let removed: Property = ("removed", "Whether it is deleted.", true, switch().into());
    let null = ObjectBuilder::new().schema_type(Type::Null).description(Some("Nothing: Muster has no use for it."));
    let null = named(null.into(), "Unused");
    let unused = unused.iter().map(|name| (*name, "Always null: Muster has no use for it.", true, null.clone()));
    let written = [ours("id"), ours("created_at"), ours("updated_at"), removed];
    with(properties, written.into_iter().chain(unused))
}

/// Declares objects of which the properties are computed.
macro_rules! things {
    ($($(#[doc = $about:literal])+ $name:ident = $properties:expr;)+) => {$(
        $(#[doc = $about])+
        #[derive(Debug)]
        pub(super) enum $name {}

        impl PartialSchema for $name {
            fn schema() -> RefOr<Schema> {
                objects::object(concat!($($about),+), $properties)
            }
        }

        impl ToSchema for $name {}
    )+};
}

/// A property that no table has.
fn declared(name: &'static str, meaning: &'static str, (is_required, schema): (bool, RefOr<Schema>)) -> Property {
    (name, meaning, is_required, schema)
}

things! {
    /// A master user to be signed up.
    NewUser = {
        let object = <SignUp as PartialSchema>::schema();
        let password = declared("password", "", (true, property(&object, "password")));
        with(masters::NAMES.sent(&object), [password])
    };
    /// A change of a user: what is left out stays, null or blank text clears.
    UserChange = {
        let active = declared("active", "Of a user of a segment: false shuts it out, true lets it in again.", optional(switch()));
        let proof = property(&<UserState as PartialSchema>::schema(), CURRENT_PASSWORD);
        let fields = <UserFields as PartialSchema>::schema();
        with(masters::NAMES.sent(&fields), [active, declared("old_password", "", (false, proof))])
    };
    /// A user.
    User = {
        let object = <UserObject as PartialSchema>::schema();
        let active = declared("active", "Whether it is in use: verified, not shut out and not deleted.", required(switch()));
        kept_thing(with(masters::NAMES.shown(&object), [active]), &object, &masters::UNUSED)
    };
    /// The passwords before and after.
    PasswordChange = masters::PASSWORDS.sent(&<PasswordFields as PartialSchema>::schema());
    /// Who logs in.
    Login = {
        let object = <LoginFields as PartialSchema>::schema();
        let email = declared("email", "", (true, present(property(&object, "email"))));
        with(login::LOGIN.sent(&object), [email])
    };
    /// Who has lost the password.
    Recovery = login::RECOVERY.sent(&<RecoveryFields as PartialSchema>::schema());
    /// A new password, by the code that was sent.
    RecoveryConfirmation = login::CONFIRMATION.sent(&<Confirmation as PartialSchema>::schema());
    /// A refresh token.
    Refresh = {
        let access = declared("access_token", "The former access token, which is not looked at.", optional(text()));
        with(login::REFRESH.sent(&<RefreshFields as PartialSchema>::schema()), [access])
    };
    /// The code that was sent to a user.
    CodeValidation = {
        let user = declared("user_id", "Whom the code was sent to.", required(id()));
        let phone = declared("phone", "A phone, which is not looked at.", optional(text()));
        with(masters::CODE.sent(&<Verification as PartialSchema>::schema()), [user, phone])
    };
    /// The tokens of a session.
    NewTokens = tokens();
    /// The tokens of a session, and whose they are.
    Tokens = {
        let user = declared("id", "Whose tokens these are.", required(id()));
        with(tokens(), [user])
    };
    /// An address to be added.
    NewAddress = {
        let owner = declared("owner_id", "The user whose address it is.", required(id()));
        with(addresses::NAMES.sent(&<AddressFields as PartialSchema>::schema()), [owner])
    };
    /// A change of an address: what is left out stays, null or blank text clears.
    AddressChange = changed(addresses::NAMES.sent(&<AddressFields as PartialSchema>::schema()));
    /// An address.
    Address = {
        let object = <AddressObject as PartialSchema>::schema();
        kept_thing(addresses::NAMES.shown(&object), &object, &[])
    };
    /// A segment to be created.
    NewSegment = {
        let owner = declared("owner_id", "The master user whose segment it is: the caller.", optional(id()));
        with(segments::NAMES.sent(&<SegmentFields as PartialSchema>::schema()), [owner])
    };
    /// A change of a segment: what is left out stays, null or blank text clears.
    SegmentChange = changed(segments::NAMES.sent(&<SegmentFields as PartialSchema>::schema()));
    /// A segment.
    Segment = {
        let object = <SegmentObject as PartialSchema>::schema();
        kept_thing(segments::NAMES.shown(&object), &object, &segments::UNUSED)
    };
    /// A membership to be created.
    NewMembership = {
        let segment = declared("segment_id", "The segment that it belongs to.", required(id()));
        with(memberships::NAMES.sent(&<MembershipFields as PartialSchema>::schema()), [segment])
    };
    /// A membership.
    Membership = {
        let object = <MembershipObject as PartialSchema>::schema();
        kept_thing(memberships::NAMES.shown(&object), &object, &[])
    };
    /// A level to be created.
    NewMembershipLevel = {
        let fields = levels::NAMES.sent(&<LevelFields as PartialSchema>::schema());
        with(fields, [of_membership(true)])
    };
    /// A level of a membership.
    MembershipLevel = {
        let object = <LevelObject as PartialSchema>::schema();
        kept_thing(levels::NAMES.shown(&object), &object, &levels::UNUSED)
    };
    /// A custom field to be created.
    NewMembershipCustomField = {
        let fields = fields::NAMES.sent(&<CustomFieldFields as PartialSchema>::schema());
        with(fields, [of_membership(true), kind(true), options(false), render(false)])
    };
    /// A change of a custom field: what is left out stays, null or blank text clears.
    MembershipCustomFieldChange = {
        let fields = fields::NAMES.sent(&<CustomFieldFields as PartialSchema>::schema());
        changed(with(fields, [kind(false), options(false), render(false)]))
    };
    /// A custom field of a membership.
    MembershipCustomField = {
        let object = <CustomFieldObject as PartialSchema>::schema();
        let fields = with(fields::NAMES.shown(&object), [kind(true), options(true), render(true)]);
        kept_thing(fields, &object, &[])
    };
    /// A membership user to be enrolled.
    NewMembershipUser = {
        let level = "The level, of those who manage the segment; everybody else comes to the first one.";
        let others = [
            of_membership(true),
            declared("user_id", "Who is enrolled; the caller, where somebody enrols itself.", optional(id())),
            declared("segment_id", "The segment of the membership.", optional(id())),
            declared("membership_level_id", level, optional(id())),
            declared("status", "Whether it takes part.", optional(switch())),
        ];
        with(members::NAMES.sent(&<MemberFields as PartialSchema>::schema()), others)
    };
    /// A membership user.
    MembershipUser = member();
    /// A membership user of a list, with its level and its user.
    MembershipUserRow = {
        let level = declared("membership_level", "Its level.", (true, nullable(of::<MembershipLevel>())));
        let user = "Its user; for the owner of the segment, as far as the user shares its profile.";
        with(member(), [level, declared("user", user, (true, nullable(of::<User>())))])
    };
}

fn tokens() -> Vec<Property> {
    let refresh = "Gets new tokens from `/flows/login/refresh`, and a refresh token in place of this one.";
    let tokens = login::TOKENS.shown(&<TokenSet as PartialSchema>::schema());
    with(tokens, [declared("refresh_token", refresh, required(text()))])
}

fn member() -> Vec<Property> {
    let object = <Member as PartialSchema>::schema();
    let approvals = objects::one_of(&members::APPROVALS.map(|(_, approved)| approved));
    let agreed = "Whether the owner of the segment has agreed.";
    let approvals = approvals.description(Some(agreed));
    let others = [
        declared("status", "Whether it takes part.", required(switch())),
        declared("approved", agreed, required(named(approvals.into(), "Approval"))),
    ];
    kept_thing(with(members::NAMES.shown(&object), others), &object, &[])
}

/// The properties of a change, none of which must be there.
fn changed(properties: Vec<Property>) -> Vec<Property> {
    properties.into_iter().map(|(name, meaning, _, schema)| (name, meaning, false, schema)).collect()
}

fn of_membership(is_required: bool) -> Property {
    ("membership_id", "The membership that it belongs to.", is_required, id().into())
}

/// The type of a custom field.
fn kind(is_required: bool) -> Property {
    let names: Vec<_> = fields::type_names().collect();
    let about = "What kind of answer a field takes. A `url` takes an address or an upload.";
    let kind = named(objects::one_of(&names).description(Some(about)).into(), "FieldType");
    ("type", "What kind of answer it takes.", is_required, kind)
}

/// What can be chosen.
fn options(is_required: bool) -> Property {
    let options = many(of::<FieldOption>());
    ("options", "What can be chosen, where the field has no catalog.", is_required, nullable(options.into()))
}

/// How a custom field is drawn.
fn render(is_required: bool) -> Property {
    let about = "A hint of the client's own how to draw it; what is no text is kept as its JSON text.";
    ("render", about, is_required, nullable(text().into()))
}

/// An answer to a custom field.
fn answer() -> RefOr<Schema> {
    described(Given::spelling_schema("AnswerValue"), "It is answered as it was sent.")
}

/// The text of a choice, or those of several.
fn choices() -> OneOfBuilder {
    OneOfBuilder::new().item(text()).item(many(text()))
}

objects! {
    /// The id of what was created.
    pub(super) CreatedId {
        /// The id.
        "id": required(id()),
    }

    /// A country, state or city.
    Place {
        /// Its id in the client's own list.
        "id": required(kept()),
        /// Its code in the client's own list.
        "code": required(nullable(text().into())),
        /// Its name.
        "name": required(nullable(text().into())),
    }

    /// A choice of a custom field.
    FieldOption {
        /// The answer of whoever chooses it.
        "key": required(text()),
        /// The text that people read.
        "value": required(text()),
        /// Whether it can be chosen; left out where it can.
        "status": sometimes(switch()),
    }

    /// A membership user that was enrolled.
    pub(super) Enrolment {
        /// The id of the membership user.
        "id": required(id()),
        /// Four digits for clients that show a code. No SMS is sent.
        "sms_code": required(text().pattern(Some("^[0-9]{4}$"))),
    }

    /// Answers of a membership user; its other answers stay.
    pub(super) AnswerStack {
        /// The membership user.
        "membership_user_id": required(id()),
        /// Its membership.
        "membership_id": optional(id()),
        /// Its user.
        "user_id": optional(id()),
        /// The answers.
        "custom_fields": required(many(of::<SentAnswer>())),
    }

    /// An answer to a custom field.
    SentAnswer {
        /// The custom field.
        "membership_custom_field_id": required(id()),
        /// The answer; null and blank text take one back.
        "answer": optional(answer()),
    }

    /// An answer of a membership user.
    pub(super) MembershipCustomFieldAnswer {
        /// The ids of the membership user and of the custom field, with a dot between.
        "id": required(text()),
        /// The answer.
        "answer": required(answer()),
        /// The text of a choice of a catalog, or an array of such texts; null of all other fields.
        "answer_for_catalog": required(nullable(choices().into())),
        /// The custom field.
        "membership_custom_field_id": required(id()),
        /// The membership.
        "membership_id": required(id()),
        /// The membership user.
        "membership_user_id": required(id()),
        /// The user who is the member.
        "user_id": required(nullable(id().into())),
        /// Always true.
        "status": required(switch()),
        /// Always false.
        "removed": required(switch()),
        /// When the membership user was created.
        "created_at": required(time()),
        /// When the membership user last changed.
        "updated_at": required(time()),
    }

    /// A file.
    pub(super) NewUpload {
        /// The content type of the file, or `cer`, `key`, `png`, `jpg`, `jpeg` or `pdf`.
        "mime": required(text()),
        /// The file in base64, or as a data URL: at most 4 MiB.
        "file": required(text()),
    }

    /// A file that was stored.
    pub(super) Upload {
        /// The id, which answers a custom field of the type `url`.
        "uuid": required(id()),
    }

    /// An error.
    pub(super) Failure {
        /// Each field that is wrong and what to do, or what is wrong with the request as a whole.
        "message": required(text()),
    }
}

/// A time.
fn time() -> RefOr<Schema> {
    <domain::Time as PartialSchema>::schema()
}
