import { ApiError, type ApiErrorItem } from './api-error.js';

/** A misbehaviour to order. The first fault that fits a request is used, `times` times. */
export interface Fault {
  /** HTTP method; any when absent. */
  method?: string;
  /** Regular expression over the path below `/client/v4`; any when absent. */
  path?: string;
  /** Let so many fitting requests pass first. */
  skip?: number;
  times?: number;
  /** `after`: the request is carried out, and then the answer is the fault. */
  when?: 'before' | 'after';
  /** HTTP status, or `reset`: the connection is cut without an answer. */
  answer: number | 'reset';
  code?: number;
  message?: string;
  /** Seconds. */
  retryAfter?: number;
  /** Sends a redirect there (with a 3xx `answer`). */
  location?: string;
}

interface Armed {
  fault: Fault;
  skip: number;
  left: number;
}

/** Orders of misbehaviour, used up in the order given. */
export class FaultList {
  private armed: Armed[] = [];

  add(fault: Fault): void {
    this.armed.push({ fault, skip: fault.skip ?? 0, left: fault.times ?? 1 });
  }

  clear(): void {
    this.armed = [];
  }

  /** Faults that were ordered and never happened; a test that leaves some did not test what it says. */
  remaining(): number {
    return this.armed.reduce((sum, armed) => sum + armed.left, 0);
  }

  take(method: string, path: string): Fault | undefined {
    for (const armed of this.armed) {
      const { fault } = armed;
      if (fault.method !== undefined && fault.method !== method) continue;
      if (fault.path !== undefined && !new RegExp(fault.path).test(path)) continue;
      if (armed.skip > 0) {
        armed.skip -= 1;
        continue;
      }
      armed.left -= 1;
      this.armed = this.armed.filter((entry) => entry.left > 0);
      return fault;
    }
    return undefined;
  }
}

/** The answer that a fault with a status stands for. */
export function faultError(fault: Fault): ApiError {
  const status = fault.answer === 'reset' ? 500 : fault.answer;
  const item: ApiErrorItem = {
    code: fault.code ?? (status === 429 ? 971 : 10001),
    message:
      fault.message ??
      (status === 429 ? 'Please wait and consider throttling your request speed' : 'Internal server error'),
  };
  return new ApiError(status, [item], {
    ...(fault.retryAfter === undefined ? {} : { 'retry-after': String(fault.retryAfter) }),
    ...(fault.location === undefined ? {} : { location: fault.location }),
  });
}
