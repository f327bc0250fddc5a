/** One entry of `errors` in a v4 answer. */
export interface ApiErrorItem {
  code: number;
  message: string;
  error_chain?: { code: number; message: string }[];
}

/** An answer with `success: false`, thrown anywhere below the dispatcher. */
export class ApiError extends Error {
  readonly status: number;
  readonly errors: readonly ApiErrorItem[];
  readonly headers: Readonly<Record<string, string>>;

  constructor(status: number, errors: readonly ApiErrorItem[], headers: Record<string, string> = {}) {
    super(errors.map((item) => `${item.code} ${item.message}`).join('; '));
    this.status = status;
    this.errors = errors;
    this.headers = headers;
  }
}

const one = (status: number, code: number, message: string): ApiError =>
  new ApiError(status, [{ code, message }]);

const headers = (code: number, message: string): ApiError =>
  new ApiError(400, [{ code: 6003, message: 'Invalid request headers', error_chain: [{ code, message }] }]);

/**
 * The errors of the v4 API, with the codes and texts that the real one gives. Cloudflare publishes no table of them:
 * they are collected from answers quoted in public issues of its SDKs and clients (cloudflare-typescript#161,
 * cloudflare-ddns#179, ddns-go#916 and #1378, terraform-provider-cloudflare#1247, cfdns#17) and from
 * https://developers.cloudflare.com/dns/manage-dns-records/troubleshooting/records-with-same-name/
 */
export const apiErrors = {
  missingCredentials: () => one(400, 9106, 'Missing X-Auth-Key, X-Auth-Email or Authorization headers'),
  malformedToken: () => headers(6111, 'Invalid format for Authorization header'),
  malformedKey: () => headers(6103, 'Invalid format for X-Auth-Key header'),
  contentType: () => one(400, 9207, 'Content-type must be application/json.'),
  unreadableBody: () => one(400, 9207, 'Request body is invalid.'),
  invalidApiToken: () => one(401, 1000, 'Invalid API Token'),
  invalidAccessToken: () => one(403, 9109, 'Invalid access token'),
  unauthorizedResource: () => one(403, 9109, 'Unauthorized to access requested resource'),
  authentication: () => one(403, 10000, 'Authentication error'),
  noRoute: (path: string) =>
    new ApiError(404, [
      { code: 7003, message: `Could not route to ${path}, perhaps your object identifier is invalid?` },
      { code: 7000, message: 'No route for that URI' },
    ]),
  method: () => one(405, 10405, 'Method not allowed for this authentication scheme'),
  noRecord: () => one(404, 81044, 'Record does not exist.'),
  identical: () => one(400, 81058, 'An identical record already exists.'),
  hostTaken: () => one(400, 81053, 'An A, AAAA, or CNAME record with that host already exists.'),
  cnameTaken: () => one(400, 81054, 'A CNAME record with that host already exists.'),
  quota: () => one(400, 81045, 'Record quota exceeded.'),
  validation: (code: number, message: string) =>
    new ApiError(400, [{ code: 1004, message: 'DNS Validation Error', error_chain: [{ code, message }] }]),
  // Since 2024 wrong content is reported without the 1004 envelope (cfdns#17).
  content: (code: number, message: string) => one(400, code, message),
  readOnly: () => one(400, 1043, 'This record is managed by Email Routing and is read only.'),
  batchLimit: (limit: number) => one(400, 9300, `A batch may hold at most ${limit} operations.`),
  parameter: (message: string) => one(400, 9208, message),
  internal: () => one(500, 10001, 'Internal server error'),
} as const;
