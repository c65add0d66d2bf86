//! Requests and answers as the document shows them: a request by its action, and the answer of each.

use domain::field::{Property, nullable};
use utoipa::openapi::schema::{AdditionalProperties, AnyOfBuilder, ObjectBuilder, OneOfBuilder, SchemaType, Type};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use crate::openapi::objects::{self, id, many, objects, of, one_of, optional, required, secret, switch, text, whole};

/// The number of a group or a person.
fn number_of() -> ObjectBuilder {
    whole().minimum(Some(1)).maximum(Some(2_147_483_647))
}

/// The number of a person, or false for nobody's.
fn number_or_false() -> ObjectBuilder {
    ObjectBuilder::new().schema_type(SchemaType::Array(vec![Type::Integer, Type::Boolean]))
}

/// Digits as text.
fn digits() -> ObjectBuilder {
    text()
}

/// One object, or an array of 1 to 20.
fn one_or_many<T: ToSchema>() -> RefOr<Schema> {
    OneOfBuilder::new().item(of::<T>()).item(many(of::<T>()).min_items(Some(1)).max_items(Some(20))).into()
}

/// An object with these properties, and with form fields of any name.
fn form(about: &str, properties: Vec<Property>, others: AdditionalProperties<Schema>) -> RefOr<Schema> {
    let mut schema = objects::object(about, properties);
    if let RefOr::T(Schema::Object(object)) = &mut schema {
        object.additional_properties = Some(Box::new(others));
    }
    schema
}

/// The user's own fields among form fields.
fn form_fields() -> Vec<Property> {
    let field = |name: &'static str, about: &'static str| (name, about, false, nullable(text().into()));
    vec![
        field("main_email", "The e-mail; no other user of the group has it, but a child may have its parent's."),
        field("username", "The name to log in with; no other user of the group has it."),
        field("first_name", "The first name."),
        field("last_name", "The last name."),
        field("phone", "The phone, in any spelling; it is given back as it was sent."),
    ]
}

/// The form fields of a new user.
#[derive(Debug)]
pub(super) enum NewForm {}

impl PartialSchema for NewForm {
    fn schema() -> RefOr<Schema> {
        let password = ("password", "The password for logins.", false, nullable(secret().into()));
        let fields = form_fields().into_iter().chain([password]).collect();
        let about = "The form fields of a new user, by name: strings, numbers, arrays. A field that the user has not is kept too.";
        form(about, fields, AdditionalProperties::FreeForm(true))
    }
}

impl ToSchema for NewForm {}

/// The form fields of a user.
#[derive(Debug)]
pub(super) enum FormFields {}

impl PartialSchema for FormFields {
    fn schema() -> RefOr<Schema> {
        let about =
            "The form fields that change, by name: strings, numbers, arrays. Null and blank text clear a field.";
        form(about, form_fields(), AdditionalProperties::FreeForm(true))
    }
}

impl ToSchema for FormFields {}

/// What is asked for of a user.
#[derive(Debug)]
pub(super) enum InfoFlags {}

impl PartialSchema for InfoFlags {
    fn schema() -> RefOr<Schema> {
        let flag = |name: &'static str, about: &'static str| (name, about, false, nullable(switch().into()));
        let flags = vec![
            flag("_allfields", "All form fields that are set."),
            flag("_family", "The parent and the children."),
            flag("_userproducts", "The products that the user subscribes to."),
            flag("_userforms", "The memberships that the user has joined."),
            flag("_usercart", "An empty array."),
            flag("_userpayments", "An empty array."),
        ];
        let about = "What is asked for: flags, and form fields by name.";
        let field =
            ObjectBuilder::new().schema_type(Type::Boolean).description(Some("Whether the form field is wanted."));
        form(about, flags, AdditionalProperties::RefOr(field.into()))
    }
}

impl ToSchema for InfoFlags {}

/// What was asked for of a user.
#[derive(Debug)]
pub(super) enum Info {}

impl PartialSchema for Info {
    fn schema() -> RefOr<Schema> {
        let given = |name: &'static str, about: &'static str, schema: RefOr<Schema>| (name, about, false, schema);
        let empty = || many(ObjectBuilder::new()).max_items(Some(0)).into();
        let properties = vec![
            given("main_email", "The e-mail.", nullable(text().into())),
            given("username", "The name to log in with.", nullable(text().into())),
            given("first_name", "The first name.", nullable(text().into())),
            given("last_name", "The last name.", nullable(text().into())),
            given("phone", "The phone as it was sent.", nullable(text().into())),
            given("_family", "The parent and the children.", of::<Family>()),
            given("_userproducts", "The products that the user subscribes to.", many(of::<UserProduct>()).into()),
            given("_userforms", "The memberships that the user has joined.", many(of::<UserForm>()).into()),
            given("_usercart", "An empty array: carts are not kept.", empty()),
            given("_userpayments", "An empty array: payments are not kept.", empty()),
        ];
        let about = "What was asked for: each flag, and each form field by name; null where it is unset.";
        form(about, properties, AdditionalProperties::FreeForm(true))
    }
}

impl ToSchema for Info {}

/// A call on a user, by its action.
#[derive(Debug)]
pub(super) enum UserCall {}

impl PartialSchema for UserCall {
    fn schema() -> RefOr<Schema> {
        let calls = [
            of::<CreateCall>(),
            of::<CreateChildCall>(),
            of::<LoginCall>(),
            of::<UpdateCall>(),
            of::<AddProductCall>(),
            of::<AddEmailCall>(),
            of::<GetInfoCall>(),
            of::<SetStatusCall>(),
            of::<GetUserListCall>(),
        ];
        let one_of = calls.into_iter().fold(OneOfBuilder::new(), OneOfBuilder::item);
        one_of.description(Some("A call, by its `action`.")).into()
    }
}

impl ToSchema for UserCall {}

/// The answer of a call on a user.
#[derive(Debug)]
pub(super) enum UserCallAnswer {}

impl PartialSchema for UserCallAnswer {
    fn schema() -> RefOr<Schema> {
        // The last one fits each: those come first that have more.
        let answers = [
            of::<LoginAnswer>(),
            of::<InfoAnswer>(),
            of::<SetStatusAnswer>(),
            of::<UserListAnswer>(),
            of::<UserAnswer>(),
        ];
        let about = "The answer of the action. That of create, create_child, update, add_product and add_email is `UserAnswer`.";
        answers.into_iter().fold(AnyOfBuilder::new(), AnyOfBuilder::item).description(Some(about)).into()
    }
}

impl ToSchema for UserCallAnswer {}

/// An object without properties.
#[derive(Debug)]
pub(super) enum Empty {}

impl PartialSchema for Empty {
    fn schema() -> RefOr<Schema> {
        form("An object without properties.", Vec::new(), AdditionalProperties::FreeForm(false))
    }
}

impl ToSchema for Empty {}

/// What every call has.
fn call(action: &str) -> Vec<Property> {
    let about_events = "Whether events and webhooks tell of the change, true without it.";
    let about_mail = "Taken, and of no effect: nothing is ever sent because of a call.";
    let (tells, disables) = (optional(switch()), optional(switch()));
    vec![
        ("action", "The action.", true, one_of(&[action]).into()),
        ("group_id", "The `number` of the segment.", true, number_of().into()),
        ("submit_forms", about_events, tells.0, tells.1),
        ("disable_email_sending", about_mail, disables.0, disables.1),
    ]
}

/// What a call about a person has.
fn person_call(action: &str) -> Vec<Property> {
    let person = ("clogin_id", "The number of the person, which is in this group.", true, number_of().into());
    call(action).into_iter().chain([person]).collect()
}

/// What is counted of a user; a key without `read` gets none of it.
fn meta_info(is_required: bool) -> Vec<Property> {
    let counts: [(&str, &str, RefOr<Schema>); 12] = [
        ("u_name", "The name; the username or the e-mail of a user without a name.", text().into()),
        ("total_forms", "The number of memberships that the user has joined.", digits().into()),
        ("completed_forms", "The number of those that are approved.", digits().into()),
        ("total_user_forms", "As `total_forms`.", digits().into()),
        ("total_completed_user_forms", "As `completed_forms`.", digits().into()),
        ("total_user_mandatory_forms", "As `total_forms`.", digits().into()),
        ("total_completed_user_mandatory_forms", "As `completed_forms`.", digits().into()),
        ("total_order", "The price of all that the user subscribes to, with two decimals.", digits().into()),
        ("total_paid", "The price of what has been paid of it.", digits().into()),
        ("total_balance", "The difference of both.", digits().into()),
        ("status_id", "The number of the status, `0` without one.", digits().into()),
        ("status_name", "The name of the status; null without one.", nullable(text().into())),
    ];
    counts.map(|(name, meaning, schema)| (name, meaning, is_required, schema)).to_vec()
}

/// What is told of a parent or a child.
fn relative() -> Vec<Property> {
    let person = (
        "clogin_id",
        "The number of the person; null where it has none yet and the key does not write.",
        true,
        nullable(digits().into()),
    );
    std::iter::once(person).chain(meta_info(true)).collect()
}

/// What every answer about a user has.
fn user_answer() -> Vec<Property> {
    vec![
        ("success", "Whether it is done.", true, switch().into()),
        ("msg", "What is done.", true, text().into()),
        ("meta_info", "What is counted of the user.", true, of::<UserMeta>()),
        ("user_info", "The user's numbers.", true, of::<UserInfo>()),
    ]
}

objects! {
    /// A person becomes a user of a group.
    pub(super) CreateCall with (call("create")) {
        /// False, or left out, for a new person; the number of a person of another group links that person into this one.
        "clogin_id": optional(number_or_false()),
        /// Ignored.
        "connected_to": optional(number_or_false()),
        /// The form fields.
        "doc": optional(of::<NewForm>()),
    }

    /// A child of a parent becomes a user of a group.
    pub(super) CreateChildCall with (call("create_child")) {
        /// False, or left out, for a new person; the number of a person of another group links that person into this one.
        "clogin_id": optional(number_or_false()),
        /// The number of the parent, which is in this group and no child itself.
        "connected_to": required(number_of()),
        /// The form fields, which may be none.
        "doc": optional(of::<NewForm>()),
    }

    /// A token is made by which the user logs in once.
    pub(super) LoginCall with (person_call("login")) {
        /// Ignored.
        "doc": optional(of::<Empty>()),
    }

    /// Form fields of a user change.
    pub(super) UpdateCall with (person_call("update")) {
        /// The form fields that change.
        "doc": required(of::<FormFields>()),
    }

    /// A user subscribes to products: to all of them, or to none.
    pub(super) AddProductCall with (person_call("add_product")) {
        /// The products.
        "doc": required(of::<OrderedProducts>()),
    }

    /// E-mails are recorded in the history of a user; nothing is sent.
    pub(super) AddEmailCall with (person_call("add_email")) {
        /// The e-mails.
        "doc": required(of::<RecordedEmails>()),
    }

    /// A user is read.
    pub(super) GetInfoCall with (person_call("get_info")) {
        /// What is asked for; without it, `meta_info` is all.
        "doc": optional(of::<InfoFlags>()),
    }

    /// A user gets a status, or loses it.
    pub(super) SetStatusCall with (person_call("set_status")) {
        /// The number of the status; 0 removes the status. It may also be in `doc`.
        "status_id": optional(whole().minimum(Some(0))),
        /// The number of the status, where it is not beside.
        "doc": optional(of::<StatusChoice>()),
    }

    /// The users of a group are listed, in pages.
    pub(super) GetUserListCall with (call("get_user_list")) {
        /// The page.
        "doc": optional(of::<ListPage>()),
    }

    /// Products that a user subscribes to.
    OrderedProducts {
        /// One product, or 1 to 20.
        "product_list": required(one_or_many::<ProductOrder>()),
    }

    /// A product that a user subscribes to, by `p_id` or by `name`.
    ProductOrder {
        /// The id of the product, or its `reference_id`.
        "p_id": optional(text()),
        /// The title of the product. Where the group has none, it is created as a private product.
        "name": optional(text()),
        /// How many, 1 without it.
        "q": optional(whole().minimum(Some(1)).maximum(Some(1_000_000))),
        /// The price of one; without it, the product's own.
        "price": optional(text()),
    }

    /// E-mails that were sent elsewhere.
    RecordedEmails {
        /// One e-mail, or 1 to 20.
        "email_list": required(one_or_many::<SentEmail>()),
    }

    /// An e-mail that was sent elsewhere.
    SentEmail {
        /// The address of the sender.
        "from": optional(text()),
        /// The addresses of the recipients, with commas between them.
        "to": required(text()),
        /// The subject.
        "subject": optional(text()),
        /// The body, which is not kept.
        "body": optional(text()),
        /// The addresses of those who got a copy.
        "cc": optional(text()),
        /// The addresses of those who got a hidden copy.
        "bcc": optional(text()),
    }

    /// The status that a user gets.
    StatusChoice {
        /// The number of the status; 0 removes the status.
        "status_id": optional(whole().minimum(Some(0))),
    }

    /// Which users are listed.
    ListPage {
        /// The number of the page, from 1, 1 without it.
        "page": optional(whole().minimum(Some(1)).maximum(Some(1_000_000))),
        /// The most users of a page: 20 without it, 50 with `starting_position`.
        "limit": optional(whole().minimum(Some(1)).maximum(Some(100))),
        /// The position of the first user, in place of `page`. A multiple of `limit` counts from 0, one more from 1.
        "starting_position": optional(whole().minimum(Some(0)).maximum(Some(100_000_000))),
    }

    /// A status that a group gets.
    pub(super) StatusCall with (call("create")) {
        /// The status.
        "doc": required(of::<NewStatus>()),
    }

    /// A new status.
    NewStatus {
        /// The name; no other status of the group has it.
        "status_name": required(text()),
        /// The color, as `#800000` or `#800`.
        "color": optional(text()),
        /// Whether a user with this status is locked, and left out of counts and lists: 0 or 1.
        "is_excluded": optional(whole().minimum(Some(0)).maximum(Some(1))),
    }

    /// The answer about a user.
    UserAnswer with (user_answer()) {}

    /// The answer of `login`.
    LoginAnswer with (user_answer()) {
        /// The token, which logs in once, within 24 hours.
        "user_token": required(text()),
    }

    /// The answer of `get_info`.
    InfoAnswer with (user_answer()) {
        /// What was asked for.
        "doc": required(of::<Info>()),
    }

    /// The answer of `set_status`.
    SetStatusAnswer with (user_answer()) {
        /// The kind of message.
        "msg_type": required(one_of(&["success"])),
        /// The number of users whose status was set.
        "effected_users": required(whole()),
        /// The number of each of them.
        "users": required(many(digits())),
    }

    /// The answer of `get_user_list`.
    UserListAnswer {
        /// Whether it is done.
        "success": required(switch()),
        /// What is done.
        "msg": required(text()),
        /// Nothing: the answer is about no single user.
        "meta_info": required(of::<Empty>()),
        /// Nothing: the answer is about no single user.
        "user_info": required(of::<Empty>()),
        /// The users of the page.
        "users": required(many(of::<ListedUser>())),
        /// The number of users in all pages.
        "total": required(whole().minimum(Some(0))),
    }

    /// A user of a list.
    ListedUser {
        /// The user's numbers.
        "user_info": required(of::<UserInfo>()),
        /// What is counted of the user.
        "meta_info": required(of::<MetaInfo>()),
    }

    /// The answer of `create` of a status.
    pub(super) StatusAnswer {
        /// Whether it is done.
        "success": required(switch()),
        /// What is done.
        "msg": required(text()),
        /// Nothing: the answer is about no single user.
        "meta_info": required(of::<Empty>()),
        /// Nothing: the answer is about no single user.
        "user_info": required(of::<Empty>()),
        /// The kind of message.
        "msg_type": required(one_of(&["success"])),
        /// The number of the status.
        "status_id": required(number_of()),
    }

    /// An error.
    pub(super) Error {
        /// Whether it is done.
        "success": required(switch()),
        /// What is wrong, by the name of the field.
        "msg": required(text()),
        /// Nothing.
        "meta_info": required(of::<Empty>()),
        /// Nothing.
        "user_info": required(of::<Empty>()),
    }

    /// The numbers of a user, digits as text.
    UserInfo {
        /// The number of the person.
        "clogin_id": required(digits()),
        /// The number of the group.
        "group_id": required(digits()),
        /// The number of the parent; of a user without one, its own.
        "connected_to": required(digits()),
    }

    /// What is counted of a user, digits as text. It is empty for a key without the scope read.
    UserMeta with (meta_info(false)) {}

    /// What is counted of a user, digits as text.
    MetaInfo with (meta_info(true)) {}

    /// The family of a user.
    Family {
        /// The parent; null where the user is no child.
        "parent": required(nullable(of::<Relative>())),
        /// The children.
        "children": required(many(of::<Relative>())),
    }

    /// A parent or a child.
    Relative with (relative()) {}

    /// A product that a user subscribes to.
    UserProduct {
        /// The id of the product.
        "p_id": required(id()),
        /// The title; null where the product is gone.
        "name": required(nullable(text().into())),
        /// How many, digits as text.
        "q": required(digits()),
        /// The price of one, decimal digits as text.
        "value": required(nullable(digits().into())),
        /// The status of the subscription.
        "status": required(one_of(&["ACTIVE", "INACTIVE", "BLOCKED"])),
    }

    /// A membership that a user has joined.
    UserForm {
        /// The id of the membership.
        "form_id": required(id()),
        /// The id of the member.
        "user_form_id": required(id()),
        /// The status of the member.
        "status": required(one_of(&["ACTIVE", "INACTIVE", "BLOCKED"])),
        /// Whether the membership is complete, which it is once it is approved.
        "approval": required(one_of(&["PENDING", "APPROVED", "REJECTED"])),
    }
}
