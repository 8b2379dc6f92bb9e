// What is found by words that somebody types. Pure.

/** Whether a text has all of these words, in any order and case. */
export function finder(typed: string): (text: string) => boolean {
    const words = typed.toLowerCase().split(/\s+/).filter(Boolean);
    return (text) => words.every((word) => text.toLowerCase().includes(word));
}
