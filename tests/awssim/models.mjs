// AWS's own service models, read from npm aws-sdk. Everything about the wire comes from here; nothing is retyped.
import { readFileSync, readdirSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import { PAGES, extend } from "./extensions.mjs";

const APIS = path.join(path.dirname(createRequire(import.meta.url).resolve("aws-sdk/package.json")), "apis");

// One signing name may stand for several services; the rest are found by file name.
const SIGNING = {
  sso: ["sso-admin", "sso"],
  s3: ["s3", "s3control"],
  dynamodb: ["dynamodb", "streams.dynamodb"],
  bedrock: ["bedrock", "bedrock-agent"],
  secretsmanager: ["secretsmanager"],
  events: ["eventbridge"],
};

// IAM's prefix differs from the model's name here.
const ACTION_PREFIX = {
  "sso-admin": "sso",
  "streams.dynamodb": "dynamodb",
  "bedrock-agent": "bedrock",
  s3control: "s3",
  eventbridge: "events",
};

// And these actions are not called as the operation is.
const ACTION_NAME = {
  s3: {
    ListBuckets: "ListAllMyBuckets",
    ListObjects: "ListBucket",
    ListObjectsV2: "ListBucket",
    HeadBucket: "ListBucket",
    HeadObject: "GetObject",
    GetPublicAccessBlock: "GetBucketPublicAccessBlock",
    GetBucketEncryption: "GetEncryptionConfiguration",
    GetBucketReplication: "GetReplicationConfiguration",
    GetBucketNotificationConfiguration: "GetBucketNotification",
    GetBucketLifecycleConfiguration: "GetLifecycleConfiguration",
    GetObjectLockConfiguration: "GetBucketObjectLockConfiguration",
    GetBucketCors: "GetBucketCORS",
    DeleteObjects: "DeleteObject",
    PutBucketEncryption: "PutEncryptionConfiguration",
  },
  s3control: {
    GetPublicAccessBlock: "GetAccountPublicAccessBlock",
    PutPublicAccessBlock: "PutAccountPublicAccessBlock",
  },
  lambda: { Invoke: "InvokeFunction" },
};

export class Shapes {
  constructor(shapes) {
    this.shapes = shapes;
    this.resolved = new WeakMap();
  }

  // A reference may override what the named shape says (locationName, flattened, ...), so both are merged.
  resolve(ref) {
    if (!ref?.shape) return ref;
    let merged = this.resolved.get(ref);
    if (!merged) {
      const { shape, ...own } = ref;
      merged = { ...this.shapes[shape], ...own };
      this.resolved.set(ref, merged);
    }
    return merged;
  }
}

export class Service {
  constructor(name, model, paginators) {
    this.name = name;
    this.metadata = model.metadata;
    this.protocol = model.metadata.protocol;
    this.namespace = model.metadata.xmlNamespace?.uri ?? model.metadata.xmlNamespace;
    this.operations = model.operations;
    this.paginators = paginators;
    this.shapes = new Shapes(model.shapes ?? {});
    this.prefix = ACTION_PREFIX[name] ?? model.metadata.signingName ?? name;
    this.cache = new Map();
  }

  operation(name) {
    const model = Object.hasOwn(this.operations, name) ? this.operations[name] : undefined;
    if (!model) return undefined;
    if (!this.cache.has(name)) {
      this.cache.set(name, {
        name,
        service: this,
        http: { method: "POST", requestUri: "/", ...model.http },
        input: this.shapes.resolve(model.input),
        output: this.shapes.resolve(model.output),
        action: `${this.prefix}:${ACTION_NAME[this.name]?.[name] ?? name}`,
        paginator: this.paginators[name],
      });
    }
    return this.cache.get(name);
  }
}

const loaded = new Map();
let files;

function fileOf(name) {
  files ??= readdirSync(APIS)
    .filter((file) => file.endsWith(".min.json"))
    .sort();
  const pattern = new RegExp(`^${name.replaceAll(".", "\\.")}-\\d{4}-\\d{2}-\\d{2}\\.min\\.json$`);
  return files.findLast((file) => pattern.test(file));
}

const readJson = (file) => JSON.parse(readFileSync(path.join(APIS, file)));

export function service(name) {
  if (!/^[a-z0-9.-]+$/.test(name)) return undefined;
  if (!loaded.has(name)) {
    const file = fileOf(name);
    if (!file) return undefined;
    const pages = { ...readJson(file.replace(".min.json", ".paginators.json")).pagination, ...PAGES[name] };
    loaded.set(name, new Service(name, extend(name, readJson(file)), pages));
  }
  return loaded.get(name);
}

export function servicesSignedAs(signingName) {
  return (SIGNING[signingName] ?? [signingName]).map(service).filter(Boolean);
}
