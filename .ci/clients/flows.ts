// Runs the flows of the README with a client that is generated from the document of `/v1`: each answer has its type.
import assert from "node:assert/strict";
import createClient from "openapi-fetch";
import type { components, paths } from "./documents/v1.js";

const url = process.argv[2];
assert(url, "the base URL is missing");

// Commas divide the values of a filter; the filters by answers are parameters of their own.
const querySerializer = {
  array: { style: "form", explode: false },
  object: { style: "form", explode: true },
} as const;
const client = (token?: string) =>
  createClient<paths>({ baseUrl: url, querySerializer, headers: token ? { Authorization: `Bearer ${token}` } : {} });

/** Returns the data of an answer, or fails with the problem that came instead. */
function found<T>(answer: { data?: T; error?: components["schemas"]["Problem"] }): T {
  assert(answer.data !== undefined, answer.error?.detail ?? "no answer");
  return answer.data;
}

/** Returns the newest code that was sent to an address. */
async function readCode(to: string): Promise<string> {
  const outbox: { data: { code: string | null }[] } = await (await fetch(`${url}/_local/outbox?to=${to}`)).json();
  const code = outbox.data.at(-1)?.code;
  assert(code, `no code was sent to ${to}`);
  return code;
}

/** Repeats a look until it shows something. */
async function until<T>(look: () => Promise<T | undefined>): Promise<T> {
  for (let tries = 0; tries < 100; tries++) {
    const seen = await look();
    if (seen !== undefined) return seen;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error("nothing came in 10 seconds");
}

// Sign up, verify the e-mail, log in.
const email = "ts@example.com";
const password = "correct horse battery";
const anybody = client();
const signed = found(await anybody.POST("/v1/users", { body: { email, name: "Ana", password } }));
const status: components["schemas"]["UserStatus"] = signed.status;
assert.equal(status, "UNVERIFIED");
const code = await readCode(email);
found(await anybody.POST("/v1/users/{user}/verification", { params: { path: { user: signed.id } }, body: { code } }));
const tokens = found(await anybody.POST("/v1/auth/login", { body: { email, password } }));
const ana = client(tokens.access_token);

// An address, and the list of them.
const address = found(
  await ana.POST("/v1/users/{user}/addresses", {
    params: { path: { user: "me" } },
    body: { alias: "Home", street: "Avenida Reforma", zip_code: "06600", latitude: 19.427, is_shipping: true },
  }),
);
assert("id" in address);
const latitude: number | null = address.latitude;
assert.equal(latitude, 19.427);
const addresses = found(await ana.GET("/v1/users/{user}/addresses", { params: { path: { user: "me" } } }));
assert.equal(addresses.page.total_items, 1);

// A segment, a membership, a level, and fields.
const segment = found(await ana.POST("/v1/segments", { body: { name: "Card users" } }));
const inSegment = { path: { segment: segment.id } };
const club = found(await ana.POST("/v1/segments/{segment}/memberships", { params: inSegment, body: { name: "Club" } }));
const inClub = { path: { membership: club.id } };
const gold = found(
  await ana.POST("/v1/memberships/{membership}/levels", {
    params: inClub,
    body: { name: "Gold", number: 1, from_point: 100, to_point: 500 },
  }),
);
const field = found(
  await ana.POST("/v1/memberships/{membership}/fields", {
    params: inClub,
    body: {
      key: "bank",
      name: "Bank",
      type: "dropdown",
      searchable: true,
      options: [{ key: "bbva", value: "BBVA" }, { key: "hsbc", value: "HSBC" }],
    },
  }),
);
const kind: components["schemas"]["FieldType"] = field.type;
assert.equal(kind, "dropdown");
found(
  await ana.POST("/v1/memberships/{membership}/fields", {
    params: inClub,
    body: { key: "income", name: "Income", type: "number", searchable: true },
  }),
);

// A member with answers, found by them and by its name, and carried to a level by points.
const member = found(
  await ana.POST("/v1/memberships/{membership}/members", {
    params: inClub,
    body: { name: "Émile", last_name: "Zola", answers: { bank: "bbva", income: 30500.5 } },
  }),
);
const bank: components["schemas"]["AnswerValue"] | undefined = member.answers["bank"];
assert.equal(bank, "bbva");
const members = found(
  await ana.GET("/v1/memberships/{membership}/members", {
    params: {
      ...inClub,
      query: {
        "filter[name]": ["emi*"],
        "filter[status]": ["ACTIVE", "INACTIVE"],
        "filter[answers.KEY]": { "filter[answers.bank]": "bbva", "filter[answers.income][gte]": "30000" },
        sort: ["name", "-created_at"],
      },
    },
  }),
);
assert.deepEqual(members.data.map((one) => one.id), [member.id]);
found(
  await ana.POST("/v1/members/{member}/points", {
    params: { path: { member: member.id } },
    body: { delta: 150, reason: "Referred a friend" },
  }),
);
const climbed = found(await ana.GET("/v1/members/{member}", { params: { path: { member: member.id } } }));
const level: string | null = climbed.level_id;
assert.equal(level, gold.id);

// A user of the segment, who logs in by its document.
const eva = found(
  await ana.POST("/v1/segments/{segment}/users", {
    params: inSegment,
    body: {
      email: "eva-ts@example.com",
      last_name: "Núñez",
      operation_country: "CHL",
      identification: { type: "RUT", value: "12.345.678-5" },
      metadata: { plan: "gold" },
      password,
    },
  }),
);
const document: components["schemas"]["Document"] | null = eva.identification;
assert.equal(document?.value, "123456785");
const login = { document: { type: "RUT", value: "123456785" }, password, segment_id: segment.id } as const;
assert.equal(found(await anybody.POST("/v1/auth/login", { body: login })).user_id, eva.id);
const users = found(
  await ana.GET("/v1/segments/{segment}/users", {
    params: {
      ...inSegment,
      query: { "filter[last_name]": ["nun*"], "filter[status]": ["ACTIVE", "BLOCKED"], sort: ["status", "-email"] },
    },
  }),
);
assert.deepEqual(users.data.map((one) => one.id), [eva.id]);
const changes = found(await ana.GET("/v1/segments/{segment}/users/changes", { params: inSegment }));
assert.equal(changes.data.at(-1)?.user?.id, eva.id);

// A file, sent as the answer says.
const csv = "email;name\nmax-ts@example.com;Max\n";
const upload = found(
  await ana.POST("/v1/uploads", {
    body: {
      segment_id: segment.id,
      purpose: "import",
      filename: "users.csv",
      content_type: "text/csv",
      size: csv.length,
    },
  }),
);
const headers: Record<string, string> = upload.headers;
const sent = await fetch(upload.url, { method: upload.method, headers, body: csv });
assert(sent.ok, `the file was refused: ${sent.status}`);
await until(async () => {
  const { status } = found(await ana.GET("/v1/uploads/{upload}", { params: { path: { upload: upload.id } } }));
  return status === "AVAILABLE" || undefined;
});
const body = { upload_id: upload.id, format: "csv", match: "email" } as const;
const begun = found(await ana.POST("/v1/segments/{segment}/imports", { params: inSegment, body }));
const done = await until(async () => {
  const path = { segment: segment.id, import: begun.id };
  const now = found(await ana.GET("/v1/segments/{segment}/imports/{import}", { params: { path } }));
  return now.status === "COMPLETED" ? now : undefined;
});
assert.equal(done.created, 1);

// An error has its type too.
const refused = await anybody.POST("/v1/auth/login", { body: { email, password: "wrong horse battery" } });
assert.equal(refused.error?.code, "unauthenticated");
console.log("The flows ran with the TypeScript client.");
