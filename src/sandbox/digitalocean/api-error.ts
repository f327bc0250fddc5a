/** An answer with `id` and `message`: https://docs.digitalocean.com/reference/api/digitalocean/#section/Introduction/Errors */
export class DigitalOceanError extends Error {
  readonly status: number;
  readonly id: string;

  constructor(status: number, id: string, message: string) {
    super(message);
    this.status = status;
    this.id = id;
  }
}

export const notFound = (): DigitalOceanError =>
  new DigitalOceanError(404, 'not_found', 'The resource you were accessing could not be found.');
export const unauthorized = (): DigitalOceanError =>
  new DigitalOceanError(401, 'unauthorized', 'Unable to authenticate you');
export const forbidden = (): DigitalOceanError =>
  new DigitalOceanError(403, 'forbidden', 'You are not authorized to perform this operation');
export const badRequest = (message: string): DigitalOceanError =>
  new DigitalOceanError(400, 'bad_request', message);
export const unprocessable = (message: string): DigitalOceanError =>
  new DigitalOceanError(422, 'unprocessable_entity', message);
export const methodNotAllowed = (): DigitalOceanError =>
  new DigitalOceanError(405, 'method_not_allowed', 'The method is not allowed for this resource.');
export const serverError = (): DigitalOceanError =>
  new DigitalOceanError(500, 'server_error', 'Unexpected server-side error');
