// Each fault does on the wire what it says, seen from the client's side, and counts its hits.
import assert from "node:assert/strict";
import { after, afterEach, before, test } from "node:test";
import { IAMClient, ListUsersCommand, paginateListUsers } from "@aws-sdk/client-iam";
import { CUSTOMER, Sim, callForm, codeOf, until } from "./support.mjs";
import { KINDS } from "../faults.mjs";

let sim;
let credentials;
before(async () => {
  sim = await Sim.start("demo.yaml", "--set", "external_id=tenant-1");
  credentials = await sim.assume("ConnectordReadOnly", { ExternalId: "tenant-1" });
});
after(() => sim.stop());
afterEach(() => sim.post("reset", { faults: true }));

const tested = new Set();
const inject = (fault, more = {}) => {
  tested.add(fault);
  return sim.post("faults", [{ match: { service: "iam", operation: "ListUsers" }, times: 1, fault, ...more }]);
};
const list = (params = {}, options = {}) =>
  callForm(sim, { Action: "ListUsers", ...params }, { credentials, ...options });
const hits = async () => (await sim.get("faults")).faults.map((fault) => fault.hits);
const marker = (body) => /<Marker>([^<]*)<\/Marker>/.exec(body)?.[1];
const names = (body) => [...body.matchAll(/<UserName>/g)].length;

async function strikesOnce(fault, check, more, options) {
  await inject(fault, more);
  check(await list({}, options));
  assert.deepEqual(await hits(), [1]);
  const next = await list();
  assert.equal(next.status, 200, "the next call is well again");
  assert.equal(names(next.body), 12);
}

const ERRORS = {
  access_denied: [403, "AccessDenied"],
  throttle: [400, "Throttling"],
  http_500: [500, "InternalFailure"],
  expired_token: [403, "ExpiredToken"],
  region_off: [403, "InvalidClientTokenId"],
};
for (const [fault, [status, code]] of Object.entries(ERRORS)) {
  test(`${fault}: ${status} ${code}`, () =>
    strikesOnce(fault, (answer) => {
      assert.equal(answer.status, status);
      assert.match(answer.body, new RegExp(`<Error><Type>\\w+</Type><Code>${code}</Code>`));
    }));
}

test("error: whatever is asked for", () =>
  strikesOnce(
    "error",
    (answer) => {
      assert.equal(answer.status, 410);
      assert.match(answer.body, /<Code>Gone<\/Code><Message>no more<\/Message>/);
    },
    { code: "Gone", message: "no more", status: 410 },
  ));

test("error_in_200", () =>
  strikesOnce("error_in_200", (answer) => {
    assert.equal(answer.status, 200);
    assert.match(answer.body, /<ErrorResponse .*<Code>InternalFailure<\/Code>/);
  }));

test("empty_200", () =>
  strikesOnce("empty_200", (answer) =>
    assert.deepEqual([answer.status, answer.body, answer.error], [200, "", undefined]),
  ));

test("html_200", () =>
  strikesOnce("html_200", (answer) => {
    assert.equal(answer.status, 200);
    assert.equal(answer.headers["content-type"], "text/html");
    assert.match(answer.body, /^<!DOCTYPE html>/);
  }));

test("garbage: bytes that are no text", () =>
  strikesOnce("garbage", (answer) => {
    assert.equal(answer.status, 200);
    assert.equal(answer.body.length, 256);
    assert.doesNotMatch(answer.body, /ListUsersResponse/);
  }));

test("dtd: well-formed XML with a document type", () =>
  strikesOnce("dtd", (answer) => {
    assert.match(answer.body, /^<\?xml version="1\.0"\?>\n<!DOCTYPE r \[<!ENTITY/);
    assert.match(answer.body, /<\/ListUsersResponse>$/);
  }));

test("cut_xml: the HTTP is whole, the XML is not", () =>
  strikesOnce("cut_xml", (answer) => {
    assert.deepEqual([answer.status, answer.error], [200, undefined]);
    assert.equal(Number(answer.headers["content-length"]), answer.body.length);
    assert.match(answer.body, /^<ListUsersResponse/);
    assert.doesNotMatch(answer.body, /<\/ListUsersResponse>/);
  }));

test("cut_body: fewer bytes than announced, then an orderly close", () =>
  strikesOnce("cut_body", (answer) => {
    assert.equal(answer.status, 200);
    assert.ok(answer.body.length > 0 && answer.body.length < Number(answer.headers["content-length"]));
    assert.ok(answer.error, "the client notices");
  }));

test("reset: half a body, then RST", () =>
  strikesOnce("reset", (answer) => {
    assert.equal(answer.status, 200);
    assert.ok(answer.body.length > 0 && answer.body.length < Number(answer.headers["content-length"]));
    assert.equal(answer.error, "ECONNRESET");
  }));

test("timeout: no answer until the client goes, and then the call has ended", async () => {
  await strikesOnce(
    "timeout",
    (answer) => assert.deepEqual([answer.status, answer.error], [undefined, "CLIENT_TIMEOUT"]),
    {},
    { timeout: 300 },
  );
  await until(async () => (await sim.get("calls")).in_flight === 0, "nothing is in flight");
});

test("slow: a byte at a time", () =>
  strikesOnce(
    "slow",
    (answer) => {
      assert.equal(answer.error, "CLIENT_TIMEOUT");
      assert.ok(
        answer.body.length >= 1 && answer.body.length <= answer.ms / 100 + 2,
        `${answer.body.length} bytes in ${answer.ms} ms at 100 ms a byte`,
      );
    },
    { interval_ms: 100 },
    { timeout: 1000 },
  ));

for (const fault of ["endless_headers", "big_header"]) {
  test(`${fault}: the header never ends`, () =>
    strikesOnce(fault, (answer) => {
      assert.deepEqual([answer.status, answer.error], [undefined, "HPE_HEADER_OVERFLOW"]);
    }));
}

test("flood_1xx: interim replies and never a final one", async () => {
  await strikesOnce(
    "flood_1xx",
    (answer) => {
      assert.deepEqual([answer.status, answer.error], [undefined, "CLIENT_TIMEOUT"]);
      assert.ok(answer.interim > 10, `${answer.interim} interim replies`);
    },
    {},
    { timeout: 300 },
  );
  await until(async () => (await sim.get("calls")).in_flight === 0, "nothing is in flight");
});

test("same_token: the same marker for ever", async () => {
  await inject("same_token", { times: -1 });
  const first = marker((await list({ MaxItems: 3 })).body);
  const second = await list({ MaxItems: 3, Marker: first });
  assert.equal(names(second.body), 3);
  const third = marker((await list({ MaxItems: 3, Marker: marker(second.body) })).body);
  assert.equal(marker(second.body), first);
  assert.equal(third, first);
});

test("endless: always a new marker and more to come", async () => {
  await inject("endless", { times: -1 });
  const seen = new Set();
  let next;
  for (let page = 0; page < 40; page += 1) {
    const { body } = await list({ MaxItems: 5, ...(next && { Marker: next }) });
    next = marker(body);
    assert.match(body, /<IsTruncated>true<\/IsTruncated>/);
    seen.add(next);
  }
  assert.equal(seen.size, 40);
});

test("big_token: a marker of a megabyte that still works", async () => {
  await inject("big_token");
  const first = await list({ MaxItems: 5 });
  assert.ok(marker(first.body).length >= 1_000_000);
  const second = await list({ MaxItems: 10, Marker: marker(first.body) });
  assert.equal(names(first.body) + names(second.body), 12);
});

test("empty_pages: nothing on the page, more to come, and nothing is lost", async () => {
  await inject("empty_pages", { times: 3 });
  const sizes = [];
  for await (const page of paginateListUsers({ client: sim.client(IAMClient, credentials), pageSize: 5 }, {})) {
    sizes.push(page.Users.length);
  }
  assert.deepEqual(sizes, [0, 0, 0, 5, 5, 2]);
});

test("faults strike the page, the n-th call or the account they name", async () => {
  const pages = async () => {
    const sizes = [];
    try {
      for await (const page of paginateListUsers({ client: sim.client(IAMClient, credentials), pageSize: 5 }, {})) {
        sizes.push(page.Users.length);
      }
    } catch (error) {
      sizes.push(error.name);
    }
    return sizes;
  };
  const match = (more) => sim.post("faults", [{ match: { operation: "ListUsers", ...more }, fault: "access_denied" }]);
  for (const [more, expected] of [
    [{ page: 1 }, ["AccessDenied"]],
    [{ page: 2 }, [5, "AccessDenied"]],
    [{ page: "last" }, [5, 5, "AccessDenied"]],
    [{ nth: 2 }, [5, "AccessDenied"]],
    [{ account: CUSTOMER }, ["AccessDenied"]],
    [{ account: "444455556666" }, [5, 5, 2]],
    [{ region: "eu-west-1" }, [5, 5, 2]],
  ]) {
    await match(more);
    assert.deepEqual(await pages(), expected, JSON.stringify(more));
    await sim.post("reset", { faults: true });
  }
});

test("a share of the calls is struck, evenly", async () => {
  await sim.post("faults", [{ match: { operation: "ListUsers" }, fault: "throttle", share: 0.3 }]);
  const codes = [];
  for (let n = 0; n < 20; n += 1) codes.push((await list()).status);
  assert.equal(codes.filter((status) => status === 400).length, 6);
});

test("a role that is assumed can be singled out", async () => {
  await sim.post("faults", [{ match: { operation: "AssumeRole", role: ":role/ConnectordLong" }, fault: "http_500" }]);
  assert.equal(await codeOf(sim.assume("ConnectordLong", { ExternalId: "tenant-1" })), "InternalFailure");
  assert.equal(await codeOf(sim.assume("ConnectordReadOnly", { ExternalId: "tenant-1" })), "ok");
});

test("an unknown fault or match is refused", async () => {
  await assert.rejects(sim.post("faults", [{ fault: "no_such" }]), /unknown fault/);
  await assert.rejects(sim.post("faults", [{ fault: "throttle", match: { planet: "mars" } }]), /unknown match/);
});

test("a struck call is recorded with its fault", async () => {
  await inject("throttle");
  const { last } = await sim.get("calls");
  await codeOf(sim.client(IAMClient, credentials).send(new ListUsersCommand({})));
  const {
    calls: [call],
    counts,
  } = await sim.get(`calls?since=${last}`);
  assert.deepEqual([call.fault, call.code, call.status, call.action], ["throttle", "Throttling", 400, "iam:ListUsers"]);
  assert.equal(counts.by_code.Throttling, 1);
});

test("every kind was tried here", () => assert.deepEqual([...tested].sort(), [...KINDS].sort()));
