import { canonicalData } from '../../canonical.js';
import type { RecordData } from '../../record.js';
import { decodeData, typeCodes } from './record-data.js';
import { MalformedMessage, WireReader, write } from './wire.js';

export const classes = { IN: 1, NONE: 254, ANY: 255 } as const;
/** Opcode 5 in the flags (RFC 2136 section 2.2). */
export const updateFlags = 5 << 11;

/** A record as a section holds it; empty data where UPDATE says so. */
export interface WireRecord {
  name: string;
  type: number;
  class: number;
  ttl: number;
  data: Buffer;
}

export interface Outgoing {
  id: number;
  flags: number;
  /** One entry: the question, or the zone of an update. */
  question: { name: string; type: number };
  /** Answer section, or the prerequisites of an update. */
  answers?: readonly WireRecord[];
  /** Authority section, or the changes of an update. */
  authorities?: readonly WireRecord[];
}

export function encodeRecord(record: WireRecord): Buffer {
  const { u16, u32, name } = write;
  return Buffer.concat([
    name(record.name),
    u16(record.type),
    u16(record.class),
    u32(record.ttl),
    u16(record.data.length),
    record.data,
  ]);
}

/** A message without its signature. */
export function encodeMessage({ id, flags, question, answers = [], authorities = [] }: Outgoing): Buffer {
  const { u16, name } = write;
  return Buffer.concat([
    ...[id, flags, 1, answers.length, authorities.length, 0].map(u16),
    ...[name(question.name), u16(question.type), u16(classes.IN)],
    ...[...answers, ...authorities].map(encodeRecord),
  ]);
}

/** The signature record of a message (RFC 8945 section 4.2). */
export interface Signature {
  /** Where it begins in the message. */
  offset: number;
  keyName: string;
  algorithm: string;
  timeSigned: number;
  fudge: number;
  mac: Buffer;
  originalId: number;
  error: number;
  other: Buffer;
}

export interface AnswerRecord {
  name: string;
  type: number;
  class: number;
  ttl: number;
  data: RecordData;
  /** RDATA with uncompressed names, in the server's spelling. */
  raw: Buffer;
}

export interface Incoming {
  id: number;
  rcode: number;
  opcode: number;
  response: boolean;
  authoritative: boolean;
  question?: { name: string; type: number };
  answers: readonly AnswerRecord[];
  signature?: Signature;
}

/** Reads a message. Throws MalformedMessage. */
export function decodeMessage(bytes: Buffer): Incoming {
  const reader = new WireReader(bytes);
  const [id, flags] = [reader.u16(), reader.u16()];
  const counts = [reader.u16(), reader.u16(), reader.u16(), reader.u16()];
  const [questions = 0, answerCount = 0, authorityCount = 0, additionalCount = 0] = counts;
  let question: Incoming['question'];
  for (let index = 0; index < questions; index++) {
    question = { name: reader.name().name, type: reader.u16() };
    reader.u16();
  }
  const answers: AnswerRecord[] = [];
  for (let index = 0; index < answerCount; index++) answers.push(readRecord(reader));
  let signature: Signature | undefined;
  for (let index = 0; index < authorityCount + additionalCount; index++) {
    if (signature) throw new MalformedMessage('a signature that is not the last record');
    signature = skipRecord(reader);
  }
  return {
    id,
    rcode: flags & 15,
    opcode: (flags >> 11) & 15,
    response: (flags & 0x8000) !== 0,
    authoritative: (flags & 0x0400) !== 0,
    ...(question ? { question } : {}),
    answers,
    ...(signature ? { signature } : {}),
  };
}

function readRecord(reader: WireReader): AnswerRecord {
  const { name } = reader.name();
  const [type, recordClass, ttl, length] = [reader.u16(), reader.u16(), reader.u32(), reader.u16()];
  const end = reader.at + length;
  const { data, raw } = decodeData(type, reader, length);
  if (reader.at !== end) throw new MalformedMessage('record data of another length than announced');
  return { name, type, class: recordClass, ttl, data: canonicalData(data), raw };
}

function skipRecord(reader: WireReader): Signature | undefined {
  const offset = reader.at;
  const { name: keyName } = reader.name();
  const [type, , , length] = [reader.u16(), reader.u16(), reader.u32(), reader.u16()];
  if (type !== typeCodes.TSIG) {
    reader.take(length);
    return undefined;
  }
  const { name: algorithm } = reader.name();
  const [timeSigned, fudge] = [reader.u48(), reader.u16()];
  const mac = reader.take(reader.u16());
  const [originalId, error] = [reader.u16(), reader.u16()];
  return {
    offset,
    keyName,
    algorithm,
    timeSigned,
    fudge,
    mac,
    originalId,
    error,
    other: reader.take(reader.u16()),
  };
}
