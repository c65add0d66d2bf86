// Walks through each dialect as its clients do, with clients that are generated from the dialects' own documents.
import assert from "node:assert/strict";
import createClient from "openapi-fetch";
import type { paths as B2b } from "./documents/b2b.js";
import type { components as callsTypes, paths as Calls } from "./documents/calls.js";
import type { paths as Flows } from "./documents/flows.js";
import type { paths as Identity } from "./documents/identity.js";
import type { paths as Platform } from "./documents/platform.js";
import type { paths as V1 } from "./documents/v1.js";

const baseUrl = process.argv[2];
assert(baseUrl, "the base URL is missing");
const bearer = (token: string) => ({ baseUrl, headers: { Authorization: `Bearer ${token}` } });

/** Returns the data of an answer, or fails with what came instead. */
function found<T>(answer: { data?: T; error?: unknown }): T {
  assert(answer.data !== undefined, JSON.stringify(answer.error));
  return answer.data;
}

/** Returns the newest code that was sent to an address. */
async function readCode(to: string): Promise<string> {
  const outbox: { data: { code: string | null }[] } = await (await fetch(`${baseUrl}/_local/outbox?to=${to}`)).json();
  const code = outbox.data.at(-1)?.code;
  assert(code, `no code was sent to ${to}`);
  return code;
}

// flows: a person signs up, makes a segment with a membership, joins it and answers.
const email = "flows-ts@example.com";
const anybody = createClient<Flows>({ baseUrl });
const user = found(
  await anybody.POST("/flows/user", {
    body: { email, name: "Ana", lastname: "López", password: "correct horse battery", mobile: "55 1234 5678" },
  }),
);
const tokens = found(
  await anybody.POST("/flows/user/validate-code", {
    body: { verification_code: await readCode(email), user_id: user.id },
  }),
);
assert.equal(tokens.expires_in, 3600);
const flows = createClient<Flows>(bearer(tokens.access_token));
const profile = found(await flows.GET("/flows/user/{id}", { params: { path: { id: user.id } } }));
const mobile: string | null = profile.mobile;
assert.equal(mobile, "55 1234 5678");
const segment = found(await flows.POST("/flows/segment", { body: { name: "Card users" } }));
const club = found(await flows.POST("/flows/membership", { body: { name: "Club", segment_id: segment.id } }));
const level = found(
  await flows.POST("/flows/membership-level", {
    body: { membership_id: club.id, name: "Gold", number_level: 1, from_point: 0, to_point: 100 },
  }),
);
const field = found(
  await flows.POST("/flows/membership-custom-field", {
    body: { membership_id: club.id, name: "Income", type: "number", required: false },
  }),
);
const enrolment = found(
  await flows.POST("/flows/membership-user", { body: { membership_id: club.id, name: "Eva", phone: "0000000000" } }),
);
found(
  await flows.POST("/flows/membership-custom-field-answer/stack", {
    body: {
      membership_user_id: enrolment.id,
      custom_fields: [{ membership_custom_field_id: field.id, answer: "150000" }],
    },
  }),
);
const byMember = { params: { path: { membership_user_id: enrolment.id } } };
const answers = found(await flows.GET("/flows/membership-custom-field-answer/list/{membership_user_id}", byMember));
assert.equal(answers[0]?.answer, "150000");
const inClub = { params: { path: { membership_id: club.id } } };
const levels = found(await flows.GET("/flows/membership-level/list/{membership_id}", inClub));
assert.deepEqual(levels.map((one) => [one.id, one.to_point]), [[level.id, "100.00"]]);

// What the other systems' accounts have: a key of the segment, and one of the account.
const v1 = createClient<V1>(bearer(tokens.access_token));
const ofSegment = found(
  await v1.POST("/v1/segments/{segment}/keys", {
    params: { path: { segment: segment.id } },
    body: { name: "Dialects", scopes: ["read", "write", "admin"] },
  }),
);
const ofAccount = found(await v1.POST("/v1/keys", { body: { name: "Calls", scopes: ["read", "write", "admin"] } }));
const { number } = found(await v1.GET("/v1/segments/{segment}", { params: { path: { segment: segment.id } } }));
const product = found(
  await v1.POST("/v1/segments/{segment}/products", {
    params: { path: { segment: segment.id } },
    body: { title: "Pottery", reference_id: "123456789", value: "499.90", currency: "BRL" },
  }),
);

// platform: a developer registers, and sells a product.
const open = createClient<Platform>({ baseUrl });
const [developer] = found(
  await open.POST("/platform/register", {
    body: {
      name: "Dev", document: "123.456.789-10", email: "dev@example.com", phone: "+5511999999999",
      corporation_name: "Acme", corporation_cnpj: "11222333000181", app_name: "App", app_desc: "An app",
      corporation_address: "Main street 1",
    },
  }),
);
assert(developer);
const { token } = found(await open.POST("/platform/generate-token", { body: { user_id: developer.id } }));
const platform = createClient<Platform>({
  baseUrl,
  headers: { "X-Developer-Token": token, "X-Platform-Token": ofSegment.secret },
});
const sold = found(
  await platform.POST("/platform/users/create", {
    body: { product_id: ["123456789"], users: [{ email: "student-ts@example.com", phone: "(11)99999-9999" }] },
  }),
);
assert.deepEqual([sold.created.length, sold.failed], [1, []]);
const student = found(
  await platform.GET("/platform/users/show-email/{email}", { params: { path: { email: "student-ts@example.com" } } }),
);
assert.deepEqual([student.phone, student.subscription?.active], ["(11)99999-9999", 1]);
assert.equal(student.subscription?.package_id, product.id);

// identity: a key gets a token, and creates, finds and blocks a card user.
const issued = found(
  await createClient<Identity>({ baseUrl }).POST("/identity/oauth/token", {
    body: { client_id: ofSegment.id, client_secret: ofSegment.secret, grant_type: "client_credentials" },
  }),
);
const identity = createClient<Identity>(bearer(issued.access_token));
const card = found(
  await identity.POST("/identity/users/v1", {
    body: {
      data: {
        email: "card-ts@example.com", operation_country: "ARG", name: "Ana", identification_type: "DNI",
        identification_value: "20.123.456",
      },
    },
  }),
).data;
const page = found(
  await identity.GET("/identity/users/v1", {
    params: { query: { "filter[identification_value]": "20123456", sort: "status,-gender" } },
  }),
);
assert.deepEqual(page.data.map((one) => one.id), [card.id]);
const blocked = found(
  await identity.PATCH("/identity/users/v1/{id}", {
    params: { path: { id: card.id } },
    body: { data: { status: "BLOCKED", status_reason: "CLIENT_INTERNAL_REASON" } },
  }),
).data;
const status: "ACTIVE" | "BLOCKED" = blocked.status;
assert.equal(status, "BLOCKED");

// b2b: a login, a partner, and a user of it.
const login = found(
  await createClient<B2b>({ baseUrl }).POST("/b2b/login", {
    body: { _username: ofSegment.id, _password: ofSegment.secret },
  }),
);
const b2b = createClient<B2b>(bearer(login.token));
const [language] = found(await b2b.GET("/b2b/Language/getLanguage", {})).data;
assert(language);
found(await b2b.POST("/b2b/BusinessPartner/create", { body: { idRemote: "p-1", commercialName: "Acme" } }));
const created = found(
  await b2b.POST("/b2b/User/create", {
    body: [
      {
        idRemote: "u-1", username: "b2b.user", name: "Bea", email: "b2b-ts@example.com", languageId: language.id,
        businessPartnerId: "p-1", active: true,
      },
    ],
  }),
);
const users = found(await b2b.GET("/b2b/User/getUser", { params: { query: { id: "u-1" } } }));
assert.deepEqual(users.data.map((one) => [one.id, one.businessPartner?.idRemote]), [[created[0]?.id, "p-1"]]);

// calls: a person is created, and read with its form.
const headers = { "Api-id": ofAccount.id, "Api-token": ofAccount.secret, "Api-user": "Ana" };
const calls = createClient<Calls>({ baseUrl, headers });
const call = async (body: callsTypes["schemas"]["UserCall"]) => found(await calls.POST("/calls/users", { body }));
const person = await call({
  action: "create",
  group_id: number,
  clogin_id: false,
  doc: { username: "", main_email: "calls-ts@example.com", first_name: "Cora", application_date: "2026-11-21" },
});
assert("user_info" in person && "clogin_id" in person.user_info);
const info = await call({
  action: "get_info",
  group_id: number,
  clogin_id: Number(person.user_info.clogin_id),
  doc: { _allfields: true },
});
assert("doc" in info);
assert.equal(info.doc.main_email, "calls-ts@example.com");
console.log("The dialects were walked through with the TypeScript clients.");
