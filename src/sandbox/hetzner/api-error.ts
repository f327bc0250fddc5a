/** An answer with an `error` object: https://docs.hetzner.cloud/reference/cloud#errors */
export class HetznerError extends Error {
  readonly status: number;
  readonly code: string;
  readonly details: Readonly<Record<string, unknown>> | null;

  constructor(status: number, code: string, message: string, details: HetznerError['details'] = null) {
    super(message);
    this.status = status;
    this.code = code;
    this.details = details;
  }
}

/** The codes and statuses of that page. */
export const hetznerErrors = {
  unauthorized: (message = 'the token you provided is invalid') =>
    new HetznerError(401, 'unauthorized', message),
  readOnlyToken: () =>
    new HetznerError(403, 'token_readonly', 'the token is only allowed to perform GET requests'),
  notFound: (what: string) => new HetznerError(404, 'not_found', `${what} not found`),
  method: () => new HetznerError(405, 'method_not_allowed', 'method not allowed'),
  json: () => new HetznerError(400, 'json_error', 'invalid JSON input'),
  input: (field: string, message: string) =>
    new HetznerError(422, 'invalid_input', `invalid input in field '${field}'`, {
      fields: [{ name: field, messages: [message] }],
    }),
  mode: () => new HetznerError(422, 'incorrect_zone_mode', 'the zone is not in primary mode'),
  protectedSet: () => new HetznerError(423, 'protected', 'the rrset is protected'),
  internal: () => new HetznerError(500, 'server_error', 'internal server error'),
} as const;
