// Temporary credentials handed out by STS.
import { randomBytes } from "node:crypto";
import { base32 } from "./ids.mjs";

export class Sessions {
  constructor(clock) {
    this.clock = clock;
    this.byKey = new Map();
  }

  issue({ account, role, sessionName, policy, seconds, sourceIdentity }) {
    const accessKeyId = `ASIA${base32(randomBytes(16), 16)}`;
    const arn = `arn:${account.partition}:sts::${account.id}:assumed-role/${role.name}/${sessionName}`;
    const credential = {
      secret: randomBytes(30).toString("base64"),
      token: `IQoJb3JpZ2luX2Vj${randomBytes(450).toString("base64")}`,
      status: "Active",
      expires: this.clock.now() + seconds * 1000,
      principal: {
        kind: "session",
        account,
        name: role.name,
        arn,
        principalArn: role.arn,
        uniqueId: role.id,
        userId: `${role.id}:${sessionName}`,
        sessionName,
        policy,
        sourceIdentity,
        accessKeyId,
      },
    };
    this.byKey.set(accessKeyId, credential);
    this.forgetOld();
    return { accessKeyId, ...credential };
  }

  get(accessKeyId) {
    return this.byKey.get(accessKeyId);
  }

  // An hour past its end a session is still known, so that its use is answered "expired" and not "unknown".
  forgetOld() {
    const limit = this.clock.now() - 3_600_000;
    for (const [key, { expires }] of this.byKey) {
      if (expires >= limit || this.byKey.size < 10_000) break;
      this.byKey.delete(key);
    }
  }
}
