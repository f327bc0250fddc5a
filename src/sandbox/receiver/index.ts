export { headerOf, type StoredMessage } from './message.js';
export {
  type OutgoingMail,
  openReceiver,
  type Receiver,
  type ReceiverOptions,
  startReceiver,
} from './receiver.js';
export { readVerdicts, type Verdicts } from './verdicts.js';
export type { IndependentVerdict } from './verify-independently.js';
