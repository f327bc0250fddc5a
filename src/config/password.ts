/** Shortest mailbox password: mail servers are guessed at from everywhere, all day. */
export const minPasswordLength = 12;
/** Longer than any password manager makes; keeps what is hashed on the server small. */
const maxPasswordLength = 256;

// No 0/O, 1/l/I: it is typed into telephones. No punctuation: some clients and shells trip over it.
const alphabet = 'abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789';

/** 20 random characters in four groups, about 116 bits. `randomBytes` must be cryptographic. */
export function generatePassword(randomBytes: (count: number) => Uint8Array): string {
  const letters: string[] = [];
  // Bytes past the largest multiple of the alphabet's size would favour its first letters.
  const limit = 256 - (256 % alphabet.length);
  while (letters.length < 20) {
    for (const byte of randomBytes(32)) {
      if (byte < limit && letters.length < 20) letters.push(alphabet.charAt(byte % alphabet.length));
    }
  }
  return (letters.join('').match(/.{5}/g) ?? []).join('-');
}

// What leaked lists are full of, without the digits and signs that people hang on.
const common = new Set(
  (
    'password passwort motdepasse contrasena qwerty qwertyuiop qwertzuiop azerty asdfgh asdfghjkl zxcvbn zxcvbnm ' +
    'letmein welcome willkommen bienvenue admin administrator root user test testing tester guest default changeme ' +
    'secret geheim iloveyou monkey dragon football baseball master superman batman sunshine princess shadow michael ' +
    'login mail email mailbox postmaster server hello hallo abc abcdef abcdefgh temp temporary demo example trustno ' +
    'starwars whatever freedom computer internet google correcthorsebatterystaple'
  ).split(' '),
);

/** What is wrong with a mailbox password, in one sentence; undefined when it will do. */
export function findPasswordFault(password: string, mailbox: string): string | undefined {
  if (/[\u0000-\u001f\u007f-\u009f]/.test(password)) return 'It holds a control character or a line break.';
  const length = [...password].length;
  if (length < minPasswordLength) return `It has ${length} characters; ${minPasswordLength} are the least.`;
  if (Buffer.byteLength(password) > maxPasswordLength) return `It is longer than ${maxPasswordLength} bytes.`;
  if (password.trim() !== password)
    return 'It begins or ends with a blank, which many mail programs cut off.';
  if (new Set(password.toLowerCase()).size < 5) return 'It repeats the same few characters.';
  if (isSequence(password.toLowerCase())) return 'It is a run of neighbouring keys or characters.';
  const word = plainWord(password);
  if (common.has(word) || common.has(halved(word)))
    return 'It is one of the passwords that everybody tries first.';
  const own = mailbox
    .toLowerCase()
    .split(/[@.]/)
    .map(plainWord)
    .filter((part) => part.length > 2);
  if (word === '' || own.some((part) => word.replaceAll(part, '').length < 4)) {
    return 'It is little more than the address or digits.';
  }
  return undefined;
}

/** `P4ssw0rd-2024!` → `password`. */
function plainWord(text: string): string {
  const spelled = text.toLowerCase().replace(/[0134578@$](?=.*[a-z])/g, (sign) => spelling[sign] ?? sign);
  return spelled.normalize('NFD').replace(/[^\p{L}]/gu, '');
}

const spelling: Readonly<Record<string, string>> = {
  '0': 'o',
  '1': 'l',
  '3': 'e',
  '4': 'a',
  '5': 's',
  '7': 't',
  '8': 'b',
  '@': 'a',
  $: 's',
};

/** `qwertyqwerty` → `qwerty`. */
function halved(word: string): string {
  const half = word.slice(0, word.length / 2);
  return word === half + half ? half : word;
}

const rows = [
  'abcdefghijklmnopqrstuvwxyz',
  '1234567890',
  '1234567890qwertyuiopasdfghjklzxcvbnm',
  'qwertzuiopasdfghjklyxcvbnm',
];

function isSequence(text: string): boolean {
  const reversed = [...text].reverse().join('');
  return rows.some((row) => [text, reversed].some((candidate) => (row + row).includes(candidate)));
}
