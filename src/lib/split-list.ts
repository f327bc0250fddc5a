/** A comma-separated list as people type it: blanks and empty items are nothing. */
export function splitList(text: string): string[] {
  return text.split(',').flatMap((part) => (part.trim() === '' ? [] : [part.trim()]));
}
