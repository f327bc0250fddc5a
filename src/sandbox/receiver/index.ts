export { headerOf } from './message.js';
export { openReceiver, type Receiver, startReceiver } from './receiver.js';
