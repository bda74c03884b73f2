// What happens to one request: whose is it, may it, and what comes back.
import { randomUUID } from "node:crypto";
import { AwsError, refusal, refusalWithReason } from "./errors.mjs";
import { Authorizer } from "./authorize.mjs";
import { Calls } from "./calls.mjs";
import { Faults, distort } from "./faults.mjs";
import { Quotas } from "./quotas.mjs";
import { Sessions } from "./sessions.mjs";
import { Verifier, readClaim } from "./sigv4.mjs";
import { servicesSignedAs, service as serviceNamed } from "./models.mjs";
import { behaviourOf } from "./services/index.mjs";
import { contentType, protocolOf, readInput, route, unknownOperation } from "./protocols/index.mjs";
import { isEnabled, isKnown, isOffered, signingRegion } from "./regions.mjs";
import { selfAuthorized, unsigned } from "./services/sts.mjs";

// A list that is asked for whole: no limit, no token, no filter and no names. EC2 has less patience with those.
function isUnpaged({ form }, { paginator }) {
  if (!form || !paginator?.limit_key) return false;
  const asked = [paginator.limit_key, paginator.input_token].some((name) => form[name] !== undefined);
  return !asked && Object.values(form).every((value) => typeof value === "string");
}

export class Simulator {
  constructor({ world, clock, settings, callLog }) {
    this.world = world;
    this.clock = clock;
    this.settings = { latency_ms: 0, page_size: undefined, report_polls: 2, ...settings };
    this.authorizer = new Authorizer(world);
    this.sessions = new Sessions(clock);
    this.verifier = new Verifier(clock, (id) => this.sessions.get(id) ?? world.credential(id));
    this.quotas = new Quotas(settings?.quotas);
    this.faults = new Faults();
    this.calls = new Calls(callLog);
  }

  // Returns { reply, fault }; writes what it learns into the call's record.
  async answer(request, record) {
    const call = this.newCall(request, record);
    let outcome;
    try {
      outcome = { output: await this.run(call, request) };
    } catch (error) {
      if (!(error instanceof AwsError)) throw error;
      outcome = { error };
    }
    const fault = this.faults.take(call);
    if (fault) outcome = distort(call, fault, outcome);
    return { reply: this.reply(call, outcome, fault), fault };
  }

  newCall(request, record) {
    const claim = readClaim(request.headers.authorization);
    const services = servicesSignedAs(claim?.service ?? "sts");
    const { service, operation } = services.length ? route(services, request) : { service: serviceNamed("sts") };
    const { world, clock, settings, authorizer, sessions } = this;
    const call = {
      world,
      clock,
      settings,
      authorizer,
      sessions,
      claim,
      service,
      operation,
      record,
      region: claim?.region,
      input: {},
      pageSize: settings.page_size,
      note: (facts) => Object.assign(record, facts),
    };
    call.note({
      service: service.name,
      operation: operation?.name,
      action: operation?.action,
      region: call.region,
      access_key_id: claim?.accessKeyId,
    });
    return call;
  }

  async run(call, request) {
    const { service, operation, record } = call;
    if (!call.claim && service.name === "sts" && unsigned.has(operation?.name)) return this.runUnsigned(call, request);
    const { principal } = await this.verifier.verify(request, call.claim, service);
    Object.assign(call, { principal, account: principal.account });
    this.calls.owner(record, principal.account.id);
    call.note({ principal: principal.arn });
    this.checkRegion(call);
    if (!operation) throw unknownOperation(service, request);
    if (!this.quotas.take(service.name, operation.name, call.account.id, call.region, isUnpaged(request, operation))) {
      throw refusal("throttled", service);
    }
    call.input = readInput(operation, request);
    call.host = request.headers.host;
    call.virtualHosted = Boolean(request.virtualHosted);
    return this.perform(call, behaviourOf(service));
  }

  // The region is the host's, which a test's single endpoint does not have.
  runUnsigned(call, request) {
    call.region = "us-east-1";
    call.note({ region: call.region });
    call.input = readInput(call.operation, request);
    return this.perform(call, behaviourOf(call.service));
  }

  perform(call, behaviour) {
    const { service, operation, principal } = call;
    if (!(service.name === "sts" && selfAuthorized.has(operation.name))) {
      // What is answered before anybody asks about rights, as S3's redirects are.
      behaviour.locate?.(call);
      const context = this.authorizer.context(principal, call.region, behaviour.contextOf?.(call));
      this.authorizer.check(principal, service, {
        action: operation.action,
        resource: behaviour.resourceOf(call),
        guard: behaviour.guardOf?.(call),
        context,
      });
    }
    const perform = behaviour.operations[operation.name];
    if (!perform) throw refusal("unknown_operation", service, `Operation ${operation.name} is not available.`);
    return perform(call);
  }

  checkRegion({ service, claim, account }) {
    const only = signingRegion(this.world, service);
    if (only ? claim.region !== only : !isKnown(this.world, claim.region)) {
      throw refusalWithReason(
        "wrong_scope",
        service,
        `Credential should be scoped to a valid region, not '${claim.region}'. `,
      );
    }
    if (!only && !isEnabled(account, claim.region)) throw refusal("unknown_key", service);
    if (!isOffered(service, claim.region)) throw refusal("unknown_operation", service, "Unknown Operation");
  }

  reply(call, { output, error, status }, fault) {
    const { service, operation, record } = call;
    const requestId = randomUUID();
    const protocol = protocolOf(service);
    const made = error
      ? protocol.serializeError(service, error, requestId)
      : protocol.serialize(operation, output, requestId);
    const code = status ?? error?.status ?? made.status ?? 200;
    const { number, last } = call.page ?? {};
    call.note({
      status: code,
      code: error?.code,
      page: number,
      last_page: last,
      fault: fault?.fault,
      request_id: requestId,
    });
    record.error_message = error?.message;
    return {
      status: code,
      body: made.body,
      headers: {
        date: this.clock.date().toUTCString(),
        "content-type": contentType(service),
        // S3 has had names of its own for these since before the others were there.
        ...(service.protocol === "rest-xml"
          ? { "x-amz-request-id": requestId, "x-amz-id-2": "awssim" }
          : { "x-amzn-requestid": requestId }),
        ...made.headers,
        ...call.headers,
        ...fault?.headers,
      },
    };
  }
}
