// S3's account-wide settings. The account stands in the host and in a header, and must be the caller's.
import { AwsError } from "../errors.mjs";
import { blockView } from "./s3/index.mjs";
import { publicAccessBlock } from "./s3/kinds.mjs";

export const resourceOf = () => "*";

const hostAccount = (host = "") => /^(\d{12})\./.exec(host)?.[1];

export function locate({ account, input, host }) {
  const told = hostAccount(host) ?? input.AccountId;
  if (told !== input.AccountId || told !== account.id) throw new AwsError("AccessDenied", "Access Denied", 403);
}

export const operations = {
  GetPublicAccessBlock({ account }) {
    const block = account.s3PublicAccessBlock;
    if (!block) {
      throw new AwsError(
        "NoSuchPublicAccessBlockConfiguration",
        "The public access block configuration was not found",
        404,
        { AccountId: account.id },
      );
    }
    return { PublicAccessBlockConfiguration: blockView(publicAccessBlock(block)) };
  },
};
