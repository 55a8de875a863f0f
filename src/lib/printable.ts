/** Text from outside, as a terminal and a log may show it. */

/** Characters that end a line, move a cursor or turn the direction of what is around them. */
const UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu;

/** On one line; what cannot be seen is a space. */
export function printable(text: string): string {
  return text.replace(UNPRINTABLE, ' ');
}

/** JSON that means the same and has none of them: JSON.stringify writes some as they are. */
export function printableJson(json: string): string {
  return json.replace(UNPRINTABLE, (found) =>
    found.replace(/[\s\S]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`),
  );
}
