// Words: what is found by those that somebody types, and how they stand in a sentence. Pure.

/** Whether a text has all of these words, in any order and case. */
export function finder(typed: string): (text: string) => boolean {
    const words = typed.toLowerCase().split(/\s+/).filter(Boolean);
    return (text) => words.every((word) => text.toLowerCase().includes(word));
}

export const sentence = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);

/** The first of many names: `a, b and 3 more`. */
export const firstOf = (names: readonly string[], most = 5): string =>
    names.slice(0, most).join(', ') + (names.length > most ? ` and ${names.length - most} more` : '');

/** So many of something: `1 test`, `12 tests`. */
export const counted = (count: number, one: string, many = `${one}s`): string =>
    count === 1 ? `1 ${one}` : `${count.toLocaleString('en')} ${many}`;
